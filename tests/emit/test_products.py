"""MATMUL instructions as C: bits equal to the VM's, small products as loops and large ones by the VM's own panels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from emit.loops import DISTINCT, Native
from helpers import COMPILER_MARKS
from optimize.bits import identical

import pygraph as pg
from pygraph.graph.tree import flatten
from pygraph.runtime.call.executable import Executable

pytestmark = COMPILER_MARKS

Array = npt.NDArray[Any]
Shapes = tuple[tuple[int, ...], tuple[int, ...]]

#: Products that no BLAS computes: few multiplications each.
SMALL: tuple[Shapes, ...] = (
    ((3, 4), (4, 5)),
    ((7, 8), (8, 8)),
    ((2, 30), (30, 3)),
    ((1, 90), (90, 1)),
    ((20,), (20,)),
    ((3, 20), (20,)),
    ((20,), (20, 3)),
    ((3, 0), (0, 2)),
    ((0, 3), (3, 2)),
    ((5, 3, 4), (4, 2)),
    ((5, 3, 4), (5, 4, 2)),
    ((2, 1, 3, 4), (1, 6, 4, 3)),
    ((4000, 5, 6), (4000, 6, 5)),
    ((300, 1, 5, 6), (1, 20, 6, 5)),
)
#: Products by BLAS in floats: one panel, several panels, a last panel of few rows, batches in tasks.
LARGE: tuple[Shapes, ...] = (
    ((40, 50), (50, 60)),
    ((600, 90), (90, 100)),
    ((520, 1000), (1000,)),
    ((262_150, 2), (2,)),
    ((70, 20, 50), (70, 50, 40)),
    ((3, 1, 20, 50), (1, 2, 50, 40)),
)


def graph_of(shapes: tuple[Shapes, ...], dtype: str) -> tuple[pg.Graph, list[Array]]:
    """All products, also of transposed matrices, and arguments."""
    rng = np.random.default_rng(0)
    inputs: list[Any] = []
    outputs: list[Any] = []
    arrays: list[Array] = []
    for i, (left, right) in enumerate(shapes):
        x, y = pg.var(f"x{i}", left, dtype), pg.var(f"y{i}", right, dtype)
        inputs += [x, y]
        outputs.append(x @ y)
        if len(left) == len(right) == 2:
            outputs += [y.T @ x.T, (x @ y).T @ x]
        arrays += [(rng.standard_normal(shape) * 9).astype(dtype) for shape in (left, right)]
    return pg.Graph(inputs, tuple(outputs)), arrays


def assert_alike(found: list[Array], expected: list[Any]) -> None:
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert identical(np.asarray(one), np.asarray(other)), f"output {number}"


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_small_products_are_loops(dtype: str) -> None:
    graph, arrays = graph_of(SMALL, dtype)
    exe = Executable(graph)
    native = Native(exe.program)
    assert "pg_product" not in native.text.split("net_frame;")[1]
    assert_alike(native(*arrays), flatten(exe(*arrays))[0])


@pytest.mark.parametrize("compiler", DISTINCT)
def test_small_products_without_optimisation(compiler: str) -> None:
    graph, arrays = graph_of(SMALL, "float64")
    exe = Executable(graph)
    assert_alike(Native(exe.program, compiler, "-O0")(*arrays), flatten(exe(*arrays))[0])


def test_large_integer_products_are_loops() -> None:
    graph, arrays = graph_of(LARGE, "int64")
    exe = Executable(graph)
    assert_alike(Native(exe.program)(*arrays), flatten(exe(*arrays))[0])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_products_are_those_of_the_vm(dtype: str, threads: int) -> None:
    graph, arrays = graph_of(LARGE, dtype)
    vm = Executable(graph, backend="vm")
    native = Executable(graph, backend="native", threads=threads)
    assert_alike(flatten(native(*arrays))[0], flatten(vm(*arrays))[0])
