"""The numbering of micro-operations, shared by lowered Programs and the generated C."""

from __future__ import annotations

from ..errors import UnsupportedError
from . import elementwise as _elementwise  # noqa: F401  (registers its rows)
from .row import TABLE, Op

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
