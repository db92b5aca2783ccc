"""Concatenation without copies: loops that write straight into the larger array, and the loader's check of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from programs import instructions, opcodes, word_of

import pygraph as pg
from pygraph.errors import ProgramError
from pygraph.graph import Graph, var
from pygraph.graph.reference import evaluate_flat
from pygraph.lower import lower
from pygraph.lower.instructions import Loop
from pygraph.runtime.call.executable import Executable
from pygraph.runtime.clib.library import Library

pytestmark = pytest.mark.sanitize

X, Y = var("x", (40,)), var("y", (40, 3))
VALUES = [np.random.default_rng(2).normal(size=node.shape) for node in (X, Y)]

#: Outputs, and how many loops they take.
CASES: dict[str, tuple[Callable[[], Any], int]] = {
    "columns": (lambda: np.stack([np.sin(X), X * 2.0, X - 1.0], axis=1), 1),
    "rows": (lambda: np.stack([np.sin(X), X * 2.0, X - 1.0]), 1),
    "reshaped at the end": (lambda: np.reshape(np.stack([np.sin(X), -X], axis=1), (20, 4)), 1),
    "constants among them": (lambda: np.stack([np.sin(X), np.zeros(40), X * X, np.arange(40.0)], axis=1), 1),
    "inputs among them": (lambda: np.concatenate([np.tanh(Y), Y[:, ::-1], Y * 2.0], axis=1), 1),
    "of other sizes": (lambda: np.concatenate([np.tanh(Y), np.sin(X)[:, None], Y[:, :2] * 2.0], axis=1), 3),
    "twice": (lambda: (lambda a: np.stack([a, X, a], axis=1))(np.sin(X)), 1),
    "used elsewhere": (lambda: (lambda a: (np.stack([a, -a], axis=1), a * 3.0, a))(np.sin(X)), 1),
    "in two": (lambda: (lambda a: (np.stack([a, X]), np.stack([a, a * a], axis=1)))(np.sin(X)), 1),
    "read afterwards": (lambda: np.stack([np.sin(X), np.cos(X)], axis=1) @ np.ones((2, 2)), 1),
    "a sum of them": (lambda: np.sum(np.stack([np.sin(X), np.cos(X)], axis=1), axis=1) * X, 3),
    "sums": (lambda: np.stack([np.sum(Y, axis=1), np.sum(Y * Y, axis=1)], axis=1), 3),
    "turned": (lambda: np.concatenate([np.tanh(Y).T, np.sin(X)[None]]), 3),
    "in one another": (lambda: np.concatenate([np.ravel(np.stack([np.sin(X), X * X], axis=1)), np.cos(X)]), 1),
    "in one another, deeper": (
        lambda: np.concatenate([-X, np.ravel(np.stack([np.stack([np.sin(X), X * X]), np.tanh(Y).T[:2]]))]),
        4,
    ),
    "in one another, and read": (
        lambda: (lambda a: (np.concatenate([np.ravel(a), np.cos(X)]), a))(np.stack([np.sin(X), X * X], axis=1)),
        2,
    ),
    "in one another, turned": (
        lambda: np.concatenate([np.stack([np.sin(X), X * X], axis=1).T, np.cos(X)[None]]),
        2,
    ),
    "in two others": (
        lambda: (lambda a: (np.concatenate([a, -X]), np.concatenate([X * 2.0, a])))(
            np.ravel(np.stack([np.sin(X), -X]))
        ),
        3,
    ),
    "only inputs": (lambda: np.stack([X, X, X[::-1]], axis=1), 3),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_loops(name: str) -> None:
    made, loops = CASES[name]
    outputs = made()
    graph = Graph([X, Y], outputs)
    program = lower(graph)
    assert opcodes(program)["LOOP"] == loops
    found = Executable(graph)(*VALUES)
    for a, b in zip(found if isinstance(outputs, tuple) else [found], evaluate_flat(graph, VALUES), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("size", [2, 63, 4096, 70_001])
def test_many_columns_by_threads(size: int) -> None:
    """Several tasks write between one another's elements."""

    def table(x: Any) -> Any:
        columns = [np.sin(x)]
        for k in range(30):
            columns.append(columns[-1] * x + float(k))
        return np.stack(columns, axis=1)

    x = np.random.default_rng(size).uniform(-1, 1, size)
    expected = [np.sin(x)]
    for k in range(30):
        expected.append(expected[-1] * x + float(k))
    for threads in (1, 3):
        found = pg.compile(table, threads=threads)(x)
        np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-14)


def test_what_is_kept_for_the_reverse_sweep() -> None:
    exe = pg.compile(pg.Graph([X], np.sum(np.tanh(np.stack([np.sin(X), X * X], axis=1)) ** 2)), wrt=["x"])
    exe.forward(VALUES[0])
    (found,) = exe.reverse()
    expected = pg.grad(lambda x: np.sum(np.tanh(np.sin(x)) ** 2) + np.sum(np.tanh(x * x) ** 2))(VALUES[0])
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_one_in_another_is_kept_for_the_reverse_sweep() -> None:
    whole = np.concatenate([np.ravel(np.stack([np.sin(X), X * X], axis=1)), np.cos(X)])
    exe = pg.compile(pg.Graph([X], np.sum(np.tanh(whole) ** 2)), wrt=["x"])
    exe.forward(VALUES[0])
    (found,) = exe.reverse()
    parts = (np.sin, lambda x: x * x, np.cos)
    expected = pg.grad(lambda x: sum(np.sum(np.tanh(f(x)) ** 2) for f in parts))(VALUES[0])
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_more_columns_than_a_loop_writes() -> None:
    sine = np.sin(X)
    graph = Graph([X], np.stack([sine] * 300, axis=1))
    assert opcodes(lower(graph))["LOOP"] == 45
    found = Executable(graph)(VALUES[0])
    np.testing.assert_allclose(found, np.stack([np.sin(VALUES[0])] * 300, axis=1), rtol=1e-15)


@pytest.mark.parametrize("columns", [1, 2])
def test_stores_that_meet_are_refused(columns: int) -> None:
    """Two stores of one loop may lie between one another, but reach no element both."""
    shape = (40, columns) if columns > 1 else (40,)
    x = var("x", shape)
    pieces = [piece if columns > 1 else piece[:, None] for piece in (np.sin(x), np.cos(x))]
    program = lower(Graph([x], np.concatenate(pieces, axis=1)))
    (loop,) = instructions(program)
    assert isinstance(loop, Loop)
    assert len(loop.stores) == 2
    words = program.words.copy()
    offset = word_of(program, "stores", 1 + (3 + len(loop.dims)) + 2)  # of the second
    assert words[offset] == columns
    for moved in range(columns + 1):
        changed = words.copy()
        changed[offset] = moved
        if moved == columns:
            Library(replace(program, words=changed), "as it is")
        else:
            with pytest.raises(ProgramError, match="stores 0 and 1 overlap"):
                Library(replace(program, words=changed), "moved")
