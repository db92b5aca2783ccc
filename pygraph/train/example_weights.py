"""The weight of each example: of its own, of its class, or their product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import pygraph as pg

from .data_source import Array, Batch, Rows, Stream, arguments_of


def row_weights(rows: Rows, sample_weight: Any, class_weight: Any, dtype: Any) -> Array | None:
    """The weights of all rows, shape (rows,); None where there are none.

    Raises:
        ShapeError, DTypeError, DomainError: weights that do not fit the rows, or labels without a weight.
    """
    weights = None
    if sample_weight is not None:
        weights = np.asarray(sample_weight, dtype)
        if weights.shape != (rows.count,):
            problem = f"sample_weight has shape {weights.shape} for {rows.count} rows"
            raise pg.ShapeError(problem, f"give shape ({rows.count},)", stage="training", subject="fit")
        if not np.all(np.isfinite(weights)) or np.any(weights < 0):
            problem = "sample_weight has values that are negative or not finite"
            raise pg.DomainError(problem, "give finite weights of 0 or more", stage="training", subject="fit")
    if class_weight is not None:
        of_class = _of_labels(_labels(rows.data), class_weight, dtype)
        weights = of_class if weights is None else weights * of_class
    return weights


def stream_weights(source: Stream, sample_weight: Any, class_weight: Any, dtype: Any) -> Callable[[Batch], Any]:
    """The function from a batch to the weights of its rows.

    Raises:
        SignatureError: weights of all examples, where these are not known.
    """
    if sample_weight is not None or isinstance(class_weight, str):
        name = "sample_weight" if sample_weight is not None else 'class_weight="balanced"'
        advice = "let the batches hold the weights, and the loss use them"
        raise pg.SignatureError(f"{name} needs arrays as data", advice, stage="training", subject="fit")
    if class_weight is None:
        return lambda batch: None
    return lambda batch: _of_labels(_labels(batch.data), class_weight, dtype)


def _labels(data: Any) -> Array:
    labels = np.asarray(arguments_of(data)[-1]) if pg.tree_leaves(arguments_of(data)[-1]) else np.zeros(())
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        problem = "class_weight needs the last part of the data to be integer labels, one for each row"
        raise pg.DTypeError(problem, "give data=(X, y), or sample_weight", stage="training", subject="fit")
    return labels.astype(np.int64)


def _of_labels(labels: Array, class_weight: Any, dtype: Any) -> Array:
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            problem = f"class_weight is {class_weight!r}"
            advice = 'give "balanced", a dict from label to weight, or an array of weights'
            raise pg.DomainError(problem, advice, stage="training", subject="fit")
        classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
        # n / (classes · count): G. King, L. Zeng, Logistic Regression in Rare Events Data, 2001
        balanced: Array = (len(labels) / (len(classes) * counts))[places].astype(dtype)
        return balanced
    table = dict(class_weight) if isinstance(class_weight, Mapping) else dict(enumerate(np.asarray(class_weight)))
    classes, places = np.unique(labels, return_inverse=True)
    missing = [int(label) for label in classes if int(label) not in table]
    if missing:
        problem = f"there are labels without a class weight: {', '.join(map(str, missing[:5]))}"
        raise pg.DomainError(problem, "give a weight for each class", stage="training", subject="fit")
    return np.array([table[int(label)] for label in classes], dtype)[places]
