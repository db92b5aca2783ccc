"""The layers of a drawing: edges that close circles, the layer of each item, and how far edges reach."""

from __future__ import annotations

from collections.abc import Collection, Sequence

__all__ = ["backward_edges", "layer_of_each", "too_long"]

Edge = tuple[int, int]

_SWEEPS = 8


def backward_edges(count: int, edges: Sequence[Edge]) -> set[int]:
    """Numbers of the edges whose turning round leaves no circle; empty where there is none.

    The greedy order of Eades, Lin and Smyth ("A fast and effective heuristic for the feedback arc set problem",
    Information Processing Letters 47, 1993): what nothing leads to comes first, what leads to nothing comes last, else
    comes first what leads to more than leads to it.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    leaving, entering = [len(x) for x in after], [len(x) for x in before]
    left = dict.fromkeys(range(count))
    front: list[int] = []
    back: list[int] = []
    starts, ends = ([i for i in left if not degree[i]] for degree in (entering, leaving))
    while left:
        if ends:
            item, order = ends.pop(), back
        elif starts:
            item, order = starts.pop(), front
        else:
            item, order = max(left, key=lambda i: leaving[i] - entering[i]), front
        if item not in left:
            continue
        del left[item]
        order.append(item)
        for others, degree, free in ((after[item], entering, starts), (before[item], leaving, ends)):
            for other in others:
                degree[other] -= 1
                if other in left and not degree[other]:
                    free.append(other)
    place = {item: i for i, item in enumerate((*front, *reversed(back)))}
    return {i for i, (source, target) in enumerate(edges) if place[source] > place[target]}


def layer_of_each(count: int, edges: Sequence[Edge], first: Collection[int], last: Collection[int]) -> list[int]:
    """The layer of each item, from 0: edges without circles lead to later layers, and are short all together.

    The longest path to an item is where it begins; then items move up or down where that makes their edges no longer
    in all, until nothing is won. Items of `first` are alone in the first layer, those of `last` in the last.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    before: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    order = [i for i in range(count) if not before[i]]
    open_edges = [len(x) for x in before]
    layer = [0] * count
    for item in order:
        for other in after[item]:
            layer[other] = max(layer[other], layer[item] + 1)
            open_edges[other] -= 1
            if not open_edges[other]:
                order.append(other)
    for _ in range(_SWEEPS):
        won = 0
        for item in reversed(order):
            gain = len(after[item]) - len(before[item])
            if after[item] and gain >= 0:
                below = min(layer[other] for other in after[item]) - 1
                won += gain * (below - layer[item])
                layer[item] = below
        for item in order:
            gain = len(before[item]) - len(after[item])
            if before[item] and gain >= 0:
                above = max(layer[other] for other in before[item]) + 1
                won += gain * (layer[item] - above)
                layer[item] = above
        if not won:
            break
    inner = [layer[i] for i in range(count) if i not in first and i not in last]
    top, bottom = min(inner, default=0), max(inner, default=-1)
    for item in first:
        layer[item] = top - 1
    for item in last:
        layer[item] = bottom + 1
    shift = min(layer, default=0)
    return [number - shift for number in layer]


def too_long(layer: Sequence[int], edges: Sequence[Edge], most: int) -> set[int]:
    """Numbers of the longest edges, so that the others pass through at most `most` layers in all."""
    spans = sorted((layer[target] - layer[source] - 1, i) for i, (source, target) in enumerate(edges))
    passed = sum(span for span, _ in spans)
    found = set()
    while passed > most:
        span, i = spans.pop()
        passed -= span
        found.add(i)
    return found
