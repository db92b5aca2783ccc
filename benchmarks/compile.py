"""What compiling costs: CPU time from Python to a loaded Program, for large scalar graphs and for small functions."""

from __future__ import annotations

import gc
import math
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

import pygraph as pg

from . import scalar
from .harness import Figure, Report, native, peer, print_rest

#: Operations of the scalar graphs with their gradient; larger ones by an option.
SIZES = (1_000, 10_000, 100_000)
#: CPU time over CasADi's, for each size, and how much longer ten times as many operations may take.
LIMIT, LIMIT_GROWTH = 1.5, 11.5
#: CPU seconds of the others.
LIMIT_DETERMINANT, LIMIT_HESSIAN, LIMIT_ARGUMENTS = 0.35, 0.7, 0.15
LIMIT_NATIVE = 4.0  # seconds of the wall's clock, of compilers in processes of their own
LIMIT_THREE, LIMIT_STEP, LIMIT_ROSENBROCK, LIMIT_FIRST_CALL = 1.2e-3, 4e-3, 5e-3, 1.5e-3

ORDER = 9  # of the determinant
ARGUMENTS = 4_000
VARIABLES, UNROLLED = 12, 93  # of the function with a dense Hessian, and its steps: some 6,300 nodes
ROSENBROCK = 50

#: Makes something from the beginning.
Build = Callable[[], Any]


def seconds(build: Build, times: int) -> float:
    """The least CPU seconds of a build."""
    best = math.inf
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        made = build()
        best = min(best, time.process_time() - start)
        del made
    return best


def determinant(rows: Sequence[Sequence[Any]]) -> Any:
    """By minors, each of which is computed once: those of the last rows in every choice of columns."""
    minors: dict[tuple[int, ...], Any] = {(): 1.0}
    for size, row in enumerate(reversed(rows), 1):
        found = {}
        for columns in combinations(range(len(rows)), size):
            total: Any = 0.0
            for at, column in enumerate(columns):
                term = row[column] * minors[columns[:at] + columns[at + 1 :]]
                total = total - term if at % 2 else total + term
            found[columns] = total
        minors = found
    (whole,) = minors.values()
    return whole


def _of_entries(*a: Any) -> Any:
    """A determinant as a function of the entries of its matrix, in C order."""
    return determinant([a[i : i + ORDER] for i in range(0, len(a), ORDER)])


def _unrolled(x: Any, functions: Any = pg) -> Any:
    """A recurrence of single elements, whose Hessian is dense."""
    v = [x[i] for i in range(VARIABLES)]
    for k in range(UNROLLED):
        i = k % VARIABLES
        v[i] = functions.sin(v[i]) * v[(i + 1) % VARIABLES] + 0.5 * v[(i + 2) % VARIABLES] * v[i]
    return sum(a * a for a in v)


def _summed(functions: Any) -> Callable[..., Any]:
    """A function of many numbers, in turn squared and under a sine."""

    def total(*a: Any) -> Any:
        found: Any = 0.0
        for i, x in enumerate(a):
            found = found + (functions.sin(x) if i % 2 else x * x)
        return found

    return total


def _rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def _three(a: Any, b: Any, c: Any, functions: Any = pg) -> Any:
    return functions.sin(a * b) + c * a


def _loss(p: Any, x: Any, y: Any, functions: Any = np) -> Any:
    hidden = functions.tanh(x @ p[0] + p[1])
    return functions.mean((hidden @ p[2] + p[3] - y) ** 2)


#: Shapes of the parameters, the inputs and the targets of the perceptron.
PARAMETERS, INPUTS, OUTPUTS = ((8, 16), (16,), (16, 4), (4,)), (32, 8), (32, 4)


def _compiled(function: Callable[..., Any], *specs: Any) -> Build:
    return lambda: pg.compile(pg.trace(lambda *args: function(*args), *specs), backend="vm")


def _differentiated(function: Callable[..., Any], arguments: int) -> Build:
    return _compiled(pg.value_and_grad(function, argnums=tuple(range(arguments))), *[pg.spec()] * arguments)


