"""One Program of an exported file: its C functions, the entries that run them, and the workspace that it needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..autodiff.jacobians.pattern import Pattern
from ..errors import UnsupportedError
from ..graph.graph import Graph
from ..graph.tree import flatten_named, unflatten
from ..lower.program import Port, Program, Segment
from ..ops.dtypes import CODES, SUFFIXES
from .c_program import Core, core
from .rendering.constant_arrays import ConstantArrays
from .rendering.expressions import TYPES
from .rendering.names import identifiers
from .workspace import Workspace, plan_workspace

_WORDS = {Segment.FORWARD: "forward", Segment.REVERSE: "reverse", Segment.TANGENT: "jvp"}


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """A function to export.

    Attributes:
        name: what its names in C start with.
        values: the C function that computes its outputs, and keeps nothing.
        graph: what it was made from.
        program: of its outputs alone.
        derivatives: of its outputs, gradients and tangents; None without.
        variables: names of the arrays that the gradients belong to.
        no_tangent: why there is no jvp although there are variables; else None.
        pattern: of a sparse matrix whose entries are the first output; None where there is none.
    """

    name: str
    values: str
    graph: Graph
    program: Program
    derivatives: Program | None = None
    variables: Sequence[str] = ()
    no_tangent: UnsupportedError | None = None
    pattern: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """One pointer that an entry takes, and the member of the frame that it becomes."""

    name: str
    member: str
    slot: int
    port: Port
    written: bool

    @property
    def dtype(self) -> int:
        """The code of its dtype."""
        return CODES[self.port.dtype]

    @property
    def declared(self) -> str:
        """Its declaration as a parameter."""
        const = "" if self.written else "const "
        return f"{const}{TYPES[self.dtype]} *{self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One function of the exported file."""

    segment: Segment
    function: str
    run: str
    arguments: tuple[Argument, ...]

    @property
    def head(self) -> str:
        """Its head, as in a declaration."""
        parts = [*(argument.declared for argument in self.arguments), "void *workspace"]
        return wrapped(f"int {self.function}(", parts)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A Program in the file.

    Attributes:
        prefix: of the names that only the file knows.
        size_macro: what says how many bytes its workspace has.
        nbytes: of its workspace.
        scratch: where memory begins in it that functions use one after another.
        spare: by slot, where in the workspace an output lies that is not asked for.
    """

    prefix: str
    program: Program
    core: Core
    workspace: Workspace
    entries: tuple[Entry, ...]
    size_macro: str
    nbytes: int
    scratch: int
    spare: Mapping[int, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The C of the entries, and of the table that they need."""
        mark = f"UINT64_C(0x{_mark(self.program):016x})" if len(self.entries) > 1 else None
        functions = [self._function(entry, mark) for entry in self.entries]
        return "\n\n".join(filter(None, [_tapes(self.workspace, self.prefix), *functions]))

    def _function(self, entry: Entry, mark: str | None) -> str:
        """The C of an entry; where there are others, forward marks the workspace by `mark`, and they look for it."""
        given = {argument.slot: self._pointer(argument) for argument in entry.arguments}
        members = ["(char *)workspace", *(given.get(slot, "NULL") for slot in sorted(self.core.frame.members))]
        flags = self.core.optional.flags if self.core.optional is not None else {}
        if flags:
            names = {argument.slot: argument.name for argument in entry.arguments}
            members.append(f"{{{', '.join(f'{names[x]} != NULL' if x in names else '0' for x in flags)}}}")
        workspace = self.workspace
        tapes = f"{self.prefix}_tapes" if workspace.tapes else "NULL"
        call = ["(char *)workspace", tapes, str(workspace.counts), str(workspace.mark or 0), str(self.scratch)]
        lines = [
            f"{entry.head} {{",
            wrapped(f"    const {self.core.frame.type} f = {{", members, "};"),
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

    def _pointer(self, argument: Argument) -> str:
        """What the frame points to: the argument, or what stands for it where the caller gives none."""
        if self.core.optional is None or argument.port.nbytes == 0:
            return argument.name
        if not argument.written:
            return f"{argument.name} != NULL ? {argument.name} : pg_zeros_{SUFFIXES[argument.dtype]}"
        if argument.slot not in self.spare:
            return argument.name
        place = f"PG_AT({TYPES[argument.dtype]}, (char *)workspace, {self.spare[argument.slot]})"
        return f"{argument.name} != NULL ? {argument.name} : {place}"


def units_of(exported: Exported, prefix: str, arrays: ConstantArrays, optional: bool) -> list[Unit]:
    """The Programs of one function: of its values and, with derivatives, of them too.

    Args:
        prefix: of the names that only the file knows.
        arrays: the constants of the file.
        optional: whether arguments may be NULL.

    Raises:
        UnsupportedError: a node can't be exported.
    """
    upper = exported.name.upper()
    alone = {Segment.FORWARD: exported.values}
    size = f"{upper}_WORKSPACE_BYTES"
    if exported.derivatives is None:
        return [_unit(exported, exported.program, alone, prefix, size, arrays, optional)]
    names = {segment: f"{exported.name}_{word}" for segment, word in _WORDS.items()}
    values = f"{exported.values.upper()}_WORKSPACE_BYTES"
    return [
        _unit(exported, exported.program, alone, f"{prefix}v", values, arrays, optional),
        _unit(exported, exported.derivatives, names, prefix, size, arrays, optional),
    ]


def _unit(
    exported: Exported,
    program: Program,
    names: Mapping[Segment, str],
    prefix: str,
    size_macro: str,
    arrays: ConstantArrays,
    optional: bool,
) -> Unit:
    workspace = plan_workspace(program, exported.graph.name)
    scratch = _rounded(workspace.nbytes)
    made = core(program, prefix, embed=True, stoppable=False, arrays=arrays, optional=optional, scratch=scratch)
    entries = tuple(_entries(exported, program, made, names))
    spare: dict[int, int] = {}
    first = end = scratch + made.scratch
    for entry in entries:
        at = first
        for argument in entry.arguments:
            if made.optional is not None and argument.slot in made.optional.kept:
                spare[argument.slot] = at
                at += _rounded(argument.port.nbytes)
                end = max(end, at)
    return Unit(prefix, program, made, workspace, entries, size_macro, end, scratch, spare)


def _rounded(nbytes: int) -> int:
    return -(-nbytes // 8) * 8


def _mark(program: Program) -> int:
    """What a workspace is marked with that holds a forward run of this Program and no other: 64 bits."""
    digest = hashlib.sha256(b"".join((program.words.tobytes(), program.constants))).digest()
    return int.from_bytes(digest[:8], "little")


def _entries(exported: Exported, program: Program, made: Core, names: Mapping[Segment, str]) -> Iterator[Entry]:
    """The entries, in the order of the segments; a segment without a function has none."""
    n_inputs = len(program.inputs)
    for segment, run in zip(Segment, made.segments, strict=False):
        numbered = [(slot, port, False) for slot, port in enumerate(program.inputs) if port.segment == segment]
        numbered += [(n_inputs + at, port, True) for at, port in enumerate(program.outputs) if port.segment == segment]
        if segment is not Segment.FORWARD and not any(written for _, _, written in numbered):
            continue
        words = identifiers(_port_names(exported.graph, exported.variables, segment))
        assert len(words) == len(numbered), f"{segment.name}: {words} for {numbered}"
        arguments = tuple(
            Argument(word, made.frame.members[slot], slot, port, written)
            for word, (slot, port, written) in zip(words, numbered, strict=True)
        )
        yield Entry(segment, names[segment], run, arguments)


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


def _tapes(workspace: Workspace, prefix: str) -> str:
    if not workspace.tapes:
        return ""
    rows = ",\n".join(f"    {{{tape.nbytes}, {tape.most}, {tape.where}}}" for tape in workspace.tapes)
    return f"static const pg_tape {prefix}_tapes[{len(workspace.tapes)}] = {{\n{rows}}};"


def wrapped(start: str, parts: Sequence[str], end: str = ")") -> str:
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
