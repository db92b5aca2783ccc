"""Single kernels beside jitted JAX, all on one thread: a line for each kernel and element type."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import pygraph as pg

from .harness import Case, Contender, Figure, Report, Target, duration, native, peer, print_rest, run_case
from .kernel_cases import Jax, Kernel, cases

WIDTH = 44


@contextmanager
def _one_core() -> Iterator[None]:
    """All threads of this process on one core, as far as the system lets them be placed."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    tasks, before = Path("/proc/self/task"), os.sched_getaffinity(0)

    def place(cores: set[int]) -> None:
        for task in tasks.iterdir() if tasks.exists() else [Path("0")]:
            os.sched_setaffinity(int(task.name), cores)

    place({max(before)})
    try:
        yield
    finally:
        place(before)


def _answer(result: Any) -> list[Any]:
    if isinstance(result, tuple):
        return [x for part in result for x in _answer(part)]
    return [np.asarray(result)]


def _ours(kernel: Kernel) -> Callable[..., Any]:
    function = partial(kernel.function, pg)
    return pg.value_and_grad(function, argnums=tuple(range(kernel.gradient))) if kernel.gradient else function


def _theirs(kernel: Kernel, jax: Any, arguments: tuple[Any, ...]) -> Callable[[], Any]:
    function: Any = partial(kernel.function, Jax(jax))
    if kernel.gradient:
        function = jax.value_and_grad(function, argnums=tuple(range(kernel.gradient)))
    compiled, given = jax.jit(function), tuple(map(jax.numpy.asarray, arguments))
    return lambda: jax.block_until_ready(compiled(*given))


def _contenders(kernel: Kernel, arguments: tuple[Any, ...], jax: Any, left_out: list[str]) -> list[Contender]:
    ours = _ours(kernel)
    contenders = [Contender("VM", partial(pg.compile(ours, backend="vm", threads=1), *arguments), _answer)]
    if (built := native(ours, left_out, *arguments, threads=1)) is not None:
        contenders.append(Contender("native", partial(built, *arguments), _answer))
    if jax:
        contenders.append(Contender("JAX jit", _theirs(kernel, jax, arguments), _answer))
    return contenders


def _line(table: dict[str, Any], limit: float) -> tuple[str, float | None]:
    """A table of one case as a line, and the better tier's ratio to JAX."""
    times = {row["name"]: row["median_ns"] for row in table["rows"]}
    cells = [duration(times[name]) if name in times else "-" for name in ("VM", "native", "JAX jit")]
    ratios = {target["contender"]: target["ratio"] for target in table["targets"]}
    cells += [f"{ratios[name]:.2f}" if name in ratios else "-" for name in ("VM", "native")]
    best = min(ratios.values(), default=None)
    verdict = "" if best is None else "met" if best < limit else "MISSED"
    return "".join([table["title"].ljust(WIDTH), *(cell.rjust(10) for cell in cells), f"{limit:10g}  {verdict}"]), best


def run(rounds: int | None = None, wanted: str = "") -> Report:
    """Measure the kernels whose names have `wanted` in them, and print a line for each."""
    report = Report("kernels")
    with _one_core():
        jax = peer("jax", report.left_out)
        if jax:
            jax.config.update("jax_enable_x64", True)
        heads = ("VM", "native", "JAX jit", "VM/JAX", "nat/JAX", "limit")
        print("\n" + "".join(["".ljust(WIDTH), *(head.rjust(10) for head in heads)]))
        ratios: list[float] = []
        for kernel in cases():
            for dtype in kernel.dtypes:
                title = f"{kernel.name}, {np.dtype(dtype).name}"
                if wanted not in title:
                    continue
                arguments = kernel.arguments(np.random.default_rng(len(title)), dtype)
                contenders = _contenders(kernel, arguments, jax, report.left_out)
                targets = [Target(name, "JAX jit", kernel.limit) for name in ("VM", "native")]
                tolerance = 1e-9 if dtype is np.float64 else 2e-3
                case = Case(title, contenders, contenders[-1].name, targets, rounds=15, tolerance=tolerance)
                report.tables.append(run_case(case, rounds))
                line, best = _line(report.tables[-1], kernel.limit)
                print(line, flush=True)
                ratios += [] if best is None else [best]
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        report.figures.append(Figure("geometric mean of the better tier's ratios", mean, "", 0.4))
        report.figures.append(Figure("kernels slower than JAX", sum(r > 1 for r in ratios), f"of {len(ratios)}", None))
    print_rest(report)
    return report
