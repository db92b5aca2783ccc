"""Gradients of whole models, compiled and run from C: the net of two layers of lesson 3, and a Gaussian mixture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import GCC_AND_CLANG, ISA, check, make_case, write
from helpers import needs_compiler

import pygraph as pg


def net_loss(params: tuple[Any, ...], x: Any, y: Any) -> Any:
    """J = Σ(y − z2)² with z2 = sigmoid(xW1 + b1)W2 + b2."""
    w1, b1, w2, b2 = params
    return np.sum((y - (pg.sigmoid(x @ w1 + b1) @ w2 + b2)) ** 2)


def net_arguments() -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    params = tuple(rng.normal(size=shape) for shape in ((2, 5), (5,), (5, 2), (2,)))
    return params, rng.normal(size=(8, 2)), rng.normal(size=(8, 2))


def log_posterior(weights: Any, means: Any, factors: Any, points: Any) -> Any:
    """The log-posterior of ADBench's GMM without the constants of its prior."""
    (count, dimension), components = points.shape, means.shape[0]
    diagonal, lower = np.exp(factors[:, :dimension]), factors[:, dimension:]
    places = np.zeros((dimension, dimension), np.int64)
    columns, rows = np.triu_indices(dimension, 1)
    places[rows, columns] = np.arange(1, len(rows) + 1)
    padded = np.concatenate([np.zeros((components, 1)), lower], axis=1)
    centred = np.expand_dims(points, 0) - np.expand_dims(means, 1)  # (K, N, D)
    mixed = np.matmul(centred, np.swapaxes(np.take(padded, places, axis=1), 1, 2))
    scaled = np.expand_dims(diagonal, 1) * centred + mixed
    shares = np.expand_dims(weights + np.sum(factors[:, :dimension], axis=1), 1)
    inner = shares - 0.5 * np.sum(scaled * scaled, axis=2)  # (K, N)
    likelihood = np.sum(pg.logsumexp(inner, axis=0)) - count * pg.logsumexp(weights, axis=0)
    return likelihood + 0.5 * (np.sum(diagonal * diagonal) + np.sum(lower * lower))


def mixture(points: int, dimension: int, components: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(25)
    packed = dimension * (dimension + 1) // 2
    return (
        rng.normal(size=components),
        rng.uniform(size=(components, dimension)),
        0.3 * rng.normal(size=(components, packed)),
        rng.normal(size=(points, dimension)),
    )


def flat(arguments: tuple[Any, ...]) -> list[Any]:
    return [x for part in arguments for x in (part if isinstance(part, tuple) else (part,))]


@needs_compiler
@pytest.mark.parametrize("compiler", GCC_AND_CLANG)
def test_gradients_of_models(compiler: str, tmp_path: Path) -> None:
    made = []
    for name, function, argnums, given in (
        ("net", net_loss, 0, net_arguments()),
        ("gmm", log_posterior, (0, 1, 2), mixture(12, 3, 4)),
    ):
        made.append(make_case(name, pg.trace(function, *given), flat(given)))
        gradient = pg.trace(pg.value_and_grad(function, argnums), *given)
        made.append(make_case(f"{name}_gradient", gradient, flat(given), derivatives=False))
    assert not any(case.uses_blas for case in made)
    write(tmp_path, made)
    check(tmp_path, made, compiler, ["-O3", *ISA])
