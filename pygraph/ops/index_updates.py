"""`index_update` for `x.at[key]`: a copy of an array with the elements at a key of NumPy's replaced, or combined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UnsupportedError, shown
from .arithmetic import add, divide, maximum, minimum, multiply, power
from .common import explained_as, is_expression, kind, operand
from .comparison import astype, equal, select
from .indexing import scatter_add, scatter_set, take_row
from .keys import Key, Range, flat_index, parsed_key, unmasked
from .placing import put
from .reductions import max as largest, min as smallest, prod as product
from .row import Shape
from .shaping import broadcast_to, reshape, transpose

__all__ = ["index_update"]

#: How elements and values are combined, but for "set", which replaces.
_COMBINED: dict[str, Callable[[Any, Any], Any]] = {
    "add": add,
    "multiply": multiply,
    "divide": divide,
    "power": power,
    "min": minimum,
    "max": maximum,
}
#: What all values for one place amount to, where places that are named more than once are combined with each in turn.
_TOGETHER: dict[str, Callable[..., Any]] = {"multiply": product, "divide": product, "min": smallest, "max": largest}
#: What is added at one in so many elements, or fewer, is added at an index: of that the derivative is the identity.
_FEW = 8
#: From so many pairs of index entries on, of an index known at run time alone, equal entries are not looked for.
_MOST_PAIRS = 2**22


@explained_as("indexing")
def index_update(x: Any, key: Any, values: Any, mode: str) -> Any:
    """`x` with `values` (broadcast to `x[key]`) put at the places of `key`, or combined with what is there.

    Keys are those of `index`. Places that a key names more than once keep the last value, or are combined with each in
    turn. A mask may be an expression where `values` are the same for all its places.

    Args:
        x: the array or expression.
        key: as in `x[key]`.
        values: numbers, arrays or expressions; they take the dtype of `x`.
        mode: "set", "add", "multiply", "divide", "power", "min" or "max".

    Raises:
        IndexRangeError, ShapeError, UnsupportedError: as `index`; or values that do not broadcast to the places.
        DTypeError: values or results that the dtype of `x` cannot hold (floats into integers), or adding to bools.

    Example:
        >>> pg.index_update(np.array([1.0, 2.0, 3.0]), slice(0, 2), 9.0, "set")
        array([9., 9., 3.])
    """
    x = operand(x)
    if mode != "set" and mode not in _COMBINED:
        raise UnsupportedError(f"mode {shown(mode)}", f"give one of set, {', '.join(_COMBINED)}")
    subject = f"x.at[key].{mode}"
    if mode == "add" and kind(x) == "b":
        raise DTypeError("bool operand", "use pg.logical_or, or x.astype('int64')", subject=subject)
    if mode == "divide" and kind(x) != "f":
        raise DTypeError(f"quotients do not fit in {x.dtype}", "convert it: x.astype('float64')", subject=subject)
    values = values if is_expression(values) else np.asarray(values) if isinstance(values, list | tuple) else values
    chosen = _at_mask(x, key, values, mode)
    if chosen is not None:
        return chosen
    whole = x.shape
    x, key = unmasked(x, key)
    parsed = parsed_key(x, key)
    values = _fitting(values, x, mode)
    shape = parsed.sizes(parsed.result_axes())
    extra = values.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in values.shape[:extra]):  # NumPy allows leading axes of size 1
        values = reshape(values, values.shape[extra:])
    try:
        values = broadcast_to(values, shape)
    except ShapeError as error:
        problem = f"values of shape {values.shape} for places of shape {shape}"
        raise ShapeError(problem, "give values that broadcast to the places", subject=subject) from error
    few = mode == "add" and 0 < _FEW * prod(shape) <= prod(x.shape)
    if parsed.block is None and not few:
        return reshape(_at_ranges(x, parsed, values, mode), whole)
    touched = [k for k, entry in enumerate(parsed.axes) if not (isinstance(entry, Range) and entry.whole)]
    first, last = touched[0], touched[-1] + 1
    places, values = _places(parsed, x.shape, values, first, last)
    merged = reshape(x, (*x.shape[:first], prod(x.shape[first:last]), *x.shape[last:]))
    values = reshape(values, (*x.shape[:first], *places.shape, *x.shape[last:]))
    return reshape(_at_index(merged, places, values, first, mode), whole)


def _combined(x: Any, values: Any, mode: str) -> Any:
    return values if mode == "set" else astype(_COMBINED[mode](x, values), x.dtype)


def _at_ranges(x: Any, parsed: Key, values: Any, mode: str) -> Any:
    """At a key of ints and slices: a rectangle."""
    ranges = [entry if isinstance(entry, Range) else Range(entry, 1, 1, 0) for entry in parsed.axes]
    place = tuple(r.start for r in ranges), tuple(r.step for r in ranges), tuple(r.length for r in ranges)
    values = reshape(values, parsed.sizes([axis for axis in parsed.result_axes() if axis != "new"]))
    if mode != "set":
        values = _combined(reshape(parsed.cut(x), values.shape), values, mode)
    return put(x, values, place)


def _at_index(x: Any, places: Any, values: Any, axis: int, mode: str) -> Any:
    """Along one axis, at an index without negative entries; it may have equal ones."""
    if mode in ("set", "add"):
        return (scatter_set if mode == "set" else scatter_add)(x, places, values, axis=axis)
    count = prod(places.shape)
    places = reshape(places, (count,))
    values = reshape(values, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    if is_expression(places) and count > 1:
        values = _of_equal_places(places, values, axis, mode)
        return scatter_set(x, places, _combined(take_row(x, places, axis=axis), values, mode), axis=axis)
    if is_expression(places):
        return scatter_set(x, places, _combined(take_row(x, places, axis=axis), values, mode), axis=axis)
    places = np.asarray(places)
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(places[order]) != 0][:count])
    turn = np.empty(count, np.int64)  # how many equal entries are before each
    turn[order] = np.arange(count) - np.repeat(starts, np.diff(np.r_[starts, count]))
    for now in range(int(turn.max(initial=-1)) + 1):
        at = np.flatnonzero(turn == now)
        new = _combined(take_row(x, places[at], axis=axis), take_row(values, at, axis=axis), mode)
        x = scatter_set(x, places[at], new, axis=axis)
    return x


def _of_equal_places(places: Any, values: Any, axis: int, mode: str) -> Any:
    """For each entry of an index, what the values of all entries equal to it amount to.

    Raises:
        UnsupportedError: where they have to be taken in turn, or are too many to compare all pairs.
    """
    count = places.shape[0]
    if mode not in _TOGETHER or count * count * (prod(values.shape) // count) > _MOST_PAIRS:
        raise UnsupportedError(
            f"{mode} at {count} places of which some may be equal, known at run time alone",
            f"where they are distinct write x.at[i].set(f(x[i], v)); else x.at[i[k]].{mode}(v[k]) in pg.fori_loop",
            subject=f"x.at[key].{mode}",
        )
    same = reshape(equal(reshape(places, (count, 1)), places), (count, count, *[1] * (values.ndim - axis - 1)))
    pairs = reshape(values, (*values.shape[:axis], 1, *values.shape[axis:]))
    own = reshape(values, (*values.shape[: axis + 1], 1, *values.shape[axis + 1 :]))
    neutral = np.ones((), values.dtype) if mode in ("multiply", "divide") else own
    return _TOGETHER[mode](select(same, pairs, neutral), axis=axis + 1)


def _at_mask(x: Any, key: Any, values: Any, mode: str) -> Any:
    """`x.at[mask]` for a mask that is an expression and values that are the same at all its places; else None."""
    mask = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    if not (is_expression(mask) and kind(mask) == "b" and mask.shape == x.shape[: mask.ndim]):
        return None
    if np.ndim(values) > x.ndim - mask.ndim:
        return None
    mask = reshape(mask, (*mask.shape, *[1] * (x.ndim - mask.ndim)))
    values = broadcast_to(_fitting(values, x, mode), x.shape)
    if mode == "add":
        return add(x, select(mask, values, np.zeros((), x.dtype)))
    return select(mask, _combined(x, values, mode), x)


def _fitting(values: Any, x: Any, mode: str) -> Any:
    """The values in the dtype of `x`; numbers and narrower kinds are converted, wider kinds refused."""
    ranks = {"b": 0, "i": 1, "f": 2}
    if ranks[kind(values)] > ranks[kind(x)]:
        given = values.dtype if hasattr(values, "dtype") else type(values).__name__
        problem = f"{given} values do not fit in {x.dtype}"
        raise DTypeError(problem, "convert one with .astype(dtype)", subject=f"x.at[key].{mode}")
    return astype(values, x.dtype)


def _places(parsed: Key, sizes: Shape, values: Any, first: int, last: int) -> tuple[Any, Any]:
    """The flat index over the axes `first` to `last` of an operand of shape `sizes`, and the values laid out to match.

    The index has an axis for each range among those axes, and the axes of the block. The values, which have the shape
    of the key's result, lose new axes and are transposed to: axes before `first`, those of the index, axes after.
    """
    block = parsed.block or ()
    given = [axis for axis in parsed.result_axes() if axis != "new"]
    inner: list[int | str] = []
    for axis in range(first, last):
        if isinstance(parsed.axes[axis], Range):
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
        if isinstance(entry, Range):
            trailing = len(shape) - spots[axis][0] - 1
            run = entry.start + entry.step * np.arange(entry.length)
            indices.append(run.reshape(entry.length, *[1] * trailing))
        elif isinstance(entry, int):
            indices.append(entry)
        else:
            lead = len(block) - entry.ndim
            trailing = len(shape) - spots["block"][-1] - 1 if block else 0
            indices.append(reshape(entry, (*[1] * lead, *entry.shape, *[1] * trailing)))
    return broadcast_to(flat_index(indices, sizes[first:last]), shape), values
