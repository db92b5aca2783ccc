"""Metrics of predicted classes: accuracy, top_k_accuracy, confusion_matrix, precision, recall, f1."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import pygraph as pg

from ..losses.class_labels import checked_labels, class_mask, known_labels
from ..losses.reduction import reduced, without_axis
from .predicted_labels import array, class_count, labels_of, refusal

__all__ = ["accuracy", "confusion_matrix", "f1", "precision", "recall", "top_k_accuracy"]

_AVERAGES = ("binary", "macro", "micro", "weighted", "none")


def accuracy(
    prediction: Any, target: Any, *, threshold: Any = None, axis: int = -1, weights: Any = None, reduction: str = "mean"
) -> Any:
    """The share of examples whose class is predicted; float64.

    Args:
        prediction: scores of classes, shape (..., classes), of which the first of the largest is predicted; labels of
            the target's shape; or with `threshold` scores of that shape.
        target: labels.
        threshold: predict 1 above it and 0 elsewhere: 0.5 for probabilities, 0 for logits.
        axis: of the classes.
        weights: of the examples.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes that do not fit; DTypeError: floats of the target's shape without a threshold.

    Example:
        >>> pg.metrics.accuracy(np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), np.array([1, 0, 0])).round(4)
        np.float64(0.6667)
    """
    labels, t, _ = labels_of(prediction, target, threshold, axis, "metrics.accuracy")
    return reduced(pg.astype(pg.equal(labels, t), np.float64), weights, reduction, "metrics.accuracy")


def top_k_accuracy(
    prediction: Any, target: Any, k: int = 5, *, axis: int = -1, weights: Any = None, reduction: str = "mean"
) -> Any:
    """The share of examples whose class is among the `k` of the largest scores; float64.

    Of equal scores those of the first classes come first, so that k = 1 is `accuracy`; nan counts as the largest.

    Args:
        prediction: scores, shape (..., classes).
        target: labels, integers from 0, of the shape of `prediction` without the classes.
        k: how many.
        axis: of the classes.
        weights: of the examples.
        reduction: "mean", "sum" or "none".

    Raises:
        IndexRangeError: a label that is no class; of an expression at run time.
        ShapeError: shapes that do not fit; DomainError: `k` is not a positive integer.

    Example:
        >>> scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
        >>> pg.metrics.top_k_accuracy(scores, np.array([1, 2]), k=2)
        np.float64(0.5)
    """
    known: Any = k
    if not isinstance(known, int | np.integer) or known < 1:
        raise refusal(pg.DomainError, "metrics.top_k_accuracy", f"k={k!r}", "give an integer from 1")
    scores, t = without_axis(prediction, axis, "metrics.top_k_accuracy"), array(target)
    if t.shape != scores.shape[:-1] or t.dtype.kind not in "ib":
        problem = f"a target of shape {t.shape} and dtype {t.dtype} for examples of shape {tuple(scores.shape[:-1])}"
        raise refusal(pg.ShapeError, "metrics.top_k_accuracy", problem, "give labels of that shape: y.astype('int64')")
    mask = class_mask(t, scores, "metrics.top_k_accuracy")
    own = pg.sum(pg.where(mask, scores, 0.0), axis=-1, keepdims=True)
    before = np.arange(scores.shape[-1]) < t[..., None]
    rank = pg.sum(pg.logical_not(scores <= own) | ((scores == own) & before), axis=-1)
    return reduced(pg.astype(rank < k, np.float64), weights, reduction, "metrics.top_k_accuracy")


def confusion_matrix(
    prediction: Any,
    target: Any,
    *,
    n_classes: int | None = None,
    normalize: str | None = None,
    threshold: Any = None,
    axis: int = -1,
    weights: Any = None,
) -> Any:
    """How many examples of each class, the rows, are predicted to be of each class, the columns.

    Args:
        prediction, target, threshold, axis, weights: as of `accuracy`; labels are integers from 0.
        n_classes: how many classes there are, for labels that are expressions; else by default up to the largest.
        normalize: "true" to divide by the sums of rows, "pred" of columns, "all" of the matrix; 0 where that is 0.

    Returns:
        Shape (classes, classes), int64; float64 where there are weights or it is normalized.

    Raises:
        IndexRangeError: a label that is no class; of an expression at run time.
        UnsupportedError: the number of classes is not known, or another `normalize`.
        ShapeError, DTypeError: as `accuracy`, or labels that are not integers.

    Example:
        >>> pg.metrics.confusion_matrix(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]))
        array([[1, 0, 0],
               [0, 1, 0],
               [0, 1, 1]])
    """
    subject = "metrics.confusion_matrix"
    p, t, n, w = _classes(prediction, target, n_classes, threshold, axis, weights, subject)
    found = pg.reshape(pg.bincount(t * n + p, w, length=n * n), (n, n))
    if normalize is None:
        return found
    if normalize not in ("true", "pred", "all"):
        raise refusal(pg.UnsupportedError, subject, f"normalize={normalize!r}", "give 'true', 'pred', 'all' or None")
    total = pg.sum(found, axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
    return pg.where(total == 0, 0.0, found / pg.where(total == 0, 1, total))


def _classes(
    prediction: Any, target: Any, n_classes: int | None, threshold: Any, axis: int, weights: Any, subject: str
) -> tuple[Any, Any, int, Any]:
    """Vectors of predicted labels and of targets, checked, the number of classes, and a vector of weights or None."""
    p, t, scored = labels_of(prediction, target, threshold, axis, subject)
    if t.dtype.kind == "f":
        problem = f"a target of dtype {t.dtype}"
        raise refusal(pg.DTypeError, subject, problem, "labels are integers: give y.astype('int64')")
    n = class_count(n_classes, scored, p, t, subject)
    w = None
    if weights is not None:
        w = pg.reshape(reduced(pg.ones(tuple(t.shape)), weights, "none", subject), (-1,))
    p, t = (pg.reshape(checked_labels(x, n, subject), (-1,)) for x in (p, t))
    return p, t, n, w


class _Counts(NamedTuple):
    """Of one class or of each: how many are right, are predicted and are there, in float64; and which classes occur."""

    right: Any
    predicted: Any
    actual: Any
    occurs: Any = True


def _of_one(prediction: Any, target: Any, threshold: Any, axis: int, weights: Any, subject: str) -> _Counts:
    """The counts of class 1 of two."""
    p, t, scored = labels_of(prediction, target, threshold, axis, subject)
    for x in (p, t):
        known = known_labels(x)
        if (scored or 2) > 2 or (known is not None and not np.isin(known, (0, 1)).all()):
            problem = "average='binary' of labels other than 0 and 1"
            raise refusal(pg.DomainError, subject, problem, "give average='macro', 'micro', 'weighted' or 'none'")
    p, t = pg.equal(p, 1), pg.equal(t, 1)
    chosen = (p & t, p, t)
    return _Counts(*(reduced(pg.astype(x, np.float64), weights, "sum", subject) for x in chosen))


def _of_each(
    prediction: Any, target: Any, n_classes: int | None, threshold: Any, axis: int, weights: Any, subject: str
) -> _Counts:
    """The counts of each class."""
    p, t, n, w = _classes(prediction, target, n_classes, threshold, axis, weights, subject)
    ones = pg.ones(t.shape)
    w = ones if w is None else w
    right = pg.segment_sum(pg.where(p == t, w, 0.0), t, n)
    occurs = (pg.segment_sum(ones, t, n) + pg.segment_sum(ones, p, n)) > 0.0
    return _Counts(right, pg.segment_sum(w, p, n), pg.segment_sum(w, t, n), occurs)


def _score(
    beta: float,
    prediction: Any,
    target: Any,
    average: str | None,
    n_classes: int | None,
    threshold: Any,
    axis: int,
    weights: Any,
    zero_division: float,
    subject: str,
) -> Any:
    """(1 + β²) right / (β² actual + predicted): the precision for β = 0, the recall for β = ∞, f1 for β = 1."""
    average = "none" if average is None else average
    if average not in _AVERAGES:
        advice = f"give one of {', '.join(map(repr, _AVERAGES))}"
        raise refusal(pg.UnsupportedError, subject, f"average={average!r}", advice)

    def share(counts: _Counts) -> Any:
        of = {0.0: counts.predicted, np.inf: counts.actual}.get(beta)
        of = 0.5 * (counts.predicted + counts.actual) if of is None else of
        return pg.where(of == 0.0, zero_division, counts.right / pg.where(of == 0.0, 1.0, of))

    if average == "binary":
        return share(_of_one(prediction, target, threshold, axis, weights, subject))
    counts = _of_each(prediction, target, n_classes, threshold, axis, weights, subject)
    if average == "micro":
        return share(_Counts(*map(pg.sum, counts[:3])))
    scores = share(counts)
    if average == "none":
        return scores
    defined = pg.logical_not(pg.isnan(scores))
    among = pg.where(defined, pg.astype(counts.occurs, np.float64) if average == "macro" else counts.actual, 0.0)
    total = pg.sum(among)
    found = pg.sum(among * pg.where(defined, scores, 0.0)) / pg.where(total == 0.0, 1.0, total)
    return pg.where(total == 0.0, zero_division, found)


def precision(
    prediction: Any,
    target: Any,
    *,
    average: str | None = "binary",
    n_classes: int | None = None,
    threshold: Any = None,
    axis: int = -1,
    weights: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """The share of what is predicted to be of a class that is of it; float64.

    Args:
        prediction, target, threshold, axis, weights: as of `accuracy`; labels are integers from 0.
        average: "binary" for that of class 1 of two; "micro" for one of all examples; "macro" for the mean over the
            classes that occur in target or prediction, "weighted" with how often they do in the target; "none", or
            None, for that of each class, shape (classes,). As in scikit-learn.
        n_classes: how many classes there are, for labels that are expressions; else by default up to the largest.
        zero_division: what it is where nothing is predicted; nan is left out of averages.

    Raises:
        IndexRangeError: a label that is no class; of an expression at run time.
        DomainError: "binary" with other classes than 0 and 1.
        UnsupportedError: another `average`, or the number of classes is not known.
        ShapeError, DTypeError: as `accuracy`, or labels that are not integers.

    Example:
        >>> pg.metrics.precision(np.array([1, 1, 0, 1]), np.array([1, 0, 0, 1])).round(4)
        np.float64(0.6667)
    """
    return _score(
        0.0, prediction, target, average, n_classes, threshold, axis, weights, zero_division, "metrics.precision"
    )


def recall(
    prediction: Any,
    target: Any,
    *,
    average: str | None = "binary",
    n_classes: int | None = None,
    threshold: Any = None,
    axis: int = -1,
    weights: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """The share of a class that is predicted to be of it; float64. `average="macro"` is the balanced accuracy.

    The arguments are those of `precision`; `zero_division` is what it is where the class does not occur.

    Raises:
        IndexRangeError, DomainError, UnsupportedError, ShapeError, DTypeError: as `precision`.

    Example:
        >>> pg.metrics.recall(np.array([0, 2, 1, 1]), np.array([0, 1, 1, 1]), average="none").round(4)
        array([1.    , 0.6667, 0.    ])
    """
    return _score(
        np.inf, prediction, target, average, n_classes, threshold, axis, weights, zero_division, "metrics.recall"
    )


def f1(
    prediction: Any,
    target: Any,
    *,
    average: str | None = "binary",
    n_classes: int | None = None,
    threshold: Any = None,
    axis: int = -1,
    weights: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall, 2 right / (predicted + actual); float64.

    The arguments are those of `precision`; `zero_division` is what it is where a class is neither predicted nor there.

    Raises:
        IndexRangeError, DomainError, UnsupportedError, ShapeError, DTypeError: as `precision`.

    Example:
        >>> pg.metrics.f1(np.array([1, 1, 0, 1]), np.array([1, 0, 0, 1]))
        np.float64(0.8)
    """
    return _score(1.0, prediction, target, average, n_classes, threshold, axis, weights, zero_division, "metrics.f1")
