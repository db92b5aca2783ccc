"""A Program as one portable C99 file and its header, with the caller's workspace and no dependency but libm."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from ..errors import SignatureError, UnsupportedError, shown
from ..graph.graph import Graph
from ..graph.tree import flatten_named, unflatten
from ..lower.program import Port, Program, Segment
from ..ops.dtypes import CODES
from .c_program import Core, core
from .prelude import EXPORT, prelude
from .rendering.comments import comment_text
from .rendering.expressions import TYPES
from .rendering.names import RESERVED, distinct, identifiers
from .workspace import Workspace, plan_workspace

#: What a caller of an entry may get: the macro's ending, the status, and what it says.
_STATUSES = (
    ("OK", "PG_OK", 0, "all outputs are written"),
    ("INDEX", "PG_INDEX", 3, "an index lies outside its axis"),
    ("ARGUMENT", "PG_ARGUMENT", 5, "the workspace does not hold what a forward run that ended well leaves"),
    ("STEPS", "PG_STEPS", 6, "a loop's condition still holds after as many steps as its limit allows"),
    ("TAPE", "PG_TAPE", 7, "a loop has more steps than the workspace has room for"),
)

_STANDARD = """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic
    stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
"""
#: Headers of C's own library, which a file of the same name would hide.
_HEADERS = frozenset(_STANDARD.split())

_WORDS = {Segment.FORWARD: "forward", Segment.REVERSE: "reverse", Segment.TANGENT: "jvp"}


@dataclass(frozen=True, slots=True)
class _Argument:
    """One pointer that an entry takes, and the member of the frame that it becomes."""

    name: str
    member: str
    port: Port
    written: bool

    @property
    def declared(self) -> str:
        const = "" if self.written else "const "
        return f"{const}{TYPES[CODES[self.port.dtype]]} *{self.name}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One function of the exported file."""

    segment: Segment
    function: str
    run: str
    arguments: tuple[_Argument, ...]

    @property
    def head(self) -> str:
        parts = [*(argument.declared for argument in self.arguments), "void *workspace"]
        return _wrapped(f"int {self.function}(", parts)


def export(
    program: Program,
    graph: Graph,
    variables: Sequence[str],
    no_tangent: UnsupportedError | None,
    path: str | os.PathLike[str],
    name: str,
) -> tuple[Path, Path]:
    """Write NAME.c and NAME.h to the folder `path`; returns where they are.

    Args:
        program: what to write.
        graph: what it was made from.
        variables: names of the arrays that the gradients belong to; empty without derivatives.
        no_tangent: why there is no jvp although there are variables; else None.
        path: an existing folder.
        name: a C identifier, which all that the header declares starts with.

    Raises:
        TypeError: `name` is not a str.
        ValueError: `name` can't be used.
        UnsupportedError: a node can't be exported.
    """
    source, header = texts(program, graph, variables, no_tangent, name)
    files = Path(path) / f"{name}.c", Path(path) / f"{name}.h"
    for file, text in zip(files, (source, header), strict=True):
        file.write_text(text, encoding="utf-8", newline="\n")
    return files


def texts(
    program: Program, graph: Graph, variables: Sequence[str], no_tangent: UnsupportedError | None, name: str
) -> tuple[str, str]:
    """The text of the C file and that of its header."""
    _check_name(name)
    workspace = plan_workspace(program, graph.name)
    made = core(program, name, embed=True, stoppable=False)
    entries = _entries(program, graph, variables, made, name)
    source = _source(made, entries, workspace, name, _mark(program))
    return source, _header(graph, entries, workspace, no_tangent, made, name)


def _mark(program: Program) -> int:
    """What a workspace is marked with that holds a forward run of this Program and no other: 64 bits."""
    digest = hashlib.sha256(b"".join((program.words.tobytes(), program.constants))).digest()
    return int.from_bytes(digest[:8], "little")


def _check_name(name: Any) -> None:
    """Raise `SignatureError` for what can't be the name of an export."""
    problem = ""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in RESERVED:
        problem = "it is no C identifier"
    elif name in _HEADERS or re.match(r"pg(_|$)", name, re.IGNORECASE):
        problem = f"{name}.h or its names would hide those of C or pygraph"
    if problem:
        advice = "give ASCII letters, digits and underscores that start with a letter, and no word of C, C++ or pygraph"
        raise SignatureError(problem, advice, stage="exporting", subject=f"the name {shown(name)}")


