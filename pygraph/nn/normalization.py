"""`batch_norm`, `layer_norm`, `group_norm`: inputs moved and scaled to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np

import pygraph as pg

from .layer import Layer, array, settings
from .running import Running

__all__ = ["batch_norm", "group_norm", "layer_norm"]

Shape: TypeAlias = "tuple[int, ...] | None"


def _moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """x without its mean over some axes, and the variance there: the mean of the squares of that."""
    centred = x - pg.mean(x, axes, keepdims=True)
    return centred, pg.mean(centred * centred, axes, keepdims=True)


def _floating(layer: Layer, x: Any) -> Any:
    x = array(x)
    if x.dtype.kind != "f":
        problem = f"x is of dtype {x.dtype.name}"
        raise pg.DTypeError(problem, "give floating numbers", stage="tracing", subject=layer.label)
    return x


class _Norm(Layer):
    """What the three share: a factor and an addend for each feature, or neither."""

    scale: bool
    bias: bool
    needs_key = False

    def _new(self, shape: tuple[int, ...], dtype: Any) -> dict[str, Any]:
        params = {"scale": np.ones(shape, dtype)} if self.scale else {}
        return params | ({"bias": np.zeros(shape, dtype)} if self.bias else {})

    def _affine(self, params: Any, x: Any, shape: tuple[int, ...]) -> Any:
        if self.scale:
            x = x * pg.reshape(self.parameter(params, "scale"), shape)
        return x + pg.reshape(self.parameter(params, "bias"), shape) if self.bias else x

    def _features(self, given: int | None, shape: Shape, axis: int) -> int:
        """How many features there are along an axis of a batch."""
        return self.size_of(given, shape, axis - 1 if axis > 0 else axis, "features")

    def _channel_axis(self, x: Any, axis: int, features: int | None) -> int:
        """The axis as a number from 1 on; the features along it are those that the layer has."""
        found = axis % x.ndim if x.ndim and -x.ndim <= axis < x.ndim else 0
        if not found:
            self.refuse(f"x has shape {x.shape}, and axis is {axis}", "give a batch of inputs with such an axis behind")
        if features is not None and x.shape[found] != features:
            self.refuse(f"x has shape {x.shape}", f"give {features} features along axis {axis}")
        return found


@settings
@dataclass(frozen=True, repr=False)
class batch_norm(_Norm):
    """(x - mean) / √(variance + epsilon) · scale + bias for each feature, over the batch and all other axes.

    With a `pg.nn.Running` as state, mean and variance are those of the batch, and the running ones take a step towards
    them: new = (1 - momentum) old + momentum · batch, with the unbiased variance, as PyTorch has both. With a plain
    state they are the running ones (Ioffe & Szegedy 2015, arXiv:1502.03167).

    Args:
        features: the size of the axis; None: that of the shape that `init` is given.
        momentum: the weight of the batch in the running statistics; Keras and Flax call 1 - momentum so.
        epsilon: added to the variance.
        scale, bias: whether there are these parameters.
        axis: that of the features, in a batch: -1, or 1 where channels come first.

    Parameters: {"scale": (features,), "bias": (features,)}. State: {"mean": (features,), "variance": (features,)}.

    x: (n, …, features), which is also the result's shape; float32 or float64.

    Raises:
        ShapeError: x does not fit, or a batch has a single number for each feature; SignatureError: there is no state.

    Example:
        >>> layer = pg.nn.batch_norm(2)
        >>> params, state = layer.init(pg.random.key(0))
        >>> running = pg.nn.Running(state)
        >>> layer(params, np.array([[1.0, 2.0], [3.0, 2.0]]), state=running).round(3)
        array([[-1.,  0.],
               [ 1.,  0.]])
        >>> running.value["mean"]
        array([0.2, 0.2])
    """

    features: int | None = None
    _: KW_ONLY
    momentum: float = 0.1
    epsilon: float = 1e-5
    scale: bool = True
    bias: bool = True
    axis: int = -1

    def __post_init__(self) -> None:
        self.require_sizes("features")

    @property
    def needs_shape(self) -> bool:
        return self.features is None

    def create(self, key: Any, shape: Shape, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        size = (self._features(self.features, shape, self.axis),)
        return self._new(size, dtype), {"mean": np.zeros(size, dtype), "variance": np.ones(size, dtype)}

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = _floating(self, x)
        old = state.value if isinstance(state, Running) else state
        if not isinstance(old, dict) or set(old) != {"mean", "variance"}:
            raise pg.SignatureError(
                "there are no running statistics",
                "give state=state to use them, or state=pg.nn.Running(state) to train with those of the batch",
                stage="tracing",
                subject=self.label,
            )
        axis = self._channel_axis(x, self.axis, old["mean"].shape[0])
        shape = tuple(size if at == axis else 1 for at, size in enumerate(x.shape))
        if isinstance(state, Running):
            centred, variance = self._of_batch(x, axis, state)
        else:
            centred, variance = x - pg.reshape(old["mean"], shape), pg.reshape(old["variance"], shape)
        return self._affine(params, centred * (1.0 / pg.sqrt(variance + self.epsilon)), shape)

    def _of_batch(self, x: Any, axis: int, state: Running) -> tuple[Any, Any]:
        """x without the batch's mean, and the batch's variance; the running statistics take their step."""
        axes = tuple(at for at in range(x.ndim) if at != axis)
        count = prod(x.shape[at] for at in axes)
        if count < 2:
            self.refuse(
                f"a batch of shape {x.shape} has {count} numbers for each feature",
                "give two or more; in pg.fit drop_last=True leaves out a smaller last batch",
            )
        mean = pg.mean(x, axes, keepdims=True)
        centred = x - mean
        variance = pg.mean(centred * centred, axes, keepdims=True)
        old, new = state.value, {"mean": mean, "variance": variance * (count / (count - 1))}
        state.value = {
            name: pg.astype(
                (1.0 - self.momentum) * old[name]
                + self.momentum * pg.stop_gradient(pg.reshape(new[name], old[name].shape)),
                old[name].dtype,
            )
            for name in old
        }
        return centred, variance


@settings
@dataclass(frozen=True, repr=False)
class layer_norm(_Norm):
    """(x - mean) / √(variance + epsilon) · scale + bias, with the moments of the last axis, or axes, of each input.

    (Ba et al. 2016, arXiv:1607.06450.)

    Args:
        features: the size of the last axis, or a tuple of those of several; None: the last of the shape that `init`
            is given.
        epsilon: added to the variance.
        scale, bias: whether there are these parameters.

    Parameters: {"scale": features, "bias": features}.

    x: (…, *features), which is also the result's shape; float32 or float64.

    Raises:
        ShapeError: x does not fit.

    Example:
        >>> layer = pg.nn.layer_norm(2)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.array([[1.0, 3.0], [5.0, 5.0]])).round(3)
        array([[-1.,  1.],
               [ 0.,  0.]])
    """

    features: int | Sequence[int] | None = None
    _: KW_ONLY
    epsilon: float = 1e-5
    scale: bool = True
    bias: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.features, Sequence):
            self.require_sizes("features")
            return
        if not self.features or min(self.features) < 1:
            self.refuse(f"features is {self.features!r}", "give an int, or a tuple of them, of at least 1", "building")
        object.__setattr__(self, "features", tuple(self.features))

    @property
    def needs_shape(self) -> bool:
        return self.features is None

    def create(self, key: Any, shape: Shape, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        given = self.features
        if isinstance(given, tuple):
            if shape is not None and shape[-len(given) :] != given:
                self.refuse(f"an input has shape {shape}", f"give one that ends with {given}")
            return self._new(given, dtype), ()
        assert not isinstance(given, Sequence)
        return self._new((self.size_of(given, shape, -1, "features"),), dtype), ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = _floating(self, x)
        own = pg.tree_leaves(params)
        given = self.features
        sizes = given if isinstance(given, tuple) else (given or x.shape[-1],) if x.ndim else (1,)
        sizes = tuple(own[0].shape) if own else sizes
        if x.shape[max(x.ndim - len(sizes), 0) :] != sizes:
            self.refuse(f"x has shape {x.shape}", f"give a batch of inputs that end with {sizes}")
        centred, variance = _moments(x, tuple(range(-len(sizes), 0)))
        return self._affine(params, centred * (1.0 / pg.sqrt(variance + self.epsilon)), sizes)


@settings
@dataclass(frozen=True, repr=False)
class group_norm(_Norm):
    """(x - mean) / √(variance + epsilon) · scale + bias, with the moments of a group of features over all other axes.

    (Wu & He 2018, arXiv:1803.08494.) As many groups as features: instance normalisation.

    Args:
        groups: how many groups of equally many features.
        features, epsilon, scale, bias, axis: as for `batch_norm`.

    Parameters: {"scale": (features,), "bias": (features,)}.

    x: (n, …, features), which is also the result's shape; float32 or float64.

    Raises:
        ShapeError: x does not fit, or features that do not make groups.

    Example:
        >>> layer = pg.nn.group_norm(2, 4)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.array([[1.0, 3.0, 5.0, 5.0]])).round(3)
        array([[-1.,  1.,  0.,  0.]])
    """

    groups: int
    features: int | None = None
    _: KW_ONLY
    epsilon: float = 1e-5
    scale: bool = True
    bias: bool = True
    axis: int = -1

    def __post_init__(self) -> None:
        self.require_sizes("groups", "features")
        if self.features is not None and self.features % self.groups:
            problem = f"{self.features} features in {self.groups} groups"
            self.refuse(problem, "give a divisor of the features", "building")

    @property
    def needs_shape(self) -> bool:
        return self.features is None

    def create(self, key: Any, shape: Shape, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return self._new((self._features(self.features, shape, self.axis),), dtype), ()

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = _floating(self, x)
        own = pg.tree_leaves(params)
        axis = self._channel_axis(x, self.axis, own[0].shape[0] if own else self.features)
        size = x.shape[axis]
        if size % self.groups:
            self.refuse(f"{size} features in {self.groups} groups", "give a divisor of the features")
        split = pg.reshape(x, (*x.shape[:axis], self.groups, size // self.groups, *x.shape[axis + 1 :]))
        centred, variance = _moments(split, tuple(at for at in range(1, split.ndim) if at != axis))
        made = pg.reshape(centred * (1.0 / pg.sqrt(variance + self.epsilon)), x.shape)
        return self._affine(params, made, tuple(size if at == axis else 1 for at in range(x.ndim)))
