"""The cache of native code: what finds an entry again, what is not trusted, and many processes at once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers import needs_compiler

import pygraph as pg
from pygraph.emit.toolchain import cache, compiler


class Builds:
    """Stands for a compiler: a library is its text's bytes; counts what it built."""

    def __init__(self) -> None:
        self.version = "1"
        self.count = 0
        self.texts: list[str] = []

    def find(self) -> compiler.Compiler:
        return compiler.Compiler(("/bin/cc",), self.version)

    def build(self, found: object, text: str, isa: str, folder: Path, background: bool = False) -> Path:
        self.count += 1
        self.texts.append(text)
        path = folder / "native.so"
        path.write_text(text)
        return path


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    made = Builds()
    monkeypatch.setattr(compiler, "find", made.find)
    monkeypatch.setattr(compiler, "build", made.build)
    monkeypatch.setattr(cache, "_private", None)
    monkeypatch.setattr(cache, "TRIM_EVERY", 1)
    monkeypatch.delenv("PYGRAPH_NATIVE_FLAGS", raising=False)
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, which is not there yet."""
    path = tmp_path / "deep" / "cache"
    monkeypatch.setenv("PYGRAPH_CACHE", str(path))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if not path.is_dir())


def test_an_entry_is_found_again(builds: Builds, folder: Path) -> None:
    first = cache.native_library("int x;", "avx2")
    again = cache.native_library("int x;", "avx2")
    assert (first.hit, again.hit, builds.count) == (False, True, 1)
    assert first.path == again.path
    assert first.path.read_text() == "int x;"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o700
    assert names(folder) == [first.path.name]


def test_what_tells_entries_apart(builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.native_library("a", "avx2")
    cache.native_library("b", "avx2")
    cache.native_library("a", "baseline")
    builds.version = "2"
    cache.native_library("a", "avx2")
    monkeypatch.setenv("PYGRAPH_NATIVE_FLAGS", "-O1")
    cache.native_library("a", "avx2")
    assert builds.count == len(names(folder)) == 5


@pytest.mark.parametrize("attack", ["cut", "changed", "mode", "link"])
def test_what_is_not_ours_or_not_whole_is_built_again(
    attack: str, builds: Builds, folder: Path, tmp_path: Path
) -> None:
    path = cache.native_library("0123456789", "avx2").path
    if attack == "cut":
        os.truncate(path, 5)
    elif attack == "changed":
        path.write_text("012345678x")
    elif attack == "mode":
        path.chmod(0o722)
    else:
        path.unlink()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("0123456789")
        path.symlink_to(elsewhere)
    again = cache.native_library("0123456789", "avx2")
    assert (again.hit, builds.count) == (False, 2)
    assert again.path.read_text() == "0123456789"
    assert stat.S_ISREG(again.path.lstat().st_mode)
    assert stat.S_IMODE(again.path.lstat().st_mode) == 0o700


def test_an_entry_of_another_user_is_not_used(builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.native_library("text", "avx2")
    found = folder.stat()
    stat_of = Path.stat

    def of_another(path: Path, **options: bool) -> os.stat_result:
        if path == folder:
            return os.stat_result((*found[:4], found.st_uid + 1, *found[5:]))
        return stat_of(path, **options)

    monkeypatch.setattr(Path, "stat", of_another)
    again = cache.native_library("text", "avx2")
    assert not again.hit
    assert folder not in again.path.parents


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(mode: int, builds: Builds, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    entry = cache.native_library("text", "avx2")
    assert folder not in entry.path.parents
    assert stat.S_IMODE(entry.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.path.parents[1].stat().st_mode) == 0o700
    assert names(folder) == []
    assert cache.native_library("text", "avx2").hit


@pytest.mark.parametrize("place", ["/dev/null/cache", "/proc/none/cache"])
def test_a_place_that_can_not_be_written_to(place: str, builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_CACHE", place)
    entry = cache.native_library("text", "avx2")
    assert entry.path.is_file()
    assert not str(entry.path).startswith(place)


def test_a_full_disk(builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if folder in target.parents:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    entry = cache.native_library("text", "avx2")
    assert folder not in entry.path.parents
    assert names(folder) == []
    monkeypatch.setattr(cache, "private_folder", lambda: folder)
    with pytest.raises(pg.BackendError, match="No space left on device"):
        cache.native_library("other", "avx2")


def test_a_failed_build_leaves_nothing(builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise pg.BackendError("no")

    monkeypatch.setattr(compiler, "build", fail)
    with pytest.raises(pg.BackendError):
        cache.native_library("text", "avx2")
    assert names(folder) == []


def test_the_size_is_bounded_and_the_least_recently_used_go(
    builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LIMIT", 30)
    first, second, third = (cache.native_library(str(i) * 10, "avx2").path for i in range(3))
    for age, path in enumerate((third, second, first)):
        os.utime(path, (1e9 - age, 1e9 - age))
    stranger = folder / "notes.txt"
    stranger.write_text("x" * 100)
    assert cache.native_library("0" * 10, "avx2").hit  # used now
    cache.native_library("3" * 10, "avx2")
    assert [path for path in (first, second, third) if path.exists()] == [first, third]
    assert stranger.exists()
    assert cache.clear(folder) == 30
    assert names(folder) == ["notes.txt"]


def test_what_ended_builds_left_goes_after_an_hour(builds: Builds, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    for name, age in (("build-old", 7200), ("build-new", 60)):
        (folder / name).mkdir()
        (folder / name / "native.c").write_text("")
        os.utime(folder / name, (time.time() - age,) * 2)
    cache.native_library("text", "avx2")
    assert (folder / "build-new").exists()
    assert not (folder / "build-old").exists()


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYGRAPH_CACHE", "relative")
    assert cache.wanted_folder() == Path.cwd() / "relative"
    monkeypatch.setenv("PYGRAPH_CACHE", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.wanted_folder() == tmp_path / ".cache" / "pygraph"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache.wanted_folder() == tmp_path / "x" / "pygraph"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.wanted_folder() == tmp_path / "Library" / "Caches" / "pygraph"


def run(arguments: Sequence[str], **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_temporary_folder_goes_with_the_process() -> None:
    code = """
