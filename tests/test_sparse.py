"""`pg.sparsity`, `pg.sparse_jacobian` and `pg.sparse_hessian`: against dense derivatives, and what they cost."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import COMPILER_MARKS
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

import pygraph as pg
from pygraph.autodiff.jacobians.compressed_jacobian import CHUNK_BYTES
from pygraph.transforms import sparse

Point = tuple[Any, ...]
RNG = np.random.default_rng(2)


def tridiagonal(x: Any) -> Any:
    inner = x[:-2] * x[2:] + np.sin(x[1:-1]) * x[1:-1]
    return np.concatenate([x[:1] ** 2 - x[1], inner, x[-1:] * x[-2]])


def arrow(x: Any) -> Any:
    return np.concatenate([np.sum(x * x, keepdims=True), x[1:] * x[0] + np.sin(x[1:])])


def residual(u: Any) -> Any:
    """The 5-point discretisation of Δu = exp(u) on a square, u = 0 around it."""
    n = u.shape[0]
    across = np.concatenate([np.zeros((n, 1)), u, np.zeros((n, 1))], axis=1)
    down = np.concatenate([np.zeros((1, n)), u, np.zeros((1, n))], axis=0)
    return across[:, 2:] + across[:, :-2] + down[2:] + down[:-2] - 4.0 * u - np.exp(u) / n**2


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def gathered(x: Any) -> Any:
    """Elements picked at random, multiplied, and scattered."""
    rng = np.random.default_rng(8)
    n = x.shape[0]
    terms = x[rng.integers(0, n, 2 * n)] * np.cos(x[rng.integers(0, n, 2 * n)])
    return pg.zeros_like(x).at[rng.integers(0, n, 2 * n)].add(terms)


def looped(x: Any) -> Any:
    return pg.scan(lambda c, v: (np.sin(v), c * v), x[0], x)[1]


FUNCTIONS: dict[str, tuple[Callable[..., Any], Point]] = {
    "tridiagonal": (tridiagonal, (RNG.standard_normal(30),)),
    "arrow": (arrow, (RNG.standard_normal(30),)),
    "grid": (residual, (RNG.standard_normal((6, 6)),)),
    "gathered": (gathered, (RNG.standard_normal(25),)),
    "looped": (looped, (RNG.standard_normal(20),)),
    "dense": (lambda x: np.sum(np.tanh(x[:, None] * x), axis=0) * np.max(x), (RNG.standard_normal(7),)),
    "one row": (lambda x: np.sum(x[::2] ** 3), (RNG.standard_normal(9),)),
    "one column": (lambda x: x * np.arange(5.0), (np.float64(0.7),)),
    "one by one": (lambda x: x * x, (np.float64(0.7),)),
    "linear": (lambda x: x[1:] - x[:-1], (RNG.standard_normal(9),)),
    "diagonal": (np.exp, (RNG.standard_normal((2, 3)),)),
    "zero": (lambda x: np.sign(x), (RNG.standard_normal(4),)),
    "known product": (lambda x: np.triu(np.ones((8, 8)), 5) @ x**2, (RNG.standard_normal(8),)),
    "float32": (tridiagonal, (RNG.standard_normal(12).astype(np.float32),)),
    "bounded after a scatter": (
        lambda x: np.maximum(pg.zeros(40).at[np.arange(0, 12, 2)].set(x**2), 0.2),
        (RNG.standard_normal(6),),
    ),
}


def dense(f: Callable[..., Any], args: Point) -> Any:
    block = pg.jacfwd(f)(*args)
    return np.reshape(block, (-1, np.size(args[0])))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_sparse_equals_dense(name: str, mode: str) -> None:
    f, args = FUNCTIONS[name]
    found, wanted = pg.sparse_jacobian(f, mode=mode)(*args), dense(f, args)
    assert isinstance(found, csr_array)
    assert (found.shape, found.dtype) == (wanted.shape, args[0].dtype)
    np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-5 if found.dtype == np.float32 else 1e-12, atol=1e-13)
    pattern = pg.sparsity(f, *args)
    assert (pattern.shape, pattern.dtype) == (wanted.shape, bool)
    assert not (wanted[~pattern.toarray()] != 0).any()
    np.testing.assert_array_equal(found.indices, pattern.indices)
    np.testing.assert_array_equal(found.indptr, pattern.indptr)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "one column"])
def test_sparse_hessian_equals_dense(name: str) -> None:
    f, args = FUNCTIONS[name]

    def total(x: Any) -> Any:
        return np.sum(f(x) ** 2) + np.sum(x[:2]) ** 3 if x.ndim else f(x) * x

    found = pg.sparse_hessian(total)(*args)
    wanted = np.reshape(pg.jacfwd(pg.grad(total))(*args), found.shape)
    tolerance = 1e-4 if found.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(found.toarray(), wanted, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(found.toarray(), found.toarray().T)


def branching(x: Any) -> Any:
    inner = pg.cond(x[0] > 0, lambda v: v[:2] * x[2], lambda v: v[:2] ** 3, x)
    return np.concatenate([inner, np.sin(x[3:])])


def repeated(x: Any) -> Any:
    last, _ = pg.while_loop(
        lambda c: np.sum(c[0] ** 2) < 50.0, lambda c: (c[0] * 1.5 + np.sin(c[1]), c[1]), (x[:2], x[2:4])
    )
    return np.concatenate([last, x[4:] ** 2])


@pytest.mark.parametrize("f", [branching, repeated])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_control_flow_depends_on_all_it_sees(f: Callable[..., Any], sign: float) -> None:
    x = sign * np.array([0.7, 0.4, 1.1, 0.3, 0.5, 0.9, 1.2])
    for mode in ("forward", "reverse"):
        found = pg.sparse_jacobian(f, mode=mode)(x)
        np.testing.assert_allclose(found.toarray(), pg.jacfwd(f)(x), rtol=1e-12)
        assert found.nnz < found.shape[0] * found.shape[1]

    def total(x: Any) -> Any:
        return np.sum(f(x) ** 2)

    wanted = pg.jacfwd(pg.jacfwd(total))(x)
    np.testing.assert_allclose(pg.sparse_hessian(total)(x).toarray(), wanted, rtol=1e-9, atol=1e-9)


# --- large ones: what they cost --------------------------------------------------------------------------------------


def test_a_tridiagonal_jacobian_of_ten_thousand_takes_three_tangents() -> None:
    x = RNG.standard_normal(10_000)
    jacobian = pg.sparse_jacobian(tridiagonal, mode="coloured")
    stats = jacobian.plan(x).stats
    assert (stats["colouring"], stats["tangents"], stats["cotangents"]) == ("column", 3, 0)
    assert stats["costs"] == {"forward": (3, 0), "reverse": (0, 3)}
    assert stats["nnz"] == 29_998
    found, v = jacobian(x), RNG.standard_normal(10_000)
    np.testing.assert_allclose(found @ v, pg.jvp(tridiagonal, (x,), (v,))[1], rtol=1e-11, atol=1e-11)


def test_an_arrow_is_coloured_in_both_directions() -> None:
    x = RNG.standard_normal(10_000)
    jacobian = pg.sparse_jacobian(arrow, mode="coloured")
    stats = jacobian.plan(x).stats
    assert (stats["colouring"], stats["tangents"], stats["cotangents"]) == ("bidirectional", 2, 1)
    assert stats["costs"] == {"forward": (10_000, 0), "reverse": (0, 10_000), "bidirectional": (2, 1)}
    found, v = jacobian(x), RNG.standard_normal(10_000)
    np.testing.assert_allclose(found @ v, pg.jvp(arrow, (x,), (v,))[1], rtol=1e-9)


def test_a_grid_takes_five_and_newton_converges() -> None:
    assert pg.sparse_jacobian(residual, mode="coloured").plan(np.zeros((100, 100))).stats["tangents"] == 5
    jacobian = pg.sparse_jacobian(residual)
    u = np.zeros((100, 100))
    plan = jacobian.plan(u)
    assert plan.stats["colouring"] == "local"
    assert plan.stats["nnz"] == 49_600
    value = pg.compile(residual)
    for _ in range(4):
        u = u - spsolve(jacobian(u), value(u).ravel()).reshape(u.shape)
    assert np.max(np.abs(value(u))) < 1e-14


def test_the_rosenbrock_hessian_in_a_thousand_variables() -> None:
    x = RNG.uniform(-1, 1, 1_000)
    hessian = pg.sparse_hessian(rosenbrock)
    found = hessian(x)
    stats = pg.sparse_hessian(rosenbrock, mode="coloured").plan(x).stats
    assert (stats["tangents"], stats["cotangents"], stats["nnz"]) == (3, 0, 2_998)
    diagonal = np.zeros(1_000)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    np.testing.assert_allclose(found.diagonal(), diagonal, rtol=1e-12)
    np.testing.assert_allclose(found.diagonal(1), -400 * x[:-1], rtol=1e-12)
    np.testing.assert_array_equal(found.diagonal(1), found.diagonal(-1))


def test_an_arrow_hessian_takes_two() -> None:
    hessian = pg.sparse_hessian(lambda x: np.sum(np.sin(x[0] * x[1:]) * x[1:] ** 2), mode="coloured")
    x = RNG.standard_normal(500)
    stats = hessian.plan(x).stats
    assert (stats["colouring"], stats["tangents"]) == ("star", 2)
    assert stats["costs"] == {"forward": (500, 0), "star": (2, 0)}
    assert hessian(x).nnz == 3 * 500 - 2


# --- calls -----------------------------------------------------------------------------------------------------------


def test_the_structure_stays_and_calls_share_no_memory() -> None:
    jacobian = pg.sparse_jacobian(lambda x: np.concatenate([x[:2] * x[2], x[3:] ** 2]))
    first = jacobian(np.array([1.0, 2.0, 3.0, 4.0]))
    kept = first.toarray()
    zero = jacobian(np.zeros(4))
    assert zero.nnz == first.nnz == 5
    assert zero.has_canonical_format
    zero.eliminate_zeros()
    first.data[:] = -1.0
    np.testing.assert_array_equal(jacobian(np.array([1.0, 2.0, 3.0, 4.0])).toarray(), kept)


class Params(NamedTuple):
    w: Any
    b: Any


def model(params: Params, scale: Any, *, shift: float = 0.0) -> Any:
    return {"a": params.w * scale, "b": (params.b**2 + shift, np.arange(2))}


def test_containers_are_put_end_to_end() -> None:
    params = Params(np.arange(3.0), np.array([[2.0, 5.0]]))
    found = pg.sparse_jacobian(model)(params, 3.0, shift=1.0)
    np.testing.assert_array_equal(
        found.toarray(), np.concatenate([np.diag([3.0, 3.0, 3.0, 4.0, 10.0]), np.zeros((2, 5))])
    )
    both = pg.sparse_jacobian(model, argnums=(1, 0))(params, 3.0)
    np.testing.assert_array_equal(both.toarray()[:, 0], [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(both.toarray()[:, 1:], found.toarray())
    assert pg.sparsity(model, params, 3.0, argnums=-1).nnz == 3


def test_a_hessian_with_respect_to_several_arguments() -> None:
    def f(x: Any, k: Any, y: Any) -> Any:
        return np.sum(x * y**2) * k

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = pg.sparse_hessian(f, argnums=(0, 2))(x, 2, y).toarray()
    np.testing.assert_array_equal(found, [[0, 0, 12, 0], [0, 0, 0, 16], [12, 0, 4, 0], [0, 16, 0, 8]])


def test_aux() -> None:
    found, aux = pg.sparse_jacobian(lambda x: (x**2, {"sum": np.sum(x), "n": 3}), has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found.toarray(), [[2.0, 0.0], [0.0, 4.0]])
    assert aux == {"sum": 3.0, "n": 3}
    found, aux = pg.sparse_hessian(lambda x: (np.sum(x**3), x), has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found.toarray(), [[6.0, 0.0], [0.0, 12.0]])
    np.testing.assert_array_equal(aux, [1.0, 2.0])


def test_one_plan_for_each_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    compressed = sparse.SparseKind.compressed
    monkeypatch.setattr(
        sparse.SparseKind,
        "compressed",
        lambda self, f, outputs, wrt: (calls.append(wrt[0].shape), compressed(self, f, outputs, wrt))[1],
    )

    def f(x: Any) -> Any:
        return x * x

    def drawn(x: Any) -> Any:
        return x * x * np.random.default_rng(0).normal(size=())  # traced at every call, and planned once

    again = pg.sparse_jacobian(drawn)
    assert again(np.ones(4)).nnz == again(np.ones(4)).nnz == 4
    assert calls == [(4,)]
    calls.clear()
    jacobian = pg.sparse_jacobian(f)
    for n in (2, 3, 2, 3, 2):
        assert jacobian(np.ones(n)).shape == (n, n)
    assert calls == [(2,), (3,)]
    assert jacobian.plan(np.zeros(2)).executable is jacobian.plan(np.ones(2)).executable
    assert repr(jacobian) == "<sparse_jacobian of f, 2 signatures>"
    assert jacobian.__name__ == "f"


def test_sparsity_takes_types_alone() -> None:
    found = pg.sparsity(tridiagonal, pg.spec((10_000,)))
    assert found.nnz == 29_998
    assert found.indices.dtype == np.int32


def test_the_seeds_never_exist_as_a_matrix() -> None:
    """Many colours on many inputs: the program holds neither a seed matrix nor the dense Jacobian."""
    n, k = 4_000, 60
    jacobian = pg.sparse_jacobian(
        lambda x: np.reshape(np.sum(np.reshape(x, (-1, k)) ** 2, axis=1), (-1,)), mode="forward"
    )
    plan = jacobian.plan(np.ones(n * k // 50))
    assert plan.stats["tangents"] == k
    assert plan.stats["constant_bytes"] < 8 * 4 * n * k // 50
    assert plan.stats["arena_bytes"] < 8 * 4 * n * k // 50 + 2 * CHUNK_BYTES


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [pg.sparse_jacobian, pg.sparse_hessian])
def test_a_missing_scipy_names_the_extra(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(pg.UnsupportedError, match=r"(?s)sparse_.*\(rosenbrock\).*SciPy.*pygraph-ad\[sparse\]"):
        make(rosenbrock)(np.ones(3))
    with pytest.raises(pg.UnsupportedError, match=r"pygraph-ad\[sparse\]"):
        pg.sparsity(rosenbrock, np.ones(3))
    assert make(rosenbrock).plan(np.ones(3)).stats["nnz"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: pg.sparse_jacobian(np.sin)(np.arange(3)),
            pg.DTypeError,
            "int64.*no derivative.*do: give it as a float",
        ),
        (lambda: pg.sparsity(np.sin, np.arange(3)), pg.DTypeError, "int64.*no derivative"),
        (
            lambda: pg.sparse_hessian(np.sin)(np.ones(3)),
            pg.ShapeError,
            r"float64\[3\], not one scalar.*sparse_jacobian",
        ),
        (lambda: pg.sparse_hessian(lambda x: (x, x))(1.0), pg.ShapeError, "float64, float64, not one scalar"),
        (lambda: pg.sparse_hessian(lambda x: x > 0)(1.0), pg.DTypeError, "returned bool"),
        (lambda: pg.sparse_jacobian(np.sin, argnums=1)(1.0), pg.SignatureError, "argnums=1, with 1 argument\n"),
        (lambda: pg.sparse_jacobian(np.sin, has_aux=True)(1.0), pg.GraphError, "not a pair"),
        (lambda: pg.sparse_jacobian(np.sin, mode="both"), pg.SignatureError, "mode='both'"),
        (lambda: pg.sparse_jacobian(np.sin)(pg.var("x")), pg.UnsupportedError, "can't be recorded.*jacfwd"),
        (
            lambda: pg.sparse_jacobian(tridiagonal)(x=1.0, y=2.0),
            pg.SignatureError,
            "unexpected.*call it as .*tridiagonal",
        ),
    ],
)
def test_refusals(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"(?s){text}"):
        call()


def test_closing_over_an_expression_is_refused() -> None:
    def outer(y: Any) -> Any:
        return pg.sparse_jacobian(lambda x: x * y)(np.ones(2))

    with pytest.raises(pg.UnsupportedError, match=r"(?s)can't be recorded.*values_only"):
        pg.trace(outer, 1.0)


def test_a_refused_call_leaves_the_others() -> None:
    jacobian = pg.sparse_jacobian(lambda x: x[1:] * x[:-1])
    with pytest.raises(pg.DTypeError):
        jacobian(np.arange(3))
    np.testing.assert_array_equal(jacobian(np.arange(3.0)).toarray(), [[1.0, 0.0, 0.0], [0.0, 2.0, 1.0]])


def test_sparse_is_an_option_of_the_dense_functions() -> None:
    def residual(x: Any) -> Any:
        return x[1:] ** 2 - x[:-1]

    x = np.linspace(0.1, 1.0, 6)
    found = pg.jacobian(residual, sparse=True)(x)
    assert found.nnz == 10
    np.testing.assert_allclose(found.toarray(), pg.jacobian(residual)(x), rtol=1e-14)

    def energy(x: Any) -> Any:
        return pg.sum(residual(x) ** 2)

    curved = pg.hessian(energy, sparse=True)(x)
    assert curved.nnz == 16
    np.testing.assert_allclose(curved.toarray(), pg.hessian(energy)(x), rtol=1e-13, atol=1e-14)


# --- options ---------------------------------------------------------------------------------------------------------


def test_the_given_structure_is_the_result() -> None:
    x = RNG.standard_normal(30)
    given = np.tri(30, 30, 2) - np.tri(30, 30, -3)  # two more diagonals than there are
    wanted = dense(tridiagonal, (x,))
    for mode in ("auto", "local", "coloured", "forward", "reverse"):
        for pattern in (given, csr_array(given * 0.0 + given)):
            found = pg.sparse_jacobian(tridiagonal, mode=mode, sparsity=pattern)(x)
            assert found.nnz == np.count_nonzero(given)
            np.testing.assert_allclose(found.toarray(), wanted, rtol=1e-12, atol=1e-13)
    stored = csr_array(
        (np.zeros(2), np.array([0, 1]), np.array([0, 1, 2])), shape=(2, 2)
    )  # zeros that are stored count
    assert pg.jacobian(lambda x: x * 2.0, sparse=True, sparsity=stored)(x[:2]).nnz == 2
    hessian = pg.sparse_hessian(rosenbrock, sparsity=np.tri(30, 30) - np.tri(30, 30, -4))(x)
    assert hessian.nnz == 30 + 2 * (29 + 28 + 27)
    np.testing.assert_allclose(hessian.toarray(), pg.hessian(rosenbrock)(x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("mode", ["local", "coloured"])
def test_values_alone(mode: str) -> None:
    x = RNG.standard_normal(12)
    whole = pg.sparse_jacobian(tridiagonal, mode=mode)
    matrix = whole(x)
    alone = pg.sparse_jacobian(tridiagonal, mode=mode, values_only=True)
    np.testing.assert_array_equal(alone(x), matrix.data)
    np.testing.assert_array_equal(whole.values(x), matrix.data)
    structure = alone.structure(pg.spec((12,)))
    assert structure.dtype == bool
    np.testing.assert_array_equal(structure.indices, matrix.indices)
    out = np.empty(matrix.nnz)
    assert alone(x, out=out) is out
    np.testing.assert_array_equal(out, matrix.data)
    # among expressions the entries are one: differentiated, batched, compiled
    total = pg.grad(lambda x: np.sum(alone(x) ** 2))(x)
    np.testing.assert_allclose(total, pg.grad(lambda x: np.sum(pg.jacfwd(tridiagonal)(x) ** 2))(x), rtol=1e-12)
    np.testing.assert_array_equal(pg.vmap(alone)(np.stack([x, x]))[1], matrix.data)


def test_a_matrix_to_fill() -> None:
    jacobian = pg.sparse_jacobian(tridiagonal)
    first = jacobian(RNG.standard_normal(12))
    x = RNG.standard_normal(12)
    indices = first.indices
    assert jacobian(x, out=first) is first
    assert first.indices is indices
    np.testing.assert_array_equal(first.toarray(), jacobian(x).toarray())
    for other in (csr_array(np.eye(12)), first.tocsc(), np.zeros((12, 12))):
        with pytest.raises(pg.SignatureError, match=r"(?s)not a csr matrix.*earlier call"):
            jacobian(x, out=other)
    with pytest.raises(pg.SignatureError, match=r"out must be float64\[34\]"):
        pg.sparse_jacobian(tridiagonal, values_only=True)(x, out=np.empty(3))


def test_calls_share_no_memory_after_the_first() -> None:
    jacobian = pg.sparse_jacobian(tridiagonal)
    found = [jacobian(RNG.standard_normal(8)) for _ in range(4)]
    for matrix in found:
        assert matrix.has_canonical_format
        matrix.check_format(full_check=True)
    for one in found:
        for other in found:
            if one is not other:
                for name in ("data", "indices", "indptr"):
                    assert not np.may_share_memory(getattr(one, name), getattr(other, name))
    assert (found[1] @ found[2].T).shape == (8, 8)


@pytest.mark.parametrize("backend", ["vm", pytest.param("native", marks=COMPILER_MARKS)])
def test_the_backend_can_be_chosen(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYGRAPH_BACKEND", raising=False)
    x = RNG.standard_normal(12)
    wanted = pg.sparse_jacobian(tridiagonal)(x)
    jacobians = [
        pg.jacobian(tridiagonal, sparse=True, backend=backend),
        pg.compile(pg.jacobian(tridiagonal, sparse=True), backend=backend),
        pg.compile(backend=backend, threads=1)(pg.sparse_jacobian(tridiagonal)),
    ]
    for jacobian in jacobians:
        found = jacobian(x)
        assert isinstance(found, csr_array)
        np.testing.assert_array_equal(found.toarray(), wanted.toarray())
        assert jacobian.plan(x).stats["backend"] == backend
    assert pg.jacobian(tridiagonal, backend=backend).executable(x).stats.backend == backend
    assert pg.hessian(rosenbrock, backend=backend).executable(x).stats.backend == backend


def test_they_can_be_copied_and_pickled() -> None:
    x = RNG.standard_normal(12)
    for made in (
        pg.sparse_jacobian(tridiagonal, sparsity=pg.sparsity(tridiagonal, x)),
        pg.sparse_hessian(rosenbrock, triangle="lower"),
    ):
        wanted = made(x)
        for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
            np.testing.assert_array_equal(other(x).toarray(), wanted.toarray())


def test_full_structures_are_dense_plans() -> None:
    def chained(w: Any) -> Any:
        return pg.sum(pg.scan(lambda c, u: (c + 0.01 * np.sin(c) * u, c), 1.0, w)[1])

    w = RNG.uniform(0, 1, 40)
    hessian = pg.sparse_hessian(chained)
    assert hessian.plan(w).stats["colouring"] == "dense"
    np.testing.assert_allclose(hessian(w).toarray(), pg.hessian(chained)(w), rtol=1e-12)
    np.testing.assert_array_equal(hessian(w).toarray(), hessian(w).toarray().T)
    upper = pg.sparse_hessian(chained, triangle="upper")(w)
    np.testing.assert_array_equal(upper.toarray(), np.triu(hessian(w).toarray()))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: pg.sparse_jacobian(np.sin, sparsity=np.eye(2))(np.ones(3)), pg.ShapeError, r"\(2, 2\).*\(3, 3\)"),
        (lambda: pg.sparse_hessian(rosenbrock, triangle="left"), pg.SignatureError, "triangle='left'.*'lower'"),
        (lambda: pg.sparse_hessian(rosenbrock, mode="row"), pg.SignatureError, "mode='row'.*'local'"),
        (lambda: pg.sparse_jacobian(np.sin, backend="gpu"), pg.BackendError, "backend 'gpu'"),
        (lambda: pg.jacobian(np.sin, values_only=True), pg.SignatureError, "values_only= .*sparse=True"),
        (lambda: pg.hessian(np.sin, triangle="lower"), pg.SignatureError, "triangle= .*sparse=True"),
        (
            lambda: pg.sparse_jacobian(lambda x: (x, x), has_aux=True)(np.ones(2), out=np.ones(2)),
            pg.SignatureError,
            "out= and has_aux",
        ),
    ],
)
def test_refused_options(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"(?s){text}"):
        call()
