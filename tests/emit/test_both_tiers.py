"""The interpreter and native code give the same bits: all rows of the op table, random graphs, all kinds of loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fuzz.graphs import Sample, grow
from fuzz.updates import several_updates
from helpers import COMPILER_MARKS, apply_row, same, shallow
from ops.samples import accepted, cases, edge_case, rows

import pygraph as pg
from pygraph.emit.c_program import core
from pygraph.graph import Graph, Node, var
from pygraph.graph.tree import flatten
from pygraph.ops.dtypes import DTYPES
from pygraph.ops.row import lookup
from pygraph.runtime.call.executable import Executable

pytestmark = COMPILER_MARKS
Array = npt.NDArray[Any]


def leaves(tree: Any) -> list[Array]:
    return [np.asarray(leaf) for leaf in flatten(tree)[0]]


def sweeps(exe: Executable, arrays: Sequence[Array], derivatives: bool) -> list[Array] | str:
    """What all segments give, the later ones twice with other arguments; or how they fail."""
    graph, rng = exe.graph, np.random.default_rng(7)
    try:
        if not derivatives:
            return leaves(exe(*arrays))
        found = leaves(exe.forward(*arrays))
        for _ in range(2):
            seeds = [
                rng.uniform(-1, 1, y.shape).astype(y.dtype) if y.dtype.kind == "f" else None for y in graph.outputs
            ]
            if any(seed is not None for seed in seeds):
                found += leaves(exe.reverse(graph.unflatten(seeds)))
            tangents = [rng.uniform(-1, 1, x.shape).astype(x.dtype) for x in graph.inputs if x.dtype.kind == "f"]
            found += leaves(exe.jvp(*tangents))
    except pg.GraphError as error:
        return f"{type(error).__name__}: {error}"
    return found


def agree(graph: Graph, arrays: Sequence[Array], what: Any = "", derivatives: bool = True) -> Executable:
    """Compare the tiers; returns the native one."""
    wrt = [x for x in graph.inputs if x.dtype.kind == "f"] if derivatives else []
    found = []
    for backend in ("vm", "native"):
        exe = Executable(graph, wrt=wrt or None, backend=backend)
        found.append(sweeps(exe, arrays, bool(wrt)))
    vm, native = found
    if isinstance(vm, str) or isinstance(native, str):
        assert vm == native, what
        return exe
    for at, (expected, got) in enumerate(zip(vm, native, strict=True)):
        assert same(got, expected), f"result {at} of {what}: {got} for {expected}"
    return exe


@pytest.mark.parametrize("dtype", shallow(DTYPES), ids=str)
def test_the_whole_table(dtype: np.dtype[Any]) -> None:
    inputs: list[Node] = []
    outputs: list[Node] = []
    arrays: list[Array] = []
    for name in rows():
        op = lookup(name)
        if dtype not in accepted(op):
            continue
        found = [*cases(op, dtype)][:2]
        if op.pointwise and op.edges:
            found.append(edge_case(op, dtype))
        for case in found:
            variables = [var(f"x{len(inputs) + i}", x.shape, x.dtype) for i, x in enumerate(case.operands)]
            outputs += apply_row(op, variables, case.attrs)
            inputs += variables
            arrays += case.operands
    assert len(outputs) > 60
    agree(Graph(inputs, tuple(outputs), name=f"table of {dtype}"), arrays, dtype, derivatives=False)


@pytest.mark.parametrize("seed", shallow(range(900, 916), 5))
def test_random_graphs(seed: int) -> None:
    sample: Sample = grow(seed, 8 + seed % 20)
    agree(Graph(sample.graph.inputs, tuple(sample.graph.outputs)), sample.arrays, sample)


def test_sums_of_float32() -> None:
    """At least as accurate as NumPy's pairwise sums, whatever the axis and the strides."""
    rng = np.random.default_rng(1)
    arrays = [np.full(1_000_000, 0.1, "float32")]
    arrays += [rng.random(shape, "float32") for shape in ((300, 401), (3, 40_001), (40_001, 3))]
    arrays += [rng.random((70, 900), "float32").T, rng.random((3000, 64), "float32")[::-3, ::2]]
    inputs = [pg.var(f"x{k}", x.shape, x.dtype) for k, x in enumerate(arrays)]
    cases = [(k, f, axis) for k, x in enumerate(arrays) for f in (np.sum, np.var) for axis in range(-1, x.ndim - 1)]
    exe = agree(pg.Graph(inputs, tuple(f(inputs[k], axis) for k, f, axis in cases)), arrays, derivatives=False)
    eps = float(np.finfo("float32").eps)
    for found, (k, f, axis) in zip(leaves(exe(*arrays)), cases, strict=True):
        exact = f(arrays[k].astype("float64"), axis)
        ours, numpys = (np.max(np.abs(sums - exact) / (exact + eps)) for sums in (found, f(arrays[k], axis)))
        assert ours <= (eps if f is np.sum else max(2 * eps, numpys)), f"{f.__name__} of {arrays[k].shape} over {axis}"


