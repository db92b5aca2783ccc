"""Handwritten digits: a multilayer perceptron and a convolutional network learn to read them, in loops that run in C.

`python -m pygraph.examples.digits` prints the report; with a path, such as `digits.png`, it also saves the plot.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .handwriting import training_and_test

BATCH_SIZE = 32


def perceptron() -> Any:
    """64 pixels → 128 hidden units → a score for each digit."""
    return pg.nn.sequential(pg.nn.flatten, pg.nn.linear(64, 128), pg.nn.relu, pg.nn.linear(128, 10))


def convolutional() -> Any:
    """Two convolutions that look at 3 × 3 pixels, each followed by pooling; then a score for each digit."""
    return pg.nn.sequential(
        lambda images: images[..., np.newaxis],  # one channel: (n, 8, 8, 1)
        pg.nn.conv(1, 16, 3, padding="SAME"),
        pg.nn.relu,
        pg.nn.max_pool(2),  # (n, 4, 4, 16)
        pg.nn.conv(16, 32, 3, padding="SAME"),
        pg.nn.relu,
        pg.nn.max_pool(2),  # (n, 2, 2, 32)
        pg.nn.flatten,
        pg.nn.dropout(0.25),
        pg.nn.linear(128, 10),
    )


@dataclass(frozen=True)
class Trained:
    """A trained network: its parameters, the table of its epochs, the digits it reads in the test images, seconds."""

    model: Any
    params: Any
    history: Any
    read: npt.NDArray[Any]
    accuracy: float
    seconds: float


def train(model: Any, epochs: int, seed: int = 0) -> Trained:
    """Train a network on four fifths of the digits, and let it read the others.

    Args:
        model: from `perceptron` or `convolutional`.
        epochs: how often the training images are gone through.
        seed: of the first parameters, and of the order of the images.
    """
    began = time.perf_counter()
    (images, digits), test = training_and_test()
    params, _ = model.init(pg.random.key(seed), (8, 8))

    def loss(params: Any, x: Any, y: Any, **context: Any) -> Any:
        return pg.losses.softmax_cross_entropy(model(params, x, **context), y)

    def accuracy(params: Any, x: Any, y: Any) -> Any:
        return pg.metrics.accuracy(model(params, x), y)

    steps = epochs * -(-len(digits) // BATCH_SIZE)
    params, history = pg.fit(
        loss,
        params,
        data=(images, digits),
        optimizer=pg.optim.adam(pg.optim.cosine(3e-3, steps)),
        epochs=epochs,
        batch_size=BATCH_SIZE,
        validation=test,  # shown after each epoch; nothing is chosen by it
        metrics={"accuracy": accuracy},
        seed=seed,
    )
    seconds = time.perf_counter() - began
    read = np.argmax(pg.compile(model)(params, test[0]), axis=1)
    return Trained(model, params, history, read, float(np.mean(read == test[1])), seconds)


#: What `main` trains: a name, the network, and how many epochs.
NETWORKS: tuple[tuple[str, Any, int], ...] = (
    ("multilayer perceptron", perceptron, 50),
    ("convolutional network", convolutional, 40),
)


def misread(trained: Trained) -> list[tuple[npt.NDArray[Any], int, int]]:
    """The test images that are read wrongly: the image, the digit, and what was read."""
    _, (images, digits) = training_and_test()
    return [(images[i], int(digits[i]), int(trained.read[i])) for i in np.flatnonzero(trained.read != digits)]


def drawn(image: npt.NDArray[Any]) -> str:
    """An image in characters, two for each pixel."""
    return "\n".join("".join(" ░▒▓█"[round(4 * ink)] * 2 for ink in row) for row in image)


def plot(path: str, results: dict[str, Trained]) -> Any:
    """Save a picture of the losses over the epochs, and of what is misread; returns the figure. Needs Matplotlib."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(10, 3 * len(results)), layout="constrained")
    for part, (name, trained) in zip(np.atleast_1d(figure.subfigures(len(results), 1)), results.items(), strict=True):
        left, right = part.subfigures(1, 2)
        axes = left.subplots()
        for column in ("loss", "validation_loss"):
            axes.semilogy(trained.history["epoch"], trained.history[column], label=column.replace("_", " "))
        axes.set(title=f"{name}: {trained.accuracy:.1%}", xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.legend()
        shown = misread(trained)[:8]
        for each in right.subplots(2, 4).flat:
            each.set_axis_off()
            if shown:
                image, digit, read = shown.pop(0)
                each.imshow(image, cmap="gray_r")
                each.set_title(f"{digit}, read as {read}", fontsize=8)
    figure.savefig(path)
    return figure


def main(path: str | None = None) -> None:
    """Train both networks and print the report; save the plot to a path."""
    (_, digits), (_, tested) = training_and_test()
    print(f"{len(digits):,} handwritten digits of 8 × 8 pixels to learn from, {len(tested)} others to read\n")
    print(f"{'':24} {'parameters':>10} {'epochs':>7} {'loss':>8} {'read rightly':>13} {'seconds':>8}")
    results = {}
    for name, network, epochs in NETWORKS:
        results[name] = trained = train(network(), epochs)
        count = sum(leaf.size for leaf in pg.tree_leaves(trained.params))
        loss, share = trained.history["loss"][-1], f"{trained.accuracy:.2%}"
        print(f"{name:24} {count:10,} {epochs:7} {loss:8.4f} {share:>13} {trained.seconds:8.2f}")
    for name, trained in results.items():
        wrong = misread(trained)
        print(f"\nThe {name} misreads", ", ".join(f"{digit} as {read}" for _, digit, read in wrong) or "none")
        if wrong:
            print(drawn(wrong[0][0]))
    if path is not None:
        plot(path, results)
        print(f"\nThe plot is in {path}.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
