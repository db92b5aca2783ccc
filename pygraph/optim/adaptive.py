"""Steps whose size each element's own gradients decide: `adagrad` and `rmsprop`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from .descent import decayed, is_there, mixed
from .optimizer import FirstOrder
from .parameters import cast
from .settings import DECAY, FLAG, LEAST_ZERO, RATE


@dataclass(frozen=True)
class adagrad(FirstOrder):
    """Rates that fall with the sum of the squared gradients of an element (Duchi, Hazan and Singer, JMLR 2011).

    s ← s + g², p ← p − rate · g / (√s + eps); the equations of `torch.optim.Adagrad`, whose `lr_decay` is the schedule
    `lambda step: rate / (1 + lr_decay * step)`.

    Args:
        learning_rate: a number, or a schedule.
        initial_sum: what s begins with, at least 0.
        eps: at least 0.
        weight_decay: of the gradient of weight_decay · p² / 2, which is added to g.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt, params = pg.optim.adagrad(0.5), np.array([1.0, 2.0])
        >>> opt.update(np.array([3.0, -0.1]), opt.init(params), params)[0].round(6)
        array([0.5, 2.5])
    """

    learning_rate: Any = field(default=1e-2, metadata=RATE)
    _: KW_ONLY
    initial_sum: float = field(default=0.0, metadata=LEAST_ZERO)
    eps: float = field(default=1e-10, metadata=LEAST_ZERO)
    weight_decay: float = field(default=0.0, metadata=LEAST_ZERO)

    @property
    def kept(self) -> dict[str, float]:
        return {"sum": self.initial_sum}

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        g = decayed(g, p, self.weight_decay)
        total = kept["sum"] + g * g
        return p - cast(rate, p) * g / (np.sqrt(total) + cast(self.eps, p)), {"sum": total}


@dataclass(frozen=True)
class rmsprop(FirstOrder):
    """Gradients divided by the root of the average of their squares (Hinton, Neural networks for machine learning,
    lecture 6, 2012).

    s ← decay · s + (1 − decay) · g², p ← p − rate · g / (√s + eps). The equations are those of `torch.optim.RMSprop`.

    Args:
        learning_rate: a number, or a schedule.
        decay: how much of s stays, from 0 up to, not including, 1.
        eps: at least 0.
        momentum: of v ← momentum · v + g / (√s + eps), along which the steps then go, from 0 up to, not including, 1.
        centered: whether s is lessened by the square of the average of g, which leaves its variance (Graves 2013).
        weight_decay: of the gradient of weight_decay · p² / 2, which is added to g.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt, params = pg.optim.rmsprop(0.5, decay=0.75), np.array([1.0, 2.0])
        >>> opt.update(np.array([3.0, -0.1]), opt.init(params), params)[0].round(6)
        array([0., 3.])
    """

    learning_rate: Any = field(default=1e-2, metadata=RATE)
    _: KW_ONLY
    decay: float = field(default=0.99, metadata=DECAY)
    eps: float = field(default=1e-8, metadata=LEAST_ZERO)
    momentum: float = field(default=0.0, metadata=DECAY)
    centered: bool = field(default=False, metadata=FLAG)
    weight_decay: float = field(default=0.0, metadata=LEAST_ZERO)

    @property
    def kept(self) -> dict[str, float]:
        names = [
            "mean_square",
            *(["mean"] if self.centered else []),
            *(["momentum"] if is_there(self.momentum) else []),
        ]
        return dict.fromkeys(names, 0.0)

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        g = decayed(g, p, self.weight_decay)
        square = mixed(self.decay, kept["mean_square"], g * g)
        following, spread = {"mean_square": square}, square
        if self.centered:
            mean = following["mean"] = mixed(self.decay, kept["mean"], g)
            spread = np.maximum(square - mean * mean, 0.0)  # rounding takes it below zero where g is constant
        along = g / (np.sqrt(spread) + cast(self.eps, p))
        if "momentum" in kept:
            along = following["momentum"] = cast(self.momentum, p) * kept["momentum"] + along
        return p - cast(rate, p) * along, following
