"""All pointwise rows, and the entry through which a user registers another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import (
    arithmetic as arithmetic,
    bessel as bessel,
    comparison as comparison,
    floating as floating,
    incomplete as incomplete,
    integers as integers,
    random_bits as random_bits,
    random_draws as random_draws,
    special as special,
    transcendental as transcendental,
)
from .common import pointwise_shape
from .row import Family, Interval, Op, register

__all__ = ["elementwise_op"]


def elementwise_op(
    name: str,
    arity: int,
    define: Callable[..., Any] | None = None,
    *,
    doc: str = "",
    c: str | Mapping[str, str] | None = None,
    reference: Callable[..., Any] | None = None,
    partials: Sequence[Callable[..., Any] | None] = (),
    domain: Sequence[Interval] | None = None,
    kinds: str = "f",
    nondiff: bool = False,
    price: int = 1,
    floor: float = 0.0,
    defined: str = "",
    smooth: str = "",
) -> Op:
    """Register an elementwise operation, which then records, runs in C and differentiates like any other.

    Given `define`, a function of `arity` operands written with existing operations, nothing else is needed: its value
    and its derivative come from the definition. Given `c` instead, a C expression in a, b, c, the C library must be
    rebuilt, and `reference` (its NumPy equivalent) and `partials` are needed. Operands broadcast and are promoted.

    Args:
        name: unique name, in listings and errors.
        arity: number of operands.
        define: define(*operands) in terms of existing operations.
        doc: the formula, and its values at 0, inf and nan.
        c: see `Op.c`.
        reference: the NumPy definition; by default `define`, evaluated on arrays.
        partials: partial(out, *operands) per operand, None where there is no derivative; by default from `define`.
        domain: per operand, the interval that tests sample from; by default (0.3, 2).
        kinds: dtypes it accepts, letters of "fib".
        nondiff: it has no derivative.
        price: with `c`, the cost of an element: 1 for an addition, 2 for a division, 3 or more for exp; see `Op.price`.
        floor: errors count in units in the last place of at least this size: near a zero, where it cancels.
        defined, smooth: with `c`, where finite operands give a finite value, and derivative, such as "x > 0"; always by
            default. `check_finite=True` reports it.

    Raises:
        RegistrationError: the name is taken, or a rule is missing.

    Example:
        >>> mish = pg.elementwise_op("mish_example", 1, lambda x: x * pg.tanh(pg.softplus(x)))
        >>> mish(np.array([0.0, 1.0])).round(6)
        array([0.      , 0.865098])
    """
    return register(
        Op(
            name,
            Family.ELEMENTWISE,
            arity,
            doc or f"{name}, a registered operation.",
            kinds=kinds,
            shape=pointwise_shape,
            reference=reference or define,
            partials=tuple(partials),
            c=c,
            define=define,
            domain=tuple(((0.3, 2.0),) * arity if domain is None else domain),
            nondiff=nondiff,
            price=price,
            floor=floor,
            defined=defined,
            smooth=smooth,
        )
    )
