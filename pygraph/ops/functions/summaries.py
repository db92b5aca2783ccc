"""Numbers that describe many: average, corrcoef, count_nonzero, cov, ptp, trace."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from .. import diagonals
from ..arithmetic import divide, maximum, multiply, subtract
from ..common import explained, kind, normal_axes, operand
from ..comparison import astype, truth
from ..composite import clip, mean
from ..dtypes import as_dtype
from ..products import matmul
from ..reductions import max as largest, min as smallest, sum as total
from ..shaping import broadcast_to, concatenate, expand_dims, reshape, transpose
from ..transcendental import sqrt


@explained
def ptp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The largest element less the smallest along `axis` (None for all, an int or several); nan when there is one.

    Elements that tie for one of the two share its gradient equally.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements; DTypeError: bools.

    Example:
        >>> pg.ptp(np.array([[1, 5], [3, 4]]), axis=1)
        array([4, 1])
    """
    return subtract(largest(a, axis, keepdims=keepdims), smallest(a, axis, keepdims=keepdims))


@explained
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """How many elements along `axis` (None for all, an int or several) are not zero; int64.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.count_nonzero(np.array([[1, 0], [3, 4]]), axis=1)
        array([1, 2])
    """
    return total(truth(a), axis, keepdims=keepdims)


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
    sums = total(w, axis, keepdims=keepdims)
    found = divide(total(multiply(a, w), axis, keepdims=keepdims), sums)
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


@explained
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """The covariance matrix of variables, each a row of `m`, or with `rowvar=False` a column.

    Args:
        m: a vector or matrix of observations; integers and bools become float64.
        y: further variables, like `m`.
        rowvar: whether variables are rows.
        bias: divide by the number of observations, not by one less.
        ddof: take that many off the number of observations instead.
        fweights, aweights: how often each observation counts, and its weight.
        dtype: of the result; at least float64 by default.

    Raises:
        ShapeError: more than two axes, or weights that do not fit.

    Example:
        >>> pg.cov(np.array([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
        array([[ 1., -2.],
               [-2.,  4.]])
    """
    rows = [_variables(v, rowvar) for v in (m, y) if v is not None]
    if dtype is None:
        dtype = np.result_type(np.float64, *(x.dtype for x in rows))
    x = concatenate([astype(v, as_dtype(dtype)) for v in rows], 0)
    weights = [operand(w) for w in (fweights, aweights) if w is not None]
    if any(w.shape != (x.shape[1],) for w in weights):
        raise ShapeError(f"weights of shapes {[w.shape for w in weights]} for {x.shape[1]} observations")
    ddof = (0 if bias else 1) if ddof is None else ddof
    w: Any = None
    count: Any = float(x.shape[1] - ddof)
    if not weights:
        centred = subtract(x, mean(x, 1, keepdims=True))
    else:
        w = astype(weights[0] if len(weights) == 1 else multiply(*weights), x.dtype)
        sums = total(w)
        centred = subtract(x, divide(total(multiply(x, w), 1, keepdims=True), sums))
        used = 1.0 if aweights is None else divide(total(multiply(w, weights[-1])), sums)
        count = sums - ddof * used
    found = matmul(centred if w is None else multiply(centred, w), transpose(centred))
    found = divide(found, maximum(count, 0.0))
    return reshape(found, ()) if found.shape == (1, 1) else found


def _variables(m: Any, rowvar: bool) -> Any:
    x = operand(m)
    if x.ndim > 2:
        raise ShapeError(f"an operand of shape {x.shape} has more than two axes", "give a matrix")
    if x.ndim < 2:
        return reshape(x, (1, -1))
    return x if rowvar else transpose(x)


@explained
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlation coefficients of variables: `cov` divided by the standard deviations, between -1 and 1.

    Raises:
        ShapeError: more than two axes.

    Example:
        >>> pg.corrcoef(np.array([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]))
        array([[ 1., -1.],
               [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return divide(c, c)
    spread = sqrt(diagonals.diagonal(c))
    return clip(divide(divide(c, expand_dims(spread, 1)), spread), -1.0, 1.0)
