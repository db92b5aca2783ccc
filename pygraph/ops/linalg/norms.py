"""Norms of vectors and matrices: matrix_norm, norm, vector_norm."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...errors import SignatureError, shown
from ..arithmetic import absolute, multiply, power
from ..common import explained, normal_axes
from ..comparison import astype, equal, not_equal, select
from ..reductions import max as largest, min as least, sum as total
from ..shaping import expand_dims, moveaxis, ravel, reshape
from ..transcendental import sqrt
from .decompositions import svdvals
from .operands import floating


def _root(function: Callable[[Any], Any], x: Any) -> Any:
    """function(x) of a sum, zero with the derivative zero where x is zero."""
    zero, one = (np.asarray(value, x.dtype) for value in (0.0, 1.0))
    none = equal(x, zero)
    return select(none, zero, function(select(none, one, x)))


def _of_vector(x: Any, order: Any, axis: Any, keepdims: bool) -> Any:
    if order is None or order == 2:
        return _root(sqrt, total(multiply(x, x), axis, keepdims=keepdims))
    if not isinstance(order, (int, float, np.number)):
        raise SignatureError(f"ord={shown(order)} of vectors", "give a number, inf or -inf")
    size = absolute(x)
    if order == np.inf:
        return largest(size, axis, keepdims=keepdims)
    if order == -np.inf:
        return least(size, axis, keepdims=keepdims)
    if order == 0:
        return total(astype(not_equal(x, 0), x.dtype), axis, keepdims=keepdims)
    if order == 1:
        return total(size, axis, keepdims=keepdims)
    sums = total(power(size, float(order)), axis, keepdims=keepdims)
    return _root(lambda s: power(s, 1.0 / float(order)), sums)


def _of_matrix(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    if order is None or order == "fro":
        return _of_vector(x, 2, axes, keepdims)
    if order in (1, -1, np.inf, -np.inf) and not isinstance(order, str):
        inner, outer = axes if abs(order) == 1 else axes[::-1]
        pick = largest if order > 0 else least
        found = pick(total(absolute(x), inner, keepdims=True), outer, keepdims=True)
    elif order in ("nuc", 2, -2):
        s = svdvals(moveaxis(x, axes, (-2, -1)))
        found = total(s, -1) if order == "nuc" else s[..., 0] if order == 2 else s[..., -1]
        return expand_dims(found, axes) if keepdims else found
    else:
        raise SignatureError(f"ord={shown(order)} of matrices", 'give "fro", "nuc", 1, -1, 2, -2, inf or -inf')
    return found if keepdims else reshape(found, [n for at, n in enumerate(x.shape) if at not in axes])


@explained
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of vectors along one axis, or of matrices along two, as numpy.linalg.norm.

    The derivative of a norm that is a root is zero where the norm is zero. Equal largest elements share that of inf.
    Those of "nuc" and 2 are derivatives of singular values.

    Args:
        x: an array.
        ord: of vectors: a number p, for the p-th root of the sum of |x|**p, 0 for the number of nonzero elements, or
            inf or -inf for the largest or smallest |x|; of matrices: "fro", "nuc", 1, -1, 2, -2, inf or -inf; None: the
            root of the sum of squares, without axis of all elements.
        axis: an int or a pair; None: x is a vector or a matrix as a whole.
        keepdims: keep these axes, with one element.

    Raises:
        ShapeError: an axis out of range.
        SignatureError: an ord that there is not.

    Example:
        >>> float(pg.linalg.norm(np.array([3.0, 4.0])))
        5.0
        >>> float(pg.linalg.norm(np.array([[3.0, 4.0], [0.0, 1.0]]), 1))
        5.0
    """
    (x,) = floating(x)
    axes = normal_axes(axis, x.ndim)
    if axis is None and ord is None:
        found = _of_vector(ravel(x), None, 0, False)
        return expand_dims(found, axes) if keepdims else found
    if len(axes) == 1:
        return _of_vector(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrix(x, ord, (axes[0], axes[1]), keepdims)
    raise SignatureError(f"a norm over {len(axes)} axes", "give one axis for vectors, or two for matrices")


@explained
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of the elements along `axis`, one or several (None: all), as a vector; see `norm`.

    Raises:
        ShapeError: an axis out of range.
        SignatureError: an ord that there is not.

    Example:
        >>> float(pg.linalg.vector_norm(np.array([[2.0, 2.0], [2.0, 2.0]])))
        4.0
    """
    (x,) = floating(x)
    axes = normal_axes(axis, x.ndim)
    rest = [n for at, n in enumerate(x.shape) if at not in axes]
    flat = moveaxis(x, axes, range(len(axes)))
    found = _of_vector(reshape(flat, (prod(x.shape[at] for at in axes), *rest)), ord, 0, False)
    return expand_dims(found, axes) if keepdims else found


@explained
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes; see `norm`.

    Raises:
        ShapeError: fewer than two axes.
        SignatureError: an ord that there is not.

    Example:
        >>> float(pg.linalg.matrix_norm(np.array([[3.0, 0.0], [0.0, 4.0]])))
        5.0
    """
    return norm(x, ord, (-2, -1), keepdims)
