"""The C library on machines that differ from this one: where a size_t has 32 bits, and on Windows."""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.emit.flags import ISA, NUMERICS
from pygraph.emit.native_source import native_source
from pygraph.lower.program import Segment
from pygraph.runtime.clib.library import isa, sealed

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fwrapv", *NUMERICS, "-Wno-psabi", "-DPG_WITHOUT_LAPACK"]
INCLUDES = [f"-I{ROOT / 'csrc'}", f"-I{ROOT / 'csrc' / 'generated'}"]


@dataclasses.dataclass(frozen=True)
class Machine:
    """How the library is compiled for a machine, and its programs are run here.

    Attributes:
        compiler: the command.
        flags: of every file.
        link: what the linker is told.
        emulator: the command that runs a program, none where this machine can.
        sets: whether its processor is this one, with the instruction sets that are chosen at run time.
    """

    compiler: tuple[str, ...]
    flags: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    sets: bool = False


# In 32-bit x86 code doubles are computed in SSE2 only where that is asked for; address space is 4 GiB.
NARROW = Machine(
    ("gcc", "-m32", "-march=i686", "-msse2", "-mfpmath=sse"), ("-pthread",), ("-pthread", "-lm", "-ldl", "-latomic")
)
# The system aligns stacks to 16 bytes, and GCC takes them to be aligned to 32 for AVX: gcc.gnu.org/PR54412.
WINDOWS = Machine(("x86_64-w64-mingw32-gcc",), ("-Wa,-muse-unaligned-vector-move",), ("-static",), ("wine",), sets=True)


@functools.cache
def there_is(machine: Machine) -> bool:
    """Whether programs for this machine can be built and run here."""
    if sys.platform != "linux" or not all(map(shutil.which, (machine.compiler[0], *machine.emulator[:1]))):
        return False
    command = [*machine.compiler, "-x", "c", "-c", "-", "-o", os.devnull]
    text = "#include <string.h>\n"
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).returncode == 0


def on(machine: Machine, reason: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not there_is(machine), reason=reason)


def compiled(machine: Machine, folder: Path) -> Path:
    """The library as a program of this machine that runs a Program from a file."""
    sources = [*sorted((ROOT / "csrc").glob("*.c")), ROOT / "csrc" / "tests" / "run_program.c"]

    def compile_one(source: Path) -> str:
        made = str(folder / f"{source.stem}.o")
        sets = ISA.get(source.stem.removeprefix("kernels_"), ()) if machine.sets else ()
        call([*machine.compiler, *FLAGS, *machine.flags, *sets, *INCLUDES, "-c", str(source), "-o", made])
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    program = folder / "runner.exe"  # Windows looks at the ending
    call([*machine.compiler, *objects, "-o", str(program), *machine.link])
    return program


def call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(NARROW, tmp_path_factory.mktemp("narrow"))


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runner = compiled(WINDOWS, tmp_path_factory.mktemp("windows"))
    settle = {"WINEDLLOVERRIDES": "mscoree,mshtml="}  # it would ask whether to install Mono and Gecko
    subprocess.run(["wineboot", "--init"], env={**environment(runner), **settle}, capture_output=True, check=False)
    return runner


def environment(runner: Path) -> dict[str, str]:
    return {**os.environ, "WINEDEBUG": "-all", "WINEPREFIX": str(runner.with_name("wine"))}


def run(machine: Machine, runner: Path, exe: Any, *args: Any, more: tuple[str, ...] = ()) -> Any:
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
    command = [*machine.emulator, str(runner), file.name, *more]
    return subprocess.run(
        command, cwd=runner.parent, env=environment(runner), capture_output=True, check=False, timeout=300
    )


def loop(x: Any, y: Any) -> Any:
    w = pg.while_loop(lambda c: c[0] < 100.0, lambda c: (c[0] * 2.0 + y[1], c[1] + 1), (x[0], 0))
    s = pg.scan(lambda c, u: (c * 0.5 + u, c + 1.0), y[0], x)
    return y @ np.arange(12.0).reshape(3, 4), np.sum(x * x) + s[0] * w[0], s[1][::-1], w[1], x[w[1] - 3]


def parallel(x: Any) -> Any:
    """Loops and reductions large enough for two threads, and functions that each instruction set has for itself."""
    return np.sum(np.exp(x) * np.sin(x), axis=1), np.sort(np.tanh(x[0])), np.max(x), np.cumsum(x[:, 0])


def agrees(machine: Machine, runner: Path, f: Any, *args: Any, native: bool = False) -> None:
    """That machine gives the bits of this one."""
    exe = pg.compile(pg.trace(f, *args), backend="vm")
    more: tuple[str, ...] = ()
    if native:
        text, library = runner.with_name("native.c"), runner.with_name("native.library")
        text.write_text(native_source(exe.program), encoding="utf-8")
        flags = ["-std=c99", "-O2", "-fwrapv", "-fno-strict-aliasing", *NUMERICS, *machine.flags, *ISA[isa()]]
        call([*machine.compiler, *flags, "-shared", str(text), "-o", str(library), *machine.link, "-lm"])
        more = (library.name,)
    done = run(machine, runner, exe, *args, more=more)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"".join(np.asarray(value).tobytes() for value in pg.tree_leaves(exe(*args)))


SMALL = (np.array([1.5, -2.0, 0.25, 3.0]), np.array([0.5, 7.0, -1.0]))
LARGE = np.random.default_rng(3).normal(size=(300, 1000))


@pytest.mark.deep
@on(NARROW, "gcc -m32 finds no headers")
def test_a_32_bit_library_runs_what_this_one_runs(narrow: Path) -> None:
    agrees(NARROW, narrow, loop, *SMALL)


@pytest.mark.deep
@on(NARROW, "gcc -m32 finds no headers")
def test_what_4_gib_cannot_hold_is_refused(narrow: Path) -> None:
    """2**29 float64, 2**32 bytes: as a size_t of 32 bits that is 0."""
    done = run(NARROW, narrow, pg.compile(pg.trace(_wide, 1.0), backend="vm"), 1.0)
    assert done.returncode == 1, done.stdout
    assert b"no memory for a context" in done.stderr, done.stderr


def _wide(x: Any) -> Any:
    """Keeps an array of 4 GiB: what the loop's steps give."""
    return pg.sum(pg.scan(lambda c, _: (c * 0.5, c), x, None, length=2**29)[1])


@pytest.mark.deep
@on(WINDOWS, "no MinGW-w64, or no Wine")
def test_the_library_on_windows(windows: Path) -> None:
    """Both tiers there, on one thread and on two; and a library that is not there."""
    agrees(WINDOWS, windows, loop, *SMALL)
    agrees(WINDOWS, windows, parallel, LARGE)
    agrees(WINDOWS, windows, loop, *SMALL, native=True)
    agrees(WINDOWS, windows, parallel, LARGE, native=True)
    done = run(WINDOWS, windows, pg.compile(pg.trace(loop, *SMALL), backend="vm"), *SMALL, more=("missing.dll",))
    assert done.returncode == 1
    assert b"loading native code: missing.dll: " in done.stderr, done.stderr
