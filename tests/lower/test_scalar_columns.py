"""Operations on single elements are lowered in columns: their cells, loads and stores, and what is said of them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from helpers import reference
from programs import bodies_of, derived, instructions

import pygraph as pg
from pygraph.errors import VerificationError
from pygraph.graph import Graph, Node, constant, var
from pygraph.lower import lower, memory_plan
from pygraph.lower.body import Body, Unit
from pygraph.lower.instructions import Scalar
from pygraph.lower.lowering import STAGES, run, verify
from pygraph.lower.program import Micro
from pygraph.lower.steps import LoopStep, ScalarBlock, one_by_one, placed
from pygraph.ops import cos, exp, matmul, sin, sum
from pygraph.runtime.call.executable import Executable


def micros(graph: Graph, *counts: Sequence[int], fuse: bool = True) -> list[list[int]]:
    """The micro-operations of each SCALAR."""
    found = instructions(lower(graph, *counts, fuse=fuse))
    return [[micro.micro for micro in one.micros] for one in found if isinstance(one, Scalar)]


def results(graph: Graph, *arrays: Any) -> None:
    """What runs gives what the reference does, fused and not."""
    given = [np.asarray(x) for x in arrays]
    wanted = reference(graph, given)
    for fuse in (True, False):
        found = Executable(graph, backend="vm", fuse=fuse)(*given)
        for a, b in zip(found if isinstance(found, tuple) else (found,), wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)


def test_an_element_is_loaded_once_and_before_it_is_read() -> None:
    x = var("x", (3,))
    graph = Graph([x], (sin(x[1]) * x[1] + x[2], x[1] + x[0]))
    (found,) = micros(graph)
    assert found.count(Micro.LOAD) == 3
    assert found[0] == found[2 + found[2:].index(Micro.LOAD)] == Micro.LOAD
    assert found[-2:] == [Micro.STORE, Micro.STORE]
    results(graph, [0.5, -2.0, 3.0])


def test_an_element_that_a_product_between_two_regions_loads_is_not_loaded_again() -> None:
    x, y = var("x"), var("y", (1, 1))
    product = matmul(y, y * x)
    graph = Graph([x, y], (product.reshape(()) * x, np.concatenate([product.ravel(), x.reshape(1), x.reshape(1)])))
    assert [one for found in micros(graph) for one in found].count(Micro.LOAD) == 2
    results(graph, 3.0, [[2.0]])


def test_constants_need_a_cell_and_no_load() -> None:
    x = var("x")
    graph = Graph([x], x * 2.5 + constant(np.float64(2.5)) * sin(constant(np.float64(0.5))))
    (body,) = bodies_of(graph)
    assert len(body.constant_cells) == 2
    assert micros(graph)[0].count(Micro.LOAD) == 1
    results(graph, 1.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: sum(x.reshape(1)) * y,
        lambda x, y: sum(sin(x).reshape(1, 1)) + np.max(np.reshape(sin(x), (1,))) * y,
        lambda x, y: np.transpose((x * y).reshape(1, 1))[0, 0] + sin(x * y),
        lambda x, y: np.sum(np.stack([x, y])[:1]) * np.prod(np.reshape(y, (1, 1, 1))),
    ],
)
def test_other_names_of_a_cell(make: Callable[[Node, Node], Node]) -> None:
    """Reductions and views of one element, read in the same segment and by derivatives."""
    x, y = var("x"), var("y")
    graph = Graph([x, y], make(x, y))
    results(graph, 0.7, 1.3)
    whole, segments, groups = derived(graph)
    for fuse in (True, False):
        for body in bodies_of(whole, segments, groups, fuse):
            assert [problem for stage in STAGES[-1:] for problem in stage.check(body)] == []
    gradient = pg.grad(lambda a, b: graph(a, b), argnums=(0, 1))(0.7, 1.3)
    step = 1e-6
    value = pg.compile(graph, backend="vm")
    for found, (a, b) in zip(gradient, ((step, 0.0), (0.0, step)), strict=True):
        change = value(0.7 + a, 1.3 + b) - value(0.7 - a, 1.3 - b)
        np.testing.assert_allclose(found, change / (2 * step), rtol=1e-7)


def test_later_segments_read_cells_of_the_forward_one() -> None:
    """They load nothing but their seeds, and what they read is kept."""
    x = var("x")
    whole, segments, groups = derived(Graph([x], exp(sin(x) * x)))
    (body,) = bodies_of(whole, segments, groups)
    kept = [node for node in body.kept if node in body.forward.cells]
    assert kept
    assert all(body.cells.kept[body.forward.cells[node]] for node in kept)
    forward, *later = micros(whole, segments, groups)
    assert forward.count(Micro.LOAD) == 1
    assert [found.count(Micro.LOAD) for found in later] == [1, 1]


def test_operations_of_a_block_count_as_steps() -> None:
    x, y = var("x", (40,)), var("y")
    graph = Graph([x, y], (sum(sin(x)) * cos(y), exp(x * cos(y))))
    (body,) = bodies_of(graph)
    whole = list(placed(body.steps))
    singly = list(one_by_one(body.steps))
    assert len(singly) > len(whole) > 2
    for now, step in whole:
        first = step.operations().__next__() if isinstance(step, ScalarBlock) else step
        assert (singly[now].node, list(singly[now].writes)) == (first.node, list(first.writes))
    assert body.flops == lower(graph).flops
    last = max(value.last for value in memory_plan([body]).values[0] if not value.kept)
    assert last < len(singly)


def test_blocks_around_a_copy_that_is_left_out_are_one() -> None:
    def step(i: Any, state: Any) -> Any:
        array, number = state
        return pg.cond(number > 1e9, lambda a: a, lambda a: a.at[i].set(sin(number)), array), number * 0.5 + 1.0

    graph = pg.trace(lambda a, b: pg.fori_loop(0, 4, step, (a, b)), np.zeros(9), 2.0)
    for body in bodies_of(graph):
        kinds = [isinstance(one, ScalarBlock) for one in body.steps]
        assert not any(a and b for a, b in pairwise(kinds))
    results(Graph(graph.inputs, tuple(graph.outputs)), np.zeros(9), 2.0)


def test_without_fusion_each_operation_is_an_instruction() -> None:
    x = var("x")
    graph = Graph([x], sin(x) * x)
    assert [len(found) for found in micros(graph, fuse=False)] == [1, 1, 1, 1]
    assert lower(graph, fuse=False).fused_regions == 0


def test_nodes_are_said_as_before() -> None:
    x = var("x", (2,), "float32")
    program = lower(Graph([x], (sum(x), sin(x[0]), pg.sort(x))))
    nodes = program.nodes
    assert len(nodes) == len(list(nodes)) > 2
    assert {info.op for info in nodes} == nodes.ops
    assert nodes[-1] == nodes[len(nodes) - 1] == nodes[len(nodes) - 1 :][0]
    assert {info.type_text for info in nodes} == {"float32", "float32[2]"}
    assert all(info.line is not None and "test_scalar_columns" in str(info.line) for info in nodes if info.op == "sin")
    with pytest.raises(IndexError):
        nodes[len(nodes)]


def _reads_itself(body: Body) -> None:
    body.scalars.a[-1] = len(body.scalars) - 1


def _reads_another(body: Body) -> None:
    body.scalars.b[-1], body.scalars.a[-1] = body.scalars.a[-1], body.scalars.b[-1]


def _reads_too_little(body: Body) -> None:
    body.scalars.b[-1] = 0


def _not_kept(body: Body) -> None:
    body.kept.difference_update(body.forward.cells)


def _overwritten(body: Body) -> None:
    offsets, targets = body.cells.offsets, body.rows.targets
    sine, second = 1, 2
    assert body.rows.kinds[second] >> 8 == Micro.LOAD
    offsets[targets[second]] = offsets[targets[sine]]


@pytest.mark.parametrize(
    ("name", "break_it", "said"),
    [
        ("forward_regions", _reads_itself, "which comes after it"),
        ("forward_regions", _reads_another, "in place of"),
        ("forward_regions", _reads_too_little, "reads 1 cells for 2 operands"),
        ("materialise", _not_kept, "which is not kept"),
        ("plan", _overwritten, "are both alive at step"),
    ],
)
def test_what_is_broken_is_named(name: str, break_it: Callable[[Body], None], said: str) -> None:
    x, y = var("x"), var("y")
    graph = Graph([x, y], sin(x) / y)
    counts = derived(graph) if name == "materialise" else (graph, (), ())
    body = Body(Unit(True, run), counts[0], counts[2], counts[1])
    for stage in STAGES:
        stage.run([body])
        verify(stage, [body])
        if stage.name == name:
            break
    break_it(body)
    with pytest.raises(VerificationError) as error:
        verify(stage, [body])
    assert said in error.value.headline


def test_memory_of_lowering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes for each operation at the peak, with the dictionaries that find them."""
    monkeypatch.setenv("PYGRAPH_CHECK", "0")
    x = y = var("x")
    for _ in range(1500):
        y = sin(y) * x
    graph = Graph([x], y)
    count = len(graph.nodes)
    gc.collect()
    tracemalloc.start()
    try:
        (body,) = bodies_of(graph)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(body.rows) == count + 1
    assert not any(isinstance(step, LoopStep) for step in body.steps)
    assert peak < 350 * count
