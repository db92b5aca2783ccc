"""Learning rates that change: functions of the number of the step, which is 0 at the first update.

Each works on Python's integers, on arrays of steps, so that it can be plotted, and on traced integers.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from .settings import COUNT, LEAST_ZERO, POSITIVE, RATE, Settings, number, optional


@dataclass(frozen=True)
class constant(Settings):
    """One rate at every step; the number itself does the same.

    Args:
        rate: at least 0.

    Example:
        >>> pg.optim.constant(0.1)(np.arange(3))
        array([0.1, 0.1, 0.1])
    """

    rate: float = field(metadata=LEAST_ZERO)

    def __call__(self, step: Any) -> Any:
        return self.rate * np.ones(np.shape(step))


@dataclass(frozen=True)
class step(Settings):
    """A rate that is multiplied by `factor` after every `every` steps: rate · factor^⌊step / every⌋.

    Args:
        rate: the first one.
        every: how many steps keep a rate, at least 1.
        factor: above 0.

    Example:
        >>> pg.optim.step(1.0, every=2, factor=0.5)(np.arange(6))
        array([1.  , 1.  , 0.5 , 0.5 , 0.25, 0.25])
    """

    rate: float = field(metadata=LEAST_ZERO)
    every: int = field(metadata=COUNT)
    factor: float = field(default=0.1, metadata=POSITIVE)

    def __call__(self, step: Any) -> Any:
        return self.rate * self.factor ** (step // self.every)


@dataclass(frozen=True)
class exponential(Settings):
    """A rate that falls by `factor` in each `every` steps, a little at each: rate · factor^(step / every).

    Args:
        rate: the first one.
        factor: above 0.
        every: at least 1.

    Example:
        >>> pg.optim.exponential(1.0, 0.25, every=2)(np.arange(4))
        array([1.   , 0.5  , 0.25 , 0.125])
    """

    rate: float = field(metadata=LEAST_ZERO)
    factor: float = field(metadata=POSITIVE)
    every: int = field(default=1, metadata=COUNT)

    def __call__(self, step: Any) -> Any:
        return self.rate * self.factor ** (step / self.every)


@dataclass(frozen=True)
class cosine(Settings):
    """A rate that falls along half a cosine, and stays at its end (Loshchilov and Hutter, ICLR 2017, equation 5).

    Args:
        rate: the first one.
        steps: after how many it is `final`, at least 1.
        final: the last one.

    Example:
        >>> pg.optim.cosine(1.0, steps=2)(np.arange(4))
        array([1. , 0.5, 0. , 0. ])
    """

    rate: float = field(metadata=LEAST_ZERO)
    steps: int = field(metadata=COUNT)
    final: float = field(default=0.0, metadata=LEAST_ZERO)

    def __call__(self, step: Any) -> Any:
        return _along_a_cosine(self.rate, self.final, np.minimum(step, self.steps) / self.steps)


@dataclass(frozen=True)
class warm_up(Settings):
    """A rate that rises in a straight line, and then follows another schedule from its beginning.

    Args:
        then: the schedule, or a rate that stays.
        steps: how many rise, at least 1.
        start: the rate of the first.

    Example:
        >>> pg.optim.warm_up(pg.optim.cosine(1.0, steps=2), steps=4)(np.arange(7))
        array([0.  , 0.25, 0.5 , 0.75, 1.  , 0.5 , 0.  ])
    """

    then: Any = field(metadata=RATE)
    steps: int = field(metadata=COUNT)
    start: float = field(default=0.0, metadata=LEAST_ZERO)

    def __call__(self, step: Any) -> Any:
        def after(step: Any) -> Any:
            return self.then(step) if callable(self.then) else self.then

        rising = self.start + (after(0 * step) - self.start) * (step / self.steps)
        return np.where(step < self.steps, rising, after(np.maximum(step - self.steps, 0)))


@dataclass(frozen=True)
class one_cycle(Settings):
    """A rate that rises and falls once along halves of cosines (Smith and Topin, 2018), and stays at its end.

    The rates are those of `torch.optim.lr_scheduler.OneCycleLR`; the momentum stays as it is.

    Args:
        peak: the highest rate.
        steps: how many there are, at least 1; the last one has the rate `final`.
        rise: the share of them that rise, between 0 and 1.
        start: the first rate; None for peak / 25.
        final: the last rate; None for start / 10000.

    Example:
        >>> pg.optim.one_cycle(1.0, steps=10).__call__(np.arange(10)).round(3)
        array([0.04 , 0.52 , 1.   , 0.95 , 0.812, 0.611, 0.389, 0.188, 0.05 , 0.   ])
    """

    peak: float = field(metadata=LEAST_ZERO)
    steps: int = field(metadata=COUNT)
    _: KW_ONLY
    rise: float = field(default=0.3, metadata=number(0.0, 1.0, open_low=True))
    start: float | None = field(default=None, metadata=optional(LEAST_ZERO))
    final: float | None = field(default=None, metadata=optional(LEAST_ZERO))

    def __call__(self, step: Any) -> Any:
        start = self.peak / 25 if self.start is None else self.start
        final = start / 1e4 if self.final is None else self.final
        top = max(self.rise * self.steps - 1.0, 0.0)
        last = max(self.steps - 1.0, top + 1.0)
        up = np.minimum(step / top, 1.0) if top else 1.0
        down = np.clip((step - top) / (last - top), 0.0, 1.0)
        rising, falling = _along_a_cosine(start, self.peak, up), _along_a_cosine(self.peak, final, down)
        return np.where(step < top, rising, falling)


def _along_a_cosine(first: Any, last: Any, share: Any) -> Any:
    return last + (first - last) * (0.5 * (1.0 + np.cos(math.pi * share)))
