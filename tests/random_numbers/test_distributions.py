"""Draws against their distributions, by the tests of Kolmogorov and Smirnov and by chi-square; with fixed keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats as st

import pygraph as pg

N = 100_000
R = pg.random
#: Each test has a fixed key, so that it fails always or never; a right draw has a p-value below this once in 5,000.
LEAST = 2e-4

CONTINUOUS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "uniform": (lambda k: R.uniform(k, (N,), minval=-1.0, maxval=3.0), st.uniform(-1.0, 4.0)),
    "uniform32": (lambda k: R.uniform(k, (N,), "float32"), st.uniform()),
    "normal": (lambda k: R.normal(k, (N,)), st.norm()),
    "normal32": (lambda k: R.normal(k, (N,), "float32"), st.norm()),
    "truncated": (lambda k: R.truncated_normal(k, -0.5, 2.0, (N,)), st.truncnorm(-0.5, 2.0)),
    "half": (lambda k: R.truncated_normal(k, 1.0, np.inf, (N,)), st.truncnorm(1.0, np.inf)),
    "tail": (lambda k: R.truncated_normal(k, 8.0, 9.0, (N,)), st.truncnorm(8.0, 9.0)),
    "exponential": (lambda k: R.exponential(k, (N,)), st.expon()),
    "laplace": (lambda k: R.laplace(k, (N,)), st.laplace()),
    "logistic": (lambda k: R.logistic(k, (N,)), st.logistic()),
    "gumbel": (lambda k: R.gumbel(k, (N,)), st.gumbel_r()),
    "gamma0.1": (lambda k: R.gamma(k, 0.1, (N,)), st.gamma(0.1)),
    "gamma1": (lambda k: R.gamma(k, 1.0, (N,), "float32"), st.gamma(1.0)),
    "gamma7.5": (lambda k: R.gamma(k, 7.5, (N,)), st.gamma(7.5)),
    "gamma1e4": (lambda k: R.gamma(k, 1e4, (N,)), st.gamma(1e4)),
    "loggamma": (lambda k: R.loggamma(k, 0.5, (N,)), st.loggamma(0.5)),
    "beta": (lambda k: R.beta(k, 0.5, 2.5, (N,)), st.beta(0.5, 2.5)),
    "dirichlet": (lambda k: R.dirichlet(k, np.array([1.0, 2.0, 0.5]), (N,))[:, 1], st.beta(2.0, 1.5)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str) -> None:
    draw, distribution = CONTINUOUS[name]
    sample = np.asarray(draw(R.key(11)), np.float64)
    assert sample.shape == (N,)
    assert st.kstest(sample, distribution.cdf).pvalue > LEAST


def chi_square(sample: Any, probabilities: Any) -> float:
    """The p-value of counts of 0, 1, … with these probabilities, those expected less than 10 times together."""
    expected = N * np.asarray(probabilities)
    counts = np.bincount(sample, minlength=expected.size)
    assert counts.size == expected.size
    rare = expected < 10
    assert counts[expected == 0].sum() == 0
    if rare.any():
        expected = np.append(expected[~rare], expected[rare].sum())
        counts = np.append(counts[~rare], counts[rare].sum())
    kept = expected > 0
    return float(st.chisquare(counts[kept], expected[kept] * (counts.sum() / expected.sum())).pvalue)


WEIGHTS = np.array([0.1, 0.0, 0.4, 0.2, 0.3])
DISCRETE: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "randint": (lambda k: R.randint(k, (N,), -3, 10) + 3, np.full(13, 1 / 13)),
    "randint32": (lambda k: R.randint(k, (N,), 0, 7, "int32"), np.full(7, 1 / 7)),
    "bernoulli": (lambda k: R.bernoulli(k, 0.3, (N,)).astype(int), [0.7, 0.3]),
    "rademacher": (lambda k: (R.rademacher(k, (N,)) + 1) // 2, [0.5, 0.5]),
    "bits": (lambda k: R.bits(k, (N,)) >> 20 & 15, np.full(16, 1 / 16)),
    "categorical": (lambda k: R.categorical(k, np.log(np.maximum(WEIGHTS, 0.0) + 0.0), shape=(N,)), WEIGHTS),
    "choice": (lambda k: R.choice(k, 9, (N,)), np.full(9, 1 / 9)),
    "choice_p": (lambda k: R.choice(k, np.arange(5), (N,), p=7 * WEIGHTS), WEIGHTS),
    "orders": (
        lambda k: pg.vmap(lambda k: R.permutation(k, 4))(R.split(k, N)) @ [27, 9, 3, 1],
        np.bincount([a * 27 + b * 9 + c * 3 + d for a, b, c, d in __import__("itertools").permutations(range(4))]) / 24,
    ),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str) -> None:
    draw, probabilities = DISCRETE[name]
    with np.errstate(divide="ignore"):
        sample = draw(R.key(5))
    assert chi_square(sample, probabilities) > LEAST


@pytest.mark.parametrize("rate", [0.3, 9.9, 10.0, 45.0, 1e6])
def test_poisson(rate: float) -> None:
    sample, wanted = R.poisson(R.key(2), rate, (N,)), st.poisson(rate)
    if rate < 100:
        top = int(wanted.isf(1e-12))
        assert sample.max() <= top
        assert chi_square(sample, wanted.pmf(np.arange(top + 1))) > LEAST
    else:
        share = wanted.cdf(sample)
        assert st.kstest(share, "uniform").pvalue > LEAST


def test_draws_without_replacement_follow_the_weights() -> None:
    """Of three elements two, in order: p_i p_j / (1 - p_i)."""
    p = np.array([0.5, 0.3, 0.2])
    pairs = pg.vmap(lambda k: R.choice(k, 3, (2,), replace=False, p=p))(R.split(R.key(4), N))
    wanted = [0.0 if i == j else p[i] * p[j] / (1 - p[i]) for i in range(3) for j in range(3)]
    assert chi_square(pairs @ [3, 1], wanted) > LEAST
    equal = pg.vmap(lambda k: R.choice(k, 3, (2,), replace=False))(R.split(R.key(4), N))
    assert chi_square(equal @ [3, 1], [0.0 if i == j else 1 / 6 for i in range(3) for j in range(3)]) > LEAST


def test_normal_vectors_have_their_mean_and_covariance() -> None:
    mean, cov = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 0.5]])
    x = R.multivariate_normal(R.key(3), mean, cov, (N,))
    white = np.linalg.solve(np.linalg.cholesky(cov), (x - mean).T)
    assert st.kstest(white.ravel(), st.norm().cdf).pvalue > LEAST
    assert abs(np.corrcoef(white)[0, 1]) < 4.0 / np.sqrt(N)
    assert R.multivariate_normal(R.key(3), np.zeros((4, 1, 2)), np.stack([cov, cov])).shape == (4, 2, 2)


def test_neighbours_are_independent() -> None:
    x = R.normal(R.key(8), (N,))
    y = R.normal(R.key(9), (N,))
    for pair in ((x[1:], x[:-1]), (x[2:], x[:-2]), (x, y)):
        assert abs(np.corrcoef(*pair)[0, 1]) < 4.0 / np.sqrt(N)


def normals(bits: Any) -> Any:
    from pygraph.ops.random_bits import normal_bits

    return pg.compile(normal_bits)(np.asarray(bits))


def test_normal_numbers_are_exact_in_the_tails() -> None:
    """Against SciPy's inverse: evenly, at each power of two from either end, and where the form changes."""
    powers = 2 ** np.arange(12, 64, dtype=np.uint64)
    top = np.uint64(2**64 - 1)
    near = np.uint64(2**63) + np.arange(0, 2**23, 2**12 + 1, dtype=np.uint64)
    edges = (np.array([0.99247, 0.992474, 0.99248]) * 2.0**63 + 2.0**63).astype(np.uint64)
    even = np.arange(0, 2**64, 2**64 // 4001, dtype=np.uint64)
    u = np.concatenate([powers, top - powers, near, edges, even, np.array([0, top], np.uint64)])
    tail = np.minimum(u, ~u) >> np.uint64(12)
    wanted = np.where(u < 2**63, 1.0, -1.0) * scipy.special.ndtri((tail.astype(np.float64) + 0.5) * 2.0**-52)
    np.testing.assert_allclose(normals(u.view(np.int64)), wanted, rtol=4e-15, atol=3e-16)


def test_normal_numbers_of_32_bits_are_exact_in_the_tails() -> None:
    bits = np.concatenate([np.arange(-(2**31), 2**31, 99991), 2 ** np.arange(31), -(2 ** np.arange(32)), [2**31 - 1]])
    size = np.where(bits < 0, -bits - 1, bits)  # of -1 as of 0
    wanted = np.where(bits < 0, 1.0, -1.0) * scipy.special.ndtri((2.0**31 - 0.5 - size) * 2.0**-32)
    np.testing.assert_allclose(normals(bits.astype(np.int32)), wanted, rtol=1.3e-7)


def test_extreme_uniform_numbers() -> None:
    from pygraph.ops.random_bits import open_unit, unit

    for dtype, most, least in (("int64", 1 - 2.0**-53, 2.0**-53), ("int32", 1 - 2.0**-24, 2.0**-24)):
        ends = np.array([0, -1], dtype)
        assert pg.compile(unit)(ends).tolist() == [0.0, most]
        assert pg.compile(open_unit)(ends).tolist() == [least, 1 - least]
