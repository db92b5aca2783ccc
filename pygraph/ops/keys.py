"""Indexing with keys as NumPy reads them: `index(x, key)` for `x[key]`, `index_update` for `x.at[key]`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..errors import DTypeError, IndexRangeError, ShapeError, UnsupportedError, shown
from .arithmetic import add
from .common import broadcast_shapes, explained_as, is_expression, kind, operand
from .comparison import astype, select
from .indexing import as_index, scatter_add, scatter_set, take_row, wrapped
from .row import Shape
from .shaping import broadcast_to, reshape, slice_row, transpose

__all__ = ["index", "index_update"]


class _Range(NamedTuple):
    """A slice of one axis: `length` elements from `start`, every `step`."""

    start: int
    step: int
    length: int
    size: int

    @property
    def whole(self) -> bool:
        return self.length == self.size and self.step == 1


class _Key(NamedTuple):
    """A key taken apart.

    Attributes:
        axes: per axis of the operand, an int, a `_Range`, or an int64 array or expression.
        layout: what the key holds, in order: None for a new axis, else the axis.
        block: the shape that integer arrays (and ints among them) broadcast to; None where the key has no array.
        first: whether the block's axes lead the result, because something stands between the arrays.
    """

    axes: tuple[Any, ...]
    layout: tuple[int | None, ...]
    block: Shape | None
    first: bool

    @property
    def advanced(self) -> list[int]:
        """The axes that arrays, and ints among them, index together."""
        if self.block is None:
            return []
        return [k for k, entry in enumerate(self.axes) if not isinstance(entry, _Range)]

    def result_axes(self) -> list[int | str]:
        """The axes of the result in order: an axis of the operand, "new", or "block" for the whole block."""
        order: list[int | str] = ["block"] if self.first else []
        for axis in self.layout:
            if axis is None:
                order.append("new")
            elif isinstance(self.axes[axis], _Range):
                order.append(axis)
            elif self.block is not None and "block" not in order:
                order.append("block")
        return order

    def sizes(self, order: Sequence[int | str]) -> Shape:
        """The sizes of result axes given as by `result_axes`."""
        shape: list[int] = []
        for axis in order:
            if axis == "block":
                shape.extend(self.block or ())
            else:
                shape.append(1 if axis == "new" else self.axes[int(axis)].length)
        return tuple(shape)


def _entry(entry: Any, size: int, axis: int) -> Any:
    """One entry of a key for an axis of this size: an int, a `_Range`, or an int64 index array or expression."""
    if isinstance(entry, slice):
        if entry.step is not None and not is_expression(entry.step) and entry.step == 0:
            raise ShapeError("a slice's step is 0", "give a step of 1 or more, or -1 and less")
        try:
            start, stop, step = entry.indices(size)
        except (TypeError, ValueError) as error:
            raise UnsupportedError(
                "a slice needs ints known when recording",
                "for n elements from a computed start write x[start + np.arange(n)]",
            ) from error
        count = len(range(start, stop, step))
        return _Range(start if count else 0, step if count > 1 else 1, count, size)
    if not is_expression(entry) and np.ndim(entry) == 0 and np.asarray(entry).dtype.kind in "iu":
        place = operator.index(entry)
        if not -size <= place < size:
            raise IndexRangeError(
                f"index {place} is out of range for axis {axis} of size {size}",
                f"give {-size} to {size - 1}" if size else "the axis is empty: x[:] has no elements either",
            )
        return place % size
    return wrapped(as_index(entry), size)


def _is_mask(entry: Any) -> bool:
    """Whether an entry of a key is made of bools."""
    if is_expression(entry):
        return kind(entry) == "b"
    if isinstance(entry, bool | np.bool_):
        return True
    return isinstance(entry, list | np.ndarray) and np.asarray(entry).dtype == bool and np.size(entry) > 0


def _unmasked(x: Any, key: Any) -> tuple[Any, Any]:
    """`x` and `key` with each mask that is known now replaced by the places where it is true.

    A mask stands for as many axes as it has, and becomes an index array for each; one without axes (`x[True]`) becomes
    an index into a new axis of size 1 of `x`.

    Raises:
        UnsupportedError: a mask that is an expression; ShapeError: one that does not fit the axes.
    """
    entries = list(key) if isinstance(key, tuple) else [key]
    if not any(_is_mask(entry) for entry in entries):
        return x, key
    taking = [entry for entry in entries if entry is not None and entry is not ...]
    hidden = x.ndim - sum(np.ndim(entry) if _is_mask(entry) else 1 for entry in taking)  # axes behind an Ellipsis
    found: list[Any] = []
    axis = 0
    for entry in entries:
        if not _is_mask(entry):
            found.append(entry)
            if entry is Ellipsis:
                axis += max(hidden, 0)
            elif entry is not None:
                axis += 1
            continue
        if is_expression(entry):
            raise UnsupportedError(
                f"how many elements the mask {entry!r} picks is not known when recording",
                "keep the shape: np.where(mask, x, 0.0) may be summed; x.at[mask].set(v) takes one number v",
            )
        mask = np.asarray(entry)
        if mask.ndim == 0:
            x = reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))
            found.append(np.zeros(int(mask), np.int64))
            axis += 1
            continue
        if mask.shape != x.shape[axis : axis + mask.ndim]:
            raise ShapeError(
                f"a mask of shape {mask.shape} for axes of sizes {x.shape[axis : axis + mask.ndim]}",
                "give a mask of the shape of the axes that it stands for",
            )
        found += mask.nonzero()
        axis += mask.ndim
    return x, tuple(found)


def _masked_update(x: Any, key: Any, values: Any, mode: str) -> Any:
    """`x.at[mask]` for a mask that is an expression and values that are the same at all its places; else None."""
    mask = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    if not (is_expression(mask) and kind(mask) == "b" and mask.shape == x.shape[: mask.ndim]):
        return None
    if np.ndim(values) > x.ndim - mask.ndim:
        return None
    mask = reshape(mask, (*mask.shape, *[1] * (x.ndim - mask.ndim)))
    values = broadcast_to(_fitting(values, x, mode), x.shape)
    return select(mask, values, x) if mode == "set" else add(x, select(mask, values, np.zeros((), x.dtype)))


def _parse(x: Any, key: Any) -> _Key:
    """A key as NumPy reads it, checked against the shape of `x`."""
    entries = list(key) if isinstance(key, tuple) else [key]
    dots = [k for k, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise ShapeError(
            "a key holds more than one Ellipsis", "write ... once: it stands for all axes that are not named"
        )
    used = len(entries) - len(dots) - sum(entry is None for entry in entries)
    if used > x.ndim:
        raise ShapeError(f"{used} indices for an operand of shape {x.shape}", f"give at most {x.ndim}")
    fill = [slice(None)] * (x.ndim - used)
    # an Ellipsis separates arrays even where it stands for no axis
    position = dots[0] if dots else len(entries)
    entries[position : position + 1] = [*fill, Ellipsis] if dots else fill
    axes: list[Any] = []
    layout: list[int | None] = []
    groups: list[bool] = []  # per entry, whether it is an int or an array
    for entry in entries:
        if entry is Ellipsis:
            groups.append(False)
        elif entry is None:
            layout.append(None)
            groups.append(False)
        else:
            layout.append(len(axes))
            axes.append(_entry(entry, x.shape[len(axes)], len(axes)))
            groups.append(not isinstance(axes[-1], _Range))
    arrays = [entry for entry in axes if not isinstance(entry, int | _Range)]
    if not arrays:
        return _Key(tuple(axes), tuple(layout), None, False)
    try:
        block = broadcast_shapes([entry.shape for entry in arrays])
    except ShapeError as error:
        raise ShapeError(f"index arrays: {error.problem}", "give index arrays of shapes that broadcast") from error
    places = [k for k, advanced in enumerate(groups) if advanced]
    return _Key(tuple(axes), tuple(layout), block, places[-1] - places[0] + 1 != len(places))


def _sliced(x: Any, axes: Sequence[Any]) -> Any:
    """`x` cut down to its ranges; ints become ranges of one element, arrays leave their axis whole."""
    whole = [_Range(0, 1, size, size) for size in x.shape]
    cuts = [
        entry if isinstance(entry, _Range) else _Range(entry, 1, 1, full.size) if isinstance(entry, int) else full
        for entry, full in zip(axes, whole, strict=True)
    ]
    if all(cut.whole for cut in cuts):
        return x
    starts, steps = tuple(cut.start for cut in cuts), tuple(cut.step for cut in cuts)
    return slice_row(x, starts=starts, steps=steps, shape=tuple(cut.length for cut in cuts))


def _linear(indices: Sequence[Any], sizes: Sequence[int]) -> Any:
    """The flat index, in C order, of wrapped indices into axes of these sizes."""
    total: Any = None
    stride = prod(sizes)
    for entry, size in zip(indices, sizes, strict=True):
        stride = stride // size if size else 0
        term = entry if stride == 1 else entry * np.int64(stride)
        total = term if total is None else total + term
    return total


@explained_as("indexing")
def index(x: Any, key: Any) -> Any:
    """`x[key]` as in NumPy: ints, slices, Ellipsis, newaxis, integer arrays or expressions, masks known when tracing.

    Raises:
        IndexRangeError: an int or array entry out of range; at run time where the index is an expression.
        ShapeError: too many indices, or index arrays that do not broadcast.
        UnsupportedError: a mask that is an expression, whose result has no static shape; use `pg.where`.

    Example:
        >>> pg.index(np.array([[1, 2, 3], [4, 5, 6]]), (slice(None), [0, -1]))
        array([[1, 3],
               [4, 6]])
    """
    x, key = _unmasked(operand(x), key)
    parsed = _parse(x, key)
    order = parsed.result_axes()
    if parsed.block is None:
        return reshape(_sliced(x, parsed.axes), parsed.sizes(order))
    advanced = parsed.advanced
    x = _sliced(x, [entry if isinstance(entry, _Range) else None for entry in parsed.axes])
    kept = [k for k in range(x.ndim) if k not in advanced]
    lead = 0 if parsed.first else advanced[0]
    x = transpose(x, [*kept[:lead], *advanced, *kept[lead:]])
    sizes = x.shape[lead : lead + len(advanced)]
    x = reshape(x, (*x.shape[:lead], prod(sizes), *x.shape[lead + len(advanced) :]))
    places = _linear([parsed.axes[k] for k in advanced], sizes)
    result = take_row(x, broadcast_to(places, parsed.block), axis=lead)
    return reshape(result, parsed.sizes(order))


@explained_as("indexing")
def index_update(x: Any, key: Any, values: Any, mode: str) -> Any:
    """`x` with `values` (broadcast to `x[key]`) put at the places of `key` ("set") or added there ("add").

    Keys are those of `index`. Places that a key names more than once keep the last value, or add up all. A mask may be
    an expression where `values` are the same for all its places.

    Raises:
        IndexRangeError, ShapeError, UnsupportedError: as `index`; or values that do not broadcast to the places.
        DTypeError: values that the dtype of `x` cannot hold (floats into integers), or adding to bools.

    Example:
        >>> pg.index_update(np.array([1.0, 2.0, 3.0]), slice(0, 2), 9.0, "set")
        array([9., 9., 3.])
    """
    x = operand(x)
    if mode not in ("set", "add"):
        raise UnsupportedError(f"mode {shown(mode)}", "give 'set' or 'add'")
    if mode == "add" and kind(x) == "b":
        raise DTypeError("bool operand", "use pg.logical_or, or x.astype('int64')", subject="x.at[key].add")
    values = values if is_expression(values) else np.asarray(values) if isinstance(values, list | tuple) else values
    chosen = _masked_update(x, key, values, mode)
    if chosen is not None:
        return chosen
    whole = x.shape
    x, key = _unmasked(x, key)
    parsed = _parse(x, key)
    values = _fitting(values, x, mode)
    shape = parsed.sizes(parsed.result_axes())
    extra = values.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in values.shape[:extra]):  # NumPy allows leading axes of size 1
        values = reshape(values, values.shape[extra:])
    try:
        values = broadcast_to(values, shape)
    except ShapeError as error:
        problem = f"values of shape {values.shape} for places of shape {shape}"
        raise ShapeError(problem, "give values that broadcast to the places", subject=f"x.at[key].{mode}") from error
    touched = [k for k, entry in enumerate(parsed.axes) if not (isinstance(entry, _Range) and entry.whole)]
    if not touched:
        values = reshape(values, x.shape)
        return reshape(add(x, values) if mode == "add" else select(np.True_, values, x), whole)
    first, last = touched[0], touched[-1] + 1
    places, values = _places(parsed, x.shape, values, first, last)
    merged = reshape(x, (*x.shape[:first], prod(x.shape[first:last]), *x.shape[last:]))
    values = reshape(values, (*x.shape[:first], *places.shape, *x.shape[last:]))
    row = scatter_set if mode == "set" else scatter_add
    return reshape(row(merged, places, values, axis=first), whole)


def _fitting(values: Any, x: Any, mode: str) -> Any:
    """The values in the dtype of `x`; numbers and narrower kinds are converted, wider kinds refused."""
    ranks = {"b": 0, "i": 1, "f": 2}
    if ranks[kind(values)] > ranks[kind(x)]:
        given = values.dtype if hasattr(values, "dtype") else type(values).__name__
        problem = f"{given} values do not fit in {x.dtype}"
        raise DTypeError(problem, "convert one with .astype(dtype)", subject=f"x.at[key].{mode}")
    return astype(values, x.dtype)


def _places(parsed: _Key, sizes: Shape, values: Any, first: int, last: int) -> tuple[Any, Any]:
    """The flat index over the axes `first` to `last` of an operand of shape `sizes`, and the values laid out to match.

    The index has an axis for each range among those axes, and the axes of the block. The values, which have the shape
    of the key's result, lose new axes and are transposed to: axes before `first`, those of the index, axes after.
    """
    block = parsed.block or ()
    given = [axis for axis in parsed.result_axes() if axis != "new"]
    inner: list[int | str] = []
    for axis in range(first, last):
        if isinstance(parsed.axes[axis], _Range):
            inner.append(axis)
        elif parsed.block is not None and "block" not in inner:
            inner.append("block")

    def positions(axes: Sequence[int | str]) -> dict[int | str, list[int]]:
        """Where each of these result axes lies, the block being several."""
        found: dict[int | str, list[int]] = {}
        position = 0
        for axis in axes:
            width = len(block) if axis == "block" else 1
            found[axis] = list(range(position, position + width))
            position += width
        return found

    before = positions(given)
    target = [*range(first), *inner, *range(last, len(sizes))]
    values = transpose(reshape(values, parsed.sizes(given)), [k for axis in target for k in before[axis]])

    shape, spots = parsed.sizes(inner), positions(inner)
    indices: list[Any] = []
    for axis in range(first, last):
        entry = parsed.axes[axis]
        if isinstance(entry, _Range):
            trailing = len(shape) - spots[axis][0] - 1
            run = entry.start + entry.step * np.arange(entry.length)
            indices.append(run.reshape(entry.length, *[1] * trailing))
        elif isinstance(entry, int):
            indices.append(entry)
        else:
            lead = len(block) - entry.ndim
            trailing = len(shape) - spots["block"][-1] - 1 if block else 0
            indices.append(reshape(entry, (*[1] * lead, *entry.shape, *[1] * trailing)))
    return broadcast_to(_linear(indices, sizes[first:last]), shape), values
