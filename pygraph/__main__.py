"""The main job: train a neuron on real cells with the loop in C, and check a Jacobian by both modes."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

import pygraph as pg

from .examples.backpropagation import EPOCHS, LEARNING_RATE, START, loss, neuron, train
from .examples.cells import load_cells
from .examples.multivariate_chain_rule import curve_jacobians


def row_loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    """The loss of one row."""
    return loss((w, b), x, y)


def main() -> None:
    """Print a short report."""
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
