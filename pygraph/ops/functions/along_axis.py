"""Elements at an index of their own in each line of an array, and indices for a grid: take_along_axis, ix_ …"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..common import explained, is_expression, kind, normal_axis, operand
from ..index_updates import index_update
from ..indexing import as_index
from ..keys import index
from ..shaping import ravel, reshape


def _lines(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    """The key that takes, in each line along `axis`, the elements at the indices of that line."""
    if indices.ndim != x.ndim:
        problem = f"indices of shape {indices.shape} for an operand of shape {x.shape}"
        raise ShapeError(problem, "give indices with as many axes as the operand has")
    key: list[Any] = [np.arange(n).reshape(n, *[1] * (x.ndim - k - 1)) for k, n in enumerate(x.shape)]
    key[axis] = indices
    return tuple(key)


@explained
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Along `axis`, in each line of `arr` the elements at the indices of that line, as `np.argsort` gives them.

    Args:
        arr: the array or expression.
        indices: ints or an expression of ints, with as many axes as `arr`; sizes of other axes than `axis` broadcast.
        axis: the axis; None for that of the elements in C order, and `indices` of one axis.

    Raises:
        ShapeError: another number of axes, or sizes that do not broadcast.
        IndexRangeError: an index out of range; at run time where it is an expression.

    Example:
        >>> pg.take_along_axis(np.array([[3, 1, 2], [6, 5, 4]]), np.array([[1], [2]]), axis=1)
        array([[1],
               [4]])
    """
    arr, indices = operand(arr), as_index(indices)
    if axis is None:
        arr, axis = ravel(arr), 0
    return index(arr, _lines(arr, indices, normal_axis(axis, arr.ndim)))


@explained
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> Any:
    """A copy of `arr` with `values` (broadcast to `indices`) at the places that `take_along_axis` reads.

    NumPy's function writes into `arr`, as it does here for an array that is being filled.

    Raises:
        ShapeError, IndexRangeError: as `take_along_axis`; DTypeError: values that the dtype of `arr` cannot hold.

    Example:
        >>> pg.put_along_axis(np.array([[3, 1, 2], [6, 5, 4]]), np.array([[1], [2]]), 0, axis=1)
        array([[3, 0, 2],
               [6, 5, 0]])
    """
    arr, indices = operand(arr), as_index(indices)
    if axis is None:
        whole = index_update(ravel(arr), indices, values, "set")
        return reshape(whole, arr.shape)
    return index_update(arr, _lines(arr, indices, normal_axis(axis, arr.ndim)), values, "set")


@explained
def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays that together index the grid of all combinations of entries: x[np.ix_(rows, columns)].

    Args:
        args: vectors of ints, or expressions of ints; a mask that is known when recording stands for its true places.

    Raises:
        ShapeError: what is no vector; UnsupportedError: a mask that is an expression.

    Example:
        >>> np.arange(6).reshape(2, 3)[pg.ix_([0, 1], [0, 2])]
        array([[0, 2],
               [3, 5]])
    """
    made = []
    for k, given in enumerate(args):
        entry = operand(given)
        if entry.ndim != 1:
            raise ShapeError(f"an index of shape {entry.shape}", "give vectors")
        if not is_expression(entry) and kind(entry) == "b":
            entry = np.flatnonzero(entry)
        entry = as_index(entry)
        made.append(reshape(entry, (*[1] * k, entry.shape[0], *[1] * (len(args) - k - 1))))
    return tuple(made)
