"""Generates the C headers of what Python decides: `python -m pygraph.emit.tables [--check]`.

csrc/generated/pg_ops.h comes from the rows of the op table, csrc/generated/pg_format.h from the format of Programs,
pg_instructions.h, pg_readers.h and pg_finite.h there from the table of instructions, and csrc/pg_status.h, which stands
with the headers that emitted C is made of, from the statuses of the format.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..lower.format import CONSTANTS, MAX_ARGUMENTS, MAX_CORE, MAX_SIZES, RAW, SlotKind, Status, failures
from ..lower.table_hash import table_hash
from ..ops.dtypes import SUFFIXES
from ..ops.gufunc_signature import as_c
from ..ops.row import Op
from ..ops.table import KERNELS, MICRO_OPS, REDUCTIONS
from .instruction_tables import finite_checks, readers, structs
from .rendering.expressions import TableError, expression

CSRC = Path(__file__).resolve().parents[2] / "csrc"

_KINDS = "fib"


def _result(op: Op) -> str:
    if op.result == "same" or op.differs or op.casts:  # with a condition, the type of the values
        return "SAME"
    if isinstance(op.result, str) and op.result in ("bool", "floating"):
        return op.result.upper()
    raise TableError(f"op {op.name!r}: the C kernels know the results 'same', 'bool' and 'floating' only")


def _group(op: Op, kind: str) -> str:
    """The list an op's kernels are stamped from: its arity, C where the first of three is a condition."""
    if op.arity not in (1, 2, 3):
        raise TableError(f"op {op.name!r}: the C kernels take one to three operands, not {op.arity}")
    if op.differs:
        if op.differs != (0,) or op.arity != 3:
            raise TableError(f"op {op.name!r}: only the first of three operands may have another dtype (bool)")
        return "C"
    if op.fast is not None and kind == "f":
        if op.arity == 3:
            raise TableError(f"op {op.name!r}: `fast` is for one or two operands")
        return f"{op.arity}_FAST"
    return str(op.arity)


def _items(group: str, kind: str) -> Iterator[str]:
    for op in MICRO_OPS:
        if op.casts:
            continue
        text = expression(op, kind)
        if text is None or _group(op, kind) != group:
            continue
        cost = "CHEAP" if op.cheap else "DEAR"
        item = f"{op.name}, {_result(op)}, {cost}, {text}"
        if group.endswith("_FAST"):
            assert op.fast is not None
            item += f", {op.fast[0]}, {op.fast[1]}"
        yield f"X({item})"


def _reduction_items(kind: str, fast: bool) -> Iterator[str]:
    for op in REDUCTIONS:
        text = expression(op, kind)
        if text is None or op.identity is None or kind not in op.identity:
            continue
        guarded = op.fast if kind == "f" else None
        if (guarded is not None) != fast:
            continue
        accumulator = (op.accumulator or {}).get(kind, "T")
        item = f"{op.combiner}, {accumulator}, {text}, {op.identity[kind]}"
        yield f"X({', '.join([item, *(guarded or ())])})"


def _macro(name: str, items: Iterator[str]) -> str:
    return " \\\n".join([f"#define {name}(X)", *(f"    {item}" for item in items)])


@lru_cache(maxsize=1)
def _body() -> str:
    """All of the header that has a meaning."""
    parts = ["/* Micro-operations by their number in a Program. */", "typedef enum pg_mop {"]
    parts += [f"    PG_MOP_{op.name} = {number}," for op, number in MICRO_OPS.items()]
    parts += [f"    PG_MOP_COUNT = {len(MICRO_OPS)}", "} pg_mop;", ""]
    parts += ["/* Reductions by their number in a Program. */", "typedef enum pg_rop {"]
    parts += [f"    PG_ROP_{op.combiner} = {number}," for op, number in REDUCTIONS.items()]
    parts += [f"    PG_ROP_COUNT = {len(REDUCTIONS)}", "} pg_rop;", ""]
    parts += ["/* X(name, arity, result, first operand is a condition, casts) */"]
    rows = (f"X({op.name}, {op.arity}, {_result(op)}, {int(bool(op.differs))}, {int(op.casts)})" for op in MICRO_OPS)
    parts += [_macro("PG_OPS", rows), ""]
    parts += [
        "/* X(name, result, cost, expression[, guard, fast expression]), by operand kind (F floating, I integer, B",
        " * bool) and arity (C: three, the first a condition). In expressions a, b, c are the operands, T is their",
        " * type, M(f) is pg_f_<T>. */",
    ]
    for kind in _KINDS:
        for group in ("1", "1_FAST", "2", "2_FAST", "3", "C"):
            parts.append(_macro(f"PG_OPS_{kind.upper()}_{group}", _items(group, kind)))
    parts += ["", "/* X(name, type of accumulators, combining expression, identity[, guard, fast expression]) */"]
    for kind in _KINDS:
        parts.append(_macro(f"PG_REDUCTIONS_{kind.upper()}", _reduction_items(kind, False)))
        parts.append(_macro(f"PG_REDUCTIONS_{kind.upper()}_FAST", _reduction_items(kind, True)))
    return "\n".join(parts) + "\n"


