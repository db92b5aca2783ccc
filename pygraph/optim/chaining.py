"""Clipping, an optimiser and averages one after another: `chain`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pygraph as pg

from .averaging import ema
from .optimizer import Optimizer


@dataclass(frozen=True, init=False, repr=False)
class chain(Optimizer):
    """An optimiser with functions of the gradients before it, and averages of the parameters after it.

    Args:
        parts: functions from gradients to gradients, such as `clip_by_norm(1.0)`; one optimiser; then any number of
            `ema`. Its state is the tuple of theirs, in this order, () for a function.

    Attributes:
        parts: as given.
        needs_value: whether the optimiser does (`lbfgs`); it takes no functions before it, for a line search needs the
            gradient of the value.

    Raises:
        SignatureError: parts of other kinds, or in another order.

    Example:
        >>> opt = pg.optim.chain(pg.optim.clip_by_norm(1.0), pg.optim.sgd(0.5), pg.optim.ema(0.5))
        >>> opt
        chain(clip_by_norm(limit=1.0), sgd(learning_rate=0.5, ...), ema(decay=0.5, bias_correction=False))
        >>> params = np.array([1.0, 0.0])
        >>> params, state = opt.update(np.array([30.0, 40.0]), opt.init(params), params)
        >>> params, opt.parts[-1].average(state[-1])
        (array([ 0.7, -0.4]), array([ 0.85, -0.2 ]))
    """

    parts: tuple[Any, ...] = field(metadata={"static": True})

    def __init__(self, *parts: Any) -> None:
        at = [i for i, part in enumerate(parts) if _is_optimizer(part)]
        advice = "write chain(clip_by_norm(1.0), adam(1e-3), ema(0.99)): functions of gradients, an optimiser, averages"
        if len(at) != 1:
            problem = f"{len(at)} of the {len(parts)} parts are optimisers, and one is needed"
            raise pg.SignatureError(problem, advice, stage="making", subject="chain")
        before, optimizer, after = parts[: at[0]], parts[at[0]], parts[at[0] + 1 :]
        wrong = [part for part in before if not callable(part)] + [part for part in after if not isinstance(part, ema)]
        if wrong:
            place = "before" if wrong[0] in before else "after"
            problem = f"{wrong[0]!r} can't stand {place} the optimiser"
            raise pg.SignatureError(problem, advice, stage="making", subject="chain")
        if optimizer.needs_value and before:
            problem = f"{before[0]!r} changes the gradients, which {optimizer!r} needs as they are for its line search"
            raise pg.SignatureError(problem, "leave it out", stage="making", subject="chain")
        object.__setattr__(self, "parts", parts)

    @property
    def needs_value(self) -> bool:
        return any(part.needs_value for part in self.parts if _is_optimizer(part))

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.parts))})"

    def init(self, params: Any) -> tuple[Any, ...]:
        return tuple(part.init(params) if hasattr(part, "init") else () for part in self.parts)

    def update(self, grads: Any, state: Any, params: Any, **context: Any) -> tuple[Any, tuple[Any, ...]]:
        if not isinstance(state, tuple | list) or len(state) != len(self.parts):
            problem = f"the state is not a tuple of {len(self.parts)}"
            raise pg.GraphError(problem, f"make it with {self!r}.init(params)", stage="optimising", subject="chain")
        following = []
        for part, own in zip(self.parts, state, strict=True):
            if isinstance(part, ema):
                own = part.update(own, params)
            elif _is_optimizer(part):
                params, own = part.update(grads, own, params, **context)
            else:
                grads = part(grads)
            following.append(own)
        return params, tuple(following)


def _is_optimizer(part: Any) -> bool:
    return hasattr(part, "needs_value")
