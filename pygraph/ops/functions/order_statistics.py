"""Medians, quantiles and percentiles, by sorting; with nan left out in nanmedian, nanquantile, nanpercentile.

The derivative is that of the sorted elements between which a value lies: of equal ones that which stands there, as
`sort` has them; where the value is the mean of two, half of each.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError, UnsupportedError, shown
from ..arithmetic import ceil, divide, floor, maximum, minimum, mod, rint, subtract
from ..common import explained, is_expression, kind, normal_axes, operand
from ..comparison import astype, equal, isnan_row, logical_and, logical_not, select, stop_gradient
from ..reductions import kept_shape, reduce_max, sum as total
from ..shaping import broadcast_to, moveaxis, reshape, transpose
from ..sorting import argsort_row, searchsorted_row, sort_row
from .along_axis import take_along_axis
from .cumulative import cumsum

#: The alpha and beta of methods that are continuous in q: Hyndman and Fan, The American Statistician 50, 1996.
_CONTINUOUS = {
    "weibull": (0.0, 0.0),
    "hazen": (0.5, 0.5),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
    "interpolated_inverted_cdf": (0.0, 1.0),
}


def _closest(place: Any) -> Any:
    """The next place up; of a whole number itself where it is odd."""
    below = floor(place)
    whole_and_odd = logical_and(equal(place, below), equal(mod(below, 2.0), 1.0))
    return select(whole_and_odd, below, below + 1.0)


#: Those that take one element: its place, of the place q (count - 1) between the first and the last, and of q count.
_STEPPED: dict[str, Callable[[Any, Any], Any]] = {
    "lower": lambda place, part: floor(place),
    "higher": lambda place, part: ceil(place),
    "nearest": lambda place, part: rint(place),
    "inverted_cdf": lambda place, part: ceil(part - 1.0),
    "closest_observation": lambda place, part: _closest(part - 1.5),
}


def _lines(a: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The elements along `axis` in the last of two axes; the other axes' sizes, and these with `axis` kept."""
    a = operand(a)
    axes = normal_axes(axis, a.ndim)
    rest = [k for k in range(a.ndim) if k not in axes]
    sizes = tuple(a.shape[k] for k in rest)
    lines = reshape(transpose(a, (*rest, *axes)), (prod(sizes), prod(a.shape[k] for k in axes)))
    return lines, sizes, kept_shape(a.shape, axes)


def _at(lines: Any, place: Any, last: Any) -> Any:
    """The elements at (rounded) places of their line, which are kept between 0 and `last`."""
    index = astype(maximum(minimum(stop_gradient(place), last), 0.0), np.int64)
    return take_along_axis(lines, index, 1)


def _between(lines: Any, place: Any, last: Any, dtype: Any) -> Any:
    """The value at places between elements, on the line through the two neighbours."""
    place = maximum(minimum(place, last), 0.0)
    below = stop_gradient(floor(place))
    low, high = _at(lines, below, last), _at(lines, below + 1.0, last)
    part = astype(place - below, dtype)
    step = subtract(high, low)
    value = select(part < 0.5, low + step * part, high - step * (1.0 - part))
    return select(low == high, astype(low, dtype), value)


def _placed(lines: Any, q: Any, count: Any, method: str, dtype: Any) -> Any:
    """The quantiles of sorted lines, of which `count` elements are numbers."""
    last = count - 1.0
    place = last * q
    if method == "linear":
        return _between(lines, place, last, dtype)
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        return _between(lines, count * q + (alpha + q * (1.0 - alpha - beta)) - 1.0, last, dtype)
    if method in _STEPPED:
        return _at(lines, _STEPPED[method](place, count * q), last)
    if method == "averaged_inverted_cdf":
        up = count * q - 1.0
        low, high = _at(lines, ceil(up), last), _at(lines, floor(up) + 1.0, last)
        return select(low == high, astype(low, dtype), high - subtract(high, low) * dtype.type(0.5))
    if method != "midpoint":
        known = ", ".join(["linear", *_CONTINUOUS, *_STEPPED, "averaged_inverted_cdf", "midpoint"])
        raise UnsupportedError(f"method={shown(method)}", f"give one of {known}")
    low, high = _at(lines, floor(place), last), _at(lines, ceil(place), last)
    return select(low == high, astype(low, dtype), low + subtract(high, low) * dtype.type(0.5))


