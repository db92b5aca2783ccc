"""The sparse Jacobian of a bundle adjustment: the whole matrix beside its blocks mapped by hand.

The problem has the size of the first one of the bundle adjustment in ADBench and GradBench: 49 cameras of 11
parameters, 7,776 points, and 31,843 observations with a weight each, on which two rows of the matrix depend; a third
row for each observation holds the derivative of 1 − w² by its weight.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .camera import project
from .harness import Case, Contender, Figure, Report, Target, native, peer, print_rest, print_table, run_case

Array = npt.NDArray[Any]

CAMERAS, POINTS, OBSERVATIONS = 49, 7_776, 31_843
#: The whole matrix may take this times the blocks mapped by hand.
LIMIT = 1.5
#: Seconds that making the plan and the first call may take.
PLAN = 3.0


class Problem:
    """Cameras, points and weights near a plausible place, and who sees what."""

    def __init__(self) -> None:
        random = np.random.default_rng(49)
        centre = np.array([0.2, 0.1, -0.3, 0, 0, 0, 1.2, 0.5, 0.5, 0.01, 0.001])
        self.cameras: Array = centre + random.uniform(-0.05, 0.05, (CAMERAS, 11))
        self.points: Array = np.array([0.3, -0.2, 5.0]) + random.uniform(-0.5, 0.5, (POINTS, 3))
        self.weights: Array = random.uniform(0.5, 1.5, OBSERVATIONS)
        self.seen: Array = random.uniform(-1, 1, (OBSERVATIONS, 2))
        self.camera = random.integers(0, CAMERAS, OBSERVATIONS)
        self.point = random.integers(0, POINTS, OBSERVATIONS)

    @property
    def arguments(self) -> tuple[Array, Array, Array]:
        """What the residuals are differentiated by."""
        return self.cameras, self.points, self.weights

    def residuals(self, cameras: Any, points: Any, weights: Any) -> Any:
        """Two reprojection errors of each observation, then an error of each weight."""
        errors = pg.vmap(_error)(cameras[self.camera], points[self.point], weights, self.seen)
        return np.concatenate([np.reshape(errors, (-1,)), 1.0 - weights * weights])

    def blocks(self, cameras: Any, points: Any, weights: Any) -> Any:
        """The 2 × 11, 2 × 3 and 2 × 1 block of each observation, and the derivatives of the errors of weights."""
        local = pg.vmap(pg.jacobian(_error, argnums=(0, 1, 2)))
        return (*local(cameras[self.camera], points[self.point], weights, self.seen), -2.0 * weights)


def _error(camera: Any, point: Any, weight: Any, seen: Any) -> Any:
    return weight * (project(np, np.concatenate([camera, point])) - seen)


def _entries(problem: Problem, result: Any) -> tuple[Array]:
    """The matrix's entries from mapped blocks, without those that are zero by structure."""
    cameras, points, weights, last = map(np.asarray, result)
    rows = np.concatenate([cameras, points, weights[..., None]], axis=2)
    kept = np.ones((2, 15), np.bool_)
    kept[0, 8] = kept[1, 7] = False  # the other coordinate of the principal point
    return (np.concatenate([rows[:, kept].reshape(-1), last]),)


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("bundle")
    problem = Problem()
    arguments = problem.arguments
    sparse = pg.sparse_jacobian(problem.residuals, argnums=(0, 1, 2), values_only=True, backend="vm")
    started = time.process_time()
    sparse(*arguments)
    report.figures.append(Figure("plan and first call, processor time", time.process_time() - started, "s", PLAN))
    by_hand = pg.compile(problem.blocks, backend="vm")
    answer = partial(_entries, problem)
    contenders = [
        Contender("pygraph VM, whole", partial(sparse, *arguments), lambda data: (data,)),
        Contender("pygraph VM, by hand", partial(by_hand, *arguments), answer),
    ]
    targets = [Target("pygraph VM, whole", "pygraph VM, by hand", LIMIT)]
    if (built := native(sparse.values, report.left_out, *arguments)) is not None:
        contenders.append(Contender("pygraph native, whole", partial(built, *arguments), lambda data: (data,)))
        by_hand = native(problem.blocks, report.left_out, *arguments)
        contenders.append(Contender("pygraph native, by hand", partial(by_hand, *arguments), answer))
        targets.append(Target("pygraph native, whole", "pygraph native, by hand", LIMIT))
    if peer("scipy", report.left_out):
        matrix = pg.sparse_jacobian(problem.residuals, argnums=(0, 1, 2), backend="vm")
        contenders.append(Contender("pygraph VM, csr_array", partial(matrix, *arguments), lambda found: (found.data,)))
    title = f"The Jacobian of a bundle adjustment, {OBSERVATIONS:,} observations"
    report.tables.append(run_case(Case(title, contenders, "pygraph VM, whole", targets, rounds=20), rounds))
    print_table(report.tables[-1])
    print_rest(report)
    return report
