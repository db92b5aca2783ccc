"""Runs a Program as C that stands alone, on buffers of its own."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pygraph.emit.prelude import EXPORT, prelude
from pygraph.emit.source import core
from pygraph.lower import Program
from pygraph.runtime.library import isa

Array = npt.NDArray[Any]

ISA_FLAGS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
}
NUMERICS = ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


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
    command = [compiler, *STRICT, *(flags or ["-O3"]), *NUMERICS, *ISA_FLAGS.get(isa(), [])]
    command += ["-shared", "-fPIC", "text.c", "-o", "text.so", "-lm"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000] + (("-----" + text) if "SHOW" in __import__("os").environ else "")
    return ctypes.CDLL(str(folder / "text.so"))


class Native:
    """A Program of LOOP and MATMUL instructions as machine code, called as an Executable is, on flat arrays."""

    def __init__(self, program: Program, compiler: str = "gcc", *flags: str) -> None:
        self.program = program
        self.text = emitted(program)
        self.library = build(self.text, compiler, *flags)
        self.arena = np.full(program.arena_bytes // 8 + 8, np.nan)
        self.call = np.array([self.arena.ctypes.data, 0, 0], np.uintp)

    def frame(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Array:
        """The frame: addresses of the arena, inputs and outputs."""
        return np.array([self.arena.ctypes.data, *(x.ctypes.data for x in (*inputs, *outputs))], np.uintp)

    def __call__(self, *arrays: Array) -> list[Array]:
        inputs = [np.ascontiguousarray(x, port.dtype) for x, port in zip(arrays, self.program.inputs, strict=True)]
        outputs = [np.empty(port.shape, port.dtype) for port in self.program.outputs]
        frame = self.frame(inputs, outputs)
        self.library.run(ctypes.c_void_p(self.call.ctypes.data), ctypes.c_void_p(frame.ctypes.data))
        return outputs
