"""Which elements are in a set, and the places of a matrix's parts: isin, diag_ tril_ and triu_indices_from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DomainError, ShapeError, shown
from ..common import explained, operand
from ..comparison import equal, logical_not_row
from ..indexing import take
from ..reductions import any as some
from ..shaping import expand_dims, ravel
from .ordering import searchsorted, sort

#: Sets up to this size are compared element by element, larger ones sorted and searched.
_FEW = 24


@explained
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """Whether each entry of `element` equals one of `test_elements`; bool, of the shape of `element`. nan is in no set.

    Args:
        element: an array.
        test_elements: an array of any shape, or an expression.
        assume_unique: says that no entry occurs twice, which changes nothing.
        invert: return whether it equals none.
        kind: NumPy's choice of a method, which changes nothing.

    Raises:
        DomainError: a kind that NumPy does not have.

    Example:
        >>> pg.isin(np.array([1, 5, 2]), [2, 1])
        array([ True, False,  True])
    """
    if kind not in (None, "sort", "table"):
        raise DomainError(f"kind is {shown(kind)}", "give None, 'sort' or 'table', or leave it out")
    x, among = operand(element), ravel(operand(test_elements))
    if among.size <= _FEW:
        found = some(equal(expand_dims(x, -1), among), -1)
    else:
        among = sort(among)
        found = equal(x, take(among, searchsorted(among, x), mode="clip"))
    return logical_not_row(found) if invert else found


@explained
def diag_indices_from(arr: Any) -> Any:
    """The indices of the main diagonal of `arr`, a tuple of one int64 array for each of its axes, known when recording.

    Raises:
        ShapeError: an array of fewer than two axes, or of unequal lengths.

    Example:
        >>> pg.diag_indices_from(np.zeros((2, 2)))
        (array([0, 1]), array([0, 1]))
    """
    shape = operand(arr).shape
    if len(shape) < 2 or len(set(shape)) != 1:
        raise ShapeError(f"an array of shape {shape} has no main diagonal", "give one of two or more equal axes")
    return np.diag_indices(shape[0], len(shape))


@explained
def tril_indices_from(arr: Any, k: int = 0) -> Any:
    """The rows and columns of the matrix `arr` up to its diagonal `k`, two int64 arrays, known when recording.

    Raises:
        ShapeError: an array that is no matrix.

    Example:
        >>> pg.tril_indices_from(np.zeros((2, 2)))
        (array([0, 1, 1]), array([0, 0, 1]))
    """
    rows, columns = _matrix(arr)
    return np.tril_indices(rows, k, columns)


@explained
def triu_indices_from(arr: Any, k: int = 0) -> Any:
    """The rows and columns of the matrix `arr` from its diagonal `k` on, two int64 arrays, known when recording.

    Raises:
        ShapeError: an array that is no matrix.

    Example:
        >>> pg.triu_indices_from(np.zeros((2, 2)))
        (array([0, 0, 1]), array([0, 1, 1]))
    """
    rows, columns = _matrix(arr)
    return np.triu_indices(rows, k, columns)


def _matrix(arr: Any) -> tuple[int, int]:
    shape = operand(arr).shape
    if len(shape) != 2:
        raise ShapeError(f"an array of shape {shape} is no matrix", "give one of two axes")
    rows, columns = shape
    return rows, columns
