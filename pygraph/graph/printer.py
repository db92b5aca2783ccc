"""The typed listing of a graph: one node a line, deterministic numbers, bodies indented below what runs them."""

from __future__ import annotations

from collections.abc import Iterable
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


def line_width() -> int:
    """The columns of the terminal (or of the environment's COLUMNS), 100 where there is none."""
    ensure_imported("shutil")
    import shutil

    return shutil.get_terminal_size((_COLUMNS, 24)).columns


def commented(text: str, line: SourceLine | None, width: int) -> str:
    """A line of a listing with the user's line behind it, as much of it as fits `width`."""
    if line is None:
        return text
    room = width - len(text) - len("   # ")
    comment = f"{line.place}  {line.code}".rstrip()
    if len(comment) > room:
        comment = comment[: room - 1] + "…" if room > len(line.place) + 4 else line.place
    return f"{text}   # {comment}" if len(comment) <= room else text


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
    """The graph as text.

    Example:
        >>> x = pg.var("x", (3,))
        >>> print(listing(pg.Graph([x], x + 1.0, name="next")))  # doctest: +ELLIPSIS
        graph next(x: float64[3]):
          %0 = add(x, 1.0) : float64[3]...
          return %0
    """
    return "\n".join(_lines(graph, "graph ", line_width()))


def _lines(graph: Graph, keyword: str, width: int) -> Iterable[str]:
    names = labels(graph)
    arguments = ", ".join(f"{names[node]}: {node.type_text}" for node in graph.inputs)
    yield f"{keyword}{graph.name}({arguments}):"
    for node in graph.free:
        yield f"  free {names[node]}: {node.type_text}"
    for node in graph.nodes:
        if node.op is INPUT or _is_inline(node):
            continue
        operands = [names[x] for x in node.inputs]
        arguments = ", ".join([*operands, *(f"{key}={_value(value)}" for key, value in node.attrs.items())])
        if node.op is CONSTANT:
            arguments = constant_text(node.attrs["value"].value)
        yield commented(f"  {names[node]} = {node.op.name}({arguments}) : {node.type_text}", node.line, width)
        for body in bodies_of(node):
            for inner in _lines(body, "", width - 6):
                yield "      " + inner
    yield f"  return {render(graph.output_tree, [names[node] for node in graph.outputs])}"


def _value(value: Any) -> str:
    if isinstance(value, Graph):
        return value.name
    if isinstance(value, tuple) and value and all(isinstance(x, Graph) for x in value):
        return f"({', '.join(x.name for x in value)})"
    if isinstance(value, np.dtype):
        return str(value.name)
    return repr(value)
