"""Arrays joined to one, or with something added or left out: stacks, blocks, append, insert, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import IndexRangeError, ShapeError, shown
from ..common import explained, is_expression, normal_axis, operand
from ..comparison import astype
from ..shaping import broadcast_to, concatenate, expand_dims, moveaxis, ravel, reshape
from .parts import entries


def with_axes(x: Any, ndim: int) -> Any:
    """`x` with axes of size 1 in front until it has `ndim`."""
    x = operand(x)
    return x if x.ndim >= ndim else reshape(x, (*[1] * (ndim - x.ndim), *x.shape))


def _each(arys: Sequence[Any], change: Any) -> Any:
    changed = tuple(change(x) for x in arys)
    return changed[0] if len(changed) == 1 else changed


@explained
def atleast_1d(*arys: Any) -> Any:
    """Each array with one axis at least; a tuple where several are given.

    Example:
        >>> pg.atleast_1d(np.float64(2.0))
        array([2.])
    """
    return _each(arys, lambda x: with_axes(x, 1))


@explained
def atleast_2d(*arys: Any) -> Any:
    """Each array with two axes at least, new ones in front; a tuple where several are given.

    Example:
        >>> pg.atleast_2d(np.array([1, 2]))
        array([[1, 2]])
    """
    return _each(arys, lambda x: with_axes(x, 2))


@explained
def atleast_3d(*arys: Any) -> Any:
    """Each array with three axes at least: a vector becomes (1, n, 1), a matrix (m, n, 1).

    Example:
        >>> pg.atleast_3d(np.array([1, 2])).shape
        (1, 2, 1)
    """

    def changed(x: Any) -> Any:
        x = with_axes(x, 1)
        x = expand_dims(x, 0) if x.ndim == 1 else x
        return expand_dims(x, 2) if x.ndim == 2 else x

    return _each(arys, changed)


def _listed(tup: Any) -> list[Any]:
    if is_expression(tup) or isinstance(tup, np.ndarray):
        return [tup[i] for i in range(len(tup))]
    if not isinstance(tup, Sequence) or not tup:
        raise ShapeError(f"{shown(tup)} is not a sequence of arrays", "give a list of them: [x, y]")
    return [operand(x) for x in tup]


def _joined(arrays: list[Any], axis: int, dtype: Any) -> Any:
    result = concatenate(arrays, axis)
    return result if dtype is None else astype(result, dtype)


@explained
def hstack(tup: Any, *, dtype: Any = None) -> Any:
    """The arrays one after another along axis 1, vectors along axis 0.

    Raises:
        ShapeError: no arrays, or shapes that differ along another axis.

    Example:
        >>> pg.hstack([np.array([1, 2]), np.array([3])])
        array([1, 2, 3])
    """
    arrays = [with_axes(x, 1) for x in _listed(tup)]
    return _joined(arrays, 0 if arrays[0].ndim == 1 else 1, dtype)


@explained
def vstack(tup: Any, *, dtype: Any = None) -> Any:
    """The arrays one after another along axis 0, vectors as rows.

    Raises:
        ShapeError: no arrays, or shapes that differ along another axis.

    Example:
        >>> pg.vstack([np.array([1, 2]), np.array([3, 4])])
        array([[1, 2],
               [3, 4]])
    """
    return _joined([with_axes(x, 2) for x in _listed(tup)], 0, dtype)


@explained
def dstack(tup: Any) -> Any:
    """The arrays one after another along axis 2, of which they get one where they have none; see `atleast_3d`.

    Raises:
        ShapeError: no arrays, or shapes that differ along another axis.

    Example:
        >>> pg.dstack([np.array([1, 2]), np.array([3, 4])])
        array([[[1, 3],
                [2, 4]]])
    """
    return _joined([atleast_3d(x) for x in _listed(tup)], 2, None)


@explained
def column_stack(tup: Any) -> Any:
    """Vectors as the columns of a matrix; matrices side by side.

    Raises:
        ShapeError: no arrays, or unequal lengths.

    Example:
        >>> pg.column_stack([np.array([1, 2]), np.array([3, 4])])
        array([[1, 3],
               [2, 4]])
    """
    arrays = [x if x.ndim > 1 else reshape(x, (-1, 1)) for x in _listed(tup)]
    return _joined(arrays, 1, None)


@explained
def block(arrays: Any) -> Any:
    """An array put together from nested lists of blocks: the innermost lists along the last axis.

    Raises:
        ShapeError: an empty list, lists nested to different depths, or blocks that do not fit.

    Example:
        >>> pg.block([[np.eye(2), np.zeros((2, 1))], [np.ones((1, 2)), 5.0]])
        array([[1., 0., 0.],
               [0., 1., 0.],
               [1., 1., 5.]])
    """
    depth, ndim = _nesting(arrays)
    return _assembled(arrays, depth, max(depth, ndim))


def _nesting(arrays: Any) -> tuple[int, int]:
    """How deep lists are nested, and the most axes of a block."""
    if not isinstance(arrays, list):
        return 0, operand(arrays).ndim
    if not arrays:
        raise ShapeError("there is an empty list of blocks", "leave the list out")
    found = [_nesting(x) for x in arrays]
    if len({depth for depth, _ in found}) > 1:
        raise ShapeError("lists of blocks are nested to different depths", "give every block as many lists around it")
    return found[0][0] + 1, max(ndim for _, ndim in found)


def _assembled(arrays: Any, depth: int, ndim: int) -> Any:
    if not depth:
        return with_axes(arrays, ndim)
    return concatenate([_assembled(x, depth - 1, ndim) for x in arrays], ndim - depth)


@explained
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` and then `values` along `axis`; both raveled where it is None.

    Raises:
        ShapeError: shapes that differ along another axis, or an axis out of range.

    Example:
        >>> pg.append(np.array([1, 2]), 3)
        array([1, 2, 3])
    """
    arr, values = operand(arr), operand(values)
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([arr, values], axis)


