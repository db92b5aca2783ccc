"""Losses of predicted classes: bce, bce_with_logits, nll, softmax_cross_entropy, hinge."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from .class_labels import class_mask, is_labels, known_labels
from .reduction import fitting, floats, given, reduced, without_axis

__all__ = ["bce", "bce_with_logits", "hinge", "nll", "softmax_cross_entropy"]


@np.errstate(all="ignore")
def bce(prediction: Any, target: Any, *, weights: Any = None, reduction: str = "mean") -> Any:
    """Binary cross-entropy of probabilities: -y log p - (1 - y) log(1 - p); infinite where p is certain and wrong.

    `bce_with_logits` of the logits keeps more digits, and gradients where p has become 0 or 1.

    Args:
        prediction: probabilities p, from 0 to 1; nan outside.
        target: y, of the same shape: bools, or numbers from 0 to 1.
        weights: of the first axes; see `pg.losses`.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes that do not fit, such as (n, 1) and (n,); UnsupportedError: another reduction.

    Example:
        >>> pg.losses.bce(np.array([0.0, 0.5, 1.0]), np.array([0, 1, 1]), reduction="none").round(6)
        array([0.      , 0.693147, 0.      ])
    """
    p, y = fitting(prediction, target, "losses.bce")
    losses = 0.0 - (pg.xlogy(y, p) + pg.xlog1py(1.0 - y, -p))
    losses = pg.where((p < 0.0) | (p > 1.0), np.nan, losses)
    return reduced(losses, weights, reduction, "losses.bce")


@np.errstate(all="ignore")
def bce_with_logits(
    prediction: Any, target: Any, *, pos_weight: Any = None, weights: Any = None, reduction: str = "mean"
) -> Any:
    """Binary cross-entropy of logits z, the probabilities being sigmoid(z).

    log(1 + e^-|z|) and what is linear beside it, (1 - y) z for positive z, else -y z: exact to rounding for any z.
    That of an infinite logit is 0 where it is right, and infinite where it is wrong.

    Args:
        prediction: logits.
        target: y, of the same shape: bools, or numbers from 0 to 1.
        pos_weight: a factor of the losses of class 1, which broadcasts; "mean" does not divide by it.
        weights: of the first axes; see `pg.losses`.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes that do not fit, such as (n, 1) and (n,); UnsupportedError: another reduction.

    Example:
        >>> pg.losses.bce_with_logits(np.array([0.0, 1e4, np.inf]), np.array([1, 0, 1]), reduction="none").round(6)
        array([6.93147e-01, 1.00000e+04, 0.00000e+00])
    """
    z, y = fitting(prediction, target, "losses.bce_with_logits")
    positive = z > 0.0
    curved = pg.softplus(pg.where(positive, -z, z))
    ones, zeros = (y, 1.0 - y)
    if pos_weight is not None:
        ones = pg.astype(given(pos_weight), curved.dtype) * y
        curved = (ones + zeros) * curved
    slope = pg.where(positive, zeros, -ones)
    linear = pg.where((slope == 0.0) & pg.isinf(z), 0.0, slope * z)
    return reduced(curved + linear, weights, reduction, "losses.bce_with_logits")


def _class_weights(class_weights: Any, logits: Any, subject: str) -> Any:
    """Weights of classes in the dtype of the logits."""
    found = pg.astype(given(class_weights), logits.dtype)
    if found.shape != logits.shape[-1:]:
        raise pg.ShapeError(
            f"class_weights of shape {tuple(found.shape)} for {logits.shape[-1]} classes",
            "give one for each class",
            stage="tracing",
            subject=subject,
        )
    return found


@np.errstate(all="ignore")
def nll(
    prediction: Any,
    target: Any,
    *,
    class_weights: Any = None,
    axis: int = -1,
    weights: Any = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of labels: minus the predicted logarithm of the probability of each.

    Args:
        prediction: logarithms of probabilities, shape (..., classes), as `pg.log_softmax` gives them.
        target: labels, integers from 0, of the shape of `prediction` without the classes.
        class_weights: one for each class, which multiplies that of its examples.
        axis: of the classes.
        weights: of the examples; see `pg.losses`.
        reduction: "mean", "sum" or "none", over examples.

    Raises:
        IndexRangeError: a label that is no class; of an expression at run time.
        ShapeError: shapes that do not fit; DTypeError: labels that are not integers.
        UnsupportedError: another reduction.

    Example:
        >>> pg.losses.nll(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 0]), reduction="none").round(6)
        array([0.287682, 0.693147])
    """
    logs = without_axis(prediction, axis, "losses.nll")
    if not is_labels(target, logs):
        _refuse_target(logs, target, "losses.nll", "integers from 0")
    mask = class_mask(target, logs, "losses.nll")
    losses = 0.0 - pg.sum(pg.where(mask, logs, 0.0), axis=-1)
    if class_weights is None:
        return reduced(losses, weights, reduction, "losses.nll")
    share = pg.sum(pg.where(mask, _class_weights(class_weights, logs, "losses.nll"), 0.0), axis=-1)
    return reduced(_weighted(share, losses), weights, reduction, "losses.nll", share)


