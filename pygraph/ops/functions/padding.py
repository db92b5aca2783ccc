"""`pad`: an array with entries added at the ends of its axes, in NumPy's modes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from ...errors import ShapeError, SignatureError, UnsupportedError, shown
from ..arithmetic import add, divide, floor, multiply, rint, subtract
from ..common import explained, operand
from ..comparison import astype
from ..composite import mean
from ..reductions import max as largest, min as smallest
from ..shaping import broadcast_to, concatenate
from .parts import entries, part

#: What lies before and behind an axis, made of the array, the axis, the widths and the mode's arguments.
Ends: TypeAlias = Callable[..., tuple[Any, Any]]

#: The keyword arguments of each mode, with their defaults.
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "empty": {},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "wrap": {},
}


@explained
def pad(array: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    """`array` with entries added before and behind each axis.

    Args:
        array: an array.
        pad_width: how many: an int, a pair (before, behind) for all axes, one pair for each, or a dict of axes.
        mode: "constant" (with `constant_values`), "edge", "linear_ramp" (`end_values`), "maximum", "mean", "minimum"
            (`stat_length`), "reflect", "symmetric" (`reflect_type`: "even" or "odd"), "wrap", or "empty", which gives
            zeros.
        kwargs: what the mode takes, as NumPy; values may be expressions.

    Raises:
        ShapeError: widths that are negative or do not fit the axes, or entries that an empty axis can't give.
        SignatureError: an argument that the mode does not take.
        UnsupportedError: another mode.

    Example:
        >>> pg.pad(np.array([1, 2, 3]), (1, 2), "reflect")
        array([2, 1, 2, 3, 2, 1])
    """
    x = operand(array)
    if mode not in ARGUMENTS:
        raise UnsupportedError(f"mode {shown(mode)} is not supported", f"give one of {', '.join(ARGUMENTS)}")
    taken = ARGUMENTS[mode]
    for name in kwargs:
        if name not in taken:
            raise SignatureError(f"mode {mode!r} takes no {name}", f"it takes {', '.join(taken) or 'none'}")
    widths = _widths(pad_width, x.ndim)
    if mode == "empty":
        mode, taken, kwargs = "constant", ARGUMENTS["constant"], {}
    ((name, value),) = ({**taken, **kwargs} or {"": None}).items()
    values = [value] * x.ndim if name in ("", "reflect_type") else _pairs(value, x.ndim)
    for axis, (width, said) in enumerate(zip(widths, values, strict=True)):
        if width == (0, 0):
            continue
        if not x.shape[axis] and mode != "constant":
            raise ShapeError(f"axis {axis} is empty, and mode {mode!r} extends its entries", "use mode 'constant'")
        before, behind = ENDS[mode](x, axis, width, mode, said)
        x = concatenate([part for part in (before, x, behind) if part is not None], axis)
    return x


def _pairs(value: Any, ndim: int) -> list[tuple[Any, Any]]:
    """A pair for each axis, of a value, a pair, or a sequence of those."""
    if not _is_sequence(value):
        return [(value, value)] * ndim
    items = list(value)
    if any(_is_sequence(item) for item in items):
        pairs = [tuple(item) * (3 - len(item)) for item in items]
    else:
        pairs = [tuple(items) * (3 - len(items))]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) not in (1, ndim):
        raise ShapeError(f"{shown(value)} for {ndim} axes", "give a value, a pair, or a pair for each axis")
    return [(a, b) for a, b in (pairs * ndim if len(pairs) == 1 else pairs)]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        found = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            ((found[axis]),) = _pairs(width, 1)
    else:
        found = _pairs(pad_width, ndim)
    try:
        widths = [(operator.index(a), operator.index(b)) for a, b in found]
    except TypeError as error:
        raise ShapeError(f"pad_width is {shown(pad_width)}", "give ints known when recording") from error
    if any(width < 0 for pair in widths for width in pair):
        raise ShapeError(f"pad_width is {shown(pad_width)}", "give widths of 0 or more")
    return widths


def _spread(x: Any, axis: int, width: int) -> Any:
    """An entry so many times along an axis; None: none."""
    return broadcast_to(x, (*x.shape[:axis], width, *x.shape[axis + 1 :])) if width else None


def _constants(x: Any, axis: int, widths: tuple[int, int], mode: str, values: tuple[Any, Any]) -> tuple[Any, Any]:
    shape = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
    before, behind = (
        _spread(broadcast_to(astype(operand(value), x.dtype), shape), axis, width)
        for value, width in zip(values, widths, strict=True)
    )
    return before, behind


def _edges(x: Any, axis: int) -> tuple[Any, Any]:
    return part(x, axis, 0, 1), part(x, axis, x.shape[axis] - 1, x.shape[axis])


def _ramps(x: Any, axis: int, widths: tuple[int, int], mode: str, values: tuple[Any, Any]) -> tuple[Any, Any]:
    ends: list[Any] = []
    for edge, value, width, step in zip(_edges(x, axis), values, widths, (1, -1), strict=True):
        if not width:
            ends.append(None)
            continue
        counts = np.arange(width)[::step].reshape([-1 if k == axis else 1 for k in range(x.ndim)])
        end = operand(value)
        ramp = add(multiply(counts, divide(subtract(edge, end), width)), end)
        ends.append(astype(floor(ramp) if x.dtype.kind == "i" else ramp, x.dtype))
    return ends[0], ends[1]


def _statistics(x: Any, axis: int, widths: tuple[int, int], mode: str, lengths: tuple[Any, Any]) -> tuple[Any, Any]:
    known: dict[str, Callable[..., Any]] = {"maximum": largest, "minimum": smallest, "mean": mean}
    reduce = known[mode]
    size = x.shape[axis]
    found = []
    for width, length, at_end in zip(widths, lengths, (False, True), strict=True):
        count = size if length is None else min(operator.index(length), size)
        if count < 1:
            raise ShapeError(f"stat_length is {shown(lengths)}", "give 1 or more")
        value = reduce(part(x, axis, size - count if at_end else 0, size if at_end else count), axis, keepdims=True)
        value = rint(value) if mode == "mean" and x.dtype.kind == "i" else value
        found.append(_spread(astype(value, x.dtype), axis, width))
    return found[0], found[1]


def _repeated_edges(x: Any, axis: int, widths: tuple[int, int], mode: str, said: Any) -> tuple[Any, Any]:
    first, last = _edges(x, axis)
    return _spread(first, axis, widths[0]), _spread(last, axis, widths[1])


def _mirrored(x: Any, axis: int, widths: tuple[int, int], mode: str, kind: str) -> tuple[Any, Any]:
    """Reflections at the first and last entry ("reflect") or outside of them ("symmetric"), as often as is needed.

    An odd reflection about an entry e gives 2 e - v for v.
    """
    if kind not in ("even", "odd"):
        raise SignatureError(f"reflect_type is {shown(kind)}", "give 'even' or 'odd'")
    size = x.shape[axis]
    if size == 1 and mode == "reflect":
        return _repeated_edges(x, axis, widths, mode, kind)
    between = 0 if mode == "reflect" else 1
    places = [*range(-widths[0], 0), *range(size, size + widths[1])]
    found = [_unfolded(place, size, between) for place in places]
    taken = entries(x, axis, [at for at, *_ in found])
    if kind == "odd":
        shape = [-1 if k == axis else 1 for k in range(x.ndim)]
        sign, first, last = (np.array([row[i] for row in found], x.dtype).reshape(shape) for i in (1, 2, 3))
        edges = _edges(x, axis)
        taken = add(add(multiply(sign, taken), multiply(first, edges[0])), multiply(last, edges[1]))
    cut = widths[0]
    return (
        part(taken, axis, 0, cut) if cut else None,
        part(taken, axis, cut, len(places)) if widths[1] else None,
    )


def _unfolded(place: int, size: int, between: int) -> tuple[int, int, int, int]:
    """Where a place outside of an axis lies after reflections; the sign of odd ones, and the factors of the edges."""
    sign, first, last = 1, 0, 0
    while not 0 <= place < size:
        if place < 0:
            first += 2 * sign
            place = -place - between
        else:
            last += 2 * sign
            place = 2 * (size - 1) + between - place
        sign = -sign
    return place, sign, first, last


def _wrapped(x: Any, axis: int, widths: tuple[int, int], mode: str, said: Any) -> tuple[Any, Any]:
    size = x.shape[axis]
    before, behind = (
        [place % size for place in places] for places in (range(-widths[0], 0), range(size, size + widths[1]))
    )
    return entries(x, axis, before) if before else None, entries(x, axis, behind) if behind else None


ENDS: Mapping[str, Ends] = {
    "constant": _constants,
    "edge": _repeated_edges,
    "linear_ramp": _ramps,
    "maximum": _statistics,
    "mean": _statistics,
    "minimum": _statistics,
    "reflect": _mirrored,
    "symmetric": _mirrored,
    "wrap": _wrapped,
}
