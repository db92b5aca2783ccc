"""The native tier: which Programs get native code, and when; built at once, or in the background between two calls.

A Program starts in the interpreter. The C library sums up, for each context, what its runs would have gained; when
the sum reaches the price of a build, one run says so (`Library.settle`), and the Program is put in the queue of a
background thread, which emits, compiles and loads. So a Program costs at most about twice what the better choice would
have cost, however often it is called. Figures: payoff.py.
"""

from __future__ import annotations

import _thread
import atexit
import threading
import time
import weakref
from contextlib import suppress
from queue import SimpleQueue

from ...concurrency import ensure_imported, in_child, snapshot
from ...errors import BackendError, ProgramError, UnsupportedError
from ...lower.program import Segment
from ..clib.library import Library, isa


def prepare(library: Library, backend: str) -> None:
    """Do for a Program that was loaded what an effective backend asks for.

    Raises:
        BackendError: native code is asked for and is not available.
    """
    if backend == "native":
        build(library)
    elif backend == "auto":
        ensure_imported("pygraph.runtime.native.payoff")
        from .payoff import LONG

        if _watch(library) >= LONG:  # it may run only once or twice: not to be waited for
            request(library)


def _watch(library: Library) -> int:
    """Ask to be told when native code pays: by the estimates, or by rough ones until these justify making them.

    Returns:
        What a run gains at most.
    """
    ensure_imported("pygraph.runtime.native.payoff")
    from .payoff import LOOK, rough

    if library.payoff is not None:
        gains, price = library.payoff.gains, library.payoff.price
    else:
        gains, price = (rough(library.program),) * len(Segment), LOOK
    library.watch(gains, price, request)
    return max(gains)


def build(library: Library, background: bool = False) -> None:
    """Emit, compile and load native code of a Program, unless it has it.

    Raises:
        BackendError: there is no compiler, or it fails, or its result does not load.
    """
    ensure_imported("pygraph.emit.toolchain.cache")
    from ...emit.toolchain.cache import native_library

    if library.is_native:
        return
    start = time.perf_counter()
    text = _emitted(library)
    entry = native_library(text, isa(), background)
    try:
        library.load_native(entry.path)
    except ProgramError:  # removed since, or on a file system that nothing may be run from
        entry = native_library(text, isa(), background, private=True)
        try:
            library.load_native(entry.path)
        except ProgramError as error:
            raise error.again_as(BackendError) from error
    library.native_seconds, library.native_cache_hit = time.perf_counter() - start, entry.hit


def load_known(library: Library) -> bool:
    """Load native code of a Program where the cache has it; returns whether it has.

    Raises:
        BackendError: there is no C for the Program, or no compiler.
    """
    ensure_imported("pygraph.emit.toolchain.cache")
    from ...emit.toolchain.cache import known_library

    start = time.perf_counter()
    entry = known_library(_emitted(library), isa())
    if entry is None:
        return False
    with suppress(ProgramError):
        library.load_native(entry.path)
        library.native_seconds, library.native_cache_hit = time.perf_counter() - start, True
    return library.is_native


def _emitted(library: Library) -> str:
    ensure_imported("pygraph.emit.native_source")
    from ...emit.native_source import native_source  # at the first build: it costs memory and time to import

    try:
        return native_source(library.program)
    except UnsupportedError as error:
        raise error.again_as(BackendError) from error


#: The most seconds that the end of the interpreter waits for the background thread.
_CLEANING = 0.5


class _Queue:
    """Programs that wait for the background thread, which takes them one by one.

    Anything may put one in: another thread, a signal handler, a finaliser. So the thread is a plain one: the lock of
    threading.Thread.start may be held by what a handler interrupts.
    """

    def __init__(self) -> None:
        self.waiting: SimpleQueue[weakref.ref[Library] | threading.Event] = SimpleQueue()
        self.pending: dict[int, weakref.ref[Library]] = {}
        self.started = threading.Lock()  # taken, once and for good, by who starts the thread
        self.running = threading.Lock()  # held by the thread
        self.closed = False

    def put(self, library: Library) -> None:
        reference = weakref.ref(library)
        self.pending[id(reference)] = reference
        self.waiting.put(reference)
        self.start()

    def start(self) -> None:
        if not self.started.acquire(blocking=False):
            return
        started = False
        try:
            atexit.register(_close)
            _thread.start_new_thread(self.work, ())
            started = True
        except RuntimeError:  # the interpreter is ending, or no thread can be started
            pass
        finally:
            if not started:
                self.started.release()

    def work(self) -> None:
        with self.running:
            self._work()

    def _work(self) -> None:
        while not self.closed:
            item = self.waiting.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            library = item()
            if library is not None:
                try:
                    _consider(library)
                except Exception as error:  # the interpreter goes on
                    _say(f"{library.title} stays in the interpreter: {error!r}")
                del library
            self.pending.pop(id(item), None)


_queue = _Queue()


def request(library: Library) -> None:
    """Let the background thread look at a Program, and build native code of it if that pays."""
    _queue.put(library)


def wait(timeout: float | None = None) -> bool:
    """Wait until all that was asked for is built or given up; False when `timeout` seconds were not enough."""
    done = threading.Event()
    _queue.waiting.put(done)
    _queue.start()
    return done.wait(timeout)


def _consider(library: Library) -> None:
    """Load what the cache has, or build what pays; else watch with the estimates in place of rough ones."""
    ensure_imported("pygraph.runtime.native.payoff")
    from .payoff import payoff

    try:
        if library.payoff is None:
            library.payoff = payoff(library.program)
            if max(library.payoff.gains) < library.payoff.price:
                if not load_known(library):
                    _watch(library)
                return
        build(library, background=True)
    except BackendError as error:
        _say(f"{library.title} stays in the interpreter: {error}")


def _say(text: str) -> None:
    ensure_imported("logging")
    import logging  # rarely needed

    logging.getLogger("pygraph").debug("%s", text)


def _close() -> None:
    """At the end of the interpreter: a build that runs is ended, and given the time to clean up."""
    ensure_imported("pygraph.emit.toolchain.child")
    from ...emit.toolchain.child import close

    _queue.closed = True
    close()
    _queue.waiting.put(threading.Event())  # wakes it
    if _queue.running.acquire(timeout=_CLEANING):
        _queue.running.release()


def _after_fork() -> None:
    """In the child of a fork nothing is pending; what the parent waits for may be asked for again."""
    global _queue
    before, _queue = _queue, _Queue()
    for reference in snapshot(before.pending.values()):
        library = reference()
        if library is not None:
            _watch(library)


in_child(_after_fork)
