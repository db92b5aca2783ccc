"""What all optimisers are: a pair init/update, eager or in a trace, of a formula for one array."""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

import pygraph as pg

from .parameters import cast, checked_params, leaves_like, placed
from .settings import Settings

#: How many compiled updates are kept: one for all optimisers whose settings, but for the rate, are equal.
_KEPT = 256


class Optimizer(ABC):
    """A pair of functions: `init(params)` makes a state, `update(grads, state, params)` new parameters and a state.

    Parameters are a nested container of float64 and float32 arrays, whose dtypes stay as they are; gradients are like
    them. A state is a nested container of arrays: it can be the carry of a `pg.scan`, be saved, and be pickled.

    Attributes:
        needs_value: whether `update` also takes `value`, that of the loss at `params`, and `value_and_grad`, a
            function of parameters, which it evaluates.
    """

    @property
    def needs_value(self) -> bool:
        return False

    @abstractmethod
    def init(self, params: Any) -> Any:
        """The state before the first update.

        Raises:
            DTypeError: a parameter is not floating.
        """

    @abstractmethod
    def update(self, grads: Any, state: Any, params: Any) -> tuple[Any, Any]:
        """The next parameters, and the next state.

        On arrays it is compiled once for all of one signature, and runs in C; among expressions it is recorded. Nothing
        is changed in place.

        Raises:
            DTypeError: a parameter or a gradient is not floating.
            ShapeError: a gradient has another shape than its parameter.
            GraphError: the containers of the gradients and of the parameters differ, or the state is not one of theirs.
        """


class FirstOrder(Settings, Optimizer):
    """An optimiser that treats each array alike, by `step`, with the gradient alone.

    Its first field is `learning_rate`. The state is {"step": how many updates there were, int64, and for each name of
    `kept` a container like that of the parameters}.
    """

    learning_rate: Any

    @property
    def kept(self) -> dict[str, float]:
        """The names of what is kept for each parameter, and with what it is filled at first."""
        return {}

    @abstractmethod
    def step(self, p: Any, g: Any, kept: dict[str, Any], rate: Any, count: Any) -> tuple[Any, dict[str, Any]]:
        """The next value of one parameter, and of what is kept for it.

        Args:
            p, g: the parameter and its gradient, of one shape and dtype.
            kept: for each name in `self.kept` an array like them.
            rate: the learning rate, a number or float64.
            count: the number of this update, from 1 on, float64.
        """

    def init(self, params: Any) -> dict[str, Any]:
        leaves = checked_params(params, type(self).__name__)
        state: dict[str, Any] = {"step": np.zeros((), np.int64)}
        for name, value in self.kept.items():
            state[name] = placed((pg.full_like(leaf, value) for leaf in leaves), params)
        return state

    def update(self, grads: Any, state: Any, params: Any) -> tuple[Any, dict[str, Any]]:
        subject = type(self).__name__
        step = step_of(state, {"step", *self.kept}, subject)
        rate = rate_at(self.learning_rate, step, subject)
        _, *settings = (getattr(self, field.name) for field in dataclasses.fields(self))  # type: ignore[arg-type]
        if any(isinstance(x, pg.Node) for x in settings):
            return self._updated(grads, state, params, rate)
        updated: tuple[Any, dict[str, Any]] = _compiled(type(self), tuple(settings))(grads, state, params, rate)
        return updated

    def _updated(self, grads: Any, state: dict[str, Any], params: Any, rate: Any) -> tuple[Any, dict[str, Any]]:
        subject = type(self).__name__
        ps = checked_params(params, subject)
        gs = leaves_like(grads, "grads", params, subject, "give the gradient of a loss in these parameters")
        advice = f"make the state with {subject}(...).init(params), of these parameters"
        columns = {name: leaves_like(state[name], f"state[{name!r}]", params, subject, advice) for name in self.kept}
        count = state["step"] + 1
        made = [
            self.step(p, g, {name: column[i] for name, column in columns.items()}, rate, count.astype(np.float64))
            for i, (p, g) in enumerate(zip(ps, gs, strict=True))
        ]
        following: dict[str, Any] = {"step": count}
        for name in self.kept:
            following[name] = placed((kept[name] for _, kept in made), params)
        return placed((p for p, _ in made), params), following


@functools.lru_cache(_KEPT)
def _compiled(kind: type[FirstOrder], settings: tuple[Any, ...]) -> pg.CompiledFunction:
    """The update of all optimisers of one kind and settings; it takes the rate as an argument."""
    names = [field.name for field in dataclasses.fields(kind)][1:]  # type: ignore[arg-type]
    optimizer = kind(**dict(zip(names, settings, strict=True)))

    def update(grads: Any, state: Any, params: Any, rate: Any) -> Any:
        return optimizer._updated(grads, state, params, rate)

    update.__name__ = kind.__name__
    return pg.compile(update)


def step_of(state: Any, names: set[str], subject: str) -> Any:
    """The number of updates that a state has seen, int64.

    Raises:
        GraphError: it is not a dict with these names, or its step is not an integer scalar.
    """
    advice = f"make the state with {subject}(...).init(params)"
    if not isinstance(state, dict) or state.keys() != names:
        has = f"has {sorted(map(str, state))}" if isinstance(state, dict) else f"is of type {type(state).__name__}"
        problem = f"the state {has}, and is a dict of {sorted(names)}"
        raise pg.GraphError(problem, advice, stage="optimising", subject=subject)
    step = state["step"]
    if not hasattr(step, "dtype"):
        step = np.asarray(step)
    if step.dtype != np.int64 or step.shape != ():
        problem = f"state['step'] is {step.dtype} of shape {step.shape}, and is an int64 scalar"
        raise pg.GraphError(problem, advice, stage="optimising", subject=subject)
    return step


def rate_at(rate: Any, step: Any, subject: str) -> Any:
    """The learning rate at a step: itself, or what the schedule says.

    Raises:
        ShapeError: the schedule returns no scalar; DTypeError: nothing that is a real number.
    """
    if isinstance(rate, pg.Node) or not callable(rate):
        return rate
    found = pg.asarray(rate(step if isinstance(step, pg.Node) else np.int64(step)))
    advice = "return one number, computed from the step with pg or np functions"
    if found.shape != ():
        problem = f"the schedule returned shape {found.shape}"
        raise pg.ShapeError(problem, advice, stage="optimising", subject=subject)
    if found.dtype.kind not in "fi":
        problem = f"the schedule returned {found.dtype}"
        raise pg.DTypeError(problem, advice, stage="optimising", subject=subject)
    return cast(found, np.zeros(()))
