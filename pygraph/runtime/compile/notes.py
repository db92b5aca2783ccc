"""What a transformation has to say, while a function is traced, of the Executable that comes of it."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JacobianNote:
    """How a Jacobian is evaluated.

    Attributes:
        mode: the way that was taken.
        costs: planned operations of each way that was compared.
        chunk: how many basis vectors go through the function at once.
    """

    mode: str
    costs: Mapping[str, int]
    chunk: int

    @property
    def key(self) -> tuple[Hashable, ...]:
        """The note for caches."""
        return self.mode, tuple(sorted(self.costs.items())), self.chunk


@dataclass(slots=True)
class Notes:
    """The notes of one trace: of several Jacobians in one another, the outermost is noted last and stays."""

    jacobian: JacobianNote | None = None


class _Open(threading.local):
    def __init__(self) -> None:
        self.stack: list[Notes] = []


_open = _Open()


@contextmanager
def collected() -> Iterator[Notes]:
    """Within the block, what this thread's traces note goes to the Notes given."""
    notes = Notes()
    _open.stack.append(notes)
    try:
        yield notes
    finally:
        _open.stack.pop()


def note(jacobian: JacobianNote) -> None:
    """Tell the Executable that is being traced, if there is one."""
    if _open.stack:
        _open.stack[-1].jacobian = jacobian
