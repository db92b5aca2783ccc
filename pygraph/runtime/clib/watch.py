"""Runs of unknown length: they begin in the calling thread, and move to a helper when they take long.

The helper of `interrupt.py` costs as much as some thousand steps of a small loop, so a Program with a loop of run-time
length is first run in the calling thread, as short ones are. Meanwhile a thread looks at the clock. A run of the main
thread that is still going after `PERIOD` is stopped, and run from its beginning by a helper, while Python sees
signals: a run changes nothing that it reads, so only time is lost. As long as runs take that long, they go to the
helper at once.
"""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable
from typing import Any

from ...concurrency import in_child
from ...lower.program import NodeTable
from ...ops.row import lookup

Run = Callable[[Any, int], int]

#: Seconds between two looks at the clock. A run seen at two of them is stopped.
PERIOD = 0.05
#: Looks without a run after which the watching thread ends.
_IDLE = 20


def is_open(nodes: NodeTable) -> bool:
    """Whether a Program of these nodes has loops of run-time length."""
    return any(lookup(name).unbounded for name in nodes.ops)


class Watch:
    """A thread that stops what the main thread has been running for long; it is there while it has something to do."""

    __slots__ = ("awake", "context", "runner", "stop", "turn")

    def __init__(self, stop: Callable[[Any], None]) -> None:
        """`stop(context)` makes a run end soon; it does no harm to what is not running."""
        self.stop = stop
        self.context: Any = None  # of the present run
        self.turn = 0  # its number
        self.awake = False
        self.runner = 0  # the thread that began the last run
        in_child(self._forget)

    def _forget(self) -> None:
        self.awake = False
        if threading.get_ident() != self.runner:
            self.context = None

    def wake(self) -> None:
        """Start the thread, if one can be started; without it, runs are not stopped."""
        self.awake = True
        try:
            _thread.start_new_thread(self._look, ())
        except RuntimeError:
            self.awake = False

    def _look(self) -> None:
        seen, idle = -1, 0
        while idle < _IDLE or not self._rest():
            time.sleep(PERIOD)
            turn, context = self.turn, self.context
            if context is not None and turn == seen:
                self.stop(context)
            idle = idle + 1 if context is None and turn == seen else 0
            seen = turn

    def _rest(self) -> bool:
        """Whether the thread may end: a run that has begun by now has not seen that it does."""
        self.awake = False
        if self.context is None:
            return True
        self.awake = True
        return False


def watched(run: Run, helper: Run, watch: Watch, interrupted: int) -> Run:
    """`run(context, segment)` for one Program with loops of run-time length.

    Args:
        run: runs in the calling thread.
        helper: the same, but lets the main thread handle signals meanwhile.
        watch: stops what takes long.
        interrupted: the status of a run that was stopped.
    """
    main = threading.main_thread().ident
    ident = threading.get_ident
    long = False

    def helped(context: Any, segment: int) -> int:
        nonlocal long
        start = time.monotonic()
        status = interrupted
        while status == interrupted:  # the watch may have meant the run before
            status = helper(context, segment)
        long = time.monotonic() - start > PERIOD
        return status

    def call(context: Any, segment: int) -> int:
        if long or ident() != main:
            return helped(context, segment)
        outer = watch.context  # of a run that a signal handler interrupts, before or after its time in C
        watch.turn += 1
        watch.runner = main
        watch.context = context
        try:
            if not watch.awake:
                watch.wake()
            status = run(context, segment)
        finally:
            watch.context = outer
        return helped(context, segment) if status == interrupted else status

    return call
