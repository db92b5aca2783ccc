"""What is computed in vain because it costs less: small branches as selects, and selects that others decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bits import optimised
from test_merged_branches import count

import pygraph as pg
from pygraph.graph import Graph, var
from pygraph.optimize import optimize

M, N = var("m", (4,), "bool"), var("n", (4,), "bool")
X, Y = var("x", (4, 3)), var("y", (4, 3))
COLUMN = M.reshape(4, 1)


def selects(*outputs: Any) -> int:
    """How many selects are left; values stay what they are."""
    return count(optimised([M, N, X, Y], outputs))["select"]


DECIDED: dict[str, tuple[Callable[[], Any], int]] = {
    "rows": (lambda: pg.where(COLUMN, np.tanh(pg.where(COLUMN, X, Y)), 0.0), 1),
    "the other rows": (lambda: pg.where(COLUMN, 0.0, np.tanh(pg.where(COLUMN, X, Y))), 1),
    "the negation": (lambda: pg.where(COLUMN, np.tanh(pg.where(~COLUMN, X, Y)), 0.0), 1),
    "any": (lambda: pg.where(COLUMN, np.tanh(pg.where(np.any(M), X, Y)), 0.0), 1),
    "both of them": (lambda: pg.where(COLUMN & N.reshape(4, 1), pg.where(COLUMN, X, Y), 0.0), 2),
    "sums of rows": (lambda: pg.where(M, np.max(pg.where(COLUMN, X, Y), axis=1), 0.0), 1),
    "sums of columns": (lambda: pg.where(M[:3], np.max(pg.where(COLUMN, X, Y), axis=0), 0.0), 2),
    "along the last axis": (lambda: pg.where(M[:3], pg.where(M[:3].reshape(3, 1), X[:3], Y[:3]), 0.0), 2),
    "reshaped": (lambda: pg.where(M, pg.where(COLUMN, X, Y).reshape(4, 3, 1)[:, 0, 0], 0.0), 2),
    "transposed": (lambda: pg.where(M, pg.where(COLUMN, X, Y).T, 0.0), 2),
    "a scalar": (lambda: pg.where(np.any(M), pg.where(np.any(M), X, Y) @ np.ones((3, 2)), 0.0), 2),
    "looked at elsewhere": (
        lambda: pg.where(COLUMN, np.tanh(pg.where(COLUMN, X, Y)), 0.0) + np.tanh(pg.where(COLUMN, X, Y)),
        2,
    ),
    "an index": (
        lambda: pg.where(
            M, pg.take(np.arange(5.0), pg.where(M, pg.astype(M, "int64"), 9 * pg.astype(M, "int64"))), 0.0
        ),
        2,
    ),
}


@pytest.mark.parametrize("name", DECIDED)
def test_selects_that_another_one_decides(name: str) -> None:
    expression, left = DECIDED[name]
    assert selects(expression()) == left


CHEAP: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: pg.cond(x > 0, lambda y: y, lambda y: 0.0, x),
    "huber": lambda x: pg.cond(np.abs(x) < 1, lambda y: 0.5 * y * y, lambda y: np.abs(y) - 0.5, x),
    "switch": lambda x: pg.switch(pg.astype(x, "int64"), [np.sin, np.exp, lambda y: y + 1.0], x),
}


@pytest.mark.parametrize("name", CHEAP)
def test_cheap_batched_branches_are_one_loop(name: str) -> None:
    """No branch, no row lent to other examples, no look at all examples; but for `check_finite` they stay."""
    graph = pg.trace(pg.vmap(CHEAP[name]), np.zeros(5))
    found = count(optimize(graph))
    assert (found["branch"], found["take"], found["reduce_max"], found["reduce_min"]) == (0, 0, 0, 0)
    gradient = pg.trace(pg.grad(lambda v: np.sum(pg.vmap(CHEAP[name])(v))), np.zeros(5))
    assert count(optimize(gradient))["branch"] == 0
    if name != "relu":
        assert count(optimize(graph, check_finite=True))["branch"] > 0


def test_what_may_fail_stays_a_branch() -> None:
    f = pg.vmap(lambda x: pg.cond(x > 0, lambda x: pg.take(np.arange(3.0), pg.astype(x, "int64")), lambda x: x, x))
    assert count(optimize(pg.trace(f, np.zeros(5))))["branch"] == 1


def test_a_step_that_cannot_fail_runs_on_finished_examples() -> None:
    """A batched loop of pointwise steps carries what it did before it was batched, and which examples are active."""
    f = pg.vmap(lambda x: pg.while_loop(lambda c: c < 9.0, lambda c: np.exp(c), x))
    (loop,) = (node for node in optimize(pg.trace(f, np.zeros(5))).nodes if node.op.name == "while_loop")
    assert loop.attrs["n_carry"] == 2


def test_named_graphs_stay_equal() -> None:
    """A graph without selects is left as it is."""
    graph = Graph([X], np.tanh(X))
    assert optimize(graph).outputs[0] is graph.outputs[0]
