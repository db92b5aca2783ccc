"""Small parts of a graph written out element by element, so that each zero and one of their constants is seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ...graph.construction import constant
from ...graph.graph import Graph
from ...graph.node import Node
from ...graph.rewriting import rebuilt
from ...graph.source import attributed
from ...ops.leaves import constant_row as CONSTANT
from ..cost import flops_of
from .scalarise import LIMIT, Parts, assembled, elements_of

#: Most operations on single elements that are written out.
MOST = 16_384


def by_elements(graph: Graph) -> Graph | None:
    """`graph` with the operations on small arrays in it as operations on single elements; None where there are none.

    At most `MOST` are made. Sums of an array then run from its first element to its last. Other operations take arrays
    that are put together.

    Example:
        >>> x = pg.var("x", (2,))
        >>> by_elements(pg.Graph([x], np.eye(2) @ x)).outputs[0].shape
        (2,)
    """
    parts = _Written()
    done: dict[Node, Node] = {}  # what is not written out
    for node in graph.nodes:
        with attributed(node.line):
            if not _is_small(node) or not parts.takes(node):
                done[node] = rebuilt(node, [_whole(x, parts, done) for x in node.inputs])
                if node.results is None and 0 < prod(node.shape) <= LIMIT:
                    parts.give(node, _elements(done[node]))
    if not parts.written:
        return None
    outputs = [_whole(y, parts, done) for y in graph.outputs]
    return Graph.from_parts(graph.inputs, outputs, graph.output_tree, graph.input_tree, graph.name)


def _is_small(node: Node) -> bool:
    if not node.inputs or any(x.results is not None for x in (node, *node.inputs)):
        return False
    sizes = [prod(x.shape) for x in (node, *node.inputs)]
    return min(sizes) > 0 and max(sizes) <= LIMIT


def _whole(node: Node, parts: _Written, done: dict[Node, Node]) -> Node:
    """A node as one array."""
    if node not in done:
        made: Sequence[Node] = parts.of(node)
        done[node] = made[0] if not node.shape else assembled(made, node.shape, node.dtype)
    return done[node]


class _Written(Parts):
    """The elements of nodes, those of operations that are written out and those that are read from other nodes."""

    def __init__(self) -> None:
        super().__init__(_unknown, limit=MOST)
        self.written = 0

    def takes(self, node: Node) -> bool:
        """Write a node out; False where it is no operation for that."""
        work = flops_of(node)
        positions = self._operation(node) if self.size + work <= MOST else None
        if positions is None:
            return False
        self._known[node] = positions
        self.size += work
        self.written += 1
        return True


def _elements(node: Node) -> list[Node]:
    """The elements of a node that is not written out: numbers, where they are known."""
    if node.inputs or node.op.reference is None:
        return elements_of(node)
    values = node.attrs["value"].value if node.op is CONSTANT else np.asarray(node.op.reference(**node.attrs))
    return [constant(np.asarray(value, node.dtype)) for value in values.ravel()]


def _unknown(node: Node) -> list[Node]:
    raise AssertionError(f"{node!r} comes before what it is an operand of")
