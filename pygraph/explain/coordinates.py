"""Where the items of ordered layers are from left to right: edges as straight as the order lets them be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["horizontal"]

Neighbours = Sequence[Sequence[int]]


def horizontal(
    layers: Sequence[Sequence[int]], upper: Neighbours, lower: Neighbours, room: Sequence[float], real: int
) -> list[float]:
    """The centre of each item; those from number `real` on are bends of edges.

    Four alignments of each item with a median neighbour, to the left and to the right, downwards and upwards, and the
    mean of the middle two (Brandes and Köpf, "Fast and simple horizontal coordinate assignment", Graph Drawing 2001;
    the compaction is by longest paths between the blocks, which has none of the faults of the published one that
    Brandes, Walter and Zink, arXiv:2008.01252, name). Each item has `room` to itself, half of it on
    either side.
    """
    conflicts = _conflicts(layers, upper, real)
    found = []
    for downwards in (True, False):
        for leftwards in (True, False):
            turned = [list(layer) if leftwards else list(reversed(layer)) for layer in layers]
            place = {item: at for layer in turned for at, item in enumerate(layer)}
            beside = upper if downwards else lower
            root = _aligned(turned if downwards else turned[::-1], beside, place, conflicts)
            across = _compacted(turned, root, room)
            found.append((across if leftwards else [-x for x in across], leftwards))
    if not room:
        return []
    edges = [
        (min(x - w / 2 for x, w in zip(xs, room, strict=True)), max(x + w / 2 for x, w in zip(xs, room, strict=True)))
        for xs, _ in found
    ]
    low, high = min(edges, key=lambda edge: edge[1] - edge[0])
    shifts = [low - edge[0] if left else high - edge[1] for (_, left), edge in zip(found, edges, strict=True)]
    middle = []
    for item in range(len(room)):
        across = sorted(xs[item] + shift for (xs, _), shift in zip(found, shifts, strict=True))
        middle.append((across[1] + across[2]) / 2)
    return middle


def _conflicts(layers: Sequence[Sequence[int]], upper: Neighbours, real: int) -> set[tuple[int, int]]:
    """Edges, as upper and lower item, that cross the inner part of a long edge: the long one is to be straight."""
    place = {item: at for layer in layers for at, item in enumerate(layer)}
    found = set()
    for above, layer in pairwise(layers):
        begin, scanned = 0, 0
        for at, item in enumerate(layer):
            inner = next((other for other in upper[item] if item >= real and other >= real), None)
            if inner is None and at < len(layer) - 1:
                continue
            end = len(above) - 1 if inner is None else place[inner]
            for other in layer[scanned : at + 1]:
                for x in upper[other]:
                    if not begin <= place[x] <= end and (x < real or other < real):
                        found.add((x, other))
            begin, scanned = end, at + 1
    return found


def _aligned(
    layers: Sequence[Sequence[int]], beside: Neighbours, place: dict[int, int], conflicts: set[tuple[int, int]]
) -> list[int]:
    """For each item the first one of the block that it is straight below (or above)."""
    root = list(range(len(beside)))
    taken = set()
    for layer in layers:
        reached = -1
        for item in layer:
            others = sorted(beside[item], key=lambda other: place[other])
            if not others:
                continue
            half = len(others) // 2
            for other in others[half : half + 1] if len(others) % 2 else others[half - 1 : half + 1]:
                if other in taken or place[other] <= reached:
                    continue
                if (other, item) in conflicts or (item, other) in conflicts:
                    continue
                root[item] = root[other]
                taken.add(other)
                reached = place[other]
                break
    return root


def _compacted(layers: Sequence[Sequence[int]], root: Sequence[int], room: Sequence[float]) -> list[float]:
    """Blocks as far left as what is left of them allows, then as near to their right neighbours as possible."""
    apart: dict[int, dict[int, float]] = {}
    entering: dict[int, int] = {}
    for layer in layers:
        for left, right in pairwise(layer):
            one, other = root[left], root[right]
            distance = (room[left] + room[right]) / 2
            after = apart.setdefault(one, {})
            if other not in after:
                entering[other] = entering.get(other, 0) + 1
            after[other] = max(after.get(other, 0.0), distance)
    blocks = dict.fromkeys(root)
    order = [block for block in blocks if block not in entering]
    across = dict.fromkeys(blocks, 0.0)
    for block in order:
        for other, distance in apart.get(block, {}).items():
            across[other] = max(across[other], across[block] + distance)
            entering[other] -= 1
            if not entering[other]:
                order.append(other)
    for block in reversed(order):
        after = apart.get(block, {})
        if after:
            across[block] = min(across[other] - distance for other, distance in after.items())
    return [across[block] for block in root]
