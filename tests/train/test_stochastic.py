"""Stochastic gradient descent as one Program."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg


def loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    return (y - (np.sum(params["w"] * x) + params["b"])) ** 2


def test_an_epoch_equals_the_steps_one_by_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)), rng.normal(size=50)
    params = {"w": rng.normal(size=3), "b": np.float64(0.1)}
    got, losses = pg.compile(pg.train.sgd_epoch(loss, 0.05))(params, x, y)
    value_and_grad = pg.compile(pg.value_and_grad(loss))
    expected = []
    for xi, yi in zip(x, y, strict=True):
        value, gradient = value_and_grad(params, xi, yi)
        expected.append(value)
        params = {name: params[name] - 0.05 * gradient[name] for name in params}
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    for name, value in params.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-12)


def test_it_is_one_instruction() -> None:
    graph = pg.trace(pg.train.sgd_epoch(loss, 0.05), {"w": np.zeros(3), "b": 0.0}, np.zeros((7, 3)), np.zeros(7))
    listing = pg.compile(graph).disassemble()
    assert listing.count("SCAN body") == 1


def test_it_can_be_differentiated() -> None:
    x, y = np.array([1.0, 2.0, -1.0]), np.array([0.5, 1.0, 0.3])

    def final_loss(w: Any, rate: Any) -> Any:
        def scaled(w: Any, x: Any, y: Any) -> Any:
            return rate * (y - w * x) ** 2

        w, _ = pg.train.sgd_epoch(scaled, 1.0)(w, x, y)
        return np.sum((y - w * x) ** 2)

    pg.check_grads(final_loss, (0.2, 0.05), order=1)
