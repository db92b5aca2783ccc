"""Concatenation without copies: which nodes a loop writes straight to their places in a larger array.

An operand of a concatenation is written there where it is the whole result of a pointwise operation of the segment, in
memory order: its loop writes the elements where they belong, and they need no memory of their own. Operands that are
known from before, constants for instance, go with the last such loop of their size. A concatenation that is an operand
of a larger one goes the same way, with all that is written into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from math import prod

from ..graph.node import Node
from ..ops.strides import reshape_strides, row_major
from .body import Body, BodySegment, Part, Region
from .views import Access

#: A loop writes at most this many operands to their places; a Program allows no more stores than registers.
MAX_PARTS = 256


def concatenate_in_place(body: Body) -> None:
    """Find the operands of concatenations that loops write to their places."""
    for segment in body.segments if body.unit.fuse else ():
        concatenations = _Concatenations(segment)
        for region in segment.regions:
            if region.kind == "opaque" and _is_concatenation(region):
                concatenations.add(region.nodes[0])


def nest_concatenations(body: Body) -> None:
    """Put concatenations into the larger ones that they are operands of, but those that need memory themselves."""
    for segment in body.segments:
        if segment.nested:
            _nest(segment)


def _nest(segment: BodySegment) -> None:
    parts_of: dict[Node, list[tuple[list[Part], int]]] = {}  # the parts of each concatenation, where they stand
    for parts in segment.parts.values():
        for i, part in enumerate(parts):
            parts_of.setdefault(part.whole, []).append((parts, i))
    readers = Counter(inner for operands in segment.nested.values() for inner, _ in operands.values())
    for whole, operands in segment.nested.items():  # operands first
        for at, (inner, offset) in operands.items():
            needed = inner in segment.needed or inner in segment.ends
            if readers[inner] > 1 or needed or not all(segment.in_place[inner]) or inner not in parts_of:
                continue
            segment.in_place[whole][at] = True
            moved = parts_of.pop(inner)
            for parts, i in moved:
                parts[i] = replace(parts[i], whole=whole, offset=offset + parts[i].offset)
            parts_of.setdefault(whole, []).extend(moved)


def pieces(node: Node, accesses: tuple[Access, ...]) -> Iterator[tuple[Access, int, tuple[int, ...]]]:
    """The operands of a row of parts, each with its offset and its strides in the result."""
    assert node.op.parts is not None
    places = node.op.parts([access.shape for access in accesses], node.shape, node.attrs)
    return ((access, offset, strides) for access, (offset, strides) in zip(accesses, places, strict=True))


def _is_concatenation(region: Region) -> bool:
    """Whether it makes an array of parts without gaps."""
    op = region.nodes[0].op
    return op.parts is not None and "f" not in op.gaps and op.updates is None


class _Concatenations:
    """Finds the parts of one segment."""

    def __init__(self, segment: BodySegment) -> None:
        self.segment = segment
        self._region_of = segment.region_of
        self._counts: dict[Region, int] = {}

    def add(self, whole: Node) -> None:
        """Find which operands of a concatenation are written in place."""
        accesses = self.segment.accesses[whole]
        last: dict[int, Node] = {}  # by number of elements
        done = []
        for access, offset, strides in pieces(whole, accesses):
            size = prod(access.shape)
            written = self._is_written(access) and self._add(access.base, whole, access.shape, offset, strides)
            if written and (size not in last or self._region_of[last[size]].index < self._region_of[access.base].index):
                last[size] = access.base
            done.append(written)
        for at, (access, offset, strides) in enumerate(pieces(whole, accesses)):
            node = last.get(prod(access.shape))
            if not done[at] and node is not None and not self.segment.defines(access.base):
                done[at] = self._add(node, whole, access.shape, offset, strides, access)
        self.segment.in_place[whole] = done
        self.segment.nested[whole] = {
            at: (access.base, offset)
            for at, (access, offset, strides) in enumerate(pieces(whole, accesses))
            if access.base in self.segment.in_place
            and access.contiguous
            and not access.offset
            and prod(access.shape) == prod(access.base.shape)
            and reshape_strides(access.shape, strides, access.base.shape) == row_major(access.base.shape)
        }

    def _is_written(self, access: Access) -> bool:
        """Whether a loop makes all elements of the operand, and in the order in which they are read."""
        base = access.base
        region = self._region_of.get(base)
        if region is None or region.kind != "loop" or base.op.combiner:
            return False
        return not access.offset and 1 < prod(access.shape) == prod(base.shape) and access.contiguous

    def _add(
        self,
        node: Node,
        whole: Node,
        shape: tuple[int, ...],
        offset: int,
        strides: tuple[int, ...],
        source: Access | None = None,
    ) -> bool:
        """Note a part of the loop that makes `node`, unless no strides express it there."""
        region = self._region_of[node]
        steps = reshape_strides(shape, strides, node.shape)
        if steps is None or self._counts.get(region, 0) >= MAX_PARTS:
            return False
        if source is not None:
            read = reshape_strides(shape, source.strides, node.shape)
            if read is None:
                return False
            source = Access(source.base, source.offset, node.shape, read)
        self._counts[region] = self._counts.get(region, 0) + 1
        self.segment.parts.setdefault(node, []).append(Part(whole, offset, steps, source))
        return True
