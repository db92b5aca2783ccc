"""A long C text that several compilers share: each makes a unit of it, and the library is that of one compiler."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import COMPILER_MARKS

import pygraph as pg
from pygraph.emit import text_parts as parts
from pygraph.emit.native_source import native_source
from pygraph.emit.toolchain import child, compiler
from pygraph.errors import BackendError

pytestmark = COMPILER_MARKS

HEAD = "#define PG_NOINLINE static __attribute__((noinline, unused))\n"


def text(count: int, body: str = "return x + {k};") -> str:
    """A function of so many parts, each of which adds its number."""
    made = parts.Parts()
    pieces = [made.part(f"int add{k}(int x)", f"int add{k}(int x) {{ {body.format(k=k)} }}") for k in range(count)]
    calls = "\n".join(f"    x = add{k}(x);" for k in range(count))
    whole = parts.main(f"int sum(int x);\nint sum(int x) {{\n{calls}\n    return x;\n}}")
    return "\n".join([HEAD, parts.HEAD, *pieces, whole, ""])


@pytest.mark.parametrize("count", [compiler.SHARE - 1, 2 * compiler.SHARE])
def test_a_library_is_whole(count: int, tmp_path: Path) -> None:
    """Also where one process makes it."""
    found = compiler.build(compiler.find(), text(count), "baseline", tmp_path)
    assert ctypes.CDLL(str(found)).sum(5) == 5 + sum(range(count))
    units = sorted(path.name for path in tmp_path.glob("*.o"))
    assert len(units) == (0 if count < compiler.SHARE else 1 + min(2, len(os.sched_getaffinity(0))))


def test_what_a_compiler_of_one_part_says_is_said(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="never_heard_of"):
        compiler.build(compiler.find(), text(compiler.SHARE, "return never_heard_of;"), "baseline", tmp_path)


def test_commands_run_at_once(tmp_path: Path) -> None:
    """Each waits for the other."""
    waits = "for i in $(seq 200); do [ -e {} ] && exit {}; sleep 0.05; done"
    commands = [
        ["/bin/sh", "-c", f"touch {a}; echo {a}; {waits.format(b, at)}"]
        for at, (a, b) in enumerate([("x", "y"), ("y", "x")])
    ]
    assert child.run_all(commands, tmp_path) == [(0, "x\n"), (1, "y\n")]


def test_long_scalar_code_has_parts() -> None:
    def long(x: pg.Node) -> pg.Node:
        for _ in range(600):
            x = x * 1.25 + 0.5
        return x

    program = pg.compile(pg.trace(long, np.float64(0.0)), backend="vm").program
    made = native_source(program)
    assert parts.parts_of(made) > 1
    assert made.count("PG_PART void net_scalar0_part0(") == 2
    short = pg.compile(pg.trace(lambda x: x * 2.0, np.float64(0.0)), backend="vm").program
    assert parts.parts_of(native_source(short)) == 0
