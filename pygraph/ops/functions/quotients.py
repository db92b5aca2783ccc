"""Quotients, remainders and multiples: divmod, lcm."""

from __future__ import annotations

from typing import Any

from ..arithmetic import absolute, floor_divide, mod, multiply
from ..common import explained
from ..comparison import astype
from ..integers import gcd


@explained
def divmod(x: Any, y: Any) -> tuple[Any, Any]:
    """`floor_divide(x, y)` and `mod(x, y)`; also what Python's divmod gives.

    Raises:
        ShapeError: shapes that do not broadcast; DTypeError: two bool operands.

    Example:
        >>> pg.ops.divmod(np.array([7, -7]), 3)
        (array([ 2, -3]), array([1, 2]))
    """
    return floor_divide(x, y), mod(x, y)


@explained
def lcm(x: Any, y: Any) -> Any:
    """The least common multiple of |x| and |y|, integers; 0 where one is 0.

    Raises:
        ShapeError: shapes that do not broadcast; DTypeError: a floating operand, or two bools.

    Example:
        >>> pg.lcm(np.array([4, 6, 0]), 6)
        array([12,  6,  0])
    """
    divisor = gcd(x, y)
    x, y = (absolute(astype(z, divisor.dtype)) for z in (x, y))
    return multiply(floor_divide(x, divisor), y)
