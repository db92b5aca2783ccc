"""Branches merged: how often the work of a primal branch is left, and that results and gradients are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.autodiff.branch_derivatives import branch_vjp
from pygraph.autodiff.joint_graph import joint
from pygraph.graph import Graph, var
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize

X = np.linspace(0.2, 1.0, 5)
Y = np.linspace(-1.0, 1.0, 5)


def chosen(x: Any) -> Any:
    return pg.cond(x[0] > 0.0, lambda x: np.tanh(np.exp(x)), lambda x: np.sinh(x) * 2.0, x)


def count(graph: Graph) -> Counter[str]:
    """How many nodes of each op a graph has, in its bodies too."""
    found: Counter[str] = Counter()
    for node in graph.nodes:
        found[node.op.name] += 1
        for body in (*node.attrs.get("bodies", ()), *([node.attrs["body"]] if "body" in node.attrs else [])):
            found += count(body)
    return found


def counted(f: Callable[..., Any], *args: Any) -> Counter[str]:
    return count(optimize(pg.trace(f, *args)))


OUTER: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum,
    "square": lambda y: np.sum(y) ** 2,
    "sine": lambda y: np.sum(np.sin(y)),
}


@pytest.mark.parametrize("outer", OUTER)
def test_value_and_gradient_run_the_primal_branch_once(outer: str) -> None:
    """One branch does it all where the cotangent does not depend on its values."""
    found = counted(pg.value_and_grad(lambda x: OUTER[outer](chosen(x))), X)
    assert found["branch"] == (1 if outer == "sum" else 2)
    assert (found["exp"], found["tanh"], found["sinh"]) == (1, 1, 1)


def test_value_and_tangent_run_the_primal_branch_once() -> None:
    found = counted(lambda x, t: pg.jvp(chosen, (x,), (t,)), X, X)
    assert (found["branch"], found["exp"], found["tanh"], found["sinh"]) == (1, 1, 1, 1)


def test_value_and_tangent_of_a_checkpoint_run_it_once() -> None:
    again = pg.checkpoint(lambda x: np.tanh(np.exp(x)))
    found = counted(lambda x, t: pg.jvp(again, (x,), (t,)), X, X)
    assert (found["branch"], found["exp"], found["tanh"]) == (1, 1, 1)
    second = counted(lambda x, t: pg.jvp(lambda x: pg.jvp(again, (x,), (t,)), (x,), (t,)), X, X)
    assert (second["branch"], second["exp"], second["tanh"]) == (1, 1, 1)


def test_value_and_gradient_of_a_checkpoint_run_it_twice() -> None:
    again = pg.checkpoint(lambda x: np.tanh(np.exp(x)))
    found = counted(pg.value_and_grad(lambda x: np.sum(again(x))), X)
    assert (found["branch"], found["exp"]) == (2, 2), "what it promises is not to keep anything"


def test_branches_of_one_choice_share_their_work() -> None:
    def f(x: Any, y: Any) -> Any:
        first = pg.cond(x[0] > 0.0, lambda: (np.exp(x) * y, x), lambda: (x, np.cosh(y)))
        second = pg.cond(x[0] > 0.0, lambda: np.exp(x) + y, lambda: np.cosh(y) + x)
        other = pg.cond(x[0] > 1.0, lambda: np.exp(x) + y, lambda: y)
        return first, second, other

    found = counted(f, X, Y)
    assert (found["branch"], found["exp"], found["cosh"]) == (2, 2, 1)
    for got, wanted in zip(pg.compile(f)(X, Y)[0], (np.exp(X) * Y, X), strict=True):
        np.testing.assert_allclose(got, wanted)


def test_a_branch_that_another_depends_on_stays() -> None:
    def f(x: Any) -> Any:
        first = pg.cond(x[0] > 0.0, np.exp, np.sin, x)
        return pg.cond(x[0] > 0.0, lambda x, y: np.exp(x) * y, lambda x, y: y, x, np.cos(first)), first

    assert counted(f, X)["branch"] == 2
    np.testing.assert_allclose(pg.compile(f)(X)[0], np.exp(X) * np.cos(np.exp(X)))


def test_a_branch_of_results_of_another_takes_it_in() -> None:
    def f(x: Any) -> Any:
        first = pg.cond(x[0] > 0.0, np.exp, np.sin, x)
        return pg.cond(x[0] > 0.0, lambda x, y: x * y, lambda x, y: y, x, first), first

    found = counted(f, X)
    assert (found["branch"], found["exp"], found["sin"]) == (1, 1, 1)
    np.testing.assert_array_equal(pg.compile(f)(X), (X * np.exp(X), np.exp(X)))
    np.testing.assert_array_equal(pg.compile(f)(-X), (np.sin(-X), np.sin(-X)))


def test_merging_everything_at_once_would_make_a_cycle() -> None:
    """Each of two branches may take another one in, but then they would depend on each other."""

    def f(x: Any, y: Any) -> Any:
        p, q = x[0] > 0.0, y[0] > 0.0
        first, second = pg.cond(p, np.exp, np.sin, x), pg.cond(q, np.cosh, np.sinh, y)
        wide = pg.cond(p, lambda x, z: np.tan(x) * z, lambda x, z: z, x, second * 2.0)
        other = pg.cond(q, lambda y, z: np.log(y) * z, lambda y, z: z, y, first * 2.0)
        return first, second, wide, other

    found = counted(f, X, X)
    assert found["branch"] == 3
    assert found["exp"] == found["cosh"] == found["tan"] == found["log"] == 1
    wanted = np.exp(X), np.cosh(X), np.tan(X) * np.cosh(X) * 2.0, np.log(X) * np.exp(X) * 2.0
    for got, right in zip(pg.compile(f)(X, X), wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-14)


def test_a_reverse_branch_is_handed_values_of_each_body() -> None:
    """The bodies share places: tanh and sinh results are of one type, and tanh is the primal result itself."""
    x, seed = var("x", (5,)), var("seed", (5,))
    node = chosen(x).inputs[0]
    _, found = branch_vjp(node, [seed])
    assert found is not None
    back = found.inputs[0]
    handed = back.inputs[2:-1]
    assert len(handed) == 2, "exp(x) or cosh's argument is x itself; tanh(exp(x)) is what the branch gives anyway"
    assert len({h.inputs[0] for h in handed}) == 1


def test_the_reverse_segment_reads_what_the_primal_branch_made() -> None:
    graph = pg.trace(lambda x: np.sum(chosen(x) ** 2), X)
    whole = joint(graph, [0])
    assert count(optimize(whole.graph, whole.levels))["tanh"] == 1
    exe = pg.compile(graph, wrt=["x"])
    exe.forward(X)
    inner, slope = np.tanh(np.exp(X)), np.exp(X)
    first = exe.reverse()[0]
    np.testing.assert_allclose(first, 2.0 * inner * (1.0 - inner**2) * slope, rtol=1e-12)
    np.testing.assert_allclose(exe.jvp(X), first @ X, rtol=1e-12)
    exe.forward(-X + 0.0)
    np.testing.assert_allclose(exe.reverse()[0], -8.0 * np.sinh(X) * np.cosh(X), rtol=1e-12)
    np.testing.assert_allclose(exe.reverse(2.0)[0], -16.0 * np.sinh(X) * np.cosh(X), rtol=1e-12)
    np.testing.assert_allclose(exe.jvp(X), -8.0 * np.sinh(X) * np.cosh(X) @ X, rtol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("length", [15, pytest.param(60, marks=pytest.mark.deep)])
def test_long_chains_of_branches(length: int, sign: float) -> None:
    def f(x: Any) -> Any:
        for k in range(length):
            x = pg.cond(x[0] > 0.5, lambda x: np.sin(x) + 0.1, lambda x, k=k: np.cos(x + 0.01 * k), x)
        return np.sum(x * x)

    def plain(x: Any) -> Any:
        for k in range(length):
            x = np.sin(x) + 0.1 if x[0] > 0.5 else np.cos(x + 0.01 * k)
        return np.sum(x * x)

    found = counted(pg.value_and_grad(f), X)
    assert found["branch"] <= 2 * length
    assert found["sin"] + found["cos"] <= 4 * length, "each with its derivative"
    value, gradient = pg.value_and_grad(f)(sign * X)
    np.testing.assert_allclose(value, plain(sign * X), rtol=1e-12)
    for k in range(5):
        move = 1e-6 * np.eye(5)[k]
        slope = (plain(sign * X + move) - plain(sign * X - move)) / 2e-6
        np.testing.assert_allclose(gradient[k], slope, rtol=1e-4, atol=1e-9)


FUNCTIONS: list[Callable[[Any], Any]] = [np.exp, np.sin, np.tanh, lambda x: x * x * 0.5, np.cos, lambda x: x + 1.0]


def random_function(rng: np.random.Generator) -> Callable[[Any, Any], Any]:
    """A scalar function with many branches of two choices, and checkpoints, that read each other's results."""
    draws = rng.integers(0, 1000, size=(int(rng.integers(3, 10)), 6)).tolist()

    def f(x: Any, y: Any) -> Any:
        pool, choices = [x, y, x * y], [x[0] > 0, y[1] > 0.2]
        for kind, a, b, c, d, e in draws:
            u, v, p = pool[a % len(pool)], pool[b % len(pool)], choices[e % 2]
            first, second = FUNCTIONS[c % len(FUNCTIONS)], FUNCTIONS[d % len(FUNCTIONS)]
            if kind % 4 == 0:
                made = pg.cond(p, lambda u, v, f=first: f(u) * v, lambda u, v, f=second: f(v) + u, u, v)
            elif kind % 4 == 1:
                made = pg.cond(p, lambda u, f=first, g=second: g(f(u)), first, u)
            elif kind % 4 == 2:
                made = pg.checkpoint(lambda u, v, f=first, g=second: f(u) + g(v))(u, v)
            else:
                given = pg.cond(p, lambda u, v, f=first: (f(u), f(u)), lambda u, v, f=second: (v, f(u)), u, v)
                made = given[0] * 0.5 + given[1]
            pool.append(np.tanh(made) if a % 3 == 0 else made * 0.5)
        return np.sum(pool[-1] * pool[-2]) + np.sum(pool[len(pool) // 2])

    return f


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(k, marks=pytest.mark.deep) for k in range(8, 24))])
def test_random_branches_against_the_graph_as_differentiated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f = random_function(rng)
    x, y, t = rng.normal(size=(3, 3))
    transformed: list[Callable[[Any, Any], Any]] = [
        pg.value_and_grad(f, argnums=(0, 1)),
        lambda x, y: pg.jvp(lambda x: f(x, y), (x,), (t,)),
        lambda x, y: pg.value_and_grad(lambda x: pg.jvp(lambda x: f(x, y), (x,), (t,))[1])(x),
        pg.hessian(f),
    ]
    graph = pg.trace(transformed[seed % 4], x, y)
    for a, b in zip(evaluate_flat(graph, [x, y]), evaluate_flat(optimize(graph), [x, y]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    exe = pg.compile(pg.trace(f, x, y), wrt=["x", "y"])
    exe.forward(x, y)
    gx, gy = exe.reverse()
    for a, b in zip((gx, gy), pg.grad(f, argnums=(0, 1))(x, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(exe.jvp(t, t), gx @ t + gy @ t, rtol=1e-8, atol=1e-10)
