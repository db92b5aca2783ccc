"""The typed listing of a graph in columns: one node a line, deterministic numbers, bodies below what runs them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..concurrency import ensure_imported
from ..ops.constant_array import constant_text
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT
from .graph import Graph, bodies_of
from .node import Node
from .source import SourceLine
from .tree import render

__all__ = ["commented", "labels", "line_width", "listing"]

#: The columns of a listing that is not written to a terminal.
_COLUMNS = 100
#: The most characters of a name, an operation and a type that others are lined up with.
_MOST = (12, 44, 24)


def line_width() -> int:
    """The columns of the terminal (or of the environment's COLUMNS), 100 where there is none."""
    ensure_imported("shutil")
    import shutil

    return shutil.get_terminal_size((_COLUMNS, 24)).columns


def commented(text: str, line: SourceLine | None, width: int) -> str:
    """A line of a listing with the user's line behind it, as much of it as fits `width`."""
    if line is None:
        return text.rstrip()
    room = width - len(text) - len("   # ")
    comment = f"{line.place}  {line.code}".rstrip()
    if len(comment) > room:
        comment = comment[: room - 1] + "…" if room > len(line.place) + 4 else line.place
    return f"{text}   # {comment}" if len(comment) <= room else text.rstrip()


def labels(graph: Graph) -> dict[Node, str]:
    """How a listing refers to each node: inputs by name, scalar constants by value, all else by number (`%3`)."""
    names: dict[Node, str] = {}
    taken: set[str] = set()
    for node in (*graph.inputs, *graph.free):
        name = node.attrs["name"]
        while name in taken:
            name += "'"
        taken.add(name)
        names[node] = name
    count = 0
    for node in graph.nodes:
        if node in names:
            continue
        if _is_inline(node):
            names[node] = constant_text(node.attrs["value"].value)
        else:
            names[node] = f"%{count}"
            count += 1
    return names


def _is_inline(node: Node) -> bool:
    return node.op is CONSTANT and not node.shape


def listing(graph: Graph) -> str:
    """The graph as text: names, operations and types below one another, the user's line at the first of its nodes.

    Written to a terminal, lines are cut to its width. Elsewhere only what stands behind the types is.

    Example:
        >>> x = pg.var("x", (3,))
        >>> print(listing(pg.Graph([x], x + 1.0, name="next")))  # doctest: +ELLIPSIS
        graph next(x: float64[3]):
          %0 = add(x, 1.0) : float64[3]...
          return %0
    """
    width = line_width()
    lines = _lines(graph, "graph ", width)
    if _is_terminal():
        lines = (line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)
    return "\n".join(lines)


def _is_terminal() -> bool:
    """Whether what is printed goes to a terminal."""
    try:
        return sys.stdout is not None and sys.stdout.isatty()
    except (AttributeError, ValueError):  # it is no file, or closed
        return False


def _lines(graph: Graph, keyword: str, width: int) -> Iterator[str]:
    names = labels(graph)
    arguments = ", ".join(f"{names[node]}: {node.type_text}" for node in graph.inputs)
    yield f"{keyword}{graph.name}({arguments}):"
    for node in graph.free:
        yield f"  free {names[node]}: {node.type_text}"
    rows = [
        (node, (names[node], _operation(node, names), node.type_text))
        for node in graph.nodes
        if node.op is not INPUT and not _is_inline(node)
    ]
    columns = [
        max((len(row[at]) for _, row in rows if len(row[at]) <= most), default=0) for at, most in enumerate(_MOST)
    ]
    before = None
    for node, row in rows:
        name, operation, type_ = (text.ljust(column) for text, column in zip(row, columns, strict=True))
        place = None if node.line is None else (node.line.file, node.line.number)
        text = f"  {name} = {operation} : {type_}"
        plain = text.rstrip()
        line = commented(text, node.line, width) if place != before else plain
        yield line
        if line != plain:  # else the next node of the line says it, where there is room
            before = place
        for body in bodies_of(node):
            before = None
            for inner in _lines(body, "", width - 6):
                yield "      " + inner
    yield f"  return {render(graph.output_tree, [names[node] for node in graph.outputs])}"


def _operation(node: Node, names: Mapping[Node, str]) -> str:
    """A node's operation on its operands, with its attributes."""
    arguments = [names[x] for x in node.inputs]
    arguments += (f"{key}={_value(value)}" for key, value in node.attrs.items())
    if node.op is CONSTANT:
        arguments = [constant_text(node.attrs["value"].value)]
    return f"{node.op.name}({', '.join(arguments)})"


def _value(value: Any) -> str:
    if isinstance(value, Graph):
        return value.name
    if isinstance(value, tuple) and value and all(isinstance(x, Graph) for x in value):
        return f"({', '.join(x.name for x in value)})"
    if isinstance(value, np.dtype):
        return str(value.name)
    return repr(value)
