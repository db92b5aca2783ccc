"""The nets of whole trainings, each as users of pygraph, PyTorch and JAX write it, with the same parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import pygraph as pg
from pygraph.examples.characters import python_help, recurrent
from pygraph.examples.handwriting import training_and_test

Array = npt.NDArray[Any]


class Net(NamedTuple):
    """A training that all do.

    Attributes:
        name: heads its table.
        params: the first parameters, by their names.
        x, y: the data.
        rate, epochs, batch: of Adam, and of the loop.
        loss: of pygraph; `torch_loss` and `jax_loss` make that of the peers from their module.
        tolerance: relative, of the losses of the epochs.
        unrolls: whether `torch.compile` writes out the steps of a loop, and takes minutes for it.
    """

    name: str
    params: dict[str, Array]
    x: Array
    y: Array
    rate: float
    epochs: int
    batch: int
    loss: Callable[..., Any]
    torch_loss: Callable[[Any], Callable[..., Any]]
    jax_loss: Callable[[Any], Callable[..., Any]]
    tolerance: float
    unrolls: bool = False


def _uniform(rng: np.random.Generator, *shape: int, dtype: Any = np.float64) -> Array:
    return np.asarray(rng.uniform(-1, 1, shape) / np.prod(shape[:-1]) ** 0.5, dtype)


def perceptron() -> Net:
    """64 pixels, 128 hidden units, 10 classes, float64."""
    rng = np.random.default_rng(0)
    params = {"w": _uniform(rng, 64, 128), "b": np.zeros(128), "v": _uniform(rng, 128, 10), "c": np.zeros(10)}
    (images, digits), _ = training_and_test()

    def loss(p: Any, x: Any, y: Any) -> Any:
        return pg.losses.softmax_cross_entropy(pg.relu(x @ p["w"] + p["b"]) @ p["v"] + p["c"], y)

    def of_torch(torch: Any) -> Callable[..., Any]:
        def loss(p: Any, x: Any, y: Any) -> Any:
            hidden = torch.relu(x @ p["w"] + p["b"])
            return torch.nn.functional.cross_entropy(hidden @ p["v"] + p["c"], y)

        return loss

    def of_jax(jax: Any) -> Callable[..., Any]:
        return lambda p, x, y: _jax_cross_entropy(jax, jax.nn.relu(x @ p["w"] + p["b"]) @ p["v"] + p["c"], y)

    x = np.ascontiguousarray(images.reshape(len(images), 64), np.float64)
    return Net("digits, 64-128-10 units, float64", params, x, digits, 1e-3, 20, 32, loss, of_torch, of_jax, 1e-6)


def convolutions() -> Net:
    """Two convolutions of 3 by 3 with pooling, and a readout, float32."""
    rng = np.random.default_rng(0)
    kinds = {"a": (3, 3, 1, 16), "d": (3, 3, 16, 32), "v": (128, 10)}
    params = {name: _uniform(rng, *shape, dtype=np.float32) for name, shape in kinds.items()}
    params |= {name: np.zeros(n, np.float32) for name, n in {"b": 16, "e": 32, "c": 10}.items()}
    (images, digits), _ = training_and_test()

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = pg.max_pool(pg.relu(pg.conv(x, p["a"], padding="SAME") + p["b"]), 2, 2)
        x = pg.max_pool(pg.relu(pg.conv(x, p["d"], padding="SAME") + p["e"]), 2, 2)
        return pg.losses.softmax_cross_entropy(x.reshape(len(x), 128) @ p["v"] + p["c"], y)

    def of_torch(torch: Any) -> Callable[..., Any]:
        convolve, pool = torch.nn.functional.conv2d, torch.nn.functional.max_pool2d

        def loss(p: Any, x: Any, y: Any) -> Any:
            x = x.permute(0, 3, 1, 2)
            x = pool(torch.relu(convolve(x, p["a"].permute(3, 2, 0, 1), p["b"], padding=1)), 2)
            x = pool(torch.relu(convolve(x, p["d"].permute(3, 2, 0, 1), p["e"], padding=1)), 2)
            flat = x.permute(0, 2, 3, 1).reshape(len(x), 128)
            return torch.nn.functional.cross_entropy(flat @ p["v"] + p["c"], y)

        return loss

    def of_jax(jax: Any) -> Callable[..., Any]:
        def convolve(x: Any, w: Any) -> Any:
            layout = ("NHWC", "HWIO", "NHWC")
            return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=layout)

        def pool(x: Any) -> Any:
            return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

        def loss(p: Any, x: Any, y: Any) -> Any:
            x = pool(jax.nn.relu(convolve(x, p["a"]) + p["b"]))
            x = pool(jax.nn.relu(convolve(x, p["d"]) + p["e"]))
            return _jax_cross_entropy(jax, x.reshape(len(x), 128) @ p["v"] + p["c"], y)

        return loss

    x = np.ascontiguousarray(images.reshape(-1, 8, 8, 1), np.float32)
    return Net("digits, two convolutions, float32", params, x, digits, 1e-3, 3, 32, loss, of_torch, of_jax, 1e-3)


def gru() -> Net:
    """The recurrent model of `pygraph.examples.characters`, float32, on half of its text."""
    text = python_help()
    model = recurrent(len(text.alphabet))
    first, _ = model.init(pg.random.key(0), (64,))
    (embedding, cell, readout), _ = (first, None)
    params = {"embedding": embedding["weight"], **{f"cell_{k}": v for k, v in cell.items()}}
    params |= {f"out_{k}": v for k, v in readout.items()}
    params = {name: np.asarray(value, np.float32) for name, value in params.items()}
    x, y = (part[:768] for part in text.sequences())

    def loss(p: Any, x: Any, y: Any) -> Any:
        cell = {name: p[f"cell_{name}"] for name in ("weight", "recurrent", "bias", "recurrent_bias")}
        parts = ({"weight": p["embedding"]}, cell, {"weight": p["out_weight"], "bias": p["out_bias"]})
        return pg.losses.softmax_cross_entropy(model(parts, x), y)

    def of_torch(torch: Any) -> Callable[..., Any]:
        def loss(p: Any, x: Any, y: Any) -> Any:
            n = p["cell_recurrent"].shape[0]
            hidden = torch.cat([torch.zeros(2 * n), p["cell_recurrent_bias"]])
            weights = [p["cell_weight"].t(), p["cell_recurrent"].t(), p["cell_bias"], hidden]
            start = torch.zeros(1, len(x), n)
            seen = torch.gru(p["embedding"][x], start, weights, True, 1, 0.0, True, False, True)[0]
            scores = seen @ p["out_weight"] + p["out_bias"]
            return torch.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), y.reshape(-1))

        return loss

    def of_jax(jax: Any) -> Callable[..., Any]:
        jnp = jax.numpy

        def loss(p: Any, x: Any, y: Any) -> Any:
            n = p["cell_recurrent"].shape[0]
            projected = (p["embedding"][x] @ p["cell_weight"] + p["cell_bias"]).swapaxes(0, 1)

            def step(h: Any, made: Any) -> tuple[Any, Any]:
                r, z, new = jnp.split(made, 3, -1)
                hr, hz, hn = jnp.split(h @ p["cell_recurrent"], 3, -1)
                new = jnp.tanh(new + jax.nn.sigmoid(r + hr) * (hn + p["cell_recurrent_bias"]))
                h = new + jax.nn.sigmoid(z + hz) * (h - new)
                return h, h

            seen = jax.lax.scan(step, jnp.zeros((len(x), n), np.float32), projected)[1].swapaxes(0, 1)
            scores = seen @ p["out_weight"] + p["out_bias"]
            return _jax_cross_entropy(jax, scores.reshape(-1, scores.shape[-1]), y.reshape(-1))

        return loss

    return Net("text, GRU of 96 units, float32", params, x, y, 5e-3, 1, 32, loss, of_torch, of_jax, 1e-3, True)


def _jax_cross_entropy(jax: Any, scores: Any, y: Any) -> Any:
    chosen = jax.numpy.take_along_axis(jax.nn.log_softmax(scores), y[:, None], 1)
    return -chosen.mean()
