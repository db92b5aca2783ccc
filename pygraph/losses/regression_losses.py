"""Losses of predicted numbers: mse, sse, mae, huber, log_cosh, pinball."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

import pygraph as pg

from .reduction import fitting, reduced

__all__ = ["huber", "log_cosh", "mae", "mse", "pinball", "sse"]


def _residual(prediction: Any, target: Any, subject: str) -> Any:
    p, t = fitting(prediction, target, subject)
    return pg.subtract(p, t)


@np.errstate(all="ignore")
def mse(prediction: Any, target: Any, *, weights: Any = None, reduction: str = "mean") -> Any:
    """The mean squared error: (prediction - target)² of each element.

    Args:
        prediction, target: of one shape, or one of them broadcasts to that of the other.
        weights: of the first axes; see `pg.losses`.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: shapes that do not fit, such as (n, 1) and (n,); UnsupportedError: another reduction.

    Example:
        >>> pg.losses.mse(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        np.float64(2.0)
    """
    return reduced(pg.square(_residual(prediction, target, "losses.mse")), weights, reduction, "losses.mse")


@np.errstate(all="ignore")
def sse(prediction: Any, target: Any, *, weights: Any = None, reduction: str = "sum") -> Any:
    """The sum of squared errors; its arguments are those of `mse`, with "sum" where that has "mean".

    Raises:
        ShapeError, UnsupportedError: as `mse`.

    Example:
        >>> pg.losses.sse(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        np.float64(4.0)
    """
    return reduced(pg.square(_residual(prediction, target, "losses.sse")), weights, reduction, "losses.sse")


@np.errstate(all="ignore")
def mae(prediction: Any, target: Any, *, weights: Any = None, reduction: str = "mean") -> Any:
    """The mean absolute error: |prediction - target| of each element; where that is 0, so is the gradient.

    The arguments are those of `mse`.

    Raises:
        ShapeError, UnsupportedError: as `mse`.

    Example:
        >>> pg.losses.mae(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        np.float64(1.0)
    """
    return reduced(pg.abs(_residual(prediction, target, "losses.mae")), weights, reduction, "losses.mae")


@np.errstate(all="ignore")
def huber(prediction: Any, target: Any, *, delta: Any = 1.0, weights: Any = None, reduction: str = "mean") -> Any:
    """Half the squared error up to `delta`, and above it linear: `pg.huber(delta, prediction - target)` (Huber 1964).

    Args:
        prediction, target, weights, reduction: as of `mse`.
        delta: where the two meet: a positive number, or one that broadcasts.

    Raises:
        ShapeError, UnsupportedError: as `mse`.

    Example:
        >>> pg.losses.huber(np.array([0.5, 3.0]), np.array([0.0, 0.0]), reduction="none")
        array([0.125, 2.5  ])
    """
    return reduced(pg.huber(delta, _residual(prediction, target, "losses.huber")), weights, reduction, "losses.huber")


@np.errstate(all="ignore")
def log_cosh(prediction: Any, target: Any, *, weights: Any = None, reduction: str = "mean") -> Any:
    """log cosh(r), r = prediction - target: r² / 2 for small r, |r| - log 2 for large r; the derivative is tanh(r).

    As log(1 + 2 sinh²(r / 2)) below 1, so that small errors keep their digits. The arguments are those of `mse`.

    Raises:
        ShapeError, UnsupportedError: as `mse`.

    Example:
        >>> pg.losses.log_cosh(np.array([0.0, 1000.0]), 0.0, reduction="none").round(4)
        array([  0.    , 999.3069])
    """
    r = _residual(prediction, target, "losses.log_cosh")
    size = pg.abs(r)
    small = size < 1.0
    near = pg.log1p(2.0 * pg.square(pg.sinh(0.5 * pg.where(small, r, 0.0))))
    far = size + pg.log1p(pg.exp(-2.0 * size)) - log(2.0)
    return reduced(pg.where(small, near, far), weights, reduction, "losses.log_cosh")


@np.errstate(all="ignore")
def pinball(prediction: Any, target: Any, *, quantile: Any = 0.5, weights: Any = None, reduction: str = "mean") -> Any:
    """The loss whose minimum is a quantile q: q r where r = target - prediction is positive, else (q - 1) r.

    Args:
        prediction, target, weights, reduction: as of `mse`.
        quantile: from 0 to 1, or several that broadcast, for a prediction of each.

    Raises:
        ShapeError, UnsupportedError: as `mse`.

    Example:
        >>> pg.losses.pinball(np.array([0.0, 0.0]), np.array([2.0, -2.0]), quantile=0.9, reduction="none").round(6)
        array([1.8, 0.2])
    """
    r = pg.negative(_residual(prediction, target, "losses.pinball"))
    return reduced(pg.maximum(quantile * r, (quantile - 1.0) * r), weights, reduction, "losses.pinball")
