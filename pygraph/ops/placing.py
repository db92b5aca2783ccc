"""The row that replaces rectangles of an array: `x[1:-1] = v` as a function, at places known when recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from . import mask_rules
from .expr import Expr, Mask
from .row import Attrs, DType, Family, Op, Shape, register
from .shaping import broadcast_to_row, check_places, in_batch, places, reshape_row, slice_row
from .strides import row_major

__all__: list[str] = []

Array: TypeAlias = npt.NDArray[Any]
#: Where a part lies, along each axis: the first index, the step, and how many elements.
Place: TypeAlias = tuple[Shape, Shape, Shape]


def _long(shape: Shape) -> Shape:
    """The sizes of the axes that have not one element."""
    return tuple(n for n in shape if n != 1)


def _put_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    (whole, *parts), given = shapes, attrs["places"]
    if len(parts) != len(given):
        raise ShapeError(f"{len(parts)} parts for {len(given)} places")
    for part, (starts, steps, counts) in zip(parts, given, strict=True):
        check_places(whole, counts, starts, steps)
        if _long(part) != _long(counts):
            raise ShapeError(f"a part of shape {part} for places of shape {counts}")
    return whole


def _put_reference(x: Array, *parts: Array, places: Sequence[Place]) -> Array:
    result = np.array(x)
    for part, place in zip(parts, places, strict=True):
        result[slices(place)] = np.reshape(part, place[2])
    return result


def slices(place: Place) -> tuple[slice, ...]:
    """The Python slices of a place."""
    return places(place[0], place[1], place[2])


def _put_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    if i == 0:
        zero = np.zeros((), cotangent.dtype)
        zeros = (np.broadcast_to(zero, x.shape) for x in node.inputs[1:])
        return put_row(cotangent, *zeros, places=node.attrs["places"])
    starts, steps, counts = node.attrs["places"][i - 1]
    taken = slice_row(cotangent, starts=starts, steps=steps, shape=counts)
    shape = node.inputs[i].shape
    return taken if shape == counts else reshape_row(taken, shape=shape)


def _put_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    whole = (in_batch(x, has_axis, size) for x, has_axis in zip(xs, batched, strict=True))
    given = tuple(((0, *a), (1, *b), (size, *n)) for a, b, n in node.attrs["places"])
    return put_row(*whole, places=given)


def _put_mask(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The masks of the parts written over that of the array."""
    was, given = masks[0], node.attrs["places"]
    if all(mask is was for mask in masks) and isinstance(was, bool):
        return was
    if isinstance(was, bool) and all(isinstance(mask, bool) for mask in masks) and prod(node.shape) <= mask_rules.KNOWN:
        flags = np.full(node.shape, was)
        for place, mask in zip(given, masks[1:], strict=True):
            flags[slices(place)] = mask
        return mask_rules.recorded(flags)
    wide = [mask_rules.spread(mask, x.shape) for mask, x in zip(masks, node.inputs, strict=True)]
    return put_row(*wide, places=given)


def _put_parts(shapes: Sequence[Shape], shape: Shape, attrs: Attrs) -> list[tuple[int, Shape]]:
    strides = row_major(shape)
    found = [(0, strides)]
    for part, (starts, steps, counts) in zip(shapes[1:], attrs["places"], strict=True):
        offset = sum(s * start for s, start in zip(strides, starts, strict=True)) if prod(part) else 0
        own = iter([s * step for s, step, n in zip(strides, steps, counts, strict=True) if n != 1])
        found.append((offset, tuple(next(own) if n != 1 else 0 for n in part)))
    return found


def _put_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[list[Array], dict[str, Any]]]:
    cases: list[tuple[Shape, list[tuple[Shape, Place]]]] = [
        ((5,), [((), ((3,), (1,), (1,)))]),
        ((5,), [((3,), ((1,), (1,), (3,)))]),
        ((6,), [((3,), ((4,), (-2,), (3,))), ((2,), ((5,), (-4,), (2,)))]),
        ((5,), [((2,), ((0,), (1,), (2,))), ((3,), ((2,), (1,), (3,)))]),
        ((3, 4), [((4,), ((1, 0), (1, 1), (1, 4))), ((2,), ((0, 2), (2, 1), (2, 1)))]),
        ((3, 4), [((2, 1, 2), ((2, 1), (-1, 2), (2, 2)))]),
        ((4,), [((0,), ((0,), (1,), (0,)))]),
        ((0, 3), [((0, 3), ((0, 0), (1, 1), (0, 3)))]),
        ((), [((), ((), (), ()))]),
        ((2, 3, 4), [((3, 2), ((1, 0, 3), (1, 1, -2), (1, 3, 2)))]),
    ]
    for whole, parts in cases:
        shapes = [whole, *(shape for shape, _ in parts)]
        if dtype.kind == "f":
            operands = [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]
        else:
            operands = [np.asarray(rng.integers(0, 2 if dtype.kind == "b" else 9, shape), dtype) for shape in shapes]
        yield operands, {"places": tuple(place for _, place in parts)}


put_row: Op = register(
    Op(
        "put",
        Family.LINEAR,
        None,
        "x with parts in place of its elements: part k at the places that slice would read, places[k] = (starts, "
        "steps, counts). No two places have an element in common. A part may leave out axes of size 1.",
        shape=_put_shape,
        reference=_put_reference,
        transpose=_put_transpose,
        batch=_put_batch,
        mask=_put_mask,
        parts=_put_parts,
        samples=_put_samples,
        title="x[i] = v",
        updates=lambda attrs, count: (0,),
        moves=True,
        exact=True,
        gaps="t",
    )
)


def put(x: Any, values: Any, place: Place) -> Any:
    """`x` with `values`, of the shape of the place but for axes of size 1, in place of its elements there."""
    if _long(values.shape) != _long(place[2]):
        values = broadcast_to_row(values, shape=place[2])
    return put_row(x, values, places=(place,))
