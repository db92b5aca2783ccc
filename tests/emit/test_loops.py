"""LOOP instructions as C: bits equal to the VM's, over all forms of maps and reductions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from emit.loops import DISTINCT, Native, emitted, vectorised
from helpers import COMPILER_MARKS, shallow
from optimize.bits import EDGES, identical

import pygraph as pg
from benchmarks.chain import cheap, mixed
from pygraph.graph.tree import flatten
from pygraph.runtime.call.executable import Executable

pytestmark = COMPILER_MARKS

Array = npt.NDArray[Any]
Case = Callable[..., Any]


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Ordinary numbers, and a few that are not."""
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind == "i":
        return rng.integers(-9, 10, shape).astype(dtype)
    found = rng.standard_normal(shape) * 3
    if found.size > 1:
        found.flat[rng.integers(0, found.size, 2)] = rng.choice(EDGES, 2)
    with np.errstate(all="ignore"):
        return np.asarray(found.astype(dtype))


def check(cases: Mapping[str, tuple[Case, tuple[tuple[int, ...], ...]]], dtype: str, compiler: str, *flags: str) -> str:
    """Runs all cases as one graph in C and in the VM; returns the C."""
    graph, arrays, names = graph_of(cases, dtype)
    exe = Executable(graph)
    native = Native(exe.program, compiler, *flags)
    expected = flatten(exe(*arrays))[0]
    for name, one, other in zip(names, native(*arrays), expected, strict=True):
        assert identical(one, np.asarray(other)), f"{name}: {one!r} for {other!r}"
    return native.text


def graph_of(
    cases: Mapping[str, tuple[Case, tuple[tuple[int, ...], ...]]], dtype: str
) -> tuple[pg.Graph, list[Array], list[str]]:
    """All cases as one graph, arguments for it, and of each output the name of its case."""
    rng = np.random.default_rng(0)
    inputs: list[Any] = []
    outputs: list[Any] = []
    names: list[str] = []
    arrays: list[Array] = []
    for name, (function, shapes) in cases.items():
        given = [pg.var(f"{name}{i}", shape, dtype) for i, shape in enumerate(shapes)]
        found = function(*given)
        found = found if isinstance(found, tuple) else (found,)
        inputs += given
        arrays += [values(rng, shape, np.dtype(dtype)) for shape in shapes]
        outputs += found
        names += [name] * len(found)
    return pg.Graph(inputs, tuple(outputs)), arrays, names


MAPS: dict[str, tuple[Case, tuple[tuple[int, ...], ...]]] = {
    "line": (lambda x, y: (x * y + x, np.maximum(x, y)), ((1000,), (1000,))),
    "short": (lambda x, y: x * y - x, ((7,), (7,))),
    "one": (lambda x, y: x * y + y, ((1,), (1,))),
    "scalar": (lambda x, y: x * y, ((), (3,))),
    "none": (lambda x: x * x, ((0, 3),)),
    "broadcast": (lambda x, y, z: x * y + z, ((30, 40), (40,), (30, 1))),
    "outer": (lambda x, y: x * y, ((50, 1), (70,))),
    "cube": (lambda x, y, z: (x + y) * z, ((5, 1, 9), (4, 1), (5, 4, 1))),
    "turned": (lambda x, y: x.T + y, ((60, 50), (50, 60))),
    "turned_large": (lambda x, y: (x.T + y, np.sin(x.T) * y), ((130, 150), (150, 130))),
    "backwards": (lambda x: x[::-1] * x, ((200,),)),
    "steps": (lambda x: x[1::3] + x[:-1:3], ((301,),)),
    "narrow": (lambda x, y: x * y, ((600, 3), (600, 1))),
    "joined": (lambda x, y: np.concatenate([x * y, y], axis=1), ((30, 4), (30, 4))),
    "choice": (lambda x, y: np.where((x > y) & (x != 1), x, y) * (x == y), ((900,), (900,))),
    "same": (lambda x: (x == x, np.maximum(x, x)), ((900,),)),
    "whole": (lambda x: (x * 0.1).astype("int64").astype("float64"), ((7,),)),
    "truth": (lambda x, y: ((x > y) | (y == 2), x >= y), ((900,), (900,))),
    "tasks": (lambda x, y: x * x + y, ((300, 200), (200,))),
    "long": (lambda x: x * x + x, ((70_000,),)),
}

