"""Lesson 2's training: one neuron, 20 epochs over 569 rows in one loop; beside the same loop in C."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg
from pygraph.emit.toolchain import compiler as compilers
from pygraph.examples.backpropagation import EPOCHS, LEARNING_RATE, START, loss
from pygraph.examples.cells import load_cells

from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

Vector = npt.NDArray[np.float64]

#: Native training may take this times JAX's, and this times the loop written by hand.
LIMIT_JAX = 0.75
LIMIT_HAND = 1.3

#: The loop as one writes it in C, with the derivative by hand.
SOURCE = """
#include <math.h>

void train(long steps, const double *x, const double *y, double rate, double *params, double *losses) {
    double w = params[0], b = params[1];
    for (long i = 0; i < steps; i++) {
        const double guess = 1 / (1 + exp(-(w * x[i] + b)));
        const double error = y[i] - guess;
        const double slope = -2 * error * guess * (1 - guess);
        losses[i] = error * error;
        w -= rate * slope * x[i];
        b -= rate * slope;
    }
    params[0] = w;
    params[1] = b;
}
"""


def _by_hand(x: Vector, y: Vector, left_out: list[str]) -> list[Contender]:
    """The loop in C, compiled for this machine."""
    try:
        compiler = compilers.find()
    except pg.BackendError:
        left_out.append("C by hand (no compiler)")
        return []
    folder = tempfile.TemporaryDirectory(prefix="pygraph-benchmark-")
    source, library = Path(folder.name, "train.c"), Path(folder.name, "train.so")
    source.write_text(SOURCE, encoding="utf-8")
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    command = [*compiler.command, *flags, str(source), "-o", str(library), "-lm"]
    subprocess.run(command, check=True)
    train = ctypes.CDLL(str(library)).train
    params, losses = np.empty(2), np.empty_like(x)
    arrays = [ctypes.c_void_p(array.ctypes.data) for array in (x, y)]
    results = [ctypes.c_void_p(array.ctypes.data) for array in (params, losses)]
    arguments = [ctypes.c_long(x.size), *arrays, ctypes.c_double(LEARNING_RATE), *results]

    def run() -> tuple[Vector, Vector]:
        params[:] = START
        train(*arguments)
        return params, losses

    return [Contender("C by hand, -O3 -march=native", run, keep=folder)]


def _jax(jax: Any, x: Vector, y: Vector) -> Contender:
    jax.config.update("jax_enable_x64", True)

    def step(params: Any, row: Any) -> Any:
        def value(params: Any) -> Any:
            w, b = params
            return (row[1] - jax.nn.sigmoid(w * row[0] + b)) ** 2

        found, gradient = jax.value_and_grad(value)(params)
        return tuple(p - LEARNING_RATE * g for p, g in zip(params, gradient, strict=True)), found

    train = jax.jit(lambda params, x, y: jax.lax.scan(step, params, (x, y)))
    start, rows = tuple(map(jax.numpy.asarray, START)), (jax.numpy.asarray(x), jax.numpy.asarray(y))
    return Contender("JAX jit scan", lambda: jax.block_until_ready(train(start, *rows)), _answer)


def _answer(result: Any) -> tuple[Vector, Vector]:
    params, losses = result
    return np.array([float(p) for p in params]), np.asarray(losses)


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("training")
    x, y = (np.tile(column, EPOCHS) for column in load_cells())
    train: Callable[..., Any] = pg.train.sgd_epoch(loss, LEARNING_RATE)
    arguments = (START, x, y)
    contenders = [Contender("pygraph VM", partial(pg.compile(train, backend="vm"), *arguments), _answer)]
    if (built := native(train, report.left_out, *arguments)) is not None:
        contenders.append(Contender("pygraph native", partial(built, *arguments), _answer))
    if jax := peer("jax", report.left_out):
        contenders.append(_jax(jax, x, y))
    contenders += _by_hand(x, y, report.left_out)
    targets = [
        Target("pygraph native", "JAX jit scan", LIMIT_JAX),
        Target("pygraph native", "C by hand, -O3 -march=native", LIMIT_HAND),
    ]
    title = f"lesson 2's training, {x.size:,} steps of one neuron"
    report.tables.append(run_case(Case(title, contenders, "pygraph VM", targets), rounds))
    print_table(report.tables[-1])
    print_rest(report)
    return report
