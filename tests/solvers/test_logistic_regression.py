"""`pg.sklearn.LogisticRegression` against scikit-learn's: coefficients, weights, classes, and mistakes."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Wanted
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import pygraph as pg

IRIS, SPECIES = load_iris(return_X_y=True)
TWO = SPECIES[:100], IRIS[:100] + 0.3 * np.sin(np.arange(400.0)).reshape(100, 4)


def _both(X: Any, y: Any, weights: Any = None, **options: Any) -> tuple[Any, Any]:
    options = {"tol": 1e-7, "max_iter": 10_000, **options}
    found = pg.sklearn.LogisticRegression(**options).fit(X, y, weights)
    return found, Wanted(**{**options, "solver": "lbfgs"}).fit(X, y, weights)


def _agree(found: Any, wanted: Any, X: Any) -> None:
    np.testing.assert_allclose(found.coef_, wanted.coef_, atol=1e-4)
    np.testing.assert_allclose(found.intercept_, wanted.intercept_, atol=1e-4)
    np.testing.assert_allclose(found.predict_proba(X), wanted.predict_proba(X), atol=1e-5)
    np.testing.assert_array_equal(found.predict(X), wanted.predict(X))
    np.testing.assert_array_equal(found.classes_, wanted.classes_)
    assert found.coef_.shape == wanted.coef_.shape
    assert found.intercept_.shape == wanted.intercept_.shape


@pytest.mark.parametrize(
    ("solver", "C"),
    [
        ("newton-cholesky", 0.1),
        *[
            pytest.param(solver, C, marks=pytest.mark.deep)
            for solver in ("lbfgs", "newton-cg", "newton-cholesky")
            for C in (0.01, 1.0)
        ],
    ],
)
def test_coefficients_of_three_classes_equal_those_of_scikit_learn(solver: str, C: float) -> None:
    found, wanted = _both(IRIS, SPECIES, C=C, solver=solver)
    _agree(found, wanted, IRIS)
    assert found.score(IRIS, SPECIES) == wanted.score(IRIS, SPECIES)


@pytest.mark.parametrize(
    "options",
    [
        {"class_weight": "balanced"},
        *[
            pytest.param(options, marks=pytest.mark.deep)
            for options in ({}, {"fit_intercept": False}, {"class_weight": {"a": 3.0, "b": 0.5}}, {"C": np.inf})
        ],
    ],
)
def test_coefficients_of_two_classes_equal_those_of_scikit_learn(options: Any) -> None:
    places, X = TWO
    y = np.where((places + (np.arange(100) % 7 == 0)) % 2, "a", "b")[10:]
    X = X[10:]
    weights = np.linspace(0.0, 2.0, 90)
    found, wanted = _both(X, y, weights, **options)
    _agree(found, wanted, X)
    np.testing.assert_allclose(found.decision_function(X), wanted.decision_function(X), atol=1e-3)
    np.testing.assert_allclose(np.exp(found.predict_log_proba(X)), found.predict_proba(X), rtol=1e-12)


@pytest.mark.deep
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_coefficients_of_larger_sets_equal_those_of_scikit_learn(load: Any) -> None:
    X, y = load(return_X_y=True)
    X = scale(X)
    _agree(*_both(X, y), X)


def test_probabilities_stay_finite_and_sum_to_one_far_away() -> None:
    found = pg.sklearn.LogisticRegression(solver="newton-cholesky").fit(IRIS, SPECIES)
    far = 1e6 * IRIS
    np.testing.assert_allclose(found.predict_proba(far).sum(1), 1)
    assert np.all(found.predict_log_proba(far) <= 0)


def test_a_warm_start_goes_on_and_too_few_iterations_are_told() -> None:
    model = pg.sklearn.LogisticRegression(warm_start=True, max_iter=5, C=0.01)
    with pytest.warns(ConvergenceWarning, match="max_iter=5"):
        model.fit(IRIS, SPECIES)
    assert model.n_iter_.tolist() == [5]
    model.set_params(max_iter=1000).fit(IRIS, SPECIES)
    before = model.n_iter_[0]
    model.fit(IRIS, SPECIES)
    assert model.n_iter_[0] < before


@pytest.mark.deep
def test_it_works_in_a_search_over_a_pipeline_and_pickles() -> None:
    pipeline = make_pipeline(StandardScaler(), pg.sklearn.LogisticRegression())
    search = GridSearchCV(pipeline, {"logisticregression__C": [1e-4, 1.0]}, cv=2).fit(IRIS, SPECIES)
    assert search.best_params_ == {"logisticregression__C": 1.0}
    assert search.score(IRIS, SPECIES) > 0.95
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(again.predict_proba(IRIS), search.predict_proba(IRIS))
    assert clone(again[-1]).get_params() == again[-1].get_params()


@pytest.mark.parametrize(
    ("options", "y", "words"),
    [
        ({"C": 0.0}, SPECIES, "C=0.0"),
        ({"C": "large"}, SPECIES, "give a number above 0.0"),
        ({"solver": "saga"}, SPECIES, "'newton-cholesky'"),
        ({"max_iter": 1.5}, SPECIES, "give a whole number of 1 or more"),
        ({}, np.zeros(150), "y holds one class"),
    ],
)
def test_parameters_that_do_not_fit(options: Any, y: Any, words: str) -> None:
    with pytest.raises(pg.DomainError) as caught:
        pg.sklearn.LogisticRegression(**options).fit(IRIS, y)
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_weights_that_are_all_zero() -> None:
    with pytest.raises(ValueError, match="zero"):
        pg.sklearn.LogisticRegression().fit(IRIS, SPECIES, np.zeros(150))


def test_a_missing_scikit_learn_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "MLPClassifier" in dir(pg.sklearn)
    monkeypatch.delitem(vars(pg.sklearn), "LogisticRegression", raising=False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(pg.UnsupportedError, match=r"pip install 'pygraph-ad\[sklearn\]'"):
        pg.sklearn.LogisticRegression  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Ridge'"):
        pg.sklearn.Ridge  # noqa: B018
