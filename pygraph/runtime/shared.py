"""Executables found again by the structure of their graphs, for functions that are traced anew at each use.

A transformation or a loop that is called on arrays must see what its function closes over at that moment, so its trace
cannot be remembered; what the trace compiles to can.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from ..concurrency import Cache
from ..graph.graph import Graph

if TYPE_CHECKING:
    from .executable import Executable

#: How many are kept, and about how much memory they may hold altogether, arrays that functions close over included.
LIMIT = 256
BYTE_LIMIT = 256 << 20

_known: Cache[tuple[Graph, Hashable], Executable] = Cache(LIMIT, BYTE_LIMIT)


def shared_executable(graph: Graph, options: Hashable, make: Callable[[], Executable]) -> Executable:
    """The Executable of an equal graph compiled with equal options, or a new one from `make`."""
    key = (graph, options)
    found = _known.get(key)
    if found is not None:
        return found
    made = make()
    return _known.add(key, made, made.held_bytes)


def forget() -> None:
    """Drop all that are kept."""
    _known.clear()
