"""Runs a program and waits for it, and ends it when this process ends or no longer needs it.

The child has a process group of its own: Ctrl-C in a terminal does not reach it, and it ends with all it started. Its
words go to a file, not a pipe, so that another thread's fork can't keep the waiting from ending.
"""

from __future__ import annotations

import _thread
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ...concurrency import in_child, snapshot

#: What a background child may ask of a busy machine: see nice(2).
_NICENESS = 5

_running: dict[subprocess.Popen[bytes], Path] = {}
_starting: dict[object, None] = {}  # one key for each start in progress
_closed = False
#: The most seconds that `close` waits for a start.
_STARTING = 0.5


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
        background: give way to other processes.
        timeout: how many seconds it may take.

    Returns:
        The exit status and all that was printed.

    Raises:
        OSError: the program can't be started, or is ended after `timeout`; Closed: after `close`.
    """
    (found,) = run_all([command], folder, environment, background, timeout)
    return found


def run_all(
    commands: Sequence[Sequence[str]],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    background: bool = False,
    timeout: float | None = None,
) -> list[tuple[int, str]]:
    """The same for several commands that run at once; `timeout` is that of all together."""
    inherited = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # it is for this process
    said = [folder / f"said{at}" for at in range(len(commands))]
    children: list[subprocess.Popen[bytes]] = []
    ended = _thread.allocate_lock()  # a lock and a plain thread: those of `threading` can't start in a handler
    ended.acquire()
    late: list[float] = []
    try:
        for command, file in zip(commands, said, strict=True):
            with file.open("wb") as output:
                child = _start(command, folder, {**inherited, **(environment or {})}, output)
            children.append(child)
            if background:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PGRP, child.pid, _NICENESS)
        if timeout is not None:
            with suppress(RuntimeError):  # no thread can be started: then nothing ends them
                _thread.start_new_thread(_end_late, (children, timeout, ended, late))
        for child in children:
            child.wait()  # with a timeout it would look for the end every now and then only
    except BaseException:  # such as KeyboardInterrupt
        for child in children:
            _end(child)
        raise
    finally:
        ended.release()
        for child in children:
            _running.pop(child, None)
    if _closed:
        raise Closed
    if late:
        raise TimeoutError(f"{commands[0][0]} did not end within {timeout} seconds")
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in said)
    return [(child.returncode, text) for child, text in zip(children, texts, strict=True)]


def _start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start `command`, unless the interpreter is ending."""
    start = object()
    _starting[start] = None
    try:
        if _closed:
            raise Closed
        child = subprocess.Popen(
            list(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _running[child] = folder
        return child
    finally:
        _starting.pop(start, None)


def close() -> None:
    """End what runs, remove the folders it runs in, and start nothing any more."""
    global _closed
    _closed = True
    end = time.monotonic() + _STARTING
    while _starting and time.monotonic() < end:
        time.sleep(0.001)
    for child, folder in snapshot(_running.items()):
        _end(child)
        shutil.rmtree(folder, ignore_errors=True)  # the waiting thread may have no time left to


def _end_late(
    children: Sequence[subprocess.Popen[bytes]], timeout: float, ended: _thread.LockType, late: list[float]
) -> None:
    """End `children` unless they end within `timeout` seconds."""
    if not ended.acquire(timeout=timeout):
        late.append(timeout)
        for child in children:
            if child.returncode is None:  # else its number may be another one's by now
                with suppress(OSError):
                    os.killpg(child.pid, signal.SIGKILL)


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5.0)


def _forget() -> None:
    """In the child of a fork: what runs belongs to the parent."""
    for child in _running:
        child.returncode = 0  # so that nothing here waits for it
    _running.clear()
    _starting.clear()


in_child(_forget)