def render() -> dict[str, str]:
    """The generated headers: their texts by their paths below csrc."""
    return {
        "generated/pg_ops.h": _header("The op table", "pygraph/ops", "PG_OPS_H", _body()),
        "generated/pg_format.h": _header("The format of a Program", _FORMAT, "PG_FORMAT_H", "\n".join(_format())),
        "generated/pg_call_table.h": _header("Kernels", "pygraph/ops", "PG_CALL_TABLE_H", "\n".join(_kernels())),
        "generated/pg_instructions.h": _header(
            "Instructions", _INSTRUCTIONS, "PG_INSTRUCTIONS_H", "\n".join(structs())
        ),
        "generated/pg_readers.h": _header("Readers", _INSTRUCTIONS, "PG_READERS_H", "\n".join(readers())),
        "generated/pg_finite.h": _header("Checks of results", _INSTRUCTIONS, "PG_FINITE_H", "\n".join(finite_checks())),
        "pg_status.h": _header("What a run returns", _FORMAT, "PG_STATUS_H", "\n".join(_enum("PG", Status))),
    }


_FORMAT, _INSTRUCTIONS = "pygraph/lower/format.py", "pygraph/lower/instructions.py"


def _header(title: str, source: str, guard: str, body: str) -> str:
    return (
        f"/* {title}. Generated by `python -m pygraph.emit.tables` from {source}; do not edit. */\n"
        f"#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n"
    )


def _format() -> Iterator[str]:
    yield from ["#include <stdint.h>", "", "/* Changes with any row, number or limit. */"]
    yield from [f"#define PG_TABLE_HASH UINT64_C(0x{table_hash():016x})", ""]
    values = [str(x.value) if x.value < 1 << 31 else f"INT64_C(0x{x.value:x})" for x in CONSTANTS]
    yield from _explained(
        (f"#define PG_{x.name} {value}", x.meaning) for x, value in zip(CONSTANTS, values, strict=True)
    )
    names = [f"PG_{suffix.upper()}" for suffix in SUFFIXES]
    yield from ["", f"enum {{ PG_RAW = {RAW}, {', '.join(names)}, PG_N_DTYPES }};", ""]
    yield from _enum("PG_SLOT", SlotKind, "pg_slot_kind")


def _kernels() -> Iterator[str]:
    """X-macro of all functions of kernels; an axis of an operand is the number of a size, or minus a fixed size."""
    yield "/* X(number, function, sizes, parameters, operands, operands and results, bytes of workspace in terms of the"
    yield " * sizes and parameters s, the types and axes of operands and results) */"
    yield _macro("PG_KERNELS", (f"X({', '.join(_kernel(op, dtype, at))})" for (op, dtype), at in KERNELS.items()))
    yield from ["", "/* X(number, function) of those that are compiled for each instruction set */"]
    vector = [(at, op.kernel.function(dtype)) for (op, dtype), at in KERNELS.items() if op.kernel and op.kernel.vector]
    yield _macro("PG_VECTOR_KERNELS", (f"X({at}, {name})" for at, name in vector))
    yield from ["", "/* X(number, function) of those that do several applications at once, for each instruction set */"]
    lanes = [(at, op.kernel.function(dtype)) for (op, dtype), at in KERNELS.items() if op.kernel and op.kernel.lanes]
    yield _macro("PG_LANES_KERNELS", (f"X({at}, {name})" for at, name in lanes))
    yield from ["", f"enum {{ PG_KERNEL_COUNT = {len(KERNELS)} }};", "", "/* X(number, statuses of its failures) */"]
    failing = ((at, failures(op)) for (op, _), at in KERNELS.items())
    yield _macro("PG_KERNEL_FAILURES", (f"X({at}, {', '.join(names)})" for at, names in failing if names))


def _kernel(op: Op, dtype: Any, number: int) -> Iterator[str]:
    kernel = op.kernel
    assert kernel is not None
    signature = kernel.parsed
    arguments = kernel.arguments(dtype)
    longest = max(len(core) for _, core in arguments)
    if max(len(kernel.names), 1) > MAX_SIZES or len(arguments) > MAX_ARGUMENTS or longest > MAX_CORE:
        limits = f"{MAX_SIZES} sizes and parameters, {MAX_ARGUMENTS} operands and results, {MAX_CORE} core axes each"
        raise TableError(f"op {op.name!r}: {kernel.signature}: a kernel has at most {limits}")
    counts = len(signature.names), len(kernel.params), len(kernel.reads), len(arguments)
    yield from (str(number), kernel.function(dtype), *map(str, counts), as_c(kernel.work, kernel.names))
    for code, core in arguments:
        axes = [str(-axis if isinstance(axis, int) else signature.names.index(axis)) for axis in core]
        yield f"{{PG_{SUFFIXES[code].upper()}, {len(core)}, {{{', '.join(axes) or '0'}}}}}"


def _explained(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Lines with comments below one another, as clang-format leaves them."""
    found = list(lines)
    width = max(len(line) for line, _ in found)
    return (f"{line:{width}} /* {comment} */" for line, comment in found)


def _enum(prefix: str, members: Iterable[Any], name: str = "") -> Iterator[str]:
    """A C enum, one member a line with its meaning; with a name, a type of that name as well."""
    yield f"typedef enum {name} {{" if name else "enum {"
    yield from _explained((f"    {prefix}_{member.name} = {int(member)},", member.meaning) for member in members)
    yield from [f"}} {name};" if name else "};", ""]


def main(arguments: list[str]) -> int:
    """Write the headers, or with --check only say which are out of date (exit status 1 where one is)."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m pygraph.emit.tables [--check]", file=sys.stderr)
        return 2
    headers = {CSRC / name: text for name, text in render().items()}
    if arguments:
        old = [path for path, text in headers.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in old:
            print(f"{path} is out of date: run python -m pygraph.emit.tables", file=sys.stderr)
        return int(bool(old))
    for path, text in headers.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
