"""Executables found again by the structure of their graphs, for functions that are traced anew at each use.

A transformation or a loop that is called on arrays must see what its function closes over at that moment, so its trace
cannot be remembered; what the trace compiles to can.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from ..graph.graph import Graph

if TYPE_CHECKING:
    from .executable import Executable

#: How many are kept, and how large the graphs may be altogether, in nodes.
LIMIT = 256
NODE_LIMIT = 200_000

_lock = threading.Lock()
_known: OrderedDict[tuple[Graph, Hashable], Executable] = OrderedDict()
_nodes = 0


def shared_executable(graph: Graph, options: Hashable, make: Callable[[], Executable]) -> Executable:
    """The Executable of an equal graph compiled with equal options, or a new one from `make`."""
    global _nodes
    key = (graph, options)
    with _lock:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
            return found
    made = make()
    with _lock:
        found = _known.setdefault(key, made)
        if found is made:
            _nodes += len(graph.nodes)
        while len(_known) > LIMIT or (_nodes > NODE_LIMIT and len(_known) > 1):
            (old, _), _ = _known.popitem(last=False)
            _nodes -= len(old.nodes)
    return found


def forget() -> None:
    """Drop all that are kept."""
    global _nodes
    with _lock:
        _known.clear()
        _nodes = 0
