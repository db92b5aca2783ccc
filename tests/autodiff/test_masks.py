"""What is zero by structure stays zero, however large the partial derivatives it meets are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pygraph as pg
from pygraph.graph.construction import constant
from pygraph.ops import mask_rules as rules
from pygraph.ops.row import lookup
from pygraph.runtime.call.executable import Executable

Array = npt.NDArray[Any]


def shifted(x: Any) -> Any:
    """Singular at 0 in its first summand alone."""
    return np.sqrt(x[:-1]) + x[1:]


def shifted_jacobian(n: int) -> Array:
    """That of `shifted` where x[0] is 0 and the others are 1."""
    rows = np.arange(n - 1)
    wanted = np.zeros((n - 1, n))
    wanted[rows, rows + 1] = 1.0
    wanted[rows, rows] += 0.5
    wanted[0, 0] = np.inf
    return wanted


@pytest.mark.parametrize("n", [4, 20, 400])
def test_seeds_of_jacobians_are_masks(n: int) -> None:
    x = np.ones(n)
    x[0] = 0.0
    for jacobian in (pg.jacobian(shifted), pg.jacfwd(shifted), pg.jacrev(shifted)):
        np.testing.assert_array_equal(jacobian(x), shifted_jacobian(n))
    np.testing.assert_array_equal(pg.jacobian(shifted, sparse=True)(x).toarray(), shifted_jacobian(n))
    for i in (0, n - 2):
        row = np.eye(n - 1)[i]
        pulled = pg.jacrev(lambda x, i=i: shifted(x)[i])(x)
        np.testing.assert_array_equal(
            pulled,
            row @ np.where(np.isinf(shifted_jacobian(n)), 0.0, shifted_jacobian(n))
            + (np.where(np.arange(n) == 0, np.inf, 0.0) if i == 0 else 0.0),
        )


X = np.array([0.0, 4.0, 9.0])
POSITIVE = X > 0


def _columns(x: Any) -> Any:
    """Half the sum of the last two columns, each taken by itself."""
    return 0.5 * (np.sum(x[:, 1:2]) + np.sum(x[:, 2:]))


SCALARS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0.0), [0, 0.25, 1 / 6]),
    "x log x": (lambda x: np.where(x > 0, x * np.log(x), 0.0), [0, 1 + np.log(4), 1 + np.log(9)]),
    "the other side": (lambda x: np.where(x <= 0, 0.0, np.sqrt(x)), [0, 0.25, 1 / 6]),
    "both sides": (lambda x: np.where(x > 0, np.sqrt(x), x * x + x), [1, 0.25, 1 / 6]),
    "one in another": (lambda x: np.where(x > 0, np.where(x > 5, np.sqrt(x), np.log(x)), 0.0), [0, 0.25, 1 / 6]),
    "reciprocal": (lambda x: np.where(x > 0, 1 / x, 0.0), [0, -1 / 16, -1 / 81]),
    "power": (lambda x: np.where(x > 0, x**0.5, 0.0), [0, 0.25, 1 / 6]),
    "a chain": (lambda x: np.where(x > 0, np.exp(np.log(np.sqrt(x))), 0.0), [0, 0.25, 1 / 6]),
    "a slice": (lambda x: np.sqrt(x)[1:], [0, 0.25, 1 / 6]),
    "a slice of a chain": (lambda x: np.log(np.sqrt(x))[1:] * 2.0, [0, 0.25, 1 / 9]),
    "two columns": (lambda x: _columns(np.sqrt(x + np.zeros((2, 1)))), [0, 0.25, 1 / 6]),
    "two columns, one chosen from": (
        lambda x: _columns(np.where(np.array([[True], [False]]), np.sqrt(x), 0.0)),
        [0, 0.125, 1 / 12],
    ),
    "two slices": (lambda x: np.sqrt(x)[1:2] + np.sqrt(x)[2:], [0, 0.25, 1 / 6]),
    "reversed": (lambda x: np.sqrt(x)[:0:-1], [0, 0.25, 1 / 6]),
    "a gather": (lambda x: np.sqrt(x)[np.array([1, 2])], [0, 0.25, 1 / 6]),
    "a gather at run time": (lambda x: pg.take(np.sqrt(x), pg.astype(x[1:], "int64") // 4), [0, 0.25, 1 / 6]),
    "what is overwritten": (lambda x: np.sqrt(x).at[0].set(2.0), [0, 0.25, 1 / 6]),
    "joined": (lambda x: np.concatenate([np.sqrt(x), x])[1:], [1, 1.25, 7 / 6]),
    "a grid": (lambda x: (np.sqrt(x)[:, None] * np.ones(2))[1:], [0, 0.5, 1 / 3]),
    "reshaped": (lambda x: np.reshape(np.sqrt(np.concatenate([x, x])), (3, 2))[1:, :1], [0, 0.25, 1 / 6]),
    "the larger": (lambda x: np.maximum(np.sqrt(x), 2.5), [0, 0, 1 / 6]),
    "clipped": (lambda x: np.clip(np.sqrt(x), 1.0, 2.5), [0, 0.25, 0]),
    "the largest": (lambda x: np.max(np.sqrt(x)), [0, 0, 1 / 6]),
    "a scalar condition": (lambda x: np.where(x[0] > 0, np.sum(np.sqrt(x)), x[1]), [0, 1, 0]),
    "a condition on a norm": (
        lambda x: np.where(np.sum(x * 0) > 0, np.sqrt(np.sum(np.square(x * 0))), 0.0),
        [0, 0, 0],
    ),
    "the angle": (lambda x: np.where(x > 0, np.arctan2(x, x), 0.0), [0, 0, 0]),
    "a product": (lambda x: np.where(x > 0, np.ones(2) @ (np.stack([x, x]) ** 0.5), 0.0), [0, 0.5, 1 / 3]),
}


@pytest.mark.parametrize("name", SCALARS)
def test_what_is_not_chosen_has_no_derivative(name: str) -> None:
    f, wanted = SCALARS[name]
    total = lambda x: np.sum(f(x))  # noqa: E731
    np.testing.assert_allclose(pg.grad(total)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.jacfwd(total)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.jacobian(total)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.grad(lambda v: np.sum(pg.vmap(total)(v)))(np.stack([X, X])), [wanted] * 2, rtol=1e-12)


def test_examples_that_are_left_out_may_be_nan() -> None:
    """Rows of a batch that a `where` leaves out give nothing to the weights, whatever is in them."""
    random = np.random.default_rng(3)
    x, w, v = random.normal(size=(4, 3)), random.normal(size=(3, 5)), random.normal(size=(5, 2))
    x[2] = np.nan
    kept = np.array([True, True, False, True])

    def loss(x: Any, w: Any, v: Any, kept: Any) -> Any:
        return np.sum(np.where(kept, np.sum(np.square(np.tanh(x @ w) @ v), 1), 0.0))

    found = pg.grad(loss, (0, 1, 2))(x, w, v, kept)
    wanted = pg.grad(loss, (0, 1, 2))(x[kept], w, v, np.ones(3, np.bool_))
    np.testing.assert_allclose(found[0][kept], wanted[0], rtol=1e-12)
    assert not found[0][2].any()
    for one, other in zip(found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def unread(x: Any) -> Any:
    """The deviation of one number, which is 0 and has no derivative there."""
    return np.std(x[:1])


CONTROL: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "an untaken branch": (
        lambda x: pg.cond(unread(x) > 0, lambda q: q * unread(x), lambda q: np.cos(q), x[1]),
        [0, -np.sin(4), 0],
    ),
    "the middle one of three": (
        lambda x: pg.switch(2, [lambda q: q, lambda q: q * np.sqrt(x[0]), lambda q: q * q], x[1]),
        [0, 8, 0],
    ),
    "a discarded carry": (
        lambda x: np.sum(pg.scan(lambda c, u: (np.sqrt(c * 0 + x[0]), u * u), 1.0, x)[1]),
        [0, 8, 18],
    ),
    "a carry that begins as a constant": (
        lambda x: pg.scan(lambda c, u: (np.sqrt(c) + u, None), 0.0, x[1:])[0],
        [0, 0.25, 1],
    ),
    "a carry that is not used on": (
        lambda x: pg.scan(lambda c, u: ((np.sqrt(c[1]), c[1] * 0 + u), None), (x[1], x[0]), x[1:])[0][1],
        [0, 0, 1],
    ),
    "a loop of no steps": (lambda x: pg.while_loop(lambda c: c > 10, lambda c: c * unread(x), x[1]), [0, 1, 0]),
    "a loop of some steps": (lambda x: pg.while_loop(lambda c: c < 10, lambda c: c * 2.0 + 0 * x[1], x[1]), [0, 4, 0]),
    "a branch in a loop": (
        lambda x: pg.fori_loop(0, 3, lambda i, c: c + pg.cond(i == 5, lambda: unread(x), lambda: x[1] * x[1]), 0.0),
        [0, 24, 0],
    ),
    "a branch behind where": (lambda x: np.where(x > 0, pg.cond(x[1] > 0, np.sqrt, np.cos, x), 0.0), [0, 0.25, 1 / 6]),
    "where in a branch": (
        lambda x: pg.cond(x[1] > 0, lambda y: np.where(x > 0, y, 0.0), np.cos, np.sqrt(x)),
        [0, 0.25, 1 / 6],
    ),
    "a scan behind where": (
        lambda x: np.where(x > 0, pg.scan(lambda c, _: (np.sqrt(c), None), x, np.zeros(2))[0], 0.0),
        [0, 4**-0.75 / 4, 9**-0.75 / 4],
    ),
    "where in a scan": (
        lambda x: pg.scan(lambda c, _: (np.where(x > 0, np.sqrt(c), 0.0), None), x, np.zeros(2))[0],
        [0, 4**-0.75 / 4, 9**-0.75 / 4],
    ),
    "where in a loop": (
        lambda x: pg.while_loop(
            lambda c: c[0] < 2, lambda c: (c[0] + 1, np.where(c[1] > 0, np.sqrt(c[1]), 0.0)), (0, x)
        )[1],
        [0, 4**-0.75 / 4, 9**-0.75 / 4],
    ),
    "slices of a scan": (lambda x: pg.scan(lambda c, u: (c, np.sqrt(u)), 0.0, x)[1][1:], [0, 0.25, 1 / 6]),
    "where over steps": (
        lambda x: np.sum(np.where(x > 0, pg.scan(lambda c, u: (c, np.sqrt(u)), 0.0, x)[1], 0.0)),
        [0, 0.25, 1 / 6],
    ),
    "a checkpoint": (lambda x: np.where(x > 0, pg.checkpoint(np.sqrt)(x), 0.0), [0, 0.25, 1 / 6]),
}


@pytest.mark.parametrize("name", CONTROL)
def test_what_no_step_and_no_taken_branch_reads_has_no_derivative(name: str) -> None:
    f, wanted = CONTROL[name]
    total = lambda x: np.sum(f(x))  # noqa: E731
    np.testing.assert_allclose(pg.grad(total)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.jacfwd(total)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.jvp(total, (X,), (np.ones(3),))[1], np.sum(wanted), rtol=1e-12)


def test_masks_go_through_given_derivatives() -> None:
    root = pg.custom_derivative(np.sqrt, jvp=lambda p, t: (np.sqrt(p[0]), t[0] * 0.5 / np.sqrt(p[0])))
    f = lambda x: np.sum(np.where(x > 0, root(x), 0.0))  # noqa: E731
    np.testing.assert_allclose(pg.grad(f)(X), [0, 0.25, 1 / 6], rtol=1e-12)
    wanted = [[np.inf, 0, 0], [0, 0.25, 0], [0, 0, 1 / 6]]
    np.testing.assert_allclose(pg.jacfwd(root)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.jacrev(root)(X), wanted, rtol=1e-12)


def test_loops_of_no_steps_read_nothing() -> None:
    f = lambda x, y: pg.scan(lambda c, u: (c * np.sqrt(y) + u, None), x, np.zeros(0))[0]  # noqa: E731
    assert pg.grad(f, (0, 1))(2.0, 0.0) == (1.0, 0.0)
    assert pg.jacfwd(f, (0, 1))(2.0, 0.0) == (1.0, 0.0)


def test_second_derivatives_behind_where() -> None:
    f = lambda x: np.sum(np.where(x > 0, x * np.log(x), 0.0))  # noqa: E731
    wanted = np.diag([0, 0.25, 1 / 9])
    modes = (pg.jacfwd, pg.jacrev)
    for outer in modes:
        for inner in modes:
            np.testing.assert_allclose(outer(inner(f))(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.hessian(f)(X), wanted, rtol=1e-12)
    np.testing.assert_allclose(pg.hvp(f, (X,), (np.ones(3),)), [0, 0.25, 1 / 9], rtol=1e-12)


@pytest.mark.parametrize("move", [lambda m: np.reshape(m, (2, 1)), np.transpose])
def test_a_constant_condition_in_another_shape_has_its_opposite_there(move: Callable[[Any], Any]) -> None:
    x, dx, flags = np.ones((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, False]])

    def f(x: Any) -> Any:
        return np.where(move(constant(flags)), 2.0 * x, 3.0 * x)

    wanted = np.where(flags.T, 2.0, 3.0) * np.ones((2, 2))
    assert np.array_equal(pg.jvp(f, (x,), (dx,))[1], wanted * dx)
    assert np.array_equal(pg.grad(lambda x: np.sum(f(x)))(x), wanted)


def test_a_zero_that_only_the_numbers_make_is_ieee() -> None:
    assert np.isnan(pg.grad(lambda x: np.sqrt(x) ** 2)(0.0))
    assert np.isnan(pg.grad(lambda x: np.sqrt(x) * 0.0)(0.0))


def nodes(f: Callable[..., Any], *args: Any) -> int:
    compiled = pg.compile(f, backend="vm")
    compiled(*args)
    return int(compiled.executable(*args).stats.micro_operations)


def test_a_mask_costs_one_choice() -> None:
    f = lambda x: np.sum(np.exp(np.sqrt(x)))  # noqa: E731
    g = lambda x: np.sum(np.where(x > 1, np.exp(np.sqrt(x)), 0.0))  # noqa: E731
    x = np.linspace(0, 2, 300)
    assert nodes(pg.grad(g), x) - nodes(pg.grad(f), x) <= 2  # the comparison and the choice


@pytest.mark.parametrize("size", [6, 70, 5000])
def test_masks_written_into_others(size: int) -> None:
    """Where one of two masks holds, whichever way the second one was made."""
    whole, index = pg.var("whole", (size,), "bool"), pg.var("index", (3,), "int64")
    values, two = pg.var("values", (3,), "bool"), pg.var("two", (2,), "bool")
    x, v = np.zeros(size), np.zeros(3)
    add = lookup("scatter_add")(pg.var("x", x.shape), index, pg.var("v", v.shape), axis=0)
    line = lookup("unslice")(two, starts=(1,), steps=(3,), shape=(size,))
    known = np.zeros(size, np.bool_)
    known[[0, 4]] = True
    masks = [rules.scatter_add(add, (False, None, values)), rules.scatter_add(add, (False, None, True)), line]
    masks.append(pg.graph.constant(known))
    found = [m for mask in masks for m in (rules.either(whole, mask), rules.either(mask, whole))]
    graph = pg.Graph([whole, index, values, two], tuple(found))
    rng = np.random.default_rng(size)
    for places in ([0, 3, 3], [-1, size - 1, 2], [5, 5, 5]):
        held, flags, pair = rng.random(size) < 0.3, rng.random(3) < 0.5, rng.random(2) < 0.5
        parts = [np.zeros(size, np.bool_) for _ in range(3)]
        np.logical_or.at(parts[0], places, flags)
        parts[1][places] = True
        parts[2][[1, 4]] = pair
        got = Executable(graph)(held, np.array(places), flags, pair)
        for part, one, other in zip([*parts, known], got[::2], got[1::2], strict=True):
            assert np.array_equal(one, held | part)
            assert np.array_equal(other, held | part)


@pytest.mark.parametrize("index", [2, [2], [[0, 2], [1, 1]]])
def test_a_part_of_a_mask_by_an_index_of_any_rank(index: Any) -> None:
    """The places of a column, written through a reshaped vector into a wider mask."""
    whole = pg.var("whole", (5, 5), np.bool_)
    at = pg.var("at", np.shape(index), np.int64)
    values = np.ones(np.shape(index), np.bool_)
    line = lookup("scatter_set")(rules.spread(False, (5,)), at, values, axis=0)
    joined = rules.either(whole, lookup("reshape")(line, shape=(5, 1)))
    given = np.eye(5, dtype=np.bool_)
    expected = given.copy()
    expected[np.ravel(index)] = True
    (found,) = pg.compile(pg.Graph.from_parts([whole, at], [joined]))(given, np.array(index))
    np.testing.assert_array_equal(found, expected)


def test_a_rule_that_is_the_row_itself_again_sees_what_is_masked() -> None:
    """A recurrence is linear in its second operand: its tangent there is a recurrence."""
    x = np.array([2.0, 3.0, -1.0, 0.5])

    def f(x: Any) -> Any:
        return np.cumprod(np.where(x < 0, 2.0, x))

    wanted = [[1, 0, 0, 0], [3, 2, 0, 0], [6, 4, 0, 0], [3, 2, 0, 12]]
    for derivative in (pg.jacfwd(f), pg.jacrev(f)):
        np.testing.assert_allclose(derivative(x), wanted)
