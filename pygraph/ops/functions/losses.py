"""Losses and transformations of statistics: boxcox, exprel, huber, pseudo_huber."""

from __future__ import annotations

import math
from typing import Any

from ..arithmetic import absolute, add, divide, multiply, square, subtract
from ..common import explained
from ..comparison import equal, floating, floats, less, less_equal, select
from ..transcendental import expm1, hypot, log


@explained
def huber(delta: Any, r: Any) -> Any:
    """r² / 2 where |r| <= delta, else delta (|r| - delta / 2); inf where `delta` is negative (Huber 1964).

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.huber(1.0, np.array([-0.5, 3.0]))
        array([0.125, 2.5  ])
    """
    delta, r = floats(delta, r)
    size = absolute(r)
    far = multiply(delta, subtract(size, multiply(0.5, delta)))
    value = select(less_equal(size, delta), multiply(0.5, square(size)), far)
    return select(less(delta, 0.0), math.inf, value)


@explained
def pseudo_huber(delta: Any, r: Any) -> Any:
    """delta² (√(1 + (r / delta)²) - 1), as r² / (1 + √(1 + (r / delta)²)): nothing cancels for small `r`.

    0 where `delta` is 0, inf where it is negative (Charbonnier et al. 1994).

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.pseudo_huber(2.0, np.array([0.0, 1.5]))
        array([0., 1.])
    """
    delta, r = floats(delta, r)
    positive = less(0.0, delta)
    value = divide(square(r), add(1.0, hypot(1.0, divide(r, select(positive, delta, 1.0)))))
    return select(less(delta, 0.0), math.inf, select(positive, value, 0.0))


#: 1 / (k + 1)!: the series of (e^x - 1) / x.
_EXPREL = tuple(1.0 / math.factorial(k + 1) for k in range(16))


@explained
def exprel(x: Any) -> Any:
    """(e^x - 1) / x, 1 at 0. Its series is used for |x| < 1/2, so that derivatives of any order are right at 0.

    Example:
        >>> pg.exprel(np.array([0.0, 1.0])).round(6)
        array([1.      , 1.718282])
    """
    x = floating(x)
    near = less(absolute(x), 0.5)
    small, large = select(near, x, 0.0), select(near, 1.0, x)
    series: Any = _EXPREL[-1]
    for coefficient in reversed(_EXPREL[:-1]):
        series = add(multiply(series, small), coefficient)
    value = divide(expm1(large), large)
    return select(near, series, select(equal(large, math.inf), large, value))


@explained
def boxcox(x: Any, lmbda: Any) -> Any:
    """(x^lmbda - 1) / lmbda, log(x) where `lmbda` is 0; nan for negative `x` (Box and Cox 1964).

    As log(x) exprel(lmbda log(x)), also where derivatives in `lmbda` are taken at 0.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.boxcox(np.array([1.0, 4.0]), 0.5)
        array([0., 2.])
    """
    x, lmbda = floats(x, lmbda)
    logarithm = log(x)
    return multiply(logarithm, exprel(multiply(lmbda, logarithm)))
