"""Compilers are found in the order that is documented, called without a shell, and quoted when they fail."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import needs_compiler

import pygraph as pg
from pygraph.emit import flags
from pygraph.emit.toolchain import child, compiler

ROOT = Path(__file__).resolve().parents[2]
Script = Callable[..., Path]


@needs_compiler
@pytest.mark.parametrize("command", ["{cc} -m32", "{cc} -x c++", "true", "sh -c 'sleep 100' --"])
def test_a_cc_for_something_else_is_passed_over(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYGRAPH_CC", raising=False)
    monkeypatch.delenv("CC", raising=False)
    usual = compiler.find()
    monkeypatch.setattr(compiler, "_ANSWER", 1.0)
    monkeypatch.setenv("CC", command.format(cc=usual.command[0]))
    assert compiler.find() == usual


def test_a_build_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_BUILD", 0.5)
    endless = compiler.Compiler(("/bin/sh", "-c", "sleep 100"), "1.0")
    with pytest.raises(pg.BackendError, match="did not end within"):
        compiler.build(endless, "", "baseline", tmp_path)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Writes programs to the only folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("PYGRAPH_CC", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)  # no ziglang

    def write(name: str, text: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write


def test_the_order(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pg.BackendError, match="no C compiler was found") as failed:
        compiler.find()
    assert "PYGRAPH_CC" in str(failed.value)
    assert "pip install ziglang" in str(failed.value)
    for name in ("clang", "gcc", "cc", "mine"):
        path = script(name, f'echo {name} 1.0; if [ "$1 $2" = "-m64 -fPIC" ]; then : > probe.so; fi')
        if name == "mine":
            monkeypatch.setenv("CC", "mine -m64")
        os.environ["PATH"] += ":"  # what was found before counts as long as PATH is the same
        found = compiler.find()
        assert found.command[0] == str(path)
        assert found.version == f"{name} 1.0"
    assert found.command[1:] == ("-m64",)
    monkeypatch.setenv("PYGRAPH_CC", f"{script('other', 'echo other')} '-DX=a b'")
    assert compiler.find().command[1:] == ("-DX=a b",)


def test_what_does_not_answer_is_passed_over(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    script("cc", "exit 1")
    path = script("gcc", "echo 12")
    monkeypatch.setenv("CC", "missing")
    assert compiler.find().command == (str(path),)
    for wanted in ("missing", "cc", "gcc; echo", "'gcc"):
        monkeypatch.setenv("PYGRAPH_CC", wanted)
        with pytest.raises(pg.BackendError, match="which does not answer"):
            compiler.find()


def test_ziglang_comes_last_and_takes_no_more_than_it_is_given(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(compiler, "_version", lambda command: "zig")
    compiler._find.cache_clear()
    found = compiler.find()
    assert found.command[0] == sys.executable
    assert found.command[1:] == ("-m", "ziglang", "cc", "-mcpu=baseline")
    compiler._find.cache_clear()


def test_no_shell_reads_the_command(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script("cc", "echo 1")
    monkeypatch.setenv("PYGRAPH_CC", f"cc ;touch {tmp_path}/made")
    compiler.find()
    assert not (tmp_path / "made").exists()


def test_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_NATIVE_FLAGS", "-O1 '-DX=a b'")
    found = compiler.flags("avx2")
    assert set(flags.NUMERICS) < set(found)
    assert {"-mavx2", "-mfma", "-O3", "-fno-strict-aliasing"} < set(found)
    assert found[-2:] == ("-O1", "-DX=a b")
    assert not any(flag.startswith("-march") or "fast-math" in flag for level in flags.ISA for flag in flags.ISA[level])


def test_the_library_is_compiled_with_the_same_numbers_in_mind() -> None:
    text = (ROOT / "csrc" / "build_ffi.py").read_text(encoding="utf-8")
    assert "*flags.NUMERICS," in text
    assert "in flags.ISA.items()" in text
    assert "-ffp-contract" not in text


@needs_compiler
def test_a_build_and_the_words_of_one_that_fails(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    assert compiler.build(compiler.find(), "int f(void) { return 3; }\n", "baseline", good).stat().st_size > 0
    with pytest.raises(pg.BackendError, match="never heard of it") as failed:
        compiler.build(compiler.find(), "#error never heard of it\n", "baseline", bad)
    assert "native.c:1:" in str(failed.value)
    assert "ended with status 1" in str(failed.value)


def test_a_compiler_that_can_not_be_started(tmp_path: Path) -> None:
    missing = compiler.Compiler((str(tmp_path / "missing"),), "1")
    with pytest.raises(pg.BackendError, match="can't be run"):
        compiler.build(missing, "", "baseline", tmp_path)


def test_an_exception_ends_the_child_and_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def interrupted(process: Any, timeout: float | None = None) -> int:
        if not started:
            started.append(process)
            while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text().endswith("\n"):
                time.sleep(0.01)
            raise KeyboardInterrupt
        return int(wait(process, timeout))

    wait = child.subprocess.Popen.wait
    monkeypatch.setattr(child.subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.run(["/bin/sh", "-c", "sleep 100 & echo $! >pid; wait"], tmp_path)
    assert ends(int((tmp_path / "pid").read_text()))
    assert not child._running


def ends(pid: int) -> bool:
    """Whether a process that nobody waits for ends within a second or so."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            state = "R"
        if state == "Z":  # in a container, where process 1 does not wait for orphans
            return True
        time.sleep(0.01)
    return False


def test_what_is_said_and_the_status(tmp_path: Path) -> None:
    assert child.run(["/bin/sh", "-c", "echo $HELLO; echo two >&2; exit 3"], tmp_path, {"HELLO": "one"}) == (
        3,
        "one\ntwo\n",
    )


def test_after_the_end_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_closed", False)
    ended: list[bool] = []

    def work() -> None:
        with pytest.raises(child.Closed):
            child.run(["/bin/sleep", "100"], tmp_path)
        ended.append(True)

    worker = threading.Thread(target=work)
    worker.start()
    while not child._running:
        time.sleep(0.001)
    child.close()
    worker.join(5.0)
    assert ended
    assert not tmp_path.exists()
    tmp_path.mkdir()
    with pytest.raises(child.Closed):
        child.run(["/bin/true"], tmp_path)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("exit 0", "ended with status 0 and made no library, without a word"),
        (": > native.so", "ended with status 0 and made no library, without a word"),
        ("echo some words; exit 3", "ended with status 3: some words"),
        ("exit 3", "ended with status 3, without a word"),
        ("kill -9 $$", "was ended by signal 9 (Killed), without a word"),
    ],
)
def test_why_there_is_no_library(does: str, said: str, script: Script, tmp_path: Path) -> None:
    made = compiler.Compiler((str(script("cc", does)),), "1")
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(pg.BackendError) as failed:
        compiler.build(made, "int x;", "baseline", work)
    assert said in " ".join(str(failed.value).split())


def test_a_compiler_that_fails_on_a_full_disk(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't write why; what the system says of more room tells."""

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    made = compiler.Compiler((str(script("cc", "exit 1")),), "1")
    with pytest.raises(OSError, match="No space left on device"):
        compiler.build(made, "int x;", "baseline", tmp_path)
    assert not (tmp_path / "room").exists()
