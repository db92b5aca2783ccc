"""The fixed tree by which gradients of parts of a batch are added up, and which process has which part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .gradient_buffers import GradientBuffers

Span = tuple[int, int]


def share(whole: int, number: int, count: int) -> Span:
    """The bounds of the part `number` of `count` parts, as equal as they can be, of so many things."""
    return whole * number // count, whole * (number + 1) // count


class SummationTree:
    """A binary tree over the parts of a batch: each sum is that of its first half and of its second half.

    A process has parts that follow each other. It adds up the largest sums that it has all parts of, the nodes; each
    process gets the nodes of all, and goes on from there. So the bits do not depend on how many processes there are.

    Args:
        parts: how many there are.
        size: how many processes.
        rank: of this process.

    Attributes:
        nodes: the parts of each node, from the first to the last.
        counts: how many nodes each process has.
        mine: the numbers of the nodes that this process has.
        parts_here: the parts that it has.
        rows: how many buffers are needed: nodes, and what they are added up in.
    """

    def __init__(self, parts: int, size: int, rank: int) -> None:
        self.parts = parts
        found = [_within((0, parts), share(parts, each, size)) for each in range(size)]
        self.counts = [len(each) for each in found]
        self.nodes = [node for each in found for node in each]
        before = sum(self.counts[:rank])
        self.mine = range(before, before + self.counts[rank])
        self.parts_here = range(*share(parts, rank, size))
        self.rows = len(self.nodes) + max(parts - 1, 0).bit_length()

    def fill(self, node: int, buffers: GradientBuffers, compute: Callable[[int, int], bool]) -> bool:
        """Add up the parts of a node: compute(part, row) puts one there, or says False where it is empty."""
        spare = len(self.nodes)

        def filled(span: Span, row: int, depth: int) -> bool:
            first, last = span
            if last - first == 1:
                return compute(first, row)
            left, right = _halves(span)
            found = filled(left, row, depth)
            # where there is no first half, the second one takes its place
            if not found:
                return filled(right, row, depth)
            if filled(right, spare + depth, depth + 1):
                buffers.add(row, spare + depth)
            return True

        return filled(self.nodes[node], node, 0)

    def combine(self, buffers: GradientBuffers, is_empty: Callable[[int], bool]) -> int:
        """Add up the nodes; the row of the sum."""
        places = {node: row for row, node in enumerate(self.nodes)}

        def total(span: Span) -> int | None:
            if span in places:
                return None if all(is_empty(part) for part in range(*span)) else places[span]
            left, right = map(total, _halves(span))
            if left is None or right is None:
                return right if left is None else left
            buffers.add(left, right)
            return left

        row = total((0, self.parts))
        assert row is not None, "a batch has at least one row"
        return row


def _halves(span: Span) -> Sequence[Span]:
    middle = (span[0] + span[1] + 1) // 2
    return (span[0], middle), (middle, span[1])


def _within(span: Span, bounds: Span) -> list[Span]:
    """The largest subtrees of the tree over `span` that lie within bounds."""
    if bounds[0] <= span[0] and span[1] <= bounds[1]:
        return [span] if span[0] < span[1] else []
    if span[1] <= bounds[0] or bounds[1] <= span[0]:
        return []
    return [node for half in _halves(span) for node in _within(half, bounds)]
