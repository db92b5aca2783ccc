"""A cache of native code on disk, keyed by its text, compiler, flags and machine, and checked before use.

An entry is one file, `<k>/<key>-<digest>.so`, where k is the key's beginning: the key says what it was built from, the
digest what is in it, so that a file that was cut short or changed is not loaded. It appears by one renaming, so any
number of processes may build the same at once. Only a folder and files that belong to this user, and that no other user
may write to, are used, as are only such shelves `<k>`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import BackendError
from . import compiler as cc, workfolder

#: The most bytes that entries may take together; those used longest ago go first.
LIMIT = 256 << 20
#: Names of folders in which something is being built.
_BUILDING = "build-"
_SUFFIX = ".so"

#: How many builds of a process come between two looks at the size.
TRIM_EVERY = 32
_builds = 0

#: Where this process builds when the cache can't be used, and the process it belongs to.
_private: tuple[int, Path] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A built library.

    Attributes:
        path: where it is; loaded code stays valid when the file goes.
        hit: whether it was there already.
    """

    path: Path
    hit: bool


def native_library(text: str, isa: str, background: bool = False, private: bool = False) -> Entry:
    """The shared library of a C text for an instruction set: found, or built now.

    Args:
        text, isa: what to build.
        background: give way to other processes.
        private: keep away from the cache, which has a library that can't be loaded.

    Raises:
        BackendError: there is no compiler, or it failed (the text has its messages), or there is nowhere to build.
    """
    compiler = cc.find()
    key = _key(compiler, text, isa)
    for place in (private_folder,) if private else (usable_folder, private_folder):
        try:
            folder = place()
            found = _lookup(folder, key)
            if found is not None:
                return Entry(found, True)
            with _building(folder) as work:
                built = cc.build(compiler, text, isa, work, background)
                built.chmod(0o700)
                shelf = _shelf(folder, key)
                shelf.mkdir(mode=0o700, exist_ok=True)
                if not _is_safe(shelf.lstat(), stat.S_ISDIR):
                    raise PermissionError(f"{shelf} is a link, or not this user's alone")
                path = shelf / f"{key}-{_digest(built)}{_SUFFIX}"
                os.replace(built, path)
        except OSError as error:  # no space left, for one
            problem = str(error)
            continue
        _count(folder)
        return Entry(path, False)
    advice = "name a folder to write to in PYGRAPH_CACHE, or use backend='vm'"
    raise BackendError(f"no place to build: {problem}", advice, stage="compiling", subject="native code")


def known_library(text: str, isa: str) -> Entry | None:
    """What `native_library` would find, or None where it would build.

    Raises:
        BackendError: no compiler.
    """
    found = _lookup(usable_folder(), _key(cc.find(), text, isa))
    return None if found is None else Entry(found, True)


def wanted_folder() -> Path:
    """Where the cache is to be: PYGRAPH_CACHE, or `pygraph` in the user's folder for caches."""
    named = os.environ.get("PYGRAPH_CACHE")
    if named:
        return Path(named).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pygraph"
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if os.path.isabs(shared) else Path.home() / ".cache") / "pygraph"


def usable_folder() -> Path:
    """The cache's folder, made where it is missing; a temporary one of this process's own where it can't be used."""
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home directory
        folder = wanted_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_safe(folder.stat(), stat.S_ISDIR) and os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return folder
    return private_folder()


def private_folder() -> Path:
    """A temporary folder of this process's own, which goes with the process."""
    global _private
    if _private is None or _private[0] != os.getpid() or not _private[1].is_dir():
        _private = os.getpid(), workfolder.make(workfolder.PREFIX)
    return _private[1]


def entries(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """The entries in a folder, the one used longest ago first; none where there is no such folder."""
    found: list[tuple[Path, os.stat_result]] = []
    for shelf in folder.glob("??"):
        with suppress(OSError):  # another process removed it
            if _is_safe(shelf.lstat(), stat.S_ISDIR):
                found += _entries_of(shelf)
    return sorted(found, key=lambda entry: entry[1].st_mtime)


def _entries_of(shelf: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in shelf.glob(f"*{_SUFFIX}"):
        if len(path.stem) == 40 + 1 + 64:
            with suppress(OSError):
                yield path, path.lstat()


def clear(folder: Path) -> int:
    """Remove all entries; returns how many bytes they had."""
    return _trim(folder, 0)


def _key(compiler: cc.Compiler, text: str, isa: str) -> str:
    parts = [text, *compiler.command, compiler.version, *cc.flags(isa), cc.PARTS, platform.machine(), sys.platform]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _shelf(folder: Path, key: str) -> Path:
    """Where entries of this key's beginning are: folders of thousands of files are slow to look through."""
    return folder / key[:2]


def _lookup(folder: Path, key: str) -> Path | None:
    with suppress(OSError):
        shelf = _shelf(folder, key)
        if not _is_safe(shelf.lstat(), stat.S_ISDIR):
            return None
        for path in shelf.glob(f"{key}-*{_SUFFIX}"):
            if _is_safe(path.lstat(), stat.S_ISREG) and path.stem == f"{key}-{_digest(path)}":
                os.utime(path)  # it was used now
                return path
            path.unlink()  # not ours, or not whole: it is rebuilt
    return None


def _is_safe(found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
    """Whether it is of the kind, belongs to this user, and no other user may write to it."""
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    work = workfolder.make(_BUILDING, folder)
    try:
        yield work
    finally:
        workfolder.remove(work)


def _count(folder: Path) -> None:
    """After a build: now and then, starting with a process's first, keep the folder to its size."""
    global _builds
    _builds += 1
    if _builds % TRIM_EVERY == 1 % TRIM_EVERY:
        _trim(folder, LIMIT)


def _trim(folder: Path, limit: int) -> int:
    """Remove entries until the rest keeps to `limit` bytes, and what ended builds left; returns the bytes removed."""
    found, removed = entries(folder), 0
    total = sum(info.st_size for _, info in found)
    for path, info in found:
        if total <= limit:
            break
        with suppress(OSError):
            path.unlink()
        total -= info.st_size
        removed += info.st_size
    workfolder.sweep(_BUILDING, folder, by_age=True)
    return removed
