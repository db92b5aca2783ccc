"""All elements up to each, combined: sums, products, extremes, log-sums of exponentials; with nan left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..common import explained, kind, normal_axis, operand
from ..comparison import astype, floating, isfinite_row, isnan_row, select, stop_gradient
from ..cumulation import before, cummax_row, cummin_row, cumprod_row, cumsum_row, recurrence_row
from ..dtypes import as_dtype
from ..shaping import broadcast_to, concatenate, ravel, reshape
from ..transcendental import exp, log


def _along(row: Callable[..., Any], x: Any, axis: Any, **attrs: Any) -> Any:
    """A row of `cumulation.py` along an axis; None: over all elements, in C order. A scalar counts as a vector."""
    if axis is None or not x.ndim:
        x, axis = ravel(x), axis or 0
    k = normal_axis(axis, x.ndim)
    shape = x.shape
    parts = (*shape[:k], shape[k], math.prod(shape[k + 1 :]))
    return reshape(row(reshape(x, parts), **attrs), shape)


def _summable(x: Any, dtype: Any) -> Any:
    """The operand in the dtype that is given, or in which NumPy adds: int64 for bools and int32."""
    x = operand(x)
    return astype(x, as_dtype(dtype) if dtype is not None else x.dtype if kind(x) == "f" else np.int64)


@explained
def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The sums of all elements up to each along `axis`, in their order; of all elements in C order where it is None.

    Args:
        a: an array; bools and int32 are summed as int64.
        axis: an int, or None.
        dtype: of the sums, to which the elements are converted first.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.cumsum(np.array([[1, 2], [3, 4]]), axis=0)
        array([[1, 2],
               [4, 6]])
    """
    return _along_numbers(cumsum_row, a, axis, dtype)


@explained
def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The products of all elements up to each along `axis`, in their order; see `cumsum`.

    The gradient is exact where elements are zero, to any order, in linear time.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.cumprod(np.array([1.0, 2.0, 3.0]))
        array([1., 2., 6.])
    """
    return _along_numbers(cumprod_row, a, axis, dtype)


def _along_numbers(row: Callable[..., Any], a: Any, axis: Any, dtype: Any) -> Any:
    """The bools of a sum or product of bools, as NumPy has them, are those of the largest or smallest so far."""
    x = _summable(a, dtype)
    if kind(x) == "b":
        row = cummax_row if row is cumsum_row else cummin_row
    return _along(row, x, axis, reverse=False)


def _cumulative(name: str, row: Callable[..., Any], first: int, x: Any, axis: Any, dtype: Any, initial: bool) -> Any:
    x = operand(x)
    if axis is None:
        if x.ndim > 1:
            raise ShapeError(f"{name} of an operand of {x.ndim} axes without an axis", "give axis=")
        axis = 0
    x = x if x.ndim else ravel(x)
    found = _along_numbers(row, x, axis, dtype)
    if not initial:
        return found
    k = normal_axis(axis, x.ndim)
    edge = broadcast_to(np.full((), first, found.dtype), (*x.shape[:k], 1, *x.shape[k + 1 :]))
    return concatenate([edge, found], k)


@explained
def cumulative_sum(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """As `cumsum` along `axis`, which may be left out for a vector only; with `include_initial` a zero comes first.

    Raises:
        ShapeError: no axis for an array of several, or one out of range.

    Example:
        >>> pg.cumulative_sum(np.array([1, 2, 3]), include_initial=True)
        array([0, 1, 3, 6])
    """
    return _cumulative("cumulative_sum", cumsum_row, 0, x, axis, dtype, include_initial)


@explained
def cumulative_prod(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """As `cumprod` along `axis`, which may be left out for a vector only; with `include_initial` a one comes first.

    Raises:
        ShapeError: no axis for an array of several, or one out of range.

    Example:
        >>> pg.cumulative_prod(np.array([2, 3, 4]), include_initial=True)
        array([ 1,  2,  6, 24])
    """
    return _cumulative("cumulative_prod", cumprod_row, 1, x, axis, dtype, include_initial)


@explained
def cummax(x: Any, axis: Any = None, *, reverse: bool = False) -> Any:
    """The largest of all elements up to each along `axis`, with `reverse` from it to the end; nan after a nan.

    Elements that tie for it share its gradient equally. `np.maximum.accumulate` along axis 0.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.cummax(np.array([1.0, 3.0, 2.0]))
        array([1., 3., 3.])
    """
    return _along(cummax_row, operand(x), axis, reverse=bool(reverse))


@explained
def cummin(x: Any, axis: Any = None, *, reverse: bool = False) -> Any:
    """The smallest of all elements up to each along `axis`, with `reverse` from it to the end; nan after a nan.

    Elements that tie for it share its gradient equally. `np.minimum.accumulate` along axis 0.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.cummin(np.array([2.0, 3.0, 1.0]), reverse=True)
        array([1., 1., 1.])
    """
    return _along(cummin_row, operand(x), axis, reverse=bool(reverse))


@explained
def logcumsumexp(x: Any, axis: Any = None) -> Any:
    """log Σ exp of all elements up to each along `axis`, without overflow; integers and bools become float64.

    -inf while all elements are -inf, inf and nan from the first on; no gradient
    comes from these. `np.logaddexp.accumulate` along axis 0.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.logcumsumexp(np.array([1000.0, -np.inf, 1000.0])).round(4)
        array([1000.    , 1000.    , 1000.6931])
    """
    return _along(_log_sums, floating(x), axis)


def _log_sums(x: Any) -> Any:
    """Along the last axis but one. The sums are of exponentials divided by the largest so far: a linear recurrence."""
    largest = stop_gradient(cummax_row(x, reverse=False))
    finite = isfinite_row(largest)
    shift = select(finite, largest, 0.0)
    previous = before(largest, -np.inf, False)
    decay = select(isfinite_row(previous), exp(previous - shift), 0.0)
    sums = recurrence_row(decay, exp(x - shift), reverse=False)
    return select(finite, log(sums) + largest, largest)


def _filled(x: Any, value: float) -> Any:
    x = operand(x)
    return select(isnan_row(x), value, x) if kind(x) == "f" else x


@explained
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """As `cumsum`, with nan counted as 0; no gradient reaches a nan.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.nancumsum(np.array([1.0, np.nan, 2.0]))
        array([1., 1., 3.])
    """
    return cumsum(_filled(a, 0.0), axis, dtype)


@explained
def nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """As `cumprod`, with nan counted as 1; no gradient reaches a nan.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.nancumprod(np.array([2.0, np.nan, 3.0]))
        array([2., 2., 6.])
    """
    return cumprod(_filled(a, 1.0), axis, dtype)
