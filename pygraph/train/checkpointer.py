"""pg.Checkpointer: a folder of the last checkpoints of a training, one of which is complete at any moment."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from operator import index
from pathlib import Path
from typing import Any, NamedTuple

import pygraph as pg

from .atomic_write import remove_leftovers
from .saving import load, save

__all__ = ["Checkpointer"]

_NAME = re.compile(r"checkpoint-(\d{8,})-step-(\d+)\.safetensors")


class _Saved(NamedTuple):
    """A checkpoint: its number in the order of saving, the step it was saved at, and its file."""

    number: int
    step: int
    path: Path


class Checkpointer:
    """The last checkpoints of a training, in a folder of their own.

    Each is a file of `pg.save` that appears whole or not at all: whenever the process is killed, `load` finds the last
    one that was complete. They are numbered in the order of saving, so that training that goes on from an earlier step,
    or begins again, does not mix with what was saved after that step before. One process at a time saves to a folder.

    Args:
        folder: made where it is not there.
        keep: how many checkpoints stay; None for all.
        classes: the namedtuples and dataclasses in them; see `pg.load`.

    Raises:
        DomainError: `keep` is not a positive integer.

    Example:
        >>> import tempfile
        >>> checkpoints = pg.Checkpointer(tempfile.mkdtemp(), keep=2)
        >>> for step in (10, 20, 30):
        ...     path = checkpoints.save(step, {"params": {"w": np.full(2, step)}, "epoch": step // 10})
        >>> checkpoints.steps()
        [20, 30]
        >>> checkpoints.load()
        (30, {'params': {'w': array([30, 30])}, 'epoch': 3})
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int | None = 3, *, classes: Iterable[type] = ()) -> None:
        if keep is not None and _natural(keep, "keep") == 0:
            raise _refusal("keep=0", "give how many stay, or None for all")
        self.folder = Path(folder)
        self.keep = keep
        self.classes = tuple(classes)

    def __repr__(self) -> str:
        return f"Checkpointer({os.fspath(self.folder)!r}, keep={self.keep})"

    def _saved(self) -> list[_Saved]:
        """The checkpoints in the order of saving."""
        if not self.folder.is_dir():
            return []
        found = ((_NAME.fullmatch(path.name), path) for path in self.folder.iterdir())
        return sorted(_Saved(int(match[1]), int(match[2]), path) for match, path in found if match)

    def steps(self) -> list[int]:
        """The steps of which there are checkpoints, in the order of saving."""
        return [saved.step for saved in self._saved()]

    def save(self, step: int, tree: Any) -> Path:
        """Save a checkpoint and remove those that are too old, and an earlier one of the same step.

        Args:
            step: how far the training is, an integer from 0.
            tree: what it needs to go on, as of `pg.save`: parameters, the state of the optimizer, the epoch, keys of
                random numbers.

        Returns:
            The path of the file, when it is on the disk.

        Raises:
            DomainError: another `step`; and what `pg.save` raises, with the earlier checkpoints intact.
        """
        step = _natural(step, "step")
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        earlier = self._saved()
        number = earlier[-1].number + 1 if earlier else 0
        path = self.folder / f"checkpoint-{number:08d}-step-{step}.safetensors"
        save(path, tree)
        others = [saved for saved in earlier if saved.step != step]
        kept = others if self.keep is None else others[max(0, len(others) - self.keep + 1) :]
        for saved in earlier:
            if saved not in kept:
                saved.path.unlink(missing_ok=True)
        return path

    def load(self, step: int | None = None) -> tuple[int, Any] | None:
        """The last checkpoint that is complete, or that of a step.

        Returns:
            The step and the tree that was saved; None where nothing was saved yet. A checkpoint that is damaged is
            passed over with a warning (RuntimeWarning), if `step` is None.

        Raises:
            FileFormatError: no checkpoint is complete, or that of `step` is not.
            DomainError: there is none of that step; UnsupportedError: as `pg.load`.
        """
        if step is not None:
            return self._of_step(_natural(step, "step"))
        found = self._last_complete()
        return None if found is None else (found[0].step, found[1])

    def latest(self) -> Path | None:
        """The file of the last checkpoint that is complete, which it reads to know; None where nothing was saved yet.

        Raises:
            FileFormatError: no checkpoint is complete.
        """
        found = self._last_complete()
        return None if found is None else found[0].path

    def _of_step(self, step: int) -> tuple[int, Any]:
        saved = [saved for saved in self._saved() if saved.step == step]
        if not saved:
            there = ", ".join(map(str, self.steps())) or "none"
            raise _refusal(f"there is no checkpoint of step {step} in {self.folder}", f"there are: {there}")
        return step, load(saved[-1].path, classes=self.classes)

    def _last_complete(self) -> tuple[_Saved, Any] | None:
        damage: list[pg.FileFormatError] = []
        for saved in reversed(self._saved()):
            found = self._complete(saved, damage)
            if found is not None:
                return found
        if damage:
            raise damage[0]
        return None

    def _complete(self, saved: _Saved, damage: list[pg.FileFormatError]) -> tuple[_Saved, Any] | None:
        """A checkpoint with its tree; None where it is damaged, which is warned of and noted, or no longer there."""
        try:
            return saved, load(saved.path, classes=self.classes)
        except FileNotFoundError:  # removed since by the process that saves
            return None
        except pg.FileFormatError as error:
            damage.append(error)
            warnings.warn(f"a checkpoint is passed over: {error.headline}", RuntimeWarning, stacklevel=4)
            return None


def _natural(number: Any, name: str) -> int:
    """An integer from 0 as a Python int."""
    try:
        found = index(number)
    except TypeError:
        found = -1
    if found < 0:
        raise _refusal(f"{name}={number!r}", "give an integer from 0")
    return found


def _refusal(problem: str, advice: str) -> pg.DomainError:
    return pg.DomainError(problem, advice, stage="checkpointing", subject="Checkpointer")
