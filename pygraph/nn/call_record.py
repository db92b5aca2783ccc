"""What `summary` reads: a record of the layers that a call of a model runs, made where the state asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["LayerCall", "RecordsCalls", "Watched", "sizes"]


@dataclass
class LayerCall:
    """One call of a layer.

    Attributes:
        name: of the layer with its settings, as it is written.
        shape: of the result, with the batch axis; None where it is unknown.
        parameters, bytes: of the layer, with those of the layers inside it; None where they are unknown.
        inner: the calls of layers inside it.
    """

    name: str
    shape: tuple[int, ...] | None = None
    parameters: int | None = 0
    bytes: int | None = 0
    inner: list[LayerCall] = field(default_factory=list)


class Watched:
    """A state that goes with a list: calls of layers with it, or with a part of it, are recorded there."""

    __slots__ = ("calls", "state")

    def __init__(self, state: Any, calls: list[LayerCall]) -> None:
        self.state, self.calls = state, calls

    def __getitem__(self, place: Any) -> Watched:
        return Watched(self.state[place], self.calls)


class RecordsCalls:
    """What may be called with a watched state: `Layer`. All else gets the state itself."""


def sizes(tree: Any) -> tuple[int, int]:
    """How many numbers a container of arrays or expressions has, and their bytes."""
    leaves = pg.tree_leaves(tree)
    counts = [(prod(np.shape(x)), np.dtype(x.dtype).itemsize) for x in leaves]
    return sum(count for count, _ in counts), sum(count * size for count, size in counts)
