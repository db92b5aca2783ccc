"""Batches of branches and of loops of run-time length: against Python loops, with their derivatives both ways round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg

XS = np.array([0.3, 1.4, -0.7, 2.5])
TABLE = np.linspace(0.5, 1.5, 3)


def collatz(x: Any) -> Any:
    """Steps until x leaves (-30, 30), of which there is another number for each example; carries two values."""

    def step(c: Any) -> Any:
        return c[0] * 2.0 + 0.1 * np.sum(TABLE * x), c[1] + np.sin(c[0])

    return pg.while_loop(lambda c: np.abs(c[0]) < 30.0, step, (x, 0.0))[1]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "cond": lambda x: pg.cond(x > 0.5, lambda y: np.sin(y), lambda y: y * y + TABLE[1], x),
    "cond of the same for all": lambda x: pg.cond(np.sum(TABLE) > 1.0, lambda y: np.sin(y), lambda y: y * y, x),
    "results that only one branch brings in": lambda x: pg.cond(TABLE[0] > 9.0, lambda y: y, lambda y: TABLE[2], x),
    "switch, clamped": lambda x: pg.switch(
        pg.astype(np.floor(x), "int64"), [np.sin, np.cos, lambda y: y * TABLE[0]], x
    ),
    "while": collatz,
    "while of the same for all": lambda x: pg.while_loop(
        lambda c: c[0] < 5, lambda c: (c[0] + 1, np.sin(c[1]) * x), (0, x)
    )[1],
    "fori": lambda x: pg.fori_loop(0, 4, lambda i, c: c * x + i, x),
    "fori of its own length": lambda x: pg.fori_loop(
        0, pg.astype(np.abs(x) * 3.0, "int64"), lambda i, c: np.cos(c * x) + i, x
    ),
    "no step for some": lambda x: pg.while_loop(lambda c: c < 1.0, lambda c: c * c + 0.5, x),
    "map": lambda x: np.sum(pg.map(lambda t: np.sin(t * x), TABLE)),
    "branch in a loop": lambda x: pg.scan(lambda c, t: (pg.cond(c > t, np.cos, lambda y: y * x, c), None), x, TABLE)[0],
    "loop in a branch": lambda x: pg.cond(x > 1.0, collatz, lambda y: y, x),
    "loop in a loop": lambda x: pg.scan(lambda c, t: (c + 0.01 * collatz(c * t), None), x, TABLE)[0],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives(name: str) -> None:
    f = FUNCTIONS[name]
    each = [pg.compile(f)(x) for x in XS]
    np.testing.assert_allclose(pg.vmap(f)(XS), each, rtol=1e-12)
    gradients = [pg.jvp(f, (x,), (1.0,))[1] for x in XS]
    np.testing.assert_allclose(pg.vmap(lambda x: pg.jvp(f, (x,), (1.0,))[1])(XS), gradients, rtol=1e-11)
    np.testing.assert_allclose(pg.jvp(pg.vmap(f), (XS,), (np.ones(4),))[1], gradients, rtol=1e-11)
    np.testing.assert_allclose(pg.vmap(pg.grad(f))(XS), gradients, rtol=1e-11)
    np.testing.assert_allclose(pg.grad(lambda xs: np.sum(pg.vmap(f)(xs)))(XS), gradients, rtol=1e-11)
    second = [pg.grad(pg.grad(f))(x) for x in XS]
    np.testing.assert_allclose(pg.vmap(pg.hessian(f))(XS), second, rtol=1e-9, atol=1e-12)


def test_jacobians_of_loops() -> None:
    def f(x: Any) -> Any:
        return pg.while_loop(lambda c: np.sum(c * c) < 50.0, lambda c: c * 1.5 + np.sin(x), x)

    x = np.array([0.3, 0.8, -0.4])
    np.testing.assert_allclose(pg.jacfwd(f)(x), pg.jacrev(f)(x), rtol=1e-11)


def test_an_index_for_each_example_of_one_branch() -> None:
    def f(index: Any, x: Any) -> Any:
        return np.sum(pg.switch(index, [np.log], x))

    index, xs = np.array([0, 7, -2]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    np.testing.assert_allclose(pg.vmap(f)(index, xs), np.sum(np.log(xs), axis=1))
    np.testing.assert_allclose(pg.vmap(pg.grad(f, argnums=1))(index, xs), 1 / xs)
