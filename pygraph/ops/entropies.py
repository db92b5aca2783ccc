"""Rows of entropies, products with logarithms and the logarithm of the normal distribution, defined by other rows."""

from __future__ import annotations

import math

from .arithmetic import add, divide, multiply, negative, reciprocal_row, square, subtract
from .comparison import (
    equal,
    greater,
    greater_equal,
    isnan_row,
    less,
    logical_and_row,
    logical_not_row,
    logical_or_row,
    select,
)
from .elementwise import elementwise_op
from .expr import Expr
from .row import Op
from .special import erfc, erfcx
from .transcendental import exp, log, log1p

__all__ = ["entr", "kl_div", "log_ndtr", "rel_entr", "xlog1py", "xlogy"]

_ROOT_HALF = math.sqrt(0.5)


def _without(zero: Expr, x: Expr) -> Expr:
    """`x`, and 1 in the places `zero`."""
    return select(zero, 1.0, x)


def _times_log(x: Expr, y: Expr) -> Expr:
    zero = logical_and_row(equal(x, 0.0), logical_not_row(isnan_row(y)))
    return select(zero, 0.0, multiply(x, log(_without(zero, y))))


def _times_log1p(x: Expr, y: Expr) -> Expr:
    zero = logical_and_row(equal(x, 0.0), logical_not_row(isnan_row(y)))
    return select(zero, 0.0, multiply(x, log1p(select(zero, 0.0, y))))


def _quotient(x: Expr, y: Expr) -> Expr:
    """x / y, and 0 for 0 / 0."""
    zero = logical_and_row(equal(x, 0.0), equal(y, 0.0))
    return select(zero, 0.0, divide(x, _without(zero, y)))


xlogy = elementwise_op(
    "xlogy",
    2,
    _times_log,
    doc="x log(y), and 0 where x is 0 and y is not nan. Partials log(y) and x / y, 0 where both are 0.",
    partials=(lambda out, x, y: log(y), lambda out, x, y: _quotient(x, y)),
)
xlog1py = elementwise_op(
    "xlog1py",
    2,
    _times_log1p,
    doc="x log(1 + y), and 0 where x is 0 and y is not nan. Partials log(1 + y) and x / (1 + y), 0 where both are 0.",
    partials=(lambda out, x, y: log1p(y), lambda out, x, y: _quotient(x, 1.0 + y)),
)
entr: Op = elementwise_op(
    "entr",
    1,
    lambda x: select(less(x, 0.0), -math.inf, negative(_times_log(x, select(less(x, 0.0), 1.0, x)))),
    doc="The entropy of one term, -x log(x): 0 at 0, -inf below. The derivative is -log(x) - 1.",
    partials=(lambda out, x: -log(x) - 1.0,),
)


def _relative(x: Expr, y: Expr) -> Expr:
    """x log(x / y) for positive x and y, without overflow of the quotient."""
    ratio = divide(x, y)
    plain = logical_and_row(greater(ratio, 1e-30), less(ratio, 1e30))
    return multiply(x, select(plain, log(_without(logical_not_row(plain), ratio)), subtract(log(x), log(y))))


def _divergence(x: Expr, y: Expr, rest: Expr | float, border: Expr | float) -> Expr:
    """x log(x / y) + rest for positive operands; `border` where x is 0 and y is not negative; else inf."""
    outside = logical_not_row(logical_and_row(greater(x, 0.0), greater(y, 0.0)))
    value = add(_relative(_without(outside, x), _without(outside, y)), rest)
    at_border = logical_and_row(equal(x, 0.0), greater_equal(y, 0.0))
    unknown = logical_or_row(isnan_row(x), isnan_row(y))
    return select(outside, select(at_border, border, select(unknown, add(x, y), math.inf)), value)


rel_entr = elementwise_op(
    "rel_entr",
    2,
    lambda x, y: _divergence(x, y, 0.0, 0.0),
    doc="x log(x / y) for positive operands; 0 where x is 0 and y >= 0; else inf. Partials log(x / y) + 1 and -x / y.",
    partials=(lambda out, x, y: log(x / y) + 1.0, lambda out, x, y: -_quotient(x, y)),
    floor=1.0,
)
kl_div = elementwise_op(
    "kl_div",
    2,
    lambda x, y: _divergence(x, y, subtract(y, x), y),
    doc="x log(x / y) - x + y for positive operands; y where x is 0 and y >= 0; else inf. Partials log(x / y) and 1 - "
    "x / y.",
    partials=(lambda out, x, y: log(x / y), lambda out, x, y: 1.0 - _quotient(x, y)),
    floor=1.0,
)


def _log_ndtr(x: Expr) -> Expr:
    low = less(x, -1.0)
    below, above = select(low, x, -1.0), select(low, 0.0, x)
    tail = subtract(log(0.5 * erfcx(below * -_ROOT_HALF)), 0.5 * square(below))
    return select(low, tail, log1p(-0.5 * erfc(above * _ROOT_HALF)))


def _log_ndtr_slope(out: Expr, x: Expr) -> Expr:
    """The density by the distribution function: erfcx keeps all digits below zero, and overflows far above."""
    low = less(x, 0.0)
    tail = math.sqrt(2.0 / math.pi) * reciprocal_row(erfcx(select(low, x, 0.0) * -_ROOT_HALF))
    body = exp(-0.5 * square(select(low, 0.0, x)) - 0.5 * math.log(2.0 * math.pi) - select(low, 0.0, out))
    return select(low, tail, body)


log_ndtr = elementwise_op(
    "log_ndtr",
    1,
    _log_ndtr,
    doc="The logarithm of the normal distribution function, accurate in both tails; -inf at -inf, 0 at inf. The "
    "derivative is √(2/π) / erfcx(-x / √2).",
    partials=(_log_ndtr_slope,),
    domain=((-3.0, 3.0),),
)
