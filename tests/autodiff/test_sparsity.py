"""The structure of Jacobians: exact where it can be, never short of an entry, and fast for large sparse ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dense import dense_jacobian

import pygraph as pg
from pygraph.autodiff import jacobian_sparsity
from pygraph.autodiff.jacobians import sparsity
from pygraph.autodiff.jacobians.index_sets import IndexSets
from pygraph.autodiff.jacobians.pattern import Pattern, spans
from pygraph.graph import Graph, Node, scan, var
from pygraph.graph.reference import evaluate_flat

X, M, K = var("x", (5,)), var("m", (3, 4)), var("k", (2,), "int64")


def of(output: Any, *wrt: Node) -> Any:
    return jacobian_sparsity([output], list(wrt)).dense().astype(int)


def seen(output: Node, wrt: Node, draws: int = 5) -> Any:
    """Where the Jacobian differs from zero at random points."""
    graph = Graph([wrt], [dense_jacobian([output], [wrt])])
    rng = np.random.default_rng(5)
    points = [evaluate_flat(graph, [rng.standard_normal(wrt.shape)])[0] for _ in range(draws)]
    return (np.array(points) != 0).any(0).astype(int)


EXACT: dict[str, Callable[[], tuple[Node, Node]]] = {
    "pointwise": lambda: (np.sin(X) * X, X),
    "broadcast": lambda: (M * np.sum(M, axis=1, keepdims=True), M),
    "differences": lambda: (X[1:] ** 2 - X[:-1], X),
    "flip and stride": lambda: (X[::-2] * X[::2], X),
    "views": lambda: (np.transpose(np.reshape(M, (2, 2, 3)), (2, 0, 1))[1:], M),
    "concatenate": lambda: (np.concatenate([X[2:], np.ones(2), X[:1] * 3.0]), X),
    "reductions": lambda: (np.concatenate([np.sum(M, 0), np.prod(M, 1)]), M),
    "known index": lambda: (X[np.array([[4, -5], [2, 2]])] * X[1], X),
    "known scatter": lambda: (pg.zeros_like(X).at[np.array([1, 1, 3])].add(X[:3]), X),
    "scatter over": lambda: (X.at[np.array([1, 3])].set(X[3:] * X[0]), X),
    "known condition": lambda: (pg.where(np.arange(5) < 2, X, X[::-1] * X), X),
    "known mask": lambda: (M @ (np.tri(4) * 2.0), M),
    "sparse factor": lambda: (np.diag([1.0, 0.0, 2.0]) @ M, M),
    "sparse factor, transposed": lambda: (M.T @ np.triu(np.ones((3, 3)), 1), M),
    "product of variables": lambda: (M[:2] @ M.T[:, 1:], M),
    "batches": lambda: (np.broadcast_to(M, (2, 3, 4)) @ np.stack([np.eye(4), np.tri(4)]), M),
    "mean": lambda: (X - np.mean(X), X),
    "definition": lambda: (pg.gelu(X) + pg.elu(X[0]), X),
    "softmax": lambda: (pg.softmax(M, axis=1), M),
    "steps apart": lambda: (scan(lambda c, row: (c, np.sin(row) * row[0]), 0.0, M)[1], M),
    "running sum": lambda: (scan(lambda c, x: (c + x * x, c * x), 1.0, X)[1], X),
    "backwards": lambda: (scan(lambda c, x: (c * x, c + x), 1.0, X, reverse=True)[1], X),
    "shifted carry": lambda: (scan(lambda c, x: (np.concatenate([c[1:], x[None]]), c[0]), np.zeros(2), X)[1], X),
    "closed over": lambda: (scan(lambda c, x: (np.sin(c) * X[1], x * 2.0), X[0], X)[0][None], X),
}


@pytest.mark.parametrize("name", EXACT)
def test_exactly_what_can_differ_from_zero(name: str) -> None:
    output, variable = EXACT[name]()
    np.testing.assert_array_equal(of(output, variable), seen(output, variable))


def test_a_factor_that_happens_to_be_zero_keeps_its_entry() -> None:
    np.testing.assert_array_equal(of(X * np.array([0.0, 1.0, 0.0, 2.0, 3.0]), X), np.eye(5))
    assert not of(X * np.zeros(5), X).any()


def test_a_run_time_condition_takes_both_branches() -> None:
    assert of(pg.where(X > 0, X, X[::-1]), X).tolist() == (np.eye(5) + np.eye(5)[::-1] > 0).astype(int).tolist()


def test_a_run_time_index_may_be_any_along_its_axis() -> None:
    np.testing.assert_array_equal(of(X[K], X), np.ones((2, 5)))
    taken = pg.take(M, K, axis=1)  # row i of the result comes from row i
    np.testing.assert_array_equal(of(taken, M), np.kron(np.eye(3), np.ones((2, 4))))
    written = X.at[K].add(X[:2])
    np.testing.assert_array_equal(of(written, X), np.maximum(np.eye(5), [1, 1, 0, 0, 0]))
    replaced = M.at[:, K].set(M[:, :2])
    np.testing.assert_array_equal(of(replaced, M), np.kron(np.eye(3), np.maximum(np.eye(4), [1, 1, 0, 0])))


@pytest.mark.parametrize(
    "output",
    [np.sign(X), np.floor(X), pg.stop_gradient(X), X.astype("int64").astype("float64"), 0.0 * X, X**0.0, np.ones(3)],
    ids=str,
)
def test_no_derivative_no_dependence(output: Any) -> None:
    assert not of(pg.astype(output + np.zeros(()), "float64") if isinstance(output, Node) else var("y", (3,)), X).any()


def test_several_outputs_and_variables_are_put_end_to_end() -> None:
    pattern = jacobian_sparsity([X[:2] * 2.0, K, np.sum(M) * X[4]], [M, X])
    assert pattern.shape == (5, 17)
    np.testing.assert_array_equal(pattern.rows, [0, 1, *[4] * 13])
    np.testing.assert_array_equal(pattern.indices, [12, 13, *range(12), 16])


def test_a_variable_inside_the_graph() -> None:
    inner = np.sin(X)
    assert of(inner * inner[0] + X, inner).tolist() == np.maximum(np.eye(5), np.eye(5)[0]).astype(int).tolist()


def test_without_elements() -> None:
    empty = var("e", (0, 3))
    assert jacobian_sparsity([empty * 2.0], [empty]).shape == (0, 0)
    assert jacobian_sparsity([np.sum(empty, axis=0)], [empty, X]).dense().shape == (3, 5)
    assert jacobian_sparsity([scan(lambda c, x: (c, x * c), X[0], X[:0])[1]], [X]).shape == (0, 5)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_long_loop_is_widened(reverse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past STEPS the carry's sets hold those of all steps: more than needed, never less; the rest stays exact."""
    xs = var("xs", (6,))

    def step(c: Any, x: Any) -> Any:
        return (c[1] * 2.0, c[0] + x), (c[0] + c[1], np.sin(x))

    (_, last), (mixed, own) = scan(step, (0.0, X[0]), xs, reverse=reverse)
    exact = [of(y, xs, X) for y in (last, mixed, own)]
    monkeypatch.setattr(sparsity, "STEPS", 3)
    wide = [of(y, xs, X) for y in (last, mixed, own)]
    for one, other in zip(exact, wide, strict=True):
        assert (one <= other).all()
    np.testing.assert_array_equal(exact[2], wide[2])
    assert wide[0][0, :6].all()
    assert exact[0].sum() < wide[0].sum()


