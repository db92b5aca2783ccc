"""Rows that rearrange elements (reshape, transpose, broadcast_to, slice, unslice, concatenate) and their functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError, UnsupportedError, named, shown
from . import mask_rules
from .common import broadcast_shapes, explained, is_expression, normal_axes, normal_axis, operand, static_shape
from .dtypes import as_dtype
from .expr import Batch, Expr, MaskRule, Transpose
from .row import Attrs, Family, Op, Shape, register
from .strides import Strided, broadcast_strides, reshape_strides, row_major

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flip",
    "moveaxis",
    "ravel",
    "reshape",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
]


def _linear(
    name: str,
    doc: str,
    shape: Callable[[Sequence[Shape], Attrs], Shape],
    reference: Callable[..., Any],
    transpose: Transpose,
    batch: Batch,
    mask: MaskRule,
    arity: int | None = 1,
    repeats: bool = False,
    gaps: str = "",
    view: Callable[[Strided, Shape, Attrs], tuple[int, Shape] | None] | None = None,
    parts: Callable[[Sequence[Shape], Shape, Attrs], Sequence[tuple[int, Shape]]] | None = None,
    notation: str | Callable[[Sequence[Shape], Attrs], str] = "",
) -> Op:
    return register(
        Op(
            name,
            Family.LINEAR,
            arity,
            doc,
            shape=shape,
            reference=reference,
            transpose=transpose,
            batch=batch,
            mask=mask,
            moves=True,
            repeats=repeats,
            exact=True,
            gaps=gaps,
            view=view,
            parts=parts,
            notation=notation,
        )
    )


def in_batch(x: Expr, batched: bool, size: int) -> Expr:
    """An operand with the leading batch axis: repeated along it where it has none."""
    return x if batched else broadcast_to_row(x, shape=(size, *x.shape))


def aligned(x: Expr, ndim: int) -> Expr:
    """An operand with a batch axis, and after that axes of size 1 until it has `ndim` others: as broadcasting pads."""
    lead = ndim + 1 - len(x.shape)
    return x if lead <= 0 else reshape_row(x, shape=(x.shape[0], *[1] * lead, *x.shape[1:]))


def _reshape_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    wanted: Shape = attrs["shape"]
    if min(wanted, default=0) < 0 or prod(wanted) != prod(shapes[0]):
        raise _unfit(shapes[0], wanted)
    return wanted


def _unfit(shape: Shape, wanted: Shape) -> ShapeError:
    size = prod(shape)
    problem = f"shape {shape} with {size} elements cannot become {wanted}"
    return ShapeError(problem, f"give a shape of {size} elements, in which one size may be -1")


def _reshape_notation(shapes: Sequence[Shape], attrs: Attrs) -> str:
    """As an index where axes of size 1 come or go and no others: `x[:, None]`, `x[:, 0]`."""
    (before,), after = shapes, attrs["shape"]
    index, i, k = [], 0, 0
    while i < len(before) or k < len(after):
        if i < len(before) and k < len(after) and before[i] == after[k]:
            index.append(":")
            i, k = i + 1, k + 1
        elif k < len(after) and after[k] == 1:
            index.append("None")
            k += 1
        elif i < len(before) and before[i] == 1:
            index.append("0")
            i += 1
        else:
            return ""
    while index and index[-1] == ":":
        index.pop()
    return f"{{0}}[{', '.join(index)}]" if index else ""


def _reshape_view(x: Strided, shape: Shape, attrs: Attrs) -> tuple[int, Shape] | None:
    strides = reshape_strides(x.shape, x.strides, shape)
    return None if strides is None else (x.offset, strides)


reshape_row: Op = _linear(
    "reshape",
    "The elements, in C order, in another shape.",
    _reshape_shape,
    lambda x, shape: np.reshape(x, shape),
    lambda cotangent, node, i: reshape_row(cotangent, shape=node.inputs[0].shape),
    lambda node, xs, batched, size: reshape_row(xs[0], shape=(size, *node.shape)),
    mask_rules.reshape,
    view=_reshape_view,
    notation=_reshape_notation,
)


def _transpose_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    axes = attrs["axes"]
    if sorted(axes) != list(range(len(shapes[0]))):
        raise ShapeError(f"axes {axes} are not a permutation of the {len(shapes[0])} axes of shape {shapes[0]}")
    return tuple(shapes[0][axis] for axis in axes)


def _transpose_notation(shapes: Sequence[Shape], attrs: Attrs) -> str:
    """As of a matrix, where the last two axes change places and no others."""
    axes = tuple(attrs["axes"])
    turned = (*range(len(axes) - 2), len(axes) - 1, len(axes) - 2)
    return "{0}ᵀ" if len(axes) > 1 and axes == turned else ""


def _inverse(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


transpose_row: Op = _linear(
    "transpose",
    "The axes permuted: axis k of the result is axis axes[k] of the operand.",
    _transpose_shape,
    lambda x, axes: np.transpose(x, axes),
    lambda cotangent, node, i: transpose_row(cotangent, axes=_inverse(node.attrs["axes"])),
    lambda node, xs, batched, size: transpose_row(xs[0], axes=(0, *(axis + 1 for axis in node.attrs["axes"]))),
    mask_rules.transpose,
    view=lambda x, shape, attrs: (x.offset, tuple(x.strides[axis] for axis in attrs["axes"])),
    notation=_transpose_notation,
)


def _broadcast_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    wanted: Shape = attrs["shape"]
    if len(shapes[0]) > len(wanted) or broadcast_shapes([shapes[0], wanted]) != wanted:
        raise ShapeError(f"shape {shapes[0]} does not broadcast to {wanted}")
    return wanted


broadcast_to_row: Op = _linear(
    "broadcast_to",
    "The operand repeated along new leading axes and axes of size 1. As for every row that broadcasts, the cotangent "
    "has the result's shape, and the engine sums it.",
    _broadcast_shape,
    lambda x, shape: np.broadcast_to(x, shape),
    lambda cotangent, node, i: cotangent,
    lambda node, xs, batched, size: broadcast_to_row(aligned(xs[0], len(node.shape)), shape=(size, *node.shape)),
    mask_rules.unchanged,
    repeats=True,
    view=lambda x, shape, attrs: (x.offset, broadcast_strides(x, shape)),
)


def check_places(whole: Shape, part: Shape, starts: Shape, steps: Shape) -> None:
    """Raise unless `part` elements at `starts`, every `steps`, lie within `whole` along each axis."""
    if not len(whole) == len(part) == len(starts) == len(steps):
        raise ShapeError(f"starts {starts}, steps {steps} and shape {part} do not fit an operand of shape {whole}")
    for size, count, start, step in zip(whole, part, starts, steps, strict=True):
        if count and not (step and 0 <= start < size and 0 <= start + (count - 1) * step < size):
            raise ShapeError(f"{count} elements from {start} in steps of {step} leave an axis of size {size}")


def _slice_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    wanted: Shape = attrs["shape"]
    check_places(shapes[0], wanted, attrs["starts"], attrs["steps"])
    return wanted


def _unslice_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    wanted: Shape = attrs["shape"]
    check_places(wanted, shapes[0], attrs["starts"], attrs["steps"])
    return wanted


def places(starts: Sequence[int], steps: Sequence[int], part: Shape) -> tuple[slice, ...]:
    """The Python slices that pick `part` elements along each axis."""
    ends = [start + count * step for start, step, count in zip(starts, steps, part, strict=True)]
    return tuple(
        slice(start, end if end >= 0 else None, step) if count else slice(0, 0)
        for start, end, step, count in zip(starts, ends, steps, part, strict=True)
    )


def _slice_notation(shapes: Sequence[Shape], attrs: Attrs) -> str:
    """As in NumPy: an axis that is taken whole is `:`, and those at the end are left out."""
    texts = []
    for at, size in zip(places(attrs["starts"], attrs["steps"], attrs["shape"]), shapes[0], strict=True):
        step = 1 if at.step is None else at.step
        begin = "" if at.start == (0 if step > 0 else size - 1) else at.start
        end = "" if at.stop is None or at.stop >= size else at.stop
        texts.append(f"{begin}:{end}" + ("" if step == 1 else f":{step}"))
    while texts and texts[-1] == ":":
        texts.pop()
    return f"{{0}}[{', '.join(texts)}]" if texts else ""


def _unslice(x: npt.NDArray[Any], starts: Sequence[int], steps: Sequence[int], shape: Shape) -> npt.NDArray[Any]:
    result = np.zeros(shape, x.dtype)
    result[places(starts, steps, x.shape)] = x
    return result


def _placed_in_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    starts, steps = node.attrs["starts"], node.attrs["steps"]
    return node.op(xs[0], starts=(0, *starts), steps=(1, *steps), shape=(size, *node.shape))


def _slice_view(x: Strided, shape: Shape, attrs: Attrs) -> tuple[int, Shape]:
    strides = tuple(s * step for s, step in zip(x.strides, attrs["steps"], strict=True))
    return x.offset + sum(s * start for s, start in zip(x.strides, attrs["starts"], strict=True)), strides


slice_row = _linear(
    "slice",
    "Element i along each axis is element start + i * step of the operand; steps may be negative. Basic indexing.",
    _slice_shape,
    lambda x, starts, steps, shape: x[places(starts, steps, shape)],
    lambda cotangent, node, i: unslice_row(
        cotangent, starts=node.attrs["starts"], steps=node.attrs["steps"], shape=node.inputs[0].shape
    ),
    _placed_in_batch,
    mask_rules.slice_,
    gaps="t",
    view=_slice_view,
    notation=_slice_notation,
)


def _unslice_parts(shapes: Sequence[Shape], shape: Shape, attrs: Attrs) -> list[tuple[int, Shape]]:
    strides = row_major(shape)
    steps = tuple(s * step for s, step in zip(strides, attrs["steps"], strict=True))
    start = sum(s * start for s, start in zip(strides, attrs["starts"], strict=True))
    return [(start if prod(shapes[0]) else 0, steps)]


unslice_row: Op = _linear(
    "unslice",
    "Zeros of `shape` with the operand at the places that slice would read: the transpose of slice; also padding.",
    _unslice_shape,
    _unslice,
    lambda cotangent, node, i: slice_row(
        cotangent, starts=node.attrs["starts"], steps=node.attrs["steps"], shape=node.inputs[0].shape
    ),
    _placed_in_batch,
    mask_rules.unslice,
    gaps="f",
    parts=_unslice_parts,
)


def _concatenate_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    axis, first = attrs["axis"], shapes[0]
    if not 0 <= axis < len(first):
        raise ShapeError(f"axis {axis} is out of range for operands with {len(first)} dimensions")
    rest = first[:axis], first[axis + 1 :]
    if any(len(s) != len(first) or (s[:axis], s[axis + 1 :]) != rest for s in shapes):
        raise ShapeError(f"shapes {' and '.join(map(str, shapes))} must be equal except along axis {axis}")
    return (*rest[0], sum(s[axis] for s in shapes), *rest[1])


def _concatenate_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    axis, shape = node.attrs["axis"], node.inputs[i].shape
    starts = [0] * len(shape)
    starts[axis] = sum(operand.shape[axis] for operand in node.inputs[:i])
    return slice_row(cotangent, starts=tuple(starts), steps=(1,) * len(shape), shape=shape)


def _concatenate_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    whole = (in_batch(x, has_axis, size) for x, has_axis in zip(xs, batched, strict=True))
    return concatenate_row(*whole, axis=node.attrs["axis"] + 1)


def _concatenate_parts(shapes: Sequence[Shape], shape: Shape, attrs: Attrs) -> list[tuple[int, Shape]]:
    strides, axis = row_major(shape), attrs["axis"]
    starts = accumulate((part[axis] for part in shapes[:-1]), initial=0)
    return [(start * strides[axis], strides) for start in starts]


concatenate_row: Op = _linear(
    "concatenate",
    "The operands one after another along `axis`.",
    _concatenate_shape,
    lambda *xs, axis: np.concatenate(xs, axis),
    _concatenate_transpose,
    _concatenate_batch,
    mask_rules.concatenate,
    arity=None,
    parts=_concatenate_parts,
)


@explained
def reshape(x: Any, shape: Any, order: str = "C") -> Any:
    """The elements of `x` in `shape` (an int or a tuple, in which one size may be -1), in C order or in Fortran's, "F".

    Raises:
        ShapeError: another number of elements; UnsupportedError: another order.

    Example:
        >>> pg.reshape(np.array([1, 2, 3, 4]), (2, -1))
        array([[1, 2],
               [3, 4]])
    """
    x = operand(x)
    wanted = static_shape(shape, inferred=True)
    if wanted.count(-1) == 1:
        size, known = prod(x.shape), -prod(wanted)
        if not known or size % known:
            raise _unfit(x.shape, wanted)
        wanted = tuple(size // known if n == -1 else n for n in wanted)
    if _is_fortran(order):
        return transpose(reshape(transpose(x), wanted[::-1]))
    return x if x.shape == wanted else reshape_row(x, shape=wanted)


def _is_fortran(order: str) -> bool:
    if order not in ("C", "F"):
        raise UnsupportedError(f"order={shown(order)}", "give 'C' or 'F': an expression has no order in memory")
    return order == "F"


@explained
def ravel(x: Any, order: str = "C") -> Any:
    """The elements of `x` along one axis, in C order, or in Fortran's ("F").

    Raises:
        UnsupportedError: another order.

    Example:
        >>> pg.ravel(np.array([[1, 2], [3, 4]]))
        array([1, 2, 3, 4])
    """
    x = operand(x)
    return reshape(transpose(x) if _is_fortran(order) else x, (prod(x.shape),))


@explained
def transpose(x: Any, axes: Any = None) -> Any:
    """`x` with its axes permuted: axis k of the result is axis `axes[k]`; by default all are reversed.

    Raises:
        ShapeError: `axes` is not a permutation.

    Example:
        >>> pg.transpose(np.array([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]])
    """
    x = operand(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else normal_axes(axes, x.ndim)
    return x if order == tuple(range(x.ndim)) else transpose_row(x, axes=order)


@explained
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """`x` with the axes `source` (an int or several) at the positions `destination`, the others in their order.

    Raises:
        ShapeError: an axis out of range or named twice, or unequal numbers of them.

    Example:
        >>> pg.moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    x = operand(x)
    sources = normal_axes((source,) if np.ndim(source) == 0 else source, x.ndim)
    targets = normal_axes((destination,) if np.ndim(destination) == 0 else destination, x.ndim)
    if len(sources) != len(targets):
        raise ShapeError(f"{len(sources)} source axes but {len(targets)} destinations")
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return transpose(x, order)


