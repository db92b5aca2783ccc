"""Linear algebra: many small systems and Cholesky factors, and the gradient of a Gaussian process's log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

Array = npt.NDArray[np.float64]

#: How many small matrices, and the points of the Gaussian process with their dimension.
BATCH, POINTS, DIMENSION = 100_000, 200, 3


def log_likelihood(xp: Any, solve_triangular: Callable[..., Any], logs: Any, x: Any, y: Any) -> Any:
    """That of y at x, for the logarithms of a variance, a length and a noise, up to a constant."""
    variance, length, noise = (xp.exp(logs[i]) for i in range(3))
    distances = xp.sum((x[:, None] - x[None]) ** 2, axis=-1)
    covariance = variance * xp.exp(-0.5 * distances / length**2) + noise * np.eye(len(y))
    low = xp.linalg.cholesky(covariance)
    z = solve_triangular(low, y, lower=True)
    return -0.5 * xp.sum(z * z) - xp.sum(xp.log(xp.diagonal(low)))


def _answer(result: Any) -> list[Array]:
    return [np.asarray(x) for x in (result if isinstance(result, tuple) else [result])]


def _solve(xp: Any, a: Any, b: Any) -> Any:
    return xp.linalg.solve(a, b)


def _cholesky(xp: Any, a: Any) -> Any:
    return xp.linalg.cholesky(a)


def run(rounds: int | None = None) -> Report:
    """Measure the workload and print it."""
    report = Report("linear")
    rng = np.random.default_rng(3)
    small = rng.normal(size=(BATCH, 4, 4)) + 4 * np.eye(4)
    root = rng.normal(size=(BATCH, 8, 8))
    positive = root @ np.swapaxes(root, 1, 2) + np.eye(8)
    process = (np.array([0.1, -0.5, -2.0]), rng.uniform(size=(POINTS, DIMENSION)), rng.normal(size=POINTS))
    jax = peer("jax", report.left_out)
    if jax:
        jax.config.update("jax_enable_x64", True)

    def likelihood(xp: Any, *args: Any) -> Any:
        solve = pg.linalg.solve_triangular if xp is np else jax.scipy.linalg.solve_triangular
        return log_likelihood(xp, solve, *args)

    cases: list[tuple[str, Callable[..., Any], tuple[Array, ...], bool, float]] = [
        (f"{BATCH:,} systems of 4 x 4", _solve, (small, rng.normal(size=(BATCH, 4, 1))), False, 0.3),
        (f"{BATCH:,} Cholesky factors of 8 x 8", _cholesky, (positive,), False, 0.3),
        (f"Gaussian process, log-likelihood and gradient, {POINTS} points", likelihood, process, True, 1.0),
    ]
    for title, function, arguments, gradient, limit in cases:
        ours = partial(function, np)
        ours = pg.value_and_grad(ours) if gradient else ours
        contenders = [Contender("pygraph VM", partial(pg.compile(ours, backend="vm"), *arguments), _answer)]
        if (built := native(ours, report.left_out, *arguments)) is not None:
            contenders.append(Contender("pygraph native", partial(built, *arguments), _answer))
        if jax:
            theirs = partial(function, jax.numpy)
            compiled = jax.jit(jax.value_and_grad(theirs) if gradient else theirs)
            on_device = tuple(map(jax.numpy.asarray, arguments))
            waiting = partial(lambda f, given: jax.block_until_ready(f(*given)), compiled, on_device)
            contenders.append(Contender("JAX jit", waiting, _answer))
        targets = [Target("pygraph native", "JAX jit", limit)]
        case = Case(title, contenders, "pygraph VM", targets, rounds=20, tolerance=1e-9)
        report.tables.append(run_case(case, rounds))
        print_table(report.tables[-1])
    print_rest(report)
    return report
