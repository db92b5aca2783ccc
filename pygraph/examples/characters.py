"""A language model of characters: a GRU or a block of a transformer learns 100 kB of Python's own help, and writes.

`python -m pygraph.examples.characters` prints the report; with a path, such as `characters.png`, it also saves the
plot.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

LENGTH = 100_000
STEPS = 64
BATCH_SIZE = 32


@dataclass(frozen=True)
class Text:
    """A text as integers: `codes[i]` is the place of its character i in `alphabet`."""

    alphabet: str
    codes: npt.NDArray[Any]

    def encoded(self, text: str) -> npt.NDArray[Any]:
        """The integers of a text of this alphabet."""
        return np.array([self.alphabet.index(character) for character in text], dtype=np.int64)

    def decoded(self, codes: npt.NDArray[Any]) -> str:
        """The text of integers."""
        return "".join(self.alphabet[code] for code in codes)

    def sequences(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Sequences of characters, shape (n, STEPS), and of the characters that follow each, of the same shape."""
        count = (len(self.codes) - 1) // STEPS
        rows = np.arange(count)[:, np.newaxis] * STEPS + np.arange(STEPS)
        return self.codes[rows], self.codes[rows + 1]


def python_help(length: int = LENGTH) -> Text:
    """The beginning of the topics that `help()` shows, in the order of their names, without other than ASCII."""
    text = "\n".join(topics[name] for name in sorted(topics)).encode("ascii", "ignore").decode("ascii")[:length]
    alphabet = "".join(sorted(set(text)))
    return Text(alphabet, np.array([alphabet.index(character) for character in text], dtype=np.int64))


def recurrent(characters: int, features: int = 96) -> Any:
    """Each character moves a state, from which scores of the next one are computed."""
    return pg.nn.sequential(
        pg.nn.embedding(characters, 32), pg.nn.gru(32, features), pg.nn.linear(features, characters)
    )


def transformer(characters: int, features: int = 64) -> Any:
    """One block: each character looks at those before it by attention, then all go through the same small net."""
    return pg.nn.sequential(
        pg.nn.embedding(characters, features),
        pg.nn.position_embedding(STEPS, features),
        pg.nn.residual(pg.nn.layer_norm(features), pg.nn.multi_head_attention(features, 4, causal=True)),
        pg.nn.residual(
            pg.nn.layer_norm(features),
            pg.nn.linear(features, 4 * features),
            pg.nn.gelu,
            pg.nn.linear(4 * features, features),
        ),
        pg.nn.layer_norm(features),
        pg.nn.linear(features, characters),
    )


def train(model: Any, text: Text, epochs: int, seed: int = 0) -> tuple[Any, Any]:
    """Learn to tell the next character; the parameters (float32) and the table of epochs."""
    params, _ = model.init(pg.random.key(seed), (STEPS,))
    params = pg.tree_map(lambda p: p.astype(np.float32), params)
    data = text.sequences()

    def loss(params: Any, x: Any, y: Any) -> Any:
        return pg.losses.softmax_cross_entropy(model(params, x), y)

    steps = epochs * -(-len(data[0]) // BATCH_SIZE)
    optimizer = pg.optim.adam(pg.optim.cosine(5e-3, steps))
    trained: tuple[Any, Any] = pg.fit(
        loss, params, data=data, optimizer=optimizer, epochs=epochs, batch_size=BATCH_SIZE, clip_norm=1.0, seed=seed
    )
    return trained


def written(model: Any, params: Any, text: Text, begin: str, length: int, seed: int = 0) -> str:
    """A text that goes on from a beginning: each character is drawn with the probability that the model gives it."""

    def following(params: Any, codes: Any, last: Any, key: Any) -> Any:
        return pg.random.categorical(key, model(params, codes[np.newaxis])[0, last])

    draw = pg.compile(following)
    codes = list(text.encoded(begin))
    for key in pg.random.split(pg.random.key(seed), length):
        window = np.zeros(STEPS, dtype=np.int64)  # what is behind the last character has no influence on it
        known = codes[-STEPS:]
        window[: len(known)] = known
        codes.append(int(draw(params, window, len(known) - 1, key)))
    return text.decoded(np.array(codes))


NETWORKS: tuple[tuple[str, Any, int], ...] = (("GRU", recurrent, 8), ("transformer block", transformer, 8))


def main(path: str | None = None) -> None:
    """Train both, print the report and what they write; save the plot to a path."""
    text = python_help()
    entropy = np.bincount(text.codes) / len(text.codes)
    alone = -np.sum(entropy * np.log(entropy))
    print(f"{len(text.codes):,} characters of Python's help, {len(text.alphabet)} different ones\n")
    print(f"Loss of guessing by their frequencies alone: {alone:.3f} nats a character")
    histories = {}
    for name, network, epochs in NETWORKS:
        model = network(len(text.alphabet))
        began = time.perf_counter()
        params, histories[name] = train(model, text, epochs)
        seconds = time.perf_counter() - began
        count = sum(leaf.size for leaf in pg.tree_leaves(params))
        loss = histories[name]["loss"][-1]
        print(f"\n{name}: {count:,} parameters, loss {loss:.3f} after {epochs} epochs in {seconds:.1f} s. It writes:")
        print("\n".join("  " + line for line in written(model, params, text, "The statement", 300).splitlines()))
    if path is not None:
        plot(path, histories)
        print(f"\nThe plot is in {path}.")


def plot(path: str, histories: dict[str, Any]) -> Any:
    """Save a picture of the losses over the epochs; returns the figure. Needs Matplotlib."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, history in histories.items():
        axes.plot(history["epoch"], history["loss"], marker=".", label=name)
    axes.set(xlabel="epoch", ylabel="loss, nats a character")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
    return figure


if __name__ == "__main__":
    main(*sys.argv[1:2])