def _step(p: Any, x: Any, y: Any) -> Any:
    value, gradient = pg.value_and_grad(_loss)(p, x, y)
    return [a - 0.1 * b for a, b in zip(p, gradient, strict=True)], value


def _first_call() -> Callable[[], float]:
    """Times the first call of a gradient on arrays of a shape that is new each time."""
    gradient = pg.grad(lambda x: np.sum(np.sin(x) * x + np.exp(-x) * np.cos(x * 2.0) - x / (1.0 + x * x)))
    sizes = iter(range(3, 1_000_000))

    def once() -> float:
        x = np.linspace(0.1, 1.0, next(sizes))
        gc.collect()
        start = time.process_time()
        gradient(x)
        return time.process_time() - start

    return once


def _casadi_function(casadi: Any, function: Callable[..., Any], arguments: int) -> Build:
    def build() -> Any:
        x = casadi.SX.sym("x", arguments)
        value = function(*[x[i] for i in range(arguments)])
        return casadi.Function("f", [x], [value, casadi.gradient(value, x)])

    return build


def _casadi_rosenbrock(casadi: Any) -> Any:
    x = casadi.SX.sym("x", ROSENBROCK)
    value = casadi.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)
    return casadi.Function("f", [x], [casadi.hessian(value, x)[0]])


def _casadi_unrolled(casadi: Any) -> Any:
    x = casadi.SX.sym("x", VARIABLES)
    return casadi.Function("f", [x], [casadi.hessian(_unrolled(x, casadi), x)[0]])


