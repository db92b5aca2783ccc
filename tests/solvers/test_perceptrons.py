"""`pg.sklearn.MLPClassifier` and `MLPRegressor`: what they learn, and how training ends."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier as Wanted, MLPRegressor as WantedRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import pygraph as pg

MOONS, SIDES = make_moons(200, noise=0.1, random_state=0)
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0}


def _classifier(**options: Any) -> Any:
    return pg.sklearn.MLPClassifier(**{**SMALL, **options})


def _regressor(**options: Any) -> Any:
    return pg.sklearn.MLPRegressor(**{**SMALL, **options})


def _same(one: Any, other: Any) -> bool:
    pairs = zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def fitted() -> Any:
    return _classifier(learning_rate_init=0.05, max_iter=300, tol=1e-3).fit(MOONS, SIDES)


def test_it_learns_and_ends_when_the_loss_stalls(fitted: Any) -> None:
    assert fitted.score(MOONS, SIDES) > 0.98
    assert 10 < fitted.n_iter_ < 300
    assert fitted.loss_curve_[-1] == fitted.loss_ >= fitted.best_loss_
    recent, before = fitted.loss_curve_[-11:], fitted.loss_curve_[:-11]
    assert min(recent) > min(before) - 0.02
    assert fitted.t_ == 200 * fitted.n_iter_
    assert [x.shape for x in fitted.coefs_] == [(2, 8), (8, 1)]
    assert (fitted.n_layers_, fitted.n_outputs_, fitted.out_activation_) == (3, 1, "logistic")


def test_a_random_state_makes_it_the_same_to_the_last_bit(fitted: Any) -> None:
    options = {"max_iter": 3, "batch_size": 64}
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        one, other = (_classifier(**options).fit(MOONS, SIDES) for _ in range(2))
    assert _same(one, other)
    again = pickle.loads(pickle.dumps(fitted))
    assert _same(again, fitted)
    np.testing.assert_array_equal(again.predict_proba(MOONS), fitted.predict_proba(MOONS))
    assert not hasattr(clone(fitted), "coefs_")


def test_the_attributes_of_scikit_learn_are_there(fitted: Any) -> None:
    with pytest.warns(ConvergenceWarning):
        wanted = Wanted(**SMALL, max_iter=1).fit(MOONS, SIDES)
    missing = {name for name in vars(wanted) if name.endswith("_") and not name.startswith("_")} - {*vars(fitted)}
    assert missing == set()
    theirs = {*wanted.get_params()}
    assert {*fitted.get_params()} == theirs
    assert fitted.get_params().keys() - {"hidden_layer_sizes"} <= theirs
    assert {*_regressor().get_params()} <= {*WantedRegressor().get_params()}


def test_steps_are_those_of_scikit_learn() -> None:
    """From the same weights, all rows in one batch: three epochs of Adam, of two classes, of three, and of values.

    With an epsilon of next to nothing, which scikit-learn adds before the correction of the bias, and pygraph after it.
    """
    three = SIDES + (MOONS[:, 0] > 1)
    for ours, theirs, y in (
        (pg.sklearn.MLPClassifier, Wanted, SIDES),
        (pg.sklearn.MLPClassifier, Wanted, three),
        (pg.sklearn.MLPRegressor, WantedRegressor, MOONS[:, 0] * MOONS[:, 1]),
    ):
        options: dict[str, Any] = {"hidden_layer_sizes": (4,), "alpha": 0.1, "shuffle": False, "epsilon": 1e-14}
        classes = {} if ours is pg.sklearn.MLPRegressor else {"classes": np.unique(y)}
        found, wanted = (
            ours(**options, random_state=1).partial_fit(MOONS, y, **classes),
            theirs(**options, random_state=1).partial_fit(MOONS, y, **classes),
        )
        wanted.coefs_ = [x.copy() for x in found.coefs_]
        wanted.intercepts_ = [x.copy() for x in found.intercepts_]
        del wanted._optimizer
        found = pickle.loads(pickle.dumps(found))
        found._state = pg.tree_map(np.zeros_like, found._state)
        for _ in range(3):
            found.partial_fit(MOONS, y)
            wanted.partial_fit(MOONS, y)
        np.testing.assert_allclose(found.loss_, wanted.loss_, rtol=1e-6)
        for a, b in zip(found.coefs_ + found.intercepts_, wanted.coefs_ + wanted.intercepts_, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_partial_fit_of_all_rows_goes_the_way_of_fit() -> None:
    with pytest.warns(ConvergenceWarning):
        whole = _classifier(max_iter=4, shuffle=False).fit(MOONS, SIDES)
    parts = _classifier(shuffle=False)
    for _ in range(4):
        parts.partial_fit(MOONS, SIDES, classes=[0, 1])
    for a, b in zip(whole.coefs_, parts.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-9)
    with pytest.raises(pg.DomainError, match="names no classes"):
        _classifier().partial_fit(MOONS, SIDES)
    with pytest.raises(pg.DomainError, match="not among the classes"):
        parts.partial_fit(MOONS, SIDES + 1)
    assert not hasattr(_classifier(solver="lbfgs"), "partial_fit")


@pytest.mark.deep
def test_sgd_and_an_adaptive_rate() -> None:
    model = _classifier(solver="sgd", learning_rate="adaptive", learning_rate_init=0.2, tol=0.05, n_iter_no_change=2)
    model.fit(MOONS, SIDES)
    constant = clone(model).set_params(learning_rate="constant").fit(MOONS, SIDES)
    assert model.n_iter_ > constant.n_iter_ + 8  # it goes on with smaller rates
    late = np.abs(np.diff(model.loss_curve_[-3:])).max()
    assert late < 1e-4


def test_a_falling_rate() -> None:
    from pygraph.sklearn.perceptron import FallingRate

    rate = FallingRate(0.5, 0.5, 99, 10)
    np.testing.assert_allclose([rate(np.int64(step)) for step in (0, 9, 10, 25)], [0.5, 0.5, 0.05, 0.5 / 199**0.5])


@pytest.mark.deep
def test_training_with_a_falling_rate() -> None:
    model = _classifier(solver="sgd", learning_rate="invscaling", learning_rate_init=0.5, max_iter=5)
    with pytest.warns(ConvergenceWarning):
        model.fit(MOONS, SIDES)
    assert np.all(np.diff(model.loss_curve_) < 0)


def test_early_stopping_keeps_the_best_weights() -> None:
    model = _classifier(early_stopping=True, validation_fraction=0.2, learning_rate_init=0.05, n_iter_no_change=5)
    model.fit(MOONS, SIDES)
    assert len(model.validation_scores_) == model.n_iter_ < 200
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None
    _, held_out, _, sides = train_test_split(
        MOONS, SIDES, test_size=0.2, stratify=SIDES, random_state=_random_state_after_the_weights()
    )
    assert model.score(held_out, sides) == pytest.approx(model.best_validation_score_)


def _random_state_after_the_weights() -> Any:
    random = np.random.RandomState(0)
    random.randint(np.iinfo(np.int32).max)
    return random


@pytest.mark.deep
def test_lbfgs_several_labels_and_float32() -> None:
    labels = np.stack([SIDES, MOONS[:, 0] > 0.5], axis=1).astype(int)
    model = _classifier(solver="lbfgs", max_iter=300).fit(MOONS.astype(np.float32), labels)
    assert model.coefs_[0].dtype == np.float32
    assert model.predict_proba(MOONS.astype(np.float32)).dtype == np.float32
    assert model.predict(MOONS).shape == (200, 2)
    assert model.score(MOONS, labels) > 0.95
    np.testing.assert_allclose(np.exp(model.predict_log_proba(MOONS)), model.predict_proba(MOONS), rtol=1e-5, atol=1e-9)


@pytest.mark.deep
def test_values_of_one_and_of_two_outputs() -> None:
    wave = np.stack([np.sin(MOONS[:, 0]), MOONS[:, 0] * MOONS[:, 1]], axis=1)
    model = _regressor(solver="lbfgs", activation="tanh", max_iter=2000, max_fun=3000).fit(MOONS, wave)
    assert model.predict(MOONS).shape == (200, 2)
    assert model.score(MOONS, wave) > 0.97


def test_values_by_their_weights() -> None:
    weights = (MOONS[:, 0] > 0).astype(float)
    model = _regressor(solver="lbfgs", hidden_layer_sizes=(), alpha=0.0, tol=1e-8)
    model.fit(MOONS, np.abs(MOONS[:, 0]), weights)
    np.testing.assert_allclose(model.predict(MOONS[weights > 0]), MOONS[weights > 0, 0], atol=1e-5)
    assert model.predict(MOONS).shape == (200,)


def test_a_warm_start_goes_on_from_the_weights() -> None:
    model = _classifier(warm_start=True, max_iter=3, learning_rate_init=0.01)
    with pytest.warns(ConvergenceWarning):
        model.fit(MOONS, SIDES)
    first = model.loss_curve_
    with pytest.warns(ConvergenceWarning):
        model.fit(MOONS, SIDES)
    assert model.loss_curve_[0] < first[-1]
    with pytest.raises(pg.DomainError, match="weights of shapes"):
        model.set_params(hidden_layer_sizes=(3,)).fit(MOONS, SIDES)


@pytest.mark.deep
def test_a_search_over_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), _classifier(max_iter=50, learning_rate_init=0.05))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1e3]}, cv=2)
    with pytest.warns(ConvergenceWarning):
        search.fit(MOONS, SIDES)
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}


@pytest.mark.deep
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_learns_as_well_as_scikit_learn_s() -> None:
    X, y = load_digits(return_X_y=True)
    train, test, known, wanted = train_test_split(X / 16, y, random_state=0)
    for options in ({}, {"solver": "sgd", "learning_rate_init": 0.1}, {"solver": "lbfgs"}, {"activation": "logistic"}):
        ours = pg.sklearn.MLPClassifier((64,), random_state=0, max_iter=60, **options).fit(train, known)
        theirs = Wanted((64,), random_state=0, max_iter=60, **options).fit(train, known)
        assert ours.score(test, wanted) > theirs.score(test, wanted) - 0.02
    X, y = load_diabetes(return_X_y=True)
    ours = pg.sklearn.MLPRegressor((16,), random_state=0, max_iter=400, alpha=1.0, learning_rate_init=0.01)
    assert ours.fit(scale(X), scale(y)).score(scale(X), scale(y)) > 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes=(0,)"),
        ({"activation": "step"}, "give one of 'identity', 'logistic', 'tanh', 'relu'"),
        ({"solver": "newton"}, "solver='newton'"),
        ({"momentum": 1.0}, "momentum=1.0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"validation_fraction": 0}, "validation_fraction=0"),
    ],
)
def test_settings_that_do_not_fit(options: Any, words: str) -> None:
    with pytest.raises(pg.DomainError) as caught:
        _classifier(**options).fit(MOONS, SIDES)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", [pytest.param("fit", marks=pytest.mark.deep), "partial_fit"])
def test_a_loss_that_grows_without_limit(name: str) -> None:
    model = _regressor(solver="sgd", learning_rate_init=1e300, activation="identity", hidden_layer_sizes=(2,))

    def learn() -> None:
        for _ in range(20):
            getattr(model, name)(MOONS, 1e10 * SIDES)

    with pytest.raises(pg.NonFiniteError):
        learn()
