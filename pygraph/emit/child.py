"""Runs a program and waits for it; it never outlives this process's wish for it.

The child has a process group of its own: Ctrl-C in a terminal does not reach it, and it ends with all it started. Its
words go to a file, not a pipe, so that another thread's fork can't keep the waiting from ending.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: What a background child may ask of a busy machine: see nice(2).
_NICENESS = 5

_lock = threading.Lock()
_running: dict[subprocess.Popen[bytes], Path] = {}
_closed = False


class Closed(Exception):
    """Nothing is started any more: the interpreter is ending."""


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    background: bool = False,
    timeout: float | None = None,
) -> tuple[int, str]:
    """Run `command` in `folder`, which its words go to as well.

    Args:
        command: the program and its arguments; no shell reads them.
        folder: exists, and belongs to this run.
        environment: replaces variables of this process's environment.
        background: leave the processor to others where it is wanted.
        timeout: how many seconds it may take.

    Returns:
        The exit status and all that was printed.

    Raises:
        OSError: the program can't be started, or is ended after `timeout`; Closed: after `close`.
    """
    said = folder / "said"
    inherited = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # it is for this process
    with said.open("wb") as output:
        with _lock:
            if _closed:
                raise Closed
            child = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**inherited, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            _running[child] = folder
        if background:
            with suppress(OSError):
                os.setpriority(os.PRIO_PGRP, child.pid, _NICENESS)
        late = threading.Event()
        timer = None if timeout is None else threading.Timer(timeout, _end_late, (child, late))
        try:
            if timer is not None:
                timer.daemon = True
                timer.start()
            child.wait()  # with a timeout it would look for the end every now and then only
        except BaseException:  # such as KeyboardInterrupt
            _end(child)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            with _lock:
                _running.pop(child, None)
    if _closed:
        raise Closed
    if late.is_set():
        raise TimeoutError(f"{command[0]} did not end within {timeout} seconds")
    return child.returncode, said.read_text(errors="replace")


def close() -> None:
    """End what runs, remove the folders it runs in, and start nothing any more."""
    global _closed
    with _lock:
        _closed = True
        children = dict(_running)
    for child, folder in children.items():
        _end(child)
        shutil.rmtree(folder, ignore_errors=True)  # whoever waits for it may have no time left to


def _end_late(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5.0)


def _forget() -> None:
    """In the child of a fork: what runs belongs to the parent."""
    global _lock
    _lock = threading.Lock()
    for child in _running:
        child.returncode = 0  # so that nobody here waits for it
    _running.clear()


os.register_at_fork(after_in_child=_forget)