def _positions(obj: Any, size: int, end: int) -> np.ndarray[Any, Any]:
    """Positions along an axis as ints from 0 to `end` - 1: an int, a slice, or a list of ints or bools."""
    if is_expression(obj):
        raise ShapeError("positions are given as an expression", "give ints known when recording: shapes are static")
    if isinstance(obj, slice):
        return np.arange(*obj.indices(size))
    at = np.asarray(obj)
    if at.dtype == np.bool_:
        if at.shape != (size,):
            raise ShapeError(f"a mask of shape {at.shape} for an axis of {size}", "give one bool for each position")
        return np.flatnonzero(at)
    if at.size and at.dtype.kind != "i":
        raise ShapeError(f"positions are {shown(obj)}", "give ints")
    at = at.astype(np.int64)
    if np.any((at < -size) | (at >= end)):
        raise IndexRangeError(f"position {shown(obj)} is out of range for an axis of {size}", "give one within it")
    return np.where(at < 0, at + size, at)


@explained
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`arr` without the positions `obj` (an int, a slice, a list of ints or bools) along `axis`; raveled for None.

    Raises:
        IndexRangeError: a position out of range.
        ShapeError: positions that are not known when recording.

    Example:
        >>> pg.delete(np.array([1, 2, 3, 4]), [0, 2])
        array([2, 4])
    """
    x = operand(arr)
    x, k = (ravel(x), 0) if axis is None else (x, normal_axis(axis, x.ndim))
    size = x.shape[k]
    kept = np.ones(size, np.bool_)
    kept[_positions(obj, size, size)] = False
    return entries(x, k, np.flatnonzero(kept))


@explained
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with `values` put before the positions `obj` (an int, a slice, a list of ints) along `axis`.

    Positions are those of `arr` as it is given; `values` broadcast, and take its dtype. Raveled where `axis` is None.

    Raises:
        IndexRangeError: a position out of range.
        ShapeError: positions that are not known when recording, or values that do not broadcast.

    Example:
        >>> pg.insert(np.array([1, 2, 3]), 1, 9)
        array([1, 9, 2, 3])
    """
    x = operand(arr)
    x, k = (ravel(x), 0) if axis is None else (x, normal_axis(axis, x.ndim))
    size = x.shape[k]
    at = _positions(obj, size, size + 1)
    given = astype(operand(values), x.dtype)
    if at.size == 1:  # takes as many entries as there are
        given = with_axes(given, x.ndim)
        given = given if at.ndim else moveaxis(given, 0, k)
        at = np.full(given.shape[k], at.item())
    placed = broadcast_to(given, tuple(len(at) if axis == k else n for axis, n in enumerate(x.shape)))
    order = np.argsort(at, kind="stable")
    taken: list[int] = []
    last = 0
    for entry in order:
        taken += [*range(last, int(at[entry])), size + int(entry)]
        last = int(at[entry])
    taken += range(last, size)
    return entries(concatenate([x, placed], k), k, taken)
