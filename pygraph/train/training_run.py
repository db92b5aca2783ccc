"""A whole training: epoch after epoch, with evaluation, the table, early stopping, callbacks and checkpoints."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .early_stopping import Best, EarlyStopping, EpochEnd
from .epoch_program import Carry
from .epoch_steps import Steps
from .evaluation import Evaluation
from .history import History
from .objective import TOTAL
from .progress_bar import ProgressBar
from .ranks import Ranks


@dataclasses.dataclass(frozen=True)
class Point:
    """Where training is: all that it goes on from. It is replaced as a whole, so that Ctrl-C finds one or the other.

    Attributes:
        epoch: how many epochs were done.
        carry: what was learned, and how far the present epoch is.
        rows: done in the present epoch.
        best: the best epoch so far.
    """

    epoch: int
    carry: Carry
    rows: int = 0
    best: Best = dataclasses.field(default_factory=Best)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a training consists of.

    Attributes:
        steps: how the batches of an epoch are gone through.
        names: of the losses, in the order of the table.
        epochs: how many.
        evaluations: what is computed after each epoch.
        rule: of early stopping.
        callbacks: called after each epoch.
        rows: of an epoch, where that is known.
        progress: whether a bar is shown; None: where there is a terminal.
        save: called with the point and the table where a checkpoint may be made, and whether one has to be.
        ranks: the processes that train.
    """

    steps: Steps
    names: Sequence[str]
    epochs: int
    evaluations: Sequence[Evaluation]
    rule: EarlyStopping | None
    callbacks: Sequence[Callable[[EpochEnd], Any]]
    rows: int | None
    progress: bool | None
    save: Callable[[Point, History, bool], None] | None
    ranks: Ranks


def run(plan: Plan, point: Point, history: History) -> tuple[Any, History]:
    """Train from `point` on, adding to the table; what was learned, also where Ctrl-C ends it."""
    training = _Training(plan, point, history)
    try:
        training.go_on()
    except KeyboardInterrupt:
        carry = training.point.carry
        place = (
            f"in epoch {training.point.epoch + 1}, after batch {int(carry.at)}" if int(carry.at) else "between epochs"
        )
        history.stopped = f"interrupted {place}"
        if plan.save is not None:
            plan.save(training.point, history, True)
    except Exception as error:  # of a step, a batch, a metric or a callback: hours of work are not lost with it
        _attach(error, training)
        raise
    finally:
        training.bar.close()
    point = training.point
    carry, best = point.carry, point.best
    params, history.state = carry.params, carry.state
    history.optimizer_state = carry.optimizer
    if plan.rule is not None and best.epoch:
        params, history.state, history.best_epoch = best.params, best.state, best.epoch
    return params, history


def _attach(error: Exception, training: _Training) -> None:
    """Let an error have what was learned before it, where it does not have that yet."""
    if not hasattr(error, "history") and hasattr(error, "__dict__"):
        carry = training.point.carry
        good = {"params": carry.params, "state": carry.state, "optimizer_state": carry.optimizer}
        place = {"epoch": training.point.epoch + 1, "batch": int(carry.at) + 1}
        vars(error).update(good, **place, history=training.history)


class _Training:
    def __init__(self, plan: Plan, point: Point, history: History) -> None:
        self.plan, self.point, self.history = plan, point, history
        plan.steps.history = history
        shown = plan.progress if plan.ranks.rank == 0 else False
        self.bar = ProgressBar(shown, plan.epochs, plan.rows, point.epoch)

    def go_on(self) -> None:
        plan, history = self.plan, self.history
        while self.point.epoch < plan.epochs and not (self._out_of_patience() or history.stopped):
            self._epoch()
            self._end()

    def _epoch(self) -> None:
        """One epoch, or the rest of one, and its row in the table."""
        plan, epoch = self.plan, self.point.epoch
        start = time.perf_counter()
        self.bar.start(epoch + 1)
        for carry, rows in plan.steps.advance(self.point.carry, epoch):
            self.point = dataclasses.replace(self.point, carry=carry, rows=self.point.rows + rows)
            self.bar.advance(rows, None if len(self.history) else float(carry.sums[TOTAL]) / self.point.rows)
            if plan.save is not None:
                plan.save(self.point, self.history, False)
        carry, rows = self.point.carry, self.point.rows
        row = {"epoch": float(epoch + 1)} | {name: float(carry.sums[name]) / rows for name in plan.names}
        for evaluation in plan.evaluations:
            row |= evaluation(carry.params, carry.state, plan.ranks)
        row["seconds"] = plan.ranks.first(lambda: time.perf_counter() - start)
        zeros = dict.fromkeys(carry.sums, np.float64(0))
        best = self._best(row)
        self.history.append(row)
        self.point = Point(epoch + 1, carry._replace(at=np.int64(0), sums=zeros), 0, best)
        self.bar.finish(row, rows)

    def _best(self, row: dict[str, float]) -> Best:
        rule, best, carry = self.plan.rule, self.point.best, self.point.carry
        if rule is None:
            return best
        value = row[rule.column(tuple(row))]
        if best.improved_by(value, rule):
            return Best(self.point.epoch + 1, value, carry.params, carry.state)
        return best

    def _out_of_patience(self) -> bool:
        """Whether the rule of early stopping ends the training, which it may have done before a checkpoint."""
        rule, best = self.plan.rule, self.point.best
        if rule is None or self.point.epoch - best.epoch < rule.patience:
            return False
        self.history.stopped = f"{rule.column(self.history.columns)} has not improved since epoch {best.epoch}"
        return True

    def _end(self) -> None:
        """After an epoch: a checkpoint, and the callbacks."""
        plan, point, carry = self.plan, self.point, self.point.carry
        if plan.save is not None:
            plan.save(point, self.history, True)
        end = EpochEnd(point.epoch, carry.params, carry.state, carry.optimizer, self.history)
        for callback in plan.callbacks:
            if any(plan.ranks.gathered(plan.ranks.agreed(callback, end) is True)):
                self.history.stopped = f"by a callback, after epoch {point.epoch}"
