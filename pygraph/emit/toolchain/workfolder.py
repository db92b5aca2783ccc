"""Temporary folders that go with the process that made them: removed at its end, or by another one if it was killed.

Each holds a locked file for as long as its process lives, which the system unlocks however that ends. Whoever makes a
folder first removes those beside it that no process holds.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

#: The beginning of names in the system's folder for temporary files.
PREFIX = "pygraph-native-"
_LOCK, _UNLOCKED = "lock", "unlocked"
#: After how many seconds a folder without a lock, as on a file system that has none, counts as left behind.
_STALE = 3600.0

#: The folders of this process, with their locks; and the process.
_held: dict[Path, int] = {}
_process = 0


def make(prefix: str, parent: Path | None = None) -> Path:
    """A new folder in `parent`, by default the system's for temporary files, that only this user may look into.

    Raises:
        OSError: it can't be made.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    sweep(prefix, place, by_age=parent is not None)
    _watch_end()
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    try:
        _held[folder] = _locked(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def remove(folder: Path) -> None:
    """Remove a folder that `make` made, and all in it."""
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        with suppress(OSError):
            os.close(descriptor)


def sweep(prefix: str, parent: Path, by_age: bool) -> None:
    """Remove the folders of this user in `parent` whose processes have ended.

    Those without a lock are left alone, or go by their age where `parent` holds nothing but what is ours.
    """
    with suppress(OSError):
        for entry in os.scandir(parent):
            if entry.name.startswith(prefix):
                with suppress(OSError):
                    if _is_left(Path(entry.path), entry.stat(follow_symlinks=False), by_age):
                        shutil.rmtree(entry.path, ignore_errors=True)


def _locked(folder: Path) -> int:
    """A descriptor of the folder's locked file; it gets its name once locked, so that it never looks abandoned."""
    descriptor = os.open(folder / _UNLOCKED, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with suppress(OSError):  # a file system without locks: its age tells
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(folder / _UNLOCKED, folder / _LOCK)
    return descriptor


def _is_left(folder: Path, found: os.stat_result, by_age: bool) -> bool:
    """Whether no process holds a folder any more."""
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or folder in _held:
        return False
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return by_age and time.time() - found.st_mtime > _STALE
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _watch_end() -> None:
    """Have what is left removed at the end of this process; a worker of multiprocessing does not run atexit."""
    global _process
    if _process == os.getpid():
        return
    _process = os.getpid()
    for descriptor in _held.values():  # of the parent, whose folders they are
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()
    atexit.register(_remove_all, _process)
    workers = sys.modules.get("multiprocessing.util")
    if workers is not None:
        workers.Finalize(None, _remove_all, args=(_process,), exitpriority=0)


def _remove_all(process: int) -> None:
    if process == os.getpid() == _process:
        for folder in list(_held):
            remove(folder)
