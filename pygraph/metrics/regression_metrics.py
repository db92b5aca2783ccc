"""Metrics of predicted numbers: r2, rmse."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from ..losses import mse
from ..losses.reduction import floats, reduced
from .predicted_labels import refusal

__all__ = ["r2", "rmse"]

_AVERAGES = ("uniform", "variance", "none")


def rmse(prediction: Any, target: Any, *, weights: Any = None) -> Any:
    """The root of the mean squared error: the square root of `pg.losses.mse`, whose arguments it takes.

    Raises:
        ShapeError: shapes that do not fit, such as (n, 1) and (n,).

    Example:
        >>> pg.metrics.rmse(np.array([1.0, 5.0]), np.array([1.0, 1.0])).round(4)
        np.float64(2.8284)
    """
    return pg.sqrt(mse(prediction, target, weights=weights))


@np.errstate(all="ignore")
def r2(prediction: Any, target: Any, *, average: str = "uniform", weights: Any = None) -> Any:
    """The coefficient of determination: 1 - Σ (target - prediction)² / Σ (target - mean)².

    1 for a perfect prediction, 0 for that of the mean, negative for worse. For a target that is constant 1 where it is
    predicted exactly, else 0; nan of fewer than two examples. As in scikit-learn.

    Args:
        prediction, target: of one shape: (n,), or (n, outputs).
        average: of several outputs: "uniform" for the mean, "variance" for that weighted with Σ (target - mean)²,
            "none" for that of each output.
        weights: of the examples, shape (n,).

    Raises:
        ShapeError: other shapes; UnsupportedError: another `average`.

    Example:
        >>> pg.metrics.r2(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
        np.float64(0.5)
    """
    p, t = floats(prediction, target)
    if np.shape(p) != np.shape(t) or np.ndim(t) not in (1, 2):
        problem = f"a prediction of shape {np.shape(p)} for a target of shape {np.shape(t)}"
        raise refusal(pg.ShapeError, "metrics.r2", problem, "give shape (n,) or (n, outputs) of both")
    if average not in _AVERAGES:
        advice = f"give one of {', '.join(map(repr, _AVERAGES))}"
        raise refusal(pg.UnsupportedError, "metrics.r2", f"average={average!r}", advice)
    n = t.shape[0]
    if n < 2:
        return pg.full(t.shape[1:] if average == "none" else (), np.nan, t.dtype)
    w = reduced(pg.ones((n, *[1] * (t.ndim - 1)), t.dtype), weights, "none", "metrics.r2")
    t, p = t - t[:1], p - t[:1]  # of a constant target the deviations are then exactly zero
    mean = pg.sum(w * t, axis=0) / pg.sum(w)
    missed, spread = pg.sum(w * pg.square(t - p), axis=0), pg.sum(w * pg.square(t - mean), axis=0)
    constant = spread == 0.0
    scores = pg.where(constant, pg.where(missed == 0.0, 1.0, 0.0), 1.0 - missed / pg.where(constant, 1.0, spread))
    scores = pg.astype(pg.where(pg.isnan(missed) | pg.isnan(spread), np.nan, scores), t.dtype)
    if average == "none":
        return scores
    if average == "uniform" or t.ndim == 1:
        return pg.mean(scores)
    total = pg.sum(spread)
    return pg.where(total == 0.0, pg.mean(scores), pg.sum(scores * spread) / pg.where(total == 0.0, 1.0, total))
