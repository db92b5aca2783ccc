"""Rematerialisation: which values of the forward segment later ones keep, and which they recompute, by a minimum cut.

A value that a later segment reads is kept, written by the forward segment and read by the later one; or it is
rematerialised there, from values that are kept or rematerialised in their turn. Costs are in quarters of a byte moved
to or from memory:

- a kept value costs 8 for each of its bytes: it is written once and read once;
- an input costs 12, because it is copied as well, so that the caller's array may change;
- a recomputed operation, one that is `Op.cheap`, costs 1 for each byte it works on, a division or root 7. (Measured on
  arrays that don't fit in the L1 cache, where one operation of a fused loop takes about as long as moving two of its
  bytes.)

Never rematerialised is what the cost model does not cover: other operations, single elements (they cost next to
nothing to keep), and values that must lie in memory, because an instruction of their own, or a view, reads them: these
would be written a second time. Recomputation goes at most `DEPTH` operations deep, so that a long chain is kept at
some places and recomputed, piece by piece, between these, within the loops that read the pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING

from ..graph.traversal import walk
from ..ops.leaves import input_row as INPUT
from ..ops.row import DIVISION
from .body import Body
from .mincut import Network
from .views import Views, is_known

if TYPE_CHECKING:
    from ..graph.node import Node

KEEP, COPY = 8, 12
RECOMPUTE, DIVIDE = 1, 7
DEPTH = 16


def rematerialise(body: Body) -> None:
    """Find the nodes of the forward segment that later segments recompute."""
    if body.later:
        ends = [node for segment in body.later for node in body.ends(segment)]
        later = [segment.order for segment in body.later]
        body.rematerialised = rematerialised(body.forward.order, body.forward.defines, later, ends)


def rematerialised(
    order: Sequence[Node],
    made: Callable[[Node], bool],
    later: Iterable[Sequence[Node]],
    outputs: Iterable[Node],
) -> set[Node]:
    """The nodes of the forward segment that later segments recompute.

    Args:
        order: the nodes of the forward segment, operands first.
        made: whether the forward segment computes a node that is not a view.
        later: the further nodes of each later segment.
        outputs: the outputs of the later segments.
    """
    frontier, fixed = _frontier(later, outputs)
    candidates = [x for x in frontier if x not in fixed and _is_cheap(x) and made(x)]
    if not candidates:
        return set()
    operands = _reached(made, candidates, fixed)
    depth: dict[Node, int] = {}
    for node in order:
        if node in operands and node not in fixed:
            deepest = max((depth.get(x, 0) for x in operands[node]), default=0)
            if deepest < DEPTH:
                depth[node] = deepest + 1
    return _cut(depth, operands, frontier)


def _frontier(later: Iterable[Sequence[Node]], outputs: Iterable[Node]) -> tuple[set[Node], set[Node]]:
    """The arrays that later segments read, of themselves too, and those that must lie in memory for that."""
    views = Views()
    frontier: set[Node] = set()
    in_memory: set[Node] = set()
    for nodes in later:
        for node in nodes:
            if node.op.view is not None and views.resolve(node).base is not node:
                continue
            for x in node.inputs:
                if x.results is not None or not x.shape:
                    continue
                base = views.resolve(x).base
                frontier.add(base)
                if not _in_registers(node, x, base):
                    in_memory.add(base)
    for node in outputs:
        base = views.resolve(node).base
        frontier.add(base)
        in_memory.add(base)
    return frontier, in_memory


def _is_cheap(node: Node) -> bool:
    return node.op.cheap and prod(node.shape) > 1


def _in_registers(node: Node, x: Node, base: Node) -> bool:
    """Whether one loop can compute the operand `x` and then `node`."""
    return base is x and ((node.op.pointwise and x.shape == node.shape) or bool(node.op.combiner))


def _reached(made: Callable[[Node], bool], candidates: list[Node], fixed: set[Node]) -> dict[Node, list[Node]]:
    """What is read to compute each candidate, and what is read for that, and so on; adds to what is `fixed`."""
    views = Views()
    operands: dict[Node, list[Node]] = {}

    def further(node: Node) -> list[Node]:
        operands[node] = read = []
        found = []
        for x in node.inputs:
            base = views.resolve(x).base
            if is_known(base):
                continue
            read.append(base)
            if base.op.view is not None:  # a reshape that no strides express: a copy of its own
                fixed.add(node)
            elif not _in_registers(node, x, base):
                fixed.add(base)
            elif _is_cheap(base) and made(base):
                found.append(base)
        return found

    walk(candidates, operands=further)
    return operands


def _cut(candidates: Iterable[Node], operands: dict[Node, list[Node]], frontier: set[Node]) -> set[Node]:
    """The candidates that a minimum cut has recomputed.

    Of each candidate there are two nodes: on the sink's side of the cut lies "made", where it is recomputed, and
    "there", where it is there at all. Both are the sink itself where they are given.
    """
    number = {node: 2 + 2 * at for at, node in enumerate(candidates)}
    leaves: dict[Node, int] = {}
    for node in number:
        for x in operands[node]:
            if x not in number and x not in frontier and x not in leaves:
                leaves[x] = 2 + 2 * len(number) + len(leaves)
    network = Network(2 + 2 * len(number) + len(leaves))
    unlimited = 1 << 62
    for x, at in leaves.items():
        network.connect(Network.SOURCE, at, _keep_cost(x))
    for node, computed in number.items():
        network.connect(Network.SOURCE, computed, _recompute_cost(node))
        network.connect(computed, Network.SINK if node in frontier else computed + 1, _keep_cost(node))
        for x in dict.fromkeys(operands[node]):
            if x not in frontier:
                network.connect(number[x] + 1 if x in number else leaves[x], computed, unlimited)
    side = network.source_side()
    return {node for node, at in number.items() if not side[at]}


def _keep_cost(node: Node) -> int:
    return (COPY if node.op is INPUT else KEEP) * _bytes(node)


def _recompute_cost(node: Node) -> int:
    return (RECOMPUTE if node.op.price < DIVISION else DIVIDE) * max(map(_bytes, (node, *node.inputs)))


def _bytes(node: Node) -> int:
    return prod(node.shape) * node.dtype.itemsize
