"""The pendulum: order of the integrator, conservation and damping, and the sensitivity by every way to it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import pygraph as pg
from pygraph.examples import pendulum

STARTS = [pendulum.START, np.array([0.1, 0.0]), np.array([-1.0, 3.0])]


def test_the_integrator_equals_the_loop_in_python() -> None:
    state, dt = pendulum.START, pendulum.SECONDS / pendulum.STEPS
    path = []
    for _ in range(pendulum.STEPS):
        state = pendulum.rk4(state, dt)
        path.append(state)
    end, found = pg.compile(pendulum.simulate)(pendulum.START)
    np.testing.assert_allclose(found, path, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(end, found[-1])


def test_the_integrator_has_order_four() -> None:
    run = {n: pg.compile(lambda s, n=n: pendulum.simulate(s, n)[0])(pendulum.START) for n in (400, 800, 6400)}
    error = {n: np.abs(run[n] - run[6400]).max() for n in (400, 800)}
    assert 14 < error[400] / error[800] < 18


def test_it_agrees_with_scipy() -> None:
    span = (0.0, pendulum.SECONDS)
    solution = scipy.integrate.solve_ivp(lambda _, s: pendulum.motion(s), span, pendulum.START, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(pg.compile(pendulum.last)(pendulum.START), solution.y[:, -1], atol=1e-6)


def test_damping_takes_energy() -> None:
    _, path = pg.compile(pendulum.simulate)(pendulum.START)
    assert path.shape == (pendulum.STEPS, 2)
    assert (np.diff(pendulum.energy(path)) <= 1e-12).all()


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_the_sensitivities_agree(start: np.ndarray) -> None:
    n = pendulum.sensitivities(start)
    np.testing.assert_allclose(n["forward"], n["reverse"], rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(n["forward"], n["differences"], rtol=1e-6, atol=1e-7)
    shrinking = np.exp(-pendulum.DAMPING * pendulum.SECONDS)
    assert np.linalg.det(n["forward"]) == pytest.approx(shrinking, rel=1e-6)


def test_a_small_swing_is_that_of_the_linear_equation() -> None:
    """At rest, the sensitivity is the matrix exponential of the linearised motion."""
    matrix = np.array([[0.0, 1.0], [-pendulum.GRAVITY / pendulum.LENGTH, -pendulum.DAMPING]])
    expected = scipy.linalg.expm(pendulum.SECONDS * matrix)
    np.testing.assert_allclose(pg.jacfwd(pendulum.last)(np.zeros(2)), expected, atol=1e-6)


def test_the_whole_path_by_forward_mode() -> None:
    whole = pg.jacfwd(lambda s: pendulum.simulate(s)[1])(pendulum.START)
    assert whole.shape == (pendulum.STEPS, 2, 2)
    np.testing.assert_allclose(whole[-1], pg.jacrev(pendulum.last)(pendulum.START), rtol=1e-11, atol=1e-13)
