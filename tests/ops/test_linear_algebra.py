"""Linear algebra: identities, singular matrices, what a gradient shares, and the edges that its functions document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph import Graph, var

RNG = np.random.default_rng(11)
A, B = RNG.normal(size=(6, 4, 4)), RNG.normal(size=(6, 4, 4))
SPD = A @ np.swapaxes(A, -1, -2) + np.eye(4)


def identities(a: Any, b: Any, spd: Any) -> list[tuple[Any, Any]]:
    """Pairs of equal values."""
    p, lower, upper = pg.linalg.lu(a)
    sign, log = np.linalg.slogdet(a)
    c = np.linalg.cholesky(spd)
    tall = np.concatenate([a, b], -2)
    q, r = np.linalg.qr(tall)
    whole, rest = np.linalg.qr(tall, mode="complete")
    left, s, right = np.linalg.svd(tall)
    w, v = np.linalg.eigh(spd)
    turn, pinv, root = np.linalg.matrix_transpose, np.linalg.pinv(tall), pg.linalg.sqrtm(spd)
    return [
        (np.linalg.det(a @ b), np.linalg.det(a) * np.linalg.det(b)),
        (np.linalg.inv(a) @ a, np.eye(4) + 0.0 * a),
        (a @ np.linalg.solve(a, b), b),
        (p @ lower @ upper, a),
        (sign * np.exp(log), np.linalg.det(a)),
        (c @ np.linalg.matrix_transpose(c), spd),
        (pg.linalg.cho_solve((c, True), b), np.linalg.solve(spd, b)),
        (q @ r, tall),
        (turn(q) @ q, np.eye(4) + 0.0 * a),
        (whole @ rest, tall),
        (whole @ turn(whole), np.eye(8) + 0.0 * (whole @ turn(whole))),
        ((left[..., :4] * s[..., None, :]) @ right, tall),
        (turn(left) @ left, np.eye(8) + 0.0 * (whole @ turn(whole))),
        (right @ turn(right), np.eye(4) + 0.0 * a),
        ((v * w[..., None, :]) @ turn(v), spd),
        (tall @ pinv @ tall, tall),
        (pinv @ tall, np.eye(4) + 0.0 * a),
        (root @ root, spd),
        (pg.linalg.expm(a) @ pg.linalg.expm(-a), np.eye(4) + 0.0 * a),
        (np.linalg.det(pg.linalg.expm(a)), np.exp(np.trace(a, axis1=-2, axis2=-1))),
        (np.prod(w, -1), np.linalg.det(spd)),
        (np.sum(s**2, -1), np.linalg.norm(tall, axis=(-2, -1)) ** 2),
    ]


def test_identities() -> None:
    for one, other in pg.compile(identities)(A, B, SPD):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 20, 70])
def test_sizes(n: int) -> None:
    """Small matrices, for which loops are unrolled, and large ones."""
    a, b = RNG.normal(size=(n, n)) + 3 * np.eye(n), RNG.normal(size=(n, 3))
    spd = a @ a.T

    def f(a: Any, b: Any, spd: Any) -> Any:
        inverse = np.linalg.inv(a)
        return (
            np.linalg.solve(a, b),
            inverse,
            np.linalg.slogdet(a),
            np.linalg.cholesky(spd),
            np.linalg.det(a / (n + 9.0) ** 0.5),
        )

    for dtype, tolerance in (("float64", 1e-10), ("float32", 2e-3)):
        given = [x.astype(dtype) for x in (a, b, spd)]
        found = pg.compile(f)(*given)
        wanted = f(*(x.astype("float64") for x in given))
        flat = [np.asarray(x) for y in (found, wanted) for x in pg.graph.tree.flatten(y)[0]]
        for x, y in zip(flat[: len(flat) // 2], flat[len(flat) // 2 :], strict=True):
            assert x.dtype == dtype
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * np.max(np.abs(y)))


FAILING: dict[str, tuple[Callable[[Any], Any], str]] = {
    "solve": (lambda a: np.linalg.solve(a, np.ones(2)), "pivot 1 of its elimination"),
    "inv": (lambda a: np.linalg.inv(a), "pivot 1 of its elimination"),
    "cholesky": (lambda a: np.linalg.cholesky(a), "leading minor of order 2"),
    "sqrtm": (lambda a: pg.linalg.sqrtm(a - 2 * np.eye(2)), "eigenvalue 0 is negative"),
    "solve_banded": (lambda a: pg.linalg.solve_banded((0, 1), a - 1.0, np.ones(2)), "pivot 0 of its elimination"),
    "solve_triangular": (lambda a: pg.linalg.solve_triangular(a - np.eye(2), np.ones(2)), "element 0 of its diagonal"),
}


@pytest.mark.sanitize
@pytest.mark.parametrize("name", FAILING)
def test_singular_matrices(name: str) -> None:
    """NumPy's error, with the user's line; the Executable can be called again."""
    f, problem = FAILING[name]
    exe = pg.compile(pg.trace(f, np.eye(2)))
    good = np.array([[4.0, 2.0], [2.0, 5.0]])
    wanted = exe(good)
    with pytest.raises(np.linalg.LinAlgError) as raised:
        exe(np.ones((2, 2)))
    assert isinstance(raised.value, pg.LinAlgError)
    text = " ".join(str(raised.value).split())
    assert problem in text
    assert "test_linear_algebra.py" in text
    np.testing.assert_array_equal(exe(good), wanted)
    with pytest.raises(np.linalg.LinAlgError):
        f(np.ones((2, 2)))


def nodes(graph: Graph, name: str) -> int:
    return sum(node.op.name == name for node in graph.nodes)


def test_a_gradient_shares_the_factors() -> None:
    """One elimination serves the value and both derivatives of solutions and determinants."""

    def f(a: Any, b: Any) -> Any:
        return np.sum(np.linalg.solve(a, b)) + np.linalg.det(a) + np.sum(np.linalg.inv(a))

    graph = pg.trace(pg.value_and_grad(f, argnums=(0, 1)), np.eye(5), np.ones(5))
    assert nodes(pg.compile(graph).graph, "lu") == 1


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_the_determinant_has_a_derivative_at_singular_matrices(rank: int) -> None:
    """Cofactors are minors, whatever the rank."""
    a = RNG.normal(size=(5, rank)) @ RNG.normal(size=(rank, 5))
    a[0] = a[1] if rank < 5 else a[0]
    wanted = np.empty((5, 5))
    for i in range(5):
        for j in range(5):
            minor = np.delete(np.delete(a, i, 0), j, 1)
            wanted[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    np.testing.assert_allclose(pg.grad(np.linalg.det)(a), wanted, atol=1e-12 * np.max(np.abs(wanted)) + 1e-12)
    exact = np.zeros((5, 5))
    exact[:rank, 5 - rank :] = np.triu(np.ones((rank, rank)))  # pivots of columns are zero, yet the rank is known
    wanted = np.zeros((5, 5))
    if rank == 4:
        wanted[4, 0] = 1.0
    elif rank == 5:
        wanted = np.linalg.inv(exact).T
    np.testing.assert_allclose(pg.grad(np.linalg.det)(exact), wanted, atol=1e-15)


def test_an_order_that_is_none_is_refused() -> None:
    """The factors come from `lu`; what else a graph may give cannot make the kernel read elsewhere."""
    row = pg.ops.lookup("lu_solve")
    shapes = (("a", (2, 2), "float64"), ("lu", (2, 2), "float64"), ("order", (2,), "int64"), ("b", (2, 1), "float64"))
    variables = [var(name, shape, np.dtype(dtype)) for name, shape, dtype in shapes]
    for transposed in (0, 1):
        exe = pg.compile(Graph(variables, [row(*variables, transposed=transposed)]))
        for order in ([0, 2], [-1, 0], [2**62, 0]):
            with pytest.raises(pg.IndexRangeError):
                exe(np.eye(2), np.eye(2), np.array(order), np.ones((2, 1)))


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (12, 5), (5, 12), (40, 40)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_spectra_are_as_near_as_rounding(shape: tuple[int, int], dtype: str) -> None:
    """Also those of matrices of low rank, of huge and of tiny numbers."""
    eps = float(np.finfo(dtype).eps)
    m, n = shape
    full = RNG.normal(size=shape).astype(dtype)
    low = (RNG.normal(size=(m, 2)) @ RNG.normal(size=(2, n))).astype(dtype)
    large = np.asarray(1e150 if dtype == "float64" else 1e15, dtype)
    f = pg.compile(lambda x: np.linalg.svd(x, full_matrices=False))
    g = pg.compile(np.linalg.eigh)
    for x in (full, low, full * large, full / large, np.zeros(shape, dtype)):
        u, s, vh = f(x)
        size = float(np.max(np.abs(x)))
        limit = 40 * eps * max(shape)
        np.testing.assert_allclose(s, np.linalg.svd(x, compute_uv=False), rtol=0, atol=limit * size)
        np.testing.assert_allclose((u * s) @ vh, x, rtol=0, atol=limit * size)
        np.testing.assert_allclose(u.T @ u, np.eye(min(shape)), atol=limit)
        np.testing.assert_allclose(vh @ vh.T, np.eye(min(shape)), atol=limit)
        if m == n:
            symmetric = x + x.T
            w, v = g(symmetric)
            np.testing.assert_allclose(w, np.linalg.eigvalsh(symmetric), rtol=0, atol=limit * 2 * size)
            np.testing.assert_allclose((v * w) @ v.T, symmetric, rtol=0, atol=limit * 2 * size)
            np.testing.assert_allclose(v.T @ v, np.eye(n), atol=limit)
    for broken in (np.nan, np.inf):
        x = full.copy()
        x[0, 0] = broken
        assert all(np.isnan(y).all() for y in f(x))


def test_derivatives_where_eigenvalues_are_equal() -> None:
    """Those of eigenvalues, square roots and pseudoinverses are right; those of eigenvectors are nan."""
    eye = 4.0 * np.eye(3)
    gradient = pg.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(eye)
    np.testing.assert_allclose(gradient, np.eye(3))
    np.testing.assert_allclose(pg.grad(lambda a: np.linalg.norm(a, "nuc"))(eye), np.eye(3), atol=1e-15)
    pg.check_grads(pg.linalg.sqrtm, (eye,), order=2)
    pg.check_grads(np.linalg.pinv, (eye[:, :2],), order=2)
    pg.check_grads(pg.linalg.expm, (eye / 9,), order=2)
    assert np.isnan(pg.grad(lambda a: np.sum(np.linalg.eigh(a)[1] * B[0, :3, :3]))(eye)).any()


def test_derivatives_at_zero() -> None:
    for order in (None, 1, 2, 3, np.inf):
        gradient = pg.grad(lambda x, order=order: np.linalg.norm(x, order))(np.zeros(3))
        np.testing.assert_array_equal(gradient, np.zeros(3))
    np.testing.assert_array_equal(pg.hessian(np.linalg.norm)(np.zeros(3)), np.zeros((3, 3)))


def test_the_complete_form_has_no_derivative() -> None:
    x = RNG.normal(size=(4, 2))
    f = lambda x: np.linalg.qr(x, mode="complete")[0]  # noqa: E731
    for transform in (pg.jacfwd, pg.jacrev):
        with pytest.raises(pg.UnsupportedError, match="no derivative"):
            transform(f)(x)


def test_exported_c_holds_the_kernels(tmp_path: Any) -> None:
    """Plain C, which needs nothing of the library."""

    def f(a: Any, b: Any) -> Any:
        return np.linalg.solve(a, b), np.linalg.eigvalsh(a + a.T), pg.linalg.expm(a), np.linalg.svdvals(a)

    exe = pg.compile(pg.trace(f, np.eye(3), np.ones(3)))
    exe.export_c(tmp_path, "linear")
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert all(f"pg_kernel_{name}_f64" in text for name in ("lu_solve", "eigh", "expm", "svd"))


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 5, 8, 16, 17])
def test_factors_of_many_small_matrices_are_those_of_each(n: int, dtype: str) -> None:
    """The bits, and the error of the first that has none; several are factored at once."""
    root = np.random.default_rng(n).normal(size=(19, n, n)).astype(dtype)
    a = root @ np.swapaxes(root, 1, 2) + np.eye(n, dtype=dtype)
    many, one = pg.compile(np.linalg.cholesky), pg.compile(np.linalg.cholesky)
    np.testing.assert_array_equal(many(a), [one(x) for x in a])
    np.testing.assert_array_equal(many(a[:, None])[:, 0], many(a))
    a[3, 0, 0] = np.nan
    np.testing.assert_array_equal(many(a), [one(x) for x in a])
    for at in (18, 12, 4):
        a[at, at % n, at % n] = -1.0
        with pytest.raises(np.linalg.LinAlgError, match=f"minor of order {at % n + 1} "):
            many(a)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("shape", "mode"), [((33, 33), "reduced"), ((70, 40), "complete"), ((60, 34), "reduced")])
def test_qr_of_large_matrices_is_numpys(shape: tuple[int, int], mode: Any, dtype: str) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    x[:, 1] = 0
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    q, r = pg.compile(lambda x: tuple(np.linalg.qr(x, mode)))(x)
    assert q.dtype == r.dtype == dtype
    np.testing.assert_allclose(q @ r, x, atol=20 * tolerance)
    np.testing.assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=20 * tolerance)
    np.testing.assert_allclose(np.diagonal(r)[0], np.diagonal(np.linalg.qr(x, mode).R)[0], rtol=10 * tolerance)
    np.testing.assert_array_equal(r, np.triu(r))


def test_the_derivative_of_expm_in_large_and_small_directions() -> None:
    """It is linear in the direction: none costs digits, in either mode."""
    a, direction = RNG.normal(size=(2, 3, 3))
    (one,) = pg.vjp(pg.linalg.expm, a)[1](direction)
    along = pg.jvp(pg.linalg.expm, (a,), (direction,))[1]
    for size in (1e-300, 1e-8, 1e8, 1e200):
        np.testing.assert_allclose(pg.jvp(pg.linalg.expm, (a,), (size * direction,))[1] / size, along, rtol=1e-12)
        np.testing.assert_allclose(pg.vjp(pg.linalg.expm, a)[1](size * direction)[0] / size, one, rtol=1e-12)
    assert not np.any(pg.jvp(pg.linalg.expm, (a,), (0.0 * direction,))[1])
    assert np.all(np.isnan(pg.jvp(pg.linalg.expm, (a,), (np.inf * direction,))[1]))
