"""When training ends before its last epoch: a value that no longer improves, or the wish of a callback."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pygraph as pg

from .history import History


@dataclasses.dataclass(frozen=True)
class EarlyStopping:
    """End training when a column of the history has not improved for some epochs; the best parameters are returned.

    Args:
        patience: how many epochs without an improvement are waited for.
        monitor: the column; None: "validation_loss" where there is one, else "loss".
        min_delta: a smaller improvement does not count.
        mode: "min" where small values are good, "max" where large ones are, such as an accuracy.

    Raises:
        SignatureError: a patience below 1, or another mode.

    Example:
        >>> pg.train.EarlyStopping(patience=3, monitor="validation_accuracy", mode="max").patience
        3
    """

    patience: int = 5
    monitor: str | None = None
    min_delta: float = 0.0
    mode: str = "min"

    def __post_init__(self) -> None:
        if type(self.patience) is not int or self.patience < 1:
            raise _refused(f"patience is {self.patience!r}", "give the number of epochs to wait, 1 or more")
        if self.mode not in ("min", "max"):
            raise _refused(f"mode is {self.mode!r}", 'give "min" or "max"')

    def column(self, columns: tuple[str, ...]) -> str:
        """The column that is watched."""
        if self.monitor is None:
            return "validation_loss" if "validation_loss" in columns else "loss"
        if self.monitor not in columns:
            raise _refused(f"there is no column {self.monitor!r}", f"the columns are {', '.join(columns)}")
        return self.monitor


@dataclasses.dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Attributes:
        epoch: its number, from 1; 0 before the first.
        value: what was watched.
        params, state: what was learned until then.
    """

    epoch: int = 0
    value: float = math.nan
    params: Any = None
    state: Any = None

    def improved_by(self, value: float, rule: EarlyStopping) -> bool:
        """Whether a value is better by enough; nan never is."""
        if not self.epoch or math.isnan(self.value):
            return not self.epoch or not math.isnan(value)
        gain = self.value - value if rule.mode == "min" else value - self.value
        return gain > rule.min_delta


@dataclasses.dataclass(frozen=True)
class EpochEnd:
    """What a callback is given after each epoch; one that returns True ends the training.

    Attributes:
        epoch: the number of the epoch, from 1.
        params: the parameters.
        state: the state, or None.
        optimizer_state: what the optimiser keeps.
        history: the table so far, this epoch included.
    """

    epoch: int
    params: Any
    state: Any
    optimizer_state: Any
    history: History


def rule_of(early_stopping: Any) -> EarlyStopping | None:
    """The rule that was asked for: one, a patience, or none."""
    if early_stopping is None or isinstance(early_stopping, EarlyStopping):
        return early_stopping
    if type(early_stopping) is int:
        return EarlyStopping(early_stopping)
    problem = f"early_stopping is {early_stopping!r}"
    raise _refused(problem, "give a number of epochs, or pg.train.EarlyStopping(...)")


def _refused(problem: str, advice: str) -> pg.SignatureError:
    return pg.SignatureError(problem, advice, stage="training", subject="early_stopping")