@np.errstate(all="ignore")
def softmax_cross_entropy(
    prediction: Any,
    target: Any,
    *,
    label_smoothing: float = 0.0,
    class_weights: Any = None,
    axis: int = -1,
    weights: Any = None,
    reduction: str = "mean",
) -> Any:
    """The cross-entropy -Σ t log softmax(z) of logits z and targets t, which are labels or probabilities.

    The largest logit is subtracted first. An infinite logit takes all probability (several of them share it), one of
    -inf has none, and the loss is infinite where the target has some; nan where all are -inf.

    Args:
        prediction: logits, shape (..., classes).
        target: labels, integers from 0, of the shape of `prediction` without the classes; or probabilities, floats of
            the shape of `prediction`.
        label_smoothing: ε from 0 to 1: the target becomes (1 - ε) t + ε / classes (Szegedy et al. 2016,
            arXiv:1512.00567).
        class_weights: one for each class, a factor of its term; "mean" divides by those of the targets, Σ c t.
        axis: of the classes.
        weights: of the examples; see `pg.losses`.
        reduction: "mean", "sum" or "none", over examples.

    Raises:
        IndexRangeError: a label that is no class, also a negative one; of an expression at run time.
        ShapeError: shapes that do not fit; DTypeError: targets of that dtype in that shape.
        DomainError: `label_smoothing` is not from 0 to 1; UnsupportedError: another reduction.

    Example:
        >>> logits = np.array([[2.0, 0.0, 0.0], [0.0, 1e4, 0.0]])
        >>> pg.losses.softmax_cross_entropy(logits, np.array([0, 1]), reduction="none").round(6)
        array([0.239545, 0.      ])
        >>> pg.losses.softmax_cross_entropy(logits, np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])).round(4)
        np.float64(2500.1198)
    """
    z = without_axis(prediction, axis, "losses.softmax_cross_entropy")
    n = z.shape[-1]
    smoothing = _checked_smoothing(label_smoothing)
    # an infinite logit is the largest one: their difference is 0, not nan
    shifted = pg.where(z == np.inf, 0.0, z - pg.stop_gradient(pg.max(z, axis=-1, keepdims=True)))
    normaliser = pg.log(pg.sum(pg.exp(shifted), axis=-1, keepdims=True))
    factors = None if class_weights is None else _class_weights(class_weights, z, "losses.softmax_cross_entropy")
    if is_labels(target, z):
        mask = class_mask(target, z, "losses.softmax_cross_entropy")
        share = None if factors is None else pg.sum(pg.where(mask, factors, 0.0), axis=-1)
        losses = (normaliser - pg.sum(pg.where(mask, shifted, 0.0), axis=-1, keepdims=True))[..., 0]
        losses = losses if share is None else _weighted(share, losses)
        if smoothing:
            terms = normaliser - shifted
            even = pg.mean(terms if factors is None else _weighted(factors, terms), axis=-1)
            losses = (1.0 - smoothing) * losses + smoothing * even if smoothing < 1.0 else even
        return reduced(losses, weights, reduction, "losses.softmax_cross_entropy", share)
    t = _probabilities(target, z, axis)
    share = None if factors is None else pg.sum(factors * t, axis=-1)
    if smoothing:
        t = (1.0 - smoothing) * t + smoothing / n
    if factors is not None:
        t = factors * t
    losses = pg.sum(_weighted(t, normaliser - shifted), axis=-1)
    return reduced(losses, weights, reduction, "losses.softmax_cross_entropy", share)


def _weighted(factor: Any, loss: Any) -> Any:
    """A product in which 0 · inf is 0."""
    return pg.where((factor == 0.0) & pg.isinf(loss), 0.0, factor * loss)


