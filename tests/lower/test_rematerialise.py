"""What is kept and what is recomputed: the cut against all choices, its limits, and that results don't change."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pytest
from programs import derived

from pygraph.graph import Graph, Node, var
from pygraph.graph.traversal import walk
from pygraph.lower import Program, lower, lowering
from pygraph.lower.rematerialise import COPY, DEPTH, DIVIDE, KEEP, RECOMPUTE, rematerialised
from pygraph.ops import absolute, exp, less, matmul, mean, sin, sqrt, sum, tanh, where
from pygraph.runtime.call.executable import Executable

pytestmark = pytest.mark.sanitize
N = 1000
#: The stages without rematerialisation.
WITHOUT = tuple(stage for stage in lowering.STAGES if stage.name != "rematerialise")
OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, _: sin(a),
    lambda a, _: absolute(a),
    less,
]


def kept(output: Node, *inputs: Node) -> int:
    """The arrays of N float64 that the forward segment keeps."""
    return lower(*derived(Graph(inputs, output))).cached_bytes // (8 * N)


def random_graph(seed: int) -> tuple[list[Node], list[Node], list[Node]]:
    """Inputs, all nodes in order, and what is read later, of a random graph of elementwise operations."""
    rng = np.random.default_rng(seed)
    inputs = [var(f"x{i}", (10,), ["float64", "float32"][int(rng.integers(2))]) for i in range(2)]
    nodes = list(inputs)
    for _ in range(int(rng.integers(3, 12))):
        a, b = (nodes[int(rng.integers(max(0, len(nodes) - 5), len(nodes)))] for _ in range(2))
        made = OPERATIONS[int(rng.integers(len(OPERATIONS)))](a, b)
        nodes.append(made if made.dtype.kind == "f" else where(made, a, b))
    order = [node for node in walk(nodes[2:]) if node.op.name not in ("input", "constant")]
    read = [order[int(i)] for i in rng.choice(len(order), size=min(4, len(order)), replace=False)]
    return inputs, order, list(dict.fromkeys([*read, *(x for x in inputs if rng.random() < 0.4)]))


def cost(again: set[Node], read: list[Node]) -> int:
    """What computing `again` and keeping all else that is read costs."""
    total, seen, stack = 0, set(), list(read)
    while stack:
        node = stack.pop()
        if node in seen or node.op.name == "constant":
            continue
        seen.add(node)
        if node in again:
            size = max(prod(x.shape) * x.dtype.itemsize for x in (node, *node.inputs))
            total += (DIVIDE if node.op.name in ("divide", "reciprocal") else RECOMPUTE) * size
            stack.extend(node.inputs)
        else:
            total += (COPY if node.op.name == "input" else KEEP) * prod(node.shape) * node.dtype.itemsize
    return total


@pytest.mark.parametrize("seed", range(60))
def test_no_choice_costs_less(seed: int) -> None:
    _, order, read = random_graph(seed)
    later = [x * var("seed", x.shape, x.dtype) for x in read]
    cheap = [node for node in order if node.op.cheap]
    found = rematerialised(order, set(order).__contains__, [later], [])
    assert found <= set(cheap)
    best = min(cost(set(some), read) for k in range(len(cheap) + 1) for some in combinations(cheap, k))
    assert cost(found, read) == best


def test_cheap_values_are_computed_again_from_what_is_kept_anyway() -> None:
    x, y = var("x", (N,)), var("y", (N,))
    assert kept(sum(x * x * x * x), x) == 1
    assert kept(sum((x - y) ** 2 * (x + y)), x, y) == 2
    assert kept(sum(where(less(x, y), x * y, x - y) * y), x, y) == 2


def test_what_is_dear_to_compute_is_kept() -> None:
    x = var("x", (N,))
    assert kept(sum(sin(x) * x), x) == 2, "sin(x) for the product, x for the product and for cos(x)"
    assert kept(sum(tanh(x) * sqrt(x)), x) == 2, "their own results, and not x"
    assert kept(sum(exp(2.0 * x + 1.0)), x) == 1


def test_one_kept_value_takes_the_place_of_two_inputs() -> None:
    x, y = var("x", (N,)), var("y", (N,))
    assert kept(sum(sin(x - y)), x, y) == 1
    assert kept(sum(sin(x - y) * x), x, y) == 3, "x and y and the sine; their difference is recomputed"


def test_what_must_lie_in_memory_is_kept() -> None:
    x, w = var("x", (N, 1)), var("w", (1, 1))
    again = lower(*derived(Graph([x, w], sum((x * 2.0 + 1.0) ** 2))))
    product = lower(*derived(Graph([x, w], sum(matmul(x * 2.0 + 1.0, w) ** 2))))
    assert again.cached_bytes == 8 * N
    assert product.cached_bytes == 2 * 8 * N + 8, "the factor, the product, and w"


def polynomial(x: Any, degree: int) -> Any:
    value = x * 0.0 + 0.5
    for k in range(degree):
        value = value * x + 1.0 / (k + 2)
    return value


@pytest.mark.parametrize("degree", [4, 100, pytest.param(1000, marks=pytest.mark.deep)])
def test_long_chains_are_kept_at_some_places(degree: int) -> None:
    x = var("x", (N,))
    count = kept(sum(polynomial(x, degree)), x)
    assert count <= 1 + 2 * degree / DEPTH
    assert count >= 2 * degree / DEPTH - 10


def test_single_elements_are_kept_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = var("x"), var("y")
    graph, *counts = derived(Graph([x, y], polynomial(x, 10) * sin(x - y)))
    program = lower(graph, *counts)
    monkeypatch.setattr(lowering, "STAGES", WITHOUT)
    assert np.array_equal(lower(graph, *counts).words, program.words)


def layer_norm(x: Any, gain: Any) -> Any:
    centred = x - mean(x, axis=1, keepdims=True)
    return centred / sqrt(mean(centred**2, axis=1, keepdims=True) + 1e-5) * gain


def test_layer_norm_keeps_less(monkeypatch: pytest.MonkeyPatch) -> None:
    x, gain = var("x", (50, 30)), var("gain", (30,))
    whole = derived(Graph([x, gain], sum(tanh(layer_norm(x, gain)))))
    less_kept = lower(*whole).cached_bytes
    monkeypatch.setattr(lowering, "STAGES", WITHOUT)
    assert less_kept <= lower(*whole).cached_bytes - 8 * 50 * 30


def sweeps(graph: Graph, arguments: list[Any], fuse: bool = True) -> list[Any]:
    """The results of forward, and of reverse and jvp after it several times, with other seeds and tangents."""
    exe = Executable(graph, wrt=range(len(arguments)), check_finite=not fuse)
    rng = np.random.default_rng(1)
    found = [exe.forward(*arguments)]
    for kind in "rjrrjjr":
        if kind == "r":
            found += exe.reverse(rng.normal(size=graph.outputs[0].shape))
        else:
            found.append(exe.jvp(*(rng.normal(size=x.shape) for x in arguments)))
    return found


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("n", [7, 3000])
def test_all_sweeps_give_the_bits_of_kept_values(n: int, fuse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sums in the derivatives here: these are added in blocks, which depend on what shares their loop."""
    x, y = var("x", (n,)), var("y", (n,))
    mixed = where(less(x, y), polynomial(x, 40), x * y / (1.5 + absolute(x - y))) * sin(polynomial(x, 3) + y)
    graph = Graph([x, y], mixed * y[::-1] + exp(x * y * 0.1))
    rng = np.random.default_rng(n)
    arguments = [rng.normal(size=n), rng.normal(size=n)]
    cut = sweeps(graph, arguments, fuse)
    program = Executable(graph, wrt=[0, 1]).program
    monkeypatch.setattr(lowering, "STAGES", WITHOUT)
    plain: Program = Executable(graph, wrt=[0, 1]).program
    assert program.cached_bytes < 0.5 * plain.cached_bytes
    for a, b in zip(cut, sweeps(graph, arguments, fuse), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs_give_the_bits_of_kept_values(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, _, read = random_graph(seed)
    total = inputs[0]
    for node in read:
        total = total + node * node
    graph = Graph(inputs, total)
    rng = np.random.default_rng(seed)
    arguments = [rng.uniform(0.5, 2.0, x.shape).astype(x.dtype) for x in inputs]
    exe = Executable(graph, wrt=[0, 1])
    monkeypatch.setattr(lowering, "STAGES", WITHOUT)
    plain = Executable(graph, wrt=[0, 1])
    assert exe.program.cached_bytes <= plain.program.cached_bytes
    seed_value = rng.normal(size=(10,)).astype(total.dtype)
    moves = [rng.normal(size=(10,)).astype(x.dtype) for x in inputs]
    for one in (exe, plain):
        one.forward(*arguments)
    for a, b in zip(exe.reverse(seed_value), plain.reverse(seed_value), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(exe.jvp(*moves), plain.jvp(*moves))
