"""Averages of parameters over the updates: `ema`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pygraph as pg

from .optimizer import step_of
from .parameters import cast, checked_params, leaves_like, placed
from .settings import DECAY, FLAG, Settings


@dataclass(frozen=True)
class ema(Settings):
    """An exponential average of parameters: a ← decay · a + (1 − decay) · p, beginning with the first parameters.

    With `bias_correction` the first parameters have no weight: after t updates the average is that of the t parameters
    since, with weights in proportion to decay^(t − 1) … decay, 1, which sum to 1.

    It works on arrays and in a trace, and after the optimiser in `pg.optim.chain`, where its state is the last one.

    Args:
        decay: from 0 up to, not including, 1; such as 0.999.
        bias_correction: whether the parameters before the first update have no weight.

    Raises:
        DomainError, SignatureError: a decay that is out of its range, or no number.

    Example:
        >>> mean = pg.optim.ema(0.75)
        >>> state = mean.init({"w": np.array([0.0])})
        >>> state = mean.update(state, {"w": np.array([4.0])})
        >>> mean.average(state)
        {'w': array([1.])}
    """

    decay: float = field(metadata=DECAY)
    bias_correction: bool = field(default=False, metadata=FLAG)

    def init(self, params: Any) -> dict[str, Any]:
        """The state before the first update: {"step": int64 0, "average": a copy of the parameters}.

        Raises:
            DTypeError: a parameter is not floating.
        """
        copies = [pg.array(leaf) for leaf in checked_params(params, "ema")]
        return {"step": np.zeros((), np.int64), "average": placed(copies, params)}

    def update(self, state: Any, params: Any) -> dict[str, Any]:
        """The state with these parameters in its average.

        Raises:
            DTypeError, ShapeError, GraphError: the parameters are not floating, or not those of the state.
        """
        step = step_of(state, {"step", "average"}, "ema")
        new = 1.0 - self.decay
        if self.bias_correction:
            new = new / (1.0 - self.decay ** (step + 1.0))
        return {"step": step + 1, "average": _moved(state["average"], params, new)}

    def average(self, state: Any) -> Any:
        """The average of the parameters, in a container like theirs; before the first update themselves."""
        step_of(state, {"step", "average"}, "ema")
        return state["average"]


@pg.compile
def _moved(average: Any, params: Any, new: Any) -> Any:
    ps = checked_params(params, "ema")
    advice = "make the state with ema(...).init(params), of these parameters"
    means = leaves_like(average, "the average", params, "ema", advice)
    return placed((a + cast(new, a) * (p - a) for a, p in zip(means, ps, strict=True)), params)
