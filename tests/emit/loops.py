"""Runs a Program as C that stands alone, on buffers of its own."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from emit.exported import STRICT
from helpers import COMPILERS

from pygraph.emit.c_program import core
from pygraph.emit.flags import ISA, NUMERICS
from pygraph.emit.instructions.c_matmul import PRODUCT_COLUMNS, PRODUCT_STEPS
from pygraph.emit.prelude import EXPORT, prelude
from pygraph.lower import Program
from pygraph.runtime.clib.library import isa

Array = npt.NDArray[Any]

#: The compilers of this machine, each once.
DISTINCT = list({os.path.realpath(shutil.which(name) or name): name for name in reversed(COMPILERS)}.values())[::-1]


#: What a product takes of the scratch memory after the arena, in doubles.
SCRATCH = PRODUCT_STEPS * PRODUCT_COLUMNS


def emitted(program: Program) -> str:
    """C with a function `run` of the first segment."""
    made = core(program, "net", embed=True, stoppable=False)
    frame = made.frame.type
    run = f"int run(const pg_call *call, const {frame} *f);\nint run(const pg_call *call, const {frame} *f) {{\n"
    text = f"{made.text}\n{run}    return {made.segments[0]}(call, f);\n}}\n"
    return f"{prelude(text, EXPORT)}\n\n{text}"


def build(text: str, compiler: str = "gcc", *flags: str) -> ctypes.CDLL:
    """The text as a library."""
    folder = Path(tempfile.mkdtemp())
    (folder / "text.c").write_text(text, encoding="utf-8")
    done = _run(folder, compiler, *STRICT, *(flags or ["-O3"]), "-shared", "-fPIC", "-o", "text.so", "-lm")
    assert done.returncode == 0, f"{done.stderr[:4000]}\n{text}"
    return ctypes.CDLL(str(folder / "text.so"))


def vectorised(text: str, compiler: str) -> set[int]:
    """The lines of loops that the compiler says it vectorised."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "text.c").write_text(text, encoding="utf-8")
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
        report = "-Rpass=loop-vectorize" if "clang" in version else "-fopt-info-vec-optimized"
        done = _run(folder, compiler, "-std=c99", "-O3", report, "-c", "-o", "text.o")
    found = re.findall(r"text\.c:(\d+):\d+: .*(?:loop vectorized|vectorized loop)", done.stderr)
    return {int(line) for line in found}


def _run(folder: Path, compiler: str, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [compiler, "text.c", *flags, *NUMERICS, *ISA[isa()]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class Native:
    """A Program of LOOP and MATMUL instructions as machine code, called as an Executable is, on flat arrays."""

    def __init__(self, program: Program, compiler: str = "gcc", *flags: str) -> None:
        self.program = program
        self.text = emitted(program)
        self.library = build(self.text, compiler, *flags)
        self.arena = np.full(program.arena_bytes // 8 + 8 + SCRATCH, np.nan)
        scratch = -(-program.arena_bytes // 8) * 8
        self.call = np.array([self.arena.ctypes.data, 0, 0, 0, scratch], np.uintp)

    def frame(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Array:
        """The frame: addresses of the arena, inputs and outputs."""
        return np.array([self.arena.ctypes.data, *(x.ctypes.data for x in (*inputs, *outputs))], np.uintp)

    def __call__(self, *arrays: Array) -> list[Array]:
        inputs = [np.ascontiguousarray(x, port.dtype) for x, port in zip(arrays, self.program.inputs, strict=True)]
        outputs = [np.empty(port.shape, port.dtype) for port in self.program.outputs]
        frame = self.frame(inputs, outputs)
        self.library.run(ctypes.c_void_p(self.call.ctypes.data), ctypes.c_void_p(frame.ctypes.data))
        return outputs
