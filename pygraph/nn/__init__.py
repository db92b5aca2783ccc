"""Layers of neural networks, `pg.nn`: objects that make parameters, and are called with them and an input.

A layer has its settings alone; parameters and state are containers of arrays that the caller keeps:
`params, state = model.init(key, shape)`, then `model(params, x, state=state)`, or in training
`model(params, x, state=pg.nn.Running(state), key=key)`.

Read `layer.py` (what all layers are), `running.py` (running statistics), `initializers.py`, then layers: `dense.py`,
`filters.py`, `normalization.py`, `recurrent.py`, `attention.py`, `activations.py`, and `composition.py`, which makes
models of them; `call_record.py` and `summary.py` show these.

Boundary: nothing is imported but `pygraph` itself and NumPy; no loss and no optimiser is known here.
"""

from .activations import (
    elu,
    flatten,
    gelu,
    global_avg_pool,
    global_max_pool,
    leaky_relu,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from .attention import attention, multi_head_attention
from .composition import residual, sequential
from .dense import dropout, embedding, linear, position_embedding
from .filters import avg_pool, conv, conv_transpose, max_pool
from .initializers import initializer
from .layer import Layer
from .normalization import batch_norm, group_norm, layer_norm
from .recurrent import gru, lstm, rnn
from .running import Running
from .summary import summary

__all__ = [
    "Layer",
    "Running",
    "attention",
    "avg_pool",
    "batch_norm",
    "conv",
    "conv_transpose",
    "dropout",
    "elu",
    "embedding",
    "flatten",
    "gelu",
    "global_avg_pool",
    "global_max_pool",
    "group_norm",
    "gru",
    "initializer",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "lstm",
    "max_pool",
    "multi_head_attention",
    "position_embedding",
    "relu",
    "relu6",
    "residual",
    "rnn",
    "selu",
    "sequential",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "summary",
    "tanh",
]
