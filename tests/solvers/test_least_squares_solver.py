"""`pg.scipy.least_squares`: SciPy's results from the exact Jacobian, sparse where that pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import pygraph as pg

T = np.linspace(0.0, 4.0, 30)
Y = 2.5 * np.exp(-0.8 * T) * np.cos(3.0 * T) + 0.05 * np.sin(40 * T)
START = np.array([1.0, 0.5, 2.7])


def residuals(p: Any, t: Any, y: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) * np.cos(p[2] * t) - y


def jacobian(p: Any, t: Any, y: Any) -> Any:
    wave = np.exp(-p[1] * t)
    return np.stack(
        [wave * np.cos(p[2] * t), -t * p[0] * wave * np.cos(p[2] * t), -t * p[0] * wave * np.sin(p[2] * t)], 1
    )


def powell(x: Any) -> Any:
    """Powell's singular function, of minimum 0 at 0, where its Jacobian is singular."""
    return np.stack(
        [x[0] + 10 * x[1], np.sqrt(5.0) * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, np.sqrt(10.0) * (x[0] - x[3]) ** 2]
    )


def broyden(x: Any) -> Any:
    """Broyden's tridiagonal function, as in SciPy's tutorial of large problems."""
    left, right = np.concatenate([np.zeros(1), x[:-1]]), np.concatenate([x[1:], np.zeros(1)])
    return (3 - x) * x + 1 - left - 2 * right


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_a_method_does_the_same_as_with_the_jacobian_by_hand(method: str) -> None:
    found = pg.scipy.least_squares(residuals, START, method=method, args=(T, Y))
    wanted = scipy.optimize.least_squares(residuals, START, jac=jacobian, method=method, args=(T, Y))
    assert (found.nfev, found.status) == (wanted.nfev, wanted.status)
    assert {*found} == {*wanted}
    for name in ("x", "fun", "jac", "cost"):
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("loss", ["soft_l1", pytest.param("cauchy", marks=pytest.mark.deep)])
def test_robust_losses_and_bounds(loss: str) -> None:
    y = Y.copy()
    y[::7] += 3.0
    options: dict[str, Any] = {"loss": loss, "f_scale": 0.1, "args": (T, y), "bounds": ([0, 0.9, 0], [5, 2, 3])}
    found = pg.scipy.least_squares(residuals, np.array([1.0, 1.0, 2.7]), x_scale="jac", **options)
    wanted = scipy.optimize.least_squares(residuals, [1.0, 1.0, 2.7], jac=jacobian, x_scale="jac", **options)
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-6)
    np.testing.assert_array_equal(found.active_mask, wanted.active_mask)


def test_powell() -> None:
    found = pg.scipy.least_squares(powell, [3.0, -1.0, 0.0, 1.0], xtol=None, ftol=None, gtol=1e-12)
    assert found.success
    np.testing.assert_allclose(found.x, 0, atol=1e-3)
    np.testing.assert_allclose(found.jac[:2], [[1, 10, 0, 0], [0, 0, 5**0.5, -(5**0.5)]])


def test_containers_and_keyword_arguments() -> None:
    def f(p: Any, *, t: Any, y: Any, wave: str) -> Any:
        assert wave == "cos"
        return {
            "data": p["scale"] * np.exp(-p["rates"][0, 0] * t) * np.cos(p["rates"][0, 1] * t) - y,
            "prior": 0.0 * p["scale"],
        }

    start = {"scale": 1.0, "rates": np.array([[1.0, 2.7]])}
    lower = {"scale": 0.0, "rates": np.array([0.9, 0.0])}
    found = pg.scipy.least_squares(
        f, start, kwargs={"t": T, "y": Y, "wave": "cos"}, bounds=(lower, np.inf), x_scale=1.0
    )
    wanted = scipy.optimize.least_squares(
        residuals, [1.0, 1.0, 2.7], jac=jacobian, args=(T, Y), bounds=([0, 0.9, 0], np.inf)
    )
    np.testing.assert_allclose([found.x["scale"], *found.x["rates"][0]], wanted.x, rtol=1e-5)
    assert found.active_mask["rates"].tolist() == [[-1, 0]]
    assert found.grad["rates"].shape == (1, 2)
    assert found.fun.shape == (31,)
    assert found.jac.shape == (31, 3)


