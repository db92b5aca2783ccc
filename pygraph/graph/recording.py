"""Which threads are recording a function at the moment, so that calls inside it know that they may meet expressions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["active", "is_recording", "recording"]

#: The threads that record, each as often as it does; empty most of the time, which a call path may test cheaply.
active: list[int] = []


@contextmanager
def recording() -> Iterator[None]:
    """While it lasts, this thread records."""
    thread = threading.get_ident()
    active.append(thread)
    try:
        yield
    finally:
        active.remove(thread)


def is_recording() -> bool:
    """Whether this thread records a function."""
    return bool(active) and threading.get_ident() in active
