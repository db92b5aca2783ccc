"""Keeps Python's cyclic garbage collector quiet while a graph is traced and compiled."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .concurrency import in_child

#: The threads that turned the collector off, as often as they did.
_pausing: list[int] = []


@contextmanager
def paused() -> Iterator[None]:
    """Within the block no collection starts by itself; may be nested.

    Compilation makes many objects that live to its end and hardly a cycle: the collector would look at all of them
    repeatedly, for about a third of the time. Another thread that leaves its block first turns the collector back on,
    which costs time and nothing else.
    """
    if not gc.isenabled():
        yield
        return
    thread = threading.get_ident()
    _pausing.append(thread)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        _pausing.remove(thread)


def _resume() -> None:
    """In the child of a fork no other thread pauses the collector."""
    thread = threading.get_ident()
    others = any(paused_by != thread for paused_by in _pausing)
    _pausing[:] = [paused_by for paused_by in _pausing if paused_by == thread]
    if others and not _pausing:
        gc.enable()


in_child(_resume)
