"""Counts as C: bits equal to the VM's and the reference's, over views of all kinds and beside other operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import ISA, NARROW, ONE_AND_BOTH, SANITIZERS, STRICT, check, has_32_bit, make_case, run, write
from emit.loops import Native, build, emitted
from helpers import COMPILER_MARKS, COMPILERS, shallow
from ops.test_counting import DTYPES, bits, views

import pygraph as pg
from pygraph.graph import Graph, var
from pygraph.graph.reference import evaluate_flat
from pygraph.lower import lower
from pygraph.ops.counting import iota
from pygraph.runtime.call.executable import Executable

pytestmark = COMPILER_MARKS


@pytest.mark.parametrize("dtype", DTYPES)
def test_views(dtype: str) -> None:
    """Both tiers."""
    found = views(dtype)
    graph = Graph([], list(found.values()))
    native = Executable(graph, backend="native")()
    for name, value, right in zip(found, native, evaluate_flat(graph, []), strict=True):
        assert bits(value) == bits(right), name


def loops(dtype: str) -> tuple[list[Any], list[Any]]:
    """Inputs, and outputs that need no kernels: maps and reductions in many and few elements, beside arrays."""
    x, y = var("x", (40, 70), dtype), var("y", (70,), dtype)
    rows, columns = iota(40, 1, dtype=dtype)[:, None], iota(70, 69, -1, dtype)
    wide = iota(9, 2**40, 2**33, dtype)
    outputs = [
        x * columns + rows,
        np.sum(x * columns, axis=1),
        np.max(rows * columns - y, axis=0),
        np.sum(pg.broadcast_to(columns, (40, 70))),
        pg.where(rows == columns, x, y),
        np.sum(iota(100_000, -7, 3, dtype)),
        pg.broadcast_to(iota(300, dtype=dtype)[:, None], (300, 300)) - iota(300, dtype=dtype),
        iota(200_000, 5, -3, dtype) // 2,
        np.transpose(x) * iota(70, dtype=dtype)[::-1][:, None],
        wide,
        wide * wide[::-1],
    ]
    if dtype[0] == "f":
        outputs += [np.sin(columns) * np.exp(x) + np.cos(columns), np.tanh(rows) / np.sqrt(columns + 1.0)]
    return [x, y], outputs


@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
@pytest.mark.parametrize("dtype", DTYPES)
def test_loops(dtype: str, compiler: str) -> None:
    inputs, outputs = loops(dtype)
    exe = Executable(Graph(inputs, outputs), backend="vm")
    rng = np.random.default_rng(0)
    arrays = [(rng.standard_normal(x.shape) * 3).astype(dtype) for x in inputs]
    for number, (value, right) in enumerate(
        zip(Native(exe.program, compiler, "-O2")(*arrays), exe(*arrays), strict=True)
    ):
        assert bits(value) == bits(right), f"output {number}"


@pytest.mark.parametrize("flags", shallow([SANITIZERS, ["-O3"]]), ids=["sanitizers", "O3"])
def test_exports(flags: list[str], tmp_path: Path) -> None:
    """Values and derivatives, in files that stand alone, also where an int has 32 bits."""
    made = []
    for dtype in DTYPES:
        inputs, outputs = loops(dtype)
        arrays = [np.ones(x.shape, dtype) for x in inputs]
        made.append(make_case(f"loops_{dtype}", Graph(inputs, outputs), arrays))
        made.append(make_case(f"views_{dtype}", Graph([], list(views(dtype).values())), []))
    write(tmp_path, made)
    check(tmp_path, made, COMPILERS[0], [*flags, *ISA])
    if has_32_bit(COMPILERS[0]):
        for case in made:
            run([COMPILERS[0], *STRICT, *NARROW, "-fsyntax-only", f"{case.name}.c"], tmp_path)


def test_counts_take_no_memory_in_exports() -> None:
    text = emitted(lower(Graph([], [np.sum(iota(1000, dtype="float64") ** 2), iota(1000)[::-3]])))
    build(text)
    assert "constant" not in text.split("PG_AT(T")[1]
    assert "(double)((int32_t)i0)" in text
    assert "999 - (int64_t)i0 * 3" in text
