"""Layers, with parameters and inputs by a formula: what is compared with PyTorch in test_layers_against_torch.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pygraph as pg
from pygraph import nn

__all__ = ["ACTIVATIONS", "CASES", "Case", "computed", "parameters", "seed_like", "values"]

ACTIVATIONS = (
    *("elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus"),
    *("softsign", "tanh"),
)


def values(shape: tuple[int, ...], offset: float) -> Any:
    """Numbers between -1 and 1 without a visible order, the same everywhere to the last bits."""
    return np.sin(np.arange(int(np.prod(shape))) ** 1.3 + offset).reshape(shape)


@dataclass(frozen=True)
class Case:
    """A layer and what it is called with.

    Attributes:
        layer: the layer, or a function of one array.
        x: the input.
        options: further array arguments of the call, by name.
        is_training: whether running statistics are updated.
    """

    layer: Any
    x: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    is_training: bool = False


def parameters(case: Case) -> tuple[Any, Any]:
    """Parameters and state of a case: the containers that `init` makes, with numbers of the formula."""
    if not hasattr(case.layer, "init"):
        return (), ()
    params, state = case.layer.init(pg.random.key(0), case.x.shape[1:])
    offsets = iter(range(100))
    params = pg.tree_map(lambda p: values(p.shape, next(offsets)), params)
    return params, pg.tree_map(lambda s: 1.5 + values(s.shape, next(offsets)), state)


def seed_like(y: Any) -> Any:
    """The cotangent of a result."""
    return values(y.shape, 0.5)


def computed(case: Case) -> dict[str, Any]:
    """The result, the new state, and the derivatives of sum(result · seed) by parameters, input and float options."""
    params, state = parameters(case)
    floats = {name: x for name, x in case.options.items() if x.dtype.kind == "f"}
    fixed = {name: x for name, x in case.options.items() if name not in floats}
    is_float = case.x.dtype.kind == "f"

    def loss(moving: Any, state: Any, fixed: Any) -> Any:
        params, x, options = moving
        running = nn.Running(state) if case.is_training else state
        x = x if is_float else case.x
        call = case.layer
        y = call(params, x, state=running, **options, **fixed) if hasattr(call, "init") else call(x)
        return pg.sum(y * seed_like(y)), (y, running.value if case.is_training else ())

    moving = (params, case.x if is_float else (), floats)
    (_, (y, state)), gradient = pg.value_and_grad(loss, has_aux=True)(moving, state, fixed)
    found = {"result": y}
    found |= {f"state {at}": leaf for at, leaf in enumerate(pg.tree_leaves(state))}
    return found | {f"gradient {at}": leaf for at, leaf in enumerate(pg.tree_leaves(gradient))}


def _activations(x: Any) -> Any:
    return pg.stack([getattr(nn, name)(x) for name in ACTIVATIONS])


def _model() -> Any:
    return nn.sequential(
        nn.conv(1, 4, 3, padding="SAME", bias=False),
        nn.batch_norm(4),
        nn.relu,
        nn.max_pool(2),
        nn.residual(nn.conv(4, 6, 3, padding="SAME"), nn.silu, shortcut=nn.conv(4, 6, 1)),
        nn.flatten,
        nn.linear(None, 3),
    )


_ALLOWED = np.array([[True, False, True, True], [False, True, False, True], [True, True, True, True]])

CASES: dict[str, Case] = {
    "linear": Case(nn.linear(3, 5), values((4, 3), 7.0)),
    "linear without bias, of three axes": Case(nn.linear(3, 2, bias=False), values((2, 4, 3), 7.0)),
    "embedding": Case(nn.embedding(5, 3), np.array([[0, 4, 2], [2, 2, 1]])),
    "conv of signals": Case(nn.conv(4, 6, (3,), strides=2, padding=1, dilation=2, groups=2), values((2, 9, 4), 7.0)),
    "conv of images": Case(nn.conv(2, 3, (3, 2), strides=(2, 1), padding=((1, 0), (0, 2))), values((2, 5, 4, 2), 7.0)),
    "conv of channels first": Case(nn.conv(2, 3, 3, padding="SAME", layout="NCHW"), values((2, 2, 4, 5), 7.0)),
    "conv_transpose": Case(nn.conv_transpose(2, 3, 3, strides=2, padding=((1, 1), (1, 1))), values((2, 3, 4, 2), 7.0)),
    "max_pool": Case(nn.max_pool(3, 2, padding=1), values((2, 5, 6, 2), 7.0)),
    "max_pool of channels first": Case(nn.max_pool(2, layout="NCHW"), values((2, 2, 4, 5), 7.0)),
    "avg_pool": Case(nn.avg_pool(3, 2, padding=1, count_include_pad=False), values((2, 5, 6, 2), 7.0)),
    "avg_pool of signals": Case(nn.avg_pool(2, padding=1), values((2, 6, 3), 7.0)),
    "batch_norm in training": Case(nn.batch_norm(3, momentum=0.2), values((6, 3), 7.0), is_training=True),
    "batch_norm of images in training": Case(nn.batch_norm(), values((2, 3, 2, 4), 7.0), is_training=True),
    "batch_norm of channels first": Case(nn.batch_norm(axis=1, bias=False), values((2, 3, 4), 7.0)),
    "layer_norm": Case(nn.layer_norm(), values((2, 3, 5), 7.0)),
    "layer_norm of two axes": Case(nn.layer_norm((3, 4), epsilon=1e-3, bias=False), values((2, 3, 4), 7.0)),
    "group_norm": Case(nn.group_norm(2, 6), values((2, 3, 6), 7.0)),
    "group_norm of channels first": Case(nn.group_norm(3, 6, axis=1), values((2, 6, 2, 2), 7.0)),
    "rnn": Case(nn.rnn(3, 4), values((2, 5, 3), 7.0)),
    "rnn of relu, the last state": Case(
        nn.rnn(3, 4, activation=nn.relu, return_sequences=False),
        values((2, 5, 3), 7.0),
        {"initial": values((2, 4), 8.0)},
    ),
    "lstm": Case(nn.lstm(3, 4), values((2, 5, 3), 7.0)),
    "lstm without bias, the last state": Case(
        nn.lstm(3, 4, bias=False, return_sequences=False), values((2, 5, 3), 7.0)
    ),
    "gru": Case(nn.gru(3, 4), values((2, 5, 3), 7.0), {"initial": values((2, 4), 8.0)}),
    "gru from the last step": Case(nn.gru(3, 4, reverse=True), values((2, 5, 3), 7.0)),
    "attention": Case(nn.multi_head_attention(6, 2, causal=True), values((2, 4, 6), 7.0)),
    "attention to a memory": Case(
        nn.multi_head_attention(6, 3, memory_features=5),
        values((2, 3, 6), 7.0),
        {"memory": values((2, 4, 5), 8.0), "mask": _ALLOWED},
    ),
    "activations": Case(_activations, 4.0 * values((5, 4), 7.0)),
    "model": Case(_model(), values((3, 4, 4, 1), 7.0), is_training=True),
}
