"""A training as a container of arrays, which a checkpoint holds, and back: it goes on as if it had not stopped."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import pygraph as pg

from .early_stopping import Best
from .history import History
from .ranks import Ranks
from .training_run import Point


class Checkpoints(Protocol):
    """What keeps checkpoints, such as `pg.Checkpointer`."""

    def save(self, step: int, tree: Any) -> str | Path:
        """Keep a container of arrays under the number of a step."""
        ...

    def load(self, step: int | None = None) -> tuple[int, Any] | None:
        """The newest that is complete, or that of a step, with its number; None: there is none."""
        ...


class Saver:
    """Saves where training is: at the end of each epoch, where it is interrupted, and after every so many steps.

    Args:
        checkpoints: where to; only the first process needs them.
        every: how many steps at least lie between two of them within an epoch; None: none there.
        key: of the training's random numbers.
        batch_size: of its steps; 0 where the batches are given.
        ranks: the processes, of which the first one saves.
    """

    def __init__(
        self, checkpoints: Checkpoints | None, every: int | None, key: Any, batch_size: int, ranks: Ranks
    ) -> None:
        self._checkpoints, self._every, self._ranks = checkpoints, every, ranks
        self._constant = {"key": np.asarray(key), "batch_size": np.asarray(batch_size, np.int64)}
        self._saved = -1

    def __call__(self, point: Point, history: History, now: bool) -> None:
        """Save if it is time, or else `now`."""
        step = int(point.carry.step)
        if self._saved < 0 and not now:
            self._saved = step - int(point.carry.at)  # the beginning of the epoch counts as saved
        due = self._every is not None and step - self._saved >= self._every
        if step != self._saved and (now or due):
            self._ranks.first(self._save, step, point, history)
            self._saved = step

    def _save(self, step: int, point: Point, history: History) -> None:
        assert self._checkpoints is not None
        self._checkpoints.save(step, packed(point, history) | self._constant)


def packed(point: Point, history: History) -> dict[str, Any]:
    """All that a training goes on from, as a container of arrays."""
    carry, best = point.carry, point.best
    tree: dict[str, Any] = {
        "params": _plain(carry.params),
        "optimizer": _plain(carry.optimizer),
        "epoch": np.int64(point.epoch),
        "step": np.int64(carry.step),
        "at": np.int64(carry.at),
        "rows": np.int64(point.rows),
        "sums": [np.float64(carry.sums[name]) for name in sorted(carry.sums)],
        "columns": np.frombuffer("\n".join(history.columns).encode(), np.uint8),
        "table": np.array([history[name][: point.epoch] for name in history.columns], np.float64),
    }
    if carry.state is not None:
        tree["state"] = _plain(carry.state)
    if best.epoch:
        tree["best"] = {"epoch": np.int64(best.epoch), "value": np.float64(best.value), "params": _plain(best.params)}
        if carry.state is not None:
            tree["best"]["state"] = _plain(best.state)
    arrays: dict[str, Any] = pg.tree_map(np.asarray, tree)
    return arrays


def restored(tree: Any, start: Point, batch_size: int) -> tuple[Point, History]:
    """The point and the history of a checkpoint's container.

    Args:
        tree: the container.
        start: where a training without the checkpoint would begin: its containers are the forms of the result.
        batch_size: of the training that goes on.

    Raises:
        ShapeError: the checkpoint is that of a training of something else. SignatureError: it was made within an epoch,
            with another batch size.
    """
    carry = start.carry
    at = int(tree["at"])
    if at and int(tree["batch_size"]) != batch_size:
        problem = f"the checkpoint was made within an epoch of batches of {int(tree['batch_size'])} rows"
        raise pg.SignatureError(problem, "go on with this batch size", stage="resuming", subject="fit")
    names = sorted(carry.sums)
    if len(tree["sums"]) != len(names):
        problem = f"the checkpoint has {len(tree['sums'])} losses, the training {len(names)}"
        raise pg.ShapeError(problem, "use another folder for this training", stage="resuming", subject="fit")
    carry = carry._replace(
        params=_like(carry.params, tree["params"], "params"),
        optimizer=_like(carry.optimizer, tree["optimizer"], "optimizer"),
        state=_like(carry.state, tree.get("state"), "state"),
        step=np.int64(tree["step"]),
        at=np.int64(at),
        sums={name: np.float64(value) for name, value in zip(names, tree["sums"], strict=True)},
    )
    best = Best()
    if found := tree.get("best"):
        params = _like(carry.params, found["params"], "best.params")
        state = _like(carry.state, found.get("state"), "best.state")
        best = Best(int(found["epoch"]), float(found["value"]), params, state)
    history = History()
    columns = np.asarray(tree["columns"]).tobytes().decode().split("\n")
    for row in np.asarray(tree["table"]).T:
        history.append(dict(zip(columns, map(float, row), strict=True)))
    return Point(int(tree["epoch"]), carry, int(tree["rows"]), best), history


def _plain(tree: Any) -> Any:
    """A container as one of dicts, lists and tuples, the leaves in their order: it is loaded without its classes."""
    if isinstance(tree, OrderedDict):
        return [_plain(part) for part in tree.values()]
    if isinstance(tree, dict):
        return {key: _plain(part) for key, part in tree.items()}
    if isinstance(tree, (tuple, list)):
        parts = [_plain(part) for part in tree]
        return tuple(parts) if isinstance(tree, tuple) else parts
    if dataclasses.is_dataclass(tree):
        fields = (field for field in dataclasses.fields(tree) if not field.metadata.get("static"))
        return tuple(_plain(getattr(tree, field.name)) for field in fields)
    return tree


def _like(template: Any, found: Any, what: str) -> Any:
    """The leaves of `found` in the container `template`, whose shapes and dtypes they have to have."""
    leaves = pg.tree_leaves(found)
    names = pg.tree_names(template, what)
    if len(leaves) != len(names):
        problem = f"the checkpoint's {what} has {len(leaves)} arrays, the training's {len(names)}"
        raise pg.ShapeError(problem, "use another folder for this training", stage="resuming", subject="fit")
    named = iter(zip(names, leaves, strict=True))

    def checked(wanted: Any) -> Any:
        name, leaf = next(named)
        leaf, like = np.asarray(leaf), np.asarray(wanted)
        if (leaf.shape, leaf.dtype) != (like.shape, like.dtype):
            types = f"{leaf.dtype}{list(leaf.shape)} in the checkpoint, {like.dtype}{list(like.shape)} in the training"
            problem = f"{name} is {types}"
            raise pg.ShapeError(problem, "use another folder for this training", stage="resuming", subject="fit")
        return leaf

    return pg.tree_map(checked, template)
