"""Strides, in elements: how the elements of an array that lies in memory are seen in another shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Protocol

__all__ = ["Strided", "broadcast_strides", "reshape_strides", "row_major"]


class Strided(Protocol):
    """Element (i, j, …) lies at offset + i*strides[0] + j*strides[1] + …."""

    @property
    def offset(self) -> int: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def strides(self) -> tuple[int, ...]: ...


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of a C-contiguous array."""
    if len(shape) < 3:  # most often
        return () if not shape else (1,) if len(shape) == 1 else (shape[1], 1)
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def reshape_strides(shape: Sequence[int], strides: Sequence[int], new_shape: Sequence[int]) -> tuple[int, ...] | None:
    """Strides that show the same elements in `new_shape`, or None where only a copy can."""
    if prod(shape) == 0:
        return row_major(new_shape)
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result: list[int] = []
    i = 0
    new = list(new_shape)
    j = 0
    while j < len(new):
        if new[j] == 1:
            result.append(0)
            j += 1
            continue
        # Take the shortest runs of old and new axes that hold the same number of elements.
        old_size, old_from = old[i][0], i
        new_size, new_from = new[j], j
        while old_size != new_size:
            if old_size < new_size:
                i += 1
                old_size *= old[i][0]
            else:
                j += 1
                new_size *= new[j]
        for k in range(old_from, i):
            if old[k][1] != old[k + 1][1] * old[k + 1][0]:
                return None
        run = []
        step = old[i][1]
        for size in reversed(new[new_from : j + 1]):
            run.append(step)
            step *= size
        result.extend(reversed(run))
        i += 1
        j += 1
    return tuple(result)


def broadcast_strides(x: Strided, shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of `x` seen through NumPy broadcasting to `shape`."""
    if not x.shape:
        return (0,) * len(shape)
    lead = len(shape) - len(x.shape)
    if not lead and 1 not in x.shape:
        return x.strides
    return (0,) * lead + tuple(0 if size == 1 else stride for size, stride in zip(x.shape, x.strides, strict=True))
