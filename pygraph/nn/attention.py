"""`multi_head_attention`, and `attention` itself: means of values, weighted by how well keys match a query."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .dense import dropped
from .initializers import drawn_by
from .layer import Layer, array, settings

__all__ = ["attention", "multi_head_attention"]


def attention(
    query: Any,
    key: Any,
    value: Any,
    *,
    mask: Any = None,
    causal: bool = False,
    weigh: Callable[[Any], Any] | None = None,
) -> Any:
    """softmax(query keyᵀ / √d) value, over the last two axes (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        query: (…, q, d).
        key: (…, k, d).
        value: (…, k, m).
        mask: bools that broadcast to (…, q, k): whether a query may attend to a key. A query that may attend to none
            gets zeros.
        causal: whether query i may attend to keys 0 … i alone.
        weigh: a function that the weights (…, q, k) go through, such as dropout.

    Returns:
        (…, q, m).

    Raises:
        ShapeError: shapes that do not fit; DTypeError: a mask that is not of bools.

    Example:
        >>> pg.nn.attention(np.zeros((2, 1)), np.zeros((2, 1)), np.array([[1.0], [3.0]]), causal=True)
        array([[1.],
               [2.]])
    """
    query, key, value = array(query), array(key), array(value)
    fits = min(query.ndim, key.ndim, value.ndim) >= 2
    if not fits or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        problem = f"query, key and value have shapes {query.shape}, {key.shape} and {value.shape}"
        raise pg.ShapeError(problem, "give (…, q, d), (…, k, d) and (…, k, m)", stage="tracing", subject="attention")
    scores = (query * (1.0 / math.sqrt(max(query.shape[-1], 1)))) @ pg.swapaxes(key, -1, -2)
    if mask is not None:
        mask = _checked(array(mask), scores.shape)
    if causal:
        lower = np.tril(np.ones(scores.shape[-2:], np.bool_))
        mask = lower if mask is None else pg.logical_and(mask, lower)
    if mask is None:
        weights = pg.softmax(scores)
    else:
        some = pg.any(mask, -1, keepdims=True)
        scores = pg.where(pg.logical_or(mask, pg.logical_not(some)), scores, -np.inf)
        weights = pg.where(some, pg.softmax(scores), 0.0)
    return (weights if weigh is None else weigh(weights)) @ value


def _checked(mask: Any, shape: tuple[int, ...]) -> Any:
    """A mask that fits scores of this shape."""
    if mask.dtype != np.bool_:
        advice = "give bools, True where a query may attend to a key"
        raise pg.DTypeError(f"the mask is of dtype {mask.dtype.name}", advice, stage="tracing", subject="attention")
    fits = all(m in (1, s) for m, s in zip(mask.shape[::-1], shape[::-1], strict=False))
    if mask.ndim > len(shape) or not fits:
        problem = f"a mask of shape {mask.shape} for scores of shape {shape}"
        raise pg.ShapeError(problem, "give one that broadcasts to that", stage="tracing", subject="attention")
    return mask


@settings
@dataclass(frozen=True, repr=False)
class multi_head_attention(Layer):
    """Attention of several heads, each to its own projections of queries, keys and values (Vaswani et al. 2017).

    Args:
        features: the size of the last axis of x, and of the result.
        heads: how many heads; a divisor of `features`.
        memory_features: the size of the last axis of `memory`, where that is another.
        causal: whether step i attends to steps 0 … i alone.
        dropout: the rate at which weights are dropped where a call has a key.
        bias: whether projections have an addend.
        weight_init, bias_init: initialisers.

    Parameters: "query", "key", "value", "output", each {"weight": (inputs, features), "bias": (features,)}.

    x: (batch, time, features), which is also the result's shape. A call takes `memory=`, (batch, steps,
    memory_features), to attend to that in place of x itself, and `mask=`, bools of shape (time, steps), (batch, time,
    steps) or (batch, heads, time, steps), with sizes that broadcast: whether a step may attend to another. (PyTorch's
    mask says whether it may not.) A step that may attend to none gets the addend of "output" alone.

    Raises:
        ShapeError: sizes that do not fit; DTypeError: a mask that is not of bools.

    Example:
        >>> layer = pg.nn.multi_head_attention(8, 2, causal=True)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.ones((3, 5, 8))).shape
        (3, 5, 8)
    """

    features: int
    heads: int
    _: KW_ONLY
    memory_features: int | None = None
    causal: bool = False
    dropout: float = 0.0
    bias: bool = True
    weight_init: str | Callable[..., Any] = "glorot_uniform"
    bias_init: str | Callable[..., Any] = "zeros"
    needs_shape = False

    def __post_init__(self) -> None:
        self.require_sizes("features", "heads", "memory_features")
        if self.features % self.heads:
            problem = f"{self.features} features for {self.heads} heads"
            self.refuse(problem, "give a divisor of the features", "building")
        if not 0.0 <= self.dropout <= 1.0:
            problem = f"dropout is {self.dropout!r}"
            raise pg.DomainError(problem, "give a number from 0 to 1", stage="building", subject=self.label)

    @property
    def needs_key(self) -> bool:
        return self.dropout > 0

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        if shape is not None:
            self.size_of(self.features, shape, -1, "features")
        memory = self.features if self.memory_features is None else self.memory_features
        inputs = {"query": self.features, "key": memory, "value": memory, "output": self.features}
        keys, params = pg.random.split(key, 8), {}
        for at, (name, size) in enumerate(inputs.items()):
            made = {"weight": drawn_by(self.weight_init, keys[2 * at], (size, self.features), dtype)}
            if self.bias:
                made["bias"] = drawn_by(self.bias_init, keys[2 * at + 1], (self.features,), dtype)
            params[name] = made
        return params, ()

    def apply(
        self, params: Any, x: Any, *, state: Any = (), key: Any = None, memory: Any = None, mask: Any = None
    ) -> Any:
        x = array(x)
        memory = x if memory is None else array(memory)
        wanted = self.features if self.memory_features is None else self.memory_features
        for name, given, size in (("x", x, self.features), ("memory", memory, wanted)):
            if given.ndim != 3 or given.shape[-1] != size or given.shape[0] != x.shape[0]:
                self.refuse(f"{name} has shape {given.shape}", f"give (batch, time, {size})")
        if mask is not None:
            mask = array(mask)
            if mask.ndim not in (2, 3, 4):
                self.refuse(
                    f"mask has shape {mask.shape}", "give (time, steps), (batch, time, steps), or all four axes"
                )
            mask = mask[:, None] if mask.ndim == 3 else mask
        query = self._split(self._projected(params, "query", x))
        keys, values = (self._split(self._projected(params, name, memory)) for name in ("key", "value"))
        mixed = attention(
            query, keys, values, mask=mask, causal=self.causal, weigh=lambda w: dropped(w, self.dropout, key)
        )
        return self._projected(params, "output", pg.reshape(pg.swapaxes(mixed, 1, 2), x.shape))

    def _projected(self, params: Any, name: str, x: Any) -> Any:
        own = self.parameter(params, name)
        made = x @ self.parameter(own, "weight")
        return made + self.parameter(own, "bias") if self.bias else made

    def _split(self, x: Any) -> Any:
        """(batch, time, features) → (batch, heads, time, features of a head)."""
        return pg.swapaxes(pg.reshape(x, (*x.shape[:2], self.heads, self.features // self.heads)), 1, 2)