def _entries(program: Program, graph: Graph, variables: Sequence[str], made: Core, name: str) -> list[_Entry]:
    """The entries, in the order of the segments; a segment without a function has none."""
    found = []
    n_inputs = len(program.inputs)
    for segment, run in zip(Segment, made.segments, strict=False):
        numbered = [(slot, port, False) for slot, port in enumerate(program.inputs) if port.segment == segment]
        numbered += [(n_inputs + at, port, True) for at, port in enumerate(program.outputs) if port.segment == segment]
        if segment is not Segment.FORWARD and not any(written for _, _, written in numbered):
            continue
        words = identifiers(_port_names(graph, variables, segment))
        assert len(words) == len(numbered), f"{segment.name}: {words} for {numbered}"
        arguments = tuple(
            _Argument(word, made.frame.members[slot], port, written)
            for word, (slot, port, written) in zip(words, numbered, strict=True)
        )
        found.append(_Entry(segment, f"{name}_{_WORDS[segment]}", run, arguments))
    return found


def _port_names(graph: Graph, variables: Sequence[str], segment: Segment) -> list[str]:
    """What the user would call the inputs and outputs of a segment, in the order of its ports."""
    floating = [i for i, output in enumerate(graph.outputs) if output.dtype.kind == "f"]
    match segment:
        case Segment.FORWARD:
            return [*graph.names, *_output_names(graph, "out")]
        case Segment.REVERSE:
            seeds = _output_names(graph, "seed")
            return [*(seeds[i] for i in floating), *(f"grad_{variable}" for variable in variables)]
        case _:
            tangents = _output_names(graph, "d_out")
            return [*(f"d_{variable}" for variable in variables), *(tangents[i] for i in floating)]


def _output_names(graph: Graph, word: str) -> list[str]:
    numbered = unflatten(graph.output_tree, list(range(len(graph.outputs))))
    return [name for name, _ in flatten_named(numbered, word)[0]]


# --- the C file -------------------------------------------------------------------------------------------------------


def _source(made: Core, entries: Sequence[_Entry], workspace: Workspace, name: str, mark: int) -> str:
    marked = f"UINT64_C(0x{mark:016x})" if len(entries) > 1 else None
    functions = "\n\n".join(_function(entry, made, workspace, name, marked) for entry in entries)
    body = "\n\n".join(filter(None, [made.text.rstrip("\n"), _tapes(workspace, name), functions]))
    return f'#include "{name}.h"\n\n{prelude(body, EXPORT)}\n{body}\n'


def _function(entry: _Entry, made: Core, workspace: Workspace, name: str, mark: str | None) -> str:
    """The C of an entry; where there are others, forward marks the workspace by `mark`, and they look for it."""
    members = [".arena = workspace", *(f".{argument.member} = {argument.name}" for argument in entry.arguments)]
    call = [".arena = workspace"]
    if workspace.tapes:
        call += [f".tapes = {name}_tapes", f".counts = {workspace.counts}"]
    if mark is not None:
        call.append(f".mark = {workspace.mark}")
    lines = [
        f"{entry.head} {{",
        _wrapped(f"    const {made.frame.type} f = {{", members, "};"),
        f"    const pg_call call = {{{', '.join(call)}}};",
    ]
    if mark is None:
        lines.append(f"    return {entry.run}(&call, &f);")
    elif entry.segment is Segment.FORWARD:
        lines += [
            "    pg_mark(&call, 0);",
            f"    const int status = {entry.run}(&call, &f);",
            f"    if (status == PG_OK) pg_mark(&call, {mark});",
            "    return status;",
        ]
    else:
        lines += [
            f"    if (!pg_is_marked(&call, {mark})) return PG_ARGUMENT;",
            f"    return {entry.run}(&call, &f);",
        ]
    lines.append("}")
    return "\n".join(lines)


def _tapes(workspace: Workspace, name: str) -> str:
    if not workspace.tapes:
        return ""
    rows = ",\n".join(f"    {{{tape.nbytes}, {tape.most}, {tape.where}}}" for tape in workspace.tapes)
    return f"static const pg_tape {name}_tapes[{len(workspace.tapes)}] = {{\n{rows}}};"


# --- the header -------------------------------------------------------------------------------------------------------


