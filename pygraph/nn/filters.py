"""`conv`, `conv_transpose`, `max_pool`, `avg_pool`: windows that slide over signals, images or volumes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .initializers import drawn_by
from .layer import Layer, array, settings

__all__ = ["avg_pool", "conv", "conv_transpose", "max_pool"]

Numbers = int | Sequence[int]


def _tuples(value: Any) -> Any:
    """Sequences as tuples, so that a layer hashes."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


class _Filter(Layer):
    """What convolutions and pooling share: a window, and where channels are."""

    window: Numbers
    layout: str
    needs_key = False

    def __post_init__(self) -> None:
        for name in ("window", "strides", "padding", "dilation"):
            if hasattr(self, name):
                object.__setattr__(self, name, _tuples(getattr(self, name)))
        self._require_numbers("window", "strides", "dilation")

    def _require_numbers(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name, None)
            try:
                good = value is None or min(map(operator.index, value if isinstance(value, tuple) else (value,))) > 0
            except (TypeError, ValueError):
                good = False
            if not good:
                self.refuse(f"{name} is {value!r}", "give an int of at least 1, or a tuple of them", "building")


class _Convolution(_Filter):
    inputs: int | None
    outputs: int
    groups: int = 1
    bias: bool
    weight_init: str | Callable[..., Any]
    bias_init: str | Callable[..., Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_sizes("inputs", "outputs", "groups")
        if (self.inputs or 0) % self.groups or self.outputs % self.groups:
            problem = f"{self.inputs} channels and {self.outputs} features in {self.groups} groups"
            self.refuse(problem, "give a divisor of both", "building")

    @property
    def needs_shape(self) -> bool:
        return self.inputs is None

    @property
    def _sizes(self) -> tuple[int, ...]:
        """The window along each axis; an int is that of an image."""
        return self.window if isinstance(self.window, tuple) else (self.window, self.window)

    @property
    def _is_last(self) -> bool:
        """Whether the layout has channels last."""
        return self.layout.endswith("C")

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        if shape is not None and len(shape) != len(self._sizes) + 1:
            self.refuse(f"an input of shape {shape}", f"give {self._wanted('', 'inputs')}")
        inputs = self.size_of(self.inputs, shape, -1 if self._is_last else 0, "inputs")
        if inputs % self.groups:
            self.refuse(f"{inputs} channels in {self.groups} groups", "give a divisor of the channels")
        keys = pg.random.split(key)
        sizes = (*self._sizes, inputs // self.groups, self.outputs)
        params = {"weight": drawn_by(self.weight_init, keys[0], sizes, dtype)}
        if self.bias:
            params["bias"] = drawn_by(self.bias_init, keys[1], sizes[-1:], dtype)
        return params, ()

    def _wanted(self, batch: str, channels: object) -> str:
        """The shape of inputs, for an error."""
        axes = ["depth", "height", "width"][-len(self._sizes) :] if len(self._sizes) > 1 else ["length"]
        parts = [*axes, str(channels)] if self._is_last else [str(channels), *axes]
        text = f"({', '.join([batch, *parts] if batch else parts)})"
        return text if isinstance(self.window, tuple) else f"{text}, or to the layer for signals the window (3,)"

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x, weight = array(x), self.parameter(params, "weight")
        channels = weight.shape[-2] * self.groups
        if x.ndim != weight.ndim or x.shape[-1 if self._is_last else 1] != channels:
            self.refuse(f"x has shape {x.shape}", f"give {self._wanted('n', channels)}")
        made = self._convolved(x if self._is_last else pg.moveaxis(x, 1, -1), weight)
        made = made + self.parameter(params, "bias") if self.bias else made
        return made if self._is_last else pg.moveaxis(made, -1, 1)

    def _convolved(self, x: Any, weight: Any) -> Any:
        """The convolution, with channels last."""
        raise NotImplementedError


@settings
@dataclass(frozen=True, repr=False)
class conv(_Convolution):
    """A convolution with a kernel that is learned, of one to three axes, and an addend for each feature; see `pg.conv`.

    Args:
        inputs: how many channels x has; None: those of the shape that `init` is given.
        outputs: how many features the result has.
        window: the size of the kernel: a tuple of one int for each axis, (3,) for signals, (3, 3) for images; an int
            stands for both axes of an image.
        strides, dilation: how far apart outputs, and the taps of the kernel are; an int, or one for each axis.
        padding: "VALID", "SAME", an int, or a pair of ints for each axis.
        groups: groups of channels that have their own features.
        bias: whether there is an addend.
        layout: "NHWC", channels last, or "NCHW", channels first, for any number of axes.
        weight_init, bias_init: initialisers.

    Parameters, in either layout: {"weight": (*window, inputs / groups, outputs), "bias": (outputs,)}.

    x: (n, *axes, inputs); the result: (n, *axes, outputs); or both with channels first.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> layer = pg.nn.conv(3, 8, 3, padding="SAME")
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.zeros((2, 5, 5, 3))).shape
        (2, 5, 5, 8)
    """

    inputs: int | None
    outputs: int
    window: Numbers
    _: KW_ONLY
    strides: Numbers = 1
    padding: Any = "VALID"
    dilation: Numbers = 1
    groups: int = 1
    bias: bool = True
    layout: str = "NHWC"
    weight_init: str | Callable[..., Any] = "glorot_uniform"
    bias_init: str | Callable[..., Any] = "zeros"

    def _convolved(self, x: Any, weight: Any) -> Any:
        return pg.conv(
            x, weight, self.strides, self.padding, kernel_dilation=self.dilation, feature_group_count=self.groups
        )


@settings
@dataclass(frozen=True, repr=False)
class conv_transpose(_Convolution):
    """A convolution that makes axes `strides` times longer, and an addend for each feature; see `pg.conv_transpose`.

    Args:
        inputs, outputs, window, strides, dilation, bias, layout, weight_init, bias_init: as for `conv`.
        padding: "SAME", "VALID", or pairs of ints of the axes with zeros between their elements. PyTorch's padding p is
            the pair (window - 1 - p, window - 1 - p), and its kernel lies the other way round along each axis.

    Parameters, x and result: as for `conv`.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> layer = pg.nn.conv_transpose(8, 3, 2, strides=2)
        >>> params, _ = layer.init(pg.random.key(0))
        >>> layer(params, np.zeros((2, 5, 5, 8))).shape
        (2, 10, 10, 3)
    """

    inputs: int | None
    outputs: int
    window: Numbers
    _: KW_ONLY
    strides: Numbers = 1
    padding: Any = "SAME"
    dilation: Numbers = 1
    bias: bool = True
    layout: str = "NHWC"
    weight_init: str | Callable[..., Any] = "glorot_uniform"
    bias_init: str | Callable[..., Any] = "zeros"

    def _convolved(self, x: Any, weight: Any) -> Any:
        return pg.conv_transpose(x, weight, self.strides, self.padding, self.dilation)


class _Pooling(_Filter):
    strides: Numbers | None
    padding: Any
    needs_shape = False

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return (), ()

    def _options(self, x: Any) -> tuple[Any, ...]:
        if not 3 <= x.ndim <= 5:
            self.refuse(f"x has shape {x.shape}", "give a batch, 1 to 3 axes, and channels")
        return self.window, self.window if self.strides is None else self.strides, self.padding


@settings
@dataclass(frozen=True, repr=False)
class max_pool(_Pooling):
    """The largest number of each window; see `pg.max_pool`.

    Args:
        window: its size, an int or one for each axis.
        strides: how far apart windows are; None: side by side.
        padding, layout: as for `conv`.

    x: (n, *axes, channels), with 1 to 3 axes; the result: the same with fewer elements along the axes.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> pg.nn.max_pool(2)((), np.arange(8.0).reshape(1, 8, 1)).ravel()
        array([1., 3., 5., 7.])
    """

    window: Numbers
    strides: Numbers | None = None
    _: KW_ONLY
    padding: Any = "VALID"
    layout: str = "NHWC"

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = array(x)
        return pg.max_pool(x, *self._options(x), layout=self.layout)


@settings
@dataclass(frozen=True, repr=False)
class avg_pool(_Pooling):
    """The mean of each window; see `pg.avg_pool`.

    Args:
        window, strides, padding, layout: as for `max_pool`.
        count_include_pad: whether padding counts, as zeros.

    x and result: as for `max_pool`.

    Raises:
        ShapeError: sizes that do not fit.

    Example:
        >>> pg.nn.avg_pool(2)((), np.arange(8.0).reshape(1, 8, 1)).ravel()
        array([0.5, 2.5, 4.5, 6.5])
    """

    window: Numbers
    strides: Numbers | None = None
    _: KW_ONLY
    padding: Any = "VALID"
    count_include_pad: bool = True
    layout: str = "NHWC"

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        x = array(x)
        return pg.avg_pool(x, *self._options(x), self.count_include_pad, self.layout)
