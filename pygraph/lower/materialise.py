"""Which results have memory: what another region reads, or a later segment, and what is an output."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ..graph.node import Node
from ..ops.leaves import input_row as INPUT
from .body import Body, BodySegment
from .views import is_known


def materialise(body: Body) -> None:
    """Find the nodes of each segment that must have memory, those that are outputs, and what later segments read."""
    for segment in body.segments:
        region_of, accesses = segment.region_of, segment.accesses
        for region in segment.regions:
            for row in region.elements:
                _need(body, segment, body.scalars.accesses[row].base)
            for node in region.nodes:
                if node in segment.in_place:
                    _concatenated(body, segment, node)
                    continue
                operands = (None,) if node.op.view is not None else node.inputs
                for access, operand in zip(accesses[node], operands, strict=True):
                    base = access.base
                    if base is not operand or region_of.get(base) is not region:
                        _need(body, segment, base)
        if segment is not body.forward:
            body.kept.update(_read_of_forward(body, segment))
        for at, node in zip(segment.outputs, body.ends(segment), strict=True):
            if node in segment.cells:
                continue
            access = segment.views.resolve(node)
            base, size = access.base, prod(access.base.shape)
            if base in segment.region_of and access.contiguous and not access.offset and prod(node.shape) == size:
                segment.ends.setdefault(base, []).append(at)
            else:
                _need(body, segment, base)


def _concatenated(body: Body, segment: BodySegment, whole: Node) -> None:
    """Of the operands of a concatenation only those need memory that no loop writes to their places, here or within."""
    nested, done = segment.nested[whole], segment.in_place[whole]
    for at, access in enumerate(segment.accesses[whole]):
        if access.base not in segment.region_of or not (done[at] or at in nested):
            _need(body, segment, access.base)


def _read_of_forward(body: Body, segment: BodySegment) -> Iterator[Node]:
    """The operations on single elements of the forward segment whose cells those of a later one read."""
    scalars, forward = body.scalars, body.forward.scalar_regions
    if forward and segment.scalar_regions:
        end = forward[-1].rows.stop
        mine = slice(segment.scalar_regions[0].rows.start, segment.scalar_regions[-1].rows.stop)
        rows = {row for column in (scalars.a, scalars.b, scalars.c) for row in column[mine] if 0 < row < end}
        yield from (node for row in rows if (node := scalars.nodes[row]) is not None)


def _need(body: Body, segment: BodySegment, base: Node) -> None:
    """Give a base node memory: in the segment that computes it, and to its end where that is another one."""
    if base in segment.cells:
        return
    if segment is body.forward or base in segment.region_of:
        segment.needed.add(base)
    elif not is_known(base) and (base.op is not INPUT or base in body.primal):
        body.kept.add(base)
        if base not in body.forward.cells:
            body.forward.needed.add(base)
