"""Lesson 3: gradients of a net of two layers are twice those of the text, and the net is trained."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import two_layer_net as lesson


@pytest.mark.parametrize("rows", [1, 7, 64])
def test_gradients_are_twice_those_of_the_text(rows: int) -> None:
    compared = lesson.compare(rows)
    assert [exact.shape for exact, _ in compared.values()] == [(2, 4), (4,), (4, 1), (1,)]
    for exact, doubled in compared.values():
        np.testing.assert_allclose(exact, doubled, rtol=1e-13, atol=1e-14 * np.abs(doubled).max())


def test_the_gradients_by_hand_are_half_of_finite_differences() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=(5, 3)), random.normal(size=(5, 2))
    params = lesson.initial(3, 4, 2, seed=4)
    by_hand = lesson.gradients_by_hand(params, x, y)

    def value(name: str, at: tuple[int, ...], step: float) -> float:
        moved = {key: array.copy() for key, array in params.items()}
        moved[name][at] += step
        hidden = 1.0 / (1.0 + np.exp(-(x @ moved["W1"] + moved["b1"])))
        return float(np.sum((y - hidden @ moved["W2"] - moved["b2"]) ** 2))

    for name, array in params.items():
        for at in np.ndindex(array.shape):
            slope = (value(name, at, 1e-5) - value(name, at, -1e-5)) / 2e-5
            assert 2.0 * by_hand[name][at] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_half_circles() -> None:
    points, which = lesson.half_circles(200, noise=0.0)
    assert np.bincount(which).tolist() == [100, 100]
    centres = np.where(which[:, np.newaxis] == 0, [0.0, 0.0], [1.0, 0.5])
    np.testing.assert_allclose(np.linalg.norm(points - centres, axis=1), 1.0, rtol=1e-14)
    assert (points[which == 0, 1] >= 0).all()
    assert (points[which == 1, 1] <= 0.5).all()


@pytest.mark.parametrize(("objective", "outputs"), [(lesson.mean_squares, 1), (lesson.cross_entropy, 2)])
def test_the_trained_net_tells_half_circles_apart(objective: object, outputs: int) -> None:
    params, share = lesson.train(objective, outputs)
    assert share >= 0.985
    x, which = lesson.half_circles(1000)
    before = lesson.initial(2, lesson.HIDDEN, outputs)
    assert np.mean(lesson.predicted(before, x) == which) < 0.9  # it was not so from the beginning
    assert np.mean(lesson.predicted(params, x) == which) >= 0.985


def test_cross_entropy_is_that_of_softmax() -> None:
    x, which = lesson.half_circles(6)
    params = lesson.initial(2, 3, 2)
    probabilities = pg.softmax(lesson.net(params, x))
    expected = -np.log(probabilities[np.arange(6), which]).mean()
    assert lesson.cross_entropy(params, x, which) == pytest.approx(expected, rel=1e-13)
