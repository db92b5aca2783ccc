"""The table of a training: one line for each epoch, printed, indexed by column and plotted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

#: Columns that count: they are printed as integers.
_COUNTS = ("epoch",)
#: So many lines of a long table are printed, half of them from its beginning.
_SHOWN = 40


class History:
    """What `pg.fit` returns beside the parameters: a row for each epoch.

    `history["loss"]` is a column as a float64 array, `history[-1]` a row as a dict, `len(history)` the number of
    epochs, `print(history)` the table.

    Attributes:
        columns: the names of the columns: "epoch" (from 1), "loss" (the mean over the epoch's examples), the parts of
            several losses, "validation_loss" and the metrics where there are any, and "seconds".
        state: the state after training, such as running statistics, in its container; None without one.
        optimizer_state: what the optimiser keeps, in its container.
        stopped: why training ended before its last epoch, "" if it did not.
        best_epoch: the epoch whose parameters were returned, with early stopping; else None.

    Example:
        >>> history = pg.train.History()
        >>> history.append({"epoch": 1, "loss": 0.5, "accuracy": 0.75, "seconds": 0.01})
        >>> history["loss"], history[-1]["accuracy"]
        (array([0.5]), 0.75)
        >>> print(history)
        epoch  loss  accuracy  seconds
            1   0.5      0.75     0.01
    """

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = ("epoch", "loss", "seconds")
        self.state: Any = None
        self.optimizer_state: Any = None
        self.stopped = ""
        self.best_epoch: int | None = None
        self._values: dict[str, list[float]] = {name: [] for name in self.columns}

    def append(self, row: dict[str, float]) -> None:
        """Add the row of an epoch; the first one says which columns there are."""
        if not len(self):
            self.columns = tuple(row)
            self._values = {name: [] for name in row}
        if self._values.keys() != row.keys():
            problem = f"the table has columns {', '.join(self.columns)}, the epoch {', '.join(row)}"
            advice = "resume a training with the losses, the validation and the metrics that it began with"
            raise pg.SignatureError(problem, advice, stage="training", subject="history")
        for name, values in self._values.items():
            values.append(float(row[name]))

    def __len__(self) -> int:
        return len(self._values[self.columns[0]])

    def __getitem__(self, which: str | int) -> Any:
        """A column by its name, or the row of an epoch, counted from 0, as a dict.

        Raises:
            SignatureError: no column has this name; IndexRangeError: no epoch has this number.
        """
        if isinstance(which, str):
            if which not in self._values:
                advice = f"the columns are {', '.join(self.columns)}"
                raise pg.SignatureError(f"there is no column {which!r}", advice, stage="reading", subject="history")
            return self._column(which)
        if not -len(self) <= which < len(self):
            problem = f"row {which} of a table of {len(self)} rows"
            raise pg.IndexRangeError(problem, stage="reading", subject="history")
        return {name: values[which] for name, values in self._values.items()}

    def _column(self, name: str) -> npt.NDArray[np.float64]:
        return np.array(self._values[name], np.float64)

    def __str__(self) -> str:
        texts = [[_shown(name, value) for value in self._values[name]] for name in self.columns]
        widths = [max(len(name), *map(len, column), 0) for name, column in zip(self.columns, texts, strict=True)]
        lines = [self.columns, *zip(*texts, strict=True)]
        rows = ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines]
        if len(rows) - 1 > _SHOWN:
            left_out = len(rows) - 1 - _SHOWN
            rows[1 + _SHOWN // 2 : len(rows) - _SHOWN // 2] = [f"… {left_out} epochs more …"]
        if self.best_epoch is not None:
            rows.append(f"best: epoch {self.best_epoch}, whose parameters were returned")
        if self.stopped:
            rows.append(f"stopped: {self.stopped}")
        return "\n".join(rows)

    def __repr__(self) -> str:
        return f"<history of {len(self)} epochs: {', '.join(self.columns)}>"

    def plot(self, path: Any = None) -> Any:
        """Draw every column but the time over the epochs: losses above, metrics below; see `pg.plot.history`.

        Args:
            path: where to save the picture, such as "history.png"; None saves none.

        Returns:
            The matplotlib figure.

        Raises:
            UnsupportedError: matplotlib is not installed.
        """
        return pg.plot.history(self, path=path)


def _shown(name: str, value: float) -> str:
    if name in _COUNTS:
        return str(int(value))
    return f"{value:.3g}" if name == "seconds" else f"{value:.6g}"
