"""Runs that Ctrl-C can end: a long run of the main thread goes to a helper, so that Python sees signals meanwhile."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

#: Programs that are estimated to take so many nanoseconds are run by a helper thread; below, and above SHORT, the run
#: is watched (watch.py), because the estimates are rough.
LONG, SHORT = 5e7, 5e6
#: How often a run that is to end is told so, in seconds: the first time may come before it has started.
_PATIENCE = 0.005


def interruptible(run: Callable[[Any, int], int], stop: Callable[[Any], None]) -> Callable[[Any, int], int]:
    """`run(context, segment)`, which during a call from the main thread lets signal handlers run, and their exceptions.

    On an exception, such as KeyboardInterrupt, the run is stopped by `stop(context)`, and its end waited for, before
    the exception goes on; what the run wrote is then undefined. Python runs signal handlers in the main thread only,
    so calls from other threads are run as they are.
    """

    def call(context: Any, segment: int) -> int:
        if threading.get_ident() != threading.main_thread().ident:
            return run(context, segment)
        token = _thread.allocate_lock()  # the thread that takes it decides whether there is a run
        finished = _thread.allocate_lock()
        finished.acquire()
        statuses: list[int] = []

        def work() -> None:
            if token.acquire(False):
                status = -1
                try:
                    status = run(context, segment)
                finally:
                    statuses.append(status)
                    finished.release()

        try:
            _thread.start_new_thread(work, ())
            finished.acquire()
            return statuses[0]
        except BaseException as error:
            if not token.acquire(False):
                while not statuses:
                    with suppress(BaseException):  # a second Ctrl-C: the first is raised, after the run
                        stop(context)
                        finished.acquire(timeout=_PATIENCE)
                raise
            if isinstance(error, RuntimeError):  # no thread can be started
                return run(context, segment)
            raise

    return call
