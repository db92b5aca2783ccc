"""The gradient of a Gaussian mixture's log-posterior, as in the ADBench suite (microsoft/ADBench, GMM)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import lgamma, log, pi
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Report, native, peer, print_rest, print_table, run_case

Array = npt.NDArray[np.float64]

#: Points, their dimension, and the components of the mixture.
POINTS, DIMENSION, COMPONENTS = 1000, 10, 25

#: The Wishart prior of each component's precision.
GAMMA, EXCESS = 1.0, 0


@dataclass(frozen=True)
class Mixture:
    """A mixture's parameters, and the points it is fitted to.

    Attributes:
        weights: logarithms of the components' weights up to a common addend, shape (K,).
        means: shape (K, D).
        factors: of each precision's square root the logarithms of the diagonal, then the lower triangle column by
            column, shape (K, D + D (D − 1) / 2).
        points: shape (N, D).
    """

    weights: Array
    means: Array
    factors: Array
    points: Array


def make_mixture(points: int = POINTS, dimension: int = DIMENSION, components: int = COMPONENTS) -> Mixture:
    """A fixed pseudo-random mixture and as many points."""
    random = np.random.default_rng(25)
    packed = dimension * (dimension + 1) // 2
    return Mixture(
        random.normal(size=components),
        random.uniform(size=(components, dimension)),
        0.3 * random.normal(size=(components, packed)),
        random.normal(size=(points, dimension)),
    )


def _triangle(dimension: int) -> npt.NDArray[np.int64]:
    """For each entry of a strictly lower triangular matrix its place in the packed columns, behind a zero at 0."""
    places = np.zeros((dimension, dimension), np.int64)
    columns, rows = np.triu_indices(dimension, 1)
    places[rows, columns] = np.arange(1, len(rows) + 1)
    return places


def log_posterior(xp: Any, logsumexp: Any, weights: Any, means: Any, factors: Any, points: Any) -> Any:
    """The log-posterior up to the prior's normalisation constant, which is added as a number."""
    (count, dimension), components = points.shape, means.shape[0]
    logarithms, lower = factors[:, :dimension], factors[:, dimension:]
    diagonal = xp.exp(logarithms)
    log_determinants = xp.sum(logarithms, axis=1)
    padded = xp.concatenate([xp.zeros((components, 1)), lower], axis=1)
    matrices = xp.take(padded, _triangle(dimension), axis=1)  # (K, D, D)
    centred = xp.expand_dims(points, 0) - xp.expand_dims(means, 1)  # (K, N, D)
    scaled = xp.expand_dims(diagonal, 1) * centred + xp.matmul(centred, xp.swapaxes(matrices, 1, 2))
    inner = xp.expand_dims(weights + log_determinants, 1) - 0.5 * xp.sum(scaled * scaled, axis=2)  # (K, N)
    likelihood = xp.sum(logsumexp(inner, axis=0)) - count * logsumexp(weights, axis=0)
    return likelihood - 0.5 * count * dimension * log(2 * pi) + _prior(xp, diagonal, lower, log_determinants)


def _prior(xp: Any, diagonal: Any, lower: Any, log_determinants: Any) -> Any:
    """The logarithm of the Wishart prior."""
    components, dimension = diagonal.shape
    freedom = dimension + EXCESS + 1
    gammas = sum(lgamma(0.5 * (freedom - j)) for j in range(dimension)) + 0.25 * dimension * (dimension - 1) * log(pi)
    constant = freedom * dimension * (log(GAMMA) - 0.5 * log(2)) - gammas
    squares = xp.sum(diagonal * diagonal) + xp.sum(lower * lower)
    return 0.5 * GAMMA**2 * squares - EXCESS * xp.sum(log_determinants) - components * constant


def _answer(result: Any) -> tuple[Array, ...]:
    value, gradient = result
    return tuple(np.asarray(part) for part in (value, *gradient))


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("gmm")
    mixture = make_mixture()
    arguments = (mixture.weights, mixture.means, mixture.factors, mixture.points)
    function = pg.value_and_grad(partial(log_posterior, np, pg.logsumexp), argnums=(0, 1, 2))
    contenders = [Contender("pygraph VM", partial(pg.compile(function, backend="vm"), *arguments), _answer)]
    if (built := native(function, report.left_out, *arguments)) is not None:
        contenders.append(Contender("pygraph native", partial(built, *arguments), _answer))
    if jax := peer("jax", report.left_out):
        jax.config.update("jax_enable_x64", True)
        posterior = partial(log_posterior, jax.numpy, jax.nn.logsumexp)
        compiled = jax.jit(jax.value_and_grad(posterior, argnums=(0, 1, 2)))
        on_device = tuple(map(jax.numpy.asarray, arguments))
        contenders.append(Contender("JAX jit", lambda: jax.block_until_ready(compiled(*on_device)), _answer))
    title = f"GMM log-posterior and gradient, N = {POINTS:,}, D = {DIMENSION}, K = {COMPONENTS}"
    report.tables.append(run_case(Case(title, contenders, "pygraph VM", rounds=20), rounds))
    print_table(report.tables[-1])
    print_rest(report)
    return report
