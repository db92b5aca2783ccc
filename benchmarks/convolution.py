"""A small convolutional net on images of digits: two layers of 3 by 3 taps and a readout, its loss and gradient."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import pygraph as pg

from .harness import Case, Contender, Report, Target, native, peer, print_rest, print_table, run_case

#: Native value and gradient may take this times JAX's.
LIMIT_JAX = 0.8
#: Images of a batch, and pixels along each axis.
SIZES = ((32, 8), (128, 8), (32, 28))
FEATURES = (1, 16, 32, 10)


def _parameters(rng: np.random.Generator, dtype: Any) -> list[Any]:
    first, second, third, classes = FEATURES
    shapes = ((3, 3, first, second), (3, 3, second, third), (third, classes))
    return [np.asarray(rng.normal(size=shape) / np.prod(shape[:-1]) ** 0.5, dtype) for shape in shapes]


def loss(params: Any, images: Any, labels: Any) -> Any:
    """The mean cross entropy of a net of two convolutions and the mean of their features."""
    first, second, readout = params
    x = np.maximum(pg.conv(images, first), 0)
    x = pg.global_avg_pool(np.maximum(pg.conv(x, second), 0))
    return -pg.mean(pg.sum(labels * pg.log_softmax(x @ readout, axis=-1), axis=-1))


def _jax(jax: Any, arguments: tuple[Any, ...]) -> Contender:
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    convolve = partial(
        jax.lax.conv_general_dilated,
        window_strides=(1, 1),
        padding="VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )

    def value(params: Any, images: Any, labels: Any) -> Any:
        first, second, readout = params
        x = jnp.maximum(convolve(images, first), 0)
        x = jnp.maximum(convolve(x, second), 0).mean((1, 2))
        return -jnp.mean(jnp.sum(labels * jax.nn.log_softmax(x @ readout, axis=-1), axis=-1))

    both = jax.jit(jax.value_and_grad(value))
    given = jax.tree_util.tree_map(jnp.asarray, arguments)
    return Contender("JAX jit", lambda: jax.block_until_ready(both(*given)), _answer)


def _answer(result: Any) -> list[Any]:
    value, gradients = result
    return [np.asarray(x) for x in (value, *gradients)]


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("convolution")
    rng = np.random.default_rng(5)
    function = pg.value_and_grad(loss)
    jax = peer("jax", report.left_out)
    for dtype in (np.float64, np.float32):
        for batch, side in SIZES:
            images = rng.uniform(size=(batch, side, side, 1)).astype(dtype)
            labels = np.eye(FEATURES[-1], dtype=dtype)[rng.integers(0, FEATURES[-1], batch)]
            arguments = (_parameters(rng, dtype), images, labels)
            contenders = [Contender("pygraph VM", partial(pg.compile(function, backend="vm"), *arguments), _answer)]
            if (built := native(function, report.left_out, *arguments)) is not None:
                contenders.append(Contender("pygraph native", partial(built, *arguments), _answer))
            if jax:
                contenders.append(_jax(jax, arguments))
            case = Case(
                f"digits net, {batch} images of {side} x {side}, {np.dtype(dtype).name}",
                contenders,
                "pygraph VM",
                [Target("pygraph native", "JAX jit", LIMIT_JAX)],
                tolerance=1e-10 if dtype == np.float64 else 1e-4,
            )
            report.tables.append(run_case(case, rounds))
            print_table(report.tables[-1])
    print_rest(report)
    return report
