"""Lesson 2, backpropagation and gradient descent: a neuron, its chain rule node by node, its training three ways.

The neuron of lesson 1 gets a bias: z = w·x + b, ŷ = σ(z), J = (y − ŷ)². Now two numbers can change, and we want both
dJ/dw and dJ/db. The two chains have most of their factors in common:

    dJ/dw = dJ/dŷ · dŷ/dz · dz/dw
    dJ/db = dJ/dŷ · dŷ/dz · dz/db

Backpropagation computes what they share once. It starts at the end, where dJ/dJ = 1, and goes backward through the
steps. At each step it multiplies two numbers: the UPSTREAM derivative that arrives (how J depends on the step's result)
and the LOCAL derivative (how the step's result depends on its operand). Their product is the upstream derivative of the
next step backward. So dJ/dz is computed once, and used for w and for b, however many weights a neuron has.

Gradient descent then makes a small step against the gradient: w ← w − α·dJ/dw, b ← b − α·dJ/db, with the learning rate
α. Stochastic gradient descent does so after each row of the data. The loop below runs in C.

The text that this lesson follows has a slip in its loop: it multiplies every row's dJ/dz by the x of the FIRST row.
Both loops are here, so that you can see how far apart they end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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

#: The steps that PyTorch's users write for every batch, beside what does the same here.
BESIDE = """\
  PyTorch                                   pygraph
  for x, y in rows:                         for x, y in rows:
      optimizer.zero_grad()                     (a gradient is a value: there is nothing to clear)
      prediction = model(x)                     value, gradient = value_and_grad(params, x, y)
      loss = criterion(prediction, y)               predicts, compares …
      loss.backward()                               … and goes backward
      optimizer.step()                          params, state = optimizer.update(gradient, state, params)

  or the loop as a whole, which then runs in C:
      params, history = pg.fit(loss, params, data=(x, y), optimizer=pg.optim.sgd(1e-4), epochs=20, batch_size=1)
"""


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


def loop_of_pytorch(x: Any, y: Any, epochs: int) -> tuple[float, float]:
    """The loop that PyTorch's users know."""
    import torch

    w, b = (torch.tensor(start, dtype=torch.float64, requires_grad=True) for start in START)
    optimizer = torch.optim.SGD([w, b], lr=LEARNING_RATE)
    rows = list(zip(torch.tensor(x), torch.tensor(y), strict=True))
    for _ in range(epochs):
        for row_x, row_y in rows:
            optimizer.zero_grad()
            prediction = torch.sigmoid(w * row_x + b)
            error = (row_y - prediction) ** 2
            error.backward()
            optimizer.step()
    return w.item(), b.item()


def loop_in_python(x: Any, y: Any, epochs: int) -> tuple[float, float]:
    """The same loop with pygraph's gradient and optimiser: two calls for each row."""
    optimizer = pg.optim.sgd(LEARNING_RATE)
    value_and_grad = pg.compile(pg.value_and_grad(loss))
    params: Any = tuple(map(np.asarray, START))
    state = optimizer.init(params)
    for _ in range(epochs):
        for row_x, row_y in zip(x, y, strict=True):
            _value, gradient = value_and_grad(params, row_x, row_y)
            params, state = optimizer.update(gradient, state, params)
    return float(params[0]), float(params[1])


def loop_in_c(x: Any, y: Any, epochs: int) -> tuple[float, float]:
    """The same training by `pg.fit`: each epoch is a loop in C."""

    def mean_loss(params: Pair, x: Any, y: Any) -> Any:
        return np.mean(loss(params, x, y))

    params, _history = pg.fit(
        mean_loss,
        START,
        data=(x, y),
        optimizer=pg.optim.sgd(LEARNING_RATE),
        epochs=epochs,
        batch_size=1,
        shuffle=False,
        progress=False,
    )
    return float(params[0]), float(params[1])


#: The loops by the names that the lesson prints.
LOOPS: dict[str, Callable[[Any, Any, int], tuple[float, float]]] = {
    "PyTorch": loop_of_pytorch,
    "pygraph, the loop in Python": loop_in_python,
    "pygraph, pg.fit": loop_in_c,
}


def compare_loops() -> None:
    """Run the loops, and print where they end and how long they take."""
    x, y = load_cells()
    slowest = None
    for name, loop in LOOPS.items():
        start = time.perf_counter()
        try:
            w, b = loop(x, y, EPOCHS)
        except ImportError:
            print(f"  {name:<28} not installed")
            continue
        seconds = time.perf_counter() - start
        slowest = slowest or seconds
        print(f"  {name:<28} w = {w:.7f}  b = {b:.7f}  {seconds:6.3f} s, {slowest / seconds:.0f} times as fast")


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
    value, d = {step.name: float(step.value) for step in explanation.steps}, explanation.totals
    print(f"\nWith four digits: z = {value['z']:.4f}, ŷ = {value['yhat']:.4f}, dJ/dŷ = {d['yhat']:.4f}, ", end="")
    print(f"dJ/dw = {d['w']:.4f}, dJ/db = {d['b']:.4f}.")
    print(f"dJ/dz = {d['z']:.4f} is computed once and used for both w and b.\n")
    print(f"Stochastic gradient descent, row by row in file order, {EPOCHS} epochs, learning rate {LEARNING_RATE:g}:")
    right, slip = train(), train(use_first_x=True)
    print(f"  exact gradient                       w = {right.w:.7f}  b = {right.b:.7f}")
    print(f"  the first row's x used in every row  w = {slip.w:.7f}  b = {slip.b:.7f}", end="")
    print(f"  (in the text: {slip.w:.4f}, {slip.b:.4f})")
    print(f"\nThe training loop, step by step:\n\n{BESIDE}")
    print("Measured here, compilation included (the first line that ran counts as 1):")
    compare_loops()


if __name__ == "__main__":
    main()