def _jax_builds(jax: Any) -> dict[str, Build]:
    """The small functions; a graph of 1,000 scalar operations takes JAX minutes."""
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def rosenbrock(x: Any) -> Any:
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def step(p: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(lambda q: _loss(q, x, y, jnp))(p)
        return [a - 0.1 * b for a, b in zip(p, gradient, strict=True)], value

    def compiled(function: Callable[..., Any], *arguments: Any) -> Build:
        return lambda: jax.jit(lambda *args: function(*args)).lower(*arguments).compile()

    three = jax.value_and_grad(lambda a, b, c: _three(a, b, c, jnp), argnums=(0, 1, 2))
    parameters = [jnp.zeros(shape) for shape in PARAMETERS]
    return {
        THREE: compiled(three, 1.0, 2.0, 3.0),
        STEP: compiled(step, parameters, jnp.zeros(INPUTS), jnp.zeros(OUTPUTS)),
        HESSIAN_OF_ROSENBROCK: compiled(jax.hessian(rosenbrock), jnp.zeros(ROSENBROCK)),
    }


DETERMINANT = f"determinant of {ORDER} × {ORDER} by minors, with gradient"
DENSE = f"dense Hessian of {UNROLLED} unrolled steps in {VARIABLES} variables"
MANY = f"{ARGUMENTS:,} separate arguments, with gradient"
THREE = "value and gradient of three numbers"
STEP = "a step of a perceptron"
HESSIAN_OF_ROSENBROCK = f"Hessian of Rosenbrock's function in {ROSENBROCK} variables"
FIRST_CALL = "first call of a gradient on a new shape"


def _pygraph_builds() -> dict[str, tuple[Build, int, float]]:
    """By name: the build, how often it is timed, and its limit."""
    parameters = [pg.spec(shape) for shape in PARAMETERS]
    return {
        DETERMINANT: (_differentiated(_of_entries, ORDER * ORDER), 2, LIMIT_DETERMINANT),
        DENSE: (_compiled(pg.hessian(_unrolled), pg.spec((VARIABLES,))), 2, LIMIT_HESSIAN),
        MANY: (_differentiated(_summed(pg), ARGUMENTS), 2, LIMIT_ARGUMENTS),
        THREE: (_differentiated(_three, 3), 30, LIMIT_THREE),
        STEP: (_compiled(_step, parameters, pg.spec(INPUTS), pg.spec(OUTPUTS)), 20, LIMIT_STEP),
        HESSIAN_OF_ROSENBROCK: (_compiled(pg.hessian(_rosenbrock), pg.spec((ROSENBROCK,))), 20, LIMIT_ROSENBROCK),
    }


def _casadi_builds(casadi: Any) -> dict[str, Build]:
    return {
        DETERMINANT: _casadi_function(casadi, _of_entries, ORDER * ORDER),
        DENSE: lambda: _casadi_unrolled(casadi),
        MANY: _casadi_function(casadi, _summed(casadi), ARGUMENTS),
        THREE: _casadi_function(casadi, lambda a, b, c: _three(a, b, c, casadi), 3),
        HESSIAN_OF_ROSENBROCK: lambda: _casadi_rosenbrock(casadi),
    }


def _scalar_graphs(report: Report, casadi: Any, most: int) -> None:
    """Scalar graphs of growing size: their CPU seconds, beside CasADi's, and the growth."""
    point = np.random.default_rng(8).uniform(0.5, 1.5, scalar.INPUTS).tolist()
    before: float | None = None
    for size in (*SIZES, *([most] if most > SIZES[-1] else [])):
        steps, times = scalar.make_program(size, point), 1 if size > SIZES[1] else 3
        taken = seconds(lambda steps=steps: scalar._build_pygraph(steps)[0], times)  # type: ignore[misc]
        report.figures.append(Figure(f"pygraph: {size:,} scalar operations with gradient", taken, "CPU s"))
        if before is not None:
            report.figures.append(Figure(f"pygraph: growth to {size:,}", taken / before, "×", LIMIT_GROWTH))
        if casadi is not None:
            other = seconds(lambda steps=steps: scalar._build_casadi(casadi, steps)[0], times)  # type: ignore[misc]
            report.figures.append(Figure(f"CasADi: {size:,} scalar operations with gradient", other, "CPU s"))
            report.figures.append(Figure(f"pygraph / CasADi: {size:,}", taken / other, "×", LIMIT))
        before = taken


def _native_build(report: Report) -> None:
    """What native code of a scalar graph takes, as long as no cache has it."""
    steps = scalar.make_program(SIZES[1], np.random.default_rng(8).uniform(0.5, 1.5, scalar.INPUTS).tolist())
    before = os.environ.get("PYGRAPH_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYGRAPH_CACHE"] = folder
        try:
            compiled = native(scalar._differentiated(steps), report.left_out, *[1.0] * scalar.INPUTS)
        finally:
            if before is None:
                del os.environ["PYGRAPH_CACHE"]
            else:
                os.environ["PYGRAPH_CACHE"] = before
    if compiled is not None:
        taken = compiled.executable(*[1.0] * scalar.INPUTS).stats.native_seconds
        report.figures.append(Figure(f"pygraph: native build of {SIZES[1]:,} of these", taken, "s", LIMIT_NATIVE))


def run(rounds: int | None, most: int = SIZES[-1]) -> Report:
    """Measure the workload and print it; `rounds` in place of how often each build is timed."""
    report = Report("compile")
    casadi, jax = peer("casadi", report.left_out), peer("jax", report.left_out)
    peers: dict[str, dict[str, Build]] = {}
    if casadi is not None:
        peers["CasADi"] = _casadi_builds(casadi)
    if jax is not None:
        peers["JAX"] = _jax_builds(jax)
    _scalar_graphs(report, casadi, most)
    _native_build(report)
    for name, (build, times, limit) in _pygraph_builds().items():
        times = rounds or times
        report.figures.append(Figure(f"pygraph: {name}", seconds(build, times), "CPU s", limit))
        for other, builds in peers.items():
            if name in builds:
                report.figures.append(Figure(f"{other}: {name}", seconds(builds[name], min(times, 5)), "CPU s"))
    first = _first_call()
    report.figures.append(
        Figure(f"pygraph: {FIRST_CALL}", min(first() for _ in range(rounds or 20)), "CPU s", LIMIT_FIRST_CALL)
    )
    print_rest(report)
    return report
