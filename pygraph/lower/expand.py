"""Replaces operations that have only a definition by what they are defined as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.build import as_node, make, topological

if TYPE_CHECKING:
    from ..graph.node import Node


def expand(outputs: Sequence[Node]) -> list[Node]:
    """`outputs` with every op that gives `define` written out, also where a definition uses another one."""
    result = list(outputs)
    while True:
        order = topological(result)
        if all(node.op.define is None for node in order):
            return result
        new: dict[Node, Node] = {}
        for node in order:
            inputs = tuple(new[x] for x in node.inputs)
            if node.op.define is not None:
                new[node] = as_node(node.op.define(*inputs, **node.attrs))
            elif any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
                new[node] = make(node.op, inputs, node.attrs)
            else:
                new[node] = node
        result = [new[node] for node in result]
