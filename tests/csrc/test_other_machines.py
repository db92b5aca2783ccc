"""The C library on machines that differ from this one: where a size_t has 32 bits."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.lower.program import Segment
from pygraph.runtime.clib.library import sealed

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fwrapv", "-ffp-contract=off", "-pthread", "-Wno-psabi"]
# In 32-bit x86 code doubles are computed in SSE2 only where that is asked for; address space is 4 GiB.
NARROW = ["-m32", "-march=i686", "-msse2", "-mfpmath=sse"]


@functools.cache
def compiles(*flags: str) -> bool:
    if shutil.which("gcc") is None:
        return False
    done = subprocess.run(
        ["gcc", *flags, "-x", "c", "-c", "-", "-o", os.devnull],
        input="#include <string.h>\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as a 32-bit program that runs a Program from a file."""
    program = tmp_path_factory.mktemp("narrow") / "run"
    sources = [*sorted((ROOT / "csrc").glob("*.c")), ROOT / "csrc" / "tests" / "run_program.c"]
    folders = ["-DPG_WITHOUT_LAPACK", f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'generated'}"]
    command = ["gcc", *FLAGS, *NARROW, *folders, *map(str, sources), "-o", str(program), "-lm", "-ldl", "-latomic"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def run(runner: Path, exe: Any, *args: Any) -> subprocess.CompletedProcess[bytes]:
    program = exe.program
    words = sealed(program)
    inputs = [port for port in program.inputs if port.segment == Segment.FORWARD]
    outputs = [port for port in program.outputs if port.segment == Segment.FORWARD]
    parts = [np.array([len(words), len(program.constants), len(inputs), len(outputs)]), words, program.constants]
    for port, value in zip(inputs, args, strict=True):
        parts += [np.array([port.slot, port.nbytes]), np.ascontiguousarray(value, port.dtype)]
    parts += [np.array([port.slot, port.nbytes]) for port in outputs]
    file = runner.with_name("program")
    file.write_bytes(b"".join(part if isinstance(part, bytes) else part.tobytes() for part in parts))
    return subprocess.run([str(runner), str(file)], capture_output=True, check=False, timeout=60)


def loop(x: Any, y: Any) -> Any:
    w = pg.while_loop(lambda c: c[0] < 100.0, lambda c: (c[0] * 2.0 + y[1], c[1] + 1), (x[0], 0))
    s = pg.scan(lambda c, u: (c * 0.5 + u, c + 1.0), y[0], x)
    return y @ np.arange(12.0).reshape(3, 4), np.sum(x * x) + s[0] * w[0], s[1][::-1], w[1], x[w[1] - 3]


@pytest.mark.deep
@pytest.mark.skipif(sys.platform != "linux" or not compiles(*NARROW), reason="gcc -m32 finds no headers")
def test_a_32_bit_library_runs_what_this_one_runs(runner: Path) -> None:
    x, y = np.array([1.5, -2.0, 0.25, 3.0]), np.array([0.5, 7.0, -1.0])
    exe = pg.compile(pg.trace(loop, x, y), backend="vm")
    done = run(runner, exe, x, y)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"".join(np.asarray(value).tobytes() for value in exe(x, y))


@pytest.mark.deep
@pytest.mark.skipif(sys.platform != "linux" or not compiles(*NARROW), reason="gcc -m32 finds no headers")
def test_what_4_gib_cannot_hold_is_refused(runner: Path) -> None:
    """2**29 float64, 2**32 bytes: as a size_t of 32 bits that is 0."""
    done = run(runner, pg.compile(pg.trace(_wide, 1.0), backend="vm"), 1.0)
    assert done.returncode == 1, done.stdout
    assert b"no memory for a context" in done.stderr, done.stderr


def _wide(x: Any) -> Any:
    """Keeps an array of 4 GiB: what the loop's steps give."""
    return pg.sum(pg.scan(lambda c, _: (c * 0.5, c), x, None, length=2**29)[1])
