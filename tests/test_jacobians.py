"""jacfwd, jacrev, jacobian, hessian, hvp and linearize: against finite differences and each other; costs and chunks."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.autodiff.jacobians import dense_jacobian as engine

RNG = np.random.default_rng(5)
W = RNG.normal(size=(4, 3))
X = RNG.normal(size=3)


def differences(f: Callable[..., Any], x: Any, h: float = 1e-6) -> Any:
    """The Jacobian of an array function of one array by central differences."""
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = h
        step = step.reshape(x.shape)
        columns.append((f(x + step) - f(x - step)) / (2 * h))
    return np.stack(columns, axis=-1).reshape((*np.shape(columns[0]), *x.shape))


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "vector to vector": (lambda x: np.tanh(W @ x), X),
    "vector to scalar": (lambda x: np.sum(np.sin(x) * x[::-1]), X),
    "scalar to vector": (lambda x: np.stack([np.sin(x), x**3]), np.float64(0.7)),
    "scalar to scalar": (lambda x: np.exp(x) * x, np.float64(0.7)),
    "matrix to matrix": (lambda x: x @ x.T + np.sum(x), W),
    "one element": (lambda x: x * np.arange(3.0), np.array([2.0])),
    "softmax": (lambda x: pg.softmax(x @ W.T), X),
    "indexing": (lambda x: x[[0, 2, 0]] * x[1], X),
    "loop": (lambda x: pg.scan(lambda c, a: (np.cos(c * a), c * x), x[0], x)[1], X),
    "products": (lambda x: np.prod(x) + np.max(x) * x, X),
    "nothing": (lambda x: np.ones(2), X),
    "no elements": (lambda x: x[:0] * 2.0, X),
}


@pytest.mark.parametrize("jacobian", [pg.jacfwd, pg.jacrev, pg.jacobian])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_against_finite_differences(name: str, jacobian: Any) -> None:
    f, x = FUNCTIONS[name]
    np.testing.assert_allclose(jacobian(f)(x), differences(pg.compile(f), x), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessians(name: str) -> None:
    f, x = FUNCTIONS[name]
    found = pg.hessian(f)(x)
    np.testing.assert_allclose(found, differences(pg.jacfwd(f), x), rtol=1e-6, atol=1e-7)
    for other in (pg.jacfwd(pg.jacfwd(f)), pg.jacrev(pg.jacrev(f)), pg.jacrev(pg.jacfwd(f))):
        np.testing.assert_allclose(other(x), found, rtol=1e-10, atol=1e-11)


def test_it_is_one_call_without_a_loop() -> None:
    for mode in ("forward", "reverse"):
        exe = pg.jacobian(lambda x: np.tanh(W @ x), mode=mode).executable(X)
        assert "SCAN" not in exe.disassemble()
        assert exe.stats.jacobian_chunk == (3 if mode == "forward" else 4)


def test_chunks_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return np.sin(x[:, None] * x)

    x = RNG.normal(size=50)
    whole = pg.jacobian(f, mode="forward")
    expected = whole(x)
    assert whole.executable(x).stats.jacobian_chunk == 50
    monkeypatch.setattr(engine, "CHUNK_BYTES", 200_000)
    small = pg.jacobian(f, mode="forward")
    np.testing.assert_array_equal(small(x), expected)
    stats = small.executable(x).stats
    assert stats.jacobian_chunk is not None
    assert 1 < stats.jacobian_chunk < 50
    assert "SCAN" in small.executable(x).disassemble()


# --- which mode ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "columns", "mode"), [(2, 50, "reverse"), (50, 2, "forward")])
def test_the_cheaper_mode_is_chosen(rows: int, columns: int, mode: str) -> None:
    a, b = RNG.normal(size=(30, columns)), RNG.normal(size=(rows, 30))
    jacobian = pg.jacobian(lambda x: np.tanh(b @ np.tanh(a @ x)))
    x = RNG.normal(size=columns)
    stats = jacobian.executable(x).stats
    assert stats.jacobian_mode == mode
    assert stats.jacobian_costs is not None
    assert set(stats.jacobian_costs) == {"forward", "reverse"}
    assert min(stats.jacobian_costs, key=lambda key: stats.jacobian_costs[key]) == mode
    assert f"forward {stats.jacobian_costs['forward']:,}, reverse " in str(stats)
    for forced in ("forward", "reverse"):
        other = pg.jacobian(lambda x: np.tanh(b @ np.tanh(a @ x)), mode=forced)
        np.testing.assert_allclose(other(x), jacobian(x), rtol=1e-12, atol=1e-13)
        assert other.executable(x).stats.jacobian_mode == forced
        assert set(other.executable(x).stats.jacobian_costs) == {forced}


def test_colouring_is_the_third_way() -> None:
    def residual(x: Any) -> Any:
        return x[1:-1] ** 3 - 0.5 * (x[:-2] + x[2:])

    x = RNG.normal(size=100)
    jacobian = pg.jacobian(residual)
    stats = jacobian.executable(x).stats
    assert stats.jacobian_mode == "coloured"
    assert set(stats.jacobian_costs) == {"forward", "reverse", "coloured"}
    assert stats.jacobian_costs["coloured"] < 0.5 * stats.jacobian_costs["reverse"]
    np.testing.assert_allclose(jacobian(x), pg.jacfwd(residual)(x), rtol=1e-14)
    dense = pg.jacobian(lambda x: np.tanh(x * np.sum(x)))
    assert dense.executable(np.ones(20)).stats.jacobian_mode != "coloured"
    assert "coloured" in dense.executable(np.ones(20)).stats.jacobian_costs


def test_small_functions_are_unrolled() -> None:
    def turned(p: Any) -> Any:
        angle = np.sqrt(np.sum(p["axis"] ** 2))
        return p["point"] * np.cos(angle) + np.sin(angle) * (p["point"] * p["axis"])[::-1], angle

    p = {"axis": RNG.normal(size=3), "point": RNG.normal(size=3)}
    for jacobian in (pg.jacobian(turned), pg.jacobian(turned, mode="unrolled")):
        stats = jacobian.executable(p).stats
        assert stats.jacobian_mode == "unrolled"
        assert stats.jacobian_costs["unrolled"] <= min(stats.jacobian_costs.values())
        found, expected = jacobian(p), pg.jacrev(turned)(p)
        for part, wanted in zip(found, expected, strict=True):
            for key in ("axis", "point"):
                np.testing.assert_allclose(part[key], wanted[key], rtol=1e-13, atol=1e-14)
    many = {key: np.stack([value, 2.0 * value, -value]) for key, value in p.items()}
    mapped = pg.vmap(pg.jacobian(turned))
    np.testing.assert_allclose(mapped(many)[0]["axis"][0], found[0]["axis"], rtol=1e-13, atol=1e-14)
    with pytest.raises(pg.UnsupportedError, match="mode 'unrolled' is for small arrays"):
        pg.jacobian(np.sin, mode="unrolled")(np.ones(100))


def test_a_coloured_jacobian_of_containers() -> None:
    def f(p: Any) -> Any:
        return {"a": p["x"] ** 2 * p["y"], "n": p["k"] + 1, "s": np.sum(p["y"])}

    point = {"x": RNG.normal(size=(3, 4)), "y": RNG.normal(size=(3, 4)), "k": np.arange(2.0)}
    coloured, forward = (pg.jacobian(f, mode=mode)(point) for mode in ("coloured", "forward"))
    for out in "ans":
        for name in "xyk":
            np.testing.assert_allclose(coloured[out][name], forward[out][name], rtol=1e-14, atol=1e-15)
            assert coloured[out][name].dtype == forward[out][name].dtype
    again = pg.grad(lambda x: np.sum(pg.jacobian(lambda x: x**3, mode="coloured")(x)))(np.arange(9.0))
    np.testing.assert_allclose(again, 6 * np.arange(9.0))


def test_planned_costs_are_those_of_the_program() -> None:
    """The estimate is made before optimisation; it is of the size of what is lowered."""
    a = RNG.normal(size=(40, 40))
    for mode in ("forward", "reverse"):
        stats = pg.jacobian(lambda x: np.tanh(a @ np.tanh(a @ x)), mode=mode).executable(np.ones(40)).stats
        assert 0.3 < stats.jacobian_costs[mode] / stats.flops < 3.0


def test_stats_of_other_functions_and_of_copies() -> None:
    assert pg.grad(lambda x: x * x).executable(1.0).stats.jacobian_mode is None
    assert "jacobian mode" not in str(pg.grad(lambda x: x * x).executable(1.0).stats)
    exe = pg.hessian(lambda x: np.sum(x**3)).executable(np.ones(50))
    assert exe.stats.jacobian_mode == "forward", "the outermost"
    assert pg.hessian(lambda x: np.sum(x**3)).executable(X).stats.jacobian_mode == "unrolled"
    assert pickle.loads(pickle.dumps(exe)).stats.jacobian_costs == exe.stats.jacobian_costs
    outer = pg.compile(lambda x: np.sum(pg.jacobian(lambda x: W @ x, mode="reverse")(x)))
    assert outer.executable(X).stats.jacobian_mode == "reverse"


def test_an_unknown_mode() -> None:
    with pytest.raises(
        pg.SignatureError, match=r"(?s)jacobian\(lambda_\): mode 'sideways' is unknown.*do: give 'auto', 'forward'"
    ):
        pg.jacobian(lambda x: x, mode="sideways")


# --- containers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jacobian", [pg.jacfwd, pg.jacrev, pg.jacobian])
def test_containers_argnums_and_aux(jacobian: Any) -> None:
    def f(params: Any, x: Any, n: int) -> Any:
        y = params["w"] @ x * n + params["b"]
        return {"y": y, "n": np.sum(y) * 2.0}, (x, "kept".__len__())

    params = {"w": W, "b": np.float64(0.5)}
    (found, aux) = jacobian(f, argnums=(0, 1), has_aux=True)(params, X, 2)
    np.testing.assert_array_equal(aux[0], X)
    on_params, on_x = found["y"]
    np.testing.assert_allclose(on_x, 2.0 * W)
    np.testing.assert_allclose(on_params["b"], np.ones(4))
    np.testing.assert_allclose(on_params["w"], np.einsum("ij,k->ijk", np.eye(4), 2.0 * X))
    np.testing.assert_allclose(found["n"][1], 4.0 * W.sum(0))
    np.testing.assert_allclose(found["n"][0]["b"], 8.0)


def test_many_scalar_arguments_are_swept_at_once() -> None:
    def f(xs: list[Any]) -> Any:
        return np.stack([np.sin(xs[i]) * xs[i - 1] for i in range(20)])

    values = [np.float64(v) for v in RNG.normal(size=20)]
    exact = np.diag(np.cos(values) * np.roll(values, 1)) + np.roll(np.diag(np.roll(np.sin(values), -1)), 1, axis=0)
    for jacobian in (pg.jacfwd, pg.jacrev):
        np.testing.assert_allclose(np.stack(jacobian(f)(values), axis=-1), exact, rtol=1e-12, atol=1e-14)


def test_hessian_in_containers() -> None:
    found = pg.hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 2.0, "b": X})
    assert found["a"]["a"] == pytest.approx(2.0 * X.sum())
    np.testing.assert_allclose(found["a"]["b"], np.full(3, 4.0))
    np.testing.assert_allclose(found["b"]["b"], np.zeros((3, 3)))
    two = pg.hessian(lambda x, y: x * y**2, (0, 1))(2.0, 3.0)
    np.testing.assert_allclose([list(row) for row in two], [[0.0, 6.0], [6.0, 4.0]])


# --- products --------------------------------------------------------------------------------------------------------


def test_hvp_is_the_hessian_times_a_vector() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.tanh(W @ x) ** 3)

    v = RNG.normal(size=3)
    expected = pg.hessian(f)(X) @ v
    np.testing.assert_allclose(pg.hvp(f, (X,), (v,)), expected, rtol=1e-12)
    np.testing.assert_allclose(pg.compile(lambda x, v: pg.hvp(f, (x,), (v,)))(X, v), expected, rtol=1e-12)
    np.testing.assert_allclose(pg.vmap(lambda v: pg.hvp(f, (X,), (v,)))(np.eye(3)), pg.hessian(f)(X), rtol=1e-11)
    both = pg.hvp(lambda x, y: x * y**2, (2.0, 3.0), (1.0, -1.0))
    assert both == (pytest.approx(-6.0), pytest.approx(6.0 - 4.0))
    with pytest.raises(pg.SignatureError, match="primals and tangents must be tuples"):
        pg.hvp(f, X, v)
    with pytest.raises(pg.ShapeError, match="a tangent of shape"):
        pg.hvp(f, (X,), (v[:2],))


def test_linearize() -> None:
    def f(x: Any, y: Any) -> Any:
        return {"a": np.tanh(W @ x) * y, "n": 3}

    value, push = pg.linearize(f, X, 2.0)
    columns = [push(e, 0.0) for e in np.eye(3)]
    np.testing.assert_allclose(
        np.stack([c["a"] for c in columns], 1), pg.jacfwd(lambda x: f(x, 2.0)["a"])(X), rtol=1e-12
    )
    assert columns[0]["n"] is None
    assert value["n"] == 3
    with pytest.raises(pg.SignatureError):
        push(X)
    inside = pg.compile(lambda x: pg.linearize(f, x, 2.0)[1](x, 1.0)["a"])(X)
    np.testing.assert_allclose(inside, pg.jvp(f, (X, 2.0), (X, 1.0))[1]["a"], rtol=1e-12)
    many = pg.vmap(lambda v: pg.linearize(f, X, 2.0)[1](v, 0.0)["a"], out_axes=1)(np.eye(3))
    np.testing.assert_allclose(many, pg.jacfwd(lambda x: f(x, 2.0)["a"])(X), rtol=1e-12)


def test_products_at_arrays_with_expressions_as_vectors() -> None:
    """The idiom of a whole Jacobian: a batch of pulled basis vectors."""

    def f(x: Any) -> Any:
        return np.tanh(W @ x)

    expected = pg.jacfwd(f)(X)
    _, pull = pg.vjp(f, X)
    np.testing.assert_allclose(pg.vmap(pull)(np.eye(4))[0], expected, rtol=1e-12)
    _, pull, aux = pg.vjp(lambda x: (f(x), x), X, has_aux=True)
    np.testing.assert_allclose(pg.vmap(pull)(np.eye(4))[0], expected, rtol=1e-12)
    np.testing.assert_array_equal(aux, X)
    _, push = pg.linearize(f, X)
    np.testing.assert_allclose(pg.vmap(push, out_axes=1)(np.eye(3)), expected, rtol=1e-12)
