"""`linear`, `embedding`, `position_embedding`: weights that are multiplied by, or looked up; and `dropout`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .initializers import Initializer, drawn_by
from .layer import Layer, array, settings

__all__ = ["dropout", "embedding", "linear", "position_embedding"]

Draw = str | Callable[..., Any]
#: Numbers that change little of what they are added to.
SMALL = Initializer("normal", (("std", 0.02),))


@settings
@dataclass(frozen=True, repr=False)
class linear(Layer):
    """y = x W + b, along the last axis.

    Args:
        inputs: the size of the last axis of x; None: that of the shape that `init` is given.
        outputs: the size of the last axis of y.
        bias: whether there is a b.
        weight_init, bias_init: initialisers.

    Parameters: {"weight": (inputs, outputs), "bias": (outputs,)}. PyTorch's weight is the transpose of ours.

    x: (…, inputs); the result: (…, outputs).

    Raises:
        ShapeError: another last axis.

    Example:
        >>> layer = pg.nn.linear(3, 2)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.ones((5, 3))).shape
        (5, 2)
    """

    inputs: int | None
    outputs: int
    _: KW_ONLY
    bias: bool = True
    weight_init: Draw = "glorot_uniform"
    bias_init: Draw = "zeros"
    needs_key = False

    def __post_init__(self) -> None:
        self.require_sizes("inputs", "outputs")

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        return None if self.inputs is None else (self.inputs,)

    @property
    def needs_shape(self) -> bool:
        return self.inputs is None

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        sizes = (self.size_of(self.inputs, shape, -1, "inputs"), self.outputs)
        keys = pg.random.split(key)
        params = {"weight": drawn_by(self.weight_init, keys[0], sizes, dtype)}
        if self.bias:
            params["bias"] = drawn_by(self.bias_init, keys[1], sizes[1:], dtype)
        return params, ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x, weight = array(x), self.parameter(params, "weight")
        if x.ndim < 1 or x.shape[-1] != weight.shape[0]:
            self.refuse(f"x has shape {x.shape}", f"give {weight.shape[0]} features along the last axis")
        y = x @ weight
        return y + self.parameter(params, "bias") if self.bias else y


@settings
@dataclass(frozen=True, repr=False)
class embedding(Layer):
    """A vector for each of `count` integers, such as tokens.

    Args:
        count: how many integers there are, from 0.
        features: the length of a vector.
        weight_init: an initialiser.

    Parameters: {"weight": (count, features)}.

    x: integers of any shape; the result: (*shape of x, features).

    Raises:
        DTypeError: x is not of integers; IndexRangeError: `count` or more; negative ones count from the end.

    Example:
        >>> layer = pg.nn.embedding(10, 4)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.array([[1, 2, 9]])).shape
        (1, 3, 4)
    """

    count: int
    features: int
    _: KW_ONLY
    weight_init: Draw = "normal"
    needs_key = False
    needs_shape = False
    input_dtype = "int64"

    def __post_init__(self) -> None:
        self.require_sizes("count", "features")

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return {"weight": drawn_by(self.weight_init, key, (self.count, self.features), dtype)}, ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = array(x)
        if x.dtype.kind not in "iu":
            raise pg.DTypeError(f"x is of dtype {x.dtype.name}", "give integers", stage="tracing", subject=self.label)
        return pg.take(self.parameter(params, "weight"), x, 0)


@settings
@dataclass(frozen=True, repr=False)
class position_embedding(Layer):
    """x plus a vector for each step of time, so that attention can tell the steps apart.

    Args:
        count: the most steps.
        features: the size of the last axis of x; None: that of the shape that `init` is given.
        weight_init: an initialiser.

    Parameters: {"weight": (count, features)}.

    x: (batch, time, features), which is also the result's shape.

    Raises:
        ShapeError: x does not fit, or has more steps.

    Example:
        >>> layer = pg.nn.position_embedding(10, 2)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> bool(np.all(layer(params, np.zeros((1, 3, 2)))[0] == params["weight"][:3]))
        True
    """

    count: int
    features: int | None = None
    _: KW_ONLY
    weight_init: Draw = SMALL
    needs_key = False

    def __post_init__(self) -> None:
        self.require_sizes("count", "features")

    @property
    def needs_shape(self) -> bool:
        return self.features is None

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        sizes = (self.count, self.size_of(self.features, shape, -1, "features"))
        return {"weight": drawn_by(self.weight_init, key, sizes, dtype)}, ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x, weight = array(x), self.parameter(params, "weight")
        if x.ndim != 3 or x.shape[-1] != weight.shape[-1] or x.shape[1] > weight.shape[0]:
            wanted = f"give (batch, time, {weight.shape[-1]}), with {weight.shape[0]} steps of time at most"
            self.refuse(f"x has shape {x.shape}", wanted)
        return x + weight[: x.shape[1]]


@settings
@dataclass(frozen=True, repr=False)
class dropout(Layer):
    """Zero in place of each number with probability `rate`, and the others divided by 1 - rate.

    (Srivastava et al. 2014.) Without a key, x itself: dropout is for training.

    Args:
        rate: from 0 to 1.

    x: of any shape, which is the result's.

    Raises:
        DomainError: another rate.

    Example:
        >>> layer = pg.nn.dropout(0.5)
        >>> layer((), np.ones(4))
        array([1., 1., 1., 1.])
        >>> layer((), np.ones(4), key=pg.random.key(0))
        array([2., 2., 0., 0.])
    """

    rate: float
    needs_shape = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.rate <= 1.0:
            raise pg.DomainError(
                f"the rate is {self.rate!r}", "give a number from 0 to 1", stage="building", subject=self.label
            )

    @property
    def needs_key(self) -> bool:
        return self.rate > 0

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return (), ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        return dropped(array(x), self.rate, key)


def dropped(x: Any, rate: float, key: Any) -> Any:
    """`x` with some numbers zero, as `dropout` says."""
    if key is None or rate == 0:
        return x
    if rate == 1:
        return pg.zeros_like(x)
    return pg.where(pg.random.bernoulli(key, 1.0 - rate, x.shape), x * (1.0 / (1.0 - rate)), 0.0)
