"""Handwritten digits: the data, and the accuracies of the two networks on the digits that are held out."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import digits, handwriting


def test_the_digits() -> None:
    images, labels = handwriting.load_digits()
    assert images.shape == (1797, 8, 8)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (16 * images[0, 0]).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


@pytest.mark.deep
def test_the_digits_are_those_that_scikit_learn_has() -> None:
    images, labels = handwriting.load_digits()
    known = pytest.importorskip("sklearn.datasets").load_digits()
    np.testing.assert_array_equal(16 * images, known.images)
    np.testing.assert_array_equal(labels, known.target)


def test_the_file_is_small_and_names_its_source() -> None:
    path = Path(handwriting.__file__).parent / "data" / "handwritten_digits.csv.gz"
    assert path.stat().st_size < 100_000
    head = gzip.decompress(path.read_bytes()).decode("ascii").split("digit,")[0]
    for words in ("Alpaydin", "UCI Machine Learning Repository", "10.24432/C50P49", "CC BY 4.0"):
        assert words in head


def test_no_digit_is_learned_from_and_tested_with() -> None:
    (images, labels), (held_out, held_out_labels) = handwriting.training_and_test()
    assert (len(images), len(labels), len(held_out), len(held_out_labels)) == (1437, 1437, 360, 360)
    assert np.bincount(held_out_labels).min() >= 25
    all_images, _ = handwriting.load_digits()
    assert np.unique(np.concatenate([images, held_out]), axis=0).shape == np.unique(all_images, axis=0).shape


def test_the_perceptron() -> None:
    trained = digits.train(digits.perceptron(), 50)
    assert trained.accuracy >= 0.975
    assert trained.accuracy == trained.history["validation_accuracy"][-1]
    assert trained.history["loss"][-1] < 0.02
    wrong = digits.misread(trained)
    assert len(wrong) == round(360 * (1 - trained.accuracy))
    assert all(digit != read for _, digit, read in wrong)


@pytest.mark.deep
def test_the_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    trained = digits.train(digits.perceptron(), 2)
    figure = digits.plot(str(tmp_path / "digits.png"), {"multilayer perceptron": trained})
    axes = figure.subfigs[0].subfigs[0].axes[0]
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), trained.history["loss"])
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_an_image_in_characters() -> None:
    assert digits.drawn(np.array([[0.0, 1.0], [0.5, 0.25]])) == "  ██\n▒▒░░"


@pytest.mark.deep
def test_the_convolutional_network() -> None:
    trained = digits.train(digits.convolutional(), 40)
    assert trained.accuracy >= 0.988


@pytest.mark.deep
def test_training_is_the_same_each_time() -> None:
    first, second = (digits.train(digits.convolutional(), 2) for _ in range(2))
    pg.tree_map(np.testing.assert_array_equal, first.params, second.params)


@pytest.mark.deep
def test_the_report(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    digits.main()
    printed = capsys.readouterr().out
    assert "1,437 handwritten digits of 8 × 8 pixels to learn from, 360 others to read" in printed
    assert "9,610" in printed
    assert "The convolutional network misreads" in printed
    assert not list(tmp_path.iterdir())