def _weighted(lines: Any, q: Any, weights: Any) -> Any:
    """The first elements at which the sum of the weights of all up to it, which is 1 at the end, reaches q."""
    order = argsort_row(lines)
    sums = cumsum(take_along_axis(weights, order, 1), 1)
    shares = divide(sums, sums[:, -1:])
    place = searchsorted_row(select(equal(shares, 0.0), -1.0, shares), q, right=False)
    return _at(take_along_axis(lines, order, 1), astype(place, np.float64), lines.shape[1] - 1.0)


def _weights_of(weights: Any, a: Any, axis: Any, method: str) -> Any:
    """The weights as lines like those of `a`, float64, without derivative.

    Raises:
        ValueError, ShapeError: as `quantile` says.
    """
    if method != "inverted_cdf":
        raise ValueError(f"weights with method={method!r}: give method='inverted_cdf'")
    weights, axes = stop_gradient(astype(operand(weights), np.float64)), normal_axes(axis, a.ndim)
    if weights.shape != a.shape:
        along = tuple(a.shape[k] for k in axes)
        if axis is None or weights.shape != along:
            raise ShapeError(f"weights of shape {weights.shape}", f"give the shape of a, or with axis= {along}")
        order = sorted(range(len(axes)), key=lambda k: axes[k])
        shape = tuple(n if k in axes else 1 for k, n in enumerate(a.shape))
        weights = broadcast_to(reshape(transpose(weights, order), shape), a.shape)
    if not is_expression(weights):
        sums = np.sum(weights, axis=tuple(axes), keepdims=True)
        if (weights < 0).any() or not (np.isfinite(sums) & (sums > 0)).all():
            raise ValueError("weights must be finite and not negative, and not all zero")
    return _lines(weights, axis)[0]


def _numbers(lines: Any) -> Any:
    """How many elements of each line are numbers, as floats."""
    return astype(total(logical_not(isnan_row(lines)), 1, keepdims=True), np.float64)


def _quantile(a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, scale: float, nans: bool) -> Any:
    a, plain, q = operand(a), isinstance(q, (int, float)), operand(q)
    dtype: Any = a.dtype
    if method not in _STEPPED:
        if kind(a) == "b":
            raise DTypeError("bool operand, a number needed", "use x.astype('float64')")
        dtype = a.dtype if kind(a) == "f" and plain else np.promote_types(a.dtype, np.float64)
    q = astype(q, np.float64) / scale
    if not is_expression(q) and not ((q >= 0.0) & (q <= 1.0)).all():
        raise ValueError(f"q must be from 0 to {scale:g}")
    lines, sizes, kept = _lines(a, axis)
    size, floats = lines.shape[1], kind(a) == "f"
    if not size and (not floats or not nans):
        raise ShapeError("quantiles of no elements", "test x.size first")
    shape = (*q.shape, *(kept if keepdims else sizes))
    if not size:
        return np.full(shape, np.nan, dtype)
    points = broadcast_to(reshape(q, (1, prod(q.shape))), (prod(sizes), prod(q.shape)))
    count = _numbers(lines) if nans and floats else float(size)
    any_nan: Any = None
    if weights is None:
        lines = sort_row(lines)
        found = _placed(lines, points, count, method, dtype)
        any_nan = isnan_row(lines[:, -1:]) if floats else None
    else:
        weights = _weights_of(weights, a, axis, method)
        if floats:
            missing = isnan_row(lines)
            weights = select(missing, 0.0, weights) if nans else weights
            any_nan = reshape(reduce_max(missing, axes=(1,)), (prod(sizes), 1))
        found = _weighted(lines, points, weights)
    if floats:
        found = select(equal(count, 0.0) if nans else any_nan, np.nan, found)
    return reshape(moveaxis(found, -1, 0), shape)


