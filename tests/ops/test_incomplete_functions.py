"""The incomplete gamma and beta functions: values at edges, derivatives in the first parameter, what has none."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from mpmath import mp

import pygraph as pg
from pygraph.ops.incomplete_reference import beta_density

EDGES = np.array([0.0, 1e-300, 1e-3, 0.5, 1.0, 2.0, 31.0, 1e4, 1e30, np.inf, -1.0, np.nan])
SHARES = np.array([0.0, 1e-300, 1e-3, 0.3, 0.98, 1.0, -0.1, 1.1, np.nan])


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "stdtr"])
def test_edges_of_two_operands(name: str) -> None:
    a, x = (v.ravel() for v in np.meshgrid(EDGES, EDGES))
    found = pg.compile(getattr(pg, name))(a, x)
    np.testing.assert_allclose(found, getattr(scipy.special, name)(a, x), rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("name", ["betainc", "betaincc"])
def test_edges_of_three_operands(name: str) -> None:
    moderate = EDGES[EDGES != 1e30]
    a, b, x = (v.ravel() for v in np.meshgrid(moderate, moderate, SHARES))
    a, b = np.where(np.isinf(a) & np.isinf(b), 1.0, a), np.where((a == 0) & (b == 0), 1.0, b)
    found = pg.compile(getattr(pg, name))(a, b, x)
    np.testing.assert_allclose(found, getattr(scipy.special, name)(a, b, x), rtol=1e-9, atol=1e-15)


def test_large_parameters() -> None:
    """Where the distribution is nearly normal."""
    rng = np.random.default_rng(0)
    a = 10.0 ** rng.uniform(2, 5, 400)
    x = a + np.sqrt(a) * rng.normal(0, 2, 400)
    np.testing.assert_allclose(pg.compile(pg.gammainc)(a, x), scipy.special.gammainc(a, x), rtol=1e-11)
    # beyond this SciPy loses digits; by mpmath's quadrature:
    large, at = np.array([1.84866095e6, 4.93926184e7]), np.array([1.83805722e6, 4.93573931e7])
    wanted = [2.7798297456339021e-15, 2.6753560979363978e-7]
    np.testing.assert_allclose(pg.compile(pg.gammainc)(large, at), wanted, rtol=1e-14)
    b = 10.0 ** rng.uniform(2, 6, 400)
    mean = a / (a + b)
    x = mean + np.sqrt(mean * (1 - mean) / (a + b)) * rng.normal(0, 2, 400)
    np.testing.assert_allclose(pg.compile(pg.betainc)(a, b, x), scipy.special.betainc(a, b, x), rtol=1e-10, atol=1e-16)


def test_calls_on_arrays_agree_with_compiled_ones_for_large_parameters() -> None:
    """A call on numbers takes the NumPy definition, which has to be as good."""
    rng = np.random.default_rng(1)
    a, b = 10.0 ** rng.uniform(-1, 8, (2, 300))
    mean = a / (a + b)
    x = np.clip(mean + np.sqrt(mean * (1 - mean) / (a + b)) * rng.normal(0, 2, 300), 1e-300, 1.0 - 1e-16)
    for name in ("betainc", "betaincc"):
        function = getattr(pg, name)
        np.testing.assert_allclose(function(a, b, x), pg.compile(function)(a, b, x), rtol=1e-10, atol=1e-14)
    assert pg.betainc(1e6, 1e6, 0.5) == pytest.approx(0.5, rel=1e-14)
    assert pg.stats.binom.cdf(500_000, 1_000_000, 0.5) == pytest.approx(0.50039894218066, rel=1e-12)
    density = scipy.stats.beta.pdf(x, a, b)
    np.testing.assert_allclose(beta_density(a, b, x), density, rtol=1e-10)
    assert pg.stdtr(np.inf, -np.inf) == 0.0


def test_the_complements_are_accurate_where_they_are_small() -> None:
    assert pg.gammaincc(0.5, 300.0) == pytest.approx(1.671096e-132, rel=1e-6)
    assert pg.betaincc(3.0, 40.0, 0.9) == pytest.approx(scipy.special.betaincc(3.0, 40.0, 0.9), rel=1e-13)


def test_the_derivative_in_a() -> None:
    """Against differences of 60 digits, also far out and for small a."""
    a = np.array([1e-3, 0.02, 0.3, 1.0, 2.5, 9.0, 40.0, 700.0])
    x = np.array([2e-4, 0.5, 0.9, 30.0, 2.0, 4.0, 60.0, 690.0])
    with mp.workdps(60):
        h = mpmath.mpf(10) ** -25
        wanted = [
            (mp.gammainc(mp.mpf(p) + h, 0, q, regularized=True) - mp.gammainc(mp.mpf(p) - h, 0, q, regularized=True))
            / (2 * h)
            for p, q in zip(a.tolist(), x.tolist(), strict=True)
        ]
    found = pg.grad(lambda a: np.sum(pg.gammainc(a, x)))(a)
    np.testing.assert_allclose(found, [float(v) for v in wanted], rtol=1e-11)
    np.testing.assert_array_equal(pg.grad(lambda a: np.sum(pg.gammaincc(a, x)))(a), -found)


def test_derivatives_at_the_ends() -> None:
    slopes = pg.grad(lambda a, x: np.sum(pg.gammainc(a, x)), argnums=(0, 1))
    in_a, in_x = slopes(np.array([0.5, 1.0, 2.0, 2.0]), np.array([0.0, 0.0, 0.0, np.inf]))
    np.testing.assert_array_equal(in_a, [0.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(in_x, [np.inf, 1.0, 0.0, 0.0])
    assert pg.grad(lambda t: pg.stdtr(3.0, t))(0.0) == pytest.approx(scipy.stats.t.pdf(0.0, 3.0), rel=1e-14)


def test_derivatives_by_differences() -> None:
    """In the parameters of the beta function and the degrees of freedom, against differences of 40 digits."""
    a, b, x = np.array([0.5, 3.0, 60.0]), np.array([2.0, 0.7, 90.0]), np.array([0.2, 0.8, 0.38])
    with mp.workdps(40):
        h = mpmath.mpf(10) ** -15
        wanted = [
            (mp.betainc(p + h, q, 0, v, regularized=True) - mp.betainc(p - h, q, 0, v, regularized=True)) / (2 * h)
            for p, q, v in zip(*(map(mp.mpf, y.tolist()) for y in (a, b, x)), strict=True)
        ]
    found = pg.grad(lambda a: np.sum(pg.betainc(a, b, x)))(a)
    np.testing.assert_allclose(found, [float(v) for v in wanted], rtol=2e-8)
    np.testing.assert_allclose(pg.grad(lambda a: np.sum(pg.betaincc(a, b, x)))(a), -found, rtol=1e-8)
    slope = pg.grad(lambda df: pg.stats.t.cdf(0.7, df))(4.0)
    difference = (scipy.stats.t.cdf(0.7, 4.001) - scipy.stats.t.cdf(0.7, 3.999)) / 0.002
    assert slope == pytest.approx(difference, rel=1e-6)


def test_bessel_functions_of_scipy() -> None:
    x = np.array([0.0, -0.0, 1e-300, 0.3, -5.0, 8.0, 700.0, -800.0, np.nan])
    for name in ("i0", "i1", "i0e", "i1e"):
        np.testing.assert_allclose(pg.compile(getattr(pg, name))(x), getattr(scipy.special, name)(x), rtol=1e-13)
    np.testing.assert_allclose(
        pg.compile(pg.i0)(np.array([713.0, np.inf, -np.inf])), [6.7051278e307, np.inf, np.inf], rtol=1e-7
    )
    pg.check_grads(lambda x: pg.i1(x) + pg.i1e(x) + pg.i0e(x), (np.array([-2.0, 0.4, 9.0]),), order=2)
    assert pg.grad(pg.i1)(0.0) == pg.grad(pg.i1e)(0.0) == 0.5
