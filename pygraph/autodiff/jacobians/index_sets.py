"""Sets of input elements, each stored once and named by a number, so that arrays of sets are arrays of integers."""

from __future__ import annotations

import numpy as np

from .pattern import Index, Pattern, distinct, gathered, ranked, spans

#: The number of the empty set: views that fill with zeros fill with it.
EMPTY = 0
#: How many elements a union looks at in one go; bounds its memory, not its result.
CHUNK = 4_000_000


class IndexSets:
    """All sets of columns 0 … width - 1 that an analysis has met; equal sets have one number.

    Set 0 is empty, set 1 + j is {j}. Sets are found again by a 64-bit hash and then compared element by element, so
    that two different sets never share a number.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._weights = np.random.default_rng(0x5EED).integers(1, 2**63, width, dtype=np.uint64)
        self._indices = np.arange(max(width, 16), dtype=np.int64)
        self._used = width
        self._indptr = np.concatenate([[0], np.arange(width + 1)]).astype(np.int64)
        self._count = width + 1
        self._known: dict[int, int] = dict(zip(self._weights.tolist(), range(1, width + 1), strict=True))
        self._full = (EMPTY, 1)[width] if width < 2 else -1  # the set of all columns, once it has been met

    def sizes(self, sets: Index) -> Index:
        """How many columns each of `sets` has."""
        found: Index = self._indptr[sets + 1] - self._indptr[sets]
        return found

    def union(self, owners: Index, sets: Index, count: int) -> Index:
        """For each owner 0 … count - 1 the union of the sets that stand beside it; int64[count].

        Example:
            >>> pool = IndexSets(3)
            >>> pool.pattern(pool.union(np.array([0, 0]), np.array([1, 3]), 1)).indices
            array([0, 2])
        """
        result = np.zeros(count, np.int64)
        kept = sets != EMPTY
        if not kept.any():
            return result
        keys = distinct(owners[kept] * self._count + sets[kept])
        owners, sets = keys // self._count, keys % self._count
        result[owners] = sets  # right where an owner has one set
        several = np.bincount(owners, minlength=count) > 1
        if self._full >= 0:
            everything = owners[sets == self._full]
            result[everything] = self._full
            several[everything] = False
        if several.any():
            taken = several[owners]
            owners, sets = self._without_contained(owners[taken], sets[taken], result)
            self._merge(owners, sets, result)
        return result

    def _without_contained(self, owners: Index, sets: Index, result: Index) -> tuple[Index, Index]:
        """Settle the owners one of whose sets holds all the others; return the rest.

        Only tried where it saves: where few large sets belong to many owners.
        """
        sizes = self.sizes(sets)
        order = np.lexsort((sizes, owners))
        owners, sets, sizes = owners[order], sets[order], sizes[order]
        last = np.append(owners[1:] != owners[:-1], True)
        largest = distinct(sets[last])
        if 4 * int(self.sizes(largest).sum()) > int(sizes[last].sum()):
            return owners, sets
        biggest = np.repeat(sets[last], np.diff(np.flatnonzero(np.append(True, last))))
        counts, columns = gathered(self._indptr, self._indices, largest)
        held = np.repeat(largest, counts) * self.width + columns
        missing = np.zeros(len(owners), np.bool_)
        counts, columns = gathered(self._indptr, self._indices, sets[~last])
        wanted = np.repeat(biggest[~last], counts) * self.width + columns
        place = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        missing[np.repeat(np.flatnonzero(~last), counts)[held[place] != wanted]] = True
        open_ = np.zeros(len(result), np.bool_)
        open_[owners[missing]] = True
        settled = last & ~open_[owners]
        result[owners[settled]] = sets[settled]
        rest = open_[owners]
        return owners[rest], sets[rest]

    def _merge(self, owners: Index, sets: Index, result: Index) -> None:
        """Write the union of the sets beside each owner, by their elements; owners come in ascending order."""
        if not len(owners):
            return
        starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
        work = np.add.reduceat(self.sizes(sets), starts)
        bounds = np.append(starts, len(owners))
        for first, stop in spans(work, CHUNK):
            part = slice(bounds[first], bounds[stop])
            counts, columns = gathered(self._indptr, self._indices, sets[part])
            keys = distinct(np.repeat(owners[part], counts) * self.width + columns)
            rows, columns = keys // self.width, keys % self.width
            begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
            result[rows[begins]] = self._numbers(begins, columns)

    def _numbers(self, begins: Index, columns: Index) -> Index:
        """The numbers of sets given one after another, none empty: found again, or stored."""
        sizes = np.diff(np.append(begins, len(columns)))
        hashes = np.add.reduceat(self._weights[columns], begins)
        values, first, inverse = ranked(hashes)
        known = np.array([self._known.get(value, -1) for value in values.tolist()], np.int64)
        new = np.flatnonzero(known < 0)
        known[new] = self._store(begins, columns, first[new])
        self._known.update(zip(values[new].tolist(), known[new].tolist(), strict=True))
        found: Index = known[inverse]
        counts, stored = gathered(self._indptr, self._indices, found)
        if (counts != sizes).any():  # two sets of one hash, as below: all of these get numbers of their own
            return self._store(begins, columns, np.arange(len(begins)))
        unlike = np.flatnonzero(np.logical_or.reduceat(stored != columns, begins))
        found[unlike] = self._store(begins, columns, unlike)
        return found

    def _store(self, begins: Index, columns: Index, chosen: Index) -> Index:
        """Store the sets `chosen` among those given one after another; their numbers."""
        counts, taken = gathered(np.append(begins, len(columns)), columns, chosen)
        while self._used + len(taken) > len(self._indices):
            self._indices = np.concatenate([self._indices, np.empty_like(self._indices)])
        while self._count + len(chosen) >= len(self._indptr):
            self._indptr = np.concatenate([self._indptr, np.empty_like(self._indptr)])
        numbers = np.arange(self._count, self._count + len(chosen))
        self._indices[self._used : self._used + len(taken)] = taken
        self._indptr[numbers + 1] = self._used + np.cumsum(counts)
        self._used += len(taken)
        self._count += len(chosen)
        for number in numbers[counts == self.width]:
            self._full = int(number)
        return numbers

    def pattern(self, sets: Index) -> Pattern:
        """The matrix whose row i is the set `sets[i]`."""
        counts, columns = gathered(self._indptr, self._indices, sets)
        return Pattern((len(sets), self.width), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), columns)