@explained
def swapaxes(x: Any, axis1: Any, axis2: Any) -> Any:
    """`x` with two axes exchanged.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.swapaxes(np.zeros((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    x = operand(x)
    first, second = normal_axis(axis1, x.ndim), normal_axis(axis2, x.ndim)
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    return transpose(x, order)


@explained
def expand_dims(x: Any, axis: Any) -> Any:
    """`x` with axes of size 1 inserted at the positions `axis` (an int or several) of the result.

    Raises:
        ShapeError: a position out of range or named twice.

    Example:
        >>> pg.expand_dims(np.array([1, 2]), 1)
        array([[1],
               [2]])
    """
    x = operand(x)
    count = 1 if np.ndim(axis) == 0 else len(axis)
    axes = normal_axes((axis,) if np.ndim(axis) == 0 else axis, x.ndim + count)
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if k in axes else next(sizes) for k in range(x.ndim + count)))


@explained
def squeeze(x: Any, axis: Any = None) -> Any:
    """`x` without the axes `axis` (an int or several, by default all) of size 1.

    Raises:
        ShapeError: an axis out of range, or of another size than 1.

    Example:
        >>> pg.squeeze(np.array([[1], [2]]))
        array([1, 2])
    """
    x = operand(x)
    axes = normal_axes(axis, x.ndim)
    if axis is None:
        axes = tuple(k for k in axes if x.shape[k] == 1)
    for k in axes:
        if x.shape[k] != 1:
            problem = f"axis {k} of shape {x.shape} has size {x.shape[k]}, not 1"
            raise ShapeError(problem, "leave axis out to drop all axes of size 1, or take an element: x[0]")
    return reshape(x, tuple(n for k, n in enumerate(x.shape) if k not in axes))


@explained
def broadcast_to(x: Any, shape: Any) -> Any:
    """`x` repeated to `shape` by NumPy's rule; a read-only view for an array.

    Raises:
        ShapeError: `x` does not broadcast to `shape`.

    Example:
        >>> pg.broadcast_to(np.array([1, 2]), (2, 2))
        array([[1, 2],
               [1, 2]])
    """
    x = operand(x)
    wanted = static_shape(shape)
    return x if x.shape == wanted else broadcast_to_row(x, shape=wanted)


def _listed(arrays: Any, axis: Any, name: str) -> list[Any]:
    """The operands of a function that joins arrays, which are one argument."""
    if is_expression(axis) or (isinstance(axis, np.ndarray) and axis.ndim):
        raise ShapeError(
            "the second argument is the axis, not an array", f"put the arrays in a list: np.{name}([x, y])"
        )
    if not isinstance(arrays, Iterable):
        raise ShapeError(f"{named(arrays)} is not a sequence of arrays", f"put the arrays in a list: np.{name}([x, y])")
    return [operand(x) for x in arrays]


@explained
def concatenate(arrays: Sequence[Any], axis: Any = 0, *, dtype: Any = None) -> Any:
    """The arrays, promoted to one dtype, one after another along `axis`; all raveled first when it is None.

    With `dtype` they are converted to that.

    Raises:
        ShapeError: no arrays, scalars, an axis out of range, or shapes that differ along another axis.

    Example:
        >>> pg.concatenate([np.array([1, 2]), np.array([3])])
        array([1, 2, 3])
    """
    xs = _listed(arrays, axis, "concatenate")
    if not xs:
        raise ShapeError("there is no array", "give at least one")
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    if any(x.ndim == 0 for x in xs):
        raise ShapeError("scalars have no axis", "join scalars with np.stack([...]), or give np.reshape(v, (1,))")
    joined: Any = concatenate_row(*xs, axis=normal_axis(axis, xs[0].ndim))
    return joined if dtype is None else joined.astype(as_dtype(dtype))


@explained
def stack(arrays: Sequence[Any], axis: Any = 0, *, dtype: Any = None) -> Any:
    """The arrays, of one shape and promoted to one dtype, along a new axis at position `axis` of the result.

    With `dtype` they are converted to that.

    Raises:
        ShapeError: no arrays, unequal shapes, or an axis out of range.

    Example:
        >>> pg.stack([np.array([1, 2]), np.array([3, 4])], axis=1)
        array([[1, 3],
               [2, 4]])
    """
    xs = _listed(arrays, axis, "stack")
    if not xs:
        raise ShapeError("there is no array", "give at least one")
    if any(x.shape != xs[0].shape for x in xs):
        raise ShapeError(f"shapes {' and '.join(str(x.shape) for x in xs)} must be equal")
    k = normal_axis(axis, xs[0].ndim + 1)
    return concatenate([expand_dims(x, k) for x in xs], k, dtype=dtype)


@explained
def flip(x: Any, axis: Any = None) -> Any:
    """`x` with the order of elements reversed along `axis` (an int or several, by default all).

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.flip(np.array([1, 2, 3]))
        array([3, 2, 1])
    """
    x = operand(x)
    axes = normal_axes(axis, x.ndim)
    turned = [k in axes and n > 1 for k, n in enumerate(x.shape)]
    if not any(turned):
        return x
    starts = tuple(n - 1 if turn else 0 for n, turn in zip(x.shape, turned, strict=True))
    return slice_row(x, starts=starts, steps=tuple(-1 if turn else 1 for turn in turned), shape=x.shape)
