"""What is compiled goes to joblib's workers: Executables, compiled functions, derivatives, and solves."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score

import pygraph as pg


def loss(w: Any, x: Any) -> Any:
    return np.sum(np.tanh(x * w) ** 2)


def test_threads_share_an_executable() -> None:
    gradient = pg.grad(loss)
    executable = gradient.executable(1.0, np.zeros(3))
    rows = np.arange(30.0).reshape(10, 3)
    wanted = [gradient(1.0, row) for row in rows]
    for f in (executable, gradient, pickle.loads(pickle.dumps(executable)), pickle.loads(pickle.dumps(gradient))):
        assert Parallel(2, backend="threading")(delayed(f)(1.0, row) for row in rows) == wanted


@pytest.mark.deep
def test_processes_map_what_is_compiled() -> None:
    """As by hand: `joblib.Parallel(2)(joblib.delayed(f)(x) for x in xs)`, for any of these f."""
    scale = np.array([1.0, 2.0, 3.0])

    @pg.compile
    def closed(x: Any) -> Any:
        return np.sum(np.sin(x * scale))

    def solved(start: Any) -> Any:
        return pg.scipy.minimize(lambda x: np.sum((x - scale) ** 4), start, tol=1e-12).x.round(2).tolist()

    rows = np.arange(12.0).reshape(4, 3)
    functions = [closed, closed.executable(rows[0]), pg.grad(closed), pg.hessian(closed), solved]
    for f in functions:
        there = Parallel(2)(delayed(f)(row) for row in rows)
        np.testing.assert_array_equal(there, [f(row) for row in rows])


@pytest.mark.deep
def test_processes_fit_estimators() -> None:
    X, y = load_iris(return_X_y=True)
    model = pg.sklearn.LogisticRegression(max_iter=1000)
    np.testing.assert_array_equal(cross_val_score(model, X, y, cv=4, n_jobs=2), cross_val_score(model, X, y, cv=4))
