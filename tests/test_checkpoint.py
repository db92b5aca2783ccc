"""`checkpoint`: the values and derivatives of the plain function, from less memory; the figures of long loops."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.errors import DTypeError, GraphError, SignatureError
from pygraph.graph.reference import evaluate
from pygraph.optimize import optimize

RNG = np.random.default_rng(8)
X = RNG.normal(size=4)
W = RNG.normal(size=(4, 4)) / 2.0


def _nested(c: Any) -> Any:
    inner = c(lambda x: np.sin(x @ W) * x)
    return c(lambda x: inner(np.cos(inner(x)) + x))


def _closure(c: Any) -> Any:
    def f(x: Any) -> Any:
        scale, weight = np.exp(np.sum(x) / 9.0), x * 2.0
        return c(lambda y: np.tanh(weight * y) * scale)(np.sin(x))

    return f


def _in_scan(c: Any) -> Any:
    step = c(lambda carry, t: (np.tanh(carry @ W + t), np.sin(carry)))

    def f(x: Any) -> Any:
        carry, ys = pg.scan(step, x, np.linspace(0.0, 1.0, 5))
        return carry + np.sum(ys, axis=0)

    return f


def _of_scan(c: Any) -> Any:
    return c(lambda x: pg.scan(lambda carry, t: (np.tanh(carry @ W + t * x), carry), x, np.linspace(0.0, 1.0, 5))[0])


def _in_while(c: Any) -> Any:
    step = c(lambda x: np.sin(x @ W) * 1.1)
    return lambda x: pg.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, step(s[1])), (0, x))[1]


def _of_while(c: Any) -> Any:
    return c(lambda x: pg.while_loop(lambda s: np.sum(s * s) < 50.0, lambda s: s * 1.5 + np.sin(x), x))


def _in_cond(c: Any) -> Any:
    step = c(lambda x: np.sin(np.cos(x)))
    return lambda x: pg.cond(x[0] > 0.0, step, lambda y: y * y, x) + pg.cond(x[0] > 0.0, lambda y: y, step, x)


def _of_cond(c: Any) -> Any:
    return c(lambda x: pg.cond(x[0] > 0.0, np.sin, lambda y: y * y, x) * x)


def _of_gradient(c: Any) -> Any:
    return c(pg.grad(c(lambda x: np.sum(np.sin(x @ W) ** 2))))


def _weak(c: Any) -> Any:
    f = c(lambda x, p, scale=1.0: (np.sin(x) ** p * scale, 2.0))

    def g(x: Any) -> Any:
        value, number = f(x, 2, scale=3.0)
        return value * number

    return g


def _tangent_of_sin(primals: Any, tangents: Any) -> Any:
    return np.sin(*primals), tangents[0] * np.cos(primals[0])


def _custom(c: Any) -> Any:
    inner = pg.custom_derivative(np.sin, jvp=_tangent_of_sin)
    return c(lambda x: inner(x @ W) * x)


def _passed_through(c: Any) -> Any:
    f = c(lambda x, y: (y, np.sin(x), x, 3.0 + 0.0 * np.sum(y)))

    def g(x: Any) -> Any:
        a, b, d, e = f(x, np.cos(x))
        return a * b + d * e

    return g


#: A function of four numbers, given what stands for `checkpoint`.
FUNCTIONS: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "chain": lambda c: c(lambda x: np.sin(np.cos(np.sin(x @ W)) * x)),
    "nested": _nested,
    "closure": _closure,
    "the step of a scan": _in_scan,
    "a scan": _of_scan,
    "the step of a while_loop": _in_while,
    "a while_loop": _of_while,
    "a branch": _in_cond,
    "of a branch": _of_cond,
    "of a gradient": _of_gradient,
    "numbers and names": _weak,
    "custom derivative": _custom,
    "passed through": _passed_through,
    "of a batch": lambda c: lambda x: pg.vmap(c(lambda y: np.sin(y) * x @ x))(x),
}


def plain(f: Any) -> Any:
    return f


def both(name: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return FUNCTIONS[name](plain), FUNCTIONS[name](pg.checkpoint)


def total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: np.sum(f(x) * np.linspace(1.0, 2.0, 4))


def assert_near(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * max(1.0, float(np.max(np.abs(wanted)))))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [X, -X], ids=["x", "-x"])
def test_values_and_derivatives_of_the_plain_function(name: str, x: Any) -> None:
    f, g = both(name)
    assert_near(pg.compile(g)(x), pg.compile(f)(x))
    assert_near(pg.grad(total(g))(x), pg.grad(total(f))(x))
    for primal, tangent in zip(pg.jvp(g, (x,), (x * 0.5,)), pg.jvp(f, (x,), (x * 0.5,)), strict=True):
        assert_near(primal, tangent)
    assert_near(pg.jacrev(g)(x), pg.jacfwd(f)(x))
    assert_near(pg.jacfwd(g)(x), pg.jacfwd(f)(x))
    assert_near(pg.hessian(total(g))(x), pg.hessian(total(f))(x), 1e-10)
    assert_near(pg.linearize(g, x)[1](x), pg.linearize(f, x)[1](x))


@pytest.mark.parametrize("name", ["chain", "nested", "closure", "the step of a scan", "of a gradient"])
def test_third_order_and_reverse_over_reverse(name: str) -> None:
    def thrice(f: Callable[[Any], Any]) -> Any:
        first = pg.grad(total(f))
        second = pg.grad(lambda x: np.sum(first(x) * np.cos(x)))
        return pg.grad(lambda x: np.sum(second(x) * x))(X)

    f, g = both(name)
    assert_near(thrice(g), thrice(f), 1e-10)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_batches(name: str) -> None:
    f, g = both(name)
    xs = np.stack([X, -X, X[::-1]])
    assert_near(pg.vmap(g)(xs), pg.vmap(f)(xs))
    assert_near(pg.vmap(pg.grad(total(g)))(xs), pg.vmap(pg.grad(total(f)))(xs))
    assert_near(
        pg.grad(lambda xs: np.sum(pg.vmap(g)(xs) ** 2))(xs), pg.grad(lambda xs: np.sum(pg.vmap(f)(xs) ** 2))(xs)
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_reference_and_all_segments(name: str) -> None:
    f, g = both(name)
    graph, simple = pg.trace(g, X), pg.trace(f, X)
    assert_near(evaluate(graph, X), evaluate(simple, X))
    copy = pickle.loads(pickle.dumps(graph))
    assert copy == graph
    found, wanted = pg.compile(copy, wrt=("x",)), pg.compile(simple, wrt=("x",))
    seed = np.linspace(-1.0, 1.0, 4)
    assert_near(found.forward(X), wanted.forward(X))
    assert_near(found.reverse(seed)[0], wanted.reverse(seed)[0])
    assert_near(found.jvp(seed), wanted.jvp(seed))


def test_the_sparsity_pattern_is_that_of_the_body() -> None:
    def f(x: Any) -> Any:
        return x[1:] * np.sin(x[:-1])

    wanted, found = pg.sparsity(f, X), pg.sparsity(pg.checkpoint(f), X)
    np.testing.assert_array_equal(found.toarray(), wanted.toarray())
    np.testing.assert_allclose(
        pg.jacobian(pg.checkpoint(f), sparse=True)(X).toarray(), pg.jacfwd(f)(X), rtol=1e-12, atol=1e-15
    )


# --- containers ------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Layer:
    w: Any
    b: Any


def test_containers() -> None:
    @pg.checkpoint
    def f(params: dict[str, Any], layers: list[Layer], *, shift: Any) -> Any:
        h = params["x"].a
        for layer in layers:
            h = np.tanh(h @ layer.w + layer.b)
        return Pair({"h": h + shift, "n": params["x"].b}, (None, h[0]))

    params = {"x": Pair(X, np.arange(3))}
    layers = [Layer(W, X), Layer(W.T, -X)]
    result = f(params, layers, shift=X)
    assert isinstance(result, Pair)
    assert result.b[0] is None
    np.testing.assert_array_equal(result.a["n"], np.arange(3))
    h = np.tanh(np.tanh(X @ W + X) @ W.T - X)
    np.testing.assert_allclose(result.a["h"], h + X, rtol=1e-13)
    np.testing.assert_allclose(result.b[1], h[0], rtol=1e-13)
    gradient = pg.grad(lambda layers: np.sum(f(params, layers, shift=X).a["h"]))(layers)
    assert [type(layer) for layer in gradient] == [Layer, Layer]
    first = (1.0 - np.tanh(X @ W + X) ** 2) * ((1.0 - h**2) @ W)
    np.testing.assert_allclose(gradient[0].b, first, rtol=1e-12)


def test_float32_and_numbers_stay_what_they_are() -> None:
    f = pg.checkpoint(lambda x, p: (x**p * 0.5, p))
    graph = pg.trace(lambda x: f(x, 2), np.ones(3, "float32"))
    assert [str(y.dtype) for y in graph.outputs] == ["float32", "int64"]
    assert pg.trace(lambda x: f(x, 2)[1] + x, np.ones(3, "float32")).outputs[0].dtype == np.float32
    weak = pg.trace(lambda x, p: f(p, 2)[0] * x + f(x, p)[0], np.ones(3, "float32"), 2.0)
    assert weak.outputs[0].dtype == np.float32


def test_integers_have_no_derivative() -> None:
    f = pg.checkpoint(lambda x, k: np.take(x, k) * 2.0)
    np.testing.assert_array_equal(pg.grad(lambda x: np.sum(f(x, np.array([1, 1]))))(X), [0.0, 4.0, 0.0, 0.0])


def test_no_argument_and_no_result() -> None:
    x = pg.var("x", (4,))
    assert pg.checkpoint(lambda v: ())(x) == ()
    assert pg.checkpoint(lambda v: 2.0)(x) == 2.0
    np.testing.assert_allclose(pg.grad(lambda x: np.sum(_closed_over(x)))(X), np.cos(X), rtol=1e-13)


def _closed_over(x: Any) -> Any:
    return pg.checkpoint(lambda one: np.sin(x) * one)(np.ones(()) + 0.0 * np.sum(x))


# --- memory ----------------------------------------------------------------------------------------------------------


def arena(f: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    """The planned bytes of a compiled function, and what it gives."""
    executable = pg.compile(f).executable(*args)
    return executable.stats.arena_bytes, executable(*args)


def test_only_the_arguments_are_kept() -> None:
    def chain(c: Any) -> Any:
        def part(x: Any) -> Any:
            for _ in range(8):
                x = np.tanh(x @ W)
            return x

        def f(x: Any) -> Any:
            for _ in range(8):
                x = c(part)(x)
            return np.sum(x)

        return pg.grad(f)

    x = RNG.normal(size=(500, 4))
    kept, wanted = arena(chain(plain), x)
    recomputed, found = arena(chain(pg.checkpoint), x)
    np.testing.assert_array_equal(found, wanted)
    assert kept > 60 * x.nbytes
    assert recomputed < 22 * x.nbytes, "eight arguments, eight values of one part, and what is under way"


def test_the_optimiser_leaves_it_a_branch() -> None:
    x = pg.var("x", (4,))
    graph = optimize(pg.Graph([x], pg.checkpoint(lambda x: np.sin(x * 1.0))(x)))
    (node,) = [node for node in graph.nodes if node.op.name == "branch"]
    assert len(node.attrs["bodies"]) == 1
    assert len(node.attrs["bodies"][0].nodes) == 2, "but what is inside gets simpler"
    assert pg.trace(pg.grad(lambda x: np.sum(pg.checkpoint(np.sin)(x))), X).outputs


STEPS, SIZE = 1_000, 64
STATE = RNG.normal(size=SIZE)
FORCES = RNG.normal(size=(STEPS, SIZE)) * 0.3
COUPLING = RNG.normal(size=(SIZE, SIZE)) / SIZE**0.5


def _step(state: Any, force: Any) -> tuple[Any, None]:
    return np.tanh(COUPLING @ state + force) * 0.9 + np.sin(state) * 0.1, None


def _plain_loop(state: Any) -> Any:
    final, _ = pg.scan(_step, state, FORCES)
    return np.sum(final * final)


def _in_chunks(*lengths: int) -> Callable[[Any], Any]:
    """The same loop as loops of `lengths` steps in one another, each but the outermost under a checkpoint."""

    def loss(state: Any) -> Any:
        run: Any = _step
        for _ in lengths[1:]:
            run = pg.checkpoint(lambda s, forces, run=run: pg.scan(run, s, forces))
        final, _ = pg.scan(run, state, np.reshape(FORCES, (*lengths, SIZE)))
        return np.sum(final * final)

    return loss


@pytest.mark.parametrize("lengths", [(25, 40), (40, 25), (10, 10, 10)], ids=str)
def test_a_long_loop_in_a_tenth_of_the_memory(lengths: tuple[int, ...]) -> None:
    kept, wanted = arena(pg.grad(_plain_loop), STATE)
    recomputed, found = arena(pg.grad(_in_chunks(*lengths)), STATE)
    assert kept > STEPS * STATE.nbytes
    assert recomputed < kept / 10
    assert np.max(np.abs(wanted)) > 0.0
    np.testing.assert_array_equal(found, wanted)


def test_a_checkpoint_of_the_step_keeps_the_carry_alone() -> None:
    def step(state: Any, force: Any) -> tuple[Any, None]:
        for _ in range(5):
            state = np.tanh(COUPLING @ state + force)
        return state, None

    def loss(step: Any) -> Any:
        return pg.grad(lambda s: np.sum(pg.scan(step, s, FORCES)[0]))

    kept, wanted = arena(loss(step), STATE)
    recomputed, found = arena(loss(pg.checkpoint(step)), STATE)
    np.testing.assert_array_equal(found, wanted)
    assert recomputed < 1.1 * STEPS * STATE.nbytes < kept / 4


def test_a_second_derivative_in_chunks() -> None:
    def product(loss: Any) -> Any:
        return pg.grad(lambda s: np.sum(pg.grad(loss)(s) * np.linspace(0.0, 1.0, SIZE)))

    kept, wanted = arena(product(_plain_loop), STATE)
    recomputed, found = arena(product(_in_chunks(25, 40)), STATE)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * np.max(np.abs(wanted)))
    assert recomputed < kept / 4


# --- errors ----------------------------------------------------------------------------------------------------------


def test_errors() -> None:
    with pytest.raises(SignatureError, match="recording checkpoint: it is given an int"):
        pg.checkpoint(3)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="checkpoint: argument name is a str"):
        pg.trace(lambda x: pg.checkpoint(lambda x, name: x)(x, "a"), X)
    with pytest.raises(GraphError, match="the function returned a str"):
        pg.checkpoint(lambda x: "a")(X)
    with pytest.raises(pg.ShapeError, match=r"test_checkpoint\.py"):
        pg.checkpoint(lambda x: x + np.ones(3))(X)
    with pytest.raises(pg.TracedBoolError):
        pg.checkpoint(lambda x: x if x[0] > 0 else -x)(X)


def test_errors_inside_name_the_line() -> None:
    f = pg.checkpoint(lambda x, k: np.take(np.sin(x), k))
    with pytest.raises(pg.IndexRangeError, match=r"test_checkpoint\.py"):
        f(X, np.array([9]))
    np.testing.assert_allclose(f(X, np.array([1])), np.sin(X[[1]]), rtol=1e-14)
