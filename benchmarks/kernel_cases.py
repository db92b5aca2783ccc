"""Single kernels and small pieces of models, as functions of a NumPy-like module: the cases of `kernels`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Kernel:
    """One case.

    Attributes:
        name: what the table says.
        function: of `pygraph` or `Jax`, then the arguments.
        arguments: made of a generator and a dtype.
        limit: on the ratio of the better tier's time to JAX's.
        gradient: of how many leading arguments the gradient is taken as well; 0 for the value alone.
        dtypes: those measured.
    """

    name: str
    function: Callable[..., Any]
    arguments: Callable[[np.random.Generator, Any], tuple[Any, ...]]
    limit: float
    gradient: int = 0
    dtypes: tuple[type, ...] = (np.float64, np.float32)


class Jax:
    """JAX's functions under the names that the cases use."""

    def __init__(self, jax: Any) -> None:
        lax = jax.lax
        self.names = {
            **{name: getattr(jax.nn, name) for name in ("logsumexp", "softmax", "log_softmax")},
            "gelu": partial(jax.nn.gelu, approximate=False),
            "erf": jax.scipy.special.erf,
            "scan": lax.scan,
            "while_loop": lax.while_loop,
            "cond": lax.cond,
            "zeros": jax.numpy.zeros,
            "add_at": lambda out, at, v: out.at[at].add(v),
            "set_at": lambda out, at, v: out.at[at].set(v),
        }
        self.numpy = jax.numpy

    def __getattr__(self, name: str) -> Any:
        return self.names[name] if name in self.names else getattr(self.numpy, name)


def normal(*shapes: tuple[int, ...], scale: float = 1.0) -> Callable[[np.random.Generator, Any], tuple[Any, ...]]:
    """Normal numbers of these shapes."""
    return lambda rng, dtype: tuple(np.asarray(scale * rng.normal(size=shape), dtype) for shape in shapes)


def _positive(rng: np.random.Generator, dtype: Any) -> tuple[Any, ...]:
    return np.asarray(rng.uniform(0.1, 4.0, MILLION), dtype), np.asarray(rng.normal(size=MILLION), dtype)


MILLION = 1_000_000
SQUARE = (1_000, 1_000)


def _unary(name: str, limit: float) -> Kernel:
    return Kernel(name, lambda xp, x: getattr(xp, name)(x), normal((MILLION,), scale=2.0), limit)


def _maps() -> Iterator[Kernel]:
    for name in ("exp", "tanh", "erf", "sin"):
        yield _unary(name, 0.7)
    yield Kernel("log1p(exp)", lambda xp, x: xp.log1p(xp.exp(x)), normal((MILLION,)), 0.7)
    yield Kernel("pow", lambda xp, x, y: xp.power(x, y), _positive, 0.7)
    yield Kernel("where", lambda xp, x, y: xp.where(x > y, x, y * 2), normal((MILLION,), (MILLION,)), 0.7)
    yield Kernel("clip", lambda xp, x: xp.clip(x, -1, 1), normal((MILLION,)), 0.7)
    yield Kernel("compare", lambda xp, x, y: x < y, normal((MILLION,), (MILLION,)), 0.7)
    yield Kernel("a + b.T", lambda xp, a, b: a + b.T, normal(SQUARE, SQUARE), 0.5)
    yield Kernel("transpose", lambda xp, a: a.T, normal(SQUARE), 0.5)


def _reductions() -> Iterator[Kernel]:
    for name in ("max", "min"):
        for axis in (1, 0):
            yield Kernel(
                f"{name}, axis {axis}", partial(_reduced, name=name, axis=axis), normal(SQUARE), 0.6 if axis else 1.0
            )
    for axis in (None, 0, 1):
        title = "sum of all" if axis is None else f"sum, axis {axis}"
        yield Kernel(title, partial(_reduced, name="sum", axis=axis), normal(SQUARE), 0.7)
    yield Kernel(
        "sum of a broadcast", lambda xp, a, b: xp.sum(a[:, None] * b[None], axis=1), normal((1_000,), (1_000,)), 1.0
    )
    yield Kernel(
        "distances",
        lambda xp, a, b: xp.sum((a[:, None] - b[None]) ** 2, axis=-1),
        normal((500, 3), (500, 3)),
        1.0,
    )


def _reduced(xp: Any, x: Any, name: str, axis: int | None) -> Any:
    return getattr(xp, name)(x, axis=axis)


def _cross_entropy(xp: Any, x: Any, labels: Any) -> Any:
    return -xp.mean(xp.sum(labels * xp.log_softmax(x, axis=-1), axis=-1))