import os, sys
from pygraph.emit.toolchain.cache import usable_folder
print(usable_folder())
sys.stdout.flush()
if os.fork() == 0:
    assert not os.path.samefile(usable_folder(), usable_folder().parent)
    sys.exit()
assert os.wait()[1] == 0 and usable_folder().is_dir()
"""
    place = Path(run(["-c", code], PYGRAPH_CACHE="/dev/null/cache").strip())
    assert place.name.startswith("pygraph-")
    assert not place.exists()


@needs_compiler
def test_eight_processes_build_the_same_at_once(tmp_path: Path) -> None:
    code = """
import ctypes, sys
from pygraph.emit.toolchain.cache import native_library
sys.stdin.readline()
entry = native_library("int answer(void) { return 42; }\\n", "baseline")
print(ctypes.CDLL(str(entry.path)).answer(), entry.path.name)
"""
    environment = {**os.environ, "PYGRAPH_CACHE": str(tmp_path)}
    tmp_path.chmod(0o700)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate(timeout=120)[0] for process in processes}
    assert len(said) == 1
    answer, name = said.pop().split()
    assert answer == "42"
    assert names(tmp_path) == [name]


def test_the_command_shows_and_clears_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "00").mkdir()
    (tmp_path / "00" / f"{'0' * 40}-{'1' * 64}.so").write_bytes(b"x" * 2000)
    shown = run(["-m", "pygraph", "cache"], PYGRAPH_CACHE=str(tmp_path))
    assert str(tmp_path) in shown
    assert "1, 2,000 B of at most 256.0 MiB" in shown
    assert "compiler" in shown
    cleared = run(["-m", "pygraph", "cache", "--clear"], PYGRAPH_CACHE=str(tmp_path))
    assert "removed   2,000 B" in cleared
    assert "entries   0" in cleared
    assert not names(tmp_path)


@pytest.mark.parametrize("attack", ["link", "mode", "user"])
def test_a_shelf_that_is_not_ours_alone_is_not_used(
    attack: str, builds: Builds, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither read, nor written to, nor cleared; a private folder is used instead."""
    whole = cache.native_library("text", "avx2").path
    shelf, elsewhere = whole.parent, tmp_path / "elsewhere"
    if attack == "link":
        shelf.rename(elsewhere)
        shelf.symlink_to(elsewhere)
    elif attack == "mode":
        shelf.chmod(0o777)
    else:
        lstat = Path.lstat

        def of_another(path: Path) -> os.stat_result:
            found = lstat(path)
            return os.stat_result((*found[:4], found.st_uid + (path == shelf), *found[5:]))

        monkeypatch.setattr(Path, "lstat", of_another)
    again = cache.native_library("text", "avx2")
    assert not again.hit
    assert folder not in again.path.parents
    assert cache.native_library("text", "avx2").hit  # in the private folder
    assert cache.entries(folder) == []
    assert cache.clear(folder) == 0
    assert len(list((elsewhere if attack == "link" else shelf).iterdir())) == 1


def test_a_disk_too_full_for_the_compiler(builds: Builds, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = compiler.build

    def full(found: compiler.Compiler, text: str, isa: str, work: Path, background: bool = False) -> Path:
        if folder in work.parents:
            raise OSError(28, "No space left on device")
        return build(found, text, isa, work, background)

    monkeypatch.setattr(compiler, "build", full)
    entry = cache.native_library("text", "avx2")
    assert folder not in entry.path.parents
    assert names(folder) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from pygraph.emit.toolchain import workfolder
for parent in (None, Path(sys.argv[1])):
    print(workfolder.make("pygraph-native-" if parent is None else "build-", parent), flush=True)
if sys.argv[2] == "kill": os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "wait": sys.stdin.readline()
"""


def test_folders_of_killed_processes_are_removed_by_the_next(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    def start(ending: str) -> tuple[subprocess.Popen[str], list[Path]]:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), ending],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, [Path(process.stdout.readline().strip()) for _ in range(2)]

    mine = tmp_path / "pygraph-native-of-a-user"
    mine.mkdir()
    waiting, held = start("wait")
    killed, left = start("kill")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert all(path.is_dir() for path in (*held, *left))
    ended, gone = start("end")
    ended.communicate(timeout=60)
    assert ended.returncode == 0
    assert not any(path.exists() for path in (*left, *gone))
    assert all(path.is_dir() for path in (*held, mine))
    waiting.communicate("\n", timeout=60)
    assert waiting.returncode == 0
    assert not any(path.exists() for path in held)


def test_workers_leave_no_folders(tmp_path: Path) -> None:
    code = """
import multiprocessing
from pygraph.emit.toolchain.cache import usable_folder
def work(_): return str(usable_folder())
if __name__ == "__main__":
    usable_folder()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert len(set(pool.map(work, range(8), chunksize=1))) >= 1
        pool.close()
        pool.join()
"""
    run(["-c", code], PYGRAPH_CACHE="/dev/null/cache", TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []
