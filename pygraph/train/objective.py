"""What is minimised: one loss or several, with the context that each takes (state, key, weights)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import pygraph as pg

from .data_source import arguments_of

Function = Callable[..., Any]
#: The name of the sum of several losses, or of the only one.
TOTAL = "loss"


def takes(function: Function, name: str, given: int, open_ended: bool = True) -> bool:
    """Whether a function has a parameter of this name behind its first `given`, or takes any (`**context`)."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a callable without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    for place, parameter in enumerate(parameters):
        if parameter.kind is inspect.Parameter.VAR_KEYWORD and open_ended:
            return True
        if parameter.name == name and not (parameter.kind in positional and place < given):
            return parameter.kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return False


class Objective:
    """The loss of a batch, for a step of training and for evaluation.

    Args:
        loss: loss(params, *batch, **context) → a scalar or a dict of scalars; or a dict of such functions. Several are
            added up.
        with_state: whether there is a state that the loss is given.
        with_weights: whether there are weights that the loss has to take.
    """

    def __init__(self, loss: Any, with_state: bool, with_weights: bool) -> None:
        if isinstance(loss, Mapping):
            if not loss:
                raise _refused("the dict of losses is empty", "give at least one loss")
            self._losses = dict(loss)
        else:
            self._losses = {TOTAL: loss}
        self._single = not isinstance(loss, Mapping)
        for name, function in self._losses.items():
            if not callable(function):
                problem = f"{'the loss' if self._single else f'loss {name!r}'} is {type(function).__name__}"
                raise _refused(problem, "give a function loss(params, *batch), or a dict of such functions")
        self._with_state = with_state
        self._with_weights = with_weights

    def names(self, params: Any, state: Any, weights: Any, data: Any) -> list[str]:
        """The names of the sum and its parts, from tracing the losses of one batch.

        Raises:
            SignatureError: there is a state, or there are weights, that no loss takes. ShapeError, DTypeError: a loss
            is no scalar.
        """
        self._check(len(arguments_of(data)))
        names = [TOTAL]

        def recorded(params: Any, state: Any, weights: Any, data: Any) -> Any:
            total, (parts, _) = self.training(params, state, pg.random.key(0), weights, data)
            names.extend(parts)
            return total

        pg.trace(recorded, params, state, weights, data)
        return names

    def _check(self, n_arguments: int) -> None:
        functions = self._losses.values()
        if self._with_state and not any(takes(function, "state", 1 + n_arguments) for function in functions):
            raise _refused("there is a state, but the loss takes none", "write def loss(params, x, y, **context)")
        if self._with_weights and not any(takes(f, "weights", 1 + n_arguments, False) for f in functions):
            advice = "write def loss(params, x, y, *, weights=None, **context), and use them (pg.losses take weights=)"
            raise _refused("there are weights, but the loss has no parameter `weights`", advice)

    def training(
        self, params: Any, state: Any, key: Any, weights: Any, data: Any, shares: Any = None
    ) -> tuple[Any, tuple[Any, Any]]:
        """The sum of the losses; its parts by name, and the state after the batch.

        Args:
            params, state, key, weights, data: what the losses are given.
            shares: what the batch counts in a larger one, `rows` for losses without weights, and `weights`; each loss
                is multiplied by it.
        """
        new_state, recorded = state, False
        values: dict[str, Any] = {}
        arguments = arguments_of(data)
        for name, function in self._losses.items():
            context = self._context(function, len(arguments), key, weights)
            share = None
            if shares is not None:
                share = shares.weights if "weights" in context else shares.rows
            if self._with_state and takes(function, "state", 1 + len(arguments)):
                running = pg.nn.Running(state)
                context["state"] = running
                self._add(values, name, function(params, *arguments, **context), share)
                if not recorded:
                    new_state, recorded = running.value, True
            else:
                self._add(values, name, function(params, *arguments, **context), share)
        total, parts = self._sum(values)
        return total, (parts, new_state)

    def evaluation(self, params: Any, state: Any, data: Any) -> dict[str, Any]:
        """The losses by name, their sum first, with running statistics as they are and without a key."""
        values: dict[str, Any] = {}
        arguments = arguments_of(data)
        for name, function in self._losses.items():
            context = evaluation_context(function, len(arguments), self._with_state, state)
            if self._with_weights and takes(function, "weights", 1 + len(arguments), False):
                context["weights"] = None
            self._add(values, name, function(params, *arguments, **context))
        total, parts = self._sum(values)
        return {TOTAL: total, **parts}

    def _context(self, function: Function, n_arguments: int, key: Any, weights: Any) -> dict[str, Any]:
        context = {}
        if takes(function, "key", 1 + n_arguments):
            context["key"] = key
        if self._with_weights and takes(function, "weights", 1 + n_arguments, False):
            context["weights"] = weights
        return context

    def _add(self, values: dict[str, Any], name: str, value: Any, share: Any = None) -> None:
        named = {str(part): found for part, found in value.items()} if isinstance(value, Mapping) else {name: value}
        if isinstance(value, Mapping) and not self._single:
            named = {f"{name}.{part}": found for part, found in named.items()}
        for part, found in named.items():
            found = scalar(found, "the loss" if part == TOTAL else f"loss {part!r}")
            values[part] = found if share is None else _times(found, share)

    def _sum(self, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if not values:
            raise _refused("the loss returned an empty dict", "return at least one scalar")
        total: Any = None
        for value in values.values():
            total = value if total is None else total + value
        return total, {} if list(values) == [TOTAL] else values


def _times(value: Any, share: Any) -> Any:
    """A loss times a float64, in the dtype of the loss."""
    dtype = np.result_type(getattr(value, "dtype", np.float64))
    return value * (pg.astype(share, dtype) if dtype.kind == "f" else share)


def evaluation_context(function: Function, n_arguments: int, with_state: bool, state: Any) -> dict[str, Any]:
    """What a loss or a metric is given beside parameters and batch when nothing is learned."""
    context: dict[str, Any] = {}
    if with_state and takes(function, "state", 1 + n_arguments):
        context["state"] = state
    if takes(function, "key", 1 + n_arguments, open_ended=False):
        context["key"] = None
    return context


def scalar(value: Any, what: str) -> Any:
    """A value that has to be one number.

    Raises:
        ShapeError: it is an array. DTypeError: it is no number at all.
    """
    if isinstance(value, (tuple, list)) or value is None or isinstance(value, str):
        problem = f"{what} returned {type(value).__name__} where a number is needed"
        raise pg.DTypeError(problem, "return a scalar", stage="training", subject="fit")
    if np.shape(value) != ():
        problem = f"{what} has shape {np.shape(value)}, and is no scalar"
        raise pg.ShapeError(problem, "return one number, such as np.mean(...)", stage="training", subject="fit")
    return value


def _refused(problem: str, advice: str) -> pg.SignatureError:
    return pg.SignatureError(problem, advice, stage="training", subject="fit")