def _layer_norm(xp: Any, x: Any, scale: Any, shift: Any) -> Any:
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    normalised = centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)
    return xp.sum((normalised * scale + shift) ** 2)


def _labelled(rng: np.random.Generator, dtype: Any) -> tuple[Any, ...]:
    rows, classes = 1_000, 1_000
    return np.asarray(rng.normal(size=(rows, classes)), dtype), np.eye(classes, dtype=dtype)[
        rng.integers(0, classes, rows)
    ]


def _rows() -> Iterator[Kernel]:
    yield Kernel("softmax of rows", lambda xp, x: xp.softmax(x, axis=-1), normal(SQUARE), 0.5)
    yield Kernel("cross-entropy and gradient", _cross_entropy, _labelled, 0.5, gradient=1)
    for n in (10_000, MILLION):
        yield Kernel(f"log-sum-exp gradient, {n:,}", lambda xp, x: xp.logsumexp(x), normal((n,)), 0.5, gradient=1)
    yield Kernel("layer norm gradient", _layer_norm, normal(SQUARE, (1_000,), (1_000,)), 0.4, gradient=3)
    yield Kernel(
        "gelu layer gradient, 256 x 256",
        lambda xp, x, w, b: xp.sum(xp.gelu(x @ w + b)),
        normal((256, 256), (256, 256), (256,), scale=0.2),
        0.6,
        gradient=3,
    )


def _indices(sort: bool, unique: bool = False) -> Callable[[np.random.Generator, Any], tuple[Any, ...]]:
    def made(rng: np.random.Generator, dtype: Any) -> tuple[Any, ...]:
        n = 100_000
        at = rng.permutation(n) if unique else rng.integers(0, n, n)
        return np.asarray(rng.normal(size=n), dtype), np.sort(at) if sort else at

    return made


def _scattered(xp: Any, v: Any, at: Any) -> Any:
    zeros = xp.zeros(v.shape, v.dtype)
    return xp.add_at(zeros, at, v) if isinstance(xp, Jax) else zeros.at[at].add(v)


def _indexing() -> Iterator[Kernel]:
    yield Kernel("gather, 100,000", lambda xp, x, at: x[at], _indices(False), 0.5)
    yield Kernel("scatter, 100,000", _scattered, _indices(False), 0.5)
    yield Kernel("scatter, sorted", _scattered, _indices(True), 0.5)
    yield Kernel("scatter, unique", _scattered, _indices(False, True), 0.5)


def _stencil(xp: Any, u: Any) -> Any:
    return xp.concatenate([u[:1], u[1:-1] + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]), u[-1:]])


def _diffusion(xp: Any, u: Any) -> Any:
    last, _ = xp.scan(lambda c, _: (_stencil(xp, c), None), u, None, length=200)
    return xp.sum(last * last)


def _recurrence(xp: Any, w: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        return xp.tanh(h @ w + row), None

    last, _ = xp.scan(step, x[0], x)
    return xp.sum(last)


def _collatz_like(xp: Any, x: Any) -> Any:
    return xp.while_loop(lambda s: s[0] < 10_000.0, lambda s: (s[0] + 1.0, s[1] * 0.999 + 0.5), (x * 0.0, x))[1]


def _loops() -> Iterator[Kernel]:
    yield Kernel("stencil by slices, 1e6", _stencil, normal((MILLION,)), 0.4)
    yield Kernel("stencil, 200 steps of 1,000", _diffusion, normal((1_000,)), 0.4)
    yield Kernel("stencil, 200 steps, gradient", _diffusion, normal((1_000,)), 0.4, gradient=1)
    yield Kernel("RNN gradient, 50 steps, 32 x 32", _recurrence, normal((32, 32), (50, 16, 32), scale=0.2), 0.5, 2)
    yield Kernel("while, 10,000 steps", _collatz_like, normal(()), 1.0, dtypes=(np.float64,))


def _products() -> Iterator[Kernel]:
    for n, limit in ((4, 0.3), (16, 0.3), (64, 0.3), (512, 0.95)):
        yield Kernel(f"product, {n} x {n}", lambda xp, a, b: a @ b, normal((n, n), (n, n)), limit)
    yield Kernel("products, 1,000 of 8 x 8", lambda xp, a, b: a @ b, normal((1_000, 8, 8), (1_000, 8, 8)), 0.3)
    yield Kernel("matrix-vector, 1,000", lambda xp, a, b: a @ b, normal(SQUARE, (1_000,)), 0.6)


def cases() -> list[Kernel]:
    """All of them, in the order of the table."""
    return [*_maps(), *_reductions(), *_rows(), *_indexing(), *_loops(), *_products()]
