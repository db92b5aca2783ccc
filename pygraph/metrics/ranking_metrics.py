"""Metrics of the order of scores: auc."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from ..losses.class_labels import checked_labels, known_labels
from ..losses.reduction import floats, reduced
from .predicted_labels import array, refusal

__all__ = ["auc"]


def auc(prediction: Any, target: Any, *, weights: Any = None) -> Any:
    """The area under the receiver operating characteristic: the chance that a positive example scores above a negative.

    Equal scores count as half (Hanley and McNeil 1982). nan where one of the classes is absent, or a score is nan.

    Args:
        prediction: scores, shape (n,), in which the order alone counts; or (n, classes), for the mean over the classes
            of each against the rest.
        target: for one score, 1 or True where positive; for several, labels. Shape (n,).
        weights: of the examples, shape (n,).

    Returns:
        A float64 scalar.

    Raises:
        ShapeError: shapes that do not fit; DomainError: for one score, more than two classes.
        IndexRangeError: for several, a label that is no class; of an expression at run time.

    Example:
        >>> pg.metrics.auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1]))
        np.float64(0.875)
    """
    (scores,), t = floats(prediction), array(target)
    if t.ndim != 1 or tuple(scores.shape[:1]) != tuple(t.shape) or scores.ndim > 2:
        problem = f"a prediction of shape {tuple(scores.shape)} for a target of shape {tuple(t.shape)}"
        raise refusal(pg.ShapeError, "metrics.auc", problem, "give shapes (n,) or (n, classes), and (n,)")
    w = reduced(pg.ones(t.shape), weights, "none", "metrics.auc")
    if scores.ndim == 1:
        known = known_labels(t)
        if known is not None and len(np.unique(known)) > 2:
            problem = f"a target of {len(np.unique(known))} classes for one score of each example"
            raise refusal(pg.DomainError, "metrics.auc", problem, "give scores of shape (n, classes), or y == positive")
        return _area(scores, pg.equal(t, 1), w)
    n = scores.shape[1]
    labels = checked_labels(t, n, "metrics.auc")
    return pg.mean(pg.stack([_area(scores[:, k], labels == k, w) for k in range(n)]))


@np.errstate(all="ignore")
def _area(scores: Any, positive: Any, w: Any) -> Any:
    """The weight of the pairs in which the positive example scores above, half that of equal ones, by that of all."""
    ones, zeros = pg.where(positive, w, 0.0), pg.where(positive, 0.0, w)
    order = pg.argsort(scores)
    ascending = pg.take(scores, order)
    below = pg.concatenate([np.zeros(1), pg.cumsum(pg.take(zeros, order))])
    low, high = (pg.take(below, pg.searchsorted(ascending, scores, side)) for side in ("left", "right"))
    found = pg.sum(ones * 0.5 * (low + high)) / (pg.sum(ones) * pg.sum(zeros))
    return pg.where(pg.any(pg.isnan(scores)), np.nan, found)
