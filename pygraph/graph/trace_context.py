"""What is in force while functions are traced: one immutable value in one context variable.

So each thread and each asynchronous task has its own, and what runs in a copy of a context (`asyncio.to_thread`,
`contextvars.copy_context().run`) takes part in the traces in progress there. A signal handler or a finaliser
runs in the context of what it interrupts, and leaves it as it was. The child of a fork has that of the thread that
forked. (`source.attributing` changes the line of a value that it has just made for itself.)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .node import Node, Recording
    from .source import SourceLine

__all__ = ["UNDECIDED", "Notes", "TraceContext", "active", "collected", "current", "decided", "entered", "note"]

T = TypeVar("T")


class TraceContext:
    """All that calls deeper in the stack may have to know of the traces that they are a part of; not to be changed.

    Attributes:
        recordings: the calls of functions on variables in progress, the innermost last.
        watching: sets in which the nodes that are asked for are put, the innermost last.
        table: the nodes there are, in a trace; None: those that all share (see `interning`).
        line: the user's line that new nodes belong to; None: the one that is running.
        notes: where what transformations say of the Executable that is being traced is put.
        plan: what derivatives recompute (see `autodiff.checkpoint_plan`); None: nothing; UNDECIDED: transformations
            are recorded as nodes, to be written out when that is known (`autodiff.deferral`).
        locate: makes the line of a new node from the user's frame that is running; None: `source.here` does.
    """

    __slots__ = ("line", "locate", "notes", "plan", "recordings", "table", "watching")

    def __init__(
        self,
        recordings: tuple[Recording, ...] = (),
        watching: tuple[set[Node], ...] = (),
        line: SourceLine | None = None,
        notes: Notes | None = None,
        plan: Any = None,
        table: dict[tuple[Hashable, ...], Node] | None = None,
        locate: Callable[[FrameType], SourceLine] | None = None,
    ) -> None:
        self.recordings, self.watching, self.line, self.notes, self.plan = recordings, watching, line, notes, plan
        self.table, self.locate = table, locate

    def at_line(self, line: SourceLine | None) -> TraceContext:
        """The same with another line; passes ask for it at each node."""
        return TraceContext(self.recordings, self.watching, line, self.notes, self.plan, self.table, self.locate)

    def with_changes(self, changes: Mapping[str, Any]) -> TraceContext:
        """The same with other attributes."""
        made = self.at_line(self.line)
        for name, value in changes.items():
            setattr(made, name, value)
        return made


#: See `TraceContext.plan`.
UNDECIDED: Any = object()
#: What is in force outside of everything.
NOTHING = TraceContext()
variable: ContextVar[TraceContext | None] = ContextVar("pygraph_trace", default=None)
#: What is in force, or None for nothing, as most of the time; a call path may test that cheaply.
active = variable.get


def current() -> TraceContext:
    """What is in force."""
    return variable.get() or NOTHING


class entered:  # read as a function: `with entered(plan=None):`
    """Within the block, the given attributes of the context have these values."""

    __slots__ = ("_changes", "_token")

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def __enter__(self) -> None:
        self._token = variable.set(current().with_changes(self._changes))

    def __exit__(self, *exception: object) -> None:
        variable.reset(self._token)


def decided() -> entered:
    """Within the block, transformations are not recorded as nodes."""
    plan = current().plan
    return entered(plan=None if plan is UNDECIDED else plan)


class Notes:
    """What transformations say of one Executable while it is traced: by kind, what was said last.

    Of several transformations in one another the outermost says so last.
    """

    __slots__ = ("_by_kind",)

    def __init__(self) -> None:
        self._by_kind: dict[type, object] = {}

    def add(self, said: object) -> None:
        """Keep what is said, in place of what was said of its kind before."""
        self._by_kind[type(said)] = said

    def add_all(self, others: Notes) -> None:
        """Keep what others have, in place of what is kept of the same kinds."""
        self._by_kind.update(others._by_kind)

    def get(self, kind: type[T]) -> T | None:
        """What was said last of a kind."""
        found = self._by_kind.get(kind)
        return found if isinstance(found, kind) else None


@contextmanager
def collected() -> Iterator[Notes]:
    """Within the block, what is noted goes to the Notes given."""
    notes = Notes()
    with entered(notes=notes):
        yield notes


def note(said: object) -> None:
    """Tell the Executable that is being traced, if there is one."""
    notes = current().notes
    if notes is not None:
        notes.add(said)
