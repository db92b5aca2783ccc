"""Rows of integer arithmetic: bits, shifts, the greatest common divisor, powers; and the functions around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DomainError, DTypeError
from .common import broadcast_shapes, explained, is_expression, kind, operand, pointwise
from .comparison import astype, logical_and_row, logical_not_row, logical_or_row, logical_xor_row
from .dtypes import int32
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .row import Attrs, DType, Family, Op, register
from .shaping import broadcast_to, reshape

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "invert", "left_shift", "right_shift"]

_ANY = (-9.0, 9.0)


def _bits(name: str, doc: str, c: str, reference: Callable[..., Any], arity: int = 2, diagonal: str = "") -> Op:
    return pointwise(
        name,
        doc,
        c,
        reference,
        domain=(_ANY,) * arity,
        kinds="i",
        nondiff=True,
        diagonal=diagonal,
    )


bitwise_and_row = _bits("bitwise_and", "The bits that are set in both integers.", "a & b", np.bitwise_and, 2, "a")
bitwise_or_row = _bits("bitwise_or", "The bits that are set in either integer.", "a | b", np.bitwise_or, 2, "a")
bitwise_xor_row = _bits("bitwise_xor", "The bits in which two integers differ.", "a ^ b", np.bitwise_xor)
invert_row = _bits("invert", "All bits of an integer turned over: -x - 1.", "~a", np.invert, 1)
left_shift_row = _bits(
    "left_shift",
    "x with its bits moved up by y places; 0 where y is negative or as large as the width, as in NumPy.",
    "M(left_shift)(a, b)",
    np.left_shift,
)
right_shift_row = _bits(
    "right_shift",
    "x with its bits moved down by y places, keeping the sign: floor(x / 2^y); 0 or -1, by the sign of x, where y is "
    "negative or as large as the width, as in NumPy.",
    "M(right_shift)(a, b)",
    np.right_shift,
)
gcd = pointwise(
    "gcd",
    "The greatest common divisor of |x| and |y|; gcd(0, x) is |x|.",
    "M(gcd)(a, b)",
    np.gcd,
    domain=(_ANY, _ANY),
    kinds="i",
    nondiff=True,
    price=60,
)


def _powers(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if (y < 0).any():
        raise _NEGATIVE.raised([int(y[y < 0][0])], "power", None)
    return np.asarray(np.power(x, y))


def _power_samples(
    rng: np.random.Generator, dtype: DType
) -> Iterator[tuple[tuple[npt.NDArray[Any], npt.NDArray[Any]], Attrs]]:
    for first, second in (((5,), (5,)), ((0,), (0,)), ((3, 4), (4,)), ((70,), (70,))):
        yield (rng.integers(-9, 10, first).astype(dtype), rng.integers(0, 12, second).astype(dtype)), {}


_NEGATIVE = Failure(
    DomainError,
    "an integer to the power {0}, which is not an integer",
    "use x.astype('float64') ** y",
)
integer_power_row = register(
    Op(
        "integer_power",
        Family.ELEMENTWISE,
        doc="x to the power y by repeated squaring, with wrap-around; a negative exponent is an error at run time.",
        reference=_powers,
        nondiff=True,
        samples=_power_samples,
        title="power",
        **kernel_rules(
            Kernel("integer_power", "(n),(n)->(n)", "TT->T", failures=(_NEGATIVE,), flops="n"),
            "i",
        ),
    )
)


def common_integer(x: Any, y: Any) -> DType:
    """The type that integers, or an integer and a bool, are promoted to."""
    if is_expression(x) or is_expression(y):
        dtype: DType = gcd(x, y).dtype
        return dtype
    return np.result_type(*(z if type(z) in (int, bool) else operand(z) for z in (x, y)))


def integer_power(x: Any, y: Any) -> Any:
    """Integers to integer powers that are not negative, broadcast and promoted."""
    dtype = common_integer(x, y)
    x, y = astype(x, dtype), astype(y, dtype)
    shape = broadcast_shapes([x.shape, y.shape])
    flat = (reshape(broadcast_to(z, shape), -1) for z in (x, y))
    return reshape(integer_power_row(*flat), shape)


def _on_bits(name: str, row: Op, logical: Op, *operands: Any) -> Any:
    """`row` on integers, and `logical` where all operands are bools."""
    kinds = {kind(x) for x in operands}
    if "f" in kinds:
        raise DTypeError(f"{name} of floating numbers", "use x.astype('int64')")
    return (logical if kinds == {"b"} else row)(*operands)


@explained
def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that are set in both `x` and `y`, integers; of bools whether both are true. Also what `x & y` means.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.bitwise_and(np.array([12, 5]), 6)
        array([4, 4])
    """
    return _on_bits("bitwise_and", bitwise_and_row, logical_and_row, x, y)


@explained
def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that are set in `x` or `y`, integers; of bools whether one is true. Also what `x | y` means.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.bitwise_or(np.array([12, 5]), 6)
        array([14,  7])
    """
    return _on_bits("bitwise_or", bitwise_or_row, logical_or_row, x, y)


@explained
def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits in which `x` and `y`, integers, differ; of bools whether they differ. Also what `x ^ y` means.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.bitwise_xor(np.array([12, 5]), 6)
        array([10,  3])
    """
    return _on_bits("bitwise_xor", bitwise_xor_row, logical_xor_row, x, y)


@explained
def invert(x: Any) -> Any:
    """All bits of `x`, an integer, turned over: -x - 1; of a bool whether it is false. Also what `~x` means.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.invert(np.array([0, 5]))
        array([-1, -6])
    """
    return _on_bits("invert", invert_row, logical_not_row, x)


def _shifted(name: str, row: Op, x: Any, y: Any) -> Any:
    kinds = kind(x) + kind(y)
    if "f" in kinds:
        raise DTypeError(f"{name} of floating numbers", "use x.astype('int64')")
    return row(astype(x, int32), astype(y, int32)) if kinds == "bb" else row(x, y)


@explained
def left_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved up by `y` places, integers; also what `x << y` means.

    0 where `y` is negative or as large as the width of the type. Two bools are taken as int32.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.left_shift(np.array([1, -3]), 4)
        array([ 16, -48])
    """
    return _shifted("left_shift", left_shift_row, x, y)


@explained
def right_shift(x: Any, y: Any) -> Any:
    """`x` with its bits moved down by `y` places, integers, keeping the sign; also what `x >> y` means.

    0 or -1, by the sign of `x`, where `y` is negative or as large as the width of the type. Two bools are taken as
    int32.

    Raises:
        DTypeError: a floating operand.

    Example:
        >>> pg.right_shift(np.array([16, -3]), 1)
        array([ 8, -2])
    """
    return _shifted("right_shift", right_shift_row, x, y)
