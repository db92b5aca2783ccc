"""What lowered Programs and the generated C share of the rows: their numbers, and a text that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from ..errors import UnsupportedError
from . import (
    elementwise as _elementwise,  # noqa: F401  (registers its rows)
    reductions as _reductions,  # noqa: F401  (registers its rows)
)
from .kernel_rows import accepted_types
from .row import TABLE, DType, Op

#: Every reduction by its number in a Program: its position in order of registration.
REDUCTIONS: dict[Op, int] = {op: number for number, op in enumerate(op for op in TABLE.values() if op.combiner)}

#: Every pointwise row that has a C expression, by its number in a Program: its position in order of registration.
#: `convert` is one of them; C has an expression of its own for each of its pairs of dtypes.
MICRO_OPS: dict[Op, int] = {
    op: number for number, op in enumerate(op for op in TABLE.values() if op.pointwise and op.c is not None)
}


#: Every function of a kernel, by its row and its type, by its number in a Program.
KERNELS: dict[tuple[Op, DType], int] = {
    key: number
    for number, key in enumerate(
        (op, dtype) for op in TABLE.values() if op.kernel is not None for dtype in accepted_types(op)
    )
}


def kernel_number(op: Op, dtype: DType) -> int:
    """The number of a row's kernel for a type; raises `UnsupportedError` for one the C library was not built with."""
    assert op.kernel is not None
    number = KERNELS.get((op, dtype if op.kernel.generic else accepted_types(op)[0]))
    if number is None:
        problem = "it has a kernel that this library was not built with"
        raise UnsupportedError(problem, _REBUILD, stage="lowering", subject=op.name)
    return number


def kernel_at(number: int) -> tuple[Op, DType]:
    """The row and the type of a kernel's number."""
    return _BY_NUMBER[number]


_BY_NUMBER = tuple(KERNELS)
_REBUILD = "run `python -m pygraph.emit.tables` and install again"


def reduction_at(number: int) -> Op:
    """The row of a reduction's number."""
    return _REDUCTION_ROWS[number]


_REDUCTION_ROWS = tuple(REDUCTIONS)


def micro_op(op: Op) -> int:
    """The number of a pointwise row; raises `UnsupportedError` for one the C library was not built with."""
    number = MICRO_OPS.get(op)
    if number is None:
        problem = "it has a C expression that this library was not built with"
        advice = f"{_REBUILD}, or define it by other operations (see CONTRIBUTING.md)"
        raise UnsupportedError(problem, advice, stage="lowering", subject=op.name)
    return number


def rows_text() -> str:
    """All that C is made of: a text that changes with any number, name, arity, kind or expression of the rows."""
    rows = [
        (
            op.name,
            op.arity,
            op.kinds,
            op.result if isinstance(op.result, str) else "",
            op.differs,
            op.casts,
            _text(op.c),
            op.fast,
        )
        for op in MICRO_OPS
    ]
    reductions = [(op.name, _text(op.c), _text(op.identity), _text(op.accumulator), op.fast) for op in REDUCTIONS]
    kernels = []
    for op, dtype in KERNELS:
        kernel = op.kernel
        assert kernel is not None
        statuses = [failure.status for failure in kernel.failures]
        made_of = (kernel.name, kernel.signature, kernel.types, kernel.params, kernel.work, kernel.flops)
        kernels.append((dtype.name, made_of, kernel.updates, statuses))
    return spelled((rows, reductions, kernels))


def spelled(x: Any) -> str:
    """The text of nested containers and records; a signal handler that interrupts its making gets the same one.

    From `repr` it would not: that gives "..." for a container whose text is being made, which may hold itself.
    """
    if isinstance(x, Enum):
        return x.name
    if x is None or isinstance(x, (str, int, float)):
        return repr(x)
    if isinstance(x, (tuple, list)):
        return f"({','.join(map(spelled, x))})"
    if isinstance(x, Mapping):
        return spelled([*x.items()])
    if isinstance(x, type):  # of records: their fields
        return f"{x.__name__}{spelled(getattr(x, '_fields', ()))}"
    assert is_dataclass(x), f"the text of a {type(x).__name__} is not known"
    return f"{type(x).__name__}{spelled([getattr(x, field.name) for field in fields(x)])}"


def _text(c: Any) -> Any:
    return sorted(c.items()) if isinstance(c, Mapping) else c
