"""The disassembler: its text for small Programs, and that it reads back every Program."""

from __future__ import annotations

import re

import numpy as np
import pytest
from fuzz.graphs import grow
from programs import derived, opcodes

from pygraph.graph import Graph, scan, var
from pygraph.lower import Program, disassemble, lower
from pygraph.ops import concatenate, exp, matmul, sin, sum, take, tanh
from pygraph.ops.comparison import select


def text(program: Program) -> str:
    """The listing without the user's lines and the size of blocks, which is tuned."""
    lines = (re.sub(r"   # .*", "", line) for line in disassemble(program).splitlines())
    return "\n".join(re.sub(r"block \d+", "block", line) for line in lines)


def test_a_loop_and_a_scalar() -> None:
    x, y = var("x", (2, 3)), var("y")
    program = lower(Graph([x, y], (sum(exp(x) * y, axis=1), sin(y) + 2.0)))
    assert text(program) == (
        "program: 1 bodies, 2 instructions, 8 bytes of constants, arena 64 bytes, 0 kept\n"
        "body 0: 2 inputs, 2 outputs, arena 64 bytes\n"
        "  cell 0 = 2.0 : float64\n"
        "      0  LOOP block, folds, space [2, 3, 1], cut [2, 3, 1], registers 3, dims [6], 2 micro-operations\n"
        "           r0 = load x +0 strides [1] : float64\n"
        "           r1 = load y +0 strides [0] : float64\n"
        "           r2 = exp r0 : float64\n"
        "           r2 = multiply r2, r1 : float64\n"
        "           out0 +0 = sum r2 : float64\n"
        "     45  SCALAR 4 micro-operations\n"
        "           w1 = load y +0 : float64\n"
        "           w1 = sin w1 : float64\n"
        "           w1 = add w1, w0 : float64\n"
        "           store out1 +0 = w1 : float64"
    )


def test_constants_are_numbers() -> None:
    x, i = var("x", (4,)), var("i", (), "int32")
    table = np.arange(1.0, 5.0)
    chosen = select(i > 2, np.float32(1.5), np.float32(-1.0))
    listing = disassemble(lower(Graph([x, i], (x * table, take(x, np.array([2, 0]), axis=0), chosen, np.full(9, 7)))))
    for said in ("[1.0, 2.0, 3.0, 4.0] +0", "] [2, 0] +0", "cell 0 = 2 : int32", "= 1.5 : float32", "= -1.0 : float32"):
        assert said in listing
    assert not re.search(r"\b[0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2}\b", listing)


def test_comments_fit_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    program = lower(Graph([x := var("x", (4,))], exp(x) + sum(sin(x)) * 2.0 - tanh(x)))  # a long comment on a long line
    for columns in (60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = [line for line in disassemble(program).splitlines() if "#" in line]
        assert lines
        assert all(len(line) <= columns for line in lines)


def test_segments_have_titles() -> None:
    x = var("x", (3,))
    whole, segments, groups = derived(Graph([x], sum(exp(x))))
    lines = text(lower(whole, segments, groups)).splitlines()
    assert [line.strip() for line in lines if line.endswith(":")] == ["forward:", "reverse:", "tangent:"]


def test_each_instruction_has_a_line() -> None:
    x, i = var("x", (4, 4)), var("i", (3,), "int64")
    total, ys = scan(lambda c, row: (c + row, tanh(c)), np.zeros(4), x)
    joined = concatenate([matmul(x, x), take(x, i, axis=0)])
    scattered = x.at[i].add(np.ones((3, 4)))
    program = lower(Graph([x, i], (total, ys, joined, scattered, x[i[0]])))
    listing = disassemble(program)
    for name, count in opcodes(program).items():
        assert len(re.findall(rf"^ +\d+  {name} ", listing, re.MULTILINE)) == count
    assert set(opcodes(program)) >= {"SCAN", "MATMUL", "CALL", "LOOP"}
    assert re.search(r"CALL scatter_add_f64 .*, numbers \[1, 4, 4, 3\]", listing)
    assert "updates updated out3 +0 : float64" in listing
    assert "test_listing.py" in listing, "instructions name the user's line"


@pytest.mark.parametrize("seed", range(25))
def test_every_program_is_listed(seed: int) -> None:
    program = lower(grow(seed, 10 + seed).graph)
    lines = disassemble(program).splitlines()
    instructions = [line for line in lines if re.match(r" +\d+  [A-Z]+ ", line)]
    assert len(instructions) == program.instructions
