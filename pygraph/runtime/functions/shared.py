"""Executables looked up by the structure of their graphs, for functions that are traced at each use.

A transformation or a loop that is called on arrays must see what its function closes over at that moment, so its trace
cannot be remembered; what the trace compiles to can.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from ...concurrency import Cache
from ...graph.graph import Graph
from .reachable import reads_of
from .reads import Reads

if TYPE_CHECKING:
    from ..call.executable import Executable

#: How many are kept, and about how much memory they may hold altogether, arrays that functions close over included.
LIMIT = 256
BYTE_LIMIT = 256 << 20

_known: Cache[tuple[Graph, Hashable], tuple[Executable, Reads | None]] = Cache(LIMIT, BYTE_LIMIT)


def shared_executable(
    graph: Graph, options: Hashable, make: Callable[[], Executable], roots: Sequence[Any] = ()
) -> Executable:
    """The Executable of an equal graph compiled with equal options, or a new one from `make`.

    With `roots`, functions that `make` calls, it is the earlier one only while what they read is as it was.
    """
    key = (graph, options)
    found = _known.get(key)
    if found is not None and (not roots or (found[1] is not None and found[1].unchanged())):
        return found[0]
    reads = reads_of(roots) if roots else None
    made = make()
    if not roots:
        return _known.add(key, (made, None), made.held_bytes)[0]
    _known.put(key, (made, reads if reads is not None and reads.unchanged() else None), made.held_bytes)
    return made


def forget() -> None:
    """Drop all that are kept."""
    _known.clear()