def _header(
    graph: Graph,
    entries: Sequence[_Entry],
    workspace: Workspace,
    no_tangent: UnsupportedError | None,
    made: Core,
    name: str,
) -> str:
    upper = name.upper()
    asked = {"OK", "ARGUMENT"} if len(entries) > 1 else {"OK"}
    statuses = [row for row in _STATUSES if re.search(rf"\b{row[1]}\b", made.text) or row[0] in asked]
    words = [f"{upper}_{row[0]}" for row in statuses]
    forward = entries[0].arguments
    sizes = zip(distinct(argument.name.upper() for argument in forward), forward, strict=True)
    values = {f"{upper}_{word}_SIZE": prod(argument.port.shape) for word, argument in sizes}
    parts = [
        _title(graph, name),
        f"#ifndef {upper}_H\n#define {upper}_H",
        "#include <stdint.h>",
        "/* What an entry returns. After an error the outputs are undefined. */\n"
        + _defines(dict(zip(words, (row[2] for row in statuses), strict=True)), [row[3] for row in statuses]),
        "/* Elements of each input and output. */\n" + _defines(values),
        "/* Bytes of the workspace, which is aligned as a double. */\n"
        + _defines({f"{upper}_WORKSPACE_BYTES": workspace.nbytes}),
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        *(f"{_about(entry, name, words, alone=len(entries) == 1)}\n{entry.head};" for entry in entries),
        *([comment_text(f"There is no {name}_jvp: {no_tangent.headline}")] if no_tangent is not None else []),
        "#ifdef __cplusplus\n}\n#endif",
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"


def _title(graph: Graph, name: str) -> str:
    return (
        comment_text(f"{graph.name}, exported by pygraph.")[:-3]
        + f"""
 *
 * Compile {name}.c as C99 and link with the mathematical library: cc -std=c99 -O3 -c {name}.c, and later -lm. Results
 * do not depend on the optimisation, as long as a * b + c is not contracted: GCC needs -std=c99 or -ffp-contract=off,
 * and for 32-bit x86 -msse2 -mfpmath=sse; with -Ofast, -ffast-math or x87 arithmetic it does not compile. The workspace
 * holds values of several types one after another, as C allows in memory from malloc; -fno-strict-aliasing is for
 * compilers that get this wrong.
 *
 * Arrays are contiguous with the last index running fastest; bool is uint8_t, 0 or 1. Outputs must not overlap inputs
 * or each other. Nothing is allocated or kept elsewhere than in the workspace: threads with a workspace each may call
 * at the same time. */"""
    )


def _about(entry: _Entry, name: str, statuses: Sequence[str], alone: bool) -> str:
    """The comment of an entry: what it does, and what each argument is."""
    says = {
        Segment.FORWARD: "Computes the outputs."
        + ("" if alone else " The workspace keeps what the other entries need."),
        Segment.REVERSE: "Computes the gradients of sum(seed * output), from what forward left in the workspace.",
        Segment.TANGENT: "Computes the outputs' tangents, from what forward left in the workspace.",
    }
    width = max(len(word) for word in ("workspace", *(argument.name for argument in entry.arguments)))
    lines = [f"/* {says[entry.segment]}", " *"]
    for argument in entry.arguments:
        kind = "output" if argument.written else "input "
        lines.append(f" *   {argument.name:<{width}}  {kind}  {argument.port.dtype.name} {argument.port.shape}")
    lines.append(f" *   {'workspace':<{width}}  {name.upper()}_WORKSPACE_BYTES bytes")
    forward = entry.segment is Segment.FORWARD
    returned = [word for word in statuses if not (forward and word == f"{name.upper()}_ARGUMENT")]
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


def _wrapped(start: str, parts: Sequence[str], end: str = ")") -> str:
    """Parts separated by commas, on as few lines as fit; the first part stands after `start`."""
    lines = list(_filled(start, parts))
    return "\n".join(lines) + end


def _filled(start: str, parts: Sequence[str]) -> Iterator[str]:
    indent = " " * len(start.expandtabs())
    line = start
    for at, part in enumerate(parts):
        piece = part if at == len(parts) - 1 else f"{part},"
        if line.strip() and line != start and len(line) + len(piece) > 116:
            yield line.rstrip()
            line = indent
        line += piece if line in (start, indent) else f" {piece}"
    yield line
