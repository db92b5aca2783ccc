"""Momentum divided by the root of the average of squares: `adam` and `adamw`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from .descent import decayed, is_there, mixed
from .optimizer import FirstOrder
from .parameters import cast
from .settings import DECAY, FLAG, LEAST_ZERO, RATE


class _Adam(FirstOrder):
    """What `adam` and `adamw` have in common: the step without weight decay."""

    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    amsgrad: bool

    @property
    def kept(self) -> dict[str, float]:
        return dict.fromkeys(["mean", "mean_square", *(["largest"] if self.amsgrad else [])], 0.0)

    def _moved(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        mean, square = mixed(self.beta1, kept["mean"], g), mixed(self.beta2, kept["mean_square"], g * g)
        following, largest = {"mean": mean, "mean_square": square}, square
        if self.amsgrad:
            largest = following["largest"] = np.maximum(kept["largest"], square)
        # numbers of float64, made from the count once for all elements
        scale = cast(1.0 / np.sqrt(1.0 - self.beta2**count), p)
        rate = cast(rate / (1.0 - self.beta1**count), p)
        return p - rate * mean / (np.sqrt(largest) * scale + cast(self.eps, p)), following


@dataclass(frozen=True)
class adam(_Adam):
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1), with the equations of `torch.optim.Adam`.

    m ← beta1 · m + (1 − beta1) · g, s ← beta2 · s + (1 − beta2) · g², and at the update of number t, from 1 on,
    p ← p − rate · m / (1 − beta1^t) / (√(s / (1 − beta2^t)) + eps).

    Args:
        learning_rate: a number, or a schedule.
        beta1: how much of the average of gradients stays, from 0 up to, not including, 1.
        beta2: how much of that of their squares does, likewise.
        eps: at least 0.
        weight_decay: of the gradient of weight_decay · p² / 2, which is added to g; see `adamw`.
        amsgrad: whether the largest s so far takes its place (Reddi, Kale and Kumar, ICLR 2018).

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt = pg.optim.adam(pg.optim.cosine(0.1, 200))
        >>> def step(carry, _):
        ...     x, state = carry
        ...     return opt.update(2 * (x - 3.0), state, x), None
        >>> start = np.zeros(2)
        >>> (x, state), _ = pg.scan(step, (start, opt.init(start)), length=200)
        >>> x.round(2), state["step"]
        (array([3., 3.]), np.int64(200))
    """

    learning_rate: Any = field(default=1e-3, metadata=RATE)
    _: KW_ONLY
    beta1: float = field(default=0.9, metadata=DECAY)
    beta2: float = field(default=0.999, metadata=DECAY)
    eps: float = field(default=1e-8, metadata=LEAST_ZERO)
    weight_decay: float = field(default=0.0, metadata=LEAST_ZERO)
    amsgrad: bool = field(default=False, metadata=FLAG)

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        return self._moved(p, decayed(g, p, self.weight_decay), kept, rate, count)


@dataclass(frozen=True)
class adamw(_Adam):
    """Adam with the weight decay apart from the gradient (Loshchilov and Hutter, ICLR 2019): at each update
    p ← (1 − rate · weight_decay) · p, then the step of `adam`; the equations of `torch.optim.AdamW`.

    Args:
        learning_rate: a number, or a schedule.
        beta1, beta2, eps, amsgrad: as for `adam`.
        weight_decay: how much of a parameter goes at each step, in units of the rate.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt, params = pg.optim.adamw(0.5, weight_decay=0.1), np.array([1.0, 2.0])
        >>> opt.update(np.array([3.0, -0.1]), opt.init(params), params)[0].round(6)
        array([0.45, 2.4 ])
    """

    learning_rate: Any = field(default=1e-3, metadata=RATE)
    _: KW_ONLY
    beta1: float = field(default=0.9, metadata=DECAY)
    beta2: float = field(default=0.999, metadata=DECAY)
    eps: float = field(default=1e-8, metadata=LEAST_ZERO)
    weight_decay: float = field(default=1e-2, metadata=LEAST_ZERO)
    amsgrad: bool = field(default=False, metadata=FLAG)

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        if is_there(self.weight_decay):
            p = cast(1.0 - rate * self.weight_decay, p) * p
        return self._moved(p, g, kept, rate, count)