def test_a_large_sparse_jacobian_is_sparse() -> None:
    start = np.full(100, -1.0)
    found = pg.scipy.least_squares(broyden, start)
    assert scipy.sparse.issparse(found.jac)
    assert found.jac.nnz == 3 * 100 - 2
    assert np.abs(found.fun).max() < 1e-6
    dense = pg.scipy.least_squares(broyden, start, tr_solver="exact")
    assert isinstance(dense.jac, np.ndarray)
    np.testing.assert_allclose(found.x, dense.x, atol=1e-6)
    small = pg.scipy.least_squares(broyden, start[:8], tr_solver="lsmr")
    assert scipy.sparse.issparse(small.jac)
    given = pg.scipy.least_squares(broyden, start[:8], jac_sparsity=np.abs(small.jac.toarray()) + np.eye(8))
    np.testing.assert_allclose(given.jac.toarray(), small.jac.toarray(), rtol=1e-6, atol=1e-6)
    assert isinstance(pg.scipy.least_squares(broyden, start, method="lm").jac, np.ndarray)


def test_a_large_full_jacobian_is_dense() -> None:
    matrix = np.cos(np.arange(4900.0)).reshape(70, 70) + 20 * np.eye(70)
    found = pg.scipy.least_squares(lambda x: np.tanh(matrix @ x) - 0.5, np.zeros(70), max_nfev=2)
    assert isinstance(found.jac, np.ndarray)


@pytest.mark.deep
def test_a_hundred_thousand_unknowns() -> None:
    found = pg.scipy.least_squares(broyden, np.full(100_000, -1.0))
    assert found.jac.nnz == 3 * 100_000 - 2
    assert found.cost < 1e-8


@pytest.mark.parametrize("jac", [jacobian, pytest.param("2-point", marks=pytest.mark.deep), "3-point"])
def test_a_given_jacobian_is_used(jac: Any) -> None:
    calls = []

    def watched(p: Any, t: Any, y: Any) -> Any:
        calls.append(p)
        return jacobian(p, t, y)

    found = pg.scipy.least_squares(residuals, START, watched if callable(jac) else jac, args=(T, Y))
    wanted = scipy.optimize.least_squares(residuals, START, jac, args=(T, Y))
    assert found.nfev == wanted.nfev
    assert bool(calls) == callable(jac)
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-6)


@pytest.mark.deep
def test_a_callback_gets_containers() -> None:
    seen = []

    def callback(intermediate_result: Any) -> None:
        seen.append(intermediate_result.x["p"])

    def f(tree: Any) -> Any:
        return residuals(tree["p"], T, Y)

    try:
        pg.scipy.least_squares(f, {"p": START}, callback=callback)
    except TypeError:
        pytest.skip("this SciPy's least_squares takes no callback")
    assert seen[-1].shape == (3,)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"jac": "cs"}, pg.SignatureError, "jac='cs'"),
        ({"jac_sparsity": np.ones((30, 3)), "method": "lm"}, pg.SignatureError, "method='lm' takes a dense"),
        ({"jac_sparsity": np.ones((30, 3)), "tr_solver": "exact"}, pg.SignatureError, "tr_solver='exact'"),
        ({"jac_sparsity": np.ones((3, 3))}, pg.ShapeError, "sparsity has the shape"),
        ({"bounds": (0, 1, 2)}, pg.SignatureError, "there are 3 bounds"),
        ({"bounds": ([0, 1], 2)}, pg.ShapeError, "a bound has shape (2,)"),
    ],
)
def test_wrong_options(options: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind) as caught:
        pg.scipy.least_squares(residuals, START, args=(T, Y), **options)
    assert words in str(caught.value)
