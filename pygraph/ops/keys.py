"""Indexing with keys as NumPy reads them: `index(x, key)` for `x[key]`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..errors import IndexRangeError, ShapeError, UnsupportedError
from .common import broadcast_shapes, explained_as, is_expression, kind, operand
from .comparison import astype, logical_and_row, select
from .indexing import as_index, bounded, filling, take_row, wrapped
from .row import Shape
from .shaping import broadcast_to, reshape, slice_row, transpose

__all__ = ["index"]


class Range(NamedTuple):
    """A slice of one axis: `length` elements from `start`, every `step`."""

    start: int
    step: int
    length: int
    size: int

    @property
    def whole(self) -> bool:
        return self.length == self.size and self.step == 1


class Key(NamedTuple):
    """A key taken apart.

    Attributes:
        axes: per axis of the operand, an int, a `Range`, or an int64 array or expression.
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
        return [k for k, entry in enumerate(self.axes) if not isinstance(entry, Range)]

    def cut(self, x: Any) -> Any:
        """`x` cut down to the ranges of a key without arrays; ints are ranges of one element."""
        return _sliced(x, self.axes)

    def result_axes(self) -> list[int | str]:
        """The axes of the result in order: an axis of the operand, "new", or "block" for the whole block."""
        order: list[int | str] = ["block"] if self.first else []
        for axis in self.layout:
            if axis is None:
                order.append("new")
            elif isinstance(self.axes[axis], Range):
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
    """One entry of a key for an axis of this size: an int, a `Range`, or an int64 index array or expression."""
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
        return Range(start if count else 0, step if count > 1 else 1, count, size)
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


def unmasked(x: Any, key: Any) -> tuple[Any, Any]:
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


def parsed_key(x: Any, key: Any, entered: Callable[[Any, int, int], Any] = _entry) -> Key:
    """A key as NumPy reads it, checked against the shape of `x`; `entered` reads an entry for an axis."""
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
            axes.append(entered(entry, x.shape[len(axes)], len(axes)))
            groups.append(not isinstance(axes[-1], Range))
    arrays = [entry for entry in axes if not isinstance(entry, int | Range)]
    if not arrays:
        return Key(tuple(axes), tuple(layout), None, False)
    try:
        block = broadcast_shapes([entry.shape for entry in arrays])
    except ShapeError as error:
        raise ShapeError(f"index arrays: {error.problem}", "give index arrays of shapes that broadcast") from error
    places = [k for k, advanced in enumerate(groups) if advanced]
    return Key(tuple(axes), tuple(layout), block, places[-1] - places[0] + 1 != len(places))


def _sliced(x: Any, axes: Sequence[Any]) -> Any:
    """`x` cut down to its ranges; ints become ranges of one element, arrays leave their axis whole."""
    whole = [Range(0, 1, size, size) for size in x.shape]
    cuts = [
        entry if isinstance(entry, Range) else Range(entry, 1, 1, full.size) if isinstance(entry, int) else full
        for entry, full in zip(axes, whole, strict=True)
    ]
    if all(cut.whole for cut in cuts):
        return x
    starts, steps = tuple(cut.start for cut in cuts), tuple(cut.step for cut in cuts)
    return slice_row(x, starts=starts, steps=steps, shape=tuple(cut.length for cut in cuts))


def flat_index(indices: Sequence[Any], sizes: Sequence[int]) -> Any:
    """The flat index, in C order, of wrapped indices into axes of these sizes."""
    total: Any = None
    stride = prod(sizes)
    for entry, size in zip(indices, sizes, strict=True):
        stride = stride // size if size else 0
        term = entry if stride == 1 else entry * np.int64(stride)
        total = term if total is None else total + term
    return total


@explained_as("indexing")
def index(x: Any, key: Any, mode: str | None = None, fill_value: Any = None) -> Any:
    """`x[key]` as in NumPy: ints, slices, Ellipsis, newaxis, integer arrays or expressions, masks known when tracing.

    Args:
        x: the array or expression.
        key: what stands in the brackets.
        mode: what becomes of an int or array entry that is out of range, negative ones having been counted from the
            end: None, an error; "clip", the nearest index; "wrap", the index modulo the size; "fill", `fill_value`.
        fill_value: for "fill"; by default nan, of ints the smallest, and of bools True.

    Raises:
        IndexRangeError: an int or array entry out of range; at run time where the index is an expression.
        ShapeError: too many indices, or index arrays that do not broadcast.
        UnsupportedError: a mask that is an expression, whose result has no static shape; use `pg.where`.

    Example:
        >>> pg.index(np.array([[1, 2, 3], [4, 5, 6]]), (slice(None), [0, -1]))
        array([[1, 3],
               [4, 6]])
        >>> pg.index(np.array([1.0, 2.0, 3.0]), [2, 3], "fill", 0.0)
        array([3., 0.])
    """
    x, key = unmasked(operand(x), key)
    if mode is None:
        return _indexed(x, parsed_key(x, key))
    within: list[Any] = []

    def entered(entry: Any, size: int, axis: int) -> Any:
        if isinstance(entry, slice):
            return _entry(entry, size, axis)
        places, inside = bounded(as_index(entry), size, mode, from_end=True)
        if inside is not None:
            within.append(inside)
        return places

    parsed = parsed_key(x, key, entered)
    result = _indexed(x, parsed)
    if not within:
        return result
    order = parsed.result_axes()
    behind = len(order) - 1 - order.index("block")
    inside = reduce(logical_and_row, within)
    inside = reshape(inside, (*inside.shape, *[1] * behind))
    return select(inside, result, filling(x.dtype) if fill_value is None else astype(fill_value, x.dtype))


def _indexed(x: Any, parsed: Key) -> Any:
    """The elements at a key."""
    order = parsed.result_axes()
    if parsed.block is None:
        return reshape(parsed.cut(x), parsed.sizes(order))
    advanced = parsed.advanced
    x = _sliced(x, [entry if isinstance(entry, Range) else None for entry in parsed.axes])
    kept = [k for k in range(x.ndim) if k not in advanced]
    lead = 0 if parsed.first else advanced[0]
    x = transpose(x, [*kept[:lead], *advanced, *kept[lead:]])
    sizes = x.shape[lead : lead + len(advanced)]
    x = reshape(x, (*x.shape[:lead], prod(sizes), *x.shape[lead + len(advanced) :]))
    places = flat_index([parsed.axes[k] for k in advanced], sizes)
    result = take_row(x, broadcast_to(places, parsed.block), axis=lead)
    return reshape(result, parsed.sizes(order))
