"""A multilayer perceptron as a function, its losses, and its training: what the estimators are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

import pygraph as pg

from .targets import Array

__all__ = ["LOSSES", "Layout", "Stalling", "Training", "loss_of", "network", "score_of", "step_of"]

ACTIVATIONS: dict[str, Callable[[Any], Any] | None] = {
    "identity": None,
    "logistic": pg.sigmoid,
    "tanh": pg.tanh,
    "relu": pg.relu,
}
#: A rate that an adaptive one would fall to is the end of training below this.
_LEAST_RATE = 1e-6


@dataclass(frozen=True)
class Layout:
    """What a perceptron is, its parameters apart.

    Attributes:
        sizes: of the input, of each hidden layer and of the output.
        activation: of hidden layers, by name.
        target: "labels" (a softmax), "bits" (a logistic function of each output) or "values".
    """

    sizes: tuple[int, ...]
    activation: str
    target: str


@lru_cache(64)
def network(layout: Layout) -> Any:
    """The layers; what the last one returns are values, or logits."""
    layers: list[Any] = []
    hidden = ACTIVATIONS[layout.activation]
    for inputs, outputs in pairwise(layout.sizes):
        layers += [hidden] if layers and hidden is not None else []
        layers.append(pg.nn.linear(inputs, outputs))
    return pg.nn.sequential(*layers)


def _of_labels(outputs: Any, y: Any, weights: Any) -> Any:
    return pg.losses.softmax_cross_entropy(outputs, y, weights=weights, reduction="sum")


def _of_bits(outputs: Any, y: Any, weights: Any) -> Any:
    return pg.losses.bce_with_logits(outputs, y, weights=weights, reduction="sum")


def _of_values(outputs: Any, y: Any, weights: Any) -> Any:
    return 0.5 * pg.losses.sse(outputs, y, weights=weights)


#: The sum of the losses of weighted rows, by target.
LOSSES = {"labels": _of_labels, "bits": _of_bits, "values": _of_values}


@lru_cache(64)
def loss_of(layout: Layout) -> Callable[..., Any]:
    """loss(params, x, y, weights, alpha): the mean of the rows by their weights, and the penalty.

    The penalty is ½ alpha ‖W‖² divided by the weights of the rows, as scikit-learn's is by their number.
    """
    model, summed = network(layout), LOSSES[layout.target]

    def loss(params: Any, x: Any, y: Any, weights: Any, alpha: Any) -> Any:
        total = np.sum(weights)
        penalty = sum(np.sum(part["weight"] ** 2) for part in params if part)
        found = summed(model(params, x), y, weights) + 0.5 * alpha * penalty
        return found / pg.where(total > 0, total, 1.0)

    return loss


@lru_cache(64)
def score_of(layout: Layout) -> Callable[..., Any]:
    """score(params, x, y): the accuracy, of all bits of a row where there are several; R² of values."""
    model = network(layout)

    def score(params: Any, x: Any, y: Any) -> Any:
        outputs = model(params, x)
        if layout.target == "values":
            return pg.metrics.r2(outputs, y)
        if layout.target == "labels":
            return np.mean(np.argmax(outputs, axis=1) == y)
        return np.mean(np.all((outputs > 0) == (y > 0), axis=1))

    return score


@lru_cache(64)
def step_of(layout: Layout, optimizer: Any) -> Callable[..., Any]:
    """step(params, state, x, y, weights, alpha) → (params, state, loss): one update, compiled for each batch size."""
    both = pg.value_and_grad(loss_of(layout))

    def step(params: Any, state: Any, x: Any, y: Any, weights: Any, alpha: Any) -> Any:
        value, gradients = both(params, x, y, weights, alpha)
        return *optimizer.update(gradients, state, params), value

    return pg.compile(step)


@dataclass(frozen=True)
class FallingRate:
    """A rate that falls with the number of rows seen, rate / (rows + 1)^power, and is the same within an epoch."""

    rate: float
    power: float
    rows: int
    steps: int

    def __call__(self, step: Any) -> Any:
        return self.rate / (step // self.steps * float(self.rows) + 1.0) ** self.power


@dataclass(frozen=True)
class _Resumed:
    """An optimiser whose state begins as an earlier training left it."""

    optimizer: Any
    state: Any
    needs_value = False

    def init(self, params: Any) -> Any:
        return self.optimizer.init(params) if self.state is None else self.state

    def update(self, gradients: Any, state: Any, params: Any) -> Any:
        return self.optimizer.update(gradients, state, params)


@dataclass
class Stalling:
    """Whether training is of no more use: a column has not improved by `tolerance` for more than `patience` epochs.

    Attributes:
        column: "loss", where less is better, or "validation_score", where more is.
        best, best_params: the best value, and of a score the parameters that made it.
        count: the epochs since an improvement.
    """

    column: str
    tolerance: float
    patience: float
    best: float = np.inf
    best_params: Any = None
    count: int = 0

    def __call__(self, event: Any) -> bool:
        value = float(event.history[-1][self.column])
        if self.column != "loss":
            value = -value
        self.count = self.count + 1 if value > self.best - self.tolerance else 0
        if value < self.best or self.best_params is None:
            self.best = min(self.best, value)
            self.best_params = event.params
        return self.stalled

    @property
    def stalled(self) -> bool:
        """Whether it is so now."""
        return self.count > self.patience


@dataclass
class Training:
    """What a training is made with, and what it comes to.

    Attributes:
        make: from a learning rate to the optimiser.
        rate: the first one; adaptive: it is divided by 5 where the training stalls, down to 1e-6.
        losses, scores: of each epoch.
        converged: whether it ended because it stalled.
    """

    layout: Layout
    make: Callable[[Any], Any]
    rate: Any
    adaptive: bool
    alpha: float
    batch_size: int
    shuffle: bool
    seed: int
    progress: bool
    rule: Stalling
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    converged: bool = False
    state: Any = None

    def run(self, params: Any, data: tuple[Array, Array], weights: Array, held_out: Any, epochs: int) -> Any:
        """The parameters after at most so many epochs."""
        loss, alpha = loss_of(self.layout), self.alpha

        def of_batch(params: Any, x: Any, y: Any, *, weights: Any = None) -> Any:
            return loss(params, x, y, np.ones(x.shape[:1], x.dtype) if weights is None else weights, alpha)

        options: dict[str, Any] = {"validation": held_out, "metrics": {"score": score_of(self.layout)}}
        while epochs > 0:
            params, history = pg.fit(
                of_batch,
                params,
                data,
                optimizer=_Resumed(self.make(self.rate), self.state),
                epochs=epochs,
                batch_size=self.batch_size,
                shuffle=self.shuffle,
                seed=self.seed,
                sample_weight=weights,
                callbacks=[self.rule],
                progress=self.progress,
                **(options if held_out is not None else {}),
            )
            self.state = history.optimizer_state
            self.losses += history["loss"].tolist()
            if held_out is not None:
                self.scores += history["validation_score"].tolist()
            epochs -= len(history)
            if not self.rule.stalled:
                break
            if not self.adaptive or self.rate / 5.0 <= _LEAST_RATE:
                self.converged = True
                break
            self.rate /= 5.0
            self.seed += 1
            self.rule.count = 0
        return params
