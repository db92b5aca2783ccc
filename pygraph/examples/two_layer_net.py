"""Lesson 3, backpropagation with layers: a net of two layers, its gradients by hand and by pygraph, and its training.

z1 = x·W1 + b1, a1 = σ(z1), z2 = a1·W2 + b2, and J = Σ(y − z2)², summed over the rows of a batch.

A layer is many neurons at once. The rows of x are examples, the columns of W1 are neurons, and one product of matrices
computes all their sums. A second layer takes what the first one says. The chain rule stays the same; only its factors
are matrices now, so that their order and their shapes matter.

By hand, each step backwards multiplies the gradient that arrives (upstream) by the derivative of one step: of a product
of matrices by the other matrix, transposed; of a sum that is repeated for each row, by adding up the rows; of σ by
σ(1 − σ). The text leaves out the 2 that the square brings, so that pygraph's gradients are twice the text's.

Then the net learns to tell two interleaving half circles apart, which no straight line does: once with squares of
errors, and once with two outputs, softmax and cross-entropy, as classifiers are trained today.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]
Params = dict[str, Any]

HIDDEN = 16
NAMES = ("W1", "b1", "W2", "b2")


def net(params: Params, x: Any) -> Any:
    """The outputs z2, shape (n, outputs), for x of shape (n, inputs)."""
    z1 = x @ params["W1"] + params["b1"]
    a1 = pg.sigmoid(z1)
    z2 = a1 @ params["W2"] + params["b2"]
    return z2  # noqa: RET504  (explain names nodes after the variables they are assigned to)


def loss(params: Params, x: Any, y: Any) -> Any:
    """J = Σ(y − z2)²."""
    return np.sum((y - net(params, x)) ** 2)


def gradients_by_hand(params: Params, x: Array, y: Array) -> Params:
    """The text's gradients, as one writes them with NumPy; without the factor 2 of the square."""
    # forward
    a1 = 1.0 / (1.0 + np.exp(-(x @ params["W1"] + params["b1"])))  # (n, hidden)
    prediction = a1 @ params["W2"] + params["b2"]  # (n, outputs)
    # backward
    dloss = prediction - y  # (n, outputs)
    dW2 = a1.T @ dloss
    db2 = dloss.sum(axis=0)
    da1 = dloss @ params["W2"].T  # (n, hidden)
    dσ = a1 * (1.0 - a1) * da1
    dW1 = x.T @ dσ
    db1 = dσ.sum(axis=0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def initial(inputs: int, hidden: int, outputs: int, seed: int = 0) -> Params:
    """Normal weights of variance 1 / inputs of the layer, and biases of zero."""
    random = np.random.default_rng(seed)
    return {
        "W1": random.normal(size=(inputs, hidden)) / np.sqrt(inputs),
        "b1": np.zeros(hidden),
        "W2": random.normal(size=(hidden, outputs)) / np.sqrt(hidden),
        "b2": np.zeros(outputs),
    }


def compare(rows: int, seed: int = 0) -> dict[str, tuple[Array, Array]]:
    """For each parameter, pygraph's gradient and twice the one by hand, for a batch of so many random rows."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(rows, 2)), random.normal(size=(rows, 1))
    params = initial(2, 4, 1, seed)
    by_hand = gradients_by_hand(params, x, y)
    by_pygraph = pg.grad(loss)(params, x, y)
    return {name: (by_pygraph[name], 2.0 * by_hand[name]) for name in NAMES}


def half_circles(count: int, noise: float = 0.1, seed: int = 0) -> tuple[Array, Array]:
    """Points on two interleaving half circles, shape (count, 2), with normal noise; and which circle, 0 or 1."""
    random = np.random.default_rng(seed)
    which = np.arange(count) % 2
    angle = random.uniform(0.0, np.pi, count)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(which[:, np.newaxis] == 0, upper, lower)
    return points + noise * random.normal(size=points.shape), which


def mean_squares(params: Params, x: Any, y: Any) -> Any:
    """J divided by the rows, with one output that should be 0 or 1."""
    return loss(params, x, y[:, np.newaxis]) / len(x)


def cross_entropy(params: Params, x: Any, y: Any) -> Any:
    """−log of the probability that softmax of two outputs gives to the right circle; the mean over the rows."""
    return pg.losses.softmax_cross_entropy(net(params, x), y)


def predicted(params: Params, x: Array) -> Array:
    """Which circle: where one output is above ½, or the larger of two."""
    outputs = pg.compile(net)(params, x)
    return np.asarray(outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else np.argmax(outputs, axis=1)).astype(np.int64)


def train(objective: Any, outputs: int, epochs: int = 60) -> tuple[Params, float]:
    """Train on 1,000 points; the parameters, and the share of 1,000 other points whose circle they tell."""
    params, _ = pg.fit(
        objective,
        initial(2, HIDDEN, outputs),
        data=half_circles(1000),
        optimizer=pg.optim.adam(0.02),
        epochs=epochs,
        batch_size=25,
    )
    x, which = half_circles(1000, seed=1)
    return params, float(np.mean(predicted(params, x) == which))


def main() -> None:
    """Print the lesson."""
    print("z1 = x·W1 + b1    a1 = σ(z1)    z2 = a1·W2 + b2    J = Σ(y − z2)²\n")
    print("Gradients of a batch of 4 rows: by hand, and by pg.grad, which are twice those")
    for name, (exact, doubled) in compare(4).items():
        shape = " × ".join(map(str, exact.shape))
        print(f"  dJ/d{name}  {shape:>5}   {doubled.flat[0] / 2:11.7f} …  {exact.flat[0]:11.7f} …")
    print("\nThe largest difference from twice those by hand, relative to the largest entry")
    for rows in (1, 4, 100):
        worst = max(np.abs(exact - doubled).max() / np.abs(doubled).max() for exact, doubled in compare(rows).values())
        print(f"  {rows:4} rows  {worst:.0e}")
    print("\nTwo interleaving half circles: how many of 1,000 new points the trained net tells apart")
    for text, objective, outputs in (("Σ(y − z2)²", mean_squares, 1), ("softmax, cross-entropy", cross_entropy, 2)):
        print(f"  {text:24} {train(objective, outputs)[1]:.1%}")


if __name__ == "__main__":
    main()
