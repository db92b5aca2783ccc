"""Single numbers that describe many: average, count_nonzero, ptp, trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from .. import diagonals
from ..arithmetic import divide, multiply, subtract
from ..common import explained, kind, normal_axes, operand
from ..comparison import astype, truth
from ..composite import mean
from ..dtypes import as_dtype
from ..reductions import max as largest, min as smallest, sum as total
from ..shaping import broadcast_to, reshape, transpose


@explained
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest along `axis` (None for all, an int or several); nan when there is one.

    Elements that tie for one of the two share its gradient equally.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements; DTypeError: bools.

    Example:
        >>> pg.ptp(np.array([[1, 5], [3, 4]]), axis=1)
        array([4, 1])
    """
    return subtract(largest(a, axis, keepdims), smallest(a, axis, keepdims))


@explained
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """How many elements along `axis` (None for all, an int or several) are not zero; int64.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.count_nonzero(np.array([[1, 0], [3, 4]]), axis=1)
        array([1, 2])
    """
    return total(truth(a), axis, keepdims)


@explained
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """The mean along `axis` (None for all, an int or several), with each element counted as its weight says.

    Args:
        a: an array; integers and bools become float64.
        weights: of the shape of `a`, or of its axes `axis`, in their order; None: all equal.
        returned: return the sums of the weights too.

    Returns:
        The averages, or a pair: averages and sums of weights, of one shape. Where the weights add up to zero it is nan
        or inf.

    Raises:
        ShapeError: an axis out of range or named twice, or weights that do not fit.

    Example:
        >>> float(pg.average(np.array([1.0, 2.0]), weights=[3.0, 1.0]))
        1.25
    """
    a = operand(a)
    axes = normal_axes(axis, a.ndim)
    if weights is None:
        found = mean(a, axis, keepdims=keepdims)
        count = np.prod([a.shape[k] for k in axes])
        return (found, broadcast_to(np.asarray(count, found.dtype), found.shape)) if returned else found
    w = operand(weights)
    dtype = np.result_type(a.dtype, w.dtype, np.float64 if kind(a) != "f" else a.dtype)
    if w.shape != a.shape:
        if w.shape != tuple(a.shape[k] for k in axes) or axis is None:
            problem = f"weights of shape {w.shape} for axis {axis} of an array of shape {a.shape}"
            raise ShapeError(problem, "give one for each element, or for each along the axes that axis= names")
        w = transpose(w, sorted(range(len(axes)), key=axes.__getitem__))
        w = broadcast_to(reshape(w, tuple(n if k in axes else 1 for k, n in enumerate(a.shape))), a.shape)
    a, w = astype(a, dtype), astype(w, dtype)
    sums = total(w, axis, keepdims)
    found = divide(total(multiply(a, w), axis, keepdims), sums)
    return (found, sums) if returned else found


@explained
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sums of diagonal `offset` of the matrices along two axes of `a`; bool and int32 are summed as int64.

    It is `np.trace` and `pg.ops.trace`; `pg.trace` records a graph.

    Raises:
        ShapeError: fewer than two axes, or an axis out of range or named twice.

    Example:
        >>> int(pg.ops.trace(np.array([[1, 2], [3, 4]])))
        5
    """
    found = diagonals.diagonal(a, offset, axis1, axis2)
    return total(found if dtype is None else astype(found, as_dtype(dtype)), -1)
