"""Whole Jacobians by both modes, and the one graph of values, gradients and tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numeric import run

from pygraph import autodiff
from pygraph.autodiff.joint_graph import joint
from pygraph.errors import DTypeError
from pygraph.graph import Graph, Node, scan, var, walk
from pygraph.graph.loop import SCAN
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize
from pygraph.runtime.call.executable import Executable

Engine = Callable[..., Any]


def jacobian_forward(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[list[Node]]:
    return autodiff.jacobian_forward(outputs, wrt).blocks


def jacobian_reverse(outputs: Sequence[Node], wrt: Sequence[Node]) -> list[list[Node]]:
    return autodiff.jacobian_reverse(outputs, wrt).blocks


RNG = np.random.default_rng(11)
X, W = var("x", (3,)), var("w", (2, 3))
N = var("n", (2,), "int64")
VALUES = [RNG.standard_normal(3), RNG.standard_normal((2, 3)), np.array([1, 2])]
OUTPUTS = [np.tanh(W @ X), np.sum(X * X), X[:, None] * X, X[0] * X[1], N * 2, N * np.sum(W)]


def numeric_jacobian(output: Node, which: int) -> np.ndarray:
    graph = Graph([X, W, N], [output])
    base = VALUES[which]
    columns = []
    for i in range(base.size):
        moved = []
        for sign in (1, -1):
            values = [value.copy() for value in VALUES]
            values[which].reshape(-1)[i] += sign * 1e-6
            moved.append(evaluate_flat(graph, values)[0].astype(float))
        columns.append((moved[0] - moved[1]) / 2e-6)
    return np.stack(columns, axis=-1).reshape(*output.shape, *base.shape)


@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_every_block(jacobian: Engine) -> None:
    found = jacobian(OUTPUTS, [X, W])
    flat = [block for row in found for block in row]
    values = iter(run([X, W, N], flat, VALUES))
    for output, row in zip(OUTPUTS, found, strict=True):
        for which, block in enumerate(row):
            assert block.shape == output.shape + (X, W)[which].shape
            value = next(values)
            if output.dtype.kind == "f":
                np.testing.assert_allclose(value, numeric_jacobian(output, which), atol=1e-8)
            else:
                assert not value.any()


@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_integer_variables_and_missing_dependence_give_zeros(jacobian: Engine) -> None:
    ((first, second),) = jacobian([np.sum(X)], [N, W])
    a, b = run([X, W, N], [first, second], VALUES)
    assert (a.shape, b.shape) == ((2,), (2, 3))
    assert not a.any()
    assert not b.any()


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_one_element_needs_no_loop(shape: tuple[int, ...], jacobian: Engine) -> None:
    x = var("x", shape)
    ((block,),) = jacobian([np.sin(x) * x], [x])
    assert block.shape == shape + shape
    assert SCAN not in {node.op for node in walk([block])}


@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_no_elements(jacobian: Engine) -> None:
    x = var("x", (0,))
    ((block,),) = jacobian([x * 2.0], [x])
    assert run([x], [block], [np.zeros(0)])[0].shape == (0, 0)


@pytest.mark.parametrize("limit", [1, 1000, 10**9])
@pytest.mark.parametrize("engine", [autodiff.jacobian_forward, autodiff.jacobian_reverse])
def test_chunks_bound_the_memory_and_change_nothing(engine: Engine, limit: int) -> None:
    """11 vectors in chunks of 1, of a few and of all; the last chunk is cut off at the end."""
    outputs = [np.tanh(W @ X), X[:, None] * X, N * np.sum(W)]
    plan = engine(outputs, [X, W, N], limit)
    whole = engine(outputs, [X, W, N])
    assert (plan.vectors, whole.chunk) == (whole.vectors, whole.vectors)
    assert (plan.chunk == 1) == (limit == 1)
    flat = [[block for row in each.blocks for block in row] for each in (plan, whole)]
    loops = {node.op for node in walk(flat[0])}
    assert (SCAN in loops) == (limit < 10**9)
    values = run([X, W, N], [*flat[0], *flat[1]], VALUES)
    for one, other in zip(values[: len(flat[0])], values[len(flat[0]) :], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_the_plan_of_memory_is_kept() -> None:
    """The tangents of one sweep take what was planned, in chunks as many as it takes."""
    x = var("x", (400,))
    y = np.sin(np.tanh(np.reshape(x, (20, 20)) @ np.reshape(x, (20, 20))))
    arenas = []
    for limit in (1 << 16, 1 << 30):
        plan = autodiff.jacobian_forward([y], [x], limit)
        assert 1 <= plan.chunk <= plan.vectors == 400
        arenas.append(Executable(Graph([x], plan.blocks[0][0])).stats.arena_bytes)
    stack = 400 * 400 * 8  # the columns, before they are transposed
    assert arenas[0] - stack < 2 * (1 << 16)
    assert arenas[1] - stack > 1 << 20


def test_the_identity_never_exists() -> None:
    x = var("x", (50,))
    ((block,),) = jacobian_reverse([x * np.sum(x)], [x])
    for node in walk([block]):
        if node.op.name == "constant":
            assert node.attrs["value"].value.size <= 50


@pytest.mark.parametrize("outer", [jacobian_forward, jacobian_reverse])
@pytest.mark.parametrize("inner", [jacobian_forward, jacobian_reverse])
def test_hessian_by_every_mix(outer: Engine, inner: Engine) -> None:
    loss = np.sum(np.sin(X) * X[::-1] ** 2)
    ((gradient,),) = inner([loss], [X])
    ((hessian,),) = outer([gradient], [X])
    (value,) = run([X], [hessian], [VALUES[0]])
    np.testing.assert_allclose(value, value.T, atol=1e-12)
    h = 1e-5
    graph = Graph([X], [gradient])
    for i in range(3):
        step = h * np.eye(3)[i]
        column = evaluate_flat(graph, [VALUES[0] + step])[0] - evaluate_flat(graph, [VALUES[0] - step])[0]
        np.testing.assert_allclose(value[:, i], column / (2 * h), atol=1e-7)


@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_jacobian_of_a_loop(jacobian: Engine) -> None:
    """The primal loop runs once, for all basis vectors."""
    final, ys = scan(lambda c, w: (np.tanh(c * w), np.sum(c)), X, W)
    found = jacobian([final, ys], [X, W])
    flat = [block for row in found for block in row]
    graph = optimize(Graph([X, W], [final, ys, *flat]))
    loops = [node.attrs["body"].name for node in graph.nodes if node.op is SCAN]
    assert len([name for name in loops if not name.endswith("_batch")]) == 1
    results = evaluate_flat(graph, VALUES[:2])
    blocks = iter(results[2:])
    for output in (final, ys):
        for which in (0, 1):
            np.testing.assert_allclose(next(blocks), numeric_jacobian(output, which), atol=1e-8)


def test_joint_graph_has_three_groups() -> None:
    graph = Graph([X, W, N], {"a": np.tanh(W @ X), "n": N + 1, "s": np.sum(W)}, name="f")
    both = joint(graph, [0, 1])
    both.graph.verify("differentiated")
    assert both.segments == (3, 2, 2)
    assert both.groups == (3, 2, 2)
    assert both.seeded == (0, 2)
    assert both.levels == (0, 0, 0, 1, 1, 2, 2)
    assert both.graph.names == ("x", "w", "n", "seed0", "seed1", "d_x", "d_w")
    seeds = [RNG.standard_normal(2), np.float64(0.5)]
    tangents = [RNG.standard_normal(3), RNG.standard_normal((2, 3))]
    a, n, s, gx, gw, da, ds = evaluate_flat(both.graph, [*VALUES, *seeds, *tangents])
    np.testing.assert_array_equal(n, VALUES[2] + 1)
    np.testing.assert_allclose(s, VALUES[1].sum())
    np.testing.assert_allclose(a, np.tanh(VALUES[1] @ VALUES[0]))
    left = np.sum(gx * tangents[0]) + np.sum(gw * tangents[1])
    np.testing.assert_allclose(left, np.sum(da * seeds[0]) + ds * seeds[1], rtol=1e-12)


def test_joint_zeros_are_arrays() -> None:
    both = joint(Graph([X, W], [np.sum(X)]), [1])
    value, gradient, tangent = evaluate_flat(both.graph, [*VALUES[:2], 1.0, VALUES[1]])
    assert not gradient.any()
    assert gradient.shape == (2, 3)
    assert tangent == 0.0
    np.testing.assert_allclose(value, VALUES[0].sum())


def test_joint_names_give_way() -> None:
    x, seed = var("x"), var("seed0")
    names = joint(Graph([x, seed], x * seed), [0, 1]).graph.names
    assert names == ("x", "seed0", "seed0_", "d_x", "d_seed0")


def test_joint_refuses_integers() -> None:
    with pytest.raises(DTypeError, match=r"(?s)differentiating graph 'f'.*'n'.*int64.*at: .*do: leave it out"):
        joint(Graph([X, N], np.sum(X) * N, name="f"), [1])


def test_joint_shares_the_primal_loop_between_all_segments() -> None:
    final, ys = scan(lambda c, w: (np.tanh(c * w), np.sum(c)), X, W)
    both = joint(Graph([X, W], [final, ys]), [0, 1])
    graph = optimize(both.graph, both.levels)
    loops = [node for node in graph.nodes if node.op is SCAN]
    assert len(loops) == 3, "primal, reverse, tangent"
    level: dict[Node, int] = dict(zip(graph.inputs, both.levels, strict=True))
    for node in graph.nodes:
        level.setdefault(node, max((level[x] for x in node.inputs), default=0))
    first, second, _ = both.segments
    for i, output in enumerate(graph.outputs):
        if i < first:
            assert level[output] == 0
        elif i < first + second:
            assert level[output] <= 1
    values = [*VALUES[:2], RNG.standard_normal(3), RNG.standard_normal(2), VALUES[0], VALUES[1]]
    for one, other in zip(evaluate_flat(graph, values), evaluate_flat(both.graph, values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
