"""Layered drawings: boxes and edges by geometry, layers, crossings, circles, ports, and long edges."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from pygraph.explain.crossings import crossings
from pygraph.explain.layering import backward_edges, layer_of_each
from pygraph.explain.layout import Layout, layered

Sizes = list[tuple[float, float]]
Edges = list[tuple[int, int]]


def _faults(sizes: Sizes, edges: Edges, layout: Layout, gap: float = 24.0) -> list[str]:
    """What is wrong with a drawing, by geometry alone."""
    found = []
    boxes = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)]
    for i, (left, top, right, bottom) in enumerate(boxes):
        if left < -1e-6 or top < -1e-6 or right > layout.width + 1e-6 or bottom > layout.height + 1e-6:
            found.append(f"box {i} is cut")
        for j in range(i):
            a, b, c, d = boxes[j]
            if left < c + gap - 1e-6 and a < right + gap - 1e-6 and top < d and b < bottom:
                found.append(f"boxes {j} and {i} are too near")
    for (source, target), route in zip(edges, layout.routes, strict=True):
        for (x, y), (u, v) in pairwise(route):
            for i, (left, top, right, bottom) in enumerate(boxes):
                if i in (source, target):
                    continue
                for t in (step / 20 for step in range(21)):
                    px, py = x + t * (u - x), y + t * (v - y)
                    if left < px < right and top + 1e-6 < py < bottom - 1e-6:
                        found.append(f"edge {source} to {target} goes through box {i}")
    return found


def _random(count: int, seed: int, degree: int = 2) -> tuple[Sizes, Edges]:
    rng = random.Random(seed)
    sizes = [(rng.uniform(10, 140), rng.choice((20.0, 30.0, 80.0))) for _ in range(count)]
    pairs = [(max(0, i - rng.randrange(1, 9)), i) for i in range(1, count) for _ in range(degree)]
    return sizes, list(dict.fromkeys(pairs))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 25, 60])
def test_nothing_overlaps_and_every_edge_leads_down(count: int) -> None:
    sizes, edges = _random(count, count)
    layout = layered(sizes, edges)
    assert _faults(sizes, edges, layout) == []
    assert all(layout.layers[source] < layout.layers[target] for source, target in edges)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        x, y = layout.centres[source]
        assert route[0] == pytest.approx((x, y + sizes[source][1] / 2))
        x, y = layout.centres[target]
        assert route[-1] == pytest.approx((x, y - sizes[target][1] / 2))


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(6))
def test_nothing_overlaps_in_larger_drawings(seed: int) -> None:
    sizes, edges = _random(150, seed, 3)
    assert _faults(sizes, edges, layered(sizes, edges)) == []


def test_a_chain_is_a_straight_line() -> None:
    sizes: Sizes = [(30.0 + 7 * i, 20.0) for i in range(12)]
    layout = layered(sizes, [(i, i + 1) for i in range(11)])
    assert len({round(x, 6) for x, _ in layout.centres}) == 1
    assert layout.layers == list(range(12))
    assert all(len(route) == 2 for route in layout.routes)


def test_a_tree_and_a_ladder_have_no_crossing() -> None:
    rng = random.Random(1)
    names = list(range(31))
    rng.shuffle(names)
    tree = [(names[i], names[2 * i + 1 + side]) for i in range(15) for side in (0, 1)]
    ladder = [(2 * i + s, 2 * i + 2 + s) for i in range(9) for s in (0, 1)] + [(2 * i, 2 * i + 3) for i in range(9)]
    for count, edges in ((31, tree), (20, ladder)):
        layout = layered([(20.0, 20.0)] * count, edges)
        order: list[list[int]] = [[] for _ in range(max(layout.layers) + 1)]
        for item in sorted(range(count), key=lambda i: layout.centres[i][0]):
            order[layout.layers[item]].append(item)
        lower = [[(target, 0.0) for source, target in edges if source == item] for item in range(count)]
        assert all(layout.layers[b] - layout.layers[a] == 1 for a, b in edges)
        assert crossings(order, lower) == 0


def test_crossings_are_counted() -> None:
    assert crossings([[0, 1], [2, 3]], [[(3, 0.0)], [(2, 0.0)], [], []]) == 1
    assert crossings([[0, 1], [2, 3]], [[(2, 0.0), (3, 0.0)], [(2, 0.0), (3, 0.0)], [], []]) == 1
    assert crossings([[0, 1], [2]], [[(2, 0.4)], [(2, -0.4)], []]) == 1  # at two ports of one box
    assert crossings([[0, 1], [2]], [[(2, -0.4)], [(2, 0.4)], []]) == 0


def test_edges_are_short_in_all() -> None:
    # A source that is read late is drawn late, and so is the chain that leads to it.
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (6, 4)]
    assert layer_of_each(7, edges, (), ()) == [0, 1, 2, 3, 4, 2, 3]


def test_circles_are_broken_where_they_are() -> None:
    assert backward_edges(4, [(0, 1), (1, 2), (0, 3), (3, 2)]) == set()
    edges = [(0, 1), (1, 2), (2, 0), (2, 3)]
    assert len(backward_edges(4, edges)) == 1
    sizes: Sizes = [(30.0, 20.0)] * 4
    layout = layered(sizes, edges)
    assert _faults(sizes, edges, layout) == []
    (back,) = backward_edges(4, edges)
    source, target = edges[back]
    assert layout.routes[back][0][1] == layout.centres[source][1] - 10.0
    assert layout.routes[back][-1][1] == layout.centres[target][1] + 10.0


def test_first_and_last_boxes_have_layers_of_their_own() -> None:
    sizes: Sizes = [(20.0, 10.0)] * 6
    edges = [(0, 2), (1, 3), (2, 3), (3, 4), (2, 5)]
    layout = layered(sizes, edges, first=[0, 1], last=[4, 5])
    assert layout.layers == [0, 0, 1, 2, 3, 3]
    assert _faults(sizes, edges, layout) == []


def test_ports_are_where_edges_begin_and_end() -> None:
    sizes: Sizes = [(20.0, 10.0), (20.0, 10.0), (90.0, 10.0)]
    layout = layered(sizes, [(0, 2), (1, 2)], ports=[(0.0, 30.0), (4.0, -30.0)])
    assert layout.centres[1][0] < layout.centres[0][0]  # what ends on the left comes from the left
    assert layout.routes[0][-1][0] == layout.centres[2][0] + 30.0
    assert layout.routes[1][0][0] == layout.centres[1][0] + 4.0


@pytest.mark.parametrize("count", [120, pytest.param(2000, marks=pytest.mark.deep)])
def test_what_is_too_long_goes_round_at_the_side(count: int) -> None:
    sizes: Sizes = [(60.0, 20.0 + 10 * (i % 2)) for i in range(count)]
    edges = [(i, i + 1) for i in range(count - 1)] + [(i, count - 1 - i) for i in range(count // 2 - 1)]
    layout = layered(sizes, edges)
    assert max(x for route in layout.routes for x, _ in route) > max(x for x, _ in layout.centres) + 30
    assert max(x for route in layout.routes for x, _ in route) <= layout.width
    if count < 1000:
        assert _faults(sizes, edges, layout) == []
