"""Signs, exponents, integer and fractional parts, special values of floating numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError
from ..arithmetic import negative, subtract, trunc
from ..common import explained, kind, operand
from ..comparison import astype, equal, floating, greater, isfinite, isinf_row, less, select
from ..floating import copysign, exponent_row, fmod, nextafter, scalbn_row


@explained
def signbit(x: Any) -> Any:
    """Whether the sign of `x` is negative, also that of a zero or nan; bool.

    Example:
        >>> pg.signbit(np.array([-1.0, -0.0, 0.0]))
        array([ True,  True, False])
    """
    return less(copysign(1.0, floating(x)), 0.0)


@explained
def isneginf(x: Any) -> Any:
    """Whether each element is -inf; bool.

    Example:
        >>> pg.isneginf(np.array([-np.inf, np.inf, np.nan]))
        array([ True, False, False])
    """
    return equal(floating(x), -np.inf)


@explained
def isposinf(x: Any) -> Any:
    """Whether each element is inf; bool.

    Example:
        >>> pg.isposinf(np.array([-np.inf, np.inf, np.nan]))
        array([False,  True, False])
    """
    return equal(floating(x), np.inf)


@explained
def fix(x: Any) -> Any:
    """The integer part, rounding towards zero, as `trunc`; integers and bools unchanged. The derivative is zero.

    Example:
        >>> pg.fix(np.array([-1.7, 1.7]))
        array([-1.,  1.])
    """
    return trunc(x)


@explained
def ldexp(x1: Any, x2: Any) -> Any:
    """x1 2^x2 with integers `x2`, rounded once; the derivative in `x1` is 2^x2.

    Raises:
        DTypeError: a floating `x2`; ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.ldexp(np.array([1.0, 3.0]), np.array([4, -1]))
        array([16. ,  1.5])
    """
    if kind(x2) == "f":
        raise DTypeError("the exponents are floating", "write x1 * 2.0**x2, or x2.astype('int64')")
    x = floating(x1)
    return scalbn_row(x, astype(x2, x.dtype))


@explained
def frexp(x: Any) -> tuple[Any, Any]:
    """The mantissas m, 0.5 <= |m| < 1, and the int32 exponents n of x = m 2^n; x itself and 0 for 0, inf and nan.

    The derivative of the mantissa is 2^-n.

    Example:
        >>> pg.frexp(np.array([8.0, -0.75]))
        (array([ 0.5 , -0.75]), array([4, 0], dtype=int32))
    """
    x = floating(x)
    exponent = exponent_row(x)
    return scalbn_row(x, negative(exponent)), astype(exponent, np.int32)


@explained
def modf(x: Any) -> tuple[Any, Any]:
    """The fractional and the integer part, both with the sign of `x`; of ±inf they are ±0 and ±inf.

    The derivative of the fractional part is 1.

    Example:
        >>> pg.modf(np.array([2.5, -0.25]))
        (array([ 0.5 , -0.25]), array([ 2., -0.]))
    """
    x = floating(x)
    return select(isinf_row(x), copysign(0.0, x), fmod(x, x.dtype.type(1.0))), trunc(x)


@explained
def spacing(x: Any) -> Any:
    """The distance from `x` to the next number away from zero, with the sign of `x`; nan of ±inf and nan.

    The derivative is zero.

    Example:
        >>> pg.spacing(np.array([1.0, -1e300])) / np.spacing(np.array([1.0, -1e300]))
        array([1., 1.])
    """
    x = floating(x)
    return subtract(nextafter(x, copysign(np.inf, x)), x)


@explained
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`x` with nan, inf and -inf replaced; integers and bools unchanged. The derivative is 1 where `x` is finite.

    Args:
        x: an array.
        copy: has no effect: expressions never change.
        nan: what replaces nan.
        posinf: what replaces inf; None: the largest number of the dtype.
        neginf: what replaces -inf; None: the smallest.

    Raises:
        ShapeError: replacements that do not broadcast.

    Example:
        >>> pg.nan_to_num(np.array([1.0, np.nan, np.inf]), posinf=9.0)
        array([1., 0., 9.])
    """
    x = operand(x)
    if kind(x) != "f":
        return x
    limits = np.finfo(x.dtype)
    high = astype(limits.max if posinf is None else posinf, x.dtype)
    low = astype(limits.min if neginf is None else neginf, x.dtype)
    infinite = select(greater(x, 0.0), high, select(less(x, 0.0), low, astype(nan, x.dtype)))
    return select(isfinite(x), x, infinite)