def test_a_thousand_steps_with_a_large_state() -> None:
    start = var("start", (300,))
    last, _ = scan(lambda c, _: (c + 0.1 * np.concatenate([c[1:], c[:1]]), None), start, None, length=50)
    pattern = jacobian_sparsity([last], [start])
    assert (np.diff(pattern.indptr) == 51).all()


# --- size ------------------------------------------------------------------------------------------------------------


def test_ten_thousand_inputs_in_a_band() -> None:
    x = var("x", (10_000,))
    inner = x[:-2] * x[2:] + np.sin(x[1:-1])
    pattern = jacobian_sparsity([np.concatenate([x[:1] * x[1], inner, x[-1:]])], [x])
    assert pattern.nnz == 2 + 3 * 9_998 + 1
    assert (np.abs(pattern.rows - pattern.indices) <= 1).all()


def test_a_grid_has_the_five_point_pattern() -> None:
    u = var("u", (100, 100))
    across = np.concatenate([np.zeros((100, 1)), u, np.zeros((100, 1))], axis=1)
    down = np.concatenate([np.zeros((1, 100)), u, np.zeros((1, 100))], axis=0)
    residual = across[:, 2:] + across[:, :-2] + down[2:] + down[:-2] - 4.0 * u - np.exp(u)
    pattern = jacobian_sparsity([residual], [u])
    i, j = np.divmod(pattern.rows, 100), np.divmod(pattern.indices, 100)
    assert (np.abs(i[0] - j[0]) + np.abs(i[1] - j[1]) <= 1).all()
    assert pattern.nnz == 5 * 10_000 - 4 * 100


