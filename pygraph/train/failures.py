"""Why a step of training failed: the error that names epoch, batch, and the data, line or parameter concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .data_source import Array, Batch, named_leaves
from .epoch_program import Carry
from .history import History
from .objective import Objective

_ADVICE = "lower the learning rate, clip the gradients (clip_norm=1.0), or mend the data"


@dataclass(frozen=True)
class Place:
    """Where training was.

    Attributes:
        epoch, batch: counted from 1.
        rows: of the data set that the batch has, where it is arrays.
        rank: of the process whose share of the batch it is, where there are several.
    """

    epoch: int
    batch: int
    rows: Array | None
    rank: int | None = None

    def __str__(self) -> str:
        return f"epoch {self.epoch}, batch {self.batch}" + ("" if self.rank is None else f", rank {self.rank}")


def failure(
    error: pg.GraphError | None,
    place: Place,
    objective: Objective,
    carry: Carry,
    batch: Batch,
    noise: Any,
    history: History,
) -> pg.GraphError:
    """The error of a step from `carry`, which raised `error`, or (None) gave something that is not finite.

    Its attributes `params`, `state`, `optimizer_state`, `history`, `epoch` and `batch` are what there was before.
    """
    found: pg.GraphError
    if error is None:
        found = not_finite(place, objective, carry, batch, noise) or step_not_finite()
    else:
        found = error.again_as(type(error))
        found.problem = f"{error.problem}{_integers(batch)}"
    return located(found, place, carry, history)


def located(found: pg.GraphError, place: Place, carry: Carry, history: History) -> pg.GraphError:
    """An error with its place, and with what there was before."""
    found.stage, found.subject = "training", str(place)
    good = {"params": carry.params, "state": carry.state, "optimizer_state": carry.optimizer, "history": history}
    vars(found).update(good, epoch=place.epoch, batch=place.batch)
    return found


def _integers(batch: Batch) -> str:
    """The integers that the batch has, which may be labels that are out of range."""
    ranges = [
        f"{name} has integers from {leaf.min()} to {leaf.max()}"
        for name, leaf in named_leaves(batch.data, "data")
        if np.asarray(leaf).dtype.kind == "i" and np.size(leaf)
    ]
    return f" ({', '.join(ranges)} in this batch)" if ranges else ""


def step_not_finite() -> pg.NonFiniteError:
    """The error of parameters that are not finite, where the loss and its gradient are."""
    problem = "the parameters are not finite after this step, though the loss and its gradient are"
    return pg.NonFiniteError(problem, "lower the learning rate, or look at the optimiser")


def not_finite(place: Place, objective: Objective, carry: Carry, batch: Batch, noise: Any) -> pg.NonFiniteError | None:
    """The error of the first of these that is not finite: the data, a value of the loss, of its gradient."""
    for name, leaf in named_leaves(batch.data, "data"):
        bad = np.argwhere(~np.isfinite(np.atleast_1d(leaf)))
        if len(bad):
            row = int(bad[0][0])
            where = f"row {place.rows[row]} of {name}" if place.rows is not None else f"row {row} of the batch's {name}"
            value = np.atleast_1d(leaf)[tuple(bad[0])]
            advice = "remove such rows, or replace their values before training"
            return pg.NonFiniteError(f"the loss is not finite, because {where} has {value}", advice)

    def loss(params: Any) -> Any:
        key = pg.random.fold_in(noise, carry.step)
        return objective.training(params, carry.state, key, batch.weights, batch.data)[0]

    value, slope = pg.value_and_grad(loss)(carry.params)
    problem = f"the loss is {float(value)}"
    function: Any = loss
    if np.isfinite(value):
        names = [name for name, leaf in named_leaves(slope, "params") if not np.all(np.isfinite(leaf))]
        if not names:
            return None
        problem, function = f"the gradient of {', '.join(names)} is not finite", pg.value_and_grad(loss)
    try:
        pg.compile(function, check_finite=True)(carry.params)
    except pg.NonFiniteError as error:
        return pg.NonFiniteError(f"{problem}: {error.problem}", _ADVICE, line=error.line)
    return pg.NonFiniteError(problem, _ADVICE)
