"""Losses: what a prediction costs, given its target; `f(prediction, target, *, weights=None, reduction="mean")`.

They work on arrays and in a trace, and are stable at the ends of their domains. The result is floating: what is float32
stays float32, and integers and bools take the dtype of the other operand. Weights belong to the first axes: those of
shape (n,) to n examples, of whatever shape one has. "mean" is the weighted mean, Σ w l / Σ w, "sum" is Σ w l and
"none" the losses of the elements or examples, w l; a weight of 0 leaves out what is nan or infinite.

Read `reduction.py` (what they share), `regression_losses.py`, `classification_losses.py`, `divergences.py`.

Boundary: the public interface and NumPy; what is counted and carries no gradient is in `metrics`.
"""

from .classification_losses import bce, bce_with_logits, hinge, nll, softmax_cross_entropy
from .divergences import cosine, kl
from .regression_losses import huber, log_cosh, mae, mse, pinball, sse

__all__ = [
    "bce",
    "bce_with_logits",
    "cosine",
    "hinge",
    "huber",
    "kl",
    "log_cosh",
    "mae",
    "mse",
    "nll",
    "pinball",
    "softmax_cross_entropy",
    "sse",
]
