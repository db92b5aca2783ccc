"""Derivatives of draws in their parameters, where they are reparameterised."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special

import pygraph as pg

R = pg.random
KEY = R.key(6)


def test_of_bounds_and_of_arithmetic() -> None:
    def f(low: Any, high: Any, mean: Any, deviation: Any) -> Any:
        return R.uniform(KEY, (4,), minval=low, maxval=high), mean + deviation * R.normal(R.fold_in(KEY, 1), (4,))

    pg.check_grads(f, (0.3, 2.0, np.arange(4.0), 1.5), order=2)
    u = R.uniform(KEY, (4,))
    np.testing.assert_allclose(pg.jacfwd(lambda high: f(0.3, high, 0.0, 1.0)[0])(2.0), u, rtol=1e-15)


def test_of_normal_vectors() -> None:
    def f(mean: Any, root: Any) -> Any:
        return R.multivariate_normal(KEY, mean, root @ root.T + np.eye(3), (2,))

    pg.check_grads(f, (np.arange(3.0), np.arange(9.0).reshape(3, 3) / 5.0), order=2)


def test_of_truncated_normal_numbers() -> None:
    for low, high in ((-1.0, 0.7), (2.0, 4.0), (-30.0, -8.0), (-0.3, 9.0)):
        pg.check_grads(lambda a, b: R.truncated_normal(KEY, a, b, (3,)), (low, high), order=2)
    assert pg.grad(lambda a: R.truncated_normal(KEY, a, np.inf))(1.0) > 0
    assert pg.grad(lambda b: R.truncated_normal(KEY, -np.inf, b))(1.0) > 0


@pytest.mark.parametrize("a", [0.05, 0.6, 1.0, 3.5, 40.0, 2000.0])
def test_of_gamma_numbers_at_their_place_in_the_distribution(a: float) -> None:
    """Against differences of SciPy's inverse of the distribution, where the number lies."""
    y = R.loggamma(KEY, a, (50,))
    slope = pg.jacfwd(lambda a: R.loggamma(KEY, a, (50,)))(a)
    share = scipy.special.gammainc(a, np.exp(y))
    step = 1e-4 * a
    ends = [scipy.special.gammaincinv(a + d, share) for d in (-2 * step, -step, step, 2 * step)]
    usable = (ends[0] > 1e-290) & (share < 0.999)
    with np.errstate(divide="ignore"):
        b, c, d, e = np.log(ends)
    wanted = (8 * (d - c) - (e - b)) / (12 * step)
    assert usable.sum() > 20
    np.testing.assert_allclose(slope[usable], wanted[usable], rtol=2e-8)


def test_of_gamma_numbers_again() -> None:
    """The rows' own derivatives, of first and second order, of smooth functions of (a, y)."""
    from pygraph.ops.random_draws import log_gamma_bend, log_gamma_slope

    pg.check_grads(
        lambda a, y: (log_gamma_slope(a, y), log_gamma_bend(a, y)), (1.7, np.array([-2.0, 0.3, 1.9])), order=1
    )


@pytest.mark.parametrize("a", [1.6e-4, 0.01, 0.3, 0.97])
def test_of_gamma_numbers_of_small_shapes(a: float) -> None:
    """The rows against mpmath on both sides of e^y = 1, where the distribution is a series and where it is not."""
    from pygraph.ops.random_draws import log_gamma_bend, log_gamma_slope

    def slope(a: Any, x: Any) -> Any:
        below = mpmath.diff(lambda a: mpmath.gammainc(a, 0, x, regularized=True), a)
        return -below * mpmath.gamma(a) * mpmath.exp(x) / x**a

    y = np.log([1e-9, 1.3e-4, 0.02, 0.7, 1.0, 1.0001, 4.0])
    with mpmath.workdps(60):
        points = [mpmath.exp(mpmath.mpf(float(v))) for v in y]
        exact = mpmath.mpf(a)
        wanted = [float(slope(exact, x)) for x in points]
        bent = [float(mpmath.diff(lambda a, x=x: slope(a, x), exact, h=mpmath.mpf(10) ** -15)) for x in points]
    found = pg.compile(lambda a, y: (log_gamma_slope(a, y), log_gamma_bend(a, y)))(a, y)
    np.testing.assert_allclose(found[0], wanted, rtol=1e-12)
    np.testing.assert_allclose(found[1], bent, rtol=1e-11)


def test_of_gamma_numbers_that_are_none() -> None:
    a = np.array([0.0, -1.0, np.nan, np.inf])
    assert np.array_equal(R.gamma(KEY, a), [0.0, np.nan, np.nan, np.inf], equal_nan=True)
    assert np.isnan(pg.grad(lambda a: np.sum(R.loggamma(KEY, a)))(a)).all()
    tiny = R.loggamma(KEY, np.full(5, 1e-3))
    assert np.isfinite(pg.grad(lambda a: np.sum(R.gamma(KEY, a, (5,))))(1e-3))
    assert np.isfinite(tiny).all()
    assert np.isfinite(R.beta(KEY, 1e-3, 1e-3, (50,))).all()
    np.testing.assert_allclose(R.dirichlet(KEY, np.full(4, 1e-3), (50,)).sum(-1), 1.0, rtol=1e-14)


def test_of_means() -> None:
    """The mean of many numbers moves as the distribution's mean."""
    n = 20_000

    def means(a: Any, b: Any) -> Any:
        alpha = pg.array([a, b, 2.0])
        return (
            np.mean(R.gamma(KEY, a, (n,))),
            np.mean(R.beta(KEY, a, b, (n,))),
            np.mean(R.dirichlet(KEY, alpha, (n,))[:, 0]),
        )

    a, b = 1.3, 2.2
    by_a = pg.jacfwd(means)(a, b)
    wanted = (1.0, b / (a + b) ** 2, (b + 2.0) / (a + b + 2.0) ** 2)
    np.testing.assert_allclose([float(x) for x in by_a], wanted, atol=0.02)
    by_both = pg.grad(lambda a, b: means(a, b)[1], argnums=(0, 1))(a, b)
    np.testing.assert_allclose(by_both, (b / (a + b) ** 2, -a / (a + b) ** 2), atol=0.02)


def test_orders_and_integers_have_none() -> None:
    assert pg.grad(lambda rate: 1.0 * R.poisson(KEY, rate))(3.0) == 0.0
    x = np.arange(5.0)
    gradient = pg.grad(lambda x: np.sum(R.permutation(KEY, x) * np.arange(5.0)))(x)
    np.testing.assert_array_equal(np.sort(gradient), x)
    np.testing.assert_array_equal(pg.grad(lambda x: np.sum(R.choice(KEY, x, (7,))))(x).sum(), 7.0)
