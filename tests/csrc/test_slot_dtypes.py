"""Slots have dtypes, and the loader refuses what reads or writes a slot as another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pygraph.errors import ProgramError
from pygraph.graph import Graph, scan, switch, var, while_loop
from pygraph.lower import lower
from pygraph.lower.format import BODY_WORDS, HEADER_WORDS, RAW
from pygraph.ops import exp, matmul, sin, sum, take, tanh
from pygraph.ops.counting import iota
from pygraph.ops.dtypes import DTYPES
from pygraph.runtime.clib.library import Library

x, i, a, big = var("x", (5, 6)), var("i", (4,), "int64"), var("a"), var("big", (40_000,))
GRAPHS = {
    "loop": Graph([x], (exp(x), x > 0.5, sum(x, axis=0))),
    "partial results": Graph([big], sum(sin(big))),
    "counts": Graph([x], x * iota(6, 5, -2, "float64")),
    "scalar": Graph([a], (sin(a), a > 1.0)),
    "product": Graph([x], matmul(x, x.T)),
    "call": Graph([x, i], take(x, i, axis=0)),
    "scatter": Graph([x, i], x.at[i].add(np.ones((4, 6)))),
    "scan": Graph([x, a], scan(lambda c, row: (tanh(c * a + sum(row)), c * row), 0.0, x)),
    "branch": Graph([i, x], switch(i[0], [sin, lambda v: v * 2.0], x)),
    "while": Graph([x], while_loop(lambda v: sum(v) < 9.0, lambda v: tanh(v) + 1.0, x, limit=50)),
}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_each_slot_is_used_as_what_it_is(graph: Graph) -> None:
    program = lower(graph)
    Library(program, "as it is")
    at, tried = HEADER_WORDS, 0
    while at < len(program.words):
        for slot in range(at + BODY_WORDS, at + BODY_WORDS + 4 * int(program.words[at + 2]), 4):
            for dtype in range(RAW - 1, len(DTYPES) + 1):
                if dtype == program.words[slot + 1]:
                    continue
                words = program.words.copy()
                words[slot + 1] = dtype
                with pytest.raises(ProgramError, match=r"dtype|holds no elements"):
                    Library(replace(program, words=words), "damaged")
                tried += 1
        at += int(program.words[at])
    assert tried >= 3 * len(DTYPES)
