"""Rows of arithmetic: sums, products, quotients, powers, signs, rounding, extremes; and the functions around them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DomainError, DTypeError, UnsupportedError, shown
from .common import explained, is_expression, kind, operand, pointwise, pointwise_shape
from .comparison import (
    astype,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and_row,
    logical_not_row,
    ones_like,
    select,
)
from .expr import Expr
from .integers import common_integer, integer_power
from .row import Choice, Family, Op, register
from .transcendental import log, sqrt

__all__ = [
    "abs",
    "absolute",
    "add",
    "ceil",
    "divide",
    "floor",
    "floor_divide",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "power",
    "reciprocal",
    "rint",
    "round",
    "sign",
    "square",
    "subtract",
    "trunc",
]

_REAL = (-3.0, 3.0)
_POSITIVE = (0.3, 3.0)
#: The largest constant exponent that is multiplied out.
_MOST_PRODUCTS = 16

add = pointwise(
    "add",
    "x + y; logical or on bools; integers wrap around. inf + -inf is nan.",
    {"f": "a + b", "i": "M(add)(a, b)", "b": "a || b"},
    np.add,
    lambda out, x, y: 1,
    lambda out, x, y: 1,
    domain=(_REAL, _REAL),
    kinds="fib",
    exact=True,
    vanishes="all",
    notation="{0} + {1}",
)
subtract = pointwise(
    "subtract",
    "x - y; integers wrap around; no bools, as in NumPy. inf - inf is nan.",
    {"f": "a - b", "i": "M(subtract)(a, b)"},
    np.subtract,
    lambda out, x, y: 1,
    lambda out, x, y: -1,
    domain=(_REAL, _REAL),
    kinds="fi",
    exact=True,
    notation="{0} - {1}",
)
multiply = pointwise(
    "multiply",
    "x * y; logical and on bools; integers wrap around. 0 * inf is nan.",
    {"f": "a * b", "i": "M(multiply)(a, b)", "b": "a && b"},
    np.multiply,
    lambda out, x, y: y,
    lambda out, x, y: x,
    domain=(_REAL, _REAL),
    kinds="fib",
    exact=True,
    vanishes="any",
    notation="{0} * {1}",
)
divide = pointwise(
    "divide",
    "x / y, always floating. x / 0 is inf with the sign of x, 0 / 0 and inf / inf are nan.",
    "a / b",
    np.divide,
    lambda out, x, y: reciprocal_row(y),
    lambda out, x, y: -(out * reciprocal_row(y)),  # the reciprocal is that of the other partial
    defined="y != 0",
    domain=(_REAL, _POSITIVE),
    price=2,
    exact=True,
    notation="{0} / {1}",
    to_float="ib",
)
floor_divide = pointwise(
    "floor_divide",
    "The floor of x / y, consistent with mod: x = floor_divide(x, y) * y + mod(x, y) (NumPy). Floats: x // 0 is inf "
    "with the sign of x or nan; integers: x // 0 is 0. The derivative is zero.",
    "M(floor_divide)(a, b)",
    np.floor_divide,
    defined="y != 0",
    domain=(_REAL, _POSITIVE),
    kinds="fi",
    nondiff=True,
    price=14,
    exact=True,
    notation="{0} // {1}",
)
mod = pointwise(
    "mod",
    "x - floor(x / y) * y, with the sign of y (NumPy, Python). Floats: mod(x, 0) and mod(inf, x) are nan, mod(x, "
    "inf) is x or inf; integers: mod(x, 0) is 0. Partials 1 and -floor(x / y), taken as if smooth at the jumps.",
    "M(mod)(a, b)",
    np.mod,
    lambda out, x, y: 1,
    lambda out, x, y: -floor_divide(x, y),
    defined="y != 0",
    domain=((2.1, 2.9), (0.8, 0.95)),
    kinds="fi",
    price=9,
    exact=True,
    notation="{0} % {1}",
)
negative = pointwise(
    "negative",
    "-x; the smallest integer stays itself; no bools, as in NumPy.",
    {"f": "-a", "i": "M(negative)(a)"},
    np.negative,
    lambda out, x: -1,
    domain=(_REAL,),
    kinds="fi",
    exact=True,
    vanishes="all",
    notation="-{0}",
)
absolute = pointwise(
    "absolute",
    "|x|; the smallest integer stays itself; bools unchanged. The derivative is sign(x), 0 at 0.",
    {"f": "M(abs)(a)", "i": "M(abs)(a)", "b": "a"},
    np.absolute,
    lambda out, x: sign(x),
    domain=(_POSITIVE,),
    kinds="fib",
    exact=True,
)
sign: Op = pointwise(
    "sign",
    "-1, 0 or 1; 0 for both zeros, nan for nan; no bools. The derivative is zero.",
    {"f": "a != a ? a : (T)((a > 0) - (a < 0))", "i": "(T)((a > 0) - (a < 0))"},
    np.sign,
    domain=(_REAL,),
    kinds="fi",
    nondiff=True,
    exact=True,
)
square = pointwise(
    "square",
    "x * x; integers wrap around.",
    {"f": "a * a", "i": "M(square)(a)"},
    np.square,
    lambda out, x: 2 * x,
    domain=(_REAL,),
    kinds="fi",
    exact=True,
    notation="{0} ** 2",
)
reciprocal_row: Op = pointwise(
    "reciprocal",
    "1 / a; inf with the sign of a at zero.",
    "(T)1 / a",
    np.reciprocal,
    lambda out, x: -square(out),
    defined="x != 0",
    domain=(_POSITIVE,),
    price=2,
    exact=True,
    notation="1 / {0}",
)


def _power_base(out: Expr, x: Expr, y: Expr) -> Expr:
    """y x^(y-1), and 0 where y is 0, whatever x (there x^(-1) may be inf); also when differentiated again."""
    zero = equal(y, 0.0)
    return select(zero, 0.0, y * power_row(x, select(zero, 1.0, y) - 1.0))


def _power_exponent(out: Expr, x: Expr, y: Expr) -> Expr:
    """x^y log x, and its limit 0 where x is 0 and y is not negative."""
    zero = logical_and_row(equal(x, 0.0), greater_equal(y, 0.0))
    return select(zero, 0.0, out * log(select(zero, 1.0, x)))


power_row = pointwise(
    "power",
    "a^b within 0.7 ulp, 1.3 in float32, as C's pow: x^0 and 1^x are 1 even for nan; nan for a negative base with a "
    "fractional exponent. Partials b a^(b-1), 0 where b is 0; a^b log a, 0 where a is 0 and b >= 0 (ChainRules.jl).",
    "M(pow)(a, b)",
    np.power,
    _power_base,
    _power_exponent,
    defined="(x > 0) | ((x != 0) & (y == floor(y))) | ((x == 0) & (y >= 0))",
    smooth="x > 0",
    ulps=(0.75, 1.3),
    domain=(_POSITIVE, (-2.0, 3.0)),
    price=15,
    notation="{0} ** {1}",
)


def _multiplied_out(x: Expr, *, exponent: float) -> Expr:
    """x^exponent, a multiple of 1/2 other than 0 and 1/2, by products of x or 1 / x and a square root.

    The reciprocal comes first, so that no product leaves the range before the result does. Roots are those of pow:
    of -0 and -inf they are 0 and inf.
    """
    count, rest = divmod(math.fabs(exponent), 1.0)
    if rest:
        x = select(equal(x, -np.inf), np.inf, x + 0.0)
    if count == 0:
        return reciprocal_row(sqrt(x))
    if exponent < 0:
        x = reciprocal_row(x)
    result = _integer_power(x, int(count))
    return result * sqrt(x) if rest else result


def _constant_power_slope(out: Expr, x: Expr) -> Expr:
    exponent: float = out.attrs["exponent"]
    return exponent * _to_constant(x, exponent - 1.0)


constant_power: Op = register(
    Op(
        "constant_power",
        Family.ELEMENTWISE,
        1,
        "a^n for a constant n, a multiple of 1/2, by products, a reciprocal and a square root: with u = 2^-53 (2^-24 "
        "in float32) the relative error is at most (n + 1) u, for n < 0 (2 |n| + 1) u. At 0, inf and nan as C's pow. "
        "The derivative is n a^(n-1), written likewise.",
        kinds="f",
        shape=pointwise_shape,
        reference=lambda x, exponent: np.power(x, x.dtype.type(exponent)),
        partials=(_constant_power_slope,),
        define=_multiplied_out,
        defined="(x > 0) | ((x != 0) & (exponent == floor(exponent))) | ((x == 0) & (exponent >= 0))",
        smooth="(x != 0) | (exponent == 0) | (exponent >= 1)",
        domain=(_POSITIVE,),
        notation="{0} ** {exponent:g}",
    )
)


def _to_constant(x: Expr, exponent: float) -> Expr:
    """x^exponent for a multiple of 1/2."""
    match exponent:
        case 2.0:
            return square(x)
        case 1.0:
            return x
        case 0.5:
            return sqrt(x)
        case 0.0:
            ones: Expr = ones_like(x)
            return ones
        case -1.0:
            return reciprocal_row(x)
    return constant_power(x, exponent=exponent)


def _share(wins: Expr, out: Expr, x: Expr, y: Expr) -> Choice:
    """The derivative by the operand that `wins`: one half where the two are equal."""
    return Choice(wins, select(equal(x, y), out.dtype.type(0.5), out.dtype.type(1.0)))


maximum = pointwise(
    "maximum",
    "The larger of two, nan when either is nan; logical or on bools. Equal operands get half the derivative each.",
    {"f": "M(maximum)(a, b)", "i": "a > b ? a : b", "b": "a || b"},
    np.maximum,
    lambda out, x, y: _share(greater_equal(x, y), out, x, y),
    lambda out, x, y: _share(logical_not_row(greater(x, y)), out, x, y),
    domain=((-3.0, 0.0), (0.2, 3.0)),
    kinds="fib",
    exact=True,
    diagonal="a",
)
minimum = pointwise(
    "minimum",
    "The smaller of two, nan when either is nan; logical and on bools. Equal operands get half the derivative each.",
    {"f": "M(minimum)(a, b)", "i": "a < b ? a : b", "b": "a && b"},
    np.minimum,
    lambda out, x, y: _share(less_equal(x, y), out, x, y),
    lambda out, x, y: _share(logical_not_row(less(x, y)), out, x, y),
    domain=((-3.0, 0.0), (0.2, 3.0)),
    kinds="fib",
    exact=True,
    diagonal="a",
)


def _rounding(function: np.ufunc) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """A NumPy rounding function that leaves integers and bools alone, as all do since NumPy 2.1."""

    def reference(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return function(x) if np.asarray(x).dtype.kind == "f" else x

    return reference


floor = pointwise(
    "floor",
    "The largest integer not above x; integers and bools unchanged. The derivative is zero.",
    {"f": "M(floor)(a)", "i": "a", "b": "a"},
    _rounding(np.floor),
    domain=(_REAL,),
    kinds="fib",
    nondiff=True,
    exact=True,
)
ceil = pointwise(
    "ceil",
    "The smallest integer not below x; integers and bools unchanged. The derivative is zero.",
    {"f": "M(ceil)(a)", "i": "a", "b": "a"},
    _rounding(np.ceil),
    domain=(_REAL,),
    kinds="fib",
    nondiff=True,
    exact=True,
)
round_row = pointwise(
    "round",
    "The nearest integer, halves to even (rint); integers unchanged. The derivative is zero.",
    {"f": "M(round)(a)", "i": "a"},
    _rounding(np.rint),
    domain=(_REAL,),
    kinds="fi",
    nondiff=True,
    exact=True,
)
trunc = pointwise(
    "trunc",
    "The integer part, rounding towards zero; integers and bools unchanged. The derivative is zero.",
    {"f": "a < 0 ? M(ceil)(a) : M(floor)(a)", "i": "a", "b": "a"},
    _rounding(np.trunc),
    domain=(_REAL,),
    kinds="fib",
    nondiff=True,
    exact=True,
)

abs = absolute


@explained
def reciprocal(x: Any) -> Any:
    """1 / x elementwise, floating only.

    Raises:
        DTypeError: on integers and bools, where NumPy's result would be truncated.

    Example:
        >>> pg.reciprocal(np.array([0.5, 4.0]))
        array([2.  , 0.25])
    """
    if kind(x) != "f":
        raise DTypeError(
            f"NumPy truncates 1 / x of {operand(x).dtype} to an integer", "write 1 / x, or x.astype('float64')"
        )
    return reciprocal_row(x)


@explained
def rint(x: Any) -> Any:
    """The nearest integer as a floating number, halves to even; integers become float64, as in NumPy.

    Example:
        >>> pg.rint(np.array([0.5, 1.5, -1.2]))
        array([ 0.,  2., -1.])
    """
    return round_row(astype(x, np.float64) if kind(x) == "i" else x)


@explained
def round(x: Any, decimals: int = 0) -> Any:
    """`x` rounded to `decimals` places, halves to even, in the dtype of `x`; the derivative is zero.

    As NumPy does, places other than 0 scale by a power of ten, round and scale back.

    Raises:
        UnsupportedError: integers with negative `decimals`; DTypeError: bools.

    Example:
        >>> pg.round(np.array([1.25, 2.375]), 1)
        array([1.2, 2.4])
    """
    if decimals == 0:
        return round_row(x)
    if kind(x) == "b":
        raise DTypeError("bools have no decimals", "use x.astype('float64')")
    if kind(x) == "i":
        if decimals > 0:
            return round_row(x)
        raise UnsupportedError("negative decimals of integers", "use x.astype('float64')")
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    return round_row(x * scale) / scale if decimals > 0 else round_row(x / scale) * scale


@explained
def power(x: Any, y: Any) -> Any:
    """x to the power y, elementwise and broadcast; also what `x ** y` means.

    A float to a constant multiple of 1/2 up to 16 in magnitude is multiplied out: by products, a reciprocal and a
    square root, each of which adds half a unit in the last place (2, -1, 0.5, 1 and 0 as `ndarray.__pow__` does). A
    Python number, a NumPy scalar and an array of no dimensions are one exponent; the last two promote as in NumPy.
    Integers to a constant integer exponent are multiplied out, to others raised by repeated squaring; both wrap around.
    Bools to bools are int32.

    Raises:
        DomainError: an integer to a negative integer power; at run time where the exponent is traced.

    Example:
        >>> pg.power(np.array([1.0, 2.0, 3.0]), 2)
        array([1., 4., 9.])
    """
    kinds = kind(x) + kind(y)
    if "f" in kinds:
        return _float_power(x, y)
    if kinds == "bb":
        x, y = astype(x, np.int32), astype(y, np.int32)
    if not is_expression(y):
        if np.any(np.less(y, 0)):
            raise DomainError(f"integers to the power {shown(y)}", "use x.astype('float64') ** y")
        if np.ndim(y) == 0:
            return _integer_power(astype(x, common_integer(x, y)), int(y))
    return integer_power(x, y)


def _float_power(x: Any, y: Any) -> Any:
    """A float to any power, or an integer to a float."""
    small = type(y) in (int, float) and -_MOST_PRODUCTS <= y <= _MOST_PRODUCTS
    if not small and (is_expression(y) or np.ndim(y)):
        return power_row(x, y)
    if is_expression(x):
        base = astype(x, x.dtype if small and x.dtype.kind == "f" else power_row(x, y).dtype)
    else:
        base = np.asarray(x)
        base = astype(base, np.result_type(base.dtype, y))
    if small:
        exponent = float(base.dtype.type(y))
    else:
        with np.errstate(over="ignore"):
            exponent = float(base.dtype.type(y))
    if 2.0 * math.fabs(exponent) <= 2 * _MOST_PRODUCTS and (2.0 * exponent).is_integer():
        return _to_constant(base, exponent)
    return power_row(x, y)


def _integer_power(x: Expr, exponent: int) -> Expr:
    """x multiplied out by repeated squaring."""
    if exponent == 0:
        ones: Expr = ones_like(x)
        return ones
    result: Expr | None = None
    while exponent:
        if exponent & 1:
            result = x if result is None else multiply(result, x)
        exponent >>= 1
        if exponent:
            x = square(x)
    assert result is not None
    return result
