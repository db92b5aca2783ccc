"""The cost of a call: value and gradient of Σ sin(x)·x for three numbers, where the arithmetic itself is nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Report, Target, peer, print_rest, print_table, run_case

Vector = npt.NDArray[np.float64]

#: Below this times JAX the structure of the call path is right.
LIMIT = 0.3


def objective(x: Any) -> Any:
    """Σ sin(x)·x: an expression of an expression."""
    return np.sum(np.sin(x) * x)


def by_hand(x: Vector) -> tuple[np.float64, Vector]:
    """Value and gradient in plain NumPy."""
    sine = np.sin(x)
    return np.dot(sine, x), sine + x * np.cos(x)


def _pygraph(x: Vector) -> list[Contender]:
    compiled = pg.compile(pg.value_and_grad(objective), backend="vm")
    executable = compiled.executable(x)
    return [
        Contender("pygraph call", partial(compiled, x)),
        Contender("pygraph exe(x)", partial(executable, x)),
        Contender("pygraph bind", executable.bind(x)),
    ]


def _jax(jax: Any, x: Vector) -> list[Contender]:
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    compiled = jax.jit(jax.value_and_grad(lambda v: jnp.sum(jnp.sin(v) * v)))
    on_device = jnp.asarray(x)

    def call(argument: Any) -> Any:
        value, gradient = compiled(argument)
        gradient.block_until_ready()
        return value, gradient

    return [
        Contender("JAX jit, ndarray", partial(call, x)),
        Contender("JAX jit, device array", partial(call, on_device)),
    ]


def _casadi(casadi: Any, x: Vector) -> list[Contender]:
    v = casadi.SX.sym("v", x.size)
    value = casadi.sum1(casadi.sin(v) * v)
    function = casadi.Function("objective", [v], [value, casadi.gradient(value, v)])
    found, gradient = np.zeros(1), np.zeros(x.size)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, x.data)
    buffer.set_res(0, found.data)
    buffer.set_res(1, gradient.data)
    return [
        Contender("CasADi, ndarray", partial(function, x), lambda result: (float(result[0]), result[1].full().ravel())),
        Contender("CasADi, buffer", evaluate, lambda _: (found[0], gradient), buffer),
    ]


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("call")
    x = np.array([0.5, -1.25, 2.0])
    contenders = _pygraph(x)
    if jax := peer("jax", report.left_out):
        contenders += _jax(jax, x)
    if casadi := peer("casadi", report.left_out):
        contenders += _casadi(casadi, x)
    contenders.append(Contender("NumPy by hand", partial(by_hand, x)))
    targets = [Target("pygraph call", f"JAX jit, {kind}", LIMIT) for kind in ("ndarray", "device array")]
    case = Case("value and gradient of Σ sin(x)·x, n = 3", contenders, "pygraph call", targets)
    report.tables.append(run_case(case, rounds))
    print_table(report.tables[-1])
    print_rest(report)
    return report
