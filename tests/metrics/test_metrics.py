"""Metrics against scikit-learn, on arrays and compiled: ties, absent classes, weights; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics

import pygraph as pg

RNG = np.random.default_rng(0)
N = 40
T, P = RNG.integers(0, 4, N), RNG.integers(0, 4, N)
P[:20] = T[:20]
P[P == 3], T[(T == 2) & (P != 2)] = 1, 0  # class 3 is never predicted
W = RNG.uniform(0.0, 2.0, N) * (RNG.random(N) < 0.9)
SCORES = RNG.integers(-2, 3, N) / 2.0  # with many ties
S = RNG.normal(size=(N, 4))
B = (T > 1).astype(int)
PB = (P > 1).astype(int)
ONE_HOT = np.eye(4)[T] + S


def same_everywhere(f: Callable[..., Any], *args: Any) -> Any:
    """The value of a function on arrays, which is that in a trace up to rounding."""
    value, traced = f(*args), pg.compile(f)(*args)
    np.testing.assert_allclose(traced, value, rtol=1e-14)
    assert np.asarray(traced).dtype == np.asarray(value).dtype
    return value


def test_accuracy() -> None:
    def all_of_them(p: Any, t: Any, s: Any, b: Any, w: Any) -> Any:
        return pg.stack(
            [
                pg.metrics.accuracy(p, t),
                pg.metrics.accuracy(p, t, weights=w),
                pg.metrics.accuracy(s, t),
                pg.metrics.accuracy(s.T, t, axis=0),
                pg.metrics.accuracy(s[:, 0], b, threshold=0.25),
                pg.metrics.accuracy(s[:, 0], b * 1.0, threshold=0.25),
            ]
        )

    expected = [
        sklearn.metrics.accuracy_score(T, P),
        sklearn.metrics.accuracy_score(T, P, sample_weight=W),
        *[sklearn.metrics.accuracy_score(T, S.argmax(1))] * 2,
        *[sklearn.metrics.accuracy_score(B, S[:, 0] > 0.25)] * 2,
    ]
    np.testing.assert_allclose(same_everywhere(all_of_them, P, T, S, B, W), expected, rtol=1e-14)
    assert pg.metrics.accuracy(P, T, reduction="sum") == (P == T).sum()


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", "none", "binary"])
def test_precision_recall_and_f1(average: str) -> None:
    p, t = (PB, B) if average == "binary" else (P, T)

    def each(p: Any, t: Any, w: Any) -> Any:
        options: dict[str, Any] = {"average": average, "n_classes": 4, "zero_division": 0.25}
        metrics = (pg.metrics.precision, pg.metrics.recall, pg.metrics.f1)
        return pg.stack([f(p, t, weights=v, **options) for f in metrics for v in (None, w)])

    names = (sklearn.metrics.precision_score, sklearn.metrics.recall_score, sklearn.metrics.f1_score)
    known = None if average == "none" else average
    # scikit-learn takes 0, 1 and nan for `zero_division`
    for zero in (0.0, 1.0):
        expected = [f(t, p, average=known, sample_weight=v, zero_division=zero) for f in names for v in (None, W)]
        options: dict[str, Any] = {"average": average, "zero_division": zero}
        found = [
            f(p, t, weights=v, **options)
            for f in (pg.metrics.precision, pg.metrics.recall, pg.metrics.f1)
            for v in (None, W)
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    if average in ("macro", "binary"):
        same_everywhere(each, p, t, W)


def test_averages_leave_out_classes_that_do_not_occur_and_those_that_are_nan() -> None:
    t, p = np.array([0, 0, 2, 2]), np.array([0, 2, 2, 0])
    assert pg.metrics.f1(p, t, average="macro", n_classes=9) == sklearn.metrics.f1_score(t, p, average="macro")
    t, p = np.array([0, 0, 2, 1]), np.array([0, 2, 2, 0])
    for average in ("macro", "weighted"):
        expected = sklearn.metrics.precision_score(t, p, average=average, zero_division=np.nan)
        assert pg.metrics.precision(p, t, average=average, zero_division=np.nan) == pytest.approx(expected)
    assert np.isnan(pg.metrics.precision(p, t, average=None, zero_division=np.nan)[1])
    empty = np.zeros(0, int)
    assert pg.metrics.recall(empty, empty, average="macro", n_classes=3, zero_division=0.5) == 0.5


def test_scores_count_as_the_labels_that_they_predict() -> None:
    labels = ONE_HOT.argmax(1)
    for f in (pg.metrics.precision, pg.metrics.recall, pg.metrics.f1):
        assert f(ONE_HOT, T, average="macro") == f(labels, T, average="macro", n_classes=4)
        assert f(S[:, 0], B, threshold=0.0) == f((S[:, 0] > 0).astype(int), B)
        assert f(S[:, :2], B) == f(S[:, :2].argmax(1), B)


def test_confusion_matrices() -> None:
    expected = sklearn.metrics.confusion_matrix(T, P)
    found = same_everywhere(lambda p, t: pg.metrics.confusion_matrix(p, t, n_classes=4), P, T)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int64
    assert pg.metrics.confusion_matrix(P.reshape(8, 5), T.reshape(8, 5)).tolist() == expected.tolist()
    for normalize in (None, "true", "pred", "all"):
        expected = sklearn.metrics.confusion_matrix(T, P, sample_weight=W, normalize=normalize)
        found = pg.metrics.confusion_matrix(P, T, weights=W, normalize=normalize)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert pg.metrics.confusion_matrix(ONE_HOT[:, :2], B).shape == (2, 2)


def test_top_k_accuracy() -> None:
    for k in (1, 2, 3):
        expected = sklearn.metrics.top_k_accuracy_score(T, S, k=k, sample_weight=W, labels=range(4))
        found = same_everywhere(lambda s, t, w, k=k: pg.metrics.top_k_accuracy(s, t, k, weights=w), S, T, W)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
    ties = np.round(S)
    assert pg.metrics.top_k_accuracy(ties, T, 1) == pg.metrics.accuracy(ties, T)
    assert pg.metrics.top_k_accuracy(ties, T, 4) == 1.0
    missing = np.array([[np.nan, 1.0, 0.0], [1.0, np.nan, 0.0]])
    np.testing.assert_array_equal(pg.metrics.top_k_accuracy(missing, [1, 1], 1, reduction="none"), [0.0, 0.0])


def test_auc_with_ties_and_weights() -> None:
    def both(s: Any, b: Any, w: Any) -> Any:
        return pg.stack([pg.metrics.auc(s, b), pg.metrics.auc(s, b, weights=w)])

    expected = [sklearn.metrics.roc_auc_score(B, SCORES), sklearn.metrics.roc_auc_score(B, SCORES, sample_weight=W)]
    np.testing.assert_allclose(same_everywhere(both, SCORES, B, W), expected, rtol=1e-13)
    assert pg.metrics.auc(SCORES, B > 0) == pg.metrics.auc(SCORES.astype(np.float32), 2 * B - 1) == expected[0]
    assert pg.metrics.auc(np.zeros(4), [0, 1, 0, 1]) == 0.5
    assert pg.metrics.auc([-np.inf, 1, 2, np.inf], [0, 0, 1, 1]) == 1.0
    assert np.isnan(pg.metrics.auc([1.0, 2.0], [1, 1]))
    assert np.isnan(pg.metrics.auc([1.0, np.nan, 0.0], [1, 0, 0]))
    rows = np.exp(S) / np.exp(S).sum(1, keepdims=True)
    t = np.arange(N) % 4
    expected = sklearn.metrics.roc_auc_score(t, rows, multi_class="ovr")
    np.testing.assert_allclose(same_everywhere(pg.metrics.auc, rows, t), expected, rtol=1e-13)


def test_r2_and_errors() -> None:
    t = S + 0.3 * RNG.normal(size=S.shape)
    for average, known in (("uniform", "uniform_average"), ("variance", "variance_weighted"), ("none", "raw_values")):
        expected = sklearn.metrics.r2_score(t, S, sample_weight=W, multioutput=known)
        found = same_everywhere(lambda p, t, w, a=average: pg.metrics.r2(p, t, average=a, weights=w), S, t, W)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(pg.metrics.r2(S[:, 0], t[:, 0]), sklearn.metrics.r2_score(t[:, 0], S[:, 0]), rtol=1e-13)
    np.testing.assert_allclose(pg.metrics.r2(S[:, 0], t[:, 0] + 1e9), sklearn.metrics.r2_score(t[:, 0] + 1e9, S[:, 0]))
    constant = np.full(7, 0.1)
    assert pg.metrics.r2(constant, constant) == 1.0
    assert pg.metrics.r2(constant + 1.0, constant) == 0.0
    assert np.isnan(pg.metrics.r2(np.array([np.nan, 1.0]), np.array([1.0, 2.0])))
    assert np.isnan(pg.metrics.r2(np.ones(1), np.ones(1)))
    small = pg.metrics.r2(S.astype(np.float32), t.astype(np.float32))
    assert small.dtype == np.float32
    np.testing.assert_allclose(small, pg.metrics.r2(S, t), rtol=1e-5)
    expected = sklearn.metrics.root_mean_squared_error(t[:, 0], S[:, 0], sample_weight=W)
    np.testing.assert_allclose(pg.metrics.rmse(S[:, 0], t[:, 0], weights=W), expected, rtol=1e-13)
    assert pg.metrics.mse is pg.losses.mse
    assert pg.metrics.mae is pg.losses.mae


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "probabilities": (lambda: pg.metrics.accuracy(S[:, 0], B), pg.DTypeError, "threshold=0.5 for probabilities"),
    "one column": (lambda: pg.metrics.accuracy(S[:, :1], B), pg.ShapeError, r"scores\.reshape\(-1\)"),
    "shapes": (
        lambda: pg.metrics.accuracy(P[:3], T),
        pg.ShapeError,
        r"metrics\.accuracy: a prediction of shape \(3,\)",
    ),
    "several classes": (lambda: pg.metrics.f1(P, T), pg.DomainError, "give average='macro'"),
    "scores of several": (lambda: pg.metrics.recall(S, B), pg.DomainError, "give average='macro'"),
    "average": (lambda: pg.metrics.f1(P, T, average="mean"), pg.UnsupportedError, "'binary', 'macro'"),
    "label": (lambda: pg.metrics.f1(P, T, average="macro", n_classes=2), pg.IndexRangeError, r"for 2 classes"),
    "negative label": (lambda: pg.metrics.confusion_matrix(P - 1, T), pg.IndexRangeError, "label -1"),
    "floating labels": (lambda: pg.metrics.confusion_matrix(P, T * 1.0), pg.DTypeError, "astype"),
    "unknown classes": (
        lambda: pg.compile(lambda p, t: pg.metrics.f1(p, t, average="macro"))(P, T),
        pg.UnsupportedError,
        "n_classes=n",
    ),
    "normalize": (lambda: pg.metrics.confusion_matrix(P, T, normalize="rows"), pg.UnsupportedError, "'true', 'pred'"),
    "k": (lambda: pg.metrics.top_k_accuracy(S, T, 0), pg.DomainError, "k=0"),
    "labels of top k": (lambda: pg.metrics.top_k_accuracy(S, T[:3]), pg.ShapeError, r"shape \(40,\)"),
    "classes of auc": (lambda: pg.metrics.auc(S[:, 0], T), pg.DomainError, "target of 4 classes"),
    "shapes of auc": (lambda: pg.metrics.auc(S[:3], T), pg.ShapeError, "metrics.auc"),
    "shapes of r2": (lambda: pg.metrics.r2(S, T), pg.ShapeError, "metrics.r2"),
    "average of r2": (lambda: pg.metrics.r2(S, S, average="macro"), pg.UnsupportedError, "'uniform', 'variance'"),
    "weights": (lambda: pg.metrics.accuracy(P, T, weights=np.ones(3)), pg.ShapeError, "metrics.accuracy: weights"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, kind, text = MISTAKES[name]
    with pytest.raises(kind, match=text) as error:
        call()
    assert "do: " in str(error.value)


def test_labels_out_of_range_are_found_when_a_compiled_function_runs() -> None:
    f = pg.compile(lambda p, t: pg.metrics.confusion_matrix(p, t, n_classes=4))
    assert f(P, T).sum() == N
    with pytest.raises(pg.IndexRangeError):
        f(P, T - 1)
