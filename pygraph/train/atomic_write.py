"""Files that appear whole or not at all: written beside their place, put on the disk, and renamed."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["remove_leftovers", "replacing"]

_SUFFIX = ".part"
_numbers = itertools.count()
_being_written: set[str] = set()


def _mark() -> str:
    """This machine and process, as they stand in the names of its unfinished files."""
    return f".{socket.gethostname()}.{os.getpid()}."


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write to, in a folder beside `path`, which takes the place of `path` when the block ends.

    A reader finds the former file or the new one, also after the process or the machine died at any moment. When the
    block raises, the former file stays.

    Raises:
        OSError: the folder is not there, or can't be written.
    """
    target = Path(os.path.realpath(path))  # of a link what it points to
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder, a file expected")
    unfinished = target.with_name(f".{target.name[:100]}{_mark()}{next(_numbers)}{_SUFFIX}")
    _being_written.add(unfinished.name)
    try:
        unfinished.mkdir()  # a folder: who writes the file may make others beside it
        part = unfinished / "file"
        part.touch()
        mode = _mode(target, part)
        yield part
        part.chmod(mode)
        _synchronise(part)
        os.replace(part, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        _being_written.discard(unfinished.name)
    _synchronise(target.parent)


def _mode(target: Path, made: Path) -> int:
    """The permissions of a file, or where it is not there, those that a new one gets."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return stat.S_IMODE(made.stat().st_mode)


def _synchronise(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this machine that have ended did not finish writing in a folder."""
    host = f".{socket.gethostname()}."
    for unfinished in folder.glob(f".*{_SUFFIX}"):
        _, found, rest = unfinished.name.rpartition(host)
        pid = rest.split(".")[0]
        if found and pid.isdigit() and unfinished.name not in _being_written and not _is_running(int(pid)):
            shutil.rmtree(unfinished, ignore_errors=True)


def _is_running(pid: int) -> bool:
    """Whether another process of that number runs; what this one is writing is known without."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is someone else's
        return True
    return True
