"""Where a matrix may be non-zero: a boolean matrix in compressed sparse row form, with NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The places of a matrix that may differ from zero, row by row.

    Attributes:
        shape: rows and columns.
        indptr: int64[rows + 1]; row i has the entries indptr[i] to indptr[i + 1].
        indices: int64[nnz], the column of each entry, ascending within a row, none twice.
    """

    shape: tuple[int, int]
    indptr: Index
    indices: Index

    @staticmethod
    def of_entries(rows: Index, columns: Index, shape: tuple[int, int]) -> Pattern:
        """The pattern with these entries, which may come in any order and more than once.

        Example:
            >>> Pattern.of_entries(np.array([1, 0, 1]), np.array([2, 0, 2]), (2, 3)).indices
            array([0, 2])
        """
        width = max(shape[1], 1)
        keys = distinct(rows.astype(np.int64) * width + columns)
        counts = np.bincount(keys // width, minlength=shape[0])
        return Pattern(shape, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), keys % width)

    @property
    def nnz(self) -> int:
        """The number of entries."""
        return len(self.indices)

    @property
    def rows(self) -> Index:
        """int64[nnz], the row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    @property
    def transposed(self) -> Pattern:
        """The pattern of the transposed matrix."""
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=self.shape[1])
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Pattern((self.shape[1], self.shape[0]), indptr, self.rows[order])

    def symmetrised(self) -> Pattern:
        """The entries of a square pattern and those of its transpose.

        Example:
            >>> Pattern.of_entries(np.array([0]), np.array([1]), (2, 2)).symmetrised().rows
            array([0, 1])
        """
        rows = self.rows
        return Pattern.of_entries(
            np.concatenate([rows, self.indices]), np.concatenate([self.indices, rows]), self.shape
        )

    def triangle(self, which: str) -> Pattern:
        """The entries of the "lower" or "upper" triangle, the diagonal among them; all of them for "both".

        Example:
            >>> Pattern.of_entries(np.array([0, 1, 1]), np.array([1, 0, 1]), (2, 2)).triangle("lower").indices
            array([0, 1])
        """
        if which == "both":
            return self
        rows = self.rows
        kept = rows >= self.indices if which == "lower" else rows <= self.indices
        counts = np.bincount(rows[kept], minlength=self.shape[0])
        return Pattern(self.shape, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), self.indices[kept])

    def places_of(self, part: Pattern) -> Index:
        """Where the entries of a pattern that has some of these entries are among these."""
        if part is self:
            return np.arange(self.nnz)
        width = self.shape[1]
        return np.searchsorted(self.rows * width + self.indices, part.rows * width + part.indices)

    def of_rows(self, chosen: Index) -> Pattern:
        """The pattern with the rows where the bool array `chosen` is true, and the others empty."""
        kept = np.repeat(chosen, np.diff(self.indptr))
        counts = np.where(chosen, np.diff(self.indptr), 0)
        return Pattern(self.shape, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), self.indices[kept])

    def lists(self) -> list[list[int]]:
        """The columns of each row as Python ints."""
        flat, bounds = self.indices.tolist(), self.indptr.tolist()
        return [flat[bounds[i] : bounds[i + 1]] for i in range(self.shape[0])]

    def dense(self) -> npt.NDArray[np.bool_]:
        """The pattern as bool[rows, columns].

        Example:
            >>> Pattern.of_entries(np.array([0]), np.array([1]), (1, 2)).dense()
            array([[False,  True]])
        """
        result = np.zeros(self.shape, np.bool_)
        result[self.rows, self.indices] = True
        return result


def distinct(keys: Index) -> Index:
    """The different numbers of an integer array, ascending: by sorting, unless they ascend already.

    `np.unique` puts them in a hash table, which takes a hundred times as long for the regular numbers of a structure.

    Example:
        >>> distinct(np.array([3, 1, 3]))
        array([1, 3])
    """
    if not _ascending(keys):
        ordered = np.sort(keys)
        keys = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return keys


def ranked(keys: Index) -> tuple[Index, Index, Index]:
    """The different numbers of an array, ascending; where each is first; and for each number of the array which it is.

    Example:
        >>> ranked(np.array([3, 1, 3]))
        (array([1, 3]), array([1, 0]), array([1, 0, 1]))
    """
    if _ascending(keys):
        return keys, np.arange(len(keys)), np.arange(len(keys))
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    inverse = np.empty(len(keys), np.int64)
    inverse[order] = np.cumsum(begins) - 1
    return ordered[begins], order[begins], inverse


def _ascending(keys: Index) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def gathered(indptr: Index, indices: Index, rows: Index) -> tuple[Index, Index]:
    """The entries of `rows` (any rows, in any order) one after another: how many each row has, and their columns."""
    first = indptr[rows]
    counts = indptr[rows + 1] - first
    total = int(counts.sum())
    offsets = np.cumsum(counts) - counts
    return counts, indices[np.repeat(first - offsets, counts) + np.arange(total)]


def spans(counts: Sequence[int] | Index, limit: int) -> list[tuple[int, int]]:
    """Consecutive ranges of items that cover all of them, each with a total count of at most `limit` or of one item."""
    ends = np.cumsum(np.asarray(counts, np.int64))
    result, start = [], 0
    while start < len(ends):
        base = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, base + limit, side="right")))
        result.append((start, stop))
        start = stop
    return result
