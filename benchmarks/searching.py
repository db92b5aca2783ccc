"""Searching: the place of the largest of a million elements, of all and along an axis, and the elements themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import pygraph as pg

from .harness import Case, Contender, Report, Target, native, print_rest, print_table, run_case

SIDE = 1_000
#: What is searched, along which axis, and the limit on the ratio to NumPy's time.
CASES: tuple[tuple[str, Callable[..., Any], int | None, float], ...] = (
    ("argmax", np.argmax, None, 1.5),
    ("argmax", np.argmax, 1, 1.5),
    ("argmax", np.argmax, 0, 1.0),
    ("max", np.max, None, 1.5),
    ("max", np.max, 1, 1.5),
    ("max", np.max, 0, 1.5),
)


def run(rounds: int | None = None) -> Report:
    """Measure the workload and print it."""
    report = Report("searching")
    x = np.random.default_rng(5).normal(size=(SIDE, SIDE))
    for title, function, axis, limit in CASES:
        of = partial(function, axis=axis)
        contenders = [Contender("pygraph VM", partial(pg.compile(of, backend="vm", threads=1), x))]
        if (built := native(of, report.left_out, x)) is not None:
            contenders.append(Contender("pygraph native", partial(built, x)))
        contenders.append(Contender("NumPy", partial(of, x)))
        where = "of all" if axis is None else f"along axis {axis}"
        targets = [Target("pygraph VM", "NumPy", limit)]
        case = Case(f"{title} {where}, {SIDE} x {SIDE}", contenders, "NumPy", targets, rounds=30)
        report.tables.append(run_case(case, rounds))
        print_table(report.tables[-1])
    print_rest(report)
    return report
