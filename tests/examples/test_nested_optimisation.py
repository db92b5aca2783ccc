"""Gradient descent that is differentiated: against closed forms, differences, and the same loop in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import nested_optimisation as nested


@pytest.mark.parametrize("mode", [pg.grad, pg.jacfwd, pg.jacrev])
def test_the_closed_form_of_a_parabola(mode: Callable[..., Any]) -> None:
    """On h w²/2, n steps from w₀ end at (1 − αh)ⁿ w₀."""
    h, start, count, step = 1.7, 2.0, 12, 0.3

    def parabola(w: Any) -> Any:
        return 0.5 * h * w**2

    def final(step: Any) -> Any:
        return parabola(nested.descend(parabola, start, step, count))

    shrunk = 1 - step * h
    assert pg.compile(final)(step) == pytest.approx(0.5 * h * start**2 * shrunk ** (2 * count), rel=1e-13)
    expected = -count * h**2 * start**2 * shrunk ** (2 * count - 1)
    assert float(mode(final)(step)) == pytest.approx(expected, rel=1e-12)
    second = count * (2 * count - 1) * h**3 * start**2 * shrunk ** (2 * count - 2)
    assert float(mode(pg.grad(final))(step)) == pytest.approx(second, rel=1e-12)


def test_the_training_is_the_loop_in_python() -> None:
    training, _ = nested.cells()
    x, y = training
    step, decay = np.exp(nested.START["log_step"]), np.exp(nested.START["log_decay"])
    w = b = 0.0
    for _ in range(nested.INNER_STEPS):
        excess = 1.0 / (1.0 + np.exp(-(w * x + b))) - y
        w, b = w - step * ((excess * x).mean() + decay * w), b - step * excess.mean()
    found = pg.compile(nested.trained)(nested.START, training)
    np.testing.assert_allclose(found, (w, b), rtol=1e-12)


def test_the_gradient_by_every_way() -> None:
    training, validation = nested.cells()
    assert training[0].size + validation[0].size == 569
    expected = nested.differences(nested.START, training, validation)
    for derivative in (pg.grad, pg.jacrev, pg.jacfwd):
        found = derivative(nested.final_loss)(nested.START, training, validation)
        assert found == pytest.approx(expected, rel=1e-6)
    forward, reverse = (d(nested.final_loss)(nested.START, training, validation) for d in (pg.jacfwd, pg.jacrev))
    assert forward == pytest.approx(reverse, rel=1e-12)


def test_second_order() -> None:
    training, validation = nested.cells()
    pg.check_grads(lambda hyper: nested.final_loss(hyper, training, validation), (nested.START,), order=2)


def test_the_outer_descent_makes_the_validation_loss_smaller() -> None:
    history = nested.tune(nested.START)
    losses = np.array([at.loss for at in history])
    assert len(losses) == nested.OUTER_STEPS + 1
    assert (np.diff(losses) < 0).all()
    assert losses[-1] < 0.85 * losses[0]
    assert history[0].step == pytest.approx(0.5)
    assert history[-1].step > history[0].step
    assert history[-1].decay < history[0].decay
