"""A regression by L-BFGS: how far diabetes has gone after a year, from ten measurements of 442 patients.

`python -m pygraph.examples.diabetes` prints the report; with a path, such as `diabetes.png`, it also saves the plot.
The data set comes with scikit-learn: `pip install 'pygraph-ad[sklearn]'`.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]


def load_patients() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Measurements, shape (n, 10), and the disease's progression, (n,): to learn from, and every fifth to test with.

    All columns have mean 0 and variance 1 over the patients to learn from.
    """
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    table = np.column_stack([found.data, found.target])
    held_out = np.arange(len(table)) % 5 == 0
    known = table[~held_out]
    table = (table - known.mean(axis=0)) / known.std(axis=0)
    known, unknown = table[~held_out], table[held_out]
    return (known[:, :-1], known[:, -1]), (unknown[:, :-1], unknown[:, -1])


def linear(params: Any, x: Any) -> Any:
    """x·w + b."""
    return x @ params["w"] + params["b"]


def mean_squares(params: Any, x: Any, y: Any) -> Any:
    """The mean of (prediction − y)²."""
    return pg.losses.mse(linear(params, x), y)


def train(epochs: int = 60) -> tuple[dict[str, Array], Any]:
    """Minimise the mean squares: each epoch is one direction of L-BFGS, from all patients, and the search along it."""
    data, test = load_patients()
    params = {"w": np.zeros(10), "b": np.zeros(())}
    trained: tuple[dict[str, Array], Any] = pg.fit(
        mean_squares,
        params,
        data=data,
        optimizer=pg.optim.lbfgs(),
        epochs=epochs,
        batch_size=None,
        shuffle=False,
        validation=test,
        metrics={"r2": lambda params, x, y: pg.metrics.r2(linear(params, x), y)},
    )
    return trained


def least_squares() -> Array:
    """The weights w, and b, that linear algebra gives: what L-BFGS has to arrive at."""
    (x, y), _ = load_patients()
    solution, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)
    return np.asarray(solution)


def plot(path: str, params: dict[str, Array], history: Any) -> Any:
    """Save a picture of the loss over the steps, and of predictions; returns the figure. Needs Matplotlib."""
    from matplotlib.figure import Figure

    _, (x, y) = load_patients()
    figure: Any = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(history["epoch"], history["loss"] - history["loss"].min() + 1e-17)
    left.set(xlabel="step", ylabel="loss above its least")
    right.scatter(y, linear(params, x), s=12)
    right.axline((0.0, 0.0), slope=1.0, color="gray")
    right.set(xlabel="progression (test patients)", ylabel="predicted")
    figure.savefig(path)
    return figure


def main(path: str | None = None) -> None:
    """Print the report, and save the plot to a path."""
    params, history = train()
    (_, known), (_, unknown) = load_patients()
    print(f"{len(known)} patients to learn from, {len(unknown)} to test with; least squares by L-BFGS\n")
    print(f"{'step':>6} {'loss before it':>15} {'test R² after':>15}")
    for row in (0, 1, 2, 5, 10, 20, len(history) - 1):
        print(f"{row + 1:6} {history['loss'][row]:15.12f} {history['validation_r2'][row]:15.6f}")
    difference = np.abs(np.append(params["w"], params["b"]) - least_squares()).max()
    print(f"\nThe weights differ from those of np.linalg.lstsq by at most {difference:.0e}.")
    if path is not None:
        plot(path, params, history)
        print(f"The plot is in {path}.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
