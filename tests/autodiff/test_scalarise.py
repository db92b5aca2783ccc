"""Expressions of small arrays taken apart into single elements, and the Jacobians made of these."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numeric import run

import pygraph as pg
from pygraph import autodiff
from pygraph.autodiff.jacobians.scalarise import LIMIT, Parts, assembled, elements_of
from pygraph.graph import Graph, Node, scan, var
from pygraph.graph.construction import constant
from pygraph.optimize import optimize

X, W, A = var("x", (3,)), var("w", (2, 3)), var("a")
VALUES = [np.random.default_rng(4).uniform(0.5, 1.5, node.shape) for node in (X, W, A)]
KNOWN = np.arange(1.0, 7.0).reshape(3, 2)

EXPRESSIONS: dict[str, Callable[[], Node]] = {
    "broadcast": lambda: W * X + A,
    "moved": lambda: np.concatenate([W.T[::-1, :1], np.reshape(W, (3, 2))], axis=1),
    "sum": lambda: np.sum(W * X, axis=0),
    "sum of a middle axis": lambda: np.sum(np.reshape(W, (1, 2, 3)) * KNOWN[:, :, None], axis=1),
    "mean and variance": lambda: np.var(W, axis=1),
    "matrix by vector": lambda: W @ X,
    "matrix by matrix": lambda: KNOWN @ W,
    "transposed matrices": lambda: W.T @ KNOWN.T,
    "a batch of matrices": lambda: np.stack([W, W * 2.0]) @ KNOWN,
    "batches that broadcast": lambda: np.reshape(W, (2, 1, 3)) @ np.stack([KNOWN, KNOWN * X[:, None]]),
    "taken": lambda: X[[2, 0, 2]] * W[[1]],
    "chosen": lambda: np.where(W > 1.0, W * X, np.sin(A)),
    "by definition": lambda: pg.softplus(W) + pg.gelu(X),
    "what does not depend": lambda: np.sum(np.exp(X)) * W,
    "constant": lambda: A * 0.0 + constant(np.ones((2, 2))),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_elements_have_the_same_values(name: str) -> None:
    output = EXPRESSIONS[name]()
    parts = Parts()
    for node in (W, A):
        parts.give(node, elements_of(node))
    assert parts.take_apart([output])
    assert all(part.shape == () for part in parts.of(output))
    found = assembled(parts.of(output), output.shape, output.dtype)
    expected, value = run([X, W, A], [output, found], VALUES)
    np.testing.assert_allclose(value, expected, rtol=1e-14)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_jacobians(name: str) -> None:
    output = EXPRESSIONS[name]()
    plan = autodiff.jacobian_unrolled([output, output * A], [W, X, A])
    assert plan is not None
    assert plan.mode == "unrolled"
    wanted = autodiff.jacobian_forward([output, output * A], [W, X, A]).blocks
    flat = [block for row in plan.blocks for block in row]
    results = run([X, W, A], [*flat, *(block for row in wanted for block in row)], VALUES)
    for found, expected in zip(results[: len(flat)], results[len(flat) :], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_blocks_of_other_dtypes() -> None:
    n, x = var("n", (2,), "int64"), var("x", (2,), "float32")
    plan = autodiff.jacobian_unrolled([x.astype("float64") * 2.0, n * 2, x * x], [n, x])
    assert plan is not None
    assert [[(block.shape, block.dtype.name) for block in row] for row in plan.blocks] == [
        [((2, 2), "float64")] * 2,
        [((2, 2), "float64")] * 2,
        [((2, 2), "float32")] * 2,
    ]
    found = run([n, x], plan.blocks[2], [np.array([1, 2]), np.array([3, 4], np.float32)])
    np.testing.assert_array_equal(found, [np.zeros((2, 2)), np.diag([6.0, 8.0])])


def test_a_zero_ends_its_way() -> None:
    """The entries that are zero cost nothing, and equal parts of the others are one node."""
    x = var("x", (4,))
    product = x[0] * x[1]
    output = np.stack([np.sin(product), np.cos(product), x[2]])
    plan = autodiff.jacobian_unrolled([output], [x])
    assert plan is not None
    assert plan.cost - 12 <= 12, "besides writing 12 elements"
    assert plan.cost < 0.4 * autodiff.jacobian_forward([output], [x]).cost
    graph = optimize(Graph([x], plan.blocks[0]))
    assert sum(node.op.name == "multiply" for node in graph.nodes) == 5
    assert sum(node.op.name in ("sin", "cos") for node in graph.nodes) == 2


@pytest.mark.parametrize(
    "output",
    [
        scan(lambda c, a: (c * a, c), A, X)[0],
        np.max(X) * X,
        np.sum(np.ones((LIMIT, 1)) * X),
        X[0] * np.ones(LIMIT + 1),
        X @ np.ones((3, 50)),
    ],
    ids=["loop", "maximum", "large", "large result", "many products"],
)
def test_what_is_not_taken_apart(output: Node) -> None:
    parts = Parts()
    parts.give(X, elements_of(X))
    assert not parts.take_apart([output])
    assert autodiff.jacobian_unrolled([output], [X]) is None


def test_too_many_entries() -> None:
    x = var("x", (17,))
    assert autodiff.jacobian_unrolled([x * 2.0], [x]) is None
    assert autodiff.jacobian_unrolled([x[:0] * 2.0], [x]) is None


@pytest.mark.parametrize(
    "output",
    [
        X * np.sum(X[:0]),
        X + np.sum(np.sum(np.zeros((2, 0)) * np.sum(X), axis=0)),
        X * 2.0 + X[:0] @ np.ones((0, 3)),
        X * 2.0 + np.sum(np.ones((0, 3)) @ X),
    ],
    ids=["nothing", "for no results", "products", "no products"],
)
def test_sums_over_nothing(output: Node) -> None:
    plan = autodiff.jacobian_unrolled([output], [X])
    assert plan is not None
    x = np.array([1.0, 2.0, 3.0])
    (found,) = run([X], plan.blocks[0], [x])
    (wanted,) = run([X], autodiff.jacobian_forward([output], [X]).blocks[0], [x])
    np.testing.assert_array_equal(found, wanted)
