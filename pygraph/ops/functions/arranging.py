"""The elements of an array in another order, or repeated: fliplr, flipud, roll, rot90, tile."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError, shown
from ..common import explained, normal_axes, operand, static_shape
from ..shaping import broadcast_to, concatenate, flip, ravel, reshape, slice_row, swapaxes


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
            a = concatenate([_part(a, k, size - cut, size), _part(a, k, 0, size - cut)], k)
    return a


def _part(a: Any, axis: int, start: int, stop: int) -> Any:
    starts = tuple(start if k == axis else 0 for k in range(a.ndim))
    shape = tuple(stop - start if k == axis else n for k, n in enumerate(a.shape))
    return slice_row(a, starts=starts, steps=(1,) * a.ndim, shape=shape)


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
