"""Lesson 2, backpropagation and gradient descent: one neuron, its chain rule node by node, and its training in C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .cells import load_cells

EPOCHS = 20
LEARNING_RATE = 1e-4
START = (2.0, -2.0)

Pair = tuple[Any, Any]


def neuron(params: Pair, x: Any) -> Any:
    """ŷ = σ(w·x + b), the probability that the cell is malignant."""
    w, b = params
    return pg.sigmoid(w * x + b)


def loss(params: Pair, x: Any, y: Any) -> Any:
    """J = (y − ŷ)²."""
    return (y - neuron(params, x)) ** 2


def first_row_slip(first_x: Any) -> Any:
    """The text's own gradient: dJ/dw is multiplied by the FIRST row's x, whatever the row."""

    def value_and_grad(params: Pair, x: Any, y: Any) -> tuple[Any, Pair]:
        value, (_, dz) = pg.value_and_grad(loss)(params, x, y)  # dJ/db = dJ/dz
        return value, (dz * first_x, dz)

    return value_and_grad


@dataclass(frozen=True)
class Trained:
    """The result of training: final weight and bias, and the mean loss of each epoch."""

    w: float
    b: float
    losses: npt.NDArray[Any]


def train(use_first_x: bool = False, progress: bool = False) -> Trained:
    """Twenty epochs of stochastic gradient descent in file order, from w = 2, b = −2; each epoch is one call into C.

    Args:
        use_first_x: repeat the slip of the text, which multiplies every row's dJ/dz by the first row's x.
        progress: show a progress bar.
    """
    x, y = load_cells()
    gradient = first_row_slip(x[0]) if use_first_x else None
    epoch = pg.compile(pg.train.sgd_epoch(loss, LEARNING_RATE, gradient))
    rounds: Any = range(EPOCHS)
    if progress:
        from tqdm import tqdm

        rounds = tqdm(rounds, desc="training", unit="epoch")
    params: Pair = START
    losses = []
    for _ in rounds:
        params, row_losses = epoch(params, x, y)
        losses.append(row_losses.mean())
    return Trained(float(params[0]), float(params[1]), np.array(losses))


def explain_first_row() -> Any:
    """The chain rule of the first row at w = 2, b = −2."""
    xs, ys = load_cells()

    def first_row(w: Any, b: Any) -> Any:
        z = w * xs[0] + b
        yhat = pg.sigmoid(z)
        J = (ys[0] - yhat) ** 2
        return J  # noqa: RET504  (explain names nodes after the variables they are assigned to)

    return pg.explain(first_row, *START)


def main() -> None:
    """Print the lesson."""
    print("One neuron, z = w·x + b, ŷ = σ(z), J = (y − ŷ)², at the first cell with w = 2, b = −2.\n")
    explanation = explain_first_row()
    print(explanation)
    print(f"\ndJ/dz = {explanation.totals['z']:.4f} is computed once and used for both w and b.\n")
    print(f"Stochastic gradient descent, row by row in file order, {EPOCHS} epochs, learning rate {LEARNING_RATE:g}:")
    right, slip = train(), train(use_first_x=True)
    print(f"  exact gradient                       w = {right.w:.7f}  b = {right.b:.7f}")
    print(f"  the first row's x used in every row  w = {slip.w:.7f}  b = {slip.b:.7f}")


if __name__ == "__main__":
    main()
