"""Sparse Jacobians from the blocks of equal small computations: against dense ones, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.autodiff.jacobians.local_jacobian import local_jacobian
from pygraph.graph import var

RNG = np.random.default_rng(6)
LEFT, RIGHT = RNG.integers(0, 9, (2, 30))
CORNERS = RNG.integers(0, 12, (20, 3))
WEIGHTS = RNG.uniform(1, 2, (30, 2))


def observed(x: Any) -> Any:
    """Two rows for each pair of rows of x, written over whole arrays."""
    a, b = x[LEFT], x[RIGHT]
    length = np.sqrt(np.sum((a - b) ** 2, axis=1, keepdims=True) + 1.0)
    unit = (a - b) / length
    turned = np.stack([unit[:, 0] * b[:, 1] - a[:, 2], unit[:, 1] * a[:, 0]], axis=1)
    return np.concatenate([np.reshape(WEIGHTS * turned, (-1,)), x[:, 0] ** 2])


def mapped(x: Any) -> Any:
    return pg.vmap(lambda a, b, w: w * np.sin(a[:2] * np.sum(b)))(x[LEFT], x[RIGHT], WEIGHTS)


def element(u: Any) -> Any:
    """A residual that is gathered and scattered, as of finite elements."""
    ends = u[CORNERS]
    forces = np.sin(ends) * np.sum(ends, axis=1, keepdims=True)
    return pg.zeros_like(u).at[CORNERS].add(forces)


def flux(u: Any) -> Any:
    f = u[1:] ** 2 * u[:-1]
    return 0.5 * (f[1:] - f[:-1]) / 0.1 - u[1:-1]


def grid(u: Any) -> Any:
    row, column = np.zeros((1, 5)), np.zeros((6, 1))
    padded = np.concatenate([column, np.concatenate([row, u, row]), column], axis=1)
    return padded[2:, 1:-1] * padded[:-2, 1:-1] + padded[1:-1, 2:] - np.exp(u) * padded[1:-1, :-2]


def step(x: Any, u: Any, h: Any) -> Any:
    return x + h * np.stack([(1.0 - x[1] ** 2) * x[0] - x[1] + u, x[0]])


def shooting(w: Any) -> Any:
    """Intervals of three steps, of lengths and data of their own, written as Python loops."""
    states, controls = np.reshape(w[:14], (7, 2)), w[14:]
    defects = []
    for k in range(6):
        x = states[k]
        for _ in range(3):
            x = step(x, controls[k], 0.1) * WEIGHTS[k]
        defects.append(x - states[k + 1])
    return np.concatenate([states[0] - 1.0, *defects])


def springs(x: Any) -> Any:
    """Pairs in a Python loop: some alike, some not; every fifth one moves two."""
    forces = []
    for k, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True)):
        stretch = np.sum((x[a] - x[b]) ** 2) * (1.0 if k % 3 else float(WEIGHTS[k, 0]))
        forces.append(stretch**2 if k % 5 else np.sin(stretch) + x[0, 0])
    return np.stack(forces)


def marching(x: Any) -> Any:
    """Each state follows from the one before: no computations of their own."""
    states = [x[:2]]
    for k in range(12):
        states.append(step(states[-1], x[k % 4], 0.1))
    return np.concatenate(states)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "observed": (observed, RNG.uniform(1, 2, (9, 3))),
    "mapped": (mapped, RNG.uniform(1, 2, (9, 3))),
    "float32": (mapped, RNG.uniform(1, 2, (9, 3)).astype(np.float32)),
    "gathered and scattered": (element, RNG.uniform(1, 2, 12)),
    "differences of fluxes": (flux, RNG.uniform(1, 2, 12)),
    "grid": (grid, RNG.uniform(1, 2, (4, 5))),
    "shared by all": (lambda x: np.exp(x[0]) * x[1:] + np.sum(x[1:3]), RNG.uniform(1, 2, 8)),
    "sum of all": (lambda x: np.sum(np.sin(x) * x[::-1]), RNG.uniform(1, 2, 400)),
    "outer": (lambda x: x[:, None] * np.cos(x), RNG.uniform(1, 2, 6)),
    "matrix and its transpose": (lambda a: a @ a.T + np.sin(a.T @ a)[0, 0], RNG.uniform(1, 2, (4, 3))),
    "lanes in the middle": (
        lambda x: np.reshape(np.transpose(np.sin(x) * x[1], (2, 0, 1)), (5, 6)),
        np.ones((2, 3, 5)),
    ),
    "numbers beside elements": (
        lambda x: np.concatenate([x, np.ones(3)]) * np.concatenate([np.ones(3), x]),
        np.ones(5),
    ),
    "moved alone": (lambda x: np.concatenate([x[::2], x[CORNERS[0] % 6]]), np.ones(6)),
    "known choice": (lambda x: pg.where(np.arange(6) < 2, x, x[::-1] ** 2), np.arange(6.0)),
    "unrolled intervals": (shooting, RNG.uniform(0, 1, 20)),
    "unrolled pairs": (springs, RNG.uniform(1, 2, (9, 3))),
    "unrolled march": (marching, RNG.uniform(0, 1, 6)),
    "nothing": (lambda x: np.floor(x) * np.ones((2, 4)), np.ones(4)),
    "scalar": (lambda x: x * np.sin(x), np.float64(0.7)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equal_to_the_dense_matrix(name: str) -> None:
    f, x = FUNCTIONS[name]
    found = pg.sparse_jacobian(f, mode="local")(x)
    wanted = np.reshape(pg.jacfwd(f)(x), (-1, x.size))
    assert found.dtype == wanted.dtype
    assert found.has_sorted_indices
    tolerance = 1e-5 if x.dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found.toarray(), wanted, rtol=tolerance, atol=tolerance)
    pattern = pg.sparsity(f, x)
    np.testing.assert_array_equal(found.indptr, pattern.indptr)
    np.testing.assert_array_equal(found.indices, pattern.indices)


#: Functions whose Hessians take seconds to compile.
LONG = ("unrolled intervals", "unrolled pairs")
HESSIANS = [name for name, (_, x) in FUNCTIONS.items() if np.ndim(x) and name not in LONG]


@pytest.mark.parametrize("name", [*HESSIANS, *(pytest.param(name, marks=pytest.mark.deep) for name in LONG)])
def test_hessians(name: str) -> None:
    f, x = FUNCTIONS[name]

    def total(x: Any) -> Any:
        return np.sum(f(x) ** 2)

    wanted = np.reshape(pg.jacfwd(pg.jacrev(total))(x), (x.size, x.size))
    whole = pg.sparse_hessian(total)(x)
    tolerance = 1e-3 if whole.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(whole.toarray(), wanted, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(whole.toarray(), whole.toarray().T)
    for triangle, part in (("lower", np.tril), ("upper", np.triu)):
        found = pg.sparse_hessian(total, triangle=triangle)(x)
        np.testing.assert_array_equal(found.toarray(), part(whole.toarray()))
        assert found.has_sorted_indices


def test_no_zero_of_a_seed_meets_an_infinite_factor() -> None:
    x = np.ones(4)
    x[0] = 0.0
    found = pg.sparse_jacobian(lambda x: np.sqrt(x[:-1]) + x[1:])(x).toarray()
    np.testing.assert_array_equal(found[0], [np.inf, 1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: pg.scan(lambda c, v: (np.sin(v), c * v), x[0], x)[1],
        lambda x: np.sin(np.sin(x)[RNG.integers(0, 300, 400)]),
        lambda x: np.triu(np.ones((300, 300))) @ np.sin(x),
        lambda x: x[: np.size(x) * 0] * 2.0,
    ],
)
def test_what_is_not_of_this_form_is_left_to_colours(f: Callable[[Any], Any]) -> None:
    x = var("x", (300,))
    assert local_jacobian([f(x)], [x]) is None
    with pytest.raises(pg.UnsupportedError, match=r"(?s)mode 'local'.*do: give 'auto' or 'coloured'"):
        pg.sparse_jacobian(f, mode="local")(np.ones(300))


def test_the_work_of_a_lane_does_not_grow_with_their_number() -> None:
    def sizes(count: int) -> tuple[int, int]:
        left, right = RNG.integers(0, 50, (2, count))

        def f(x: Any) -> Any:
            return np.sin(x[left] * x[right])

        stats = pg.sparse_jacobian(f).plan(np.ones(50)).stats
        assert stats["colouring"] == "local"
        return stats["instructions"], stats["flops"] // count

    assert sizes(100) == sizes(1000)


def test_computations_written_one_after_another_are_found() -> None:
    def plan(count: int) -> Any:
        def defects(w: Any) -> Any:
            states, controls = np.reshape(w[: 2 * count + 2], (-1, 2)), w[2 * count + 2 :]
            ends = [step(step(states[k], controls[k], 0.1), controls[k], 0.2) - states[k + 1] for k in range(count)]
            return np.concatenate(ends)

        return pg.sparse_jacobian(defects).plan(np.ones(3 * count + 2)).stats

    few, many = plan(20), plan(80)
    assert few["colouring"] == many["colouring"] == "local"
    assert few["micro_operations"] == many["micro_operations"]
    assert few["instructions"] == many["instructions"]
