"""Concatenation without copies: which nodes a loop writes straight to their places in a larger array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from ..ops.strides import reshape_strides, row_major
from .regions import Fuser, Region
from .views import Access

if TYPE_CHECKING:
    from ..graph.node import Node


#: A loop writes at most this many operands to their places; a Program allows no more stores than registers.
MAX_INLAYS = 256


@dataclass(frozen=True, slots=True)
class Inlay:
    """An operand of a concatenation that a loop writes.

    Attributes:
        whole: the concatenation.
        offset, strides: where in its memory, over the loop's iteration space.
        source: what is written, read over that space; None for the result of the node that the inlay belongs to.
    """

    whole: Node
    offset: int
    strides: tuple[int, ...]
    source: Access | None = None


def pieces(node: Node, accesses: tuple[Access, ...]) -> Iterator[tuple[Access, int, tuple[int, ...]]]:
    """The operands of a `concatenate`, each with its offset and its strides in the result."""
    strides = row_major(node.shape)
    axis = node.attrs["axis"]
    start = 0
    for access in accesses:
        yield access, start * strides[axis], strides
        start += access.shape[axis]


class Inlays:
    """The inlays of one segment.

    An operand is one where it is the whole result of a pointwise operation of the segment, in memory order: its loop
    writes the elements where they belong, and they need no memory of their own. Operands that are known from before,
    constants for instance, go with the last such loop of their size.

    Attributes:
        of_node: by the node of the loop that makes them.
        done: for each concatenation, whether each operand is an inlay.
    """

    def __init__(self, fuser: Fuser) -> None:
        self.of_node: dict[Node, list[Inlay]] = {}
        self.done: dict[Node, list[bool]] = {}
        self.nested: dict[Node, dict[int, tuple[Node, int]]] = {}
        self._home = fuser.home
        self._counts: dict[Region, int] = {}
        for region in fuser.regions:
            node = region.nodes[0]
            if fuser.fuse and region.kind == "opaque" and node.op.name == "concatenate":
                self._concatenate(node, fuser.accesses[node])

    def _concatenate(self, whole: Node, accesses: tuple[Access, ...]) -> None:
        last: dict[int, Node] = {}  # by number of elements
        done = []
        for access, offset, strides in pieces(whole, accesses):
            size = prod(access.shape)
            written = self._is_written(access) and self._add(access.base, whole, access.shape, offset, strides)
            if written and (size not in last or self._home[last[size]].index < self._home[access.base].index):
                last[size] = access.base
            done.append(written)
        for at, (access, offset, strides) in enumerate(pieces(whole, accesses)):
            node = last.get(prod(access.shape))
            if not done[at] and node is not None and access.base not in self._home:
                done[at] = self._add(node, whole, access.shape, offset, strides, access)
        self.done[whole] = done
        self.nested[whole] = {
            at: (access.base, offset)
            for at, (access, offset, strides) in enumerate(pieces(whole, accesses))
            if access.base in self.done
            and access.contiguous
            and not access.offset
            and prod(access.shape) == prod(access.base.shape)
            and reshape_strides(access.shape, strides, access.base.shape) == row_major(access.base.shape)
        }

    def without_memory(self, whole: Node) -> list[bool]:
        """For each operand of a concatenation whether it may do without memory of its own."""
        return [done or at in self.nested[whole] for at, done in enumerate(self.done[whole])]

    def settle(self, needed: Callable[[Node], bool]) -> None:
        """Put concatenations into the larger ones that they are operands of, but those that are `needed` themselves."""
        if not self.nested:
            return
        at_home: dict[Node, list[tuple[list[Inlay], int]]] = {}  # the inlays of each concatenation
        for inlays in self.of_node.values():
            for i, inlay in enumerate(inlays):
                at_home.setdefault(inlay.whole, []).append((inlays, i))
        readers = Counter(part for operands in self.nested.values() for part, _ in operands.values())
        for whole, operands in self.nested.items():  # operands first
            for at, (part, offset) in operands.items():
                if readers[part] > 1 or needed(part) or not all(self.done[part]) or part not in at_home:
                    continue
                self.done[whole][at] = True
                moved = at_home.pop(part)
                for inlays, i in moved:
                    inlays[i] = replace(inlays[i], whole=whole, offset=offset + inlays[i].offset)
                at_home.setdefault(whole, []).extend(moved)

    def _is_written(self, access: Access) -> bool:
        """Whether a loop makes all elements of the operand, and in the order in which they are read."""
        base = access.base
        region = self._home.get(base)
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
        """Note an inlay of the loop that makes `node`, unless no strides express it there."""
        region = self._home[node]
        steps = reshape_strides(shape, strides, node.shape)
        if steps is None or self._counts.get(region, 0) >= MAX_INLAYS:
            return False
        if source is not None:
            read = reshape_strides(shape, source.strides, node.shape)
            if read is None:
                return False
            source = Access(source.base, source.offset, node.shape, read)
        self._counts[region] = self._counts.get(region, 0) + 1
        self.of_node.setdefault(node, []).append(Inlay(whole, offset, steps, source))
        return True
