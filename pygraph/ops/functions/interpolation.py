"""Values between samples: interp."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import maximum, minimum, mod, multiply
from ..common import explained, operand
from ..comparison import astype, equal, greater, less, select
from ..indexing import take
from ..shaping import concatenate
from ..sorting import argsort_row
from .ordering import searchsorted


@explained
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The values at `x` on the straight lines through the points (`xp`, `fp`); float64.

    Args:
        x: places of any shape.
        xp: a vector of coordinates in ascending order; with `period` in any.
        fp: the value at each of these.
        left, right: the values below and above all coordinates; by default those at the ends.
        period: a distance after which all repeats; `left` and `right` then mean nothing.

    The gradient with respect to `x` is the slope of the line that begins at or before it; beyond the ends it is 0.

    Raises:
        ShapeError: no vectors of one length, or of no elements; ValueError: a period of 0.

    Example:
        >>> pg.interp(np.array([1.5, 4.0]), [1.0, 2.0, 3.0], [3.0, 2.0, 0.0])
        array([2.5, 0. ])
    """
    x, xp, fp = (astype(operand(v), np.float64) for v in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.shape[0]:
        raise ShapeError(f"points of shapes {xp.shape} and {fp.shape}", "give two vectors of one length")
    if period is not None:
        if np.ndim(period) == 0 and isinstance(period, (int, float)) and period == 0:
            raise ValueError("period must not be 0")
        period, left, right = abs(period), None, None
        x, xp = mod(x, period), mod(xp, period)
        order = argsort_row(xp)
        xp, fp = take(xp, order), take(fp, order)
        xp, fp = concatenate([xp[-1:] - period, xp, xp[:1] + period]), concatenate([fp[-1:], fp, fp[:1]])
    first, last = xp[0], xp[-1]
    count = xp.shape[0]
    found = fp[0] + multiply(x, 0.0)
    if count > 1:
        place = maximum(minimum(searchsorted(xp, x, "right") - 1, count - 2), 0)
        x0, x1, f0, f1 = (take(v, at) for v in (xp, fp) for at in (place, place + 1))
        same = equal(x0, x1)
        found = select(same, f1, f0 + (f1 - f0) / select(same, 1.0, x1 - x0) * (x - x0))
    found = select(less(x, first), fp[0] if left is None else left, found)
    return select(greater(x, last), fp[-1] if right is None else right, found)
