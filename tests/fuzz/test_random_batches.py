"""Random graphs as batches: C against the reference of each example, for random choices of batched inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fuzz.graphs import grow
from fuzz.test_random_graphs import SEEDS, Compared, compare, expected, listed, options, run
from helpers import shallow
from hypothesis import given, strategies as st

from pygraph.autodiff import batch, vjp
from pygraph.graph import Graph, Node, var

SIZE = 3


def check(graph: Graph, arrays: list[Any], seed: int, compared: Compared) -> None:
    """Each example of the batch is what the graph gives for it."""
    rng = np.random.default_rng([seed, 9])
    flags = [bool(flag) for flag in rng.random(len(graph.inputs)) < 0.6]
    wide: list[Node | None] = []
    values, each = [], [[] for _ in range(SIZE)]
    for node, array, flag in zip(graph.inputs, arrays, flags, strict=True):
        examples = [array] * SIZE
        if flag and node.dtype.kind == "f":  # indices stay as they are, so that they stay within their axes
            examples = [array, *(array * node.dtype.type(factor) for factor in (0.9, 0.8))]
        wide.append(var(f"b_{node.attrs['name']}", (SIZE, *node.shape), node.dtype) if flag else None)
        values.append(np.stack(examples) if flag else array)
        for i in range(SIZE):
            each[i].append(examples[i])
    outputs, has_axis = batch(graph.outputs, graph.inputs, wide, SIZE)
    whole = Graph([x if w is None else w for w, x in zip(wide, graph.inputs, strict=True)], tuple(outputs))
    whole.verify("differentiated")
    compared.count(whole)
    found = run(whole, values)
    for i in range(SIZE):
        wanted = expected(graph, each[i], seed)
        compare(
            [x[i] if flag else x for x, flag in zip(found, has_axis, strict=True)], wanted, f"example {i}", compared
        )


@pytest.mark.parametrize("examples", shallow([40, 300]))
def test_values(examples: int) -> None:
    compared = Compared()

    @given(SEEDS, st.integers(1, 25))
    @options(examples)
    def check_all(seed: int, count: int) -> None:
        sample = grow(seed, count)
        with listed(sample):
            check(sample.graph, sample.arrays, seed, compared)

    check_all()
    compared.require()


@pytest.mark.parametrize("examples", shallow([40, 300]))
def test_gradients(examples: int) -> None:
    compared = Compared()

    @given(SEEDS, st.integers(1, 15))
    @options(examples)
    def check_all(seed: int, count: int) -> None:
        sample = grow(seed, count)
        floats = [x for x in sample.graph.inputs if x.dtype.kind == "f"]
        outputs = [y for y in sample.graph.outputs if y.dtype.kind == "f"]
        seeds = [var(f"s{i}", y.shape, y.dtype) for i, y in enumerate(outputs)]
        rng = np.random.default_rng([seed, 10])
        gradients = [x for x in vjp(outputs, floats, seeds) if x is not None]
        graph = Graph([*sample.graph.inputs, *seeds], tuple(gradients), name="gradient")
        arrays = [*sample.arrays, *(rng.uniform(-1, 1, x.shape).astype(x.dtype) for x in seeds)]
        with listed(sample):
            check(graph, arrays, seed, compared)

    check_all()
    compared.require()
