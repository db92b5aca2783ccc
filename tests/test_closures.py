"""What a function reads from outside is seen as it is at each use of a transformation or loop on arrays."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.runtime.functions import shared

W: Any = 2.0


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    shared.forget()
    yield
    shared.forget()


def body(carry: Any, x: Any) -> tuple[Any, None]:
    return carry + W * x, None


def loss(w: Any) -> Any:
    global W
    W = w
    return pg.scan(body, 1.0, np.array([2.0, 3.0]))[0]


def test_a_global_that_becomes_an_expression_after_a_call_on_arrays() -> None:
    assert loss(2.0) == 11.0
    assert pg.grad(loss)(2.0) == 5.0
    assert pg.compile(loss)(3.0) == 16.0
    assert loss(4.0) == 21.0
    pg.check_grads(loss, (2.0,), order=1)


class Cell:
    """A recurrent cell that keeps its weights as an attribute."""

    w: Any

    def step(self, h: Any, x: Any) -> tuple[Any, None]:
        return np.tanh(h @ self.w + x), None


def test_an_attribute_of_a_bound_method() -> None:
    cell, xs, w = Cell(), np.ones((4, 2)), np.eye(2) * 0.3

    def final(w: Any) -> Any:
        cell.w = w
        return pg.sum(pg.scan(cell.step, np.zeros(2), xs)[0])

    before = pg.grad(final)(w)
    final(w)
    np.testing.assert_array_equal(pg.grad(final)(w), before)
    assert np.abs(before).min() > 0.1


def test_a_closure_cell_read_by_every_transformation() -> None:
    k = np.array([1.0, 2.0])

    def f(x: Any) -> Any:
        return pg.sum(k * x**2)

    x = np.array([3.0, 4.0])
    for scale in (1.0, 5.0):
        k[:] = scale
        assert pg.jvp(f, (x,), (np.ones(2),))[1] == 14.0 * scale
        np.testing.assert_array_equal(pg.vjp(f, x)[1](1.0)[0], 2 * scale * x)
        assert pg.linearize(f, x)[1](np.ones(2)) == 14.0 * scale
        np.testing.assert_array_equal(pg.hvp(f, (x,), (np.ones(2),)), [2 * scale, 2 * scale])
        np.testing.assert_array_equal(pg.map(lambda y: k * y, x), np.outer(x, k))
        assert pg.cond(np.True_, lambda y: pg.sum(k * y), lambda y: 0.0, x) == 7.0 * scale
        np.testing.assert_array_equal(pg.grad(f)(x), 2 * scale * x)


def test_a_jvp_inside_a_gradient_sees_the_expression() -> None:
    def outer(w: Any) -> Any:
        def inner(x: Any) -> Any:
            return w * x**2

        return pg.jvp(inner, (3.0,), (1.0,))[1] * w

    outer(1.0)
    assert pg.grad(outer)(1.0) == 12.0


def test_equal_graphs_share_one_executable() -> None:
    x = np.arange(3.0)
    for _ in range(3):
        pg.jvp(lambda x: pg.sum(np.sin(x)), (x,), (x,))
    assert len(shared._known) == 1
    pg.jvp(lambda x: pg.sum(np.cos(x)), (x,), (x,))
    assert len(shared._known) == 2


def test_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared._known, "limit", 3)
    for k in range(6):
        pg.jvp(lambda x, k=k: x * (k + 0.5), (1.0,), (1.0,))
    assert len(shared._known) == 3


def test_what_is_kept_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops over fresh large arrays that their bodies close over: each is a graph of its own."""
    monkeypatch.setattr(shared._known, "byte_limit", 20_000_000)
    arrays: list[weakref.ref[Any]] = []
    for k in range(8):
        big = np.full(500_000, float(k))
        arrays.append(weakref.ref(big))
        assert pg.scan(lambda c, _, big=big: (np.sum(c * big), None), 1.0, None, length=1)[0] == 500_000.0 * k
    del big
    assert 1 <= len(shared._known) <= 5
    assert shared._known.nbytes <= 20_000_000
    assert sum(reference() is not None for reference in arrays) <= 1
    huge = np.ones(4_000_000)
    pg.scan(lambda c, _: (np.sum(c * huge), None), 1.0, None, length=1)
    assert len(shared._known) == 1  # the newest stays, whatever its size


def test_an_init_of_minus_zero_is_not_that_of_zero() -> None:
    def step(c: Any, x: Any) -> tuple[Any, None]:
        return c * x, None

    assert not np.signbit(pg.scan(step, 0.0, np.ones(2))[0])
    assert np.signbit(pg.scan(step, -0.0, np.ones(2))[0])


def test_an_expression_kept_from_a_loop_is_refused() -> None:
    kept = []

    def f(x: Any) -> Any:
        def step(c: Any, y: Any) -> tuple[Any, Any]:
            kept.append(c * x)
            return c + y, y

        total, _ = pg.scan(step, x, np.ones(3))
        return total + kept[-1]

    with pytest.raises(pg.GraphError, match=r"kept from inside a function whose recording has\s+ended"):
        pg.compile(f)(1.0)


def test_an_expression_kept_from_a_trace_is_refused() -> None:
    kept: list[Any] = []
    pg.trace(lambda x: kept.append(x * 2.0) or x, 1.0)  # type: ignore[func-returns-value]
    with pytest.raises(pg.GraphError, match=r"recording\s+has\s+ended"):
        pg.grad(lambda y: pg.sum(y * kept[0]))(np.ones(3))


def test_positions_that_are_none() -> None:
    assert pg.grad(lambda x: x**2, argnums=np.int64(0))(3.0) == 6.0  # type: ignore[arg-type]
    for wrong in ("x", 1.5, None):
        with pytest.raises(pg.SignatureError, match="is neither a position"):
            pg.grad(lambda x: x**2, argnums=wrong)(3.0)  # type: ignore[arg-type]
    with pytest.raises(pg.SignatureError, match="3, not a function"):
        pg.grad(3)  # type: ignore[arg-type]
