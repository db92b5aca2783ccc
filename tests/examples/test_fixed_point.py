"""The fixed point: its derivatives by the theorem, by every step, by a linear system and by differences."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import fixed_point
from pygraph.examples.fixed_point import dense_gradient, equilibrium, layer, loss_of, problem, solve


def test_it_is_a_fixed_point() -> None:
    params, _ = problem()
    x = equilibrium(params)
    np.testing.assert_allclose(layer(params, x), x, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(x, pg.compile(solve)(params))


def test_the_loop_ends_when_it_has_converged() -> None:
    (w, b), _ = problem()
    counts = [int(pg.compile(fixed_point.steps)((scale * w, b))) for scale in (0.0, 0.5, 1.0)]
    assert counts[0] < counts[1] < counts[2] < fixed_point.LIMIT


def test_a_map_that_is_no_contraction_is_refused_by_the_limit() -> None:
    rotation = np.kron(np.eye(4), np.array([[0.0, -1.0], [1.0, 0.0]]))
    with pytest.raises(pg.LimitError):
        equilibrium((50.0 * rotation, np.ones(8)))


def test_the_gradient_by_every_way() -> None:
    params, target = problem()
    implicit = pg.grad(loss_of(equilibrium))(params, target)
    for other in (pg.grad(loss_of(solve))(params, target), dense_gradient(params, target)):
        for found, expected in zip(implicit, other, strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_both_modes() -> None:
    (w, b), _ = problem()
    for of, at in ((lambda b: equilibrium((w, b)), b), (lambda w: equilibrium((w, b)), w)):
        np.testing.assert_allclose(pg.jacfwd(of)(at), pg.jacrev(of)(at), rtol=0, atol=1e-10)
    x = equilibrium((w, b))
    slope = np.diag(1.0 - x**2)
    expected = np.linalg.solve(np.eye(8) - slope @ w, slope)
    np.testing.assert_allclose(pg.jacfwd(lambda b: equilibrium((w, b)))(b), expected, rtol=0, atol=1e-10)


def test_first_and_second_order_against_differences() -> None:
    params, target = problem()
    pg.check_grads(loss_of(equilibrium), (params, target), order=2)


def test_the_second_derivative_is_that_of_every_step() -> None:
    (w, b), target = problem()
    hessians = [pg.hessian(lambda b, s=s: loss_of(s)((w, b), target))(b) for s in (equilibrium, solve)]
    np.testing.assert_allclose(hessians[0], hessians[1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(hessians[0], hessians[0].T, rtol=0, atol=1e-9)


def test_a_batch_of_problems() -> None:
    (w, b), target = problem()
    offsets = np.linspace(-1.0, 1.0, 5)[:, None] * b
    gradient = pg.grad(lambda b: loss_of(equilibrium)((w, b), target))
    np.testing.assert_allclose(
        pg.vmap(gradient)(offsets), np.stack([gradient(row) for row in offsets]), rtol=0, atol=1e-10
    )
