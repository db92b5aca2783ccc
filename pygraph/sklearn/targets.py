"""What the estimators share: settings that are checked, labels as integers, weights of rows."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

import pygraph as pg

__all__ = ["choice", "encoded", "number", "row_weights"]

Array = npt.NDArray[Any]


def number(
    estimator: Any, name: str, low: float, high: float = np.inf, *, whole: bool = False, open_low: bool = False
) -> None:
    """Check that a parameter is a number from `low` (or above it) to `high`.

    Raises:
        DomainError: it is not.
    """
    value: Any = getattr(estimator, name)
    if _is_number(value, whole):
        above = low < value if open_low else low <= value
        if above and value <= high:
            return
    words = "a whole number" if whole else "a number"
    limits = f"above {low}" if open_low else f"of {low} or more"
    if np.isfinite(high):
        limits += f", up to {high}"
    raise _refused(estimator, name, f"give {words} {limits}")


def _is_number(value: object, whole: bool) -> bool:
    return isinstance(value, numbers.Integral if whole else numbers.Real) and not isinstance(value, (bool, np.bool_))


def choice(estimator: Any, name: str, allowed: Sequence[Any]) -> None:
    """Check that a parameter is one of several.

    Raises:
        DomainError: it is not.
    """
    value = getattr(estimator, name)
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise _refused(estimator, name, f"give one of {', '.join(map(repr, allowed))}")


def encoded(estimator: Any, y: Array) -> tuple[Array, Array]:
    """The classes, and the place of each label among them, int64.

    Raises:
        DomainError: there is one class only.
    """
    classes, places = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        problem = f"y holds one class, {classes[0]!r}"
        advice = "give labels of two classes or more"
        raise pg.DomainError(problem, advice, stage="fitting", subject=type(estimator).__name__)
    return classes, places.astype(np.int64)


def row_weights(X: Array, sample_weight: Any, class_weight: Any, classes: Array, places: Array) -> Array:
    """The weight of each row: of its own times that of its class; "balanced" ones are inverse to a class's weight.

    Raises:
        ValueError: weights that do not fit the rows or the classes, in scikit-learn's words.
    """
    weights: Array = _check_sample_weight(sample_weight, X, dtype=X.dtype, copy=True, ensure_non_negative=True)
    if isinstance(class_weight, str) and class_weight == "balanced":
        # G. King, L. Zeng, Logistic Regression in Rare Events Data, 2001
        of_class = np.bincount(places, weights, len(classes))
        weights *= (np.sum(weights) / (len(classes) * np.where(of_class > 0, of_class, 1.0)))[places]
    elif class_weight is not None:
        weights *= compute_class_weight(class_weight, classes=classes, y=classes[places])[places]
    return weights


def _refused(estimator: Any, name: str, advice: str) -> pg.DomainError:
    problem = f"{name}={getattr(estimator, name)!r}"
    return pg.DomainError(problem, advice, stage="fitting", subject=type(estimator).__name__)
