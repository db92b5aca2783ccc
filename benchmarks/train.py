"""Whole trainings beside PyTorch, JAX and scikit-learn, and by two processes beside one."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pygraph as pg
from pygraph.examples.backpropagation import EPOCHS, LEARNING_RATE, START, loss as neuron_loss
from pygraph.examples.cells import load_cells

from . import train_nets
from .harness import Case, Contender, Figure, Report, Target, native, peer, print_rest, print_table, run_case
from .peer_loops import jax_contenders, one_thread, torch_contenders
from .train_nets import Net

#: pg.fit may take these times of PyTorch's eager loop where steps are small, of JAX, and of scikit-learn.
LIMIT_TORCH, LIMIT_JAX, LIMIT_SKLEARN = 0.05, 0.6, 0.1
#: One process may take no less than this times two.
LIMIT_RANKS = 1 / 1.6
ROUNDS = 3


def _fit(net: Net) -> list[float]:
    _, history = pg.fit(
        net.loss,
        net.params,
        data=(net.x, net.y),
        optimizer=pg.optim.adam(net.rate),
        epochs=net.epochs,
        batch_size=net.batch,
        shuffle=False,
        progress=False,
        threads=1,
    )
    losses: list[float] = history["loss"].tolist()
    return losses


def _run_net(net: Net, is_small: bool, report: Report, rounds: int | None) -> None:
    """Measure a net: pygraph and its peers, whose losses are compared epoch by epoch."""
    args = (net.params, net.x, net.y, net.rate, net.epochs, net.batch)
    contenders = [Contender("pygraph fit", lambda: _fit(net), _together)]
    contenders += torch_contenders(net.torch_loss, net.unrolls, report.left_out, *args)
    contenders += jax_contenders(net.jax_loss, report.left_out, *args)
    contenders = [Contender(each.name, each.run, _together) for each in contenders]
    targets = [Target("pygraph fit", "JAX jit scan", LIMIT_JAX)]
    if is_small:
        targets.append(Target("pygraph fit", "PyTorch eager", LIMIT_TORCH))
    steps = net.epochs * -(-len(net.x) // net.batch)
    title = f"{net.name}: {steps} steps of {net.batch} rows, one thread each, compiled before"
    report.tables.append(run_case(Case(title, contenders, "pygraph fit", targets, ROUNDS, net.tolerance), rounds))
    print_table(report.tables[-1])


def _together(losses: Any) -> list[Any]:
    return [losses]


def _run_cells(report: Report, rounds: int | None) -> None:
    """Lesson 2's neuron, row by row, by stochastic gradient descent."""
    x, y = load_cells()
    whole = tuple(np.tile(column, EPOCHS) for column in (x, y))
    epoch = pg.train.sgd_epoch(neuron_loss, LEARNING_RATE)
    train = native(epoch, report.left_out, START, *whole, threads=1) or pg.compile(epoch, threads=1, backend="vm")
    contenders = [Contender("pygraph scan", lambda: train(START, *whole)[0], _numbers)]
    if torch := peer("torch", report.left_out):
        contenders.append(Contender("PyTorch eager", _torch_cells(torch, *whole), _numbers))
    if jax := peer("jax", report.left_out):
        contenders.append(Contender("JAX jit scan", _jax_cells(jax, *whole), _numbers))
    targets = [Target("pygraph scan", "PyTorch eager", LIMIT_TORCH), Target("pygraph scan", "JAX jit scan", LIMIT_JAX)]
    title = f"cells, one neuron row by row: {whole[0].size:,} steps"
    report.tables.append(run_case(Case(title, contenders, "pygraph scan", targets, ROUNDS), rounds))
    print_table(report.tables[-1])


def _numbers(params: Any) -> list[Any]:
    return [[float(p) for p in params]]


def _torch_cells(torch: Any, x: Any, y: Any) -> Callable[[], Any]:
    torch.set_num_threads(1)
    rows = list(zip(torch.tensor(x), torch.tensor(y), strict=True))

    def train() -> Any:
        w, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in START)
        optimizer = torch.optim.SGD([w, b], lr=LEARNING_RATE)
        for value, wanted in rows:
            optimizer.zero_grad()
            ((wanted - torch.sigmoid(w * value + b)) ** 2).backward()
            optimizer.step()
        return w.item(), b.item()

    return train


def _jax_cells(jax: Any, x: Any, y: Any) -> Callable[[], Any]:
    jax.config.update("jax_enable_x64", True)

    def step(params: Any, row: Any) -> Any:
        def value(params: Any) -> Any:
            return (row[1] - jax.nn.sigmoid(params[0] * row[0] + params[1])) ** 2

        gradient = jax.grad(value)(params)
        return tuple(p - LEARNING_RATE * g for p, g in zip(params, gradient, strict=True)), None

    train = jax.jit(lambda params, x, y: jax.lax.scan(step, params, (x, y))[0])
    start, rows = tuple(map(jax.numpy.asarray, START)), (jax.numpy.asarray(x), jax.numpy.asarray(y))
    return lambda: jax.block_until_ready(train(start, *rows))


def _run_sklearn(net: Net, report: Report, rounds: int | None) -> None:
    """scikit-learn's own net after as many epochs; its first parameters and its order of rows are others."""
    networks = peer("sklearn.neural_network", report.left_out)
    if networks is None:
        return

    def theirs() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            made = networks.MLPClassifier(
                (128,), batch_size=net.batch, max_iter=net.epochs, alpha=0.0, n_iter_no_change=net.epochs
            )
            return float(made.fit(net.x, net.y).loss_)

    pairs = [(_seconds(lambda: _fit(net)), _seconds(theirs)) for _ in range(rounds or ROUNDS)]
    ratio = statistics.median(own / other for own, other in pairs)
    report.figures.append(Figure("digits: pygraph fit / scikit-learn MLPClassifier", ratio, "", LIMIT_SKLEARN))
    report.figures.append(Figure("digits: last loss, pygraph", _fit(net)[-1], ""))
    report.figures.append(Figure("digits: last loss, scikit-learn", theirs(), ""))


def _seconds(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _run_ranks(report: Report, rounds: int | None) -> None:
    """The digits net with batches of 512 by two processes, and by one with one thread."""
    mpiexec = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if peer("mpi4py", report.left_out) is None or mpiexec is None:
        report.left_out.append("two processes (no mpi4py, or no mpiexec)")
        return
    script = [sys.executable, "-m", "benchmarks.train_ranks"]
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds or ROUNDS):
        for size in found:
            ended = subprocess.run([mpiexec, "-n", str(size), *script], capture_output=True, text=True, check=True)
            found[size].append(float(ended.stdout.split()[0]))
    ratio = statistics.median(two / one for one, two in zip(found[1], found[2], strict=True))
    report.figures.append(Figure("digits, batches of 512: two processes / one", ratio, "", LIMIT_RANKS))
    report.figures.append(Figure("digits, batches of 512: one process, a step", min(found[1]) * 1e6, "µs"))
    report.figures.append(Figure("digits, batches of 512: two processes, a step", min(found[2]) * 1e6, "µs"))


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    one_thread()
    report = Report("train")
    net = train_nets.perceptron()
    _run_net(net, True, report, rounds)
    _run_net(train_nets.convolutions(), False, report, rounds)
    _run_cells(report, rounds)
    _run_net(train_nets.gru(), False, report, rounds)
    _run_sklearn(net, report, rounds)
    _run_ranks(report, rounds)
    report.left_out = list(dict.fromkeys(report.left_out))
    print_rest(report)
    return report
