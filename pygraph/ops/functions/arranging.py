"""The elements of an array in another order, or repeated: flips, rolls, axes, tile, repeat, resize, places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError, shown
from ..arithmetic import add, floor_divide, mod, multiply
from ..common import broadcast_shapes, explained, is_expression, normal_axes, normal_axis, operand, static_shape
from ..keys import index
from ..shaping import broadcast_to, concatenate, expand_dims, flip, moveaxis, ravel, reshape, swapaxes
from .parts import part


@explained
def flipud(m: Any) -> Any:
    """`m` with its rows, along axis 0, in reversed order.

    Raises:
        ShapeError: a scalar.

    Example:
        >>> pg.flipud(np.array([[1, 2], [3, 4]]))
        array([[3, 4],
               [1, 2]])
    """
    return flip(m, 0)


@explained
def fliplr(m: Any) -> Any:
    """`m` with its columns, along axis 1, in reversed order.

    Raises:
        ShapeError: an array of fewer than two axes.

    Example:
        >>> pg.fliplr(np.array([[1, 2], [3, 4]]))
        array([[2, 1],
               [4, 3]])
    """
    return flip(m, 1)


@explained
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """`m` turned by 90 degrees `k` times, from the first of two axes towards the second.

    Raises:
        ShapeError: not two different axes.

    Example:
        >>> pg.rot90(np.array([[1, 2], [3, 4]]))
        array([[2, 4],
               [1, 3]])
    """
    m = operand(m)
    plane = normal_axes(axes, m.ndim)
    if len(plane) != 2:
        raise ShapeError(f"axes is {shown(axes)}", "give two different axes")
    first, second = plane
    turns = static_shape(k % 4)[0]
    if turns == 0:
        return m
    if turns == 2:
        return flip(m, plane)
    return swapaxes(flip(m, second), first, second) if turns == 1 else flip(swapaxes(m, first, second), second)


@explained
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """`a` with its elements moved by `shift` places along `axis`, those beyond the end to the beginning.

    Args:
        a: an array.
        shift: an int, or one for each axis.
        axis: an int or several; None: over all elements, in C order.

    Raises:
        ShapeError: an axis out of range, or numbers of shifts and axes that do not broadcast.

    Example:
        >>> pg.roll(np.arange(5), 2)
        array([3, 4, 0, 1, 2])
    """
    a = operand(a)
    if axis is None:
        return reshape(roll(ravel(a), np.sum(shift), 0), a.shape)
    try:
        pairs = np.broadcast(shift, axis)
    except ValueError as error:
        raise ShapeError(f"{shown(shift)} shifts for axes {shown(axis)}", "give one shift for each axis") from error
    for by, along in pairs:
        (k,) = normal_axes(int(along), a.ndim)
        size = a.shape[k]
        cut = int(by) % size if size else 0
        if cut:
            a = concatenate([part(a, k, size - cut, size), part(a, k, 0, size - cut)], k)
    return a


@explained
def tile(A: Any, reps: Any) -> Any:
    """`A` repeated along each axis as often as `reps` says; the shorter of both counts as filled with ones in front.

    Raises:
        ShapeError: a negative number of repetitions.

    Example:
        >>> pg.tile(np.array([1, 2]), (2, 2))
        array([[1, 2, 1, 2],
               [1, 2, 1, 2]])
    """
    x, counts = operand(A), static_shape(reps)
    ndim = max(x.ndim, len(counts))
    counts = (*[1] * (ndim - len(counts)), *counts)
    shape = (*[1] * (ndim - x.ndim), *x.shape)
    apart = reshape(x, tuple(n for size in shape for n in (1, size)))
    spread = broadcast_to(apart, tuple(n for pair in zip(counts, shape, strict=True) for n in pair))
    return reshape(spread, tuple(count * size for count, size in zip(counts, shape, strict=True)))


@explained
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry along `axis` so many times, or as often as `repeats` says of it; raveled where `axis` is None.

    Raises:
        ShapeError: negative repetitions, a number of them that does not fit, or one not known when recording.

    Example:
        >>> pg.repeat(np.array([1, 2]), [2, 3])
        array([1, 1, 2, 2, 2])
    """
    x = operand(a)
    x, k = (ravel(x), 0) if axis is None else (x, normal_axis(axis, x.ndim))
    size = x.shape[k]
    if is_expression(repeats):
        raise ShapeError("repeats is an expression", "give ints known when recording: shapes are static")
    counts = static_shape(np.ravel(repeats))
    if len(counts) not in (1, size):
        raise ShapeError(f"{len(counts)} repetitions for an axis of {size}", "give one, or one for each entry")
    if len(counts) == 1:
        spread = broadcast_to(expand_dims(x, k + 1), (*x.shape[: k + 1], *counts, *x.shape[k + 1 :]))
        return reshape(spread, (*x.shape[:k], size * counts[0], *x.shape[k + 1 :]))
    return index(x, ((slice(None),) * k + (np.repeat(np.arange(size), counts),)))


