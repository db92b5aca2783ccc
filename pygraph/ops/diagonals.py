"""Diagonals and triangles of matrices: diag, diagflat, diagonal, tril, triu."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from .common import explained, is_expression, normal_axes, operand
from .comparison import select
from .counting import tri
from .shaping import moveaxis, ravel, reshape, slice_row, unslice_row

__all__ = ["diag", "diagflat", "diagonal", "tril", "triu"]


@explained
def diag(v: Any, k: int = 0) -> Any:
    """A square matrix with the vector `v` on diagonal `k`, or diagonal `k` of the matrix `v`.

    Diagonal 0 starts in the corner; those with a positive `k` lie right of it, those with a negative one below.

    Raises:
        ShapeError: `v` is neither a vector nor a matrix.

    Example:
        >>> pg.diag(np.array([1, 2]), 1)
        array([[0, 1, 0],
               [0, 0, 2],
               [0, 0, 0]])
    """
    v = operand(v)
    if not is_expression(v):
        if v.ndim not in (1, 2):
            raise _neither(v)
        return np.diag(v, k)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise _neither(v)
    size = v.shape[0] + abs(k)
    start = 0 if not v.shape[0] else k if k >= 0 else -k * size
    placed = unslice_row(v, starts=(start,), steps=(size + 1,), shape=(size * size,))
    return reshape(placed, (size, size))


def _neither(v: Any) -> ShapeError:
    return ShapeError(f"an operand of shape {v.shape} is neither a vector nor a matrix", "give one or two axes")


@explained
def diagflat(v: Any, k: int = 0) -> Any:
    """A square matrix with the elements of `v`, in C order, on diagonal `k`; see `diag`.

    Example:
        >>> pg.diagflat(np.array([[1, 2]]))
        array([[1, 0],
               [0, 2]])
    """
    return diag(ravel(v), k)


@explained
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Diagonal `offset` of the matrices along two axes of `a`, as the last axis of the result; see `diag`.

    Raises:
        ShapeError: fewer than two axes, or an axis out of range or named twice.

    Example:
        >>> pg.diagonal(np.array([[1, 2], [3, 4]]))
        array([1, 4])
    """
    a = operand(a)
    if a.ndim < 2:
        raise ShapeError(f"an operand of shape {a.shape} has no diagonal", "give at least two axes")
    first, second = normal_axes((axis1, axis2), a.ndim)
    if not is_expression(a):
        return np.diagonal(a, offset, first, second)
    a = moveaxis(a, (first, second), (-2, -1))
    *lead, rows, columns = a.shape
    count = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    start = (max(offset, 0) - min(offset, 0) * columns) if count else 0
    a = reshape(a, (*lead, rows * columns))
    starts, steps = (*[0] * len(lead), start), (*[1] * len(lead), columns + 1)
    return slice_row(a, starts=starts, steps=steps, shape=(*lead, count))


@explained
def tril(m: Any, k: int = 0) -> Any:
    """The lower triangles of the matrices along the last two axes of `m`: zeros above diagonal `k` (see `diag`).

    Raises:
        ShapeError: a scalar.

    Example:
        >>> pg.tril(np.array([[1, 2], [3, 4]]))
        array([[1, 0],
               [3, 4]])
    """
    m = _with_axes(m)
    return np.tril(m, k) if not is_expression(m) else select(tri(*_sizes(m), k), m, np.zeros((), m.dtype))


@explained
def triu(m: Any, k: int = 0) -> Any:
    """The upper triangles of the matrices along the last two axes of `m`: zeros below diagonal `k` (see `diag`).

    Raises:
        ShapeError: a scalar.

    Example:
        >>> pg.triu(np.array([[1, 2], [3, 4]]))
        array([[1, 2],
               [0, 4]])
    """
    m = _with_axes(m)
    return np.triu(m, k) if not is_expression(m) else select(tri(*_sizes(m), k - 1), np.zeros((), m.dtype), m)


def _with_axes(m: Any) -> Any:
    m = operand(m)
    if not m.ndim:
        raise ShapeError("a scalar has no triangle", "give at least one axis")
    return m


def _sizes(m: Any) -> tuple[int, int]:
    """Rows and columns; a vector stands for equal rows, as in NumPy."""
    return (m.shape[-2], m.shape[-1]) if m.ndim > 1 else (m.shape[0], m.shape[0])
