"""The steps of an epoch: compiled once, called for as many batches as fit between two looks at Python's signals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import pygraph as pg

from .data_source import Array, Batch, Rows, Stream
from .epoch_program import NOISE, SHUFFLING, Carry, epoch_steps, order_of, single_step
from .failures import Place, failure
from .history import History
from .objective import Objective
from .program_cache import Programs, program

#: About how long a call into C takes, in seconds: Ctrl-C is seen, and the bar moves, between two of them.
PERIOD = 0.015


def shuffled(count: int, key: Any, options: dict[str, Any]) -> Callable[[int], Array]:
    """The order of so many rows in each epoch, counted from 0."""
    stream = pg.random.fold_in(key, SHUFFLING)
    drawn = program(order_of(count), options, stream, np.int64(0))
    return lambda epoch: np.asarray(drawn(stream, np.int64(epoch)))


class Steps:
    """How the batches of an epoch are gone through: `advance` is what differs between arrays and streams.

    Attributes:
        history: the table so far, which errors show.
    """

    def __init__(
        self, objective: Objective, optimizer: Any, transform: Callable[[Any], Any], key: Any, options: dict[str, Any]
    ) -> None:
        self._objective, self._optimizer, self._transform, self._options = objective, optimizer, transform, options
        self._noise = pg.random.fold_in(key, NOISE)
        self.history = History()
        self._single = Programs(single_step(objective, optimizer, transform), options)

    def advance(self, carry: Carry, epoch: int) -> Iterator[tuple[Carry, int]]:
        """Go on in epoch `epoch`, counted from 0, where `carry` is: what was learned, and rows done, again and again.

        Raises:
            GraphError: a step failed, or its loss or parameters are not finite; with the last good parameters.
        """
        raise NotImplementedError

    def _batch_step(self, carry: Carry, batch: Batch, epoch: int, rows: Array | None) -> Carry:
        """One step on a batch that is there."""
        error = None
        try:
            new, healthy = self._single(batch.data, tuple(carry), batch.weights, batch.data, self._noise)
            if healthy:
                return Carry(*new)
        except pg.GraphError as found:
            error = found
        raise self._failure(error, carry, batch, epoch, rows)

    def _failure(
        self, error: pg.GraphError | None, carry: Carry, batch: Batch, epoch: int, rows: Array | None
    ) -> pg.GraphError:
        place = Place(epoch + 1, int(carry.at) + 1, rows)
        return failure(error, place, self._objective, carry, batch, self._noise, self.history)


class ArraySteps(Steps):
    """Batches of rows of arrays in memory, gathered inside the compiled loop; `count` rows in each epoch."""

    def __init__(
        self,
        rows: Rows,
        weights: Array | None,
        batch_size: int,
        count: int,
        order_in: Callable[[int], Array] | None,
        *common: Any,
    ) -> None:
        super().__init__(*common)
        self._rows, self._weights, self._batch_size, self._count = rows, weights, batch_size, count
        self._steps = -(-count // batch_size)
        self._order_in = order_in
        self._function = epoch_steps(self._objective, self._optimizer, self._transform, count, batch_size)
        self._run: Any = None
        self._pace = 0.0  # seconds of a step

    def advance(self, carry: Carry, epoch: int) -> Iterator[tuple[Carry, int]]:
        order = self._order_in(epoch) if self._order_in else None
        at = int(carry.at)
        if self._run is None:
            self._run = program(self._function, self._options, *self._arguments(carry, at, order))
        while at < self._steps:
            stop = min(self._steps, at + max(1, int(PERIOD / self._pace) if self._pace else 1))
            start = time.perf_counter()
            try:
                new, healthy = self._call(carry, stop, order)
            except pg.GraphError as error:
                raise self._first_failure(error, carry, stop, order, epoch) from None
            if not healthy:
                raise self._first_failure(None, carry, stop, order, epoch)
            self._pace = max(time.perf_counter() - start, 1e-9) / (stop - at)
            carry, before = new, at
            at = stop
            yield carry, min(at * self._batch_size, self._count) - before * self._batch_size

    def _call(self, carry: Carry, stop: int, order: Array | None) -> tuple[Carry, bool]:
        new, healthy = self._run(*self._arguments(carry, stop, order))
        return Carry(*new), bool(healthy)

    def _arguments(self, carry: Carry, stop: int, order: Array | None) -> tuple[Any, ...]:
        return tuple(carry), np.int64(stop), order, self._weights, self._rows.data, self._noise

    def _first_failure(
        self, error: pg.GraphError | None, carry: Carry, stop: int, order: Array | None, epoch: int
    ) -> pg.GraphError:
        """The failure of the first of these steps that fails, which are done one by one to find it."""
        for at in range(int(carry.at), stop):
            try:
                new, healthy = self._call(carry, at + 1, order)
                found = None
            except pg.GraphError as raised:
                healthy, found = False, raised
            if not healthy:
                places = np.arange(at * self._batch_size, min((at + 1) * self._batch_size, self._count))
                rows = places if order is None else order[places]
                return self._failure(found, carry, self._rows.gathered(rows, self._weights), epoch, rows)
            carry = new
        assert error is not None, "the steps of an epoch are the same one by one"
        return error


class MappedSteps(Steps):
    """The same of arrays on a disk, gathered by NumPy, because their elements have to be converted."""

    def __init__(
        self,
        rows: Rows,
        weights: Array | None,
        batch_size: int,
        count: int,
        order_in: Callable[[int], Array] | None,
        *common: Any,
    ) -> None:
        super().__init__(*common)
        self._rows, self._weights, self._batch_size, self._count = rows, weights, batch_size, count
        self._order_in = order_in

    def advance(self, carry: Carry, epoch: int) -> Iterator[tuple[Carry, int]]:
        order = self._order_in(epoch) if self._order_in else np.arange(self._rows.count)
        for start in range(int(carry.at) * self._batch_size, self._count, self._batch_size):
            rows = order[start : min(start + self._batch_size, self._count)]
            carry = self._batch_step(carry, self._rows.gathered(rows, self._weights), epoch, rows)
            yield carry, len(rows)


class StreamSteps(Steps):
    """The batches that an iterable gives."""

    def __init__(self, stream: Stream, weights_of: Callable[[Batch], Array | None], *common: Any) -> None:
        super().__init__(*common)
        self._stream, self._weights_of = stream, weights_of

    def advance(self, carry: Carry, epoch: int) -> Iterator[tuple[Carry, int]]:
        done = int(carry.at)
        for number, batch in enumerate(self._stream.batches()):
            if number < done:  # before the checkpoint that training goes on from
                continue
            weighted = Batch(batch.data, batch.rows, self._weights_of(batch))
            carry = self._batch_step(carry, weighted, epoch, None)
            yield carry, batch.rows
