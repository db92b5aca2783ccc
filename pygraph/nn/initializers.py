"""Initialisers by name: how the first values of parameters are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["INITIALIZERS", "Initializer", "drawn_by", "fans", "gated", "initializer"]

Shape = tuple[int, ...]


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs an output has, and how many outputs an input, of weights of shape (*taps, inputs, outputs)."""
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    taps = math.prod(shape[:-2])
    return taps * shape[-2], taps * shape[-1]


def _zeros(key: Any, shape: Shape, dtype: Any) -> Any:
    return np.zeros(shape, dtype)


def _ones(key: Any, shape: Shape, dtype: Any) -> Any:
    return np.ones(shape, dtype)


def _constant(key: Any, shape: Shape, dtype: Any, value: float = 0.0) -> Any:
    return np.full(shape, value, dtype)


def _normal(key: Any, shape: Shape, dtype: Any, mean: float = 0.0, std: float = 1.0) -> Any:
    return mean + std * pg.random.normal(key, shape, dtype)


def _truncated_normal(key: Any, shape: Shape, dtype: Any, mean: float = 0.0, std: float = 1.0) -> Any:
    return mean + std * pg.random.truncated_normal(key, -2.0, 2.0, shape, dtype)


def _uniform(key: Any, shape: Shape, dtype: Any, low: float = -1.0, high: float = 1.0) -> Any:
    return pg.random.uniform(key, shape, dtype, low, high)


def _scaled(variance: Callable[[int, int], float], is_normal: bool) -> Callable[..., Any]:
    """Draws of mean 0 whose variance follows from the fans, times the square of a gain."""

    def draw(key: Any, shape: Shape, dtype: Any, gain: float = 1.0) -> Any:
        deviation = gain * math.sqrt(variance(*(max(fan, 1) for fan in fans(shape))))
        if is_normal:
            return _normal(key, shape, dtype, 0.0, deviation)
        bound = math.sqrt(3.0) * deviation
        return _uniform(key, shape, dtype, -bound, bound)

    return draw


def _orthogonal(key: Any, shape: Shape, dtype: Any, gain: float = 1.0) -> Any:
    rows, columns = math.prod(shape[:-1]), shape[-1] if shape else 1
    if not rows * columns:
        return np.zeros(shape, dtype)
    tall = (max(rows, columns), min(rows, columns))
    q, r = pg.linalg.qr(pg.random.normal(key, tall))
    q = q * pg.where(pg.diagonal(r) < 0, -1.0, 1.0)  # of all orthogonal matrices each is then as likely (Mezzadri 2007)
    q = q if rows >= columns else pg.transpose(q)
    return pg.astype(pg.reshape(gain * q, shape), dtype)


def _glorot(inputs: int, outputs: int) -> float:
    return 2.0 / (inputs + outputs)


def _he(inputs: int, outputs: int) -> float:
    return 2.0 / inputs


def _lecun(inputs: int, outputs: int) -> float:
    return 1.0 / inputs


#: The functions by their names: (key, shape, dtype, **options) → array.
INITIALIZERS: dict[str, Callable[..., Any]] = {
    "zeros": _zeros,
    "ones": _ones,
    "constant": _constant,
    "normal": _normal,
    "truncated_normal": _truncated_normal,
    "uniform": _uniform,
    "glorot_uniform": _scaled(_glorot, False),
    "glorot_normal": _scaled(_glorot, True),
    "he_uniform": _scaled(_he, False),
    "he_normal": _scaled(_he, True),
    "lecun_uniform": _scaled(_lecun, False),
    "lecun_normal": _scaled(_lecun, True),
    "orthogonal": _orthogonal,
}
_OTHER_NAMES = {"xavier": "glorot", "kaiming": "he"}
INITIALIZERS |= {
    f"{other}_{form}": INITIALIZERS[f"{name}_{form}"]
    for other, name in _OTHER_NAMES.items()
    for form in ("uniform", "normal")
}


@dataclass(frozen=True)
class Initializer:
    """What `initializer` returns: a function (key, shape, dtype) → array that compares, hashes and pickles."""

    name: str
    options: tuple[tuple[str, float], ...] = ()

    def __call__(self, key: Any, shape: Shape, dtype: Any = "float64") -> Any:
        return INITIALIZERS[self.name](key, shape, np.dtype(dtype), **dict(self.options))

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options)
        return f"initializer({self.name!r}{options})"


def initializer(name: str, **options: float) -> Initializer:
    """How parameters get their first values, by name: a function (key, shape, dtype="float64") → array.

    Layers take a name, one of these functions, or any other such function. fan_in and fan_out are how many inputs an
    output has, and how many outputs an input; of weights of shape (*taps, inputs, outputs).

    Args:
        name: and the options that belong to it:
            "zeros", "ones", "constant" (value);
            "normal" (mean=0, std=1), "truncated_normal" (the same, within two deviations before they are scaled),
            "uniform" (low=-1, high=1);
            "glorot_uniform", "glorot_normal", also "xavier_…": variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010);
            "he_uniform", "he_normal", also "kaiming_…": variance 2 / fan_in (He et al. 2015, arXiv:1502.01852);
            "lecun_uniform", "lecun_normal": variance 1 / fan_in (LeCun et al. 1998);
            "orthogonal": orthonormal columns, or rows where they are fewer (Saxe et al. 2013, arXiv:1312.6120).
            The last four take gain=1, which multiplies the numbers.
        options: numbers.

    Raises:
        SignatureError: another name or option.

    Example:
        >>> draw = pg.nn.initializer("normal", std=0.02)
        >>> draw(pg.random.key(0), (2, 3), "float32").shape
        (2, 3)
        >>> pg.nn.linear(2, 3, weight_init=draw)
        linear(2, 3, weight_init=initializer('normal', std=0.02))
    """
    if name not in INITIALIZERS:
        near = get_close_matches(str(name), INITIALIZERS, 1, 0.5)
        advice = f"did you mean {near[0]!r}? There are " if near else "give one of "
        raise pg.SignatureError(
            f"there is no initialiser {name!r}",
            advice + ", ".join(INITIALIZERS),
            stage="building",
            subject="initializer",
        )
    made = Initializer(name, tuple(options.items()))
    try:
        INITIALIZERS[name](pg.random.key(0), (1, 1), np.dtype(np.float64), **options) if options else None
    except TypeError as error:
        raise pg.SignatureError(
            f"{name!r} takes no such options as {options}",
            "see help(pg.nn.initializer)",
            stage="building",
            subject="initializer",
        ) from error
    return made


def drawn_by(given: str | Callable[..., Any], key: Any, shape: Shape, dtype: Any) -> Any:
    """What an initialiser, or the name of one, makes; of this shape and dtype."""
    made = (initializer(given) if isinstance(given, str) else given)(key, shape, dtype)
    made = made if isinstance(made, pg.Node) else np.asarray(made)
    if made.shape != shape:
        problem = (
            f"the initialiser {getattr(given, '__name__', given)} made an array of shape {made.shape}, not {shape}"
        )
        raise pg.ShapeError(problem, "return an array of the shape that is asked for", stage="tracing")
    return pg.astype(made, dtype)


def gated(given: str | Callable[..., Any], key: Any, shape: tuple[int, int], gates: int, dtype: Any) -> Any:
    """Weights of several gates beside one another, each drawn by itself: (inputs, gates · outputs)."""
    keys = pg.random.split(key, gates)
    return pg.concatenate([drawn_by(given, keys[gate], shape, dtype) for gate in range(gates)], 1)
