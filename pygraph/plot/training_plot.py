"""The epochs of a training: losses above, metrics below."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SignatureError, shown
from .figures import COLOURS, new_figure

#: Columns that are no measure of what was learned.
_UNPLOTTED = ("epoch", "seconds")
#: Points are marked where there are fewer epochs.
_MARKED = 30


def history(history: Any, *, path: Any = None) -> Any:
    """Draw every column of a training's history but the time over the epochs: losses above, metrics below.

    Args:
        history: what `pg.fit` returned beside the parameters.
        path: where to save the picture, such as "history.png".

    Returns:
        The Matplotlib figure.

    Raises:
        SignatureError: it is no history of a training, or one without epochs.
        UnsupportedError: Matplotlib is not installed.

    Example:
        >>> table = pg.train.History()
        >>> table.append({"epoch": 1, "loss": 0.5, "accuracy": 0.75, "seconds": 0.01})
        >>> figure = pg.plot.history(table)
        >>> [axes.get_legend_handles_labels()[1] for axes in figure.axes]
        [['loss'], ['accuracy']]
    """
    if not getattr(history, "columns", ()) or not len(history):
        problem = f"{shown(history)} has no epochs"
        advice = "give what pg.fit returned beside the parameters"
        raise SignatureError(problem, advice, stage="plotting", subject="history")
    drawn = [name for name in history.columns if name not in _UNPLOTTED]
    groups = [[name for name in drawn if "loss" in name], [name for name in drawn if "loss" not in name]]
    groups = [group for group in groups if group]
    figure = new_figure("history", (7.0, 3.0 * len(groups)))
    axes = np.atleast_1d(np.asarray(figure.subplots(len(groups), 1, sharex=True)))
    for axis, group in zip(axes, groups, strict=True):
        for number, name in enumerate(group):
            colour = COLOURS[number % len(COLOURS)]
            marker = "." if len(history) < _MARKED else ""
            axis.plot(history["epoch"], history[name], label=name.replace("_", " "), marker=marker, color=colour)
        axis.grid(alpha=0.3)
        axis.legend()
    axes[-1].set_xlabel("epoch")
    if path is not None:
        figure.savefig(path)
    return figure
