"""Steps along the gradient, its momentum or their signs: `sgd` and `lion`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

import pygraph as pg

from .optimizer import FirstOrder
from .parameters import cast
from .settings import DECAY, FLAG, LEAST_ZERO, RATE, is_expression


@dataclass(frozen=True)
class sgd(FirstOrder):
    """Gradient descent, with momentum: v ← momentum · v + g, p ← p − rate · v.

    Nesterov's form steps along g + momentum · v instead of v (Sutskever et al., ICML 2013). The equations are those
    of `torch.optim.SGD` without dampening.

    Args:
        learning_rate: a number, or a schedule.
        momentum: from 0 up to, not including, 1.
        nesterov: whether the momentum is Nesterov's; needs one above 0.
        weight_decay: of the gradient of weight_decay · p² / 2, which is added to g.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt = pg.optim.sgd(0.1, momentum=0.9)
        >>> params = {"w": np.array([1.0, 2.0])}
        >>> params, state = opt.update({"w": np.array([1.0, -1.0])}, opt.init(params), params)
        >>> params["w"], state["momentum"]["w"]
        (array([0.9, 2.1]), array([ 1., -1.]))
    """

    learning_rate: Any = field(default=1e-2, metadata=RATE)
    _: KW_ONLY
    momentum: float = field(default=0.0, metadata=DECAY)
    nesterov: bool = field(default=False, metadata=FLAG)
    weight_decay: float = field(default=0.0, metadata=LEAST_ZERO)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not is_expression(self.momentum) and self.momentum == 0.0:
            advice = "give a momentum, such as 0.9"
            raise pg.DomainError("nesterov without a momentum", advice, stage="making", subject="sgd")

    @property
    def kept(self) -> dict[str, float]:
        return {"momentum": 0.0} if is_there(self.momentum) else {}

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        g = decayed(g, p, self.weight_decay)
        if not kept:
            return p - cast(rate, p) * g, kept
        momentum = cast(self.momentum, p)
        v = momentum * kept["momentum"] + g
        return p - cast(rate, p) * (g + momentum * v if self.nesterov else v), {"momentum": v}


@dataclass(frozen=True)
class lion(FirstOrder):
    """Steps of one size in each element, by the sign of a momentum (Chen et al., "Symbolic discovery of optimization
    algorithms", 2023, algorithm 2).

    c = beta1 · m + (1 − beta1) · g, p ← p − rate · (sign(c) + weight_decay · p), m ← beta2 · m + (1 − beta2) · g.
    Good rates are three to ten times smaller than those of `adamw`, and good weight decays as much larger.

    Args:
        learning_rate: a number, or a schedule.
        beta1: how much of the momentum is in the step, from 0 up to, not including, 1.
        beta2: how much of it stays, likewise.
        weight_decay: how much of a parameter goes at each step, in units of the rate.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> opt, params = pg.optim.lion(0.5), np.array([1.0, 2.0])
        >>> opt.update(np.array([3.0, -0.1]), opt.init(params), params)[0]
        array([0.5, 2.5])
    """

    learning_rate: Any = field(default=1e-4, metadata=RATE)
    _: KW_ONLY
    beta1: float = field(default=0.9, metadata=DECAY)
    beta2: float = field(default=0.99, metadata=DECAY)
    weight_decay: float = field(default=0.0, metadata=LEAST_ZERO)

    @property
    def kept(self) -> dict[str, float]:
        return {"momentum": 0.0}

    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        m = kept["momentum"]
        along = np.sign(mixed(self.beta1, m, g))
        return p - cast(rate, p) * decayed(along, p, self.weight_decay), {"momentum": mixed(self.beta2, m, g)}


def decayed(g: Any, p: Any, weight_decay: Any) -> Any:
    """g + weight_decay · p."""
    return g + cast(weight_decay, p) * p if is_there(weight_decay) else g


def mixed(share: Any, old: Any, new: Any) -> Any:
    """An exponential average: share · old + (1 − share) · new."""
    return cast(share, old) * old + cast(1.0 - share, old) * new


def is_there(setting: Any) -> bool:
    return is_expression(setting) or bool(setting)
