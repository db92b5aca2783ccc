"""Probability distributions against scipy.stats: values, also outside of the support, wrong parameters, derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

import pygraph as pg

X = np.array([-2.5, -1.0, -0.3, 0.0, 0.2, 0.5, 0.99, 1.0, 1.5, 4.0, 40.0, np.inf, -np.inf, np.nan])
K = np.array([-1.0, 0.0, 1.0, 2.0, 2.5, 5.0, 12.0, 100.0, np.nan])
#: By distribution: its shape parameters, several of each.
SHAPES: dict[str, list[tuple[float, ...]]] = {
    **{name: [()] for name in ("expon", "laplace", "logistic", "norm", "uniform")},
    "lognorm": [(0.5,), (2.0,)],
    "gamma": [(0.5,), (1.0,), (7.0,)],
    "beta": [(0.5, 0.5), (1.0, 1.0), (2.0, 70.0)],
    "t": [(0.7,), (3.0,), (1e9,)],
    "poisson": [(0.0,), (3.0,), (70.0,), (-1.0,)],
    "binom": [(5.0, 0.3), (100.0, 0.5), (5.0, 0.0), (5.0, 1.0), (5.0, 1.5)],
}
DISCRETE = ("poisson", "binom")
PLACES = [(0.0, 1.0), (0.3, 2.5), (0.0, -1.0)]


def _functions(name: str) -> list[str]:
    return [f for f in ("logpdf", "logpmf", "cdf") if hasattr(getattr(pg.stats, name), f)]


def _calls(name: str) -> list[tuple[str, tuple[Any, ...]]]:
    found: list[tuple[str, tuple[Any, ...]]] = []
    for function in _functions(name):
        for shapes in SHAPES[name]:
            found += [
                (function, (*shapes, loc) if name in DISCRETE else (*shapes, loc, scale)) for loc, scale in PLACES
            ]
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_values_are_those_of_scipy(name: str) -> None:
    ours, theirs = getattr(pg.stats, name), getattr(scipy.stats, name)
    x, calls = (K if name in DISCRETE else X), _calls(name)
    with np.errstate(all="ignore"):
        wanted = [getattr(theirs, function)(x, *parameters) for function, parameters in calls]

    def all_of(x: Any, parameters: list[tuple[Any, ...]]) -> list[Any]:
        return [getattr(ours, function)(x, *ps) for (function, _), ps in zip(calls, parameters, strict=True)]

    parameters = [ps for _, ps in calls]
    for found in (all_of(x, parameters), pg.compile(all_of)(x, parameters)):
        for call, one, other in zip(calls, found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=3e-13, atol=3e-13, err_msg=f"{name}{call}")


@pytest.mark.parametrize("name", SHAPES)
def test_derivatives(name: str) -> None:
    """In the parameters, and in x inside of the support, where terms outside of it are left out."""
    ours = getattr(pg.stats, name)
    shapes = SHAPES[name][1 if len(SHAPES[name]) > 1 else 0]
    inside = np.array([0.35, 0.6, 0.8])
    if name in DISCRETE:
        counts = np.array([0.0, 2.0, 5.0, -1.0])
        rest = shapes[:-1]
        pg.check_grads(lambda p: np.where(counts >= 0, ours.logpmf(counts, *rest, p), 0.0), (np.array(0.4),), order=2)
        return
    for function in _functions(name):
        f: Callable[..., Any] = getattr(ours, function)
        pg.check_grads(
            lambda x, *ps, f=f: f(x, *ps), (inside, *map(np.array, shapes), np.array(0.1), np.array(1.5)), order=2
        )
    far = np.array([-3.0, 0.5])
    for slope in pg.grad(lambda s: np.sum(np.where(far > 0, ours.logpdf(far, *shapes, 0.0, s), 0.0)))(
        np.array([1.5, 1.5])
    ):
        assert np.isfinite(slope)


def test_dtypes_are_promoted() -> None:
    x = np.array([0.5, 1.5], np.float32)
    assert pg.stats.norm.logpdf(x).dtype == np.float32
    assert pg.stats.norm.logpdf(x, 0.5, 2).dtype == np.float32
    assert pg.compile(lambda x: pg.stats.gamma.logpdf(x, 2.0))(x).dtype == np.float32
    assert pg.stats.poisson.logpmf(np.arange(3), 2).dtype == np.float64


def test_the_multivariate_normal_distribution() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=(3, 3))
    cov, mean, x = a @ a.T + np.eye(3), rng.normal(size=3), rng.normal(size=(2, 4, 3))
    wanted = scipy.stats.multivariate_normal.logpdf
    logpdf = pg.stats.multivariate_normal.logpdf
    for arguments in [(x, mean, cov), (x[0, 0], mean, cov), (x, None, cov), (x, mean, np.diag(cov)), (x, mean, 2.0)]:
        np.testing.assert_allclose(logpdf(*arguments), wanted(*arguments), rtol=1e-12)
    np.testing.assert_allclose(logpdf(x[0, :, 0]), wanted(x[0, :, 0]), rtol=1e-12)
    np.testing.assert_allclose(pg.compile(logpdf)(x, mean, cov), wanted(x, mean, cov), rtol=1e-12)
    pg.check_grads(lambda x, m, a: logpdf(x, m, a @ a.T + np.eye(3)), (x[0], mean, a), order=2)
    with pytest.raises(pg.ShapeError, match="points of shape"):
        logpdf(x[..., :2], mean, cov)
    with pytest.raises(pg.ShapeError, match="a mean of shape"):
        logpdf(x, mean[:2], cov)


def test_distributions_are_listed() -> None:
    assert set(SHAPES) | {"multivariate_normal"} == set(dir(pg.stats))
    with pytest.raises(AttributeError, match="no attribute 'cauchy'"):
        pg.stats.cauchy  # noqa: B018
