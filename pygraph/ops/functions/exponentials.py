"""Powers and logarithms of other bases: cosm1, exp10, float_power, logaddexp2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arithmetic import divide, multiply, power, power_row, square
from ..common import explained
from ..comparison import astype, floating, floats
from ..transcendental import logaddexp, sin


@explained
def float_power(x: Any, y: Any) -> Any:
    """x to the power y in float64, whatever the operands are.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.float_power(np.array([1, 2, 4]), -1)
        array([1.  , 0.5 , 0.25])
    """
    return power(astype(x, np.float64), float(y) if type(y) in (bool, int, float) else astype(y, np.float64))


@explained
def logaddexp2(x: Any, y: Any) -> Any:
    """log2(2^x + 2^y) without overflow; -inf for two -inf. Integers and bools become float64.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.logaddexp2(np.array([0.0, 2000.0]), 0.0).round(9)
        array([1.e+00, 2.e+03])
    """
    x, y = floats(x, y)
    return divide(logaddexp(multiply(x, math.log(2.0)), multiply(y, math.log(2.0))), math.log(2.0))


@explained
def exp10(x: Any) -> Any:
    """10^x within an ulp; integers become float64.

    Example:
        >>> pg.exp10(np.array([2.0, -1.0]))
        array([100. ,   0.1])
    """
    x = floating(x)
    return power_row(x.dtype.type(10.0), x)


@explained
def cosm1(x: Any) -> Any:
    """cos(x) - 1 as -2 sin²(x / 2), without cancellation near 0.

    Example:
        >>> pg.cosm1(np.array([0.0, np.pi]))
        array([-0., -2.])
    """
    return multiply(-2.0, square(sin(multiply(0.5, floating(x)))))
