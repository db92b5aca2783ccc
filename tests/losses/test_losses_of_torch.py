"""Losses and their gradients equal those of torch.nn.functional 2.13, which torch_values.json holds with its calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg

VALUES = json.loads(Path(__file__).with_name("torch_values.json").read_text(encoding="utf-8"))
Z = np.array([[2.0, -1.0, 0.5], [0.25, 3.0, -2.0], [-1.5, 0.75, 1.25], [0.0, 0.5, -0.5]])
Y = np.array([0, 2, 1, 1])
Q = np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]])
B = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.3, 0.6, 0.9]])
C, P = np.array([1.0, 0.5, 4.0]), np.array([1.0, 3.0, 0.5])
OURS = {
    "labels": lambda z: pg.losses.softmax_cross_entropy(z, Y),
    "labels weighted": lambda z: pg.losses.softmax_cross_entropy(z, Y, class_weights=C),
    "labels smoothed weighted": lambda z: pg.losses.softmax_cross_entropy(z, Y, class_weights=C, label_smoothing=0.2),
    "probabilities smoothed": lambda z: pg.losses.softmax_cross_entropy(z, Q, label_smoothing=0.2),
    "nll weighted": lambda z: pg.losses.nll(pg.log_softmax(z), Y, class_weights=C),
    "bce_with_logits": lambda z: pg.losses.bce_with_logits(z, B, pos_weight=P),
    "bce": lambda z: pg.losses.bce(pg.sigmoid(z), B),
    "huber": lambda z: pg.losses.huber(z, B, delta=0.7),
    "kl": lambda z: pg.losses.kl(z, Q, from_logits=True),
    "cosine": lambda z: pg.losses.cosine(z, Q),
}


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """The values and gradients of all, from one compiled function."""
    found: dict[str, Any] = pg.compile(lambda z: {k: pg.value_and_grad(f)(z) for k, f in OURS.items()})(Z)
    return found


@pytest.mark.parametrize("name", VALUES)
def test_a_loss_is_that_of_torch(ours: dict[str, Any], name: str) -> None:
    value, gradient = ours[name]
    np.testing.assert_allclose(value, VALUES[name]["value"], rtol=1e-14)
    np.testing.assert_allclose(gradient, VALUES[name]["gradient"], rtol=1e-12, atol=1e-16)
