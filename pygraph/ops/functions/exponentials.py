"""Powers and logarithms of other bases: float_power, logaddexp2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arithmetic import power
from ..common import explained
from ..comparison import astype, floating
from ..transcendental import logaddexp


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
    x, y = (z if type(z) in (int, float) else floating(z) for z in (x, y))
    return logaddexp(x * math.log(2.0), y * math.log(2.0)) / math.log(2.0)
