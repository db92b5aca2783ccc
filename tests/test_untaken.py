"""A branch that is not taken and a loop of no steps run nothing: no index, no loop, no value of theirs is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate

TABLE = np.arange(3.0)


def endless(x: Any) -> Any:
    return pg.while_loop(lambda c: c > 0, lambda c: c * 1.0, x)


def looked_up(i: Any) -> Any:
    return pg.take(TABLE, i)


#: Functions of a condition that is false or a count that is zero, an index out of range, and 0; their value and
#: derivative with respect to the last.
FUNCTIONS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "index of an operand": lambda p, n, i, x: pg.cond(p, looked_up, lambda i: x, i),
    "index closed over": lambda p, n, i, x: pg.cond(p, lambda: looked_up(i), lambda: x),
    "index of a number": lambda p, n, i, x: pg.cond(p, looked_up, lambda i: x, 7),
    "loop on an operand": lambda p, n, i, x: pg.cond(p, lambda y: endless(y + 1.0), lambda y: y, x),
    "loop on a number": lambda p, n, i, x: pg.cond(p, lambda y: endless(7.0) * x, lambda y: x, 7.0),
    "value": lambda p, n, i, x: pg.cond(p, lambda y: np.log(y) + np.log(x), lambda y: y, x),
    "in a loop": lambda p, n, i, x: pg.scan(
        lambda c, _: (pg.cond(p, lambda: c + looked_up(i) + endless(x + 1.0), lambda: c), None), x, None, 3
    )[0],
    "index in no step": lambda p, n, i, x: pg.fori_loop(0, n, lambda k, c: c + looked_up(i), x),
    "index in a condition that ends": lambda p, n, i, x: pg.while_loop(
        lambda c: p, lambda c: c + looked_up(i) * np.log(x), x
    ),
    "loop in no step": lambda p, n, i, x: pg.fori_loop(0, n, lambda k, c: c + endless(x + 1.0) + endless(1.0), x),
    "value in no step": lambda p, n, i, x: pg.fori_loop(0, n, lambda k, c: c * np.log(x) + 1.0 / x, x),
    "scan of three in no step": lambda p, n, i, x: pg.fori_loop(
        0, n, lambda k, c: pg.scan(lambda c, _: (c + looked_up(i) / x, None), c, None, 3)[0], x
    ),
    "scan of none": lambda p, n, i, x: pg.scan(lambda c, _: (c + looked_up(i) / x, None), x, None, 0)[0],
    "map of none": lambda p, n, i, x: x + np.sum(pg.map(lambda y: y * looked_up(i) / x, np.zeros(0))),
    "vmap of none": lambda p, n, i, x: (
        x + np.sum(pg.vmap(lambda y: pg.cond(y > 0, lambda: y / x, lambda: endless(y)))(TABLE[:0]))
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_run(name: str) -> None:
    f, args = FUNCTIONS[name], (False, 0, 7, 0.0)
    alive = pg.trace(lambda x: endless(7.0) * x + np.log(x) + endless(1.0), 0.0)  # its nodes may be those of a body
    assert evaluate(pg.trace(f, *args), *args) == 0.0
    assert pg.compile(f, check_finite=True)(*args) == 0.0
    assert pg.compile(f)(*args) == 0.0
    gradient = pg.grad(f, argnums=3)
    assert pg.compile(gradient, check_finite=True)(*args) == 1.0
    batch = pg.compile(pg.vmap(gradient, in_axes=(None, None, None, 0)), check_finite=True)
    np.testing.assert_array_equal(batch(*args[:3], np.zeros(2)), [1.0, 1.0])
    assert pg.compile(lambda *a: pg.jvp(lambda x: f(*a[:3], x), a[3:], (1.0,))[1], check_finite=True)(*args) == 1.0
    assert pg.compile(pg.grad(pg.grad(f, argnums=3), argnums=3), check_finite=True)(*args) == 0.0
    assert alive is not None


def test_what_was_computed_before_gets_no_derivative() -> None:
    def untaken(x: Any, p: Any) -> Any:
        root = np.sqrt(x)
        return pg.cond(p, lambda: root, lambda: x)

    def no_step(x: Any, n: Any) -> Any:
        root = np.sqrt(x)
        return pg.fori_loop(0, n, lambda k, c: c + root, x)

    assert pg.grad(untaken)(0.0, False) == pg.grad(no_step)(0.0, 0) == 1.0
    xs = np.zeros(3)
    np.testing.assert_array_equal(pg.vmap(pg.grad(no_step))(xs, np.zeros(3, int)), 1.0)
    np.testing.assert_array_equal(pg.grad(lambda xs: np.sum(pg.vmap(untaken)(xs, xs > 0)))(xs), 1.0)


def test_known_when_traced() -> None:
    assert pg.cond(False, looked_up, lambda i: -1.0, 7) == -1.0
    assert pg.cond(False, endless, lambda x: x, 7.0) == 7.0
    assert pg.switch(1, [looked_up, lambda i: -1.0], 7) == -1.0


def test_what_a_step_asks_for_is_computed_once() -> None:
    """What does not change is taken out of a loop, behind a question whether there is a step."""

    def f(x: Any) -> Any:
        return pg.while_loop(lambda c: c < 9.0, lambda c: c + np.sum(np.exp(x)), 0.0)

    graph = pg.trace(f, np.zeros(3))
    (loop,) = (node for node in graph.nodes if node.op.name == "while_loop")
    assert [node.op.name for node in loop.attrs["body"].nodes if node.inputs] == ["add"]
    assert loop.inputs[0].inputs[0].op.name == "branch"


def test_a_tracing_operand_is_no_python_number() -> None:
    """As in JAX."""
    with pytest.raises(pg.TracedBoolError):
        pg.cond(True, lambda n: 1.0 if n else 2.0, lambda n: 0.0, 3)
