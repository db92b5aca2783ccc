"""Differences of neighbours, and integrals by them: diff, ediff1d, gradient, trapezoid."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError
from ..arithmetic import subtract
from ..common import explained, is_expression, kind, normal_axes, normal_axis, operand
from ..comparison import astype, logical_or, not_equal
from ..reductions import sum as total
from ..shaping import broadcast_to, concatenate, ravel, reshape
from .parts import part


@explained
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along `axis`, each element less the one before it, taken `n` times.

    Args:
        a: an array of at least one axis; of bools the differences are where they are unequal.
        n: how many times.
        axis: an int.
        prepend, append: what stands before and behind `a` along the axis; a scalar counts as one element.

    Raises:
        ShapeError: a scalar, an axis out of range, or what does not fit before or behind.
        ValueError: a negative `n`.

    Example:
        >>> pg.diff(np.array([1, 4, 9]))
        array([3, 5])
    """
    if n < 0:
        raise ValueError(f"n is {n}, it must not be negative")
    a = operand(a)
    k = normal_axis(axis, a.ndim)
    if n == 0:
        return a
    edges = [None if x is None else operand(x) for x in (prepend, append)]
    parts = [x if x is None or x.ndim else broadcast_to(x, (*a.shape[:k], 1, *a.shape[k + 1 :])) for x in edges]
    whole = [x for x in (parts[0], a, parts[1]) if x is not None]
    a = concatenate(whole, k) if len(whole) > 1 else a
    for _ in range(n):
        later, earlier = part(a, k, 1, None), part(a, k, None, -1)
        a = not_equal(later, earlier) if kind(a) == "b" else subtract(later, earlier)
    return a


@explained
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours among all elements, in C order, with `to_begin` before and `to_end` behind them.

    Raises:
        DTypeError: bools, or what stands at an end has a type that the differences' does not hold.

    Example:
        >>> pg.ediff1d(np.array([1, 4, 9]), to_begin=0)
        array([0, 3, 5])
    """
    x = ravel(operand(ary))
    inner = subtract(x[1:], x[:-1])
    ends = [None if given is None else _end(operand(given), x.dtype) for given in (to_begin, to_end)]
    whole = [part for part in (ends[0], inner, ends[1]) if part is not None]
    return concatenate(whole) if len(whole) > 1 else inner


def _end(x: Any, dtype: Any) -> Any:
    if not np.can_cast(x.dtype, dtype, "same_kind"):
        raise DTypeError(f"{x.dtype} beside differences of {dtype}", f"convert it: v.astype({dtype.name!r})")
    return astype(ravel(x), dtype)


@explained
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The derivatives of what `f` samples, by differences of second order, at the ends of order `edge_order`.

    Uneven spacing: A. Quarteroni, R. Sacco, F. Saleri, Numerical Mathematics, 2007.

    Args:
        f: samples; integers become float64.
        varargs: nothing, for a spacing of 1; a number for all axes; or for each axis a number or the coordinates.
        axis: an int or several; None: all.
        edge_order: 1 or 2.

    Returns:
        An array of the shape of `f`, or a tuple of one for each axis.

    Raises:
        ShapeError: an axis out of range or with too few elements, or coordinates that do not fit.
        ValueError: another `edge_order`.

    Example:
        >>> pg.gradient(np.array([1.0, 4.0, 9.0, 16.0]))
        array([3., 4., 6., 7.])
    """
    f = operand(f)
    axes = normal_axes(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError(f"edge_order is {edge_order!r}, it must be 1 or 2")
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 and np.ndim(varargs[0]) and len(axes) != 1):
        raise TypeError(f"{len(varargs)} spacings for {len(axes)} axes")
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    f = astype(f, np.float64) if kind(f) == "i" else f
    dtype = f.dtype if kind(f) == "f" else np.float64
    found = tuple(
        astype(_slope(f, k, _steps(h, f.shape[k]), edge_order), dtype) for k, h in zip(axes, spacings, strict=True)
    )
    return found[0] if len(found) == 1 else found


def _steps(spacing: Any, size: int) -> Any:
    """A number, or the distances of the coordinates, which are a number too where all are known to be equal."""
    h = operand(spacing)
    if h.ndim == 0:
        return h if is_expression(h) else float(h)
    if h.shape != (size,):
        raise ShapeError(f"coordinates of shape {h.shape} along an axis of size {size}", "give one for each element")
    steps = diff(astype(h, np.float64) if kind(h) == "i" else h)
    return float(steps[0]) if not is_expression(steps) and (steps == steps[:1]).all() and steps.size else steps


def _slope(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    """The derivatives along one axis; `h` are steps."""
    size = f.shape[axis]
    if size < edge_order + 1:
        raise ShapeError(f"{size} elements along axis {axis}", f"edge_order {edge_order} needs {edge_order + 1}")

    def at(start: int | None, stop: int | None) -> Any:
        return part(f, axis, start, stop)

    even = np.ndim(h) == 0
    column = (-1, *[1] * (f.ndim - axis - 1))
    if even:
        inner = (at(2, None) - at(None, -2)) / (2.0 * h)
        first, second = 1.5 / h, 2.0 / h
        third = 0.5 / h
        start, end = (-first, second, -third), (third, -second, first)
        h1 = hn = h
    else:
        before, behind = reshape(h[:-1], column), reshape(h[1:], column)
        both = before + behind
        inner = (
            -behind / (before * both) * at(None, -2)
            + (behind - before) / (before * behind) * at(1, -1)
            + before / (behind * both) * at(2, None)
        )
        h1, hn = h[0], h[-1]
        if edge_order == 2:
            a, b, y, z = h[0], h[1], h[-2], h[-1]
            start = (-(2.0 * a + b) / (a * (a + b)), (a + b) / (a * b), -a / (b * (a + b)))
            end = (z / (y * (y + z)), -(z + y) / (y * z), (2.0 * z + y) / (z * (y + z)))
    if edge_order == 1:
        left, right = (at(1, 2) - at(0, 1)) / h1, (at(-1, None) - at(-2, -1)) / hn
    else:
        left = start[0] * at(0, 1) + start[1] * at(1, 2) + start[2] * at(2, 3)
        right = end[0] * at(-3, -2) + end[1] * at(-2, -1) + end[2] * at(-1, None)
    return concatenate([left, inner, right], axis)


@explained
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of the samples `y` along `axis` by trapezoids, at coordinates `x`, or at a distance of `dx`.

    Raises:
        ShapeError: an axis out of range, or coordinates that do not fit.

    Example:
        >>> float(pg.trapezoid(np.array([1.0, 2.0, 4.0])))
        4.5
    """
    y = operand(y)
    k = normal_axis(axis, y.ndim)
    if x is None:
        steps: Any = dx
    else:
        x = operand(x)
        steps = reshape(diff(x), (-1, *[1] * (y.ndim - k - 1))) if x.ndim == 1 else diff(x, axis=axis)
    later, earlier = part(y, k, 1, None), part(y, k, None, -1)
    sums = logical_or(later, earlier) if kind(y) == "b" else later + earlier
    return total(steps * sums / 2.0, axis)