APART: dict[str, tuple[Case, tuple[tuple[int, ...], ...]]] = {
    "line": (lambda x, y: np.sin(x * y) * np.cos(np.sin(y) + x), ((1100,), (1100,))),
    "tiny": (lambda x: np.sin(x) * x, ((5,),)),
    "plane": (lambda x, y, z: (np.sin(x * y) * np.cos(np.sin(z) + x), np.sin(z) * y), ((300, 40), (40,), (300, 1))),
    "several": (lambda x: np.tanh(np.log(x * x + 1.0)) * np.exp(-x), ((1500,),)),
    "large": (lambda x: np.sin(x * 1e9) + np.tan(x), ((600,),)),
    "sum": (lambda x, y: (np.sum(np.sin(x) * y), np.cos(x) + y), ((2000,), (2000,))),
    "rows": (lambda x, y: np.sum(np.sin(x) * np.exp(np.cos(y)), axis=1), ((40, 50), (50,))),
    "columns": (lambda x, y: np.sum(np.sin(x) * y, axis=0), ((300, 40), (40,))),
    "wide": (lambda x, y: np.sum(np.sin(x) * y, axis=0), ((12, 3000), (3000,))),
    "few": (lambda x, y: np.sum(np.sin(x) * y, axis=1), ((500, 3), (3,))),
    "narrow": (lambda x, y: np.sum(np.sin(x) * y, axis=0), ((500, 3), (3,))),
    "tasks": (lambda x, y: np.sum(np.sin(x) * y), ((300, 200), (200,))),
}


def _table(x: Any, with_sine: bool, columns: int = 5) -> Any:
    """Columns of a matrix, from columns of another."""
    found = [np.sin(x[:, 0]) if with_sine else x[:, 0] * 2]
    for k in range(columns):
        found.append(found[-1] * x[:, 1] + x[:, 2] * k)
    return np.stack([*found, np.ones(x.shape[0], x.dtype), x[:, 2]], axis=1)


SPREAD: dict[str, tuple[Case, tuple[tuple[int, ...], ...]]] = {
    "columns": (partial(_table, with_sine=False), ((900, 3),)),
    "blocks": (partial(_table, with_sine=True), ((903, 3),)),
    "tiny": (partial(_table, with_sine=True), ((9, 3),)),
    "tasks": (partial(_table, with_sine=True, columns=20), ((40_000, 3),)),
    "many": (partial(_table, with_sine=True, columns=200), ((70, 3),)),
    "used": (lambda x: (lambda y: (y, y[::-1] * 2))(_table(x, True)), ((500, 3),)),
    "planes": (lambda x: _table(x, True)[::-1, ::3] * x, ((500, 3),)),
    "turned": (lambda x, y: (x.T * y + y * y - x.T) * (y + x.T) * (x.T - 2) + y * y, ((60, 50), (50, 60))),
}

#: Those that take floating arrays only.
WITH_SINES = ("blocks", "tiny", "tasks", "used", "planes")

