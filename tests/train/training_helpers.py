"""What tests of training share: an optimiser of one's own, a small net and its data, and the loop written in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg


class Momentum:
    """Gradient descent with momentum, written by a user of the protocol of optimisers."""

    def __init__(self, rate: float, momentum: float = 0.5) -> None:
        self.rate, self.momentum = rate, momentum

    def init(self, params: Any) -> Any:
        return {"speed": pg.tree_map(np.zeros_like, params), "count": np.int64(0)}

    def update(self, gradients: Any, state: Any, params: Any) -> tuple[Any, Any]:
        speed = pg.tree_map(lambda v, g: self.momentum * v + g, state["speed"], gradients)
        params = pg.tree_map(lambda p, v: p - self.rate * v, params, speed)
        return params, {"speed": speed, "count": state["count"] + 1}


def line(params: Any, x: Any, y: Any) -> Any:
    """The mean squared error of a straight line."""
    return np.mean((params["w"] * x + params["b"] - y) ** 2)


def line_data(rows: int = 23) -> tuple[Any, Any]:
    x = np.random.default_rng(3).normal(size=rows)
    return x, 2.0 * x + 1.0


START = {"w": np.float64(0.2), "b": np.float64(0.0)}


def by_hand(params: Any, batches: Any, optimizer: Any) -> tuple[Any, list[float]]:
    """The loop that `fit` runs, in NumPy, with the gradient of `line` by hand."""
    state, values = optimizer.init(params), []
    for x, y in batches:
        error = params["w"] * x + params["b"] - y
        values.append(np.mean(error**2) * len(x))
        gradients = {"w": np.mean(2 * error * x), "b": np.mean(2 * error)}
        params, state = optimizer.update(gradients, state, params)
    return params, values


def same(first: Any, second: Any) -> bool:
    """Whether two containers are equal to the last bit."""
    pairs = zip(pg.tree_leaves(first), pg.tree_leaves(second), strict=True)
    return all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs)