def _median(a: Any, axis: Any, keepdims: bool, nans: bool) -> Any:
    a = operand(a)
    if kind(a) != "f":
        a = astype(a, np.float64)
    lines, sizes, kept = _lines(a, axis)
    lines, shape = sort_row(lines), kept if keepdims else sizes
    if not lines.shape[1]:
        return np.full(shape, np.nan, lines.dtype)
    if nans:
        middle = (_numbers(lines) - 1.0) * 0.5
        last = lines.shape[1] - 1.0
        low, high = _at(lines, floor(middle), last), _at(lines, ceil(middle), last)
        return reshape(select(low == high, low, (low + high) / 2.0), shape)
    size = lines.shape[1]
    low, high = lines[:, (size - 1) // 2], lines[:, size // 2]
    found = low if size % 2 else (low + high) / 2.0
    return reshape(select(isnan_row(lines[:, -1]), np.nan, found), shape)


@explained
def median(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The middle of the sorted elements along `axis` (None for all, an int or several), or the mean of the two.

    nan where one is nan, or of nothing; integers and bools become float64. The gradient goes to the middle elements, of
    equal ones to those that stand there as `sort` has them.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.median(np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 7.0]]), axis=1)
        array([2., 6.])
    """
    return _median(a, axis, keepdims, False)


@explained
def nanmedian(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `median`, with nan left out; nan where all are nan.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> float(pg.nanmedian(np.array([3.0, np.nan, 1.0])))
        2.0
    """
    return _median(a, axis, keepdims, True)


@explained
def quantile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """The value below which the part `q` of the elements along `axis` (None for all, an int or several) lies.

    Args:
        a: numbers; integers become float64.
        q: from 0 to 1, of any shape, which comes first in the result; an expression is not checked.
        method: "linear", "weibull", "hazen", "median_unbiased", "normal_unbiased" or "interpolated_inverted_cdf", which
            interpolate, "lower", "higher", "nearest", "inverted_cdf", "closest_observation", which take one element,
            "midpoint" or "averaged_inverted_cdf".
        keepdims: keep the axes, of size 1.
        weights: how much each element counts, of the shape of `a` or along `axis` alone; with "inverted_cdf" only. They
            carry no derivative.

    nan where an element is nan. The gradient with respect to `a` goes to the two neighbours, as `sort` has them.

    Raises:
        ShapeError: an axis out of range or named twice, or no elements; UnsupportedError: another method.
        DTypeError: bools; ValueError: a number `q` out of range; known weights that are negative or all zero, or given
            with another method.

    Example:
        >>> pg.quantile(np.array([4.0, 1.0, 2.0, 3.0]), [0.25, 0.5])
        array([1.75, 2.5 ])
    """
    return _quantile(a, q, axis, method, keepdims, weights, 1.0, False)


@explained
def percentile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """As `quantile`, with `q` from 0 to 100.

    Raises:
        ShapeError, DTypeError, UnsupportedError, ValueError: as `quantile`.

    Example:
        >>> float(pg.percentile(np.array([4.0, 1.0, 2.0, 3.0]), 50))
        2.5
    """
    return _quantile(a, q, axis, method, keepdims, weights, 100.0, False)


@explained
def nanquantile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """As `quantile`, with nan left out; nan where all are nan.

    Raises:
        ShapeError, DTypeError, UnsupportedError, ValueError: as `quantile`.

    Example:
        >>> float(pg.nanquantile(np.array([4.0, np.nan, 2.0]), 0.5))
        3.0
    """
    return _quantile(a, q, axis, method, keepdims, weights, 1.0, True)


@explained
def nanpercentile(
    a: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False, weights: Any = None
) -> Any:
    """As `percentile`, with nan left out; nan where all are nan.

    Raises:
        ShapeError, DTypeError, UnsupportedError, ValueError: as `quantile`.

    Example:
        >>> float(pg.nanpercentile(np.array([4.0, np.nan, 2.0]), 25.0))
        2.5
    """
    return _quantile(a, q, axis, method, keepdims, weights, 100.0, True)
