"""Replaces operations that have only a definition by what they are defined as; drops derivatives given for values."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.construction import as_node, make, topological
from ..graph.graph import Graph
from ..graph.node import Node
from ..ops.leaves import given_row as GIVEN
from ..ops.leaves import output_row as OUTPUT
from .body import Body


def expand(body: Body) -> None:
    """Write out every op that gives `define`, also where a definition uses another one.

    What has a derivative given for it is, after all differentiation, only itself.
    """
    graph = body.graph
    outputs = _expanded(graph.outputs)
    if outputs is not graph.outputs:
        body.graph = Graph.from_parts(graph.inputs, outputs, name=graph.name)


def _expanded(result: Sequence[Node]) -> Sequence[Node]:
    while True:
        order = topological(result)
        if all(node.op.define is None and node.op is not GIVEN for node in order):
            return result
        new: dict[Node, Node] = {}
        for node in order:
            inputs = tuple(new[x] for x in node.inputs)
            if node.op.define is not None:
                new[node] = as_node(node.op.define(*inputs, **node.attrs))
            elif node.op is OUTPUT and node.inputs[0].op is GIVEN:
                given = node.inputs[0]
                new[node] = new[given.inputs[given.attrs["n_primals"] + node.attrs["index"]]]
            elif any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
                new[node] = make(node.op, inputs, node.attrs)
            else:
                new[node] = node
        result = [new[node] for node in result]
