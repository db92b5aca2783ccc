"""Graphs and nodes as flat state for pickle, without recursion over nodes; loading interns them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import GraphError
from ..ops.leaves import input_row as INPUT
from ..ops.row import TABLE
from .construction import make
from .graph import Graph
from .interning import SHARED
from .node import Node
from .source import SourceLine
from .traversal import walk
from .tree import TreeDef

__all__ = ["State", "graph_from_state", "graph_reduced", "node_from_state", "node_reduced", "state_of"]

#: (op names, per node (op, operands, attrs, line) as numbers, distinct attrs, distinct source lines, roots)
State = tuple[
    list[str],
    list[tuple[int, tuple[int, ...], int, int]],
    list[dict[str, Any]],
    list["SourceLine | None"],
    list[int],
]


def state_of(roots: Sequence[Node]) -> State:
    """What is needed to make `roots` again, as flat lists in an order in which operands come first.

    Variables keep their identity: loaded in a process that still has them, they are the same objects.
    """
    ops: dict[str, int] = {}
    lines: dict[SourceLine | None, int] = {}
    attrs: list[dict[str, Any]] = [{}]
    rows: list[tuple[int, tuple[int, ...], int, int]] = []
    number: dict[Node, int] = {}
    for node in walk(roots):
        if node.op is INPUT:
            SHARED.setdefault((INPUT, node.items, ()), node)
        number[node] = len(rows)
        if node.attrs:
            attrs.append(node.attrs)
        rows.append(
            (
                ops.setdefault(node.op.name, len(ops)),
                tuple([number[x] for x in node.inputs]),
                len(attrs) - 1 if node.attrs else 0,
                lines.setdefault(node.line, len(lines)),
            )
        )
    return list(ops), rows, attrs, list(lines), [number[root] for root in roots]


def _nodes(state: State) -> list[Node]:
    names, rows, attrs, lines, roots = state
    missing = [name for name in names if name not in TABLE]
    if missing:
        problem = f"op {missing[0]!r} is not registered here"
        raise GraphError(problem, "import what registers it first", stage="loading", subject="a graph")
    ops = [TABLE[name] for name in names]
    nodes: list[Node] = []
    for op, operands, attr, line in rows:
        nodes.append(make(ops[op], tuple([nodes[i] for i in operands]), attrs[attr], lines[line]))
    return [nodes[i] for i in roots]


def node_reduced(node: Node) -> tuple[Any, ...]:
    """What pickle keeps of a node: see `object.__reduce__`."""
    return node_from_state, (state_of([node]),)


def node_from_state(state: State) -> Node:
    """The one root of `state`."""
    return _nodes(state)[0]


def graph_reduced(graph: Graph) -> tuple[Any, ...]:
    """What pickle keeps of a graph: see `object.__reduce__`."""
    state = state_of((*graph.inputs, *graph.outputs))
    return graph_from_state, (state, len(graph.inputs), graph.output_tree, graph.input_tree, graph.name)


def graph_from_state(state: State, n_inputs: int, output_tree: TreeDef, input_tree: TreeDef | None, name: str) -> Graph:
    """The graph whose inputs and outputs are the roots of `state`."""
    roots = _nodes(state)
    return Graph.from_parts(roots[:n_inputs], roots[n_inputs:], output_tree, input_tree, name)
