"""Initialisers: their moments, bounds and names."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph import nn

KEY = pg.random.key(1)
SHAPE = (3, 3, 20, 40)  # of a convolution: fan_in 180, fan_out 360
DEVIATIONS = {
    "glorot": np.sqrt(2 / 540),
    "xavier": np.sqrt(2 / 540),
    "he": np.sqrt(2 / 180),
    "kaiming": np.sqrt(2 / 180),
    "lecun": np.sqrt(1 / 180),
}


@pytest.mark.parametrize("form", ["uniform", "normal"])
@pytest.mark.parametrize("name", DEVIATIONS)
def test_scaled_draws_have_their_deviation(name: str, form: str) -> None:
    draw = nn.initializer(f"{name}_{form}", gain=2.0)(KEY, SHAPE, "float32")
    expected = 2.0 * DEVIATIONS[name]
    assert draw.dtype == np.float32
    assert draw.shape == SHAPE
    assert abs(draw.mean()) < 5 * expected / np.sqrt(draw.size)
    assert abs(draw.std() / expected - 1) < 0.03
    bound = np.sqrt(3) * expected
    if form == "uniform":
        assert 0.99 * bound < np.abs(draw).max() <= bound * (1 + 1e-6)
    else:
        assert np.abs(draw).max() > 1.5 * bound


def test_the_others() -> None:
    assert np.array_equal(nn.initializer("zeros")(KEY, (2, 3)), np.zeros((2, 3)))
    assert np.array_equal(nn.initializer("ones")(KEY, (2, 3), "float32"), np.ones((2, 3), np.float32))
    assert np.array_equal(nn.initializer("constant", value=0.5)(KEY, (2,)), [0.5, 0.5])
    normal = nn.initializer("normal", mean=3.0, std=0.1)(KEY, (2000,))
    assert abs(normal.mean() - 3.0) < 0.01
    assert abs(normal.std() - 0.1) < 0.01
    cut = nn.initializer("truncated_normal", std=0.5)(KEY, (2000,))
    assert 0.9 < np.abs(cut).max() <= 1.0
    flat = nn.initializer("uniform", low=2.0, high=3.0)(KEY, (2000,))
    assert 2.0 <= flat.min() < 2.01 < 2.99 < flat.max() <= 3.0


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 3, 4), (1, 1), (3,), (0, 3)])
def test_orthogonal_draws(shape: Any) -> None:
    q = nn.initializer("orthogonal", gain=2.0)(KEY, shape, "float32")
    assert q.dtype == np.float32
    assert q.shape == shape
    q = q.reshape(-1, shape[-1]) / 2.0
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_names_options_and_pickles() -> None:
    draw = nn.initializer("normal", std=0.02)
    assert pickle.loads(pickle.dumps(draw)) == draw
    assert draw == nn.initializer("normal", std=0.02) != nn.initializer("normal")
    assert nn.linear(2, 2, weight_init=draw) == nn.linear(2, 2, weight_init=nn.initializer("normal", std=0.02))
    with pytest.raises(pg.SignatureError, match=r"no initialiser 'glorot'[\s\S]*did you mean 'glorot"):
        nn.linear(2, 2, weight_init="glorot").init(KEY)
    with pytest.raises(pg.SignatureError, match=r"'normal' takes no such options as \{'sd': 2\}"):
        nn.initializer("normal", sd=2)


def test_functions_of_ones_own() -> None:
    params, _ = nn.linear(2, 3, weight_init=lambda key, shape, dtype: np.full(shape, 7, dtype)).init(KEY)
    assert np.array_equal(params["weight"], np.full((2, 3), 7.0))
    with pytest.raises(pg.ShapeError, match=r"initialiser <lambda> made an array of shape \(2,\)"):
        nn.linear(2, 3, weight_init=lambda key, shape, dtype: np.zeros(2)).init(KEY)


def test_parameters_follow_from_the_key_alone_compiled_or_not() -> None:
    model = nn.sequential(nn.linear(3, 4), nn.gru(None, 2), nn.batch_norm())
    eager = model.init(KEY, (5, 3))
    again = model.init(KEY, (5, 3))
    traced = pg.compile(lambda key: model.init(key, (5, 3)))(KEY)
    other = model.init(pg.random.key(2), (5, 3))
    for a, b, c in zip(*map(pg.tree_leaves, (eager, again, traced)), strict=True):
        assert type(a) is np.ndarray
        assert np.array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=1e-14, atol=1e-16)
    assert not np.array_equal(eager[0][0]["weight"], other[0][0]["weight"])
