"""Sorted elements, their order, and where elements are: sort, argsort, partition, lexsort, searchsorted, argmax …"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError, UnsupportedError
from ..arithmetic import subtract
from ..common import explained, is_expression, kind, normal_axis, operand
from ..comparison import astype, isnan_row, select
from ..indexing import take
from ..row import Op
from ..shaping import moveaxis, ravel, reshape
from ..sorting import argmax_row, argmin_row, argsort_row, searchsorted_row, sort_row
from .along_axis import take_along_axis

_KINDS = (None, "quicksort", "mergesort", "heapsort", "stable")


def _sorted(row: Op, a: Any, axis: Any, method: Any, order: Any) -> Any:
    """A row that sorts along the last axis, along `axis`; None: all elements in C order."""
    if method not in _KINDS:
        raise ValueError(f"kind is {method!r}, it must be one of {_KINDS[1:]}")
    if order is not None:
        raise UnsupportedError("there are no fields to order by", "leave order out")
    a = operand(a)
    if axis is None:
        a, axis = ravel(a), -1
    k = normal_axis(axis, a.ndim)
    return moveaxis(row(moveaxis(a, k, -1)), -1, k)


@explained
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The elements along `axis` (None: all, in C order) in ascending order, nan last; a radix sort.

    Every `kind` is stable. The gradient of each place is that of the element there; equal elements stay in their order,
    and so does what is theirs of it.

    Raises:
        ShapeError: an axis out of range; ValueError: no such kind.

    Example:
        >>> pg.sort(np.array([[3, 1, 2], [6, 5, 4]]), axis=1)
        array([[1, 2, 3],
               [4, 5, 6]])
    """
    return _sorted(sort_row, a, axis, kind, order)


@explained
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The indices, int64, that sort `a` along `axis` (None: all elements, in C order); equal elements in their order.

    Raises:
        ShapeError: an axis out of range; ValueError: no such kind.

    Example:
        >>> pg.argsort(np.array([3, 1, 2]))
        array([1, 2, 0])
    """
    a = operand(a)
    return _sorted(argsort_row, a if a.ndim else ravel(a), axis, kind, order)


def _check_places(a: Any, kth: Any, axis: Any) -> None:
    a = operand(a)
    size = int(np.prod(a.shape)) if axis is None else a.shape[normal_axis(axis, a.ndim)]
    for k in np.ravel(kth):
        if not -size <= k < size:
            raise ValueError(f"kth is {k}, out of range for {size} elements")


@explained
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """As `sort`, which has at `kth` the element of that place, those before not above it and those behind not below.

    NumPy leaves the order among these open; here they are sorted.

    Raises:
        ShapeError: an axis out of range; ValueError: a place out of range.

    Example:
        >>> pg.partition(np.array([3, 1, 2]), 1)
        array([1, 2, 3])
    """
    _check_places(a, kth, axis)
    return _sorted(sort_row, a, axis, None, order)


@explained
def argpartition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """As `argsort`: the indices of `partition`.

    Raises:
        ShapeError: an axis out of range; ValueError: a place out of range.

    Example:
        >>> pg.argpartition(np.array([3, 1, 2]), 1)
        array([1, 2, 0])
    """
    _check_places(a, kth, axis)
    return _sorted(argsort_row, a, axis, None, order)


@explained
def lexsort(keys: Any, axis: int = -1) -> Any:
    """The indices, int64, that sort by several keys along `axis`, the last of which comes first.

    Args:
        keys: a sequence of arrays of one shape, or an array of them along axis 0.

    Raises:
        ShapeError: no keys, unequal shapes, or an axis out of range.

    Example:
        >>> pg.lexsort([np.array([1, 0, 2]), np.array([5, 5, 4])])
        array([2, 1, 0])
    """
    keys = [operand(key) for key in keys]
    if not keys:
        raise ShapeError("there are no keys", "give at least one")
    if any(key.shape != keys[0].shape for key in keys):
        raise ShapeError(f"keys of shapes {' and '.join(str(key.shape) for key in keys)}", "give equal shapes")
    k = normal_axis(axis, keys[0].ndim)
    first, *others = [moveaxis(key, k, -1) for key in keys]
    order = argsort_row(first)
    for key in others:
        order = take_along_axis(order, argsort_row(take_along_axis(key, order)))
    return moveaxis(order, -1, k)


@explained
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Where elements `v` would be put into the ascending vector `a` so that it stays in order; int64.

    Args:
        a: a vector in ascending order, nan last; what it gives for another is not defined.
        v: elements of any shape.
        side: "left", before elements that are equal, or "right", behind them.
        sorter: indices that sort `a`.

    Raises:
        ShapeError: `a` is not a vector; ValueError: another side.

    Example:
        >>> pg.searchsorted(np.array([1, 2, 2, 5]), np.array([2, 9]), side="right")
        array([3, 4])
    """
    a, v = operand(a), operand(v)
    if a.ndim != 1:
        raise ShapeError(f"an operand of shape {a.shape} is not a vector")
    if side not in ("left", "right"):
        raise ValueError(f"side is {side!r}, it must be 'left' or 'right'")
    if sorter is not None:
        a = take(a, sorter)
    dtype = np.promote_types(a.dtype, v.dtype)
    found = searchsorted_row(astype(a, dtype), ravel(astype(v, dtype)), right=side == "right")
    return reshape(found, v.shape)


