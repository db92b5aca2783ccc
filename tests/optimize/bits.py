"""Whether two graphs compute the same bits, on values where they could differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pygraph.graph import Graph, Node
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize

Array = npt.NDArray[Any]

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -1.5, 3.0, 1e308, -1e308, 5e-324, -3e-310, 2.0**-1022, np.inf, -np.inf, np.nan, 0.1]


def sample(node: Node, rng: np.random.Generator) -> Array:
    """A value for a variable: zeros of both signs, extremes, infinities and nan among ordinary numbers."""
    if node.dtype.kind == "f":
        with np.errstate(all="ignore"):
            edges = rng.choice(np.array(EDGES), node.shape).astype(node.dtype)
        return np.where(rng.random(node.shape) < 0.5, edges, rng.standard_normal(node.shape).astype(node.dtype))
    if node.dtype.kind == "b":
        return rng.random(node.shape) < 0.5
    limits = np.iinfo(node.dtype)
    values = rng.integers(-4, 5, node.shape, dtype=node.dtype)
    return np.where(rng.random(node.shape) < 0.2, rng.choice([limits.min, limits.max], node.shape), values).astype(
        node.dtype
    )


def identical(actual: Array, expected: Array) -> bool:
    """Equal shape, dtype and bits, all nans being one."""
    if (actual.shape, actual.dtype) != (expected.shape, expected.dtype):
        return False
    if actual.dtype.kind != "f":
        return bool(np.array_equal(actual, expected))
    nan = np.isnan(actual)
    return bool(
        np.array_equal(nan, np.isnan(expected))
        and np.array_equal(np.signbit(actual[~nan]), np.signbit(expected[~nan]))
        and np.array_equal(actual[~nan], expected[~nan])
    )


def optimised(inputs: Sequence[Node], outputs: Sequence[Node], tries: int = 20, finite: bool = False) -> Graph:
    """The optimised graph, checked to give the same bits as the original on sampled values."""
    graph = Graph(list(inputs), list(outputs))
    better = optimize(graph)
    better.verify("optimised")
    assert better.inputs == graph.inputs or all(map(lambda a, b: a is b, better.inputs, graph.inputs))
    rng = np.random.default_rng(1)
    for _ in range(tries):
        values = [sample(node, rng) for node in inputs]
        if finite:  # sums and products by BLAS: small whole numbers add up to the same bits in any order
            values = [rng.integers(-8, 9, node.shape).astype(node.dtype) for node in inputs]
        for one, other in zip(evaluate_flat(graph, values), evaluate_flat(better, values), strict=True):
            assert identical(other, one), f"{other!r} for {one!r}\n{graph}\n{better}"
    return better