REDUCTIONS: dict[str, tuple[Case, tuple[tuple[int, ...], ...]]] = {
    "line": (lambda x: (np.sum(x * x), np.max(x)), ((1000,),)),
    "short": (lambda x: (np.sum(x + x), np.min(x)), ((15,),)),
    "lanes": (lambda x: (np.sum(x + x), np.prod(x)), ((16,),)),
    "uneven": (lambda x: np.sum(x + x, axis=1), ((40, 37),)),
    "one": (lambda x: np.sum(x + x), ((1,),)),
    "empty": (lambda x: (np.sum(x, axis=0), np.prod(x, axis=0)), ((0, 3),)),
    "none": (lambda x: np.sum(x, axis=1), ((0, 3),)),
    "chunks": (lambda x: (np.sum(x + x), np.max(x)), ((100_000,),)),
    "chunks_of_two": (lambda x: np.sum(x + x, axis=1), ((2, 70_000),)),
    "chunks_of_columns": (lambda x: np.sum(x + x, axis=0), ((3000, 24),)),
    "chunks_of_few": (lambda x: np.sum(x + x, axis=0), ((30_000, 3),)),
    "chunks_of_planes": (lambda x, y: np.sum(x * y, axis=(0, 1)), ((300, 7, 20), (7, 20))),
    "chunks_of_thin_planes": (lambda x, y: np.sum(x * y, axis=(0, 1)), ((3000, 7, 3), (3000, 1, 3))),
    "chunks_of_broadcast": (lambda x, y: np.sum(x * y), ((300, 200), (200,))),
    "rows": (lambda x, y: np.sum((x - y) * (x - y), axis=1), ((30, 400), (30, 1))),
    "few_rows": (lambda x: np.sum(x + x, axis=0), ((5, 300),)),
    "few": (lambda x, y: np.sum(x * y, axis=-1), ((300, 3), (3,))),
    "columns": (lambda x, y: (np.sum(x * y, axis=0), np.max(x + y, axis=0)), ((300, 40), (40,))),
    "narrow": (lambda x, y: np.sum(x * y, axis=0), ((300, 3), (300, 1))),
    "wide": (lambda x, y: np.sum(x * y, axis=0), ((20, 5000), (20, 1))),
    "wide_rows": (lambda x: np.sum(x + x, axis=0), ((2, 50_000),)),
    "planes": (lambda x, y: np.sum(x * y, axis=(0, 2)), ((20, 30, 40), (30, 1))),
    "middle": (lambda x, y: np.sum(x * y, axis=1), ((20, 30, 40), (30, 1))),
    "broadcast": (lambda x, y: np.sum(x * y), ((40, 50), (50,))),
    "broadcast_small": (lambda x, y: np.sum(x * y), ((7, 50), (50,))),
    "broadcast_thin": (lambda x, y: np.sum(x * y), ((700, 3), (700, 1))),
    "broadcast_thin_planes": (lambda x, y: np.sum(x * y), ((100, 5, 3), (100, 1, 3))),
    "thin_planes": (lambda x, y: np.sum(x * y, axis=(0, 1)), ((100, 5, 3), (100, 1, 3))),
    "turned": (lambda x, y: np.sum(x.T * y), ((50, 40), (40, 50))),
    "also_stored": (lambda x, y: (np.sum(x * y), x * y + 1), ((2000,), (2000,))),
    "tasks": (lambda x: np.sum(x + x, axis=1), ((300, 400),)),
    "task_columns": (lambda x: np.sum(x + x, axis=1), ((3, 30, 900),)),
}


GROUPS = {"map": MAPS, "apart": APART, "reduction": REDUCTIONS}

#: The first compiler with all types, the others with one.
FLOATS = [
    *((dtype, compiler) for dtype in ("float64", "float32") for compiler in DISTINCT[:1]),
    *(("float64", compiler) for compiler in DISTINCT[1:]),
]
INTEGERS = [(dtype, compiler) for dtype in ("int64", "int32") for compiler in DISTINCT[:1]]
RUNS = [*FLOATS[:2], *INTEGERS[:1], *FLOATS[2:], *INTEGERS[1:]]


@pytest.mark.parametrize(("dtype", "compiler"), shallow(RUNS, 3))
def test_maps(dtype: str, compiler: str) -> None:
    text = check(MAPS, dtype, compiler)
    assert "pg_tasks(call, 2," in text


@pytest.mark.parametrize(("dtype", "compiler"), shallow(FLOATS, 2))
def test_operations_that_run_block_by_block(dtype: str, compiler: str) -> None:
    text = check(APART, dtype, compiler)
    assert f"pg_block_sin_f{dtype[-2:]}(" in text


