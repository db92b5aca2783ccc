"""Batches of branches and loops that fail, do not end or are not finite on examples that don't take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import COMPILERS

import pygraph as pg
from pygraph.graph.reference import evaluate

XS = np.array([-1.5, 0.0, 0.4, 1.0, 2.0, 6.0])
TABLE = np.linspace(0.5, 1.5, 3)


def shrink(x: Any) -> Any:
    """Not finite where another step is taken from what ended it."""
    return pg.while_loop(lambda c: c > 1.0, lambda c: np.sqrt(c - 1.0), x)


def looked_up(x: Any) -> Any:
    """Indices in range only where it is called."""
    return pg.take(TABLE, pg.astype(x, "int64")) * x


def endless(x: Any) -> Any:
    """Ends only where x > 0; of another length for each example."""
    return pg.while_loop(lambda c: c < 20.0, lambda c: c * 1.5 + np.log(x) ** 2, x)


def counted(x: Any) -> Any:
    """A count of its own for each example, and constants that only make sense where there is a step."""
    return pg.fori_loop(0, pg.astype(x, "int64"), lambda i, c: c * np.log(x + i) + TABLE[1] / x, x)


def walked(x: Any) -> Any:
    """An index that is out of range after the last step."""
    return pg.while_loop(
        lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * pg.take(TABLE, c[0])), (pg.astype(np.abs(x), "int64"), x)
    )[1]


def two_results(x: Any) -> Any:
    a, b = pg.cond(x > 1.0, lambda y: (np.sqrt(y - 1.0) * y, 3), lambda y: (y * y, 4), x)
    return a * b


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "logarithm": lambda x: pg.cond(x > 0, np.log, lambda y: 2 * y, x),
    "closed over": lambda x: pg.cond(x > 0, lambda: np.log(x) / x, lambda: 2 * x),
    "square root": lambda x: pg.cond(x > 0, lambda y: np.sqrt(y) * np.sum(TABLE / y), lambda y: y * y, x),
    "index": lambda x: pg.cond((x >= 0) & (x < 3), looked_up, lambda y: -y, x),
    "switch": lambda x: pg.switch(
        pg.astype(np.floor(x), "int64"), [lambda y: np.sqrt(1.0 - y), np.log1p, np.arcsin, np.log, np.sqrt], x * 0.3
    ),
    "two results": two_results,
    "finished": shrink,
    "loop in a branch": lambda x: pg.cond(x > 0, endless, lambda y: y * y, x),
    "branch in a loop": lambda x: pg.scan(
        lambda c, t: (pg.cond(c > t, lambda c: np.log(c - t), lambda c: c + x, c), None), x, TABLE
    )[0],
    "counted": counted,
    "walked": walked,
    "loop in a loop": lambda x: pg.while_loop(lambda c: c > 0.5, lambda c: shrink(c * 1.2) * 0.4 + np.log(c), x),
    "branch in a branch": lambda x: pg.cond(
        x > 0, lambda y: pg.cond(y > 1.0, lambda y: np.log(y - 1.0), np.log, y), lambda y: y * y, x
    ),
    "branch in a loop of its own length": lambda x: pg.while_loop(
        lambda c: c > 0.6, lambda c: pg.cond(c > 2.0, lambda c: np.log(c - 1.0), lambda c: np.sqrt(c - 0.6) * 0.5, c), x
    ),
    "checkpoint": lambda x: pg.checkpoint(lambda y: pg.cond(y > 0, np.log, np.sin, y) * y)(x),
    "never": lambda x: pg.cond(x > 100.0, lambda y: pg.while_loop(lambda c: c < 0, lambda c: c, -y), np.sin, x),
}
#: Where a step or a body is smooth.
POINTS = {"walked": XS + 0.5, "counted": XS + 0.3, "switch": XS + 0.2}


def points(name: str) -> Any:
    return POINTS.get(name, XS + 0.01)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_if_each_example_ran_alone(name: str) -> None:
    f, xs = FUNCTIONS[name], points(name)
    alone = pg.compile(f, check_finite=True)
    each = [alone(x) for x in xs]
    assert np.isfinite(each).all()
    np.testing.assert_allclose(pg.compile(pg.vmap(f), check_finite=True)(xs), each, rtol=1e-13)
    np.testing.assert_allclose(evaluate(pg.trace(pg.vmap(f), xs), xs), each, rtol=1e-13)
    tiers = [pg.compile(pg.vmap(f), backend=tier)(xs) for tier in ("vm", "native")[: 1 + bool(COMPILERS)]]
    assert tiers[0].tobytes() == tiers[-1].tobytes()
    np.testing.assert_allclose(tiers[0], each, rtol=1e-13)
    np.testing.assert_array_equal(pg.vmap(f)(XS[:0]), XS[:0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name: str) -> None:
    f, xs = FUNCTIONS[name], points(name)
    one, two = pg.compile(pg.grad(f), check_finite=True), pg.compile(pg.grad(pg.grad(f)))
    first, second = [one(x) for x in xs], [two(x) for x in xs]
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()

    def total(xs: Any) -> Any:
        return np.sum(pg.vmap(f)(xs))

    for gradient in (pg.vmap(pg.grad(f)), pg.grad(total), lambda xs: pg.jvp(pg.vmap(f), (xs,), (xs * 0 + 1,))[1]):
        np.testing.assert_allclose(pg.compile(gradient, check_finite=True)(xs), first, rtol=1e-11)
    for hessian in (
        pg.vmap(pg.grad(pg.grad(f))),
        pg.vmap(lambda x: pg.jvp(pg.grad(f), (x,), (1.0,))[1]),
        lambda xs: pg.jvp(pg.grad(total), (xs,), (xs * 0 + 1,))[1],
        pg.grad(lambda xs: np.sum(pg.grad(total)(xs))),
        pg.grad(lambda xs: np.sum(pg.vmap(pg.grad(f))(xs))),
    ):
        np.testing.assert_allclose(hessian(xs), second, rtol=1e-9, atol=1e-12)
