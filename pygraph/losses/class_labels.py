"""Labels: integers that number classes, checked, and as a mask beside the classes."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from .reduction import given, shape_of

__all__ = ["checked_labels", "class_mask", "is_labels", "known_labels"]


def is_labels(target: Any, scores: Any) -> bool:
    """Whether a target is labels of the examples of `scores`, whose last axis is that of the classes."""
    t = given(target)
    is_integer = type(t) in (int, bool) or getattr(t, "dtype", np.dtype(float)).kind in "ib"
    return is_integer and shape_of(t) == tuple(scores.shape[:-1])


def known_labels(target: Any) -> np.ndarray[Any, Any] | None:
    """The values of a target, or None where it is an expression."""
    return None if isinstance(target, pg.Node) else np.asarray(target)


def checked_labels(target: Any, n_classes: int, subject: str) -> Any:
    """Labels as int64, each of which is a class.

    Raises:
        IndexRangeError: a label is negative or not below `n_classes`; of an expression at run time.
    """
    labels = pg.astype(given(target), np.int64)
    known = known_labels(labels)
    if known is None:
        # a look-up that returns the label itself, and fails where there is none; no label counts from the end
        return pg.take(np.arange(n_classes), labels, mode="strict")
    wrong = (known < 0) | (known >= n_classes)
    if wrong.any():
        raise pg.IndexRangeError(
            f"label {known[wrong][0]} for {n_classes} classes",
            f"number the classes from 0 to {n_classes - 1}; what does not count takes any label, and weights=0",
            stage="running",
            subject=subject,
        )
    return labels


def class_mask(target: Any, scores: Any, subject: str) -> Any:
    """Where the class of each example stands among its scores: bools of the shape of `scores`, classes last."""
    n = scores.shape[-1]
    labels = checked_labels(target, n, subject)
    return labels[..., None] == np.arange(n)
