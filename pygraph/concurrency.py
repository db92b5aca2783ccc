"""State that threads, signal handlers, finalisers and forks meet: caches without locks, snapshots, imports, turns.

A signal handler or a finaliser runs between two bytecodes of the thread that it interrupts, and may call the very
function that is running there; a fork copies one thread and leaves every lock as the others held it. So what the
package shares is not guarded by locks: each change is one operation on a dict, a list or a deque, which other threads
see as a whole or not at all. Where a thread must wait for another one, `ensure_imported` and `Turn` take handlers and
forks into account.
"""

from __future__ import annotations

import _imp
import _thread
import importlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

__all__ = ["Cache", "Memo", "Turn", "ensure_imported", "in_child", "snapshot"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")

#: The most seconds that a fork waits for another thread's imports.
_PATIENCE = 5.0


def snapshot(items: Iterable[T]) -> list[T]:
    """The present items of a container that may change meanwhile."""
    while True:
        with suppress(RuntimeError):  # it changed while it was copied
            return list(items)


class _Entry(Generic[V]):
    """What a cache keeps: a value, its bytes, and when it was used last."""

    __slots__ = ("nbytes", "used", "value")

    def __init__(self, value: V, nbytes: int, used: int) -> None:
        self.value, self.nbytes, self.used = value, nbytes, used


class Cache(Generic[K, V]):
    """A mapping bounded in entries and bytes: what was used least recently goes first, the newest entry never.

    It may be used by threads, signal handlers and finalisers at once, and by the child of a fork.

    Attributes:
        limit: how many entries are kept.
        byte_limit: how many bytes they may take together; None: any number.
    """

    __slots__ = ("_clock", "_entries", "byte_limit", "limit")

    def __init__(self, limit: int, byte_limit: int | None = None) -> None:
        self.limit, self.byte_limit = limit, byte_limit
        self._clock = itertools.count()
        self._entries: dict[K, _Entry[V]] = {}

    def get(self, key: K) -> V | None:
        """The value of `key`, which counts as used now, or None."""
        found = self._entries.get(key)
        if found is None:
            return None
        found.used = next(self._clock)
        return found.value

    def add(self, key: K, value: V, nbytes: int = 0) -> V:
        """Keep a value, unless another thread was first; returns the one that is kept."""
        if self.limit < 1:
            return value
        new = _Entry(value, nbytes, next(self._clock))
        entry = self._entries.setdefault(key, new)
        if entry is new:
            self._trim(new)
        return entry.value

    def put(self, key: K, value: V, nbytes: int = 0) -> None:
        """Keep a value in place of the one that is kept."""
        self._entries[key] = new = _Entry(value, nbytes, next(self._clock))
        self._trim(new)

    def _trim(self, newest: _Entry[V]) -> None:
        count, nbytes = len(self._entries), self.nbytes
        if count <= self.limit and (self.byte_limit is None or nbytes <= self.byte_limit):
            return
        for key, entry in sorted(snapshot(self._entries.items()), key=lambda item: item[1].used):
            if count <= self.limit and (self.byte_limit is None or nbytes <= self.byte_limit):
                break
            if entry is not newest:
                self._entries.pop(key, None)
                count, nbytes = count - 1, nbytes - entry.nbytes

    @property
    def nbytes(self) -> int:
        """The bytes of all entries."""
        return sum([entry.nbytes for entry in snapshot(self._entries.values())])

    def values(self) -> list[V]:
        """All values, the least recently used first."""
        return [entry.value for entry in sorted(snapshot(self._entries.values()), key=lambda entry: entry.used)]

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


class Memo(dict[K, V]):
    """A dict that is emptied when it is full: a bounded cache, read as fast as a dict, of what is soon found again.

    Attributes:
        limit: how many entries are kept.
    """

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def add(self, key: K, value: V) -> V:
        """Keep a value, unless another thread was first; returns the one that is kept."""
        if len(self) >= self.limit:
            self.clear()
        return self.setdefault(key, value)

    def put(self, key: K, value: V) -> V:
        """Keep a value in place of the one that is kept; returns it."""
        if len(self) >= self.limit:
            self.clear()
        self[key] = value
        return value


# --- forks ------------------------------------------------------------------------------------------------------------

_forks, _survivor = 0, 0  # of this process and those it comes from; the thread that the last one copied


def in_child(forget: Callable[[], object]) -> None:
    """Have `forget()` called in the child of each fork, for what belongs to threads and children of the parent."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)


# --- imports ----------------------------------------------------------------------------------------------------------

_importing = threading.RLock()
_whole: set[str] = set()
_waited: list[bool] = []  # for each fork in progress, whether it holds `_importing`


def ensure_imported(*names: str) -> None:
    """Import modules, before an import statement inside a function: afterwards they are there as a whole.

    A signal handler in the middle of an import would find the module half made; so the main thread, which handles
    signals, has another one import. The child of a fork in the middle of another thread's import would find it half
    made forever; so forks wait for the end of imports. What can't be imported is left to the statement to report, as is
    all of it in a handler that interrupted the import system while it held its lock: no other thread can import then.
    """
    if _whole.issuperset(names):
        return
    if threading.get_ident() != threading.main_thread().ident:
        _import(names)
        return
    if _holds_import_lock():
        return
    done = _thread.allocate_lock()
    done.acquire()
    forks, end = _forks, time.monotonic() + _PATIENCE

    def work() -> None:
        try:
            _import(names)
        finally:
            done.release()

    with suppress(RuntimeError):  # no thread can be started
        _thread.start_new_thread(work, ())
        while not done.acquire(timeout=0.05) and _forks == forks and time.monotonic() < end:
            pass


def _holds_import_lock() -> bool:
    """Whether this thread holds the import system's own lock; also true, rarely, while another one does."""
    if not _imp.lock_held():
        return False
    _imp.acquire_lock()  # waits for another thread; the lock counts the times that this one has it
    _imp.release_lock()
    return _imp.lock_held()


def _import(names: Iterable[str]) -> None:
    with _importing:
        for name in names:
            with suppress(Exception):
                importlib.import_module(name)
                _whole.add(name)


def _before_fork() -> None:
    _waited.append(_importing.acquire(timeout=_PATIENCE))


def _after_fork_in_parent() -> None:
    if _waited.pop():
        _importing.release()


def _after_fork_in_child() -> None:
    global _forks, _survivor, _importing
    _forks, _survivor = _forks + 1, threading.get_ident()
    if _waited.pop():
        _importing.release()
    else:
        _importing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


# --- turns ------------------------------------------------------------------------------------------------------------


class Turn:
    """`with turn:` lets one thread in, others wait. What interrupts the thread that is in is refused: it can't wait.

    In the child of a fork a turn of a thread that was not copied is over.
    """

    __slots__ = ("_forks", "_lock", "_owner", "_refuse")

    def __init__(self, refuse: Callable[[], Exception]) -> None:
        """`refuse()` makes the exception for a signal handler or finaliser in the thread whose turn it is."""
        self._refuse = refuse
        self._lock, self._owner, self._forks = threading.RLock(), 0, _forks

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._forks != _forks:
            if self._owner != _survivor:
                self._lock, self._owner = threading.RLock(), 0
            self._forks = _forks
        self._lock.acquire()
        if self._owner == me:
            self._lock.release()
            raise self._refuse()
        self._owner = me

    def __exit__(self, *exception: object) -> None:
        self._owner = 0
        self._lock.release()
