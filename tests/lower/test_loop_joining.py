"""Loops that run in the loop that reads them first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from programs import derived, instructions, opcodes, optimised

import pygraph as pg
from pygraph.graph import Graph, var
from pygraph.graph.reference import evaluate
from pygraph.lower import lower
from pygraph.lower.instructions import Loop
from pygraph.lower.regions import MAX_LOOP_NODES, MAX_READS

N = 3000  # more than what loops that share nothing may have


def vectors(count: int) -> list[Any]:
    return [var(f"x{i}", (N,)) for i in range(count)]


def check(graph: Graph, expected: dict[str, int]) -> None:
    """A Program has these instructions, and computes what an interpreter of the graph does."""
    assert opcodes(optimised(graph)) == expected
    rng = np.random.default_rng(0)
    given = [rng.uniform(0.5, 1.5, x.shape) for x in graph.inputs]
    found = pg.compile(graph, backend="vm")(*given)
    wanted = evaluate(graph, *given)
    for x, y in zip(pg.tree_leaves(found), pg.tree_leaves(wanted), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13)


def test_two_independent_operands() -> None:
    x, y = vectors(2)
    graph = Graph([x, y], 0.9 * x + 0.1 * y)
    check(graph, {"LOOP": 1})
    assert lower(graph).arena_bytes <= 64


def test_a_sum_of_many_products_has_loops_as_large_as_they_may_be() -> None:
    xs = vectors(300)
    total = sum((float(i) + 0.5) * x for i, x in enumerate(xs))
    loops = [one for one in instructions(optimised(Graph(xs, total))) if isinstance(one, Loop)]
    assert 2 <= len(loops) <= 4
    assert all(len(loop.micros) <= MAX_LOOP_NODES and len(loop.loads) <= 2 * MAX_READS for loop in loops)


def test_what_another_result_needs_is_written_once() -> None:
    x, y = vectors(2)
    scaled = 0.9 * x
    graph = Graph([x, y], (scaled, scaled + 0.1 * y, np.flip(scaled)))
    check(graph, {"LOOP": 2})


def test_a_loop_waits_for_an_instruction_that_does_not_read_it() -> None:
    m, w, x = var("m", (60, 60)), var("w", (60, 60)), var("x", (60, 60))
    check(Graph([m, w, x], 0.9 * m + 0.1 * (w @ x)), {"LOOP": 1, "MATMUL": 1})
    check(Graph([m, w, x], 0.9 * m + 0.1 * (w @ (0.9 * m))), {"LOOP": 2, "MATMUL": 1})


def test_elements_in_another_order_are_read_from_memory() -> None:
    x, y = var("x", (60, 60)), var("y", (60, 60))
    scaled = 0.9 * x
    check(Graph([x, y], scaled.T + 0.1 * y), {"LOOP": 2})
    check(Graph([x, y], scaled.T + scaled * y), {"LOOP": 2})


def test_one_element_is_read_from_memory() -> None:
    x, y = vectors(2)
    scaled = 0.9 * x
    check(Graph([x, y], scaled * 2.0 + (scaled[3] + 1.0) * y), {"LOOP": 2, "SCALAR": 1})


def test_a_reduction_is_there_before_what_reads_it() -> None:
    x, y = vectors(2)
    check(Graph([x, y], np.sum(x) * y + 0.1 * y), {"LOOP": 2})


def test_reductions_end_the_loop_that_takes_others_in() -> None:
    x, y = vectors(2)
    check(Graph([x, y], np.sum(np.sin(x) * 0.9 + np.cos(y))), {"LOOP": 1})


def test_what_is_read_before_an_update_is_read_before_it() -> None:
    x, y, v = var("x", (N,)), var("y", (N,)), var("v", ())
    a = np.sqrt(x)
    b = a.at[3].set(v)
    graph = Graph([x, y, v], (np.sin(a) + np.sin(b) * y, b))
    rng = np.random.default_rng(0)
    given = [rng.uniform(0.5, 1.5, N), rng.uniform(0.5, 1.5, N), np.array(7.0)]
    for x, y in zip(pg.compile(graph, backend="vm")(*given), evaluate(graph, *given), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13)


def test_no_memory_is_held_for_longer_than_it_saves() -> None:
    """The sum of products takes no more memory than one result, and waiting would hold them all."""
    w = var("w", (60, 60))
    parts = [w @ (w * float(i + 2)) for i in range(4)]
    early = parts[0] * parts[1] + parts[2] * parts[3]
    late = w
    for _ in range(6):
        late = late @ w
    program = optimised(Graph([w], early + late))
    assert program.arena_bytes <= 5 * 60 * 60 * 8 + 1024


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_a_step_of_an_optimiser_is_one_loop(name: str) -> None:
    opt = {"adam": pg.optim.adam(), "sgd": pg.optim.sgd(momentum=0.9, weight_decay=0.1)}[name]
    p = np.ones(N)
    graph = pg.trace(lambda g, s, p: opt.update(g, s, p), p, opt.init(p), p)
    assert opcodes(optimised(graph))["LOOP"] == 1


def test_segments_of_derivatives_have_joined_loops() -> None:
    x, y = vectors(2)
    whole, segments, groups = derived(Graph([x, y], np.sum((0.9 * x + 0.1 * y) ** 2)))
    assert opcodes(lower(whole, segments, groups))["LOOP"] == 3


def chained(count: int) -> Graph:
    xs = vectors(count // 3)
    total = xs[0]
    for x in xs[1:]:
        total = np.sin(total) + 0.5 * x
    return Graph(xs, total)


@pytest.mark.parametrize("make", [chained])
def test_the_work_grows_linearly(make: Callable[[int], Graph], monkeypatch: pytest.MonkeyPatch) -> None:
    from pygraph.lower import loop_joining as joining

    calls = 0
    push = joining.heappush

    def counted(*args: Any) -> None:
        nonlocal calls
        calls += 1
        push(*args)

    monkeypatch.setattr(joining, "heappush", counted)
    found = []
    for n in (300, 1200):
        calls = 0
        lower(make(n))
        found.append(calls)
    assert 0 < found[1] <= 4.2 * found[0] + 50
