"""Steps in folds: one for each call of a function of the user's, and runs of steps where there are too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .explanation import Step

#: Steps up to which a graph is shown as a whole, and parts of a fold up to which it is not divided.
UNFOLDED, PARTS = 80, 60


@dataclass
class Fold:
    """Steps that belong together.

    Attributes:
        label: the call's, unique among all folds; "" for the whole.
        parts: numbers of steps, and folds, in the order of evaluation.
    """

    label: str
    parts: list[int | Fold] = field(default_factory=list)

    def steps(self) -> Iterator[int]:
        """The numbers of all steps that are in it."""
        for part in self.parts:
            if isinstance(part, Fold):
                yield from part.steps()
            else:
                yield part

    def folds(self) -> Iterator[Fold]:
        """All folds inside of it."""
        for part in self.parts:
            if isinstance(part, Fold):
                yield part
                yield from part.folds()


def folded(steps: Sequence[Step]) -> Fold:
    """All steps, in the folds of the calls that they were recorded in.

    A graph of few steps has no folds. Steps of one call that others come between are in several folds.
    """
    whole = Fold("")
    if len(steps) <= UNFOLDED:
        whole.parts += range(len(steps))
        return whole
    open_folds: list[Fold] = [whole]
    open_path: tuple[str, ...] = ()
    for number, step in enumerate(steps):
        shared = 0
        while shared < min(len(open_path), len(step.calls)) and open_path[shared] == step.calls[shared]:
            shared += 1
        del open_folds[shared + 1 :]
        for label in step.calls[shared:]:
            inner = Fold(label)
            open_folds[-1].parts.append(inner)
            open_folds.append(inner)
        open_path = step.calls
        open_folds[-1].parts.append(number)
    _unwrap(whole)
    _divide(whole, steps)
    _label(whole)
    return whole


def _unwrap(fold: Fold) -> None:
    """Replace folds that hold one step, or that are all there is in another, by what they hold."""
    parts: list[int | Fold] = []
    for part in fold.parts:
        if isinstance(part, Fold):
            _unwrap(part)
            if len(part.parts) == 1:
                parts += part.parts
                continue
        parts.append(part)
    fold.parts = parts
    folds = [part for part in parts if isinstance(part, Fold)]
    plain = len(parts) - len(folds)
    if len(folds) == 1 and plain <= PARTS // 2:
        at = parts.index(folds[0])
        if not fold.label:  # the whole: all of it is one call, and its inputs
            fold.parts[at : at + 1] = folds[0].parts


def _divide(fold: Fold, steps: Sequence[Step]) -> None:
    """Make runs of parts folds of their own where a fold has too many; a few inputs stay as they are."""
    for part in fold.parts:
        if isinstance(part, Fold):
            _divide(part, steps)
    inputs = [part for part in fold.parts if isinstance(part, int) and not steps[part].formula]
    kept = inputs if len(inputs) <= PARTS // 4 else []
    rest = fold.parts if not kept else [part for part in fold.parts if part not in inputs]
    while len(kept) + len(rest) > PARTS:
        size = max(2, min(PARTS // 2, -(-len(rest) // (PARTS // 2))))
        runs = [rest[at : at + size] for at in range(0, len(rest), size)]
        rest = [Fold("", run) if len(run) > 1 else run[0] for run in runs]
    fold.parts = [*kept, *rest]


def _label(whole: Fold) -> None:
    """Give each fold a label that no other has."""
    taken: set[str] = set()
    for fold in whole.folds():
        label = fold.label
        if not label:
            numbers = list(fold.steps())
            label = f"steps {numbers[0]} to {numbers[-1]}"
        unique, number = label, 1
        while unique in taken:
            number += 1
            unique = f"{label} #{number}"
        taken.add(unique)
        fold.label = unique


def shown_parts(fold: Fold, opened: Sequence[str] | None) -> Iterator[int | Fold]:
    """The steps of the folds that are open, and those that are closed; None opens all."""
    for part in fold.parts:
        if isinstance(part, Fold) and (opened is None or part.label in opened):
            yield from shown_parts(part, opened)
        else:
            yield part
