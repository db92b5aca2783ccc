"""Whole models of statistics and robotics with their derivatives, each written once for pygraph and for JAX."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from . import robot
from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

Array = npt.NDArray[np.float64]

#: Measurements of the Kalman filter; samples of the regression and its columns; samples, groups and components of the
#: mixture.
STEPS = 500
SAMPLES, COLUMNS = 2000, 5
VALUES, GROUPS, COMPONENTS = 10_000, 500, 8


class Namespace(types.SimpleNamespace):
    """The names of several modules, each of the first that has it."""

    def __init__(self, *modules: Any) -> None:
        super().__init__(modules=modules)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(module for module in self.modules if hasattr(module, name)), name)


def kalman(m: Any, logs: Any, measured: Any) -> Any:
    """The log-likelihood of measured positions of a point in the plane of nearly constant speed.

    Args:
        m: a namespace.
        logs: logarithms of the variances of the motion and of the measurement.
        measured: (STEPS, 2).
    """
    move = np.kron(np.array([[1.0, 0.1], [0.0, 1.0]]), np.eye(2))
    look = np.eye(2, 4)
    motion, error = m.exp(logs[0]) * np.eye(4), m.exp(logs[1]) * np.eye(2)

    def step(carry: Any, z: Any) -> Any:
        mean, spread = carry
        mean, spread = move @ mean, move @ spread @ move.T + motion
        surprise, total = z - look @ mean, look @ spread @ look.T + error
        gain = m.linalg.solve(total, look @ spread).T
        value = -0.5 * (surprise @ m.linalg.solve(total, surprise) + m.linalg.slogdet(total)[1])
        return (mean + gain @ surprise, spread - gain @ look @ spread), value

    return m.sum(m.scan(step, (np.zeros(4), np.eye(4)), measured)[1])


def robust_regression(m: Any, coefficients: Any, x: Any, y: Any) -> Any:
    """The median of the absolute deviations, and a little of a quartile of them."""
    apart = m.abs(x @ coefficients - y)
    return m.median(apart) + 0.1 * m.quantile(apart, 0.75)


def mixture(m: Any, means: Any, weights: Any, values: Any, groups: Any) -> Any:
    """The log-likelihood of groups of values, all values of a group of one of several normal distributions."""
    logs = -0.5 * (values[:, None] - means) ** 2
    sums = m.segment_sum(logs, groups, GROUPS)
    return m.sum(m.logsumexp(sums + m.log_softmax(weights), axis=1))


def arm_inertia(m: Any, q: Any) -> Any:
    """The inertia matrix and its derivatives in the angles."""
    return robot.inertia(m, q), m.jacfwd(partial(robot.inertia, m))(q)


def arm_dynamics(m: Any, q: Any, speed: Any, torque: Any) -> Any:
    """The accelerations and their derivatives in angles and speeds."""
    f = partial(robot.acceleration, m)
    return (f(q, speed, torque), *m.jacfwd(f, argnums=(0, 1))(q, speed, torque))


def _gradient(function: Callable[..., Any], *argnums: int) -> Callable[..., Any]:
    def both(m: Any, *args: Any) -> Any:
        value, gradients = m.value_and_grad(partial(function, m), argnums=argnums)(*args)
        return (value, *gradients)

    return both


def cases() -> list[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """Titles, functions of a namespace and arguments, and the arguments."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(SAMPLES, COLUMNS))
    y = x @ rng.normal(size=COLUMNS) + rng.standard_t(2, SAMPLES)
    track = np.cumsum(rng.normal(size=(STEPS, 2)), axis=0) * 0.1 + 0.3 * rng.normal(size=(STEPS, 2))
    groups = np.sort(rng.integers(0, GROUPS, VALUES))
    arm = tuple(rng.uniform(-1.0, 1.0, (3, 7)))
    return [
        (f"Kalman filter of {STEPS} steps, log-likelihood and gradient", _gradient(kalman, 0), (np.zeros(2), track)),
        (
            f"robust regression, {SAMPLES:,} x {COLUMNS}, value and gradient",
            _gradient(robust_regression, 0),
            (np.zeros(COLUMNS), x, y),
        ),
        ("arm of seven axes: inertia matrix and its derivatives", arm_inertia, arm[:1]),
        ("arm of seven axes: forward dynamics and derivatives", arm_dynamics, arm),
        (
            f"mixture of {VALUES:,} values in {GROUPS} groups, value and gradient",
            _gradient(mixture, 0, 1),
            (rng.normal(size=COMPONENTS), np.zeros(COMPONENTS), rng.normal(size=VALUES), groups),
        ),
    ]


def _answer(result: Any) -> list[Array]:
    return [np.asarray(part) for part in result]


def run(rounds: int | None = None) -> Report:
    """Measure the workload and print it."""
    report = Report("models")
    jax = peer("jax", report.left_out)
    if jax:
        jax.config.update("jax_enable_x64", True)
        theirs = Namespace(jax.numpy, jax, jax.lax, jax.nn, jax.ops)
    for title, function, arguments in cases():
        ours = partial(function, pg)
        contenders = [Contender("pygraph VM", partial(pg.compile(ours, backend="vm"), *arguments), _answer)]
        if (built := native(ours, report.left_out, *arguments)) is not None:
            contenders.append(Contender("pygraph native", partial(built, *arguments), _answer))
        if jax:
            compiled = jax.jit(partial(function, theirs))
            on_device = tuple(map(jax.numpy.asarray, arguments))
            waiting = partial(lambda f, given: jax.block_until_ready(f(*given)), compiled, on_device)
            contenders.append(Contender("JAX jit", waiting, _answer))
        targets = [Target("pygraph native", "JAX jit", 1.0)]
        report.tables.append(
            run_case(Case(title, contenders, "pygraph VM", targets, rounds=30, tolerance=1e-9), rounds)
        )
        print_table(report.tables[-1])
    print_rest(report)
    return report
