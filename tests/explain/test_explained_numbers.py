"""Explain's numbers: the gradient, in every lesson and random graph; loops, branches, rules of one's own; seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fuzz.graphs import grow

import pygraph as pg
from pygraph.autodiff import vjp
from pygraph.examples import backpropagation, chain_rule, multivariate_chain_rule, nested_functions, two_layer_net
from pygraph.explain import Explanation
from pygraph.graph import Graph, constant
from pygraph.graph.reference import evaluate_nodes

POINT = (np.array([0.3, -0.2, 0.5]), np.array([1.0, 2.0, -1.0]))


def verify(f: Any, *args: Any, seed: Any = None, rtol: float = 1e-12) -> Explanation:
    """Explain in both modes; derivatives equal those of vjp and jvp, and every total is the sum of its products."""
    reverse = pg.explain(f, *args, seed=seed)
    outputs, pull = pg.vjp(f, *args)
    gradients = pg.tree_leaves(pull(np.ones_like(outputs) if seed is None else seed))
    inputs = [step.name for step in reverse.steps if not step.formula]
    floating = [name for name in inputs if name in reverse.totals]
    assert len(floating) == len(gradients)
    for name, gradient in zip(floating, gradients, strict=True):
        np.testing.assert_allclose(reverse.totals[name], gradient, rtol=rtol, atol=1e-13)
    check_sums(reverse)
    forward = pg.explain(f, *args, mode="forward", argnum=tuple(range(len(args))))
    tangents = tuple(pg.tree_map(np.ones_like, arg) for arg in args)
    pushed = pg.tree_leaves(pg.jvp(f, args, tangents)[1])
    for name, tangent in zip(forward.outputs, pushed, strict=True):
        np.testing.assert_allclose(forward.totals.get(name, np.zeros(())), tangent, rtol=rtol, atol=1e-13)
    for explanation in (reverse, forward):
        assert max(map(len, str(explanation).splitlines())) <= 100
        assert explanation.latex().startswith("\\begin{aligned}")
    return reverse


def check_sums(explanation: Explanation) -> None:
    sums = dict(explanation.seeds)
    for edge in explanation.edges:
        if edge.local is not None:
            plain = np.isfinite(edge.local)
            expected = (edge.upstream * np.where(plain, edge.local, 0.0))[plain]
            np.testing.assert_allclose(edge.product[plain], expected, rtol=1e-6, atol=1e-13)
        sums[edge.operand] = sums.get(edge.operand, np.zeros(())) + edge.product
        np.testing.assert_allclose(edge.accumulated, sums[edge.operand], rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(edge.upstream, explanation.totals[edge.node])
    for name, total in sums.items():
        np.testing.assert_allclose(explanation.totals[name], total, rtol=1e-12, atol=1e-13)
    for inner in explanation.inner():
        check_sums(inner)


# --- every lesson -----------------------------------------------------------------------------------------------------


def _net() -> tuple[Any, tuple[Any, ...]]:
    random = np.random.default_rng(0)
    return two_layer_net.loss, (
        two_layer_net.initial(2, 4, 1),
        random.normal(size=(5, 2)),
        random.normal(size=(5, 1)),
    )


LESSONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "chain_rule": (lambda w: (1.0 - pg.sigmoid(w * 1.001)) ** 2, (1.0,)),
    "backpropagation": (lambda w, b: backpropagation.loss((w, b), 1.001, 1.0), (2.0, -2.0)),
    "two_layer_net": _net(),
    "multivariate_chain_rule": (multivariate_chain_rule.sigmoid_program, (1.0,)),
    "curve": (lambda t: t**2 + 5 * t**2 + 10 * t**3 + t * t**2 * t**3, (2.0,)),
    "nested_functions": (
        lambda x: np.sum(pg.sigmoid(nested_functions.square(x))),
        (np.linspace(-3.0, 3.0, 7),),
    ),
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_lessons(lesson: str) -> None:
    f, args = LESSONS[lesson]
    verify(f, *args)
    pg.check_grads(f, args, order=1, modes=("forward", "reverse"))


def test_figures_of_the_first_lesson() -> None:
    found = verify(*(LESSONS["chain_rule"][0], 1.0))
    assert float(found.totals["w"]) == pytest.approx(chain_rule.figures()["dJ/dw"], rel=1e-12)


# --- what has bodies, and rules of its own ----------------------------------------------------------------------------


def recurrence(w: Any, xs: Any) -> Any:
    def step(c: Any, x: Any) -> Any:
        h = np.tanh(w[0] * c + x)
        return h, h * w[1]

    last, ys = pg.scan(step, 0.5, xs)
    return last + np.sum(ys)


def test_a_loop() -> None:
    verify(recurrence, *POINT)


@pytest.mark.parametrize("step", [0, 1, 2, -1])
def test_a_step_of_a_loop(step: int) -> None:
    found = pg.explain(recurrence, *POINT, step=step)
    (inside,) = [x.inside for x in found.steps if x.inside is not None]
    inner = inside.explanation
    number = step % 3
    w, xs = POINT
    carry = [0.5]
    for x in xs:
        carry.append(np.tanh(w[0] * carry[-1] + x))
    values = {x.name: float(x.value) for x in inner.steps}
    assert values["c"] == pytest.approx(carry[number], rel=1e-13)
    assert values["h"] == pytest.approx(carry[number + 1], rel=1e-13)
    assert inside.leaving == {"last": "h", "ys": next(x.name for x in inner.steps if x.name.startswith("h *"))}
    # what arrives at the slice of xs is what the loop as a whole gives there
    slice_name = next(name for name, outer in inside.entering.items() if outer == "xs")
    assert float(inner.totals[slice_name]) == pytest.approx(float(found.totals["xs"][number]), rel=1e-12)


def test_a_step_of_a_loop_in_forward_mode() -> None:
    seed = np.array([0.2, -1.0, 0.7])
    found = pg.explain(recurrence, *POINT, mode="forward", argnum=1, seed=seed, step=1)
    (inside,) = [x.inside for x in found.steps if x.inside is not None]
    w, xs = POINT
    h = np.tanh(w[0] * 0.5 + xs[0])
    tangent = (1 - h**2) * seed[0]
    assert float(inside.explanation.totals["c"]) == pytest.approx(tangent, rel=1e-12)
    np.testing.assert_allclose(
        found.totals[found.output], pg.jvp(lambda x: recurrence(w, x), (xs,), (seed,))[1], rtol=1e-12
    )


def test_what_enters_a_body_by_a_name_that_is_taken() -> None:
    def f(c: Any, k: Any) -> Any:
        return (
            pg.scan(lambda c, x: (np.sin(c) * x * k, None), k, np.array([1.0, 2.0]))[0]
            + pg.scan(lambda k, _: (k * c, None), c, None, length=2)[0]
        )

    found = verify(f, 0.3, 0.7)
    entering = [step.inside.entering for step in found.steps if step.inside is not None]
    assert entering == [{"k": "k", "c": "k"}, {"c": "c", "k": "c"}]


@pytest.mark.parametrize("x", [1.7, 40.0])
def test_a_while_loop(x: float) -> None:
    def f(x: Any, k: Any) -> Any:
        return pg.while_loop(lambda c: c < 30.0, lambda c: c * c * k, x)

    found = verify(f, x, 1.5)
    assert any(step.inside is not None for step in found.steps) == (x < 30.0)


def growth(x: Any, k: Any) -> Any:
    return pg.while_loop(lambda c: c < 100.0, lambda c: c * c * k, x)


def _pulled_in_a_scan(x: Any) -> Any:
    pull = pg.vjp(lambda x: growth(x, 1.1), x)[1]
    return pg.scan(lambda c, s: (c + pull(s)[0] * c, None), 1.0, np.array([0.01, 0.005]))[0]


def _pulled_in_a_branch(x: Any) -> Any:
    pull = pg.vjp(lambda x: growth(x, 1.1), x)[1]
    return pg.cond(x > 0, lambda s: pull(s)[0] * s, lambda s: s, x)


#: Functions that hold a derivative through a while_loop, at 2, which is three steps from the end, and at 200.
INNER_DERIVATIVES: dict[str, Any] = {
    "forward": lambda x: pg.jvp(growth, (x, 1.1), (1.0, 0.3))[1],
    "reverse": lambda x: sum(pg.grad(growth, (0, 1))(x, np.sin(x) + 0.2)),
    "reverse over reverse": lambda x: pg.grad(pg.grad(growth))(x, 1.1),
    "forward over reverse": lambda x: pg.hvp(lambda x: growth(x, 1.1), (x,), (x,)),
    "linearised": lambda x: pg.linearize(lambda x: growth(x, 1.1), x)[1](x),
    "in a scan": lambda x: pg.scan(lambda c, t: (pg.grad(growth)(c * t + 1, 1.0) * 0.01, None), x, np.ones(2))[0],
    "its tape in a scan": _pulled_in_a_scan,
    "its tape in a branch": _pulled_in_a_branch,
}


@pytest.mark.parametrize(
    "name",
    [
        x if x in ("reverse", "its tape in a branch") else pytest.param(x, marks=pytest.mark.deep)
        for x in INNER_DERIVATIVES
    ],
)
def test_a_derivative_through_a_while_loop(name: str) -> None:
    f = INNER_DERIVATIVES[name]
    verify(f, 2.0, rtol=1e-11)
    verify(f, 200.0, rtol=1e-11)


def test_the_tape_of_a_while_loop_is_shown_step_by_step() -> None:
    found = pg.explain(lambda x: pg.grad(growth)(x, 1.0), 2.0, step=0)
    tape = next(step for step in found.steps if step.value.ndim)
    np.testing.assert_array_equal(tape.value, [2.0, 4.0, 16.0])
    np.testing.assert_array_equal(found.totals[tape.name], [512.0, 256.0, 64.0])
    loop, replay = [step.inside for step in found.steps if step.inside is not None]
    assert float(loop.explanation.totals["c"]) == float(found.totals["x"]) == 3584.0
    assert float(replay.explanation.totals["r0"]) == 64.0  # its first step reads what the last one left


@pytest.mark.parametrize("step", [0, 1])
def test_what_is_zero_by_structure_stays_zero_inside_of_a_body(step: int) -> None:
    def roots(xs: Any) -> Any:
        ys = pg.scan(lambda c, x: (c, np.sqrt(x)), 0.0, xs)[1]
        last = pg.scan(lambda c, x: (np.where(x > 1.0, c + x, np.sqrt(c)), None), xs[0] * 0.0, xs)[0]
        return np.sum(np.where(xs > 0.0, ys, 0.0)) + pg.cond(xs[0] > 1.0, np.sin, np.sqrt, last)

    point = np.array([0.0, 4.0])
    found = verify(lambda xs: np.sum(np.where(xs > 0.0, pg.scan(lambda c, x: (c, np.sqrt(x)), 0.0, xs)[1], 0.0)), point)
    np.testing.assert_array_equal(found.totals["xs"], [0.0, 0.25])
    for each in (found, pg.explain(roots, point, step=step)):
        inner = next(each.inner())
        assert np.isfinite([edge.product for edge in inner.edges]).all()


def test_loops_in_loops_and_reversed_ones() -> None:
    def f(x: Any) -> Any:
        def outer(c: Any, _: Any) -> Any:
            inner, _ = pg.scan(lambda d, y: (np.sin(d) * y, None), c, np.array([0.5, 2.0]), reverse=True)
            return inner, inner * x

        last, ys = pg.scan(outer, x, None, length=3)
        return last * np.sum(ys**2)

    found = verify(f, 0.7)
    assert len(list(found.inner())) == 2


@pytest.mark.parametrize("x", [2.0, -2.0])
def test_the_branch_taken(x: float) -> None:
    found = verify(lambda x: pg.cond(x > 0, lambda x: x**3, lambda x: -np.sin(x), x) * 2.0, x)
    (inside,) = [step.inside for step in found.steps if step.inside is not None]
    assert inside.title.startswith(f"the branch taken, number {int(x > 0)} of 0 to 1")


def test_a_rule_of_ones_own_is_one_step() -> None:
    clipped = pg.custom_derivative(lambda x: np.maximum(np.exp(x), 1.0), jvp=lambda p, t: (clipped(*p), t[0] * 5.0))
    found = verify(lambda x: clipped(x) * 2.0, 0.5)
    assert next(step.name for step in found.steps) == "x"
    assert len(found.steps) == 3
    assert "by the function's own rule = 10" in str(found)


def test_checkpoints_several_outputs_and_factorisations() -> None:
    def f(x: Any) -> Any:
        values, vectors = np.linalg.eigh(x @ x.T)
        body = pg.checkpoint(lambda v: np.sum(np.sin(v)))
        return body(values) + np.sum(vectors[:, 0] ** 2 * np.arange(2.0))

    verify(f, np.array([[1.0, 0.3], [0.2, 2.0]]), rtol=1e-9)


def test_step_numbers_that_are_not_there() -> None:
    with pytest.raises(pg.SignatureError, match=r"(?s)step is 3, and the loop takes 3 steps.*give 0 to 2"):
        pg.explain(recurrence, *POINT, step=3)


def test_what_is_zero_by_structure_stays_zero() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0.0, np.sqrt(np.log(x)), x))

    with np.errstate(all="ignore"):
        found = verify(f, np.array([0.0, 2.0, -1.0]))
    assert np.isfinite(found.totals["x"]).all()


# --- seeds ------------------------------------------------------------------------------------------------------------


def test_vectors_and_containers_with_seeds() -> None:
    def f(p: Any, x: Any) -> Any:
        h = np.tanh(p["w"] * x + p["b"])
        return {"h": h, "n": np.sum(h) * p["b"]}

    args = {"w": np.array([0.5, -1.0]), "b": 0.3}, np.array([1.0, 2.0])
    found = verify(f, *args, seed={"h": np.array([2.0, -1.0]), "n": 3.0})
    assert str(found).startswith("S = sum(seed of h * h) + sum(seed of out1 * out1)")


def test_an_argument_that_is_not_used_has_a_zero() -> None:
    found = pg.explain(lambda x, y: x * 2.0, 1.0, np.ones(3))
    np.testing.assert_array_equal(found.totals["y"], np.zeros(3))


def test_float32_stays_float32() -> None:
    found = pg.explain(lambda x: np.sum(np.sin(x)), np.ones(3, np.float32))
    assert found.totals["x"].dtype == np.float32


@pytest.mark.parametrize("x", [0.0, np.inf, np.nan, 5e-324])
def test_edge_values_are_shown(x: float) -> None:
    with np.errstate(all="ignore"):
        assert str(pg.explain(lambda x: np.log(x) * x, x))
        assert pg.explain(lambda x: np.log(x) * x, x).latex()


def test_infinities_that_cancel_are_nan_without_a_warning() -> None:
    assert np.isnan(pg.explain(lambda x: np.sqrt(x) - np.sqrt(2.0 * x), 0.0).totals["x"])


def test_empty_arrays() -> None:
    found = verify(lambda x: np.sum(x * x), np.zeros((0, 3)))
    assert "float64[0, 3]" in str(found)


# --- random graphs ----------------------------------------------------------------------------------------------------

UNARY = (np.sin, np.tanh, np.cos, pg.sigmoid, np.arctan, pg.softplus)


def smooth(seed: int) -> tuple[Any, tuple[Any, ...]]:
    """A random function of smooth operations on scalars, vectors and matrices, and a point; loops and branches too."""
    point = np.random.default_rng([seed, 0])
    args = point.normal(), point.normal(size=3), point.normal(size=(3, 3))

    def f(a: Any, v: Any, m: Any) -> Any:
        random = np.random.default_rng([seed, 1])
        scalars, vectors, matrices = [a], [v], [m]

        def some(values: list[Any]) -> Any:
            return values[int(random.integers(len(values)))]

        for _ in range(int(random.integers(3, 14))):
            pool = (scalars, vectors, matrices)[int(random.integers(3))]
            g = UNARY[int(random.integers(len(UNARY)))]
            match int(random.integers(9)):
                case 0 | 1:
                    pool.append(g(some(pool)))
                case 2:
                    pool.append(some(pool) * some(pool) * 0.3)
                case 3:
                    pool.append(some(pool) - some(pool))
                case 4:
                    vectors.append(some(matrices) @ some(vectors))
                case 5:
                    scalars.append(np.mean(some(vectors)))
                case 6:
                    pool.append(some(pool) + some(scalars))
                case 7:
                    k = some(scalars)
                    scalars.append(
                        pg.scan(lambda c, x, k=k, g=g: (g(c * k + x), None), some(scalars), some(vectors))[0]
                    )
                case 8:
                    scalars.append(pg.cond(bool(random.integers(2)), g, np.sin, some(scalars)))
        return scalars[-1] + np.sum(np.tanh(vectors[-1])) + np.sum(np.sin(matrices[-1]))

    return f, args


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.deep) for n in range(2, 300))])
def test_random_functions(seed: int) -> None:
    f, args = smooth(seed)
    verify(f, *args, rtol=1e-9)
    pg.check_grads(f, args, order=1, modes=("forward", "reverse"))


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(n, marks=pytest.mark.deep) for n in range(2, 200))])
def test_random_graphs_of_all_rows(seed: int) -> None:
    sample = grow(seed, 25)
    floating = [x for x in sample.graph.outputs if x.dtype.kind == "f"]
    graph = Graph.from_parts(sample.graph.inputs, floating or [np.sum(sample.graph.inputs[0] * 1.0)])
    random = np.random.default_rng(seed)
    seeds = [random.normal(size=x.shape).astype(x.dtype) for x in graph.outputs]
    found = pg.explain(lambda *inputs: graph(*inputs), *sample.arrays, seed=tuple(seeds))
    pulled = vjp(graph.outputs, graph.inputs, [constant(x) for x in seeds])
    env = evaluate_nodes([x for x in pulled if x is not None], dict(zip(graph.inputs, sample.arrays, strict=True)))
    inputs = [step.name for step in found.steps if not step.formula]
    for x, name, pull in zip(graph.inputs, inputs, pulled, strict=True):
        if x.dtype.kind == "f":
            expected: Any = np.zeros(x.shape) if pull is None else env[pull]
            scale = float(np.max(np.abs(expected), initial=1.0, where=np.isfinite(expected)))
            rtol = 1e-3 if "float32" in {s.value.dtype.name for s in found.steps} else 1e-7
            np.testing.assert_allclose(found.totals[name], expected, rtol=rtol, atol=rtol * scale)
    assert max(map(len, str(found).splitlines())) <= 100
