"""The Jacobian of a camera's projection, as bundle adjustment needs it: 2 × 14 for each of 30,000 observations.

The camera is that of the ADBench suite (microsoft/ADBench, bundle adjustment): 11 parameters, which are a rotation
vector, the centre, the focal length, the principal point and two coefficients of radial distortion; and a point.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Figure, Report, Target, native, peer, print_rest, print_table, run_case

Array = npt.NDArray[np.float64]

OBSERVATIONS = 30_000

#: The native tier may take this times the better one of JAX's two modes.
LIMIT = 0.15


def cross(xp: Any, a: Any, b: Any) -> Any:
    """a × b."""
    return xp.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def project(xp: Any, parameters: Any) -> Any:
    """Where a camera sees a point: shape (2,), of 11 + 3 parameters, with the functions of the module given."""
    rotation, centre, focal = parameters[:3], parameters[3:6], parameters[6]
    principal, radial, point = parameters[7:9], parameters[9:11], parameters[11:]
    angle = xp.sqrt(xp.sum(rotation * rotation))
    axis = rotation / angle
    cosine = xp.cos(angle)
    seen = point - centre
    seen = seen * cosine + cross(xp, axis, seen) * xp.sin(angle) + axis * (xp.dot(axis, seen) * (1.0 - cosine))
    flat = seen[:2] / seen[2]
    r2 = xp.sum(flat * flat)
    return flat * (1.0 + r2 * (radial[0] + r2 * radial[1])) * focal + principal


def observations(count: int) -> Array:
    """Plausible parameters, shape (count, 14): every point is in front of its camera."""
    random = np.random.default_rng(14)
    centre = [0.2, 0.1, -0.3, 0, 0, 0, 1.2, 0.5, 0.5, 0.01, 0.001, 0.3, -0.2, 5.0]
    spread = [0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.001, 0.0001, 0.5, 0.5, 0.5]
    parameters: Array = np.asarray(centre) + random.uniform(-1, 1, (count, 14)) * np.asarray(spread)
    return parameters


def _pygraph(x: Array, report: Report) -> list[Contender]:
    contenders = []
    jacobians: dict[str, Callable[..., Any]] = {
        "jacobian": pg.jacobian,
        "jacfwd": pg.jacfwd,
        "jacrev": pg.jacrev,
    }
    for name, jacobian in jacobians.items():
        mapped = pg.vmap(jacobian(partial(project, np)))
        compiled = pg.compile(mapped, backend="vm")
        contenders.append(Contender(f"pygraph VM, {name}", partial(compiled, x), _answer))
        if name == "jacobian":
            stats = compiled.executable(x).stats
            report.figures += [
                Figure("jacobian: operations a point", stats.flops / len(x), ""),
                Figure("jacobian: instructions", stats.instructions, ""),
                Figure("jacobian: arena", stats.arena_bytes / 2**20, "MiB"),
            ]
        if (built := native(mapped, report.left_out, x)) is not None:
            contenders.append(Contender(f"pygraph native, {name}", partial(built, x), _answer))
    return contenders


def _jax(jax: Any, x: Array) -> list[Contender]:
    jax.config.update("jax_enable_x64", True)
    on_device = jax.numpy.asarray(x)
    contenders = []
    for name in ("jacfwd", "jacrev"):
        compiled = jax.jit(jax.vmap(getattr(jax, name)(partial(project, jax.numpy))))
        run = partial(lambda compiled: compiled(on_device).block_until_ready(), compiled)
        contenders.append(Contender(f"JAX jit, {name}", run, _answer))
    return contenders


def _answer(result: Any) -> tuple[Array]:
    return (np.asarray(result),)


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("camera")
    x = observations(OBSERVATIONS)
    contenders = _pygraph(x, report)
    if jax := peer("jax", report.left_out):
        contenders += _jax(jax, x)
    targets = [Target("pygraph native, jacobian", f"JAX jit, {name}", LIMIT) for name in ("jacfwd", "jacrev")]
    title = f"Jacobians of {len(x):,} projections, 2 × 14 each"
    report.tables.append(run_case(Case(title, contenders, "pygraph VM, jacobian", targets, rounds=20), rounds))
    print_table(report.tables[-1])
    print_rest(report)
    return report
