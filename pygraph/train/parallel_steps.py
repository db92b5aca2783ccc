"""Steps whose batches are shared by several processes, or cut into parts whose gradients a fixed tree adds up."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import pygraph as pg

from .batch_shares import Part, RowShares, Step, StreamShares
from .data_source import Batch
from .epoch_program import Carry
from .epoch_steps import PERIOD, Steps
from .failures import Place, failure, located, not_finite, step_not_finite
from .gradient_buffers import GradientBuffers
from .parallel_program import PartProgram, Shares, sums_like, update_step
from .program_cache import Programs, program
from .ranks import Ranks
from .summation_tree import SummationTree


class PartSlots:
    """What differs from part to part, in arrays that compiled code is bound to."""

    def __init__(self) -> None:
        self.number, self.start = np.zeros((), np.int64), np.zeros((), np.int64)
        self.shares = Shares(np.zeros(()), np.zeros(()))
        self.batch_rows = np.zeros(())

    def put(self, part: Part) -> None:
        """Tell compiled code of a part."""
        self.number[...], self.start[...] = part.number, part.start
        for array, value in zip(self.shares, part.shares, strict=True):
            array[...] = value


class ParallelSteps(Steps):
    """A step: the gradients of this process's parts, their sum over all, and the update, which each process computes.

    Compiled code writes the gradients into the buffers that MPI adds up in place and the update reads. Parameters and
    what else is learned lie in two sets of arrays, which a step reads from and writes to by turns: where it fails, the
    last good ones are there.

    Args:
        ranks: the processes.
        tree: how parts are added up, always in the same way; None: one part for each process, in whatever way is fast.
        shares: this process's share of every batch.
    """

    def __init__(
        self,
        ranks: Ranks,
        tree: SummationTree | None,
        shares: RowShares | StreamShares,
        *common: Any,
    ) -> None:
        super().__init__(*common)
        self._ranks, self._tree, self._shares = ranks, tree, shares
        self._part = PartProgram(self._objective)
        self._of_batch = Programs(self._part.of_batch, self._options)
        self._of_rows: dict[int, pg.Executable] = {}
        self._update: pg.Executable | None = None
        self._bound: dict[Any, Any] = {}
        self._flags = np.zeros(3)
        self._slots = PartSlots()
        self._looked = 0.0
        self._buffers: GradientBuffers | None = None
        self._banks: list[Any] = []
        self._now = 0

    def advance(self, carry: Carry, epoch: int) -> Iterator[tuple[Carry, int]]:
        if self._buffers is None:
            like = sums_like(carry.params, carry.state, tuple(carry.sums))
            self._buffers = GradientBuffers(like, self._tree.rows if self._tree else 1)
            self._banks = [pg.tree_map(np.array, (tuple(carry), np.bool_(True))) for _ in range(2)]
        pg.tree_map(np.copyto, self._banks[self._now][0], tuple(carry))
        done, learned = 0, carry
        carry = Carry(*self._banks[self._now][0])
        for step in self._shares.batches(epoch, int(carry.at)):
            carry, look, interrupted = self._step(carry, step, epoch)
            done += step.rows
            if look or interrupted:
                learned = _kept(carry)
                yield learned, done
                done = 0
            if interrupted:
                raise KeyboardInterrupt
        if done:
            learned = _kept(carry)
            yield learned, done
        self._compare(learned, epoch)

    def _step(self, carry: Carry, step: Step, epoch: int) -> tuple[Carry, bool, bool]:
        """One step: what was learned, in arrays that the step after the next one writes to, and two flags of all."""
        error = None
        try:
            self._compute(carry, step)
        except Exception as found:  # the other processes wait for this one, and are told
            error = found
        now = time.perf_counter()
        look = self._ranks.rank == 0 and now - self._looked > PERIOD
        self._flags[:] = error is not None, self._ranks.interrupted, look
        self._ranks.add(self._flags)
        failed, interrupted, look = map(bool, self._flags)
        if failed:
            self._ranks.raise_first(self._failure_here(error, carry, step, epoch))
        if look:
            self._looked = now
        row = self._sum(step)
        self._do_update(carry, row, step, epoch)
        self._now = 1 - self._now
        new, healthy = self._banks[self._now]
        if not healthy:
            self._raise_not_finite(carry, step, epoch)
        return Carry(*new), look, interrupted

    def _compute(self, carry: Carry, step: Step) -> None:
        """The gradients of all parts of this process, added up as far as it has them."""
        buffers, tree = self._buffers, self._tree
        assert buffers is not None

        def compute(number: int, row: int) -> bool:
            part = step.parts.get(number)
            if part is not None:
                self._gradients(carry, part, row)
            return part is not None

        if tree is None:
            if not compute(self._ranks.rank, 0):
                buffers.clear(0)
            return
        for node in tree.mine:
            tree.fill(node, buffers, compute)

    def _gradients(self, carry: Carry, part: Part, row: int) -> None:
        """Those of a part, into a row of the buffers."""
        assert self._buffers is not None
        slots, out = self._slots, tuple(self._buffers.views[row])
        slots.put(part)
        given = (carry.params, carry.state, carry.step, self._noise, slots.number, tuple(slots.shares))
        batch, rows = part.batch, self._shares
        if batch is not None:
            self._of_batch.run(batch.data, (*given, batch.weights, batch.data), out)
            return
        key = (part.rows, row, self._now)
        if key not in self._bound:
            assert isinstance(rows, RowShares)
            data = pg.tree_map(np.asarray, rows.source.data)  # of an array mapped from a file the plain array
            whole = (*given, slots.start, rows.order, rows.weights, data)
            if part.rows not in self._of_rows:
                self._of_rows[part.rows] = program(self._part.of_rows(part.rows), self._options, *whole)
            self._bound[key] = self._of_rows[part.rows].bind(*whole, out=out)
        self._bound[key]()

    def _sum(self, step: Step) -> int:
        """Add up over all processes; the row of the sum."""
        buffers, tree = self._buffers, self._tree
        assert buffers is not None
        if tree is None:
            for flat in buffers.flat:
                self._ranks.add(flat[0])
            return 0
        for flat in buffers.flat:
            self._ranks.exchange(flat[: len(tree.nodes)], tree.counts)
        return tree.combine(buffers, step.is_empty)

    def _do_update(self, carry: Carry, row: int, step: Step, epoch: int) -> None:
        """The update with a row of the buffers, into the other set of arrays."""
        assert self._buffers is not None
        self._slots.batch_rows[...] = step.rows
        key = (row, self._now)
        if key not in self._bound:
            given = (tuple(carry), tuple(self._buffers.views[row]), self._slots.batch_rows)
            if self._update is None:
                self._update = self._ranks.agreed(program, self._update_function(carry), self._options, *given)
            self._bound[key] = self._update.bind(*given, out=self._banks[1 - self._now])
        try:
            self._bound[key]()
        except pg.GraphError as error:  # of the optimiser: the same one in all
            place = Place(epoch + 1, int(carry.at) + 1, None)
            self._ranks.raise_first(located(error, place, _kept(carry), self.history))

    def _update_function(self, carry: Carry) -> Any:
        unchanged = self._part.unchanged or [False] * len(
            pg.tree_leaves(carry.state)
        )  # [] where there were no rows yet
        everywhere = [all(each) for each in zip(*self._ranks.gathered(unchanged), strict=True)]
        return update_step(self._optimizer, self._transform, everywhere)

    def _compare(self, carry: Carry, epoch: int) -> None:
        """Raise an error unless all processes learned the same, to the last bit.

        Raises:
            StateError
        """
        sums = self._ranks.gathered([zlib.crc32(np.asarray(leaf).tobytes()) for leaf in pg.tree_leaves(carry.params)])
        others = [rank for rank, found in enumerate(sums) if found != sums[0]]
        if others:
            names = pg.tree_names(carry.params, "params")
            name = next(n for n, a, b in zip(names, sums[0], sums[others[0]], strict=True) if a != b)
            problem = f"after epoch {epoch + 1} {name} is another one on rank {others[0]} than on rank 0"
            advice = "run on machines of one kind and one version of everything, or as many ranks as are of one kind"
            error = pg.StateError(problem, advice, stage="training", subject="fit")
            self._ranks.raise_first(error)

    def _failure_here(self, error: Exception | None, carry: Carry, step: Step, epoch: int) -> Exception | None:
        """The error of this process with its place, if it has one."""
        if not isinstance(error, pg.GraphError):
            return error
        part = next(iter(step.parts.values()))
        batch, place = self._batch(part), self._place(part, carry, epoch)
        return failure(error, place, self._objective, _kept(carry), batch, self._noise, self.history)

    def _raise_not_finite(self, carry: Carry, step: Step, epoch: int) -> None:
        """The error of the first part of any process whose loss or gradient is not finite, or else of the update."""
        carry = _kept(carry)
        found: pg.GraphError | None = None
        for part in step.parts.values():
            noise = pg.random.fold_in(self._noise, np.int64(part.number))
            place = self._place(part, carry, epoch)
            found = not_finite(place, self._objective, carry, self._batch(part), noise)
            if found is not None:
                found = located(found, place, carry, self.history)
                break
        self._ranks.raise_first(found)
        place = Place(epoch + 1, int(carry.at) + 1, None)
        self._ranks.raise_first(located(step_not_finite(), place, carry, self.history))

    def _batch(self, part: Part) -> Batch:
        """The rows of a part, with weights that the mean of its losses exists with."""
        batch = part.batch
        if batch is None:
            assert isinstance(self._shares, RowShares)
            batch = self._shares.gathered(part)
        if batch.weights is not None and not np.any(batch.weights):
            return Batch(batch.data, batch.rows, np.ones_like(batch.weights))
        return batch

    def _place(self, part: Part, carry: Carry, epoch: int) -> Place:
        rows = self._shares.places(part) if isinstance(self._shares, RowShares) else None
        rank = self._ranks.rank if self._ranks.size > 1 else None
        return Place(epoch + 1, int(carry.at) + 1, rows, rank)


def _kept(carry: Carry) -> Carry:
    """A copy, which later steps do not write to."""
    copied: Carry = pg.tree_map(lambda leaf: np.array(leaf)[()], carry)
    return copied
