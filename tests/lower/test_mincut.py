"""Minimum cuts against all cuts of small graphs, and the time that long graphs take, in steps."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from pygraph.lower.mincut import Network

Edge = tuple[int, int, int]


def capacity(side: list[bool], edges: list[Edge]) -> int:
    return sum(c for tail, head, c in edges if side[tail] and not side[head])


def network(count: int, edges: list[Edge]) -> Network:
    made = Network(count)
    for edge in edges:
        made.connect(*edge)
    return made


@pytest.mark.parametrize("seed", range(150))
def test_no_cut_is_smaller(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b and rng.random() < 0.5]
    edges = [(a, b, int(rng.choice([0, 1, 2, 5, 9, 1 << 62], p=[0.1, 0.25, 0.25, 0.2, 0.1, 0.1]))) for a, b in pairs]
    side = network(count, edges).source_side()
    assert side[Network.SOURCE]
    cuts = [[True, False, *rest] for rest in product([True, False], repeat=count - 2)]
    best = min(capacity(cut, edges) for cut in cuts)
    if best < 1 << 62:
        assert not side[Network.SINK]
        assert capacity(side, edges) == best
        nearest = min(sum(cut) for cut in cuts if capacity(cut, edges) == best)
        assert sum(side) == nearest


def test_parallel_edges_and_edges_in_both_directions_add_up() -> None:
    edges = [(0, 2, 3), (0, 2, 4), (2, 3, 5), (3, 2, 9), (2, 3, 1), (3, 1, 8)]
    assert network(4, edges).source_side() == [True, False, True, False]


def test_a_long_path_needs_no_recursion() -> None:
    count = 50_000
    edges = [(0, 2, 7), *((at, at + 1, 9) for at in range(2, count - 1)), (count - 1, 1, 8)]
    side = network(count, edges).source_side()
    assert side == [True] + [False] * (count - 1)
