"""The header of an exported file: what there is to call, how large arrays and workspaces are, sparsity patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..autodiff.jacobians.pattern import Pattern
from ..lower.program import Segment
from . import export_table
from .export_unit import Entry, Exported, Unit
from .rendering.comments import comment_text, without_comments
from .rendering.constant_arrays import array_text
from .rendering.names import distinct

Status: TypeAlias = tuple[str, str, int, str]
#: What a caller of an entry may get: the macro's ending, the status, and what it says.
_STATUSES: tuple[Status, ...] = (
    ("OK", "PG_OK", 0, "all outputs are written"),
    ("INDEX", "PG_INDEX", 3, "an index lies outside its axis"),
    ("ARGUMENT", "PG_ARGUMENT", 5, "the workspace does not hold what a forward run that ended well leaves"),
    ("STEPS", "PG_STEPS", 6, "a loop's condition still holds after as many steps as its limit allows"),
    ("TAPE", "PG_TAPE", 7, "a loop has more steps than the workspace has room for"),
    (
        "FAILURE",
        "PG_FAILURE",
        16,
        "there is no result, as of a singular matrix or a label out of range; higher numbers say the same",
    ),
)


def header(
    functions: Sequence[tuple[Exported, Sequence[Unit]]], name: str, stack: int, optional: bool, metadata: bool
) -> str:
    """The text of NAME.h for functions with their Programs.

    Args:
        stack: how many bytes of stack a call takes.
        optional: arguments may be NULL.
        metadata: there is a table of the functions.
    """
    upper = name.upper()
    units = [unit for _, found in functions for unit in found]
    asked = {"OK", "ARGUMENT"} if any(len(unit.entries) > 1 for unit in units) else {"OK"}
    given = {unit: _given(unit) for unit in units}
    possible = {row for rows in given.values() for row in rows}
    statuses = [row for row in _STATUSES if row in possible or row[0] in asked]
    words = [f"{upper}_{row[0]}" for row in statuses]
    bytes_of = {unit.size_macro: unit.nbytes for unit in units}
    if len(functions) > 1:
        bytes_of[f"{upper}_WORKSPACE_BYTES"] = max(bytes_of.values())
    parts = [
        _title([exported.graph.name for exported, _ in functions], name, optional),
        f"#ifndef {upper}_H\n#define {upper}_H",
        "#include <stdint.h>",
        "/* What a function returns. After an error the outputs are undefined. */\n"
        + _defines(dict(zip(words, (row[2] for row in statuses), strict=True)), [row[3] for row in statuses]),
        "/* Elements of each input and output. */\n" + _defines(_sizes(functions)),
        "/* Bytes of a workspace, which is aligned as a double. */\n" + _defines(bytes_of),
        "/* Bytes of stack that a call takes at most, compiled with optimisation, without those of libm. */\n"
        + _defines({f"{upper}_STACK_BYTES": stack}),
        '#ifdef __cplusplus\nextern "C" {\n#endif',
    ]
    for exported, found in functions:
        if exported.pattern is not None:
            parts.append(_pattern_declared(exported, exported.pattern))
        for unit in found:
            several = len(functions) > 1
            for entry in unit.entries:
                statuses_of = _returned(entry, given[unit], upper)
                parts.append(f"{_about(entry, unit, statuses_of, several, exported)}\n{entry.head};")
        if exported.no_tangent is not None:
            parts.append(comment_text(f"There is no {exported.name}_jvp: {exported.no_tangent.headline}"))
    parts += [export_table.declared(functions, name)] if metadata else []
    parts += ["#ifdef __cplusplus\n}\n#endif", "#endif"]
    return "\n\n".join(parts) + "\n"


def pattern_arrays(exported: Exported, pattern: Pattern) -> str:
    """The definitions of the arrays that say where a sparse matrix has entries."""
    texts = [
        array_text(f"const int32_t {word}", list(map(str, values.tolist())) or ["0"])
        for word, values, _ in _pattern(exported, pattern)
    ]
    return "\n".join(texts)


def pattern_names(exported: Exported) -> list[str]:
    """The names of these arrays."""
    return [] if exported.pattern is None else [word for word, _, _ in _pattern(exported, exported.pattern)]


def _pattern(exported: Exported, pattern: Pattern) -> list[tuple[str, Any, str]]:
    """Each array: its name, its values, and what it says."""
    columns = pattern.transposed
    order = np.argsort(pattern.indices, kind="stable")
    return [
        (f"{exported.name}_csr_indptr", pattern.indptr, "where the entries of each row begin, and the last one's end"),
        (f"{exported.name}_csr_indices", pattern.indices, "the column of each entry"),
        (f"{exported.name}_ccs_indptr", columns.indptr, "the same by columns: where the entries of each begin"),
        (f"{exported.name}_ccs_indices", columns.indices, "the row of each entry, column by column"),
        (f"{exported.name}_ccs_order", order, "which of the values each of these is"),
    ]


def _pattern_declared(exported: Exported, pattern: Pattern) -> str:
    upper = exported.name.upper()
    rows, columns = pattern.shape
    defined = _defines({f"{upper}_ROWS": rows, f"{upper}_COLUMNS": columns, f"{upper}_NNZ": pattern.nnz})
    said = [
        comment_text(f"{exported.name}: {rows} x {columns} with {pattern.nnz} entries, whose values lie row by row."),
        defined,
    ]
    for word, values, meaning in _pattern(exported, pattern):
        said.append(f"extern const int32_t {word}[{max(len(values), 1)}]; {comment_text(meaning)}")
    return "\n".join(said)


def _sizes(functions: Sequence[tuple[Exported, Sequence[Unit]]]) -> dict[str, int]:
    """The elements of the inputs and outputs of each function, by macro."""
    words, counts = [], []
    for exported, units in functions:
        arguments = units[-1].entries[0].arguments
        for word, argument in zip(distinct(x.name.upper() for x in arguments), arguments, strict=True):
            words.append(f"{exported.name.upper()}_{word}_SIZE")
            counts.append(prod(argument.port.shape))
    return dict(zip(distinct(words), counts, strict=True))


def _title(graphs: Sequence[str], name: str, optional: bool) -> str:
    text = f"""
 *
 * Compile {name}.c as C99 and link with the mathematical library: cc -std=c99 -O3 -c {name}.c, and later -lm. Results
 * do not depend on the optimisation, as long as a * b + c is not contracted: GCC needs -std=c99 or -ffp-contract=off,
 * and for 32-bit x86 -msse2 -mfpmath=sse; with -Ofast, -ffast-math or x87 arithmetic it does not compile. The workspace
 * holds values of several types one after another, as C allows in memory from malloc; -fno-strict-aliasing is for
 * compilers that get this wrong.
 *
 * Arrays are contiguous with the last index running fastest; bool is uint8_t, 0 or 1. Outputs must not overlap inputs
 * or each other. Nothing is allocated or kept elsewhere than in the workspace: threads with a workspace each may call
 * at the same time."""
    if optional:
        text += """
 *
 * NULL for an input stands for zeros. NULL for an output: it is not written, and what is computed for it alone is left
 * out."""
    return comment_text(f"{', '.join(dict.fromkeys(graphs))}, exported by pygraph.")[:-3] + text + " */"


def _returned(entry: Entry, given: Sequence[Status], upper: str) -> list[str]:
    """The statuses that an entry may return."""
    needs_forward = entry.segment is not Segment.FORWARD
    rows = [*given, *(row for row in _STATUSES if row[0] == "ARGUMENT" and needs_forward)]
    return list(dict.fromkeys(f"{upper}_{row[0]}" for row in sorted(rows, key=_STATUSES.index)))


def _given(unit: Unit) -> list[Status]:
    """The statuses that the code of a Program gives."""
    words = set(re.findall(r"\bPG_[A-Z]+\b", without_comments(unit.core.own)))
    return [row for row in _STATUSES if row[1] in words]


def _about(entry: Entry, unit: Unit, returned: Sequence[str], several: bool, exported: Exported) -> str:
    """The comment of an entry: what it does, and what each argument is."""
    says = {
        Segment.FORWARD: "Computes the outputs."
        + ("" if len(unit.entries) == 1 else " The workspace keeps what the next ones need."),
        Segment.REVERSE: "Computes the gradients of sum(seed * output), from what forward left in the workspace.",
        Segment.TANGENT: "Computes the outputs' tangents, from what forward left in the workspace.",
    }
    title = f"{exported.graph.name}: c" if several else "C"
    width = max(len(word) for word in ("workspace", *(argument.name for argument in entry.arguments)))
    lines = [comment_text(f"{title}{says[entry.segment][1:]}")[:-3], " *"]
    for argument in entry.arguments:
        kind = "output" if argument.written else "input "
        lines.append(f" *   {argument.name:<{width}}  {kind}  {argument.port.dtype.name} {argument.port.shape}")
    lines.append(f" *   {'workspace':<{width}}  {unit.size_macro} bytes")
    lines += [" *", f" * Returns {' or '.join(returned)}. */"]
    return "\n".join(lines)


def _defines(values: Mapping[str, int], notes: Sequence[str] = ()) -> str:
    """Macros one below the other, with a comment each where there are any."""
    words = max(map(len, values))
    digits = max(len(str(value)) for value in values.values())
    lines = [f"#define {word:<{words}} {value}" for word, value in values.items()]
    if notes:
        lines = [f"{line:<{words + digits + 9}} /* {note} */" for line, note in zip(lines, notes, strict=True)]
    return "\n".join(lines)
