"""Degrees and radians, jumps of angles, sin(πx) / (πx)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import absolute, add, floor_divide, mod, multiply, square, subtract
from ..common import explained, normal_axis, operand
from ..comparison import astype, equal, floating, greater, less, logical_and_row, select
from ..shaping import concatenate
from ..transcendental import sin
from .cumulative import cumsum
from .differences import diff


@explained
def deg2rad(x: Any) -> Any:
    """Degrees as radians: x π / 180; integers and bools become float64.

    Example:
        >>> pg.deg2rad(np.array([180.0])) / np.pi
        array([1.])
    """
    return multiply(floating(x), math.pi / 180.0)


@explained
def rad2deg(x: Any) -> Any:
    """Radians as degrees: x 180 / π; integers and bools become float64.

    Example:
        >>> pg.rad2deg(np.array([np.pi]))
        array([180.])
    """
    return multiply(floating(x), 180.0 / math.pi)


radians, degrees = deg2rad, rad2deg

#: (-1)^k π^2k / (2k + 1)!: the series of sin(πx) / (πx) in x².
_SINC = tuple((-1) ** k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(12))


@explained
def sinc(x: Any) -> Any:
    """sin(πx) / (πx), 1 at 0; integers and bools become float64.

    Its series is used for |x| < 1/4, so that derivatives of any order are right at 0.

    Example:
        >>> pg.sinc(np.array([0.0, 0.5])).round(6)
        array([1.     , 0.63662])
    """
    x = floating(x)
    near = less(absolute(x), 0.25)
    z = square(select(near, x, x.dtype.type(0.0)))
    series: Any = _SINC[-1]
    for coefficient in reversed(_SINC[:-1]):
        series = series * z + coefficient
    t = math.pi * select(near, x.dtype.type(1.0), x)
    return select(near, series, sin(t) / t)


@explained
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * math.pi) -> Any:
    """Angles with the jumps of more than `discont` between neighbours along `axis` made smaller by whole periods.

    Args:
        p: an array.
        discont: the largest jump that stays; None, or less than half a period: half a period.
        axis: along which.
        period: the size of a period.

    Raises:
        ShapeError: a scalar, or an axis out of range.

    Example:
        >>> pg.unwrap(np.array([0.0, 1.0, 5.0, 6.0]), period=4.0)
        array([0., 1., 1., 2.])
    """
    p = operand(p)
    if not p.ndim:
        raise ShapeError("a scalar has no neighbours", "give an array")
    axis = normal_axis(axis, p.ndim)
    steps = diff(p, axis=axis)
    dtype = np.result_type(steps.dtype, period)
    steps = astype(steps, dtype)
    half = floor_divide(period, 2) if dtype.kind == "i" else period / 2
    ambiguous = dtype.kind != "i" or period % 2 == 0
    wrapped = subtract(mod(add(steps, half), period), half)
    if ambiguous:
        wrapped = select(logical_and_row(equal(wrapped, -half), greater(steps, 0)), dtype.type(half), wrapped)
    kept = less(absolute(steps), half if discont is None else discont)
    corrections = cumsum(select(kept, dtype.type(0), subtract(wrapped, steps)), axis=axis)
    p = astype(p, dtype)
    start = tuple(slice(0, 1) if k == axis else slice(None) for k in range(p.ndim))
    rest = tuple(slice(1, None) if k == axis else slice(None) for k in range(p.ndim))
    return concatenate([p[start], p[rest] + corrections], axis)
