"""Whole Jacobians by both modes, and the one graph of values, gradients and tangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numeric import run

from pygraph.autodiff import jacobian_forward, jacobian_reverse, joint
from pygraph.autodiff.loops import SCAN
from pygraph.errors import DTypeError
from pygraph.graph import Graph, Node, scan, topological, var
from pygraph.optimize import optimize
from pygraph.runtime.reference import evaluate_flat

Engine = Callable[[Sequence[Node], Sequence[Node]], list[list[Node]]]
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
    assert SCAN not in {node.op for node in topological([block])}


@pytest.mark.parametrize("jacobian", [jacobian_forward, jacobian_reverse])
def test_no_elements(jacobian: Engine) -> None:
    x = var("x", (0,))
    ((block,),) = jacobian([x * 2.0], [x])
    assert run([x], [block], [np.zeros(0)])[0].shape == (0, 0)


def test_the_identity_never_exists() -> None:
    x = var("x", (50,))
    ((block,),) = jacobian_reverse([x * np.sum(x)], [x])
    for node in topological([block]):
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
    """The primal loop runs once, outside the loop over basis vectors."""
    final, ys = scan(lambda c, w: (np.tanh(c * w), np.sum(c)), X, W)
    found = jacobian([final, ys], [X, W])
    flat = [block for row in found for block in row]
    graph = optimize(Graph([X, W], [final, ys, *flat]))
    primal = [node for node in graph.nodes if node.op is SCAN and node.attrs["n_carry"]]
    assert len(primal) == 1
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
