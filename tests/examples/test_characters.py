"""The language models of characters: their text, what they learn, and what they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import characters


def _frequencies_alone(text: characters.Text) -> float:
    share = np.bincount(text.codes) / len(text.codes)
    return float(-np.sum(share * np.log(share)))


def test_the_text() -> None:
    text = characters.python_help()
    assert len(text.codes) == 100_000
    assert text.decoded(text.codes).isascii()
    assert "Python" in text.decoded(text.codes)
    np.testing.assert_array_equal(text.encoded(text.decoded(text.codes[:500])), text.codes[:500])


def test_sequences_are_followed_by_the_next_characters() -> None:
    text = characters.python_help(1000)
    x, y = text.sequences()
    assert x.shape == y.shape == (999 // characters.STEPS, characters.STEPS)
    np.testing.assert_array_equal(x.ravel(), text.codes[: x.size])
    np.testing.assert_array_equal(y.ravel(), text.codes[1 : x.size + 1])


@pytest.mark.deep
@pytest.mark.parametrize("network", [characters.recurrent, characters.transformer])
def test_what_comes_later_has_no_influence(network: Any) -> None:
    model = network(10)
    params, _ = model.init(pg.random.key(0), (characters.STEPS,))
    first = np.arange(characters.STEPS)[np.newaxis] % 10
    second = np.where(np.arange(characters.STEPS) < 20, first, 0)
    scores = pg.compile(model)
    np.testing.assert_array_equal(scores(params, first)[0, :20], scores(params, second)[0, :20])
    assert (scores(params, first)[0, 21:] != scores(params, second)[0, 21:]).any()


@pytest.mark.deep
@pytest.mark.parametrize(("network", "limit"), [(characters.recurrent, 2.6), (characters.transformer, 2.8)])
def test_the_networks_learn(network: Any, limit: float) -> None:
    text = characters.python_help()
    model = network(len(text.alphabet))
    params, history = characters.train(model, text, 2)
    assert history["loss"][-1] < limit < _frequencies_alone(text)
    begin = "The statement"
    first, second = (characters.written(model, params, text, begin, 80) for _ in range(2))
    assert first == second
    assert len(first) == len(begin) + 80
    assert first.startswith(begin)
    assert characters.written(model, params, text, begin, 80, seed=1) != first


@pytest.mark.deep
def test_the_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    history = pg.train.History()
    history.append({"epoch": 1, "loss": 2.0, "seconds": 0.1})
    characters.plot(str(tmp_path / "characters.png"), {"GRU": history})
    assert (tmp_path / "characters.png").read_bytes().startswith(b"\x89PNG")
