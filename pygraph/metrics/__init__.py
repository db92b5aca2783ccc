"""Metrics: how good predictions are; `f(prediction, target, *, weights=None, ...)`, the prediction first.

They work on arrays and in a trace. Classes may be predicted by labels or by scores with an axis of classes. Those that
count are float64 and carry no gradient; mae, mse, rmse and r2 keep float32.

Read `predicted_labels.py`, then `class_metrics.py`, `ranking_metrics.py`, `regression_metrics.py`.

Boundary: the public interface, `losses` and NumPy. Each takes all examples at once: the mean over batches of one size
is that of the whole for accuracies and mean errors, and not for auc, f1, r2 and the like.
"""

from ..losses import mae, mse
from .class_metrics import accuracy, confusion_matrix, f1, precision, recall, top_k_accuracy
from .ranking_metrics import auc
from .regression_metrics import r2, rmse

__all__ = [
    "accuracy",
    "auc",
    "confusion_matrix",
    "f1",
    "mae",
    "mse",
    "precision",
    "r2",
    "recall",
    "rmse",
    "top_k_accuracy",
]
