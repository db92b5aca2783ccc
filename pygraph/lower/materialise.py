"""Which results have memory: what another region reads, or a later segment, and what is an output."""

from __future__ import annotations

from math import prod

from ..graph.node import Node
from ..ops.leaves import input_row as INPUT
from .body import Body, BodySegment
from .views import is_known


def materialise(body: Body) -> None:
    """Find the nodes of each segment that must have memory, those that are outputs, and what later segments read."""
    for segment in body.segments:
        for region in segment.regions:
            for node in region.nodes:
                operands = (None,) if node.op.view is not None else node.inputs
                done = _without_memory(segment, node) if node in segment.in_place else (False,) * len(operands)
                for access, operand, written in zip(segment.accesses[node], operands, done, strict=True):
                    made = segment.region_of.get(access.base)
                    if made is None or not (written or (access.base is operand and made is region)):
                        _need(body, segment, access.base)
        for at, node in zip(segment.outputs, body.ends(segment), strict=True):
            access = segment.views.resolve(node)
            base, size = access.base, prod(access.base.shape)
            if base in segment.region_of and access.contiguous and not access.offset and prod(node.shape) == size:
                segment.ends.setdefault(base, []).append(at)
            else:
                _need(body, segment, base)


def _without_memory(segment: BodySegment, whole: Node) -> list[bool]:
    """For each operand of a concatenation whether it may do without memory of its own."""
    return [done or at in segment.nested[whole] for at, done in enumerate(segment.in_place[whole])]


def _need(body: Body, segment: BodySegment, base: Node) -> None:
    """Give a base node memory: in the segment that computes it, and to its end where that is another one."""
    if segment is body.forward or base in segment.region_of:
        segment.needed.add(base)
    elif not is_known(base) and (base.op is not INPUT or base in body.primal):
        body.kept.add(base)
        body.forward.needed.add(base)
