"""Gradients kept within limits: `clip_by_value` and `clip_by_norm`, functions of gradients; `global_norm`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pygraph as pg

from .parameters import cast, checked_params, dot, placed
from .settings import POSITIVE, Settings


@dataclass(frozen=True)
class clip_by_value(Settings):
    """Gradients with each element within −limit and limit.

    Called with gradients it returns others like them; in `pg.optim.chain` it comes before the optimiser. nan stays.

    Args:
        limit: above 0.

    Raises:
        DomainError, SignatureError: of a limit that is not positive, or no number.

    Example:
        >>> pg.optim.clip_by_value(1.0)({"w": np.array([-3.0, 0.5])})
        {'w': array([-1. ,  0.5])}
    """

    limit: float = field(metadata=POSITIVE)

    def __call__(self, grads: Any) -> Any:
        return _within(grads, self.limit)


@dataclass(frozen=True)
class clip_by_norm(Settings):
    """Gradients made smaller together, so that their Euclidean norm, over all arrays, is at most `limit`.

    Called with gradients it returns others like them; in `pg.optim.chain` it comes before the optimiser. Gradients
    within the limit stay as they are to the last bit. Where the norm is inf or nan all elements become nan, so that no
    step goes unnoticed.

    Args:
        limit: above 0.

    Raises:
        DomainError, SignatureError: of a limit that is not positive, or no number.

    Example:
        >>> pg.optim.clip_by_norm(1.0)({"w": np.array([3.0, 0.0]), "b": np.array(4.0)})
        {'b': np.float64(0.8), 'w': array([0.6, 0. ])}
    """

    limit: float = field(metadata=POSITIVE)

    def __call__(self, grads: Any) -> Any:
        return _of_norm(grads, self.limit)


def global_norm(tree: Any) -> Any:
    """The Euclidean norm of all elements of all arrays in a container, computed in float64.

    Args:
        tree: a nested container of floating arrays.

    Returns:
        A scalar, float64.

    Raises:
        DTypeError: an array is not floating.

    Example:
        >>> pg.optim.global_norm({"w": np.array([3.0, 0.0]), "b": np.array(4.0)})
        np.float64(5.0)
    """
    return _norm(tree)


@pg.compile
def _norm(tree: Any) -> Any:
    leaves = checked_params(tree, "global_norm")
    return np.sqrt(dot(leaves, leaves))


@pg.compile
def _within(grads: Any, limit: Any) -> Any:
    leaves = checked_params(grads, "clip_by_value")
    return placed((np.clip(g, -cast(limit, g), cast(limit, g)) for g in leaves), grads)


@pg.compile
def _of_norm(grads: Any, limit: Any) -> Any:
    leaves = checked_params(grads, "clip_by_norm")
    norm = np.sqrt(dot(leaves, leaves))
    scale = np.where(norm < np.inf, limit / np.maximum(norm, limit), np.nan)
    return placed((g * cast(scale, g) for g in leaves), grads)
