"""Losses between vectors: the Kullback-Leibler divergence of distributions, and the cosine distance."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from .reduction import fitting, reduced, without_axis

__all__ = ["cosine", "kl"]


def _vectors(prediction: Any, target: Any, axis: int, subject: str) -> list[Any]:
    """Both as floats of one shape, with `axis` put last."""
    p, t = (pg.broadcast_to(x, shape) for x, shape in _of_one_shape(prediction, target, subject))
    return [without_axis(p, axis, subject), without_axis(t, axis, subject)]


def _of_one_shape(prediction: Any, target: Any, subject: str) -> list[tuple[Any, tuple[int, ...]]]:
    p, t = fitting(prediction, target, subject)
    shape = np.broadcast_shapes(np.shape(p), np.shape(t))
    return [(p, shape), (t, shape)]


@np.errstate(all="ignore")
def kl(
    prediction: Any,
    target: Any,
    *,
    from_logits: bool = False,
    axis: int = -1,
    weights: Any = None,
    reduction: str = "mean",
) -> Any:
    """The Kullback-Leibler divergence of a predicted distribution from its target: Σ target log(target / prediction).

    Where the target is 0 it adds nothing; where the prediction alone is 0 the divergence is infinite.

    Args:
        prediction: probabilities, shape (..., classes); with `from_logits` logits or logarithms of probabilities.
        target: probabilities, of that shape.
        from_logits: take the logarithm of the softmax of `prediction`.
        axis: of the classes, over which it sums.
        weights: of the examples; see `pg.losses`.
        reduction: "mean", "sum" or "none", over examples.

    Raises:
        ShapeError: shapes that do not fit; UnsupportedError: another reduction.

    Example:
        >>> pg.losses.kl(np.array([0.5, 0.5]), np.array([1.0, 0.0])).round(6)
        np.float64(0.693147)
    """
    p, t = _vectors(prediction, target, axis, "losses.kl")
    if from_logits:
        logs = pg.log_softmax(p, axis=-1)
        absent = (t == 0.0) & (logs == -np.inf)
        terms = pg.xlogy(t, t) - t * pg.where(absent, 0.0, logs)
    else:
        terms = pg.rel_entr(t, p)
    return reduced(pg.sum(terms, axis=-1), weights, reduction, "losses.kl")


def _unit(x: Any) -> tuple[Any, Any]:
    """Vectors divided by their lengths, of numbers of any size, and which of them are zero."""
    largest = pg.stop_gradient(pg.max(pg.abs(x), axis=-1, keepdims=True))
    zero = largest == 0.0
    scaled = x / pg.where(zero, 1.0, largest)
    return scaled / pg.sqrt(pg.where(zero, 1.0, pg.sum(pg.square(scaled), axis=-1, keepdims=True))), zero[..., 0]


@np.errstate(all="ignore")
def cosine(prediction: Any, target: Any, *, axis: int = -1, weights: Any = None, reduction: str = "mean") -> Any:
    """The cosine distance of vectors: 1 less the cosine of the angle between them, from 0 to 2.

    As half the squared distance of the unit vectors, so that small angles keep their digits. It is 1, with a gradient
    of 0, where a vector is zero, and nan where an element is infinite.

    Args:
        prediction, target: vectors along `axis`, of one shape.
        axis: of the components.
        weights: of the vectors; see `pg.losses`.
        reduction: "mean", "sum" or "none", over vectors.

    Raises:
        ShapeError: shapes that do not fit; UnsupportedError: another reduction.

    Example:
        >>> pg.losses.cosine(np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([[1.0, 0.0], [5.0, 0.0]]), reduction="none")
        array([0., 1.])
    """
    p, t = _vectors(prediction, target, axis, "losses.cosine")
    (p, no_p), (t, no_t) = _unit(p), _unit(t)
    apart = 0.5 * pg.sum(pg.square(p - t), axis=-1)
    return reduced(pg.where(no_p | no_t, 1.0, apart), weights, reduction, "losses.cosine")
