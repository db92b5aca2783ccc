"""What an Executable reports of how it was made."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JacobianNote:
    """How a Jacobian is evaluated; noted while it is traced, see `graph.trace_context`.

    Attributes:
        mode: the way that was taken.
        costs: estimated operations of each way that was compared.
        chunk: how many basis vectors go through the function at once.
    """

    mode: str
    costs: Mapping[str, int]
    chunk: int

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The note for caches."""
        return self.mode, tuple(sorted(self.costs.items())), self.chunk


@dataclass(frozen=True, slots=True)
class MemoryNote:
    """How an Executable keeps to a budget: see `Stats.memory_budget` and what follows it."""

    budget: int
    rematerialised: tuple[str, ...]
    tried: Mapping[str, int]
