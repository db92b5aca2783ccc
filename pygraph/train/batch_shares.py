"""A process's share of every batch: of arrays the rows of its parts, of a stream what it gives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .data_source import Array, Batch, Rows, Stream
from .parallel_program import Shares
from .ranks import Ranks
from .summation_tree import share


class Part(NamedTuple):
    """A part of a batch that this process computes the gradients of.

    Attributes:
        number: of the part, from 0.
        rows: how many it has.
        shares: what it counts in the batch.
        start: its place in the order of the epoch, where the data are arrays.
        batch: its rows, where they have to be given; None: compiled code gathers them.
    """

    number: int
    rows: int
    shares: Shares
    start: int
    batch: Batch | None


class Step(NamedTuple):
    """A batch.

    Attributes:
        rows: of all parts.
        parts: of this process that have rows, by their numbers.
        is_empty: whether a part, of any process, has no rows.
    """

    rows: int
    parts: dict[int, Part]
    is_empty: Callable[[int], bool]


class RowShares:
    """Batches of rows of arrays, each cut into parts that are as equal as they can be.

    Args:
        source: the arrays, the same in all processes.
        weights: of all rows, or None.
        batch_size: of all parts together.
        count: how many rows an epoch has.
        parts: how many.
        mine: those of this process.
        order_in: the order of the rows in an epoch, counted from 0; None: as they lie.
    """

    def __init__(
        self,
        source: Rows,
        weights: Array | None,
        batch_size: int,
        count: int,
        parts: int,
        mine: range,
        order_in: Callable[[int], Array] | None,
    ) -> None:
        self.source, self.weights, self._batch_size, self._count = source, weights, batch_size, count
        self._parts, self._mine, self._order_in = parts, mine, order_in
        self.order = None if order_in is None else np.arange(source.count)

    def batches(self, epoch: int, at: int) -> Iterator[Step]:
        """The batches of an epoch, from the batch `at` on."""
        if self._order_in is not None and self.order is not None:
            self.order[:] = self._order_in(epoch)  # in place: compiled code reads this array
        for first in range(at * self._batch_size, self._count, self._batch_size):
            count = min(self._batch_size, self._count - first)
            bounds = {number: share(count, number, self._parts) for number in self._mine}
            weigh = self._weigher(first, count)
            parts = {
                number: self._part(number, first + begin, end - begin, Shares((end - begin) / count, weigh(begin, end)))
                for number, (begin, end) in bounds.items()
                if begin < end
            }
            yield Step(count, parts, self._emptiness(count))

    def places(self, part: Part) -> Array:
        """The rows of a part in the arrays."""
        places = np.arange(part.start, part.start + part.rows)
        return places if self.order is None else self.order[places]

    def gathered(self, part: Part) -> Batch:
        """The rows of a part."""
        return self.source.gathered(self.places(part), self.weights)

    def _emptiness(self, count: int) -> Callable[[int], bool]:
        def is_empty(number: int) -> bool:
            begin, end = share(count, number, self._parts)
            return begin == end

        return is_empty

    def _part(self, number: int, start: int, rows: int, shares: Shares) -> Part:
        part = Part(number, rows, shares, start, None)
        return part if self.source.in_memory else part._replace(batch=self.gathered(part))

    def _weigher(self, first: int, count: int) -> Callable[[int, int], float]:
        if self.weights is None:
            return lambda begin, end: 0.0
        places = slice(first, first + count) if self.order is None else self.order[first : first + count]
        weights = np.asarray(self.weights[places], np.float64)
        whole = float(weights.sum())
        return lambda begin, end: float(weights[begin:end].sum()) / whole if whole else np.nan


class StreamShares:
    """Batches of which each process's own iterable gives the share of this process, or nothing any more.

    Args:
        stream: of this process.
        weights_of: the weights of the rows of a batch.
        ranks: the processes.
    """

    def __init__(self, stream: Stream, weights_of: Callable[[Batch], Array | None], ranks: Ranks) -> None:
        self._stream, self._weights_of, self._ranks = stream, weights_of, ranks

    def batches(self, epoch: int, at: int) -> Iterator[Step]:
        """The batches of an epoch, from the batch `at` on, until no process has one."""
        found = self._stream.batches()
        number = 0
        while True:
            batch = self._ranks.agreed(self._next, found)
            weight = 0.0 if batch is None or batch.weights is None else float(np.sum(batch.weights, dtype=np.float64))
            all_rows, all_weights = zip(*self._ranks.gathered((batch.rows if batch else 0, weight)), strict=True)
            rows, weights = sum(all_rows), sum(all_weights)
            if not rows:
                return
            number += 1
            if number <= at:  # before the checkpoint that training goes on from
                continue
            rank = self._ranks.rank
            parts = {}
            if batch is not None:
                shares = Shares(batch.rows / rows, weight / weights if weights else np.nan)
                parts = {rank: Part(rank, batch.rows, shares, 0, batch)}
            yield Step(rows, parts, lambda part, counts=all_rows: not counts[part])  # type: ignore[misc]

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        batch = next(batches, None)
        return None if batch is None else Batch(batch.data, batch.rows, self._weights_of(batch))
