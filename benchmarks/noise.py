"""A million normal numbers, of float64 and of float32, by keys here and in JAX, and by NumPy's generator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import pygraph as pg

from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

COUNT = 1_000_000


def _moments(x: Any) -> tuple[Any, ...]:
    """What the contenders agree in, whose numbers are not the same: the first moments, roughly."""
    wide = np.asarray(x, np.float64)
    return (np.array([np.mean(wide), np.mean(wide**2), np.mean(wide**4) / 3.0]).round(1) + 0.0,)


def _contenders(dtype: str, report: Report) -> list[Contender]:
    key, rng = pg.random.key(0), np.random.default_rng(0)

    def draw(key: Any) -> Any:
        return pg.random.normal(key, (COUNT,), dtype)

    found = [Contender("pygraph VM", partial(pg.compile(draw, backend="vm"), key), _moments)]
    if (built := native(draw, report.left_out, key)) is not None:
        found.append(Contender("pygraph native", partial(built, key), _moments))
    fill: Callable[[], Any] = partial(rng.standard_normal, COUNT, dtype)
    found.append(Contender("NumPy Generator", fill, _moments))
    if jax := peer("jax", report.left_out):
        jax.config.update("jax_enable_x64", True)
        compiled = jax.jit(lambda key: jax.random.normal(key, (COUNT,), dtype))
        found.append(Contender("JAX jit", lambda: compiled(jax.random.key(0)).block_until_ready(), _moments))
    return found


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("noise")
    targets = [Target("pygraph VM", other, 1.0) for other in ("NumPy Generator", "JAX jit")]
    for dtype in ("float64", "float32"):
        title = f"{COUNT:,} normal numbers of {dtype}"
        case = Case(title, _contenders(dtype, report), "pygraph VM", targets, rounds=20)
        report.tables.append(run_case(case, rounds))
        print_table(report.tables[-1])
    print_rest(report)
    return report
