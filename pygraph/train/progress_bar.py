"""The progress bar of training: tqdm's, told at most ten times a second what was done."""

from __future__ import annotations

import sys
import time
from typing import Any

#: Seconds between two looks of the bar.
_PERIOD = 0.1


class ProgressBar:
    """Rows done, rows per second and time left, with the loss and the metrics of the last epoch.

    Args:
        shown: True, False, or None: where there is a terminal or a notebook.
        epochs: how many there are.
        rows: of an epoch, or None where that is not known yet.
        done: epochs that were done before.
    """

    def __init__(self, shown: bool | None, epochs: int, rows: int | None, done: int) -> None:
        self._bar: Any = None
        self._epochs, self._rows = epochs, rows
        self._waiting, self._next = 0, 0.0
        self._row: dict[str, float] = {}
        if shown is None:
            shown = sys.stderr.isatty() or "ipykernel" in sys.modules
        if shown:
            from tqdm import tqdm

            total = None if rows is None else rows * epochs
            self._bar = tqdm(
                desc="compiling",
                total=total,
                initial=(rows or 0) * done,
                unit=" rows",
                unit_scale=True,
                mininterval=0,
                leave=True,
            )

    def start(self, epoch: int) -> None:
        """An epoch begins, counted from 1."""
        if self._bar is not None:
            self._bar.set_description(f"epoch {epoch}/{self._epochs}", refresh=False)

    def advance(self, rows: int, loss: float | None = None) -> None:
        """So many rows were done; `loss`: their mean in this epoch so far, shown before there is a table."""
        if self._bar is None:
            return
        self._waiting += rows
        if time.monotonic() >= self._next:
            if loss is not None:
                self._row = {"loss": loss}
            self._show()

    def finish(self, row: dict[str, float], rows: int) -> None:
        """An epoch of so many rows has ended with this row of the table."""
        if self._bar is None:
            return
        if self._rows is None:
            self._rows = rows
            self._bar.total = rows * self._epochs
        self._row = row
        if time.monotonic() >= self._next:
            self._show()

    def close(self) -> None:
        """The training has ended."""
        if self._bar is not None:
            self._show()
            self._bar.close()

    def _show(self) -> None:
        self._next = time.monotonic() + _PERIOD
        shown = {name: f"{value:.4g}" for name, value in self._row.items() if name not in ("epoch", "seconds")}
        if shown:
            self._bar.set_postfix(shown, refresh=False)
        if self._waiting:
            self._bar.update(self._waiting)
        else:
            self._bar.refresh()
        self._waiting = 0
