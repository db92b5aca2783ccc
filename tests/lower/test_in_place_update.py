"""Updates run in place: what a step of a loop costs does not depend on the size of the array it updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from programs import bodies_of, derived

import pygraph as pg
from pygraph.graph import Graph
from pygraph.lower import lower
from pygraph.lower.body import Share
from pygraph.lower.decode import decode
from pygraph.lower.instructions import Loop
from pygraph.optimize import optimize

N = 200
Body = Callable[[Any, Any], Any]


def carried(step: Body, *start: Any) -> Graph:
    """A loop over `step`, which takes the index and the carry, that begins with copies of the arguments."""
    graph = pg.trace(lambda *state: pg.fori_loop(1, N, step, state), *start)
    return Graph(graph.inputs, tuple(graph.outputs))


def shares(graph: Graph) -> list[Sequence[Share]]:
    """The shares of the bodies that are not the main one."""
    return [body.shares for body in bodies_of(optimize(graph))[1:]]


def touched(graph: Graph, derivatives: bool = False) -> int:
    """The elements that the LOOPs of all steps go over."""
    whole = derived(graph) if derivatives else (optimize(graph), None, None)
    bodies = decode(lower(*whole))
    return sum(
        int(np.prod(instruction.dims))
        for body in bodies[1:]
        for segment in body.segments
        for instruction in segment
        if isinstance(instruction, Loop)
    )


vector, matrix = np.linspace(-1, 1, N), np.linspace(-1, 1, 2 * N).reshape(N, 2)


def choose(i: Any, s: Any) -> Any:
    put = lambda x: x.at[i].set(x[i - 1] * 0.5)  # noqa: E731
    return (pg.cond(i % 2 == 0, put, lambda x: x, s[0]),)


def nested(i: Any, s: Any) -> Any:
    return (pg.fori_loop(0, 3, lambda j, x: x.at[i - j].add(np.sin(x[i])), s[0].at[0].set(0.1)),)


def grown(i: Any, s: Any) -> Any:
    return (pg.while_loop(lambda x: x[i] < 2.0, lambda x: x.at[i].add(1.0), s[0], limit=5),)


ONE: dict[str, tuple[Body, Any]] = {
    "an element": (lambda i, s: (s[0].at[i].set(np.sin(s[0][i - 1]) * 0.5 + 1.0),), vector),
    "two after another": (lambda i, s: (s[0].at[i].set(s[0][i - 1]).at[0].add(s[0][3] * s[0][i]),), vector),
    "several": (lambda i, s: (s[0].at[pg.stack([i, 0, i - 1])].set(s[0][:3] * s[0][i]),), vector),
    "a part of itself": (lambda i, s: (s[0].at[1:3].set(s[0][:2]),), vector),
    "a row": (lambda i, s: (s[0].at[i].set(s[0][i - 1] * s[0][0]),), matrix),
    "an element of a row": (lambda i, s: (s[0].at[i, 1].add(s[0][i - 1, 0] ** 2),), matrix),
    "a branch": (choose, vector),
    "a loop inside": (nested, vector),
    "a loop of run-time length": (grown, vector),
}


@pytest.mark.parametrize("name", ONE)
def test_no_step_copies_the_array(name: str) -> None:
    step, start = ONE[name]
    graph = carried(step, start)
    assert any(shares(graph)), "nothing is updated in place"
    assert touched(graph) < N, "a step goes over the whole array"
    assert touched(graph, derivatives=True) < N, "a step of a derivative goes over the whole array"


def test_what_reads_old_elements_later_keeps_the_copy() -> None:
    def later(i: Any, s: Any) -> Any:
        new = s[0].at[i].set(2.0)
        where = pg.astype(new[i], "int64")  # which element of the old array is asked for depends on the new one
        return (new.at[0].set(s[0][where]),)

    assert shares(carried(later, vector)) == [[]]
    assert shares(carried(lambda i, s: (s[1], s[0].at[i].set(0.5)), vector, vector)) == [[]], "a swap"


def test_an_array_in_two_places_is_copied_where_it_has_to_be() -> None:
    def both(i: Any, s: Any) -> Any:
        return s[0].at[i].set(s[1][i] + 1.0), s[1].at[i - 1].set(s[0][i])

    graph = pg.trace(lambda x: pg.fori_loop(1, N, both, (x, x)), vector)
    (found,) = shares(Graph(graph.inputs, tuple(graph.outputs)))
    assert len(found) == 2
    assert touched(Graph(graph.inputs, tuple(graph.outputs))) == 0


def test_updates_in_line_need_no_copies() -> None:
    def in_line(x: Any, v: Any) -> Any:
        for k in range(20):
            x = x.at[k].set(v[k] * x[k + 1])
        return x

    graph = pg.trace(in_line, vector, vector)
    program = lower(optimize(graph))
    loops = [x for body in decode(program) for segment in body.segments for x in segment if isinstance(x, Loop)]
    assert len(loops) == 1, "the argument is copied once"
    assert program.arena_bytes < 20 * vector.nbytes


def test_one_result_each_where_fusion_is_off() -> None:
    graph = carried(*ONE["an element"])
    assert all(not body.shares for body in decode(lower(optimize(graph), fuse=False)))


@pytest.mark.parametrize("n", [70, 140])
def test_the_gradient_of_updates_in_line_copies_nothing(n: int) -> None:
    def total(x: Any) -> Any:
        a = x * 0.5
        for k in range(n):
            a = a.at[k].set(np.sin(x[k]) * a[k - 1])
        return np.sum(a * a)

    graph = pg.trace(total, np.linspace(0.1, 1, n))
    whole = derived(Graph(graph.inputs, tuple(graph.outputs)))
    loops = [
        x for body in decode(lower(*whole)) for segment in body.segments[:2] for x in segment if isinstance(x, Loop)
    ]
    assert sum(int(np.prod(x.dims)) for x in loops) <= 12 * n, "each write copies the array"
