"""What shows an Executable: made by `pygraph.explain`, which lies above and says so when pygraph is imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ...graph.graph import Drawing, Graph
    from ...graph.node import Node
    from ...lower.memory_plan import MemoryPlan, PlannedValue
    from ...lower.program import Program
    from .timing import Timing


class Page(Protocol):
    """What can be printed, shown in a notebook and written as a page."""

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """The page, which is also written to `path` where that is given."""
        ...


class MemoryPicture(Page, Protocol):
    """What `Executable.memory` gives: a `lower.MemoryPlan` that is drawn."""

    @property
    def arena_bytes(self) -> tuple[int, ...]:
        """Of each body, the size of its arena."""
        ...

    @property
    def values(self) -> tuple[tuple[PlannedValue, ...], ...]:
        """Of each body the values of its arena, in the order of their first use."""
        ...

    def svg(self, path: str | os.PathLike[str] | None = None) -> str:
        """The picture, which is also written to `path` where that is given."""
        ...


class Views:
    """What is bound.

    Attributes:
        profile: (program, name, timings, threads, native) -> what `Executable.profile` gives.
        memory: (plan, name) -> what `Executable.memory` gives.
        drawing: (graph, room, unfolded, sweeps, returns, kept) -> what `Executable.draw` gives.
    """

    profile: Callable[[Program, str, Sequence[Timing], int, bool], Page]
    memory: Callable[[MemoryPlan, str], MemoryPicture]
    drawing: Callable[[Graph, int, str | Iterable[str], Mapping[Node, str], Sequence[str], set[Node]], Drawing]


views: Any = Views()
