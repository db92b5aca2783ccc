"""`forward`, `reverse` and `jvp`: what is kept, for whom, and for how long."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import pygraph as pg


def neuron(n: int = 20) -> Any:
    w, x, y = pg.var("w", (3,)), pg.var("x", (n, 3)), pg.var("y", (n,))
    return pg.compile(pg.Graph([w, x, y], np.sum((y - pg.sigmoid(x @ w)) ** 2), name="neuron"), wrt=["w", "x"])


def by_hand(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    s = 1.0 / (1.0 + np.exp(-x @ w))
    dz = -2.0 * (y - s) * s * (1.0 - s)
    return float(np.sum((y - s) ** 2)), x.T @ dz, dz[:, None] * w


def sample(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=3), generator.normal(size=(n, 3)), generator.normal(size=n)


@pytest.mark.parametrize("n", [20, 3000])
def test_value_gradients_and_tangent(n: int) -> None:
    exe, (w, x, y) = neuron(n), sample(n)
    value, gw, gx = by_hand(w, x, y)
    np.testing.assert_allclose(exe.forward(w, x, y), value)
    for seed in (None, 1.0, np.float64(1.0), np.ones(())):
        found = exe.reverse(seed)
        assert type(found) is tuple
        np.testing.assert_allclose(found[0], gw)
        np.testing.assert_allclose(found[1], gx)
    dw, dx, _ = sample(n, 1)
    np.testing.assert_allclose(exe.jvp(dw, dx), gw @ dw + np.sum(gx * dx))
    np.testing.assert_allclose(exe.jvp(d_x=dx, d_w=dw), gw @ dw + np.sum(gx * dx))
    np.testing.assert_allclose(exe.reverse(-2.0)[0], -2.0 * gw)


@pytest.mark.parametrize("n", [20, 3000])
def test_what_is_kept_does_not_follow_the_callers_arrays(n: int) -> None:
    exe, (w, x, y) = neuron(n), sample(n)
    _, gw, gx = by_hand(w, x, y)
    exe.forward(w, x, y)
    w[:], x[:], y[:] = np.nan, np.nan, np.nan
    found = exe.reverse()
    found[0][:] = np.nan
    found[1][:] = np.nan
    np.testing.assert_allclose(exe.reverse()[0], gw)
    np.testing.assert_allclose(exe.reverse()[1], gx)


@pytest.mark.parametrize("n", [20, 3000])
def test_outputs_of_forward_are_the_callers(n: int) -> None:
    x = pg.var("x", (n,))
    exe = pg.compile(pg.Graph([x], np.exp(x)), wrt=["x"])
    values = exe.forward(np.zeros(n))
    values[:] = np.nan
    np.testing.assert_array_equal(exe.reverse(np.ones(n))[0], np.ones(n))


@pytest.mark.parametrize("n", [20, 3000])
def test_calls_between_forward_and_reverse_disturb_nothing(n: int) -> None:
    exe, first, second = neuron(n), sample(n), sample(n, 1)
    _, gw, _ = by_hand(*first)
    exe.forward(*first)
    bound = exe.bind(*second)
    for _ in range(3):
        np.testing.assert_allclose(exe(*second), by_hand(*second)[0])
        np.testing.assert_allclose(bound(), by_hand(*second)[0])
        np.testing.assert_allclose(exe.reverse()[0], gw)
    with pytest.raises(pg.SignatureError):
        exe.forward(first[0], first[1])
    np.testing.assert_allclose(exe.reverse()[0], gw)


def test_a_forward_that_fails_while_running_keeps_the_one_before() -> None:
    x, i = pg.var("x", (4,)), pg.var("i", (2,), "int64")
    exe = pg.compile(pg.Graph([x, i], np.sum(x[i] ** 2)), wrt=["x"])
    data = np.arange(4.0)
    exe.forward(data, np.array([1, 3]))
    for _ in range(3):
        with pytest.raises(pg.IndexRangeError):
            exe.forward(data + 1.0, np.array([0, 4]))
        np.testing.assert_array_equal(exe.reverse()[0], [0.0, 2.0, 0.0, 6.0])
    exe.forward(data, np.array([-1, -1]))
    np.testing.assert_array_equal(exe.reverse()[0], [0.0, 0.0, 0.0, 12.0])


def test_each_thread_keeps_its_own() -> None:
    exe = neuron()
    barrier = threading.Barrier(4)
    wrong: list[object] = []

    def work(seed: int) -> None:
        data = sample(20, seed)
        try:
            exe.reverse()
            wrong.append("reverse before forward in this thread")
        except pg.StateError:
            pass
        barrier.wait()
        for _ in range(200):
            exe.forward(*data)
            barrier.wait()
            if not np.allclose(exe.reverse()[0], by_hand(*data)[1]):
                wrong.append(seed)

    exe.forward(*sample(20, 99))
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    np.testing.assert_allclose(exe.reverse()[0], by_hand(*sample(20, 99))[1])


def test_several_outputs_take_a_seed_in_their_container() -> None:
    x, n = pg.var("x", (3,)), pg.var("n", (3,), "int64")
    outputs = {"count": n + 1, "square": x * x, "sum": [x.sum()]}
    exe = pg.compile(pg.Graph([x, n], outputs, name="several"), wrt=["x"])
    data = np.array([1.0, 2.0, 3.0])
    exe.forward(data, np.arange(3))
    (gx,) = exe.reverse({"count": None, "square": np.ones(3), "sum": [10.0]})
    np.testing.assert_array_equal(gx, 2.0 * data + 10.0)
    tangents = exe.jvp(np.array([1.0, 0.0, 0.0]))
    assert tangents["count"] is None
    np.testing.assert_array_equal(tangents["square"], [2.0, 0.0, 0.0])
    assert tangents["sum"] == [1.0]
    with pytest.raises(pg.SignatureError, match="must have the form"):
        exe.reverse((np.ones(3), 1.0))
    with pytest.raises(pg.SignatureError, match="seed of output 2"):
        exe.reverse({"count": None, "square": np.ones(2), "sum": [10.0]})


def test_wrt_may_name_a_container() -> None:
    def model(params: Any, x: Any) -> Any:
        return np.sum(params["w"] * x) + params["b"] ** 2

    params = {"w": np.array([1.0, 2.0]), "b": 3.0}
    exe = pg.compile(pg.trace(model, params, np.ones(2)), wrt=["params", "x"])
    exe.forward(params, np.array([5.0, 7.0]))
    gradients, gx = exe.reverse()
    np.testing.assert_array_equal(gradients["w"], [5.0, 7.0])
    assert gradients["b"] == 6.0
    np.testing.assert_array_equal(gx, params["w"])
    assert exe.jvp({"w": np.ones(2), "b": 1.0}, np.zeros(2)) == 18.0
    by_leaf = pg.compile(exe.graph, wrt=["params.b"])
    by_leaf.forward(params, np.array([5.0, 7.0]))
    assert by_leaf.reverse() == (6.0,)


def test_wrt_by_name_position_or_variable() -> None:
    x, y = pg.var("x"), pg.var("y")
    graph = pg.Graph([x, y], x * y)
    for wrt in (["y"], "y", [1], 1, [y], y):
        exe = pg.compile(graph, wrt=wrt)
        exe.forward(3.0, 4.0)
        assert exe.reverse() == (3.0,)


def test_an_output_that_does_not_depend_on_wrt_has_zeros() -> None:
    x, y = pg.var("x", (2,)), pg.var("y", (2,))
    exe = pg.compile(pg.Graph([x, y], np.sum(y)), wrt=["x"])
    exe.forward(np.ones(2), np.ones(2))
    np.testing.assert_array_equal(exe.reverse()[0], np.zeros(2))
    assert exe.jvp(np.ones(2)) == 0.0


def test_loops_keep_what_their_reverse_needs() -> None:
    a, xs = pg.var("a"), pg.var("xs", (50,))
    total, _ = pg.scan(lambda c, x: (np.sin(a * c + x), None), 0.1, xs)
    exe = pg.compile(pg.Graph([a, xs], total), wrt=["a"])
    data = np.linspace(-1.0, 1.0, 50)

    def run(value: float) -> float:
        c = 0.1
        for x in data:
            c = np.sin(value * c + x)
        return float(c)

    np.testing.assert_allclose(exe.forward(0.7, data), run(0.7))
    slope = (run(0.7 + 1e-6) - run(0.7 - 1e-6)) / 2e-6
    np.testing.assert_allclose(exe.reverse()[0], slope, rtol=1e-7)
    np.testing.assert_allclose(exe.jvp(1.0), slope, rtol=1e-7)


@pytest.mark.parametrize("n", [20, 3000])
def test_what_is_computed_again_does_not_follow_the_callers_arrays(n: int) -> None:
    x, y = pg.var("x", (n,)), pg.var("y", (n,))
    exe = pg.compile(pg.Graph([x, y], (x * x + y) * (x * x - y) * (2.0 * x + 3.0 * y)), wrt=["x", "y"])
    assert exe.stats.cached_bytes == 2 * 8 * n, "the inputs, and nothing that can be computed from them"
    generator = np.random.default_rng(n)
    a, b, seed, other, da, db = generator.normal(size=(6, n))
    dx = 4.0 * a**3 * (2.0 * a + 3.0 * b) + 2.0 * (a**4 - b**2)
    dy = -2.0 * b * (2.0 * a + 3.0 * b) + 3.0 * (a**4 - b**2)
    given = a.copy(), b.copy()
    exe.forward(*given)
    for array in given:
        array[:] = np.nan
    for cotangent in (seed, other, seed):
        found = exe.reverse(cotangent)
        np.testing.assert_allclose(found[0], cotangent * dx, atol=1e-9)
        np.testing.assert_allclose(found[1], cotangent * dy, atol=1e-9)
        np.testing.assert_allclose(exe.jvp(da, db), dx * da + dy * db, atol=1e-9)
