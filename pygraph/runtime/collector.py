"""Keeps Python's cyclic garbage collector quiet while a graph is compiled."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """Within the block no collection starts by itself; may be nested.

    Compilation makes many objects that live to its end and hardly a cycle: the collector would look at all of them
    again and again, for about a third of the time. Another thread that leaves its block first turns the collector on
    again, which costs time and nothing else.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
