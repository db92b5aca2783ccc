"""`pg.scipy.root`: SciPy's results from the exact Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize

import pygraph as pg


def system(x: Any) -> Any:
    return np.stack([x[0] + 0.5 * (x[0] - x[1]) ** 3 - 1.0, 0.5 * (x[1] - x[0]) ** 3 + x[1]])


def by_hand(x: Any) -> Any:
    d = 1.5 * (x[0] - x[1]) ** 2
    return np.array([[1 + d, -d], [-d, 1 + d]])


#: As in SciPy's documentation of `root`.
ROOT = (0.8411639, 0.1588361)


@pytest.mark.parametrize("method", ["hybr", "lm"])
@pytest.mark.parametrize("options", [None, {"col_deriv": True}])
def test_a_method_does_the_same_as_with_the_jacobian_by_hand(method: str, options: Any) -> None:
    found = pg.scipy.root(system, [0.3, -0.2], method=method, options=options)
    wanted = scipy.optimize.root(system, [0.3, -0.2], jac=by_hand, method=method, options=options)
    assert found.success
    assert {*found} == {*wanted}
    assert found.nfev == wanted.nfev
    np.testing.assert_allclose(found.x, ROOT, rtol=1e-6)


def test_the_orientation_of_the_jacobian() -> None:
    def skew(x: Any) -> Any:
        return np.stack([x[0] + x[1] ** 3 - 9, x[1] - 2])

    exact = pg.scipy.root(skew, [1.0, 1.0])
    transposed = pg.scipy.root(skew, [1.0, 1.0], options={"col_deriv": True})
    pair = pg.scipy.root(lambda x: (skew(x), pg.jacobian(skew)(x)), [1.0, 1.0], jac=True)
    given = pg.scipy.root(skew, [1.0, 1.0], jac=lambda x: [[1, 3 * x[1] ** 2], [0, 1]])
    differences = pg.scipy.root(skew, [1.0, 1.0], jac=False)
    for found in (exact, transposed, pair, given):
        assert found.nfev == exact.nfev < differences.nfev
        np.testing.assert_allclose(found.x, [1, 2], rtol=1e-9)


@pytest.mark.parametrize(
    "method", ["broyden1", *[pytest.param(name, marks=pytest.mark.deep) for name in ("krylov", "df-sane")]]
)
def test_the_other_methods_get_values(method: str) -> None:
    found = pg.scipy.root(system, np.array([0.5, 0.5]), method=method)
    assert found.success
    np.testing.assert_allclose(found.x, ROOT, atol=1e-4)


def test_containers_arguments_and_callbacks() -> None:
    seen = []

    def f(p: Any, scale: Any) -> Any:
        x = np.stack([p["a"], p["b"][0]])
        return {"first": system(x)[0] * scale, "second": system(x)[1]}

    start = {"a": 0.0, "b": np.zeros(1)}
    found = pg.scipy.root(f, start, args=2.0)
    np.testing.assert_allclose([found.x["a"], found.x["b"][0]], ROOT, rtol=1e-6)
    pg.scipy.root(
        f, start, args=2.0, method="broyden1", callback=lambda x, value: seen.append((x["b"].shape, value.shape))
    )
    assert seen[-1] == ((1,), (2,))


def test_more_equations_than_unknowns() -> None:
    def f(x: Any) -> Any:
        return np.stack([x[0] - 1, x[1] - 2, x[0] + x[1] - 3])

    np.testing.assert_allclose(pg.scipy.root(f, np.zeros(2), method="lm").x, [1, 2])
    with pytest.raises(pg.ShapeError, match="3 equations for 2 unknowns"):
        pg.scipy.root(f, np.zeros(2))


def test_a_jacobian_that_is_no_function() -> None:
    with pytest.raises(pg.SignatureError, match="jac='3-point'"):
        pg.scipy.root(system, np.zeros(2), jac="3-point")
