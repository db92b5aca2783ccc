"""vmap: against Python loops over the batch, with containers and axes, nested with every other transformation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate
from pygraph.graph.trace import record
from pygraph.runtime.functions import compiled_function as compile_module

RNG = np.random.default_rng(3)
W = RNG.normal(size=(4, 3))
XS = RNG.normal(size=(5, 3))


class Layer(NamedTuple):
    w: Any
    b: Any


@dataclass
class State:
    x: Any
    n: Any


def loop(f: Callable[..., Any], *args: Any) -> Any:
    """`f` of one example after another, the results stacked; every argument has axis 0."""
    results = [pg.compile(f)(*(arg[i] for arg in args)) for i in range(len(args[0]))]
    return np.stack(results)


# --- values ----------------------------------------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "elementwise": lambda x: np.tanh(x) * x + np.arange(3.0),
    "constant operand of higher rank": lambda x: x * np.ones((2, 3)) + W[:2],
    "matrix times vector": lambda x: W @ x,
    "vector times matrix": lambda x: x @ W.T,
    "dot": lambda x: np.dot(x, x[::-1]),
    "outer": lambda x: x[:, None] * x,
    "matrix": lambda x: (x[:, None] * W.T) @ W @ np.reshape(x, (3, 1)),
    "two matrices": lambda x: (x[:, None] * W.T) @ (W * x),
    "reductions": lambda x: np.stack([np.max(x), np.min(x), np.prod(x), np.mean(x), np.std(x)]),
    "softmax": lambda x: pg.softmax(x),
    "indexing": lambda x: np.concatenate([x[::-1], x[[2, 0]], x[1:], x[None, 0]]),
    "update": lambda x: x.at[1].set(5.0).at[[0, 0]].add(x[:2]),
    "own index": lambda x: x[pg.astype(np.abs(x) > 0.5, "int64")],
    "own places": lambda x: np.zeros(4) + pg.full((4,), 0.0 * x[0]).at[pg.astype(x > 0.0, "int64") * 2].add(x),
    "shared table": lambda x: pg.take(W, pg.astype(x > 0.0, "int64"), axis=0),
    "loop": lambda x: pg.scan(lambda c, a: (np.sin(c * a), c + x), 1.0, x)[1],
    "where": lambda x: np.where(x > 0.0, np.log(np.where(x > 0.0, x, 1.0)), x * 2.0),
    "special": lambda x: pg.gammaln(np.abs(x) + 1.0) + pg.erf(x),
    "shape": lambda x: np.transpose(np.reshape(np.broadcast_to(x, (2, 3)), (3, 2))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_is_a_loop_over_the_batch(name: str) -> None:
    f = FUNCTIONS[name]
    expected = loop(f, XS)
    np.testing.assert_allclose(pg.vmap(f)(XS), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(evaluate(pg.trace(pg.vmap(f), XS), XS), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(pg.vmap(f, 1, -1)(XS.T), np.moveaxis(expected, 0, -1), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_a_batch_and_batches_of_derivatives(name: str) -> None:
    def scalar(x: Any) -> Any:
        return np.sum(np.sin(FUNCTIONS[name](x)))

    gradients = loop(pg.grad(scalar), XS)
    np.testing.assert_allclose(pg.vmap(pg.grad(scalar))(XS), gradients, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(pg.grad(lambda xs: np.sum(pg.vmap(scalar)(xs)))(XS), gradients, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        pg.jvp(pg.vmap(scalar), (XS,), (XS,))[1], np.sum(gradients * XS, axis=1), rtol=1e-12, atol=1e-12
    )
    hessians = loop(pg.hessian(scalar), XS)
    np.testing.assert_allclose(pg.vmap(pg.hessian(scalar))(XS), hessians, rtol=1e-11, atol=1e-12)


def test_two_batches_in_one_another() -> None:
    ys = RNG.normal(size=(4, 3))
    pairs = pg.vmap(pg.vmap(np.dot, (None, 0)), (0, None))(XS, ys)
    np.testing.assert_allclose(pairs, XS @ ys.T)
    np.testing.assert_allclose(pg.vmap(pg.vmap(np.dot, (0, None)), (None, 0), 1)(XS, ys), XS @ ys.T)


def test_a_loop_over_batches_and_a_batch_of_loops() -> None:
    def step(c: Any, x: Any) -> Any:
        return np.tanh(c + W.T @ (W @ x)), np.sum(c)

    def run(c: Any) -> Any:
        return pg.scan(step, c, XS)

    starts = RNG.normal(size=(6, 3))
    final, ys = pg.vmap(run, out_axes=(0, 1))(starts)
    both = [run(c) for c in starts]
    np.testing.assert_allclose(final, np.stack([c for c, _ in both]), rtol=1e-12)
    np.testing.assert_allclose(ys, np.stack([y for _, y in both], axis=1), rtol=1e-12)
    outside, ys = pg.scan(lambda c, x: pg.vmap(step, (0, None))(c, x), starts, XS)
    np.testing.assert_allclose(outside, final, rtol=1e-12)


# --- axes and containers -------------------------------------------------------------------------------------------


def test_axes_in_containers() -> None:
    def f(layer: Layer, data: dict[str, Any], scale: Any) -> Any:
        return {"y": layer.w @ data["x"] + layer.b, "scale": scale * 2.0}

    layer, xs = Layer(RNG.normal(size=(4, 3)), RNG.normal(size=(4, 5))), RNG.normal(size=(3, 5))
    axes = (Layer(None, 1), {"x": 1, "unused": None}, None)
    found = pg.vmap(f, axes, {"y": 1, "scale": None})(layer, {"x": xs, "unused": np.ones(2)}, 3.0)
    np.testing.assert_allclose(found["y"], layer.w @ xs + layer.b, rtol=1e-13)
    assert found["scale"] == 6.0
    whole = pg.vmap(f, (None, {"x": -1, "unused": None}, None), 0)(layer._replace(b=0.0), {"x": xs, "unused": 1}, 3.0)
    np.testing.assert_allclose(whole["y"], (layer.w @ xs).T, rtol=1e-13)
    np.testing.assert_array_equal(whole["scale"], np.full(5, 6.0))


def test_dataclasses_and_lists() -> None:
    state = State(XS, [np.arange(5), np.arange(5.0)])
    found = pg.vmap(lambda s: State(np.sum(s.x) * s.n[1], [s.n[0] * 2, s.n[1]]))(state)
    assert type(found) is State
    np.testing.assert_allclose(found.x, XS.sum(1) * np.arange(5.0))
    np.testing.assert_array_equal(found.n[0], np.arange(5) * 2)
    found = pg.vmap(lambda s: s.x * s.n[1], (State(0, [None, 0]),))(state)
    np.testing.assert_allclose(found, XS * np.arange(5.0)[:, None])


def test_keyword_arguments_have_axis_0() -> None:
    np.testing.assert_allclose(pg.vmap(lambda x, y: x * y, (None,))(2.0, y=np.arange(3.0)), [0.0, 2.0, 4.0])
    two = pg.vmap(lambda x, *, z, a: x * z[0] + a["k"])(XS, z=(np.arange(5.0),), a={"k": -XS})
    np.testing.assert_allclose(two, XS * (np.arange(5.0)[:, None] - 1.0))


def test_what_does_not_depend_on_the_batch() -> None:
    one, many = pg.vmap(lambda x: (np.ones(2), x), out_axes=(None, 0))(np.arange(3.0))
    assert one.shape == (2,)
    assert pg.vmap(lambda x: 1.0)(np.arange(3.0)).tolist() == [1.0, 1.0, 1.0]
    assert many.shape == (3,)


@pytest.mark.parametrize("size", [0, 1])
def test_batches_of_none_and_one(size: int) -> None:
    found = pg.vmap(pg.grad(lambda x: np.sum(np.tanh(W @ x))))(XS[:size])
    np.testing.assert_allclose(found, loop(pg.grad(lambda x: np.sum(np.tanh(W @ x))), XS)[:size], rtol=1e-13)


def test_float32_integers_and_bools_keep_their_dtype() -> None:
    x32 = XS.astype("float32")
    a, b, c = pg.vmap(lambda x: (x * 2, np.sum(x > 0.0), x > 0.0))(x32)
    assert (a.dtype, b.dtype, c.dtype) == (np.float32, np.int64, np.bool_)
    np.testing.assert_array_equal(b, (XS > 0).sum(1))


def test_it_is_traced_once_per_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the function reads has not changed."""
    traces = []

    def counted(*args: Any) -> Any:
        traces.append(args)
        return record(*args)

    monkeypatch.setattr(compile_module, "record", counted)

    def f(x: Any) -> Any:
        return x * 2.0

    batched = pg.vmap(f)
    for _ in range(3):
        batched(np.ones(4))
    assert len(traces) == 1
    assert batched.__name__ == "vmap_f"


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: pg.vmap(lambda a, b: a * b)(np.ones(3), np.ones(4)),
            pg.ShapeError,
            "argument 'a' has size 3 along axis 0, argument 'b' has size 4 along axis 0",
        ),
        (
            lambda: pg.vmap(lambda a: a, 1)(np.ones(3)),
            pg.ShapeError,
            "in_axes names axis 1 of 'a', which is float64.3.",
        ),
        (lambda: pg.vmap(lambda a: a)(1.0), pg.ShapeError, r"in_axes names axis 0 of 'a', which is float64\n"),
        (lambda: pg.vmap(lambda a: a, None)(np.ones(3)), pg.ShapeError, "no argument has a batch axis"),
        (lambda: pg.vmap(lambda a: a, (0, 0))(np.ones(3)), pg.GraphError, "in_axes has 2 entries for 1 arguments"),
        (
            lambda: pg.vmap(lambda a: a, ({"x": 0},))({"y": np.ones(3)}),
            pg.GraphError,
            "in_axes is {'x': 0} for a, of the form {'y': ",
        ),
        (lambda: pg.vmap(lambda a: a, ([0, 0],))(np.ones(3)), pg.GraphError, r"in_axes is \[0, 0\] for a"),
        (lambda: pg.vmap(lambda a: a, ("x",))(np.ones(3)), pg.GraphError, "in_axes holds 'x' for a"),
        (
            lambda: pg.vmap(lambda a: a, out_axes=None)(np.ones(3)),
            pg.ShapeError,
            "out_axes is None for the result, which differs",
        ),
        (lambda: pg.vmap(lambda a: a, out_axes=1)(np.ones(3)), pg.ShapeError, "out_axes names axis 1 of 'the result'"),
        (
            lambda: pg.vmap(lambda a: (a, a), out_axes=(0, 0, 0))(np.ones(3)),
            pg.GraphError,
            r"out_axes is \(0, 0, 0\) for the result",
        ),
    ],
)
def test_errors_name_the_arguments_and_the_line(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=rf"(?s)batching vmap\(lambda_\): .*{text}.*at: test_vmap.py:\d+.*do: "):
        call()


def test_a_python_if_in_a_batch() -> None:
    with pytest.raises(pg.TracedBoolError, match=r"test_vmap\.py"):
        pg.vmap(lambda x: x if x > 0 else -x)(XS[:, 0])
