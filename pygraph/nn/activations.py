"""Activations, pooling of whole axes and `flatten`: functions of one array, which are layers as they are."""

from __future__ import annotations

from math import prod
from typing import Any

import pygraph as pg

from .layer import array

__all__ = [
    "elu",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

elu = pg.elu
gelu = pg.gelu
global_avg_pool = pg.global_avg_pool
global_max_pool = pg.global_max_pool
leaky_relu = pg.leaky_relu
log_softmax = pg.log_softmax
relu = pg.relu
sigmoid = pg.sigmoid
silu = pg.silu
softmax = pg.softmax
softplus = pg.softplus
tanh = pg.tanh


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), elementwise.

    Example:
        >>> pg.nn.relu6(np.array([-1.0, 3.0, 9.0]))
        array([0., 3., 6.])
    """
    return pg.clip(array(x), 0.0, 6.0)


def selu(x: Any) -> Any:
    """1.0507 · elu(x, 1.67326), elementwise: activations keep mean 0 and variance 1 (Klambauer et al. 2017).

    Example:
        >>> pg.nn.selu(np.array([-1.0, 1.0])).round(4)
        array([-1.1113,  1.0507])
    """
    return 1.0507009873554805 * pg.elu(array(x), 1.6732632423543772)


def softsign(x: Any) -> Any:
    """x / (1 + |x|), elementwise.

    Example:
        >>> pg.nn.softsign(np.array([-1.0, 3.0]))
        array([-0.5 ,  0.75])
    """
    x = array(x)
    return x / (1.0 + pg.absolute(x))


def flatten(x: Any) -> Any:
    """All axes but the first, the batch, as one: (n, a, b, …) → (n, a · b · …).

    Example:
        >>> pg.nn.flatten(np.zeros((5, 2, 3))).shape
        (5, 6)
    """
    x = array(x)
    if x.ndim < 1:
        raise pg.ShapeError("x is a scalar", "give a batch of inputs", stage="tracing", subject="flatten")
    return pg.reshape(x, (x.shape[0], prod(x.shape[1:])))
