"""The order of a segment's nodes: what updates an array comes after all that reads it, where operands allow that.

Then nothing asks for the array's old elements any more, and the update runs in its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import prod
from typing import TYPE_CHECKING

from ..ops.leaves import constant_row as CONSTANT

if TYPE_CHECKING:
    from ..graph.node import Node


def updates_last(order: Sequence[Node], fixed: set[Node]) -> Sequence[Node]:
    """`order`, operands first, with each update as late as the other readers of what it updates ask for.

    Two nodes change places only where an update has to wait. Linear in nodes and operands, up to a logarithm.

    Args:
        fixed: nodes whose memory is never taken over, besides constants.
    """
    if all(op.updates is None for op in {node.op for node in order}):
        return order
    bases: dict[Node, Node] = {}
    updated: dict[Node, list[Node]] = {}  # per update: the arrays
    for node in order:
        if node.op.view is not None and node.inputs:
            bases[node] = bases.get(node.inputs[0], node.inputs[0])
        if node.op.updates is None:
            continue
        arrays = dict.fromkeys(bases.get(x, x) for x in node.op.updated(node.attrs, node.inputs))
        found = [x for x in arrays if prod(x.shape) > 1 and x not in fixed and x.op is not CONSTANT]
        if found:
            updated[node] = found
    if not updated:
        return order
    return _Scheduler(order, bases, updated).run()


class _Scheduler:
    """Gives out nodes that are ready, the first in the old order first; updates wait while others read their array."""

    def __init__(self, order: Sequence[Node], bases: dict[Node, Node], updated: dict[Node, list[Node]]) -> None:
        self.order = order
        self.place = {node: at for at, node in enumerate(order)}
        self.updated = updated
        self.missing = [0] * len(order)  # operands that are not there yet
        self.users: dict[Node, list[int]] = {}
        arrays = {array for found in updated.values() for array in found}
        self.reads: dict[Node, list[Node]] = {}  # which of these arrays a node reads
        self.left: dict[Node, int] = dict.fromkeys(arrays, 0)  # nodes that still have to read one
        self.updates: dict[Node, list[int]] = {array: [] for array in arrays}
        for at, node in enumerate(order):
            for array in updated.get(node, ()):
                self.updates[array].append(at)
            for x in dict.fromkeys(node.inputs):
                if x in self.place:
                    self.missing[at] += 1
                    self.users.setdefault(x, []).append(at)
            read = [x for x in dict.fromkeys(bases.get(x, x) for x in node.inputs) if x in arrays]
            if read:
                self.reads[node] = read
                for array in read:
                    self.left[array] += 1

    def run(self) -> list[Node]:
        """All nodes in their new order."""
        ready = [at for at, count in enumerate(self.missing) if not count]
        held: list[int] = []
        given: list[Node] = []
        done, tried = [False] * len(self.order), [False] * len(self.order)

        def clear(node: Node) -> bool:
            """Whether nothing else has to read the arrays that `node` updates."""
            return all(self.left[array] <= 1 for array in self.updated.get(node, ()))

        while ready or held:
            at = heappop(ready or held)
            node = self.order[at]
            if done[at]:
                continue
            if not clear(node) and not tried[at]:
                tried[at] = True
                heappush(held, at)
                continue
            done[at] = True
            given.append(node)
            for user in self.users.get(node, ()):
                self.missing[user] -= 1
                if not self.missing[user]:
                    heappush(ready, user)
            for array in self.reads.get(node, ()):
                self.left[array] -= 1
                if self.left[array] == 1:
                    for waiter in self.updates[array]:
                        if tried[waiter] and not done[waiter] and clear(self.order[waiter]):
                            heappush(ready, waiter)
        return given