@explained
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin of each element: i where bins[i-1] <= x < bins[i], with `right` bins[i-1] < x <= bins[i].

    Args:
        x: numbers of any shape.
        bins: a vector of edges, in ascending or descending order; for an expression that is in neither, the numbers
            mean nothing.

    Raises:
        ShapeError: `bins` is not a vector; ValueError: edges that are known and in no order.

    Example:
        >>> pg.digitize(np.array([0.2, 6.4, 3.0]), np.array([0.0, 1.0, 2.5, 4.0]))
        array([1, 4, 3])
    """
    bins, x = operand(bins), operand(x)
    if bins.ndim != 1:
        raise ShapeError(f"bins of shape {bins.shape} are not a vector")
    side = "left" if right else "right"
    count = bins.shape[0]
    ascending = searchsorted(bins, x, side)
    if count < 2:
        return ascending
    descending = subtract(count, searchsorted(bins[::-1], x, side))
    if is_expression(bins):
        return select(bins[0] <= bins[-1], ascending, descending)
    steps = np.diff(bins.astype(np.float64))
    if (steps >= 0).all():
        return ascending
    if not (steps <= 0).all():
        raise ValueError("bins must be in ascending or descending order")
    return descending


def _best(row: Op, name: str, a: Any, axis: Any, keepdims: bool) -> Any:
    a = operand(a)
    shape = a.shape
    if axis is None:
        a = ravel(a)
    k = 0 if axis is None else normal_axis(axis, a.ndim)
    if not a.shape[k]:
        raise ShapeError(f"{name} of no elements: shape {shape} along axis {axis}", "test x.size first")
    inner = int(np.prod(a.shape[k + 1 :]))
    found = row(reshape(a, (*a.shape[: k + 1], inner)))
    kept = (1,) * len(shape) if axis is None else (*shape[:k], 1, *shape[k + 1 :])
    return reshape(found, kept if keepdims else () if axis is None else (*shape[:k], *shape[k + 1 :]))


@explained
def argmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The index of the largest element along `axis` (None: of all, in C order): the first of several, or of a nan.

    Raises:
        ShapeError: an axis out of range, or without elements.

    Example:
        >>> pg.argmax(np.array([[1, 5, 5], [7, 4, 6]]), axis=1)
        array([1, 0])
    """
    return _best(argmax_row, "argmax", a, axis, keepdims)


@explained
def argmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The index of the smallest element along `axis` (None: of all, in C order): the first of several, or of a nan.

    Raises:
        ShapeError: an axis out of range, or without elements.

    Example:
        >>> pg.argmin(np.array([[1, 5, 1], [7, 4, 6]]), axis=1)
        array([0, 1])
    """
    return _best(argmin_row, "argmin", a, axis, keepdims)


def _without_nan(row: Op, name: str, a: Any, axis: Any, keepdims: bool, worst: float) -> Any:
    a = operand(a)
    return _best(row, name, select(isnan_row(a), worst, a) if kind(a) == "f" else a, axis, keepdims)


@explained
def nanargmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `argmax`, with nan passed over; 0 where all are nan, for which NumPy raises.

    Raises:
        ShapeError: an axis out of range, or without elements.

    Example:
        >>> int(pg.nanargmax(np.array([1.0, np.nan, 5.0])))
        2
    """
    return _without_nan(argmax_row, "nanargmax", a, axis, keepdims, -np.inf)


@explained
def nanargmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `argmin`, with nan passed over; 0 where all are nan, for which NumPy raises.

    Raises:
        ShapeError: an axis out of range, or without elements.

    Example:
        >>> int(pg.nanargmin(np.array([np.nan, 4.0, 1.0])))
        2
    """
    return _without_nan(argmin_row, "nanargmin", a, axis, keepdims, np.inf)