def test_carries_of_all_kinds() -> None:
    def step(carry: Any, row: Any) -> Any:
        n, x, v, go = carry
        x = np.sin(x) + 0.5 * row[0]
        v = v * 0.5 + row * x
        return (n + 1, x, pg.where(go, v, v[::-1]), x > 0.2), (v * x, n)

    def several(x: Any, rows: Any) -> Any:
        start = (np.int32(3), x, rows[0], np.True_)
        odd = pg.scan(step, start, rows[:5])
        even = pg.scan(step, start, rows[:4], reverse=True)
        none = pg.scan(step, start, rows[:0])
        return odd, even, none

    rows_ = np.random.default_rng(3).uniform(-1, 1, (6, 3))
    graph = pg.trace(several, 0.3, rows_)
    agree(graph, [np.array(0.3), rows_])


@pytest.mark.parametrize("first", shallow(range(0, 50, 5)))
def test_updates_of_carries(first: int) -> None:
    sample = several_updates(range(first, first + 5))
    agree(sample.graph, sample.arrays, sample)


def test_loops_of_run_time_length() -> None:
    def collatz_like(x: Any, v: Any) -> Any:
        def body(state: Any) -> Any:
            i, y, w = state
            return i + 1, pg.cond(y > 1.0, lambda a: a / 2.0, lambda a: 3.0 * a + 0.1, y), np.cos(w) * y

        return pg.while_loop(lambda state: state[0] < 9, body, (0, x, v), limit=20)

    v = np.array([0.1, 0.7, -2.0])
    agree(pg.trace(collatz_like, 0.7, v), [np.array(0.7), v])


def test_errors_have_the_same_text() -> None:
    def endless(x: Any) -> Any:
        return pg.while_loop(lambda y: y > 0.0, lambda y: y + 1.0, x, limit=5)

    def outside(x: Any, i: Any) -> Any:
        return x[i], x.at[i].add(1.0), x[i[0]]

    agree(pg.trace(endless, 1.0), [np.array(1.0)])
    for index in ([0, 3], [-4, 0], [2, -3]):
        agree(pg.trace(outside, np.zeros(3), np.array([0, 1])), [np.arange(3.0), np.array(index)])


def test_a_long_region_is_cut_and_nothing_is_lost() -> None:
    def long(x: Any, y: Any) -> Any:
        for k in range(200):
            x, y = y * 0.75 + np.sin(x) * 0.5, x - 0.1 * k * y if k % 7 else np.tanh(y) + x
        return x, y, x * y

    exe = agree(pg.trace(long, 0.3, 0.4), [np.array(0.3), np.array(0.4)])
    text = core(exe.program, "net", embed=False, stoppable=True, comments=False).text
    assert text.count("PG_PART void net_scalar") > 4
    assert text.count("pg_sin_f64(") == 1, "a long region calls one copy of an expensive function"