def test_dense_dependence_is_shared() -> None:
    """A sum over everything is one set, however many elements have it; it does not multiply with their number."""
    x = var("x", (3_000,))
    y = np.exp(x - np.max(x))
    assert jacobian_sparsity([y / np.sum(y)], [x]).nnz == 9_000_000
    pattern = jacobian_sparsity([np.sum((x - np.mean(x[:2_000])) ** 2)], [x])
    assert pattern.nnz == 3_000


# --- the sets themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["random", "equal", "zero"])
def test_unions_are_those_of_python_sets_also_when_hashes_collide(weights: str) -> None:
    rng = np.random.default_rng(3)
    pool = IndexSets(12)
    if weights != "random":
        pool._weights = np.full(12, 1 if weights == "equal" else 0, np.uint64)
    known: dict[int, set[int]] = {0: set(), **{1 + j: {j} for j in range(12)}}
    for _ in range(60):
        count = int(rng.integers(1, 8))
        size = int(rng.integers(0, 20))
        owners, sets = rng.integers(0, count, size), rng.choice(list(known), size)
        found = pool.union(owners, sets, count)
        for owner in range(count):
            wanted: set[int] = set().union(*(known[int(s)] for s in sets[owners == owner]))
            assert set(pool.pattern(found[owner : owner + 1]).indices.tolist()) == wanted
            assert known.setdefault(int(found[owner]), wanted) == wanted, "two sets share a number"
    if weights == "random":
        assert len({frozenset(value) for value in known.values()}) == len(known), "one set has two numbers"


def test_large_unions_go_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from pygraph.autodiff.jacobians import index_sets

    x = var("x", (40,))
    output = np.tri(40) @ x
    whole = of(output, x)
    monkeypatch.setattr(index_sets, "CHUNK", 7)
    np.testing.assert_array_equal(of(output, x), whole)
    np.testing.assert_array_equal(whole, np.tri(40))


def test_patterns() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.random((7, 5)) < 0.3
    rows, columns = np.nonzero(matrix)
    order = rng.permutation(len(rows))
    pattern = Pattern.of_entries(np.tile(rows[order], 2), np.tile(columns[order], 2), (7, 5))
    np.testing.assert_array_equal(pattern.dense(), matrix)
    np.testing.assert_array_equal(pattern.transposed.dense(), matrix.T)
    chosen = rng.random(7) < 0.5
    np.testing.assert_array_equal(pattern.of_rows(chosen).dense(), matrix & chosen[:, None])
    square = Pattern.of_entries(rows % 5, columns, (5, 5))
    np.testing.assert_array_equal(square.symmetrised().dense(), square.dense() | square.dense().T)
    assert spans([3, 3, 9, 1], 6) == [(0, 2), (2, 3), (3, 4)]


def test_a_long_chain_of_scalars_takes_linear_time() -> None:
    parts = [X[i] for i in range(5)]
    for _ in range(4_000):
        parts.append(np.sin(parts[-1]) * parts[-3])
    assert of(parts[-1], X).tolist() == [[0, 0, 1, 1, 1]]
