"""The nodes of a graph in the order in which the user's code recorded them, so that those of one call are together."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from ..graph.node import Node
from ..ops.leaves import given_row as GIVEN
from .watching import CalledLine


def operands_of(node: Node) -> tuple[Node, ...]:
    """The operands that its value is explained by: of a function with a derivative of its own, its arguments."""
    return node.inputs[: node.attrs["n_primals"]] if node.op is GIVEN else node.inputs


def in_order(inputs: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """The inputs, then all that the outputs depend on, each after its operands, in the order of recording."""
    found = _reached([*inputs, *outputs])
    turn: dict[Node, tuple[int, int]] = {}
    for at, node in enumerate(found):
        if isinstance(node.line, CalledLine):
            turn[node] = node.line.turn, at
        else:
            turn[node] = max((turn[x][0] for x in operands_of(node)), default=-1), at
    users: dict[Node, list[Node]] = {}
    waiting: dict[Node, int] = {}
    for node in found:
        operands = set(operands_of(node))
        waiting[node] = len(operands)
        for x in operands:
            users.setdefault(x, []).append(node)
    first = set(inputs)
    order: list[Node] = []
    ready = [((-1, at) if node in first else turn[node], node) for at, node in enumerate(found) if not waiting[node]]
    queue = [(key, at, node) for at, (key, node) in enumerate(ready)]
    heapq.heapify(queue)
    count = len(queue)
    while queue:
        _, _, node = heapq.heappop(queue)
        order.append(node)
        for user in users.get(node, ()):
            waiting[user] -= 1
            if not waiting[user]:
                heapq.heappush(queue, (turn[user], count, user))
                count += 1
    return order


def _reached(roots: Sequence[Node]) -> list[Node]:
    """All nodes that the roots are explained by, each after its operands."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [(node, False) for node in reversed(roots)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(x, False) for x in reversed(operands_of(node)) if x not in seen]
    return order
