"""A case of test_against_jax.py: a function, and where it is evaluated."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["CASES", "Case", "Uniform", "add", "positive", "real", "unit"]


class Uniform:
    """An argument: an array of this shape, drawn from [low, high)."""  # no dataclass: those are containers

    def __init__(self, shape: tuple[int, ...], low: float, high: float) -> None:
        self.shape, self.low, self.high = shape, low, high


def real(*shape: int) -> Uniform:
    return Uniform(shape, -2.0, 2.0)


def positive(*shape: int) -> Uniform:
    return Uniform(shape, 0.3, 2.5)


def unit(*shape: int) -> Uniform:
    return Uniform(shape, -0.9, 0.9)


@dataclass(frozen=True)
class Case:
    """A function, and where it is evaluated: containers of `Uniform` and of arrays, one for each argument after `m`."""

    name: str
    function: Callable[..., Any]
    places: tuple[Any, ...]
    reverse: bool = True  #: whether JAX has its reverse mode

    def arguments(self, what: str) -> tuple[Any, ...]:
        """Numbers for the arguments, the same in every run; `what` they are for gives other numbers."""
        rng = np.random.default_rng(zlib.crc32(f"{self.name} {what}".encode()))

        def draw(place: Any) -> Any:
            if isinstance(place, Uniform):
                return rng.uniform(place.low, place.high, place.shape)
            return np.array(place)

        return tuple(pg.tree_map(draw, place) for place in self.places)


CASES: dict[str, Case] = {}


def add(name: str, function: Callable[..., Any], *places: Any, reverse: bool = True) -> None:
    assert name not in CASES, f"two cases are called {name}"
    CASES[name] = Case(name, function, places, reverse)
