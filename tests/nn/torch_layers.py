"""The cases of layer_cases.py by PyTorch: `python tests/nn/torch_layers.py` writes torch_layers.npz, which tests read.

Needs PyTorch. Weights are those of pygraph, brought into PyTorch's places, so that derivatives are by ours.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from layer_cases import ACTIVATIONS, CASES, Case, parameters, seed_like

import pygraph as pg

PATH = Path(__file__).with_name("torch_layers.npz")
Tensor = Any


def first(x: Tensor) -> Tensor:
    """Channels first."""
    return x.movedim(-1, 1)


def last(x: Tensor) -> Tensor:
    """Channels last."""
    return x.movedim(1, -1)


def kernel(weight: Tensor) -> Tensor:
    """(*taps, inputs, outputs) → (outputs, inputs, *taps)."""
    return weight.movedim((-1, -2), (0, 1))


def images(x: Tensor) -> Tensor:
    return F.pad(x, (0, 2, 1, 0))


def norm(params: Tensor, x: Tensor, state: Any, is_training: bool, momentum: float = 0.1) -> Tensor:
    running = state or {"mean": None, "variance": None}
    return F.batch_norm(
        x, running["mean"], running["variance"], params.get("scale"), params.get("bias"), is_training, momentum
    )


def recurrent(kind: Any, params: Tensor, x: Tensor, initial: Tensor = None, **options: Any) -> Tensor:
    """A recurrent module of PyTorch with our weights."""
    size = params["recurrent"].shape[0]
    has_bias = "bias" in params
    module = kind(x.shape[-1], size, batch_first=True, bias=has_bias, dtype=torch.float64, **options)
    weights = {"weight_ih_l0": params["weight"].T, "weight_hh_l0": params["recurrent"].T}
    if has_bias:
        beside = torch.zeros_like(params["bias"])
        if "recurrent_bias" in params:
            beside = torch.cat([beside[: 2 * size], params["recurrent_bias"]])
        weights |= {"bias_ih_l0": params["bias"], "bias_hh_l0": beside}
    given = (x,) if initial is None else (x, initial[None])
    return torch.func.functional_call(module, weights, given)[0]


def attend(
    params: Tensor, x: Tensor, heads: int, memory: Tensor = None, mask: Tensor = None, causal: bool = False
) -> Tensor:
    memory = x if memory is None else memory
    if causal:
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    projections = [params[name] for name in ("query", "key", "value")]
    made, _ = F.multi_head_attention_forward(
        x.transpose(0, 1),
        memory.transpose(0, 1),
        memory.transpose(0, 1),
        embed_dim_to_check=x.shape[-1],
        num_heads=heads,
        in_proj_weight=None,
        in_proj_bias=torch.cat([p["bias"] for p in projections]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=params["output"]["weight"].T,
        out_proj_bias=params["output"]["bias"],
        attn_mask=~mask,
        use_separate_proj_weight=True,
        q_proj_weight=projections[0]["weight"].T,
        k_proj_weight=projections[1]["weight"].T,
        v_proj_weight=projections[2]["weight"].T,
    )
    return made.transpose(0, 1)


def model(p: Tensor, x: Tensor, state: Any) -> Tensor:
    x = F.conv2d(first(x), kernel(p[0]["weight"]), padding=1)
    x = F.max_pool2d(F.relu(norm(p[1], x, state[1], True)), 2)
    inside, beside = p[4][0], p[4][2]
    made = F.silu(F.conv2d(x, kernel(inside["weight"]), inside["bias"], padding=1))
    x = made + F.conv2d(x, kernel(beside["weight"]), beside["bias"])
    return F.linear(last(x).flatten(1), p[6]["weight"].T, p[6]["bias"])


#: (params, x, state, **options) → result, by the name of the case.
LAYERS: dict[str, Callable[..., Tensor]] = {
    "linear": lambda p, x, s: F.linear(x, p["weight"].T, p["bias"]),
    "linear without bias, of three axes": lambda p, x, s: F.linear(x, p["weight"].T),
    "embedding": lambda p, x, s: F.embedding(x, p["weight"]),
    "conv of signals": lambda p, x, s: last(F.conv1d(first(x), kernel(p["weight"]), p["bias"], 2, 1, 2, 2)),
    "conv of images": lambda p, x, s: last(F.conv2d(images(first(x)), kernel(p["weight"]), p["bias"], (2, 1))),
    "conv of channels first": lambda p, x, s: F.conv2d(x, kernel(p["weight"]), p["bias"], padding="same"),
    "conv_transpose": lambda p, x, s: last(
        F.conv_transpose2d(first(x), p["weight"].flip((0, 1)).permute(2, 3, 0, 1), p["bias"], 2, 1)
    ),
    "max_pool": lambda p, x, s: last(F.max_pool2d(first(x), 3, 2, 1)),
    "max_pool of channels first": lambda p, x, s: F.max_pool2d(x, 2),
    "avg_pool": lambda p, x, s: last(F.avg_pool2d(first(x), 3, 2, 1, count_include_pad=False)),
    "avg_pool of signals": lambda p, x, s: last(F.avg_pool1d(first(x), 2, padding=1)),
    "batch_norm in training": lambda p, x, s: norm(p, x, s, True, 0.2),
    "batch_norm of images in training": lambda p, x, s: last(norm(p, first(x), s, True)),
    "batch_norm of channels first": lambda p, x, s: norm(p, x, s, False),
    "layer_norm": lambda p, x, s: F.layer_norm(x, (5,), p["scale"], p["bias"]),
    "layer_norm of two axes": lambda p, x, s: F.layer_norm(x, (3, 4), p["scale"], eps=1e-3),
    "group_norm": lambda p, x, s: last(F.group_norm(first(x), 2, p["scale"], p["bias"])),
    "group_norm of channels first": lambda p, x, s: F.group_norm(x, 3, p["scale"], p["bias"]),
    "rnn": lambda p, x, s: recurrent(torch.nn.RNN, p, x),
    "rnn of relu, the last state": lambda p, x, s, initial: recurrent(torch.nn.RNN, p, x, initial, nonlinearity="relu")[
        :, -1
    ],
    "lstm": lambda p, x, s: recurrent(torch.nn.LSTM, p, x),
    "lstm without bias, the last state": lambda p, x, s: recurrent(torch.nn.LSTM, p, x)[:, -1],
    "gru": lambda p, x, s, initial: recurrent(torch.nn.GRU, p, x, initial),
    "gru from the last step": lambda p, x, s: recurrent(torch.nn.GRU, p, x.flip(1)).flip(1),
    "attention": lambda p, x, s: attend(p, x, 2, causal=True),
    "attention to a memory": lambda p, x, s, memory, mask: attend(p, x, 3, memory, mask),
    "activations": lambda p, x, s: torch.stack(
        [
            {"softmax": torch.softmax, "log_softmax": torch.log_softmax}[name](x, -1)
            if "softmax" in name
            else getattr(F, name)(x)
            for name in ACTIVATIONS
        ]
    ),
    "model": lambda p, x, s: model(p, x, s),
}


def reference(name: str) -> dict[str, Any]:
    """What `computed` gives of a case, by PyTorch."""
    case: Case = CASES[name]
    params, state = pg.tree_map(torch.tensor, parameters(case))
    x = torch.tensor(case.x)
    options = {key: torch.tensor(value) for key, value in case.options.items()}
    moving = [*pg.tree_leaves(params), *([x] if x.is_floating_point() else [])]
    moving += [value for value in pg.tree_leaves(options) if value.is_floating_point()]
    for leaf in moving:
        leaf.requires_grad_(True)
    y = LAYERS[name](params, x, state, **options)
    (y * torch.tensor(seed_like(y))).sum().backward()
    found = {"result": y.detach().numpy()}
    if case.is_training:
        found |= {f"state {at}": leaf.numpy() for at, leaf in enumerate(pg.tree_leaves(state))}
    return found | {f"gradient {at}": leaf.grad.numpy() for at, leaf in enumerate(moving)}


if __name__ == "__main__":
    np.savez_compressed(PATH, **{f"{name}: {key}": x for name in CASES for key, x in reference(name).items()})
    print(f"{PATH.stat().st_size} bytes")
