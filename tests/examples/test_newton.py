"""Newton's method: its derivatives against their closed forms, and its convergence."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import newton


def test_value_gradient_and_hessian_are_the_closed_forms() -> None:
    a, b = newton.problem()
    x = np.linspace(-0.3, 0.2, newton.VARIABLES)
    value, gradient, hessian = newton.derivatives(x)
    terms = np.exp(a @ x + b)
    p = terms / terms.sum()
    assert value == pytest.approx(np.log(terms.sum()), rel=1e-14)
    np.testing.assert_allclose(gradient, a.T @ p, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(hessian, a.T @ (np.diag(p) - np.outer(p, p)) @ a, rtol=1e-11, atol=1e-13)
    pg.check_grads(newton.f, (x,), order=2)


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_it_finds_the_minimum(scale: float) -> None:
    iterates = newton.minimise(scale * np.linspace(-1.0, 1.0, newton.VARIABLES))
    values = np.array([at.value for at in iterates])
    assert (np.diff(values) < 0).all()
    assert iterates[-1].x.shape == (50,)
    assert iterates[-1].slope < 1e-5
    assert iterates[-1].decrement <= newton.TOLERANCE
    assert np.linalg.eigvalsh(newton.derivatives(iterates[-1].x)[2])[0] > 0.01
    other = newton.minimise(np.zeros(newton.VARIABLES))[-1]
    np.testing.assert_allclose(iterates[-1].x, other.x, atol=1e-5)


def test_it_converges_quadratically() -> None:
    iterates = newton.minimise(np.linspace(-1.0, 1.0, newton.VARIABLES))
    assert len(iterates) <= 12
    assert [at.step for at in iterates[-4:]] == [1.0] * 4
    for before, after in zip(iterates[-4:-1], iterates[-3:], strict=True):
        assert after.decrement < before.decrement**2 + 1e-15 or after.decrement < 0.01 * before.decrement
    assert iterates[-1].decrement < iterates[-2].decrement ** 1.8
