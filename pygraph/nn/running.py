"""`Running`: statistics that a model replaces while it is trained, threaded through its calls."""

from __future__ import annotations

import dataclasses
from typing import Any

import pygraph as pg

from .call_record import Watched

__all__ = ["Running", "contents", "is_empty", "part"]


class Running:
    """A model's state for one call in training: layers use statistics of the batch, and record new running ones here.

    A plain container as `state` means evaluation: running statistics are used, and stay as they are. Make a `Running`
    inside of the function that is differentiated, batched or scanned, and return its `value` from there.

    Args:
        value: the state, as `init` made it or as an earlier `value`.

    Attributes:
        value: the state so far; after the call the new one, a container of the same form, shapes and dtypes.

    `running[place]` is the part of a state of several layers, in a dict, list, tuple or dataclass: what is recorded
    in it is recorded in the whole. A layer that is called twice replaces its statistics twice.

    Raises:
        SignatureError: `value` is a Running already, or has no such part.

    Example:
        >>> model = pg.nn.batch_norm(1, momentum=0.5)
        >>> params, state = model.init(pg.random.key(0))
        >>> def loss(params, x, state):
        ...     running = pg.nn.Running(state)
        ...     return np.sum(model(params, x, state=running) ** 2), running.value
        >>> x = np.array([[1.0], [3.0]])
        >>> (value, state), grads = pg.value_and_grad(loss, has_aux=True)(params, x, state)
        >>> state
        {'mean': array([1.]), 'variance': array([1.5])}
    """

    __slots__ = ("_place", "_value", "_whole")

    def __init__(self, value: Any) -> None:
        if isinstance(value, Running):
            raise pg.SignatureError(
                "the state is a Running already", "give its value", stage="building", subject="Running"
            )
        self._value = value
        self._whole: Running | None = None
        self._place: Any = None

    @property
    def value(self) -> Any:
        return self._value if self._whole is None else _taken(self._whole.value, self._place)

    @value.setter
    def value(self, new: Any) -> None:
        if self._whole is None:
            self._value = new
        else:
            self._whole.value = _replaced(self._whole.value, self._place, new)

    def __getitem__(self, place: Any) -> Running:
        _taken(self.value, place)
        part = Running(None)
        part._whole, part._place = self, place
        return part

    def __repr__(self) -> str:
        return f"Running({self.value!r})"


def _taken(container: Any, place: Any) -> Any:
    """The part of a container at a place: a key, an index or the name of a field."""
    if dataclasses.is_dataclass(container) and isinstance(place, str) and hasattr(container, place):
        return getattr(container, place)
    try:
        return container[place]
    except (LookupError, TypeError) as error:
        form = pg.tree_map(lambda _: "*", container)
        problem = f"the state {form!r} has no part {place!r}"
        kind = pg.IndexRangeError if isinstance(error, IndexError) else pg.SignatureError
        raise kind(problem, "give the state that init made", stage="tracing", subject="Running") from error


def _replaced(container: Any, place: Any, new: Any) -> Any:
    """The container with another part at a place; the given one stays as it is."""
    if dataclasses.is_dataclass(container) and not isinstance(container, type):
        return dataclasses.replace(container, **{place: new})
    if isinstance(container, dict):
        return type(container)((key, new if key == place else value) for key, value in container.items())
    parts = list(container)
    parts[place] = new
    if isinstance(container, list):
        return parts
    return type(container)(*parts) if hasattr(container, "_fields") else tuple(parts)


def contents(state: Any) -> Any:
    """The state itself, of a Running or of a plain container."""
    state = state.state if isinstance(state, Watched) else state
    return state.value if isinstance(state, Running) else state


def is_empty(state: Any) -> bool:
    """Whether a state has no statistics."""
    return not pg.tree_leaves(contents(state))


def part(state: Any, place: Any) -> Any:
    """The part of a state that belongs to one of several layers; all of it where there is none at all."""
    return state if isinstance(contents(state), tuple) and not contents(state) else state[place]
