"""The normal distribution function and its inverse, logistic functions: expit, log_expit, logit, ndtr, ndtri."""

from __future__ import annotations

import math
from typing import Any

from ..arithmetic import divide, multiply, negative, subtract
from ..common import explained
from ..comparison import floating, greater, less, logical_and_row, select
from ..special import erfc, erfcinv
from ..transcendental import log, log1p, sigmoid, softplus


@explained
def expit(x: Any) -> Any:
    """The logistic function 1 / (1 + e^-x), as `sigmoid`.

    Example:
        >>> pg.expit(np.array([0.0, np.inf]))
        array([0.5, 1. ])
    """
    return sigmoid(floating(x))


@explained
def log_expit(x: Any) -> Any:
    """The logarithm of `expit`, -log(1 + e^-x), without overflow or cancellation.

    Example:
        >>> pg.log_expit(np.array([-1000.0, 0.0])).round(6)
        array([-1.00000e+03, -6.93147e-01])
    """
    return negative(softplus(negative(floating(x))))


@explained
def logit(x: Any) -> Any:
    """log(x / (1 - x)), the inverse of `expit`: -inf at 0, inf at 1, nan outside [0, 1].

    Near 1/2 it is a logarithm of 1 and what is more, so that nothing cancels.

    Example:
        >>> pg.logit(np.array([0.0, 0.5, 1.0]))
        array([-inf,   0.,  inf])
    """
    x = floating(x)
    near = logical_and_row(greater(x, 0.3), less(x, 0.65))
    middle, outside = select(near, x, 0.5), select(near, 0.25, x)
    centre = log1p(divide(2.0 * middle - 1.0, 1.0 - middle))
    return select(near, centre, log(divide(outside, subtract(1.0, outside))))


@explained
def ndtr(x: Any) -> Any:
    """The distribution function of the standard normal distribution, erfc(-x / √2) / 2.

    Example:
        >>> pg.ndtr(np.array([0.0, -1.0])).round(6)
        array([0.5     , 0.158655])
    """
    return multiply(0.5, erfc(multiply(floating(x), -math.sqrt(0.5))))


@explained
def ndtri(p: Any) -> Any:
    """The inverse of `ndtr`, the quantiles of the standard normal distribution: -inf at 0, inf at 1, nan outside.

    Example:
        >>> pg.ndtri(np.array([0.5, 0.975])).round(6)
        array([-0.      ,  1.959964])
    """
    return multiply(erfcinv(multiply(2.0, floating(p))), -math.sqrt(2.0))