@pytest.mark.parametrize(("dtype", "compiler"), shallow(RUNS))
def test_what_lies_apart_is_copied_to_blocks(dtype: str, compiler: str) -> None:
    left_out = () if np.dtype(dtype).kind == "f" else WITH_SINES
    check({name: SPREAD[name] for name in SPREAD if name not in (*left_out, "many")}, dtype, compiler)


@pytest.mark.deep
@pytest.mark.parametrize(("dtype", "compiler"), FLOATS)
def test_two_hundred_columns(dtype: str, compiler: str) -> None:
    check({"many": SPREAD["many"]}, dtype, compiler)


@pytest.mark.parametrize(("dtype", "compiler"), shallow(RUNS, 3))
def test_reductions(dtype: str, compiler: str) -> None:
    text = check(REDUCTIONS, dtype, compiler)
    suffix = {"float64": "f64", "float32": "f32"}.get(dtype, "i64")  # integers are summed in 64 bits
    assert all(f"pg_{what}_sum_{suffix}(" in text for what in ("rows", "accumulate", "combine"))


def test_truths_reduce() -> None:
    cases: dict[str, tuple[Case, tuple[tuple[int, ...], ...]]] = {
        "all": (lambda x, y: (np.all(x | y), np.any(x & y, axis=0), np.all(x, axis=1)), ((300, 40), (300, 40))),
        "many": (lambda x: (np.all(x), np.any(~x)), ((70_000,),)),
    }
    check(cases, "bool", DISTINCT[0])


@pytest.mark.parametrize("compiler", shallow(DISTINCT))
def test_with_less_optimisation(compiler: str) -> None:
    check(MAPS, "float64", compiler, "-O2")
    check({**MAPS, "sum": REDUCTIONS["line"], "chunks": REDUCTIONS["chunks_of_broadcast"]}, "float64", compiler, "-O0")
    check(REDUCTIONS, "float64", compiler, "-O0")


def test_results_of_two_sizes() -> None:
    x = pg.var("x", (90_000,), "float64")
    exe = Executable(pg.Graph([x], (np.sum(x * x), np.sum((x * x).astype("float32")), np.max(x > 2.0))))
    array = values(np.random.default_rng(1), (90_000,), np.dtype("float64"))
    for one, other in zip(Native(exe.program)(array), flatten(exe(array))[0], strict=True):
        assert identical(one, np.asarray(other))


@pytest.mark.parametrize("compiler", shallow(DISTINCT))
@pytest.mark.parametrize("chain", [cheap, mixed])
def test_the_loops_of_the_benchmark_vectorise(chain: Case, compiler: str) -> None:
    graph = pg.trace(pg.value_and_grad(partial(chain, np)), np.zeros(1000))
    text = emitted(Executable(graph).program)
    lines = text.split("\n")
    loops = {number + 2 for number, line in enumerate(lines) if line.strip() == "PG_IVDEP"}
    assert loops
    missed = loops - vectorised(text, compiler)
    assert not missed, "\n".join(lines[number - 1] for number in sorted(missed)) + "\n" + text


@pytest.mark.deep
def test_threads_decide_nothing_in_all_forms() -> None:
    threads_decide_nothing(GROUPS)


def test_threads_decide_nothing() -> None:
    threads_decide_nothing({name: dict([*group.items()][:4]) for name, group in GROUPS.items()})


def threads_decide_nothing(groups: Mapping[str, Mapping[str, Any]]) -> None:
    cases = {f"{kind}_{name}": case for kind, group in groups.items() for name, case in group.items()}
    graph, arrays, names = graph_of(cases, "float64")
    expected = flatten(Executable(graph, backend="vm", threads=1)(*arrays))[0]
    found = flatten(Executable(graph, backend="native", threads=3)(*arrays))[0]
    for name, one, other in zip(names, found, expected, strict=True):
        assert identical(np.asarray(one), np.asarray(other)), name
