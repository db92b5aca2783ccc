"""The memory plan as a table: what each value of the arena holds, where it lies, and for how long."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph.node import DType, Node
from ..graph.printer import commented, line_width
from ..graph.source import SourceLine, type_text
from ..ops.leaves import output_row as OUTPUT
from .body import Body
from .format import SlotKind
from .program import Micro
from .steps import CELL, ScalarOperation, Value, one_by_one


@dataclass(frozen=True, slots=True)
class PlannedValue:
    """A value of the arena.

    Attributes:
        text: the operation that makes it, and its type.
        nbytes: its size; a single element has a cell of 8 bytes.
        first, last: the first and the last step that touches it; -1 for a constant, which is there from the start.
        kept: it is a constant, or a later segment may read it at any time: nothing else ever takes its place.
        offset: where it lies in the arena, in bytes.
        line: the user's line that it comes from.
        read_by: of what is kept for later segments: the segment, operation and line of each step there that reads it.
    """

    text: str
    nbytes: int
    first: int
    last: int
    kept: bool
    offset: int
    line: SourceLine | None
    read_by: tuple[tuple[str, str, SourceLine | None], ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the values of a Program lie; `str()` is a table.

    Attributes:
        arena_bytes: of each body, the size of its arena: the function itself first, then what loops and branches run,
            whose arenas lie in workspaces of the bodies that run them.
        values: of each body the values of its arena, in the order of their first use.
        steps: how many steps each segment of the function itself has, then each other body.
    """

    arena_bytes: tuple[int, ...]
    values: tuple[tuple[PlannedValue, ...], ...]
    steps: tuple[tuple[int, ...], ...] = ()

    def __str__(self) -> str:
        return self.table()

    def table(self, most: int | None = None) -> str:
        """The values of each body; where there are more than `most`, the largest of them."""
        lines = [
            line
            for number, (arena_bytes, values) in enumerate(zip(self.arena_bytes, self.values, strict=True))
            for line in _table(number, arena_bytes, values, most)
        ]
        return "\n".join([*lines, *_reasons(self.values[0], most)])


def memory_plan(bodies: Sequence[Body]) -> MemoryPlan:
    """The plan of bodies that went through all stages."""
    steps = tuple(tuple(sum(step.count for step in x.steps) for x in body.segments) for body in bodies)
    return MemoryPlan(tuple(body.arena_bytes for body in bodies), tuple(map(_values, bodies)), steps)


_HEADINGS = ("value", "bytes", "first", "last", "offset")


def largest(values: Sequence[PlannedValue], most: int | None) -> Sequence[PlannedValue]:
    """The largest values, `most` of them, in their order."""
    if most is None or len(values) <= most:
        return values
    kept = sorted(range(len(values)), key=lambda at: -values[at].nbytes)[:most]
    return [values[at] for at in sorted(kept)]


def _table(number: int, arena_bytes: int, values: Sequence[PlannedValue], most: int | None) -> list[str]:
    title = f"memory of body {number}: {len(values)} values, arena {arena_bytes} bytes"
    if not values:
        return [title]
    rows = [_HEADINGS]
    shown = largest(values, most)
    for value in shown:
        last = "kept" if value.kept else str(value.last)
        rows.append((value.text, str(value.nbytes), str(value.first), last, str(value.offset)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text, *numbers = widths
    lines = [
        "  ".join(["", row[0].ljust(text), *(cell.rjust(width) for cell, width in zip(row[1:], numbers, strict=True))])
        for row in rows
    ]
    width = line_width()
    left = [f"  … and {len(values) - len(shown)} smaller ones"] if len(shown) < len(values) else []
    return [title, lines[0], *(commented(line, x.line, width) for line, x in zip(lines[1:], shown, strict=True)), *left]


def _reasons(values: Sequence[PlannedValue], most: int | None) -> list[str]:
    """Why values are kept: a line for each, and for each step that reads it."""
    kept = [value for value in values if value.read_by]
    if not kept:
        return []
    lines, width = [f"kept for later segments: {sum(value.nbytes for value in kept)} bytes"], line_width()
    shown = largest(kept, most)
    for value in shown:
        lines.append(f"  {value.text}, {value.nbytes} bytes, is read by")
        for segment, text, line in value.read_by:
            lines.append(commented(f"    {segment}: {text}", line, width))
    if len(shown) < len(kept):
        lines.append(f"  … and {len(kept) - len(shown)} smaller ones")
    return lines


def _readers(body: Body) -> dict[Value, tuple[tuple[str, str, SourceLine | None], ...]]:
    """What reads each value that the forward segment keeps."""
    found: dict[Value, dict[tuple[str, str, SourceLine | None], None]] = {}
    for segment in body.later:
        for step in one_by_one(segment.steps):
            for value in step.reads:
                if value.root.kept and value.root.kind is SlotKind.ARENA:
                    node = body.unit.nodes[step.node]
                    reader = (segment.which.name.lower(), node.op.name, node.line)
                    found.setdefault(value.root, {})[reader] = None
    return {value: tuple(readers) for value, readers in found.items()}


def _values(body: Body) -> tuple[PlannedValue, ...]:
    nodes: dict[Value, Node] = {}
    for segment in body.segments:
        nodes.update((body.cell_values[row], node) for node, row in segment.cells.items())
        for node, value in segment.values.items():
            nodes.setdefault(value.root, node)
    found: dict[Value, PlannedValue] = {}
    readers = _readers(body) if body.is_main else {}

    def add(value: Value, text: str, first: int, last: int, node: Node | None) -> None:
        nbytes = CELL if value.cell else value.nbytes
        line = None if node is None else node.line
        reasons = readers.get(value, ()) if first >= 0 else ()
        found[value] = PlannedValue(text, nbytes, first, last, value.kept, value.offset, line, reasons)

    for (dtype, content), value in body.constants.items():
        text = f"{np.frombuffer(content, dtype)[0]} : {dtype.name}"
        add(value, text, -1, value.end, nodes.get(value))
    for now, step in enumerate(one_by_one(body.steps)):
        made_by = body.unit.nodes[step.node]
        part = "element of " if isinstance(step, ScalarOperation) and step.micro == Micro.LOAD else ""
        for value in step.writes:
            root = value.root
            if root not in found and root.kind is SlotKind.ARENA and root.nbytes:
                node = nodes.get(root, made_by)
                add(root, part + _text(node), now, root.end, node)
        for value in step.temporaries:
            if value.nbytes:
                add(value, f"workspace of {made_by.op.name}", now, now, made_by)
    return tuple(found.values())


def _text(node: Node) -> str:
    """What a value of a node is: its operation and type; of an operation with several results, which one."""
    if node.op is OUTPUT:
        return f"result {node.attrs['index']} of {node.inputs[0].op.name} : {node.type_text}"
    if node.results is not None:
        return f"unused result of {node.op.name}"
    return repr(node)[1:-1] if not node.inputs else _said(node.op.name, node.shape, node.dtype)


@functools.lru_cache(maxsize=1024)
def _said(name: str, shape: tuple[int, ...], dtype: DType) -> str:
    return f"{name} : {type_text(shape, dtype)}"
