"""What a prediction says: labels, from labels, scores of classes, or scores above a threshold; and their classes."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from ..losses.class_labels import known_labels
from ..losses.reduction import given

__all__ = ["array", "class_count", "labels_of", "refusal"]


def array(x: Any) -> Any:
    """An operand as an expression or an array."""
    x = given(x)
    return x if isinstance(x, pg.Node) else np.asarray(x)


def refusal(kind: type[pg.GraphError], subject: str, problem: str, advice: str) -> pg.GraphError:
    """The error of a metric."""
    return kind(problem, advice, stage="tracing", subject=subject)


def labels_of(prediction: Any, target: Any, threshold: Any, axis: int, subject: str) -> tuple[Any, Any, int | None]:
    """Predicted labels, the target, and how many classes the prediction has scores of, or None.

    Raises:
        ShapeError: shapes that do not fit; DTypeError: floats of the target's shape without a threshold.
    """
    p, t = array(prediction), array(target)
    if p.ndim == t.ndim + 1 and threshold is None:
        k = axis + p.ndim if axis < 0 else axis
        if not 0 <= k < p.ndim or tuple(n for i, n in enumerate(p.shape) if i != k) != tuple(t.shape):
            raise _unfit(p, t, subject)
        if p.shape[k] < 2:
            problem = f"a prediction of shape {tuple(p.shape)} has scores of {p.shape[k]} class"
            raise refusal(pg.ShapeError, subject, problem, "give scores.reshape(-1) of a binary model, and threshold=")
        return pg.argmax(p, axis=k), t, p.shape[k]
    if p.shape != t.shape:
        raise _unfit(p, t, subject)
    if threshold is not None:
        return pg.astype(p > threshold, np.int64), t, 2
    if p.dtype.kind == "f":
        problem = f"a prediction of shape {tuple(p.shape)} and dtype {p.dtype} for a target of that shape"
        advice = "give threshold=0.5 for probabilities, threshold=0 for logits, or predicted labels as integers"
        raise refusal(pg.DTypeError, subject, problem, advice)
    return p, t, None


def _unfit(p: Any, t: Any, subject: str) -> pg.GraphError:
    problem = f"a prediction of shape {tuple(p.shape)} for a target of shape {tuple(t.shape)}"
    return refusal(pg.ShapeError, subject, problem, "give labels of the target's shape, or scores (..., classes)")


def class_count(n_classes: int | None, scored: int | None, labels: Any, target: Any, subject: str) -> int:
    """How many classes there are: as given, as there are scores, or by the largest label that is known.

    Raises:
        UnsupportedError: labels that are expressions, without `n_classes`.
    """
    if n_classes is not None or scored is not None:
        return max(n_classes or 0, scored or 0)
    known = [known_labels(x) for x in (labels, target)]
    if any(x is None for x in known):
        problem = "the number of classes depends on values"
        raise refusal(pg.UnsupportedError, subject, problem, "give n_classes=n")
    return 1 + max(int(x.max(initial=0)) for x in known if x is not None)
