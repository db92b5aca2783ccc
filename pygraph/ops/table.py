"""What lowered Programs and the generated C share of the rows: their numbers, and a text that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UnsupportedError
from . import elementwise as _elementwise  # noqa: F401  (registers its rows)
from . import reductions as _reductions  # noqa: F401  (registers its rows)
from .row import TABLE, Op

#: The reductions in the order of their numbers in a Program.
REDUCTIONS = ("reduce_sum", "reduce_prod", "reduce_max", "reduce_min")

#: Every pointwise row that has a C expression, by its number in a Program: its position in order of registration.
#: `convert` is one of them; C has an expression of its own for each of its pairs of dtypes.
MICRO_OPS: dict[Op, int] = {
    op: number
    for number, op in enumerate(
        op for op in TABLE.values() if op.name == "convert" or (op.pointwise and op.c is not None)
    )
}


def micro_op(op: Op) -> int:
    """The number of a pointwise row; raises `UnsupportedError` for one the C library was not built with."""
    number = MICRO_OPS.get(op)
    if number is None:
        raise UnsupportedError(
            f"lowering {op.name}: it has a C expression that this library was not built with; run "
            "`python -m pygraph.emit.tables` and install again, or define it by other operations (see CONTRIBUTING.md)"
        )
    return number


def rows_text() -> str:
    """All that C is made of: a text that changes with any number, name, arity, kind or expression of the rows."""
    rows = [(op.name, op.arity, op.kinds, op.result == "bool", op.differs, _text(op.c), op.fast) for op in MICRO_OPS]
    combined = (TABLE[name] for name in REDUCTIONS)
    reductions = [(op.name, _text(op.c), _text(op.identity), _text(op.accumulator)) for op in combined]
    return repr((rows, reductions))


def _text(c: Any) -> Any:
    return sorted(c.items()) if isinstance(c, Mapping) else c
