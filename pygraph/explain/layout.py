"""A layered drawing: where each box is, and how each edge goes from one to another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .coordinates import horizontal
from .crossings import ordered_layers
from .layering import backward_edges, layer_of_each, too_long

__all__ = ["Layout", "layered"]

Point = tuple[float, float]

#: Layers that edges pass through, for each box, before the longest go round at the side.
_PASSED = 6


@dataclass(frozen=True)
class Layout:
    """The result of `layered`; y grows downwards, and nothing is left of or above (0, 0).

    Attributes:
        centres: the middle of each box.
        routes: for each edge its corners, from the bottom of the source's box to the top of the target's; an edge that
            closes a circle goes from the top of its source to the bottom of its target. No part of a route is inside of
            another box.
        layers: the layer of each box, from 0 at the top.
        width, height: of the whole drawing.
    """

    centres: list[Point]
    routes: list[list[Point]]
    layers: list[int]
    width: float
    height: float


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    *,
    gap: float = 24.0,
    layer_gap: float = 40.0,
    bend: float = 6.0,
    ports: Sequence[tuple[float, float]] | None = None,
    first: Collection[int] = (),
    last: Collection[int] = (),
) -> Layout:
    """Boxes in layers from top to bottom, after Sugiyama, Tagawa and Toda (IEEE Transactions on SMC 11, 1981).

    Args:
        sizes: width and height of each box.
        edges: pairs of numbers of boxes, source and target; none leads from a box to itself.
        gap: the least distance of boxes of one layer.
        layer_gap: the distance of layers, in which edges go sideways.
        bend: the width that an edge takes where it passes through a layer, and the distance of such edges.
        ports: for each edge how far right of the middle of its source it begins and of its target it ends.
        first, last: boxes that are alone in the first and the last layer: nothing leads to the first ones, and the last
            ones lead to nothing.

    Example:
        >>> layout = layered([(40, 20), (40, 20), (40, 20)], [(0, 2), (1, 2)])
        >>> layout.layers
        [0, 0, 1]
    """
    real = len(sizes)
    turned = backward_edges(real, edges)
    downward = [(target, source) if i in turned else (source, target) for i, (source, target) in enumerate(edges)]
    layer = layer_of_each(real, downward, set(first), set(last))
    beside = too_long(layer, downward, _PASSED * real)
    offsets: list[tuple[float, float]] = [(0.0, 0.0)] * len(edges) if ports is None else list(ports)
    offsets = [(b, a) if i in turned else (a, b) for i, (a, b) in enumerate(offsets)]

    # What edges pass through is filled with bends: items after the boxes.
    widths = [width for width, _ in sizes]
    layers: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for item, number in enumerate(layer):
        layers[number].append(item)
    bends: list[list[int]] = []
    links: list[tuple[int, int, float, float]] = []
    for i, (source, target) in enumerate(downward):
        path: list[int] = []
        if i not in beside:
            for number in range(layer[source] + 1, layer[target]):
                path.append(len(widths))
                layers[number].append(len(widths))
                widths.append(bend)
            items = [source, *path, target]
            for at, (upper_item, lower_item) in enumerate(pairwise(items)):
                leaves = offsets[i][0] if at == 0 else 0.0
                enters = offsets[i][1] if at == len(path) else 0.0
                links.append((upper_item, lower_item, leaves, enters))
        bends.append(path)

    above: list[list[tuple[int, float]]] = [[] for _ in widths]
    below: list[list[tuple[int, float]]] = [[] for _ in widths]
    for upper_item, lower_item, leaves, enters in links:
        below[upper_item].append((lower_item, enters / (widths[lower_item] or 1.0) * 0.9))
        above[lower_item].append((upper_item, leaves / (widths[upper_item] or 1.0) * 0.9))
    layers = ordered_layers(layers, above, below)
    plain_above, plain_below = ([[other for other, _ in x] for x in side] for side in (above, below))
    room = [w + (gap if item < real else bend) for item, w in enumerate(widths)]
    across = horizontal(layers, plain_above, plain_below, room, real)
    shift = min((x - w / 2 for x, w in zip(across, widths, strict=True)), default=0.0)
    across = [x - shift for x in across]
    width = max((x + w / 2 for x, w in zip(across, widths, strict=True)), default=0.0)

    heights = [max((sizes[item][1] for item in row if item < real), default=0.0) for row in layers]
    tops: list[float] = []
    top = 0.0
    for height in heights:
        tops.append(top)
        top += height + layer_gap
    bottoms = [start + height for start, height in zip(tops, heights, strict=True)]
    centres = [(across[i], (tops[layer[i]] + bottoms[layer[i]]) / 2) for i in range(real)]

    lanes = _Lanes(layer, downward, beside)
    routes = []
    for i, (source, target) in enumerate(downward):
        begin = (centres[source][0] + offsets[i][0], centres[source][1] + sizes[source][1] / 2)
        end = (centres[target][0] + offsets[i][1], centres[target][1] - sizes[target][1] / 2)
        between: list[Point] = [(begin[0], bottoms[layer[source]])]
        if i in beside:
            lane = width + gap + lanes.number[source] * bend * 2
            leave = bottoms[layer[source]] + layer_gap * lanes.share(source, layer[source])
            arrive = bottoms[layer[target] - 1] + layer_gap * lanes.share(source, layer[target] - 1)
            between += [(begin[0], leave), (lane, leave), (lane, arrive), (end[0], arrive)]
        for item in bends[i]:
            number = layer[source] + 1 + item - bends[i][0]
            between += [(across[item], tops[number]), (across[item], bottoms[number])]
        between.append((end[0], tops[layer[target]]))
        route = _without_straight([begin, *between, end])
        routes.append(route[::-1] if i in turned else route)
    if beside:
        width += gap + (max(lanes.number.values()) + 1) * bend * 2
    return Layout(centres, routes, layer, width, max(bottoms, default=0.0))


class _Lanes:
    """Lanes at the side of the drawing for what is too long: one for each source, used again below its last target."""

    def __init__(self, layer: Sequence[int], edges: Sequence[tuple[int, int]], beside: Collection[int]) -> None:
        ends: dict[int, int] = {}
        gaps: dict[int, dict[int, None]] = {}
        for i in sorted(beside):
            source, target = edges[i]
            ends[source] = max(ends.get(source, 0), layer[target])
            for at in (layer[source], layer[target] - 1):
                gaps.setdefault(at, {})[source] = None
        self.number: dict[int, int] = {}
        free: list[int] = []
        for source in sorted(ends, key=lambda item: (layer[item], -ends[item])):
            lane = next((at for at, end in enumerate(free) if end < layer[source]), len(free))
            free[lane:] = [ends[source], *free[lane + 1 :]]
            self.number[source] = lane
        # In a gap, what leads to an outer lane is below what leads to an inner one, so that they cross little.
        self._shares = {
            (source, at): (i + 1) / (len(sources) + 1)
            for at, sources in gaps.items()
            for i, source in enumerate(sorted(sources, key=lambda item: self.number[item]))
        }

    def share(self, source: int, at: int) -> float:
        """How far down in the gap below layer `at` the edges of `source` go sideways."""
        return self._shares[source, at]


def _without_straight(points: Sequence[Point]) -> list[Point]:
    """A route without corners that are none, and without points that are there twice."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and kept[-2][0] == kept[-1][0] == point[0]:
            kept.pop()
        kept.append(point)
    return kept
