"""`Layer`: what all layers are, an immutable object that makes parameters and is called with them and an input."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import numpy as np

import pygraph as pg

from .call_record import LayerCall, RecordsCalls, Watched, sizes
from .summary import summary

__all__ = ["Layer", "array", "settings"]

C = TypeVar("C", bound=type)


class Layer(RecordsCalls, ABC):
    """A part of a model: `init` makes its parameters and state, a call applies it. Layers are immutable and pickle.

    A layer of your own is a class with `create` and `apply`. Parameters and state are containers of arrays, kept by the
    caller; the layer itself has its settings alone. `print(layer)` shows a table of it, as `pg.nn.summary`.

    Example:
        >>> class scale(pg.nn.Layer):
        ...     def create(self, key, shape, dtype):
        ...         return {"factor": np.ones(shape[-1], dtype)}, ()
        ...     def apply(self, params, x, *, state=(), key=None):
        ...         return x * params["factor"]
        >>> params, state = scale().init(pg.random.key(0), (2,))
        >>> scale()(params, np.array([[3.0, 4.0]]))
        array([[3., 4.]])
    """

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """The shape of one input, without the batch axis, where the settings say it; else None."""
        return None

    @property
    def input_dtype(self) -> str | None:
        """The dtype of inputs, where it is not that of the parameters."""
        return None

    @property
    def needs_shape(self) -> bool:
        """Whether `init` has to be given the shape of an input."""
        return True

    @property
    def needs_key(self) -> bool:
        """Whether a call makes use of a key."""
        return True

    @property
    def inner_layers(self) -> Sequence[Any]:
        """The layers of which this one is made, to which it passes its state, or parts of it."""
        return ()

    @property
    def inner_names(self) -> Sequence[str]:
        """What tables call these layers, where that is more than what they are; "" where it is not."""
        return [""] * len(self.inner_layers)

    def init(self, key: Any, shape: Any = None, *, dtype: Any = "float64") -> tuple[Any, Any]:
        """New parameters and state, on arrays or, to compile or batch it, in a trace.

        Args:
            key: a key of `pg.random`; equal keys make equal parameters.
            shape: of one input, without the batch axis; needed where the layer's settings don't say its size.
            dtype: of the parameters and the state, float64 or float32.

        Returns:
            (parameters, state), containers of arrays; a layer without state has ().

        Raises:
            ShapeError: no shape where one is needed, or one that does not fit; DTypeError: what is no key or no
            floating dtype.
        """
        try:
            wanted = np.dtype(dtype)
            if wanted not in (np.float64, np.float32):
                raise pg.DTypeError(f"parameters of dtype {wanted.name}", "give float64 or float32", stage="tracing")
            return self.create(key, None if shape is None else _checked(shape), wanted)
        except pg.GraphError as error:
            self._name(error)
            raise

    def __call__(self, params: Any, x: Any, *, state: Any = (), key: Any = None, **options: Any) -> Any:
        """The layer's result for a batch of inputs.

        Args:
            params: parameters, as `init` made them.
            x: the inputs, with the batch as the first axis.
            state: running statistics; `pg.nn.Running(state)` in training.
            key: a key, to have random numbers drawn as in training (dropout); None for none.
            options: what the layer takes beside these, such as a mask.
        """
        made = None
        if isinstance(state, Watched):
            made = LayerCall(self.label, None, *sizes(params))
            state.calls.append(made)
            state = Watched(state.state, made.inner) if self.inner_layers else state.state
        try:
            result = self.apply(params, x, state=state, key=key, **options)
        except pg.GraphError as error:
            self._name(error)
            raise
        if made is not None:
            made.shape = result.shape if hasattr(result, "shape") else None
        return result

    @abstractmethod
    def create(self, key: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        """(parameters, state); what `init` does, with its arguments checked."""

    @abstractmethod
    def apply(self, params: Any, x: Any, *, state: Any, key: Any) -> Any:
        """The result; what a call does."""

    @property
    def label(self) -> str:
        """The layer in one line: with its settings, or the name alone where it is made of others."""
        return type(self).__name__ if self.inner_layers else repr(self)

    def __repr__(self) -> str:
        """The layer as it is written: settings that are not the usual ones."""
        parts: list[str] = []
        skipped = False
        for field in fields(self) if hasattr(self, "__dataclass_fields__") else ():  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.default is not MISSING and value == field.default:
                skipped = True
            elif skipped or field.kw_only:
                parts.append(f"{field.name}={_text(value)}")
            else:
                parts.append(_text(value))
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        return str(summary(self))

    def refuse(self, problem: str, advice: str, stage: str = "tracing") -> NoReturn:
        """Raise a `ShapeError` about this layer."""
        raise pg.ShapeError(problem, advice, stage=stage, subject=self.label)

    def require_sizes(self, *names: str, least: int = 1) -> None:
        """Raise unless these settings are ints of at least `least`, or None."""
        for name in names:
            value = getattr(self, name)
            if value is None:
                continue
            try:
                good = not isinstance(value, bool) and operator.index(value) >= least
            except TypeError:
                good = False
            if not good:
                self.refuse(f"{name} is {value!r}", f"give an int of at least {least}", "building")

    def require_axes(self, x: Any, least: int, what: str, most: int | None = None) -> None:
        """Raise unless `x` has `least` axes, or up to `most`."""
        if not least <= x.ndim <= (least if most is None else most):
            self.refuse(f"x has shape {x.shape}", f"give {what}")

    def size_of(self, given: int | None, shape: tuple[int, ...] | None, axis: int, name: str) -> int:
        """A size that a setting gives, or else the shape of an input (`axis` of that, without the batch)."""
        if given is None and (shape is None or not -len(shape) <= axis < len(shape)):
            problem = f"{name} is not given" if shape is None else f"an input of shape {shape} does not say {name}"
            self.refuse(problem, f"say {name} in the layer, or give the shape of one input: init(key, shape)")
        if shape is None:
            assert given is not None
            return given
        if given is not None and -len(shape) <= axis < len(shape) and shape[axis] != given:
            self.refuse(f"an input of shape {shape}, and {name} is {given}", f"give {name} = {shape[axis]}, or None")
        return given if given is not None else shape[axis]

    def parameter(self, params: Any, name: str) -> Any:
        """One of the parameters."""
        if not isinstance(params, dict) or name not in params:
            raise pg.SignatureError(
                f"there is no parameter {name!r} in {pg.tree_map(lambda _: '*', params)!r}",
                "give the parameters that init of this layer made",
                stage="tracing",
                subject=self.label,
            )
        return params[name]

    def _name(self, error: pg.GraphError) -> None:
        """Say in an error that it is about this layer, with what is known of the place inside it."""
        error.stage = error.stage or "tracing"
        if not error.subject.startswith(self.label):
            error.subject = f"{self.label}, {error.subject}" if error.subject else self.label


def settings(kind: C) -> C:
    """A dataclass of settings: no arrays, so that a layer may be an argument of a function that is compiled."""
    for field in fields(kind):
        field.metadata = MappingProxyType({**field.metadata, "static": True})
    return kind


def array(x: Any) -> Any:
    """What is given as an input, as an expression or an array."""
    return x if isinstance(x, pg.Node) else np.asarray(x)


def _text(value: Any) -> str:
    return str(getattr(value, "__name__", value)) if callable(value) and not isinstance(value, Layer) else repr(value)


def _checked(shape: Any) -> tuple[int, ...]:
    try:
        found = tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))
    except TypeError as error:
        raise pg.ShapeError(
            f"the shape {shape!r}", "give a tuple of ints, without the batch", stage="tracing"
        ) from error
    if min(found, default=0) < 0:
        raise pg.ShapeError(f"the shape {shape!r} has a negative size", "give sizes of 0 or more", stage="tracing")
    return found
