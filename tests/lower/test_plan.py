"""The memory plan: no two values that are alive at once share memory; memory is reused; the plan prints as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fuzz.graphs import grow
from programs import bodies_of, derived, opcodes

import pygraph as pg
from pygraph.graph import Graph, scan, var
from pygraph.lower import lower, memory_plan
from pygraph.lower.format import SlotKind
from pygraph.lower.specification import planned
from pygraph.lower.steps import LoopStep
from pygraph.ops import exp, matmul, sin, tanh


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("fuse", [True, False])
def test_live_ranges_never_overlap(seed: int, fuse: bool) -> None:
    graph = grow(seed + 500, 10 + seed).graph
    whole, segments, groups = derived(graph)
    bodies = [*bodies_of(graph, fuse=fuse), *bodies_of(whole, segments, groups, fuse)]
    assert [problem for body in bodies for problem in planned(body)] == []


def test_the_check_finds_broken_plans() -> None:
    """Moving any array onto another one that is alive is noticed."""
    x = var("x", (100,))
    first, second = sin(x), exp(x)
    graph = Graph([x], matmul(first.reshape(10, 10), second.reshape(10, 10)) @ first.reshape(10, 10))
    (body,) = bodies_of(graph, fuse=False)
    assert not list(planned(body))
    values = list(dict.fromkeys(v for step in body.steps for v in step.writes if v.kind is SlotKind.ARENA))
    found = 0
    for value in values:
        for other in values:
            kept, value.offset = value.offset, other.offset
            found += bool(list(planned(body)))
            value.offset = kept
    assert found >= 4
    body.arena_bytes -= 64
    assert "outside an arena" in next(planned(body))


def test_results_take_the_memory_of_dying_operands() -> None:
    x = var("x", (1000,))
    bodies = bodies_of(Graph([x], matmul(sin(tanh(exp(x))), x)), fuse=False)
    written = [step.writes[0] for step in bodies[0].steps if isinstance(step, LoopStep)][:3]
    assert len({value.offset for value in written}) == 1, "exp, tanh and sin run in one place"


def test_a_chain_needs_no_memory_when_fused() -> None:
    x = var("x", (1000,))
    assert lower(Graph([x], tanh(sin(exp(x))))).arena_bytes == 0
    assert lower(Graph([x], tanh(sin(exp(x)))), fuse=False).arena_bytes == 8000 // 64 * 64


@pytest.mark.parametrize("make", [lambda x: tanh(x), lambda x: matmul(x, x)], ids=["elementwise", "matmul"])
def test_arena_of_a_chain_does_not_grow(make: Callable[[Any], Any]) -> None:
    def arena(count: int) -> int:
        x = y = var("x", (20, 20))
        for _ in range(count):
            y = make(y)
        return lower(Graph([x], y), fuse=False).arena_bytes

    assert arena(50) == arena(5) <= 2 * 20 * 20 * 8


def test_inputs_and_outputs_need_no_copies() -> None:
    x, y = var("x", (50, 50)), var("y", (50, 50))
    program = lower(Graph([x, y], matmul(x, y)))
    assert program.arena_bytes == 0
    assert opcodes(program) == {"MATMUL": 1}


def rows(table: str) -> list[list[str]]:
    """The cells of a table, without the user's lines."""
    return [line.split("   # ")[0].split() for line in table.splitlines()]


def test_the_plan_prints_as_a_table() -> None:
    x = var("x", (10, 10))
    graph = Graph([x], matmul(sin(x), exp(x) * 2.0) + x[3, 0] * 0.5)
    assert rows(str(memory_plan(bodies_of(graph)))) == [
        ["memory", "of", "body", "0:", "7", "values,", "arena", "2560", "bytes"],
        ["value", "bytes", "first", "last", "offset"],
        ["2.0", ":", "float64", "8", "-1", "kept", "0"],
        ["0.5", ":", "float64", "8", "-1", "kept", "8"],
        ["sin", ":", "float64[10,", "10]", "800", "0", "1", "64"],
        ["multiply", ":", "float64[10,", "10]", "800", "0", "1", "896"],
        ["matmul", ":", "float64[10,", "10]", "800", "1", "4", "1728"],
        ["element", "of", "x", ":", "float64[10,", "10]", "8", "2", "3", "16"],
        ["multiply", ":", "float64", "8", "3", "4", "16"],
    ]


def test_a_plan_shows_what_is_kept_and_the_arenas_of_loops() -> None:
    x = var("x", (50,))
    last, _ = scan(lambda c, _: (tanh(c * c), None), sin(x), None, length=3)
    plan = memory_plan(bodies_of(*derived(Graph([x], last))))
    main, *bodies = plan.values
    kept = [value for value in main if value.kept]
    assert kept
    assert all("kept" in row for value, row in zip(main, rows(str(plan))[2:], strict=False) if value.kept)
    assert [value.text for value in main if value.text.startswith("result 0 of scan")]
    assert [value.nbytes for value in main if value.text == "workspace of scan"]
    assert len(bodies) == len(plan.arena_bytes) - 1 >= 2
    for arena_bytes, values in zip(plan.arena_bytes, plan.values, strict=True):
        assert all(0 <= value.offset <= arena_bytes - value.nbytes for value in values)
        assert all(-1 <= value.first <= value.last for value in values)


@pytest.mark.parametrize("seed", range(10))
def test_every_planned_value_is_shown(seed: int) -> None:
    bodies = bodies_of(*derived(grow(seed + 900, 30).graph))
    for body, values in zip(bodies, memory_plan(bodies).values, strict=True):
        roots = {value.root for step in body.steps for value in step.writes}
        written = [value for value in roots if value.kind is SlotKind.ARENA and value.nbytes]
        spare = [v for step in body.steps for v in getattr(step, "temporaries", ()) if v.nbytes]
        assert len(values) == len(written) + len(spare) + len(body.constant_cells)


def test_an_executable_shows_its_own_plan() -> None:
    x = var("x", (40,))
    graph = Graph([x], np.sum(np.sin(x) * x))
    exe = pg.compile(graph, wrt=["x"])
    plan = exe.memory()
    assert plan.arena_bytes == (exe.stats.arena_bytes,)
    assert sum(value.nbytes for value in plan.values[0] if value.kept and value.first >= 0) == exe.stats.cached_bytes
    assert str(pg.compile(graph, wrt=["x"]).memory()) == str(plan)
