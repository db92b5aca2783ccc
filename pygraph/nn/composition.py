"""`sequential` and `residual`: layers, and functions of one array, made into one layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import pygraph as pg

from .call_record import LayerCall, Watched, sizes
from .layer import Layer, array, settings
from .running import contents, is_empty, part

__all__ = ["residual", "sequential"]


def _has_init(layer: Any) -> bool:
    """Whether it is a layer, and no plain function."""
    return hasattr(layer, "init")


def _flag(layer: Any, name: str) -> bool:
    """What a layer says of itself; of one that is no `Layer` and does not say it, the safe answer."""
    return _has_init(layer) and bool(getattr(layer, name, True))


def _called(layer: Any, params: Any, x: Any, state: Any, key: Any) -> Any:
    if isinstance(layer, Layer):
        return layer(params, x, state=state, key=key)
    own = state.state if isinstance(state, Watched) else state
    result = layer(params, x, state=own, key=key) if _has_init(layer) else layer(x)
    if isinstance(state, Watched):
        name = type(layer).__name__ if _has_init(layer) else _written(layer)
        state.calls.append(LayerCall(name, result.shape if hasattr(result, "shape") else None, *sizes(params)))
    return result


def _after(layer: Any, params: Any, state: Any, shape: tuple[int, ...], dtype: Any) -> tuple[tuple[int, ...], Any]:
    """The shape of one result of a layer, without the batch axis, and its dtype."""
    types = [pg.tree_map(lambda x: pg.spec(np.shape(x), x.dtype), tree) for tree in (params, state)]
    graph = pg.trace(lambda p, s, x: _called(layer, p, x, s, None), *types, pg.spec((1, *shape), dtype))
    if len(graph.outputs) != 1:
        problem = f"a layer returns {len(graph.outputs)} arrays"
        raise pg.ShapeError(problem, "layers that follow one another return one", stage="tracing")
    result = graph.outputs[0]
    return result.shape[1:], result.dtype


class _Composite(Layer):
    """What both share: layers by their places, each with its part of parameters, state and key."""

    layers: tuple[Any, ...]

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        return getattr(self.layers[0], "input_shape", None) if self.layers else None

    @property
    def input_dtype(self) -> str | None:
        return getattr(self.layers[0], "input_dtype", None) if self.layers else None

    @property
    def needs_shape(self) -> bool:
        return any(_flag(layer, "needs_shape") for layer in self.inner_layers)

    @property
    def needs_key(self) -> bool:
        return any(_flag(layer, "needs_key") for layer in self.inner_layers)

    @property
    def inner_layers(self) -> Sequence[Any]:
        return self.layers

    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        count, whole = len(self.layers), shape is not None
        shape = self.input_shape if shape is None else shape
        made = self._created(range(count), key, shape, dtype, whole)
        made += self._created(range(count, len(self.inner_layers)), key, shape, dtype, whole)
        states = tuple(state for _, state in made)
        return tuple(params for params, _ in made), () if is_empty(states) else states

    def _created(
        self, places: Sequence[int], key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any], whole: bool
    ) -> list[tuple[Any, Any]]:
        """Parameters and state of each of some layers that follow one another.

        The shapes between them are worked out as far as a layer needs them, or with `whole` all of them.
        """
        made: list[tuple[Any, Any]] = []
        needing = max((at for at in places if _flag(self.inner_layers[at], "needs_shape")), default=0)
        types: Any = np.dtype(self.input_dtype) if self.input_dtype else dtype
        for at in places:
            layer, own = self.inner_layers[at], ((), ())
            try:
                if _has_init(layer):
                    own = layer.init(pg.random.fold_in(key, at), shape, dtype=dtype)
                if shape is not None and (whole or at < needing):
                    shape, types = _after(layer, *own, shape, types)
                else:
                    shape = None
            except pg.GraphError as error:
                _place(error, at)
                raise
            made.append(own)
        return made

    def _check(self, params: Any, state: Any) -> None:
        """Raise unless there are parameters, and state where there is any, for each of the layers."""
        count = len(self.inner_layers)
        for name, given in (("parameters", params), ("states", contents(state))):
            if name == "states" and is_empty(given):
                continue
            if not isinstance(given, list | tuple) or len(given) != count:
                found = len(given) if isinstance(given, list | tuple) else f"a {type(given).__name__}"
                raise pg.SignatureError(
                    f"there are {count} layers, and {name} for {found}",
                    "give what init of this layer made",
                    stage="tracing",
                    subject=self.label,
                )

    def _run(self, places: Sequence[int], params: Any, x: Any, state: Any, key: Any) -> Any:
        """The result of some of the layers, one after another."""
        for at in places:
            layer = self.inner_layers[at]
            try:
                own = pg.random.fold_in(key, at) if key is not None and _flag(layer, "needs_key") else None
                x = _called(layer, params[at], x, part(state, at), own)
                if isinstance(state, Watched):
                    state.calls[-1].name = self.inner_names[at] + state.calls[-1].name
            except pg.GraphError as error:
                _place(error, at)
                raise
        return x


def _place(error: pg.GraphError, at: int) -> None:
    """Say in an error that it is about a layer of several."""
    error.subject = f"layer {at}, {error.subject}" if error.subject else f"layer {at}"


@settings
@dataclass(frozen=True, repr=False, init=False)
class sequential(_Composite):
    """Layers one after another: each gets what the one before it returns.

    Args:
        layers: layers, and functions of one array such as `pg.nn.relu`, `pg.tanh` or `pg.nn.flatten`.

    Parameters: a tuple of those of the layers, () for a function. State: such a tuple, or () where no layer has any.
    Sizes that layers leave out follow from the shape given to `init`; where it is not given, and the first layer is
    `linear` and says its `inputs`, from that. Each layer has a key of its own.

    Raises:
        ShapeError: a layer gets what does not fit it; the text says which. DTypeError: what is no layer.

    Example:
        >>> model = pg.nn.sequential(pg.nn.conv(1, 4, 3), pg.nn.relu, pg.nn.flatten, pg.nn.linear(None, 10))
        >>> params, state = model.init(pg.random.key(0), (8, 8, 1))
        >>> model(params, np.zeros((5, 8, 8, 1))).shape
        (5, 10)
    """

    layers: tuple[Any, ...]

    def __init__(self, *layers: Any) -> None:
        _require_layers(type(self).__name__, layers)
        object.__setattr__(self, "layers", layers)

    def __repr__(self) -> str:
        return f"sequential({', '.join(map(_written, self.layers))})"

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        self._check(params, state)
        return self._run(range(len(self.layers)), params, x, state, key)


@settings
@dataclass(frozen=True, repr=False, init=False)
class residual(_Composite):
    """x + y, where y is what layers one after another make of x (He et al. 2016, arXiv:1512.03385).

    Args:
        layers: as for `sequential`; their result has the shape of x.
        shortcut: a layer whose result takes the place of x, such as a convolution of another number of features.

    Parameters and state: as for `sequential`, with those of the shortcut last, where there is one.

    Raises:
        ShapeError: the two have different shapes, or a layer gets what does not fit it.

    Example:
        >>> block = pg.nn.residual(pg.nn.layer_norm(4), pg.nn.linear(4, 4), pg.nn.relu)
        >>> params, state = block.init(pg.random.key(0))
        >>> block(params, np.ones((2, 4)))
        array([[1., 1., 1., 1.],
               [1., 1., 1., 1.]])
    """

    layers: tuple[Any, ...]
    shortcut: Any = None

    def __init__(self, *layers: Any, shortcut: Any = None) -> None:
        _require_layers(type(self).__name__, layers if shortcut is None else (*layers, shortcut))
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "shortcut", shortcut)

    @property
    def inner_layers(self) -> Sequence[Any]:
        return self.layers if self.shortcut is None else (*self.layers, self.shortcut)

    @property
    def inner_names(self) -> Sequence[str]:
        return [*([""] * len(self.layers)), "shortcut: "][: len(self.inner_layers)]

    def __repr__(self) -> str:
        parts = list(map(_written, self.layers))
        return f"residual({', '.join(parts if self.shortcut is None else [*parts, f'shortcut={self.shortcut!r}'])})"

    def apply(self, params: Any, x: Any, *, state: Any = (), key: Any = None) -> Any:
        self._check(params, state)
        x, count = array(x), len(self.layers)
        made = self._run(range(count), params, x, state, key)
        beside = self._run(range(count, len(self.inner_layers)), params, x, state, key)
        if made.shape != beside.shape:
            problem = f"the layers return shape {made.shape}, and beside them is {beside.shape}"
            self.refuse(problem, "give layers that keep the shape, or shortcut= one that makes the same change")
        return beside + made


def _written(layer: Any) -> str:
    return repr(layer) if _has_init(layer) else getattr(layer, "__name__", repr(layer))


def _require_layers(name: str, layers: Sequence[Any]) -> None:
    for at, layer in enumerate(layers):
        if not callable(layer) or isinstance(layer, type):
            raise pg.DTypeError(
                f"layer {at} is {layer!r}", "give layers, and functions of one array", stage="building", subject=name
            )
