"""Replaces operations that have only a definition by what they are defined as; drops derivatives given for values."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.construction import definition_of
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.rewriting import rewrite
from ..ops.leaves import given_row as GIVEN
from .body import Body


def expand(body: Body) -> None:
    """Write out every op that gives `define`, also where a definition uses another one.

    What has a derivative given for it is, after all differentiation, only itself.
    """
    graph = body.graph
    if all(op.define is None and op is not GIVEN for op in graph.ops):
        return
    done: dict[Node, Node] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | Sequence[Node] | None:
        if node.op is GIVEN:
            return inputs[node.attrs["n_primals"] :]
        if node.op.define is None:
            return None
        done.update(zip(inputs, inputs, strict=True))  # written out already
        (found,) = rewrite([definition_of(node, inputs)], visit, done)
        return found

    outputs = rewrite(graph.outputs, visit, done, order=graph.nodes)
    body.graph = Graph.from_parts(graph.inputs, outputs, name=graph.name)
