"""What distributions share: standardised variables, and values outside the support and of wrong parameters."""

from __future__ import annotations

import math
from typing import Any

from ..arithmetic import divide, subtract
from ..comparison import floats, greater, select
from ..transcendental import log


def standardised(x: Any, loc: Any, scale: Any, *shapes: Any) -> tuple[Any, ...]:
    """(x - loc) / scale, the scale, and the shape parameters, all in one floating dtype."""
    x, loc, scale, *shapes_ = floats(x, loc, scale, *shapes)
    return divide(subtract(x, loc), scale), scale, *shapes_


def supported(inside: Any, y: Any, safe: float) -> Any:
    """`y` where it is in the support, else a number of it: nothing outside reaches a derivative."""
    return select(inside, y, y.dtype.type(safe))


def log_density(value: Any, scale: Any, inside: Any = True) -> Any:
    """The log-density of a standardised variable, scaled; -inf outside the support, nan where the scale is wrong."""
    positive = greater(scale, 0.0)
    value = subtract(value, log(select(positive, scale, 1.0)))
    if inside is not True:
        value = select(inside, value, -math.inf)
    return select(positive, value, math.nan)


def probability(value: Any, *positive: Any) -> Any:
    """A distribution function's value; nan where the scale or another parameter is not positive."""
    for parameter in positive:
        value = select(greater(parameter, 0.0), value, math.nan)
    return value
