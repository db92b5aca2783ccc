"""One node per expression: interning, constants by content, and no recursion over nodes."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import pygraph as pg
from pygraph.errors import GraphError
from pygraph.graph import Graph, Node, as_node, constant, depends_on, make, scan, substitute, trace, var, walk
from pygraph.graph.graph import unified
from pygraph.graph.interning import SHARED
from pygraph.ops.row import lookup
from pygraph.optimize import optimize

DEEP = pytest.mark.parametrize("depth", [10_000, pytest.param(100_000, marks=pytest.mark.deep)])


def chain(x: Node, steps: int) -> Node:
    for _ in range(steps):
        x = x * 0.5
    return x


def test_the_same_expression_is_the_same_object() -> None:
    x, y = var("x", (3,)), var("y", (3,))
    assert x * y + 1.0 is x * y + 1.0
    assert np.sin(x) is np.sin(x)
    assert x.reshape(3, 1) is x.reshape((3, 1))
    assert x.sum(axis=0) is np.sum(x, axis=-1)
    assert x * y is not y * x
    assert x.sum() is not x.prod()


def test_variables_of_one_name_differ() -> None:
    assert var("x") is not var("x")


def test_nodes_are_keys_by_identity() -> None:
    x, y = var("x"), var("x")
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y, x}) == 2
    assert copy.deepcopy(x) is x
    assert copy.copy(x) is x


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_zeros_and_nans_are_told_apart_by_their_bits(dtype: str) -> None:
    kind = np.dtype(dtype).type
    word = np.uint64 if dtype == "float64" else np.uint32
    nan = np.array(np.nan, dtype)
    other = (nan.view(word) ^ word(1)).view(dtype)
    assert np.isnan(other)
    assert constant(kind(0.0)) is not constant(kind(-0.0))
    assert constant(nan) is constant(nan.copy())
    assert constant(nan) is not constant(other)
    assert constant(kind(1.0)) is constant(np.array(1.0, dtype))


def test_constants_differ_by_dtype_and_shape() -> None:
    made = [constant(1), constant(1.0), constant(True), constant(np.float32(1)), constant(np.int32(1)), constant([1.0])]
    assert len(set(made)) == len(made)
    assert [node.dtype.name for node in made] == ["int64", "float64", "bool", "float32", "int32", "float64"]
    assert constant(np.zeros((2, 0))) is not constant(np.zeros((0, 2)))


def test_a_constant_is_a_copy_that_cannot_change() -> None:
    array = np.arange(6.0).reshape(2, 3)
    node = constant(array.T)
    array[:] = 7.0
    value = node.attrs["value"].value
    assert value.flags.c_contiguous
    assert not value.flags.writeable
    assert value.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]


def test_large_constants_are_compared_whole() -> None:
    array = np.zeros(10_000)
    before = constant(array)
    array[5_000] = 1.0  # in neither of the ends that the hash looks at
    assert constant(array) is not before
    array[5_000] = 0.0
    assert constant(array) is before


def test_nodes_are_forgotten() -> None:
    gc.collect()
    before = len(SHARED)
    x = var("x")
    y = chain(x, 1000)
    assert len(SHARED) >= before + 1000  # all but the variable, which a table knows once it is stored
    del x, y
    gc.collect()
    assert len(SHARED) <= before


def test_many_threads_make_the_same_nodes() -> None:
    x = var("x")
    found: list[Node] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.append(chain(x, 2000))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_trace_goes_with_its_last_node() -> None:
    made: list[weakref.ref[Node]] = []

    def f(x: Node) -> Node:
        made.extend(map(weakref.ref, walk([chain(x, 100), np.sin(x)])))
        return chain(x, 100)

    gc.collect()
    gc.disable()
    try:
        graph = trace(f, np.float64(1.0))
        assert sum(reference() is None for reference in made) == 1  # sin, which is not returned
        del graph
        assert [reference() for reference in made if reference() is not None] == []
    finally:
        gc.enable()


def test_what_two_traces_made_is_one_node_when_it_is_compiled() -> None:
    x = var("x")
    first, second = (trace(lambda: np.sin(x) * 2.0).outputs[0] for _ in range(2))
    assert first is not second
    graph = Graph([x], (first, second, first + second))
    same = unified(graph)
    assert same.outputs[0] is same.outputs[1] is same.outputs[2].inputs[1]
    assert len(same.nodes) == 5
    assert unified(same) is same
    assert pg.compile(graph, backend="vm").stats.micro_operations == 3


def test_bodies_of_two_traces_are_one_too() -> None:
    x = var("x", 3)

    def loop() -> Node:
        return scan(lambda c, y: (c + np.exp(y), None), 0.0, x)[0]

    graph = Graph([x], tuple(trace(loop).outputs[0] for _ in range(2)))
    assert len([node for node in optimize(graph).nodes if node.op.loop]) == 1


@pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.deep)])
def test_compilations_leave_nothing_behind(count: int) -> None:
    def compile_all(first: int, count: int) -> int:
        for i in range(first, first + count):
            pg.compile(pg.grad(lambda x, i=i: pg.sin(x) * i + x**i), backend="vm")(1.0)
        gc.collect()
        return len(gc.get_objects())

    before = compile_all(2, 20)
    assert compile_all(30, count) - before < 20 * count  # what is cached of each is bounded


@DEEP
def test_deep_graphs_need_no_stack(depth: int) -> None:
    x, y = var("x"), var("y")
    root = chain(x, depth)
    order = walk([root])
    assert len(order) == depth + 2
    (moved,) = substitute([root], {x: y})
    assert moved is not root
    assert len(depends_on([moved], [y])) == depth + 1
    graph = Graph([x], root)
    assert hash(graph) == hash(Graph([x], root))
    graph.verify()
    assert str(graph).count("\n") == depth + 1
    assert repr(root) == "<multiply : float64>"
    loaded = pickle.loads(pickle.dumps(graph))
    assert loaded.outputs[0] is root
    assert pickle.loads(pickle.dumps(root)) is root
    del root, order, moved, graph, loaded
    gc.collect()


def test_make_counts_operands() -> None:
    with pytest.raises(GraphError, match="tracing sin: 2 operands given"):
        make(lookup("sin"), (as_node(1.0), as_node(2.0)))
