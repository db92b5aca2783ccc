"""The order of the items within each layer, in which few edges cross."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

__all__ = ["crossings", "ordered_layers"]

#: For each item its neighbours in a layer beside its own: the neighbour, and where its end is, in parts of its width.
Neighbours = Sequence[Sequence[tuple[int, float]]]

_SWEEPS = 24
_WITHOUT_GAIN = 4
#: Edges looked at in all sweeps together: large drawings get fewer.
_WORK = 300_000
_TRANSPOSITIONS = 4


def ordered_layers(layers: Sequence[Sequence[int]], upper: Neighbours, lower: Neighbours) -> list[list[int]]:
    """The layers with their items in the order found, from left to right.

    Sweeps down and up put each item at the median of its neighbours in the layer before, and then swap neighbours
    while that helps; the best order met is given (Gansner, Koutsofios, North and Vo, "A technique for drawing directed
    graphs", IEEE Transactions on Software Engineering 19, 1993).
    """
    current = _first_order(layers, lower)
    place = [0] * len(upper)
    for layer in current:
        _number(layer, place)
    best, fewest = [list(layer) for layer in current], crossings(current, lower)
    edges = sum(map(len, upper))
    without = 0
    for sweep in range(max(2, min(_SWEEPS, _WORK // (edges + 1)))):
        if not fewest or without == _WITHOUT_GAIN:
            break
        down = sweep % 2 == 0
        beside = upper if down else lower
        for at in range(len(current)) if down else range(len(current) - 1, -1, -1):
            _by_median(current[at], beside, place)
        _transpose(current, upper, lower, place)
        found = crossings(current, lower)
        without += 1
        if found < fewest:
            best, fewest, without = [list(layer) for layer in current], found, 0
    return best


def crossings(layers: Sequence[Sequence[int]], lower: Neighbours) -> int:
    """How many pairs of edges cross between layers in this order."""
    place = [0] * len(lower)
    for layer in layers:
        _number(layer, place)
    found = 0
    for layer in layers:
        met: list[float] = []
        for item in layer:
            ends = sorted(place[other] + port for other, port in lower[item])
            for end in ends:
                found += len(met) - bisect_right(met, end)
            for end in ends:
                met.insert(bisect_right(met, end), end)
    return found


def _number(layer: Sequence[int], place: list[int]) -> None:
    for at, item in enumerate(layer):
        place[item] = at


def _first_order(layers: Sequence[Sequence[int]], lower: Neighbours) -> list[list[int]]:
    """Each layer in the order in which a search from the first layers reaches its items."""
    layer_of = {item: at for at, layer in enumerate(layers) for item in layer}
    found: list[list[int]] = [[] for _ in layers]
    seen: set[int] = set()
    for layer in layers:
        for start in layer:
            stack = [start]
            while stack:
                item = stack.pop()
                if item in seen:
                    continue
                seen.add(item)
                found[layer_of[item]].append(item)
                stack += [other for other, _ in reversed(lower[item])]
    return found


def _by_median(layer: list[int], beside: Neighbours, place: list[int]) -> None:
    """Sort a layer by the medians of its items' neighbours; items without any keep their places."""
    medians: dict[int, float] = {}
    for item in layer:
        if beside[item]:
            medians[item] = _median(sorted(place[other] + port for other, port in beside[item]))
    moved = iter(sorted(medians, key=lambda item: medians[item]))
    layer[:] = [next(moved) if item in medians else item for item in layer]
    _number(layer, place)


def _median(at: Sequence[float]) -> float:
    """The middle; of two, nearer to the side on which the others are closer together."""
    half = len(at) // 2
    if len(at) % 2:
        return at[half]
    if len(at) == 2:
        return (at[0] + at[1]) / 2
    left, right = at[half - 1] - at[0], at[-1] - at[half]
    return (at[half - 1] * right + at[half] * left) / (left + right) if left + right else at[half]


def _transpose(layers: Sequence[list[int]], upper: Neighbours, lower: Neighbours, place: list[int]) -> None:
    """Swap neighbours in their layer where fewer edges cross then, in place."""
    waiting = set(range(len(layers)))
    for _ in range(_TRANSPOSITIONS):
        swapped = set()
        for at in sorted(waiting):
            layer = layers[at]
            for i in range(len(layer) - 1):
                left, right = layer[i], layer[i + 1]
                gain = 0
                for side in (upper, lower):
                    if side[left] and side[right]:
                        gain += _gain(side[left], side[right], place)
                if gain > 0:
                    layer[i], layer[i + 1] = right, left
                    place[left], place[right] = i + 1, i
                    swapped.add(at)
        if not swapped:
            break
        waiting = {other for at in swapped for other in (at - 1, at, at + 1) if 0 <= other < len(layers)}


def _gain(left: Sequence[tuple[int, float]], right: Sequence[tuple[int, float]], place: Sequence[int]) -> int:
    """By how much fewer edges cross when two neighbours swap, between their ends on one side."""
    if len(left) == len(right) == 1:
        (a, at), (b, bt) = left[0], right[0]
        one, other = place[a] + at, place[b] + bt
        return (one > other) - (one < other)
    ends = sorted(place[other] + port for other, port in right)
    gain = 0
    for other, port in left:
        end = place[other] + port
        at = bisect_right(ends, end)
        equal = at
        while equal and ends[equal - 1] == end:
            equal -= 1
        gain += equal - (len(ends) - at)
    return gain
