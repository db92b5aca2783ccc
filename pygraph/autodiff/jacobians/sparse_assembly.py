"""Entries of a sparse matrix given by whole arrays of them: one expression of them all in the order of the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ...graph.construction import constant, make
from ...graph.node import Node
from ...graph.uniform import full, reshaped, spread
from ...ops.arithmetic import multiply as MULTIPLY
from ...ops.comparison import convert as CONVERT
from ...ops.indexing import scatter_add as SCATTER_ADD, take_row as TAKE
from ...ops.row import DType
from ...ops.shaping import concatenate_row as CONCATENATE
from .pattern import Index, Pattern, distinct


@dataclass(frozen=True, eq=False)
class Entries:
    """An array of entries, one at each place of a matrix; those of a row or column below 0 are none.

    Attributes:
        value: an expression that broadcasts to the shape of `rows`.
        rows, columns: int64 arrays of one shape.
        factor: a number for each, or None for 1.
        block: what belongs together: entries of one block are stored side by side.
    """

    value: Node
    rows: Index
    columns: Index
    factor: Index | None
    block: int


def assembled_pattern(parts: Sequence[Entries], shape: tuple[int, int]) -> Pattern:
    """The places of all entries."""
    nothing = np.zeros(0, np.int64)
    rows = np.concatenate([nothing, *(part.rows.reshape(-1) for part in parts)])
    columns = np.concatenate([nothing, *(part.columns.reshape(-1) for part in parts)])
    valid = (rows >= 0) & (columns >= 0)
    return Pattern.of_entries(rows[valid], columns[valid], shape)


def assembled_data(parts: Sequence[Entries], pattern: Pattern, dtype: DType, mirrored: bool = False) -> Node:
    """The sums of the entries at each place of `pattern`, in its order; 1-D.

    Entries at places that are not in the pattern are left out; places without entries are 0.

    Args:
        mirrored: of a symmetric matrix; an entry above the diagonal stands for the one below it where that has no
            entries, and is left out otherwise.
    """
    blocks: dict[tuple[int, tuple[int, ...]], list[tuple[Entries, Index]]] = {}
    for part, key in zip(parts, _keys(parts, pattern, mirrored), strict=True):
        if len(key):
            blocks.setdefault((part.block, part.rows.shape), []).append((part, key))
    if not blocks or not pattern.nnz:
        return full(0, (pattern.nnz,), dtype)
    rows = [sorted(block, key=lambda member: int(member[1][0])) for block in blocks.values()]
    rows.sort(key=lambda block: int(block[0][1][0]))
    keys = np.concatenate([np.stack([key for _, key in block], axis=1).reshape(-1) for block in rows])
    stored = [_stored([part for part, _ in block], dtype) for block in rows]
    whole = stored[0] if len(stored) == 1 else make(CONCATENATE, tuple(stored), {"axis": 0})
    wanted = pattern.rows * max(pattern.shape[1], 1) + pattern.indices
    if len(keys) == len(wanted) and (keys == wanted).all():
        return whole
    place = np.searchsorted(wanted, keys)  # of an entry that is none: anywhere
    place[place == len(wanted)] = 0
    source = np.flatnonzero(wanted[place] == keys)
    place = place[source]
    counts = np.bincount(place, minlength=len(wanted))
    if (counts == 1).all():
        order = np.empty(len(wanted), np.int64)
        order[place] = source
        return make(TAKE, (whole, constant(order)), {"axis": 0})
    if len(source) < len(keys):
        whole = make(TAKE, (whole, constant(source)), {"axis": 0})
    return make(SCATTER_ADD, (full(0, (len(wanted),), dtype), constant(place), whole), {"axis": 0})


def _keys(parts: Sequence[Entries], pattern: Pattern, mirrored: bool) -> list[Index]:
    """Each array of entries as one number per entry, row · width + column; -1 for what is none."""
    width = max(pattern.shape[1], 1)
    keys = []
    for part in parts:
        valid = (part.rows >= 0) & (part.columns >= 0)
        keys.append(np.where(valid, part.rows * width + part.columns, -1).reshape(-1))
    if not mirrored or not keys:
        return keys
    below = [np.where(key // width >= key % width, key, -1) for key in keys]
    given = distinct(np.concatenate(below))
    found = []
    for key, low in zip(keys, below, strict=True):
        turned = key % width * width + key // width
        place = np.minimum(np.searchsorted(given, turned), len(given) - 1)
        needed = (key >= 0) & (low < 0) & (given[place] != turned)
        found.append(np.where(needed, turned, low))
    return found


def _stored(block: Sequence[Entries], dtype: DType) -> Node:
    """The arrays of a block side by side, flattened: all of the first lane, then all of the next."""
    shape = block[0].rows.shape
    columns = []
    for part in block:
        value = part.value if part.value.dtype == dtype else make(CONVERT, (part.value,), {"dtype": dtype})
        if part.factor is not None:
            value = make(MULTIPLY, (value, constant(part.factor.astype(dtype))), {})
        columns.append(reshaped(spread(value, shape), (*shape, 1)))
    whole = columns[0] if len(columns) == 1 else make(CONCATENATE, tuple(columns), {"axis": len(shape)})
    return reshaped(whole, (prod(whole.shape),))
