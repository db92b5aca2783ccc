"""Which threads record a function at the moment, and which variables stood for arguments and no longer do."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..concurrency import in_child
from ..errors import GraphError
from .node import Node
from .weak import strong
from .where import describe

__all__ = ["active", "is_recording", "recording", "refuse_leaked"]

#: The threads that record, each as often as it does; empty most of the time, which a call path may test cheaply.
active: list[int] = []
#: Variables of functions whose recording has ended, by id (`==` between nodes records a comparison).
_ended: weakref.WeakValueDictionary[int, Node] = weakref.WeakValueDictionary()


@contextmanager
def recording(variables: Iterable[Node] = ()) -> Iterator[None]:
    """While it lasts, this thread records a function on these variables; after it they have no meaning outside."""
    thread = threading.get_ident()
    active.append(thread)
    try:
        yield
    finally:
        active.remove(thread)
        for variable in map(strong, variables):
            _ended[id(variable)] = variable


def _alone() -> None:
    """In the child of a fork the parent's other threads record nothing."""
    thread = threading.get_ident()
    active[:] = [recorder for recorder in active if recorder == thread]


in_child(_alone)


def is_recording() -> bool:
    """Whether this thread records a function."""
    return bool(active) and threading.get_ident() in active


def refuse_leaked(free: Iterable[Node], function: str) -> None:
    """Raise `GraphError` for a free variable whose function has been recorded: an expression was kept from it."""
    for node in free:
        if _ended.get(id(node)) is node:
            problem = f"it uses an expression of {node!r}, kept from inside a function whose recording has ended"
            advice = (
                "return from that function what is needed outside of it; a loop's body returns it in its carry or ys"
            )
            raise GraphError(describe("tracing", function, problem, advice))