@explained
def resize(a: Any, new_shape: Any) -> Any:
    """The elements of `a` in C order, from the first one again where there are too few; zeros where `a` is empty.

    Raises:
        ShapeError: not a shape.

    Example:
        >>> pg.resize(np.array([1, 2, 3]), (2, 2))
        array([[1, 2],
               [3, 1]])
    """
    x, shape = ravel(operand(a)), static_shape(new_shape)
    size = int(np.prod(shape, dtype=np.int64))
    if not x.size:
        return broadcast_to(np.zeros((), x.dtype), shape)
    return reshape(index(tile(x, -(-size // x.size)), slice(0, size)), shape)


@explained
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`a` with `axis` moved so that it lies before the axis that is now at `start`.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.rollaxis(np.ones((2, 3, 4)), 2).shape
        (4, 2, 3)
    """
    x = operand(a)
    k = normal_axis(axis, x.ndim)
    to = x.ndim if start == x.ndim else normal_axis(start, x.ndim)
    return moveaxis(x, k, to - 1 if k < to else to)


@explained
def matrix_transpose(x: Any, /) -> Any:
    """`x` with its last two axes exchanged.

    Raises:
        ShapeError: an array of fewer than two axes.

    Example:
        >>> pg.matrix_transpose(np.array([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]])
    """
    return swapaxes(x, -1, -2)


@explained
def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """The arrays, each spread to the shape that all of them broadcast to.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.broadcast_arrays(np.array([1, 2]), 3)
        (array([1, 2]), array([3, 3]))
    """
    arrays = [operand(x) for x in args]
    shape = broadcast_shapes([x.shape for x in arrays]) if arrays else ()
    return tuple(broadcast_to(x, shape) for x in arrays)


@explained
def ravel_multi_index(multi_index: Any, dims: Any) -> Any:
    """The places in a raveled array of shape `dims` of the elements at these indices, one array for each axis.

    The indices are taken to be in range; those that are known when recording are checked.

    Raises:
        ShapeError: more or fewer arrays than axes.

    Example:
        >>> pg.ravel_multi_index((np.array([0, 1]), np.array([2, 0])), (2, 3))
        array([2, 3])
    """
    sizes = static_shape(dims)
    if len(multi_index) != len(sizes):
        raise ShapeError(f"{len(multi_index)} indices for {len(sizes)} axes", "give one array for each axis")
    if not any(is_expression(i) for i in multi_index):
        return np.ravel_multi_index(tuple(multi_index), sizes)
    place: Any = 0
    for i, size in zip(multi_index, sizes, strict=True):
        place = add(multiply(place, size), operand(i))
    return place


@explained
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """For each axis of an array of `shape`, the indices of the elements at these places of the raveled array.

    The places are taken to be in range; those that are known when recording are checked.

    Raises:
        ShapeError: not a shape.

    Example:
        >>> pg.unravel_index(np.array([2, 3]), (2, 3))
        (array([0, 1]), array([2, 0]))
    """
    sizes = static_shape(shape)
    if not is_expression(indices):
        return np.unravel_index(indices, sizes)
    rest, found = operand(indices), []
    for size in reversed(sizes):
        found.append(mod(rest, size))
        rest = floor_divide(rest, size)
    return tuple(reversed(found))
