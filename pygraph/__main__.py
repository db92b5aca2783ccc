"""The demonstration: train a neuron with the loop in C, and check a Jacobian by both modes; and `cache`."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from typing import Any

import numpy as np

import pygraph as pg

from .emit.toolchain import cache
from .emit.toolchain.compiler import find
from .examples.backpropagation import EPOCHS, LEARNING_RATE, START, loss, neuron, train
from .examples.cells import load_cells
from .examples.multivariate_chain_rule import curve_jacobians
from .runtime.compile.stats import bytes_text


def row_loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    """The loss of one row."""
    return loss((w, b), x, y)


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser("python -m pygraph", description="train a neuron and print a short report")
    parser.add_argument("--version", action="version", version=f"pygraph {pg.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    shown = commands.add_parser("cache", help="show the cache of native code", description="the cache of native code")
    shown.add_argument("--clear", action="store_true", help="remove all that is in it")
    asked = parser.parse_args()
    if asked.command == "cache":
        show_cache(asked.clear)
    else:
        train_and_report()


def show_cache(clear: bool) -> None:
    """Print where native code is kept, how much of it there is, and what compiles it; cleared first, where asked."""
    folder = cache.wanted_folder()
    if clear:
        print(f"removed   {bytes_text(cache.clear(folder))}")
    found = cache.entries(folder)
    size = sum(info.st_size for _, info in found)
    print(f"cache     {folder}")
    print(f"entries   {len(found)}, {bytes_text(size)} of at most {bytes_text(cache.LIMIT)}")
    try:
        compiler = find()
        print(f"compiler  {shlex.join(compiler.command)}: {compiler.version.splitlines()[0]}")
    except pg.BackendError:
        print("compiler  none")


def train_and_report() -> None:
    """Train, and print a short report."""
    x, y = load_cells()
    print(f"pygraph {pg.__version__}: one neuron, {len(x)} cells, stochastic gradient descent row by row in C\n")
    print(pg.trace(row_loss, *START, x[0], y[0]))
    started = time.perf_counter()
    trained = train(progress=sys.stdout.isatty())
    seconds = time.perf_counter() - started
    params = (trained.w, trained.b)
    before, after = (np.mean(loss(p, x, y)) for p in (START, params))
    accuracy = np.mean((neuron(params, x) > 0.5) == (y > 0.5))
    print(f"\n{EPOCHS} epochs at learning rate {LEARNING_RATE:g} in {seconds * 1e3:.1f} ms, compilation included")
    print(f"  weight    {START[0]:.7f} → {trained.w:.7f}")
    print(f"  bias     {START[1]:.7f} → {trained.b:.7f}")
    print(f"  loss      {before:.7f} → {after:.7f}")
    print(f"  accuracy  {accuracy:.1%}")
    n = curve_jacobians(2.0)
    print("\nD(f∘g) at t = 2 for f = x² + 5y + 10z + xyz along g = (t, t², t³)")
    print(f"  Df · Dg = {n['product'].item():g}   forward mode {n['forward']:g}   reverse mode {n['reverse']:g}")


if __name__ == "__main__":
    main()
