"""Gradient descent inside a function that is differentiated: how the loss after training depends on the step size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .cells import load_cells

Array = npt.NDArray[Any]
Cells = tuple[Any, Any]

INNER_STEPS = 100
OUTER_STEPS = 30
OUTER_RATE = 1.0
START = {"log_step": np.log(0.5), "log_decay": np.log(0.1)}


def cells() -> tuple[Cells, Cells]:
    """(x, y) of the cells with even numbers, to train on, and of those with odd ones, to validate with."""
    x, y = load_cells()
    return (x[::2], y[::2]), (x[1::2], y[1::2])


def mean_loss(params: Any, data: Cells) -> Any:
    """The mean cross-entropy of ŷ = σ(w·x + b): softplus(z) − y z."""
    (w, b), (x, y) = params, data
    z = w * x + b
    return np.mean(pg.softplus(z) - y * z)


def descend(loss: Any, params: Any, step: Any, count: int) -> Any:
    """The parameters after `count` steps of gradient descent: params ← params − step · ∇loss(params), in one loop."""
    gradient = pg.grad(loss)

    def update(_: Any, params: Any) -> Any:
        return pg.tree_map(lambda p, g: p - step * g, params, gradient(params))

    return pg.fori_loop(0, count, update, params)


def trained(hyper: Any, data: Cells) -> Any:
    """(w, b) after training from zero with a weight decay, by the step size and decay whose logarithms are given."""
    step, decay = np.exp(hyper["log_step"]), np.exp(hyper["log_decay"])

    def objective(params: Any) -> Any:
        return mean_loss(params, data) + 0.5 * decay * params[0] ** 2

    return descend(objective, (0.0, 0.0), step, INNER_STEPS)


def final_loss(hyper: Any, training: Cells, validation: Cells) -> Any:
    """The loss on the validation cells after training: what the outer descent makes small."""
    return mean_loss(trained(hyper, training), validation)


def differences(hyper: dict[str, float], training: Cells, validation: Cells, step: float = 1e-5) -> dict[str, float]:
    """The gradient of `final_loss` with respect to `hyper` by central differences."""
    run = pg.compile(final_loss)
    found = {}
    for name, value in hyper.items():
        above, below = ({**hyper, name: value + sign * step} for sign in (1, -1))
        found[name] = float((run(above, training, validation) - run(below, training, validation)) / (2 * step))
    return found


@dataclass(frozen=True)
class Tuned:
    """A point of the outer descent: step size, weight decay, and the validation loss that training with them gives."""

    step: float
    decay: float
    loss: float


def tune(hyper: dict[str, Any]) -> list[Tuned]:
    """Gradient descent on (log step size, log weight decay): each of its steps differentiates a whole training.

    Source: Y. Bengio, Gradient-based optimization of hyperparameters, Neural Computation 12 (2000) 1889–1900;
    D. Maclaurin, D. Duvenaud, R. P. Adams, Gradient-based hyperparameter optimization through reversible learning,
    ICML 2015, arXiv:1502.03492.
    """
    training, validation = cells()
    value_and_gradient = pg.value_and_grad(final_loss)
    history = []
    for _ in range(OUTER_STEPS + 1):
        loss, gradient = value_and_gradient(hyper, training, validation)
        history.append(Tuned(float(np.exp(hyper["log_step"])), float(np.exp(hyper["log_decay"])), float(loss)))
        hyper = {name: value - OUTER_RATE * gradient[name] for name, value in hyper.items()}
    return history


def main() -> None:
    """Print the gradient with respect to the step size and the weight decay, and the outer descent."""
    training, validation = cells()
    print(f"A neuron trained on {training[0].size} cells by {INNER_STEPS} steps of gradient descent, in C;")
    print(f"J is its mean cross-entropy on the other {validation[0].size} cells.\n")
    reverse = pg.jacrev(final_loss)(START, training, validation)
    forward = pg.jacfwd(final_loss)(START, training, validation)
    measured = differences(START, training, validation)
    print(f"At step size {np.exp(START['log_step']):g} and weight decay {np.exp(START['log_decay']):g}:")
    print(f"{'':24} {'dJ/d log step':>15} {'dJ/d log decay':>15}")
    for title, n in (("reverse mode", reverse), ("forward mode", forward), ("central differences", measured)):
        print(f"  {title:22} {n['log_step']:15.9f} {n['log_decay']:15.9f}")
    print(f"\nGradient descent on both logarithms, rate {OUTER_RATE:g}:")
    print(f"{'k':>4} {'step size':>10} {'decay':>10} {'J':>10}")
    history = tune(START)
    for k in range(0, OUTER_STEPS + 1, 5):
        print(f"{k:4d} {history[k].step:10.4f} {history[k].decay:10.6f} {history[k].loss:10.6f}")


if __name__ == "__main__":
    main()
