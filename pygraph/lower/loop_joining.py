"""A loop whose results are first read by another loop over the same space runs in that one.

Nodes are placed one after another, so that two independent operands of a node, as in a x + b y, begin two loops.
Joined, they need no memory for what passes from the one to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import prod

from ..graph.node import Node, source_of
from .body import Body, BodySegment, Region
from .regions import MAX_LOOP_NODES, MAX_READS


@dataclass(eq=False, slots=True)
class _Loop:
    """A loop, with those that it has taken in.

    Attributes:
        regions: its regions, those that it has taken in first.
        nodes, reads: how many there are, at most.
        held: how many arrays it reads that regions make.
        readers: by index of a region that reads what it makes: how many nodes, and whether each element by element.
        order: a heap of these indices.
        pinned: something reads it whose place is not known.
    """

    regions: list[Region]
    nodes: int
    reads: int
    held: int
    readers: dict[int, tuple[int, bool]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    pinned: bool = False

    def is_read(self, reader: int, count: int, direct: bool) -> None:
        """Note that a region reads `count` of its nodes."""
        if reader not in self.readers:
            heappush(self.order, reader)
        known, all_direct = self.readers.get(reader, (0, True))
        self.readers[reader] = known + count, all_direct and direct

    def take_in(self, other: _Loop) -> None:
        """Run another loop within this one, which reads it first. Linear in the smaller of the two."""
        count, _ = other.readers.pop(heappop(other.order))
        small, large = sorted((self, other), key=lambda loop: len(loop.readers))
        for reader, (number, direct) in small.readers.items():
            large.is_read(reader, number, direct)
        self.readers, self.order = large.readers, large.order
        self.held += other.held - count
        self.nodes += other.nodes
        self.reads += other.reads
        few, many = sorted((self.regions, other.regions), key=len)
        many.extend(few)
        self.regions = many


def join_loops(body: Body) -> None:
    """Join the loops of each segment; the order of all other regions stays."""
    if body.unit.fuse:
        for segment in body.segments:
            _join(segment)


def _join(segment: BodySegment) -> None:
    regions = segment.regions
    if sum(region.kind == "loop" for region in regions) < 2:
        return
    loops, updates, joined = _loops(segment), _updates(segment), set()
    for index, region in enumerate(regions):
        loop = loops.get(region)
        if loop is None or not loop.order or loop.pinned or region.split is not None:
            continue
        reader = regions[loop.order[0]]
        target, (count, direct) = loops.get(reader), loop.readers[loop.order[0]]
        if target is None or not direct or reader.shape != region.shape or loop.held > count:
            continue  # `held`: waiting would take more memory than the results do
        if loop.nodes + target.nodes > MAX_LOOP_NODES or loop.reads + target.reads > MAX_READS:
            continue
        between = (arrays for at, arrays in updates if index < at < reader.index)
        if any(not arrays.isdisjoint(_sources(segment, loop.regions)) for arrays in between):
            continue
        target.take_in(loop)
        joined.add(region)
    if joined:
        _settle(segment, joined, loops)


def _loops(segment: BodySegment) -> dict[Region, _Loop]:
    """The loops of a segment, with their readers."""
    region_of, accesses = segment.region_of, segment.accesses
    loops = {}
    for region in segment.regions:
        if region.kind == "loop":
            held = {base for base, *_ in region.reads if base in region_of and prod(base.shape) > 1}
            loops[region] = _Loop([region], len(region.nodes), len(region.reads), len(held))
    seen: set[tuple[Node, Region]] = set()
    for node, own in accesses.items():
        reader = region_of[node]
        operands: Iterable[Node | None] = (None,) if node.op.view is not None else node.inputs
        for x, access in zip(operands, own, strict=True):
            base = access.base
            maker = region_of.get(base)
            if maker is not None and maker is not reader and maker in loops:
                loops[maker].is_read(reader.index, (base, reader) not in seen, base is x)
                seen.add((base, reader))
    for node in segment.order:
        if node not in accesses and (node.op.pointwise or (node.op.view is not None and node in region_of)):
            for x in node.inputs:
                maker = region_of.get(segment.views.resolve(x).base)
                if maker is not None and maker in loops:
                    loops[maker].pinned = True
    return loops


def _updates(segment: BodySegment) -> list[tuple[int, set[Node]]]:
    """The places of the regions that update arrays, and which."""
    found = []
    for region in segment.regions:
        arrays = {x for node in region.nodes for x in node.op.updated(node.attrs, node.inputs)}
        if arrays:
            bases = {segment.views.resolve(x).base for x in arrays}
            found.append((region.index, bases | {source_of(x) for x in arrays}))
    return found


def _sources(segment: BodySegment, regions: Iterable[Region]) -> Iterator[Node]:
    """The arrays that regions read."""
    for region in regions:
        for access in region.reads:
            yield access.base
            yield source_of(access.base)


def _settle(segment: BodySegment, joined: set[Region], loops: dict[Region, _Loop]) -> None:
    """Give the regions that remain the nodes of those that they have taken in, which come first, and their numbers."""
    segment.regions[:] = [region for region in segment.regions if region not in joined]
    for region in segment.regions:
        parts = sorted(loops[region].regions, key=lambda part: part.index) if region in loops else []
        if len(parts) < 2:
            continue
        region.nodes = [node for part in parts for node in part.nodes]
        region.bases = set().union(*(part.bases for part in parts))
        segment.region_of.update(dict.fromkeys(region.nodes, region))
        reads = set().union(*(part.reads for part in parts))
        region.reads = {access for access in reads if segment.region_of.get(access.base) is not region}
    for index, region in enumerate(segment.regions):
        region.index = index