def _checked_smoothing(label_smoothing: float) -> float:
    known = isinstance(label_smoothing, int | float | np.number)
    if not known or not 0.0 <= label_smoothing <= 1.0:
        raise pg.DomainError(
            f"label_smoothing={label_smoothing!r}",
            "give a number from 0 to 1 that is known when recording",
            stage="tracing",
            subject="losses.softmax_cross_entropy",
        )
    return float(label_smoothing)


def _probabilities(target: Any, z: Any, axis: int) -> Any:
    """Target probabilities with the classes put last."""
    t = given(target)
    if getattr(t, "dtype", np.dtype(object)).kind not in "fb" or t.ndim != z.ndim:
        _refuse_target(z, t, "losses.softmax_cross_entropy", "integers from 0, or probabilities")
    t = pg.moveaxis(t, axis, -1)
    if t.shape != z.shape:
        _refuse_target(z, t, "losses.softmax_cross_entropy", "integers from 0, or probabilities")
    return floats(z, t)[1]


def _refuse_target(z: Any, target: Any, subject: str, wanted: str) -> None:
    """Raise for a target that is neither labels nor what else the loss takes."""
    t = given(target)
    shape, dtype, examples = np.shape(t), getattr(t, "dtype", type(t).__name__), tuple(z.shape[:-1])
    problem = f"a target of shape {shape} and dtype {dtype} for {z.shape[-1]} classes and examples of shape {examples}"
    kind: type[pg.GraphError]
    if shape == examples:
        kind, advice = pg.DTypeError, "labels are integers: give y.astype('int64')"
    elif shape == tuple(z.shape):
        kind, advice = pg.DTypeError, "probabilities are floats: give y.astype('float64')"
    else:
        kind, advice = pg.ShapeError, f"give {wanted}; labels have shape {examples}"
    raise kind(problem, advice, stage="tracing", subject=subject)


@np.errstate(all="ignore")
def hinge(
    prediction: Any, target: Any, *, squared: bool = False, axis: int = -1, weights: Any = None, reduction: str = "mean"
) -> Any:
    """The hinge loss of scores s: max(0, 1 - y s), or for several classes max(0, 1 - s_y + max s_j, j ≠ y).

    That of several classes is Crammer and Singer's (2001), as in scikit-learn. At a corner half the gradient arrives.

    Args:
        prediction: scores, of the shape of `target`; or (..., classes) for labels.
        target: -1 and 1, or bools; or labels, integers from 0, of the shape of `prediction` without the classes.
        squared: the square of the loss.
        axis: of the classes.
        weights: of the first axes; see `pg.losses`.
        reduction: "mean", "sum" or "none".

    Raises:
        DomainError: a target, known when recording, other than -1 and 1.
        IndexRangeError: a label that is no class; of an expression at run time.
        ShapeError: shapes that do not fit; UnsupportedError: another reduction.

    Example:
        >>> pg.losses.hinge(np.array([2.0, 0.5, 0.5]), np.array([1, 1, -1]), reduction="none")
        array([0. , 0.5, 1.5])
    """
    p, t = given(prediction), given(target)
    if np.ndim(p) == np.ndim(t) + 1 and t.dtype.kind == "i":
        scores = without_axis(p, axis, "losses.hinge")
        if not is_labels(t, scores):
            _refuse_target(scores, t, "losses.hinge", "integers from 0")
        mask = class_mask(t, scores, "losses.hinge")
        own = pg.sum(pg.where(mask, scores, 0.0), axis=-1)
        margin = own - pg.max(pg.where(mask, -np.inf, scores), axis=-1)
    else:
        known = known_labels(t)
        if known is not None and known.dtype.kind != "b" and not np.isin(known, (-1, 1)).all():
            raise pg.DomainError(
                f"a target of {known.reshape(-1)[~np.isin(known, (-1, 1)).reshape(-1)][0]}",
                "give -1 and 1, or bools: 2 * y - 1 of 0 and 1",
                stage="tracing",
                subject="losses.hinge",
            )
        is_bool = getattr(t, "dtype", None) == np.bool_ or type(t) is bool
        score, sign = fitting(p, t, "losses.hinge")
        margin = score * (2.0 * sign - 1.0 if is_bool else sign)
    losses = pg.maximum(0.0, 1.0 - margin)
    return reduced(pg.square(losses) if squared else losses, weights, reduction, "losses.hinge")
