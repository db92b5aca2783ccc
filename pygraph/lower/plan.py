"""The memory plan: live ranges of values become offsets in one arena, with reuse."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np

from .arena_cells import Cells
from .body import Body
from .format import SlotKind
from .scalars import AT_ONCE
from .steps import ALIGNMENT, CELL, LoopStep, PlainStep, ScalarBlock, Value, placed, roots


class _Arrays:
    """A best-fit allocator over an arena that grows at its end; free blocks are merged with their neighbours."""

    def __init__(self) -> None:
        self.size = 0
        self._free: list[tuple[int, int]] = []  # (offset, size), sorted
        self._by_size: list[tuple[int, int]] = []  # the same as (size, offset)

    def take(self, nbytes: int) -> int:
        need = _aligned(nbytes)
        at = bisect_left(self._by_size, (need, 0))
        if at < len(self._by_size):  # the smallest block that fits, and of these the first
            size, offset = self._by_size[at]
            self._remove(offset, size)
            if size > need:
                self._add(offset + need, size - need)
            return offset
        offset = self.size
        if self._free and sum(self._free[-1]) == self.size:
            offset, size = self._free[-1]
            self._remove(offset, size)
        self.size = offset + need
        return offset

    def give(self, offset: int, nbytes: int) -> None:
        size = _aligned(nbytes)
        at = bisect_left(self._free, (offset, 0))
        if at < len(self._free) and self._free[at][0] == offset + size:
            after = self._free[at]
            self._remove(*after)
            size += after[1]
        if at and sum(self._free[at - 1]) == offset:
            before = self._free[at - 1]
            self._remove(*before)
            offset, size = before[0], before[1] + size
        self._add(offset, size)

    def _add(self, offset: int, size: int) -> None:
        insort(self._free, (offset, size))
        insort(self._by_size, (size, offset))

    def _remove(self, offset: int, size: int) -> None:
        del self._free[bisect_left(self._free, (offset, size))]
        del self._by_size[bisect_left(self._by_size, (size, offset))]


def _aligned(nbytes: int) -> int:
    return -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT


class _Places:
    """Gives the values of the arena their places: those of one body.

    Attributes:
        cells: where the memory of cells ends; the arrays come after it.
    """

    def __init__(self, cells: Cells, constants: int) -> None:
        self.cells = constants * CELL
        self.arrays = _Arrays()
        self._free: list[int] = []  # of cells
        self._placed: list[Value] = []  # arrays
        self._offsets = cells.offsets
        self._over = array("i", cells.ends)  # where each cell is free again; nowhere where it is kept
        at = cells.kept.find(1)
        while at >= 0:
            self._over[at] = -1
            at = cells.kept.find(1, at + 1)

    def finish(self) -> int:
        """Move the arrays behind the cells; returns the size of both."""
        base = -(-self.cells // ALIGNMENT) * ALIGNMENT
        for value in self._placed:
            value.offset += base
        return base + self.arrays.size

    def take(self, value: Value) -> None:
        """Give a value a place."""
        if not value.cell:
            self.put(value, self.arrays.take(value.nbytes))
        elif self._free:
            value.offset = self._free.pop()
        else:
            value.offset = self.cells
            self.cells += CELL

    def put(self, value: Value, offset: int) -> None:
        """Let an array lie where another one does."""
        value.offset = offset
        self._placed.append(value)

    def give(self, value: Value) -> None:
        """The place of a value may be used again."""
        if value.cell:
            self._free.append(value.offset)
        else:
            self.arrays.give(value.offset, value.nbytes)

    def block(self, step: ScalarBlock, now: int) -> None:
        """The values of a block, of which the first operation has the number `now`.

        What is read for the last time is free before the result gets its place.
        """
        free, offsets, over, size = self._free, self._offsets, self._over, self.cells
        pop, push = free.pop, free.append
        rows, first, end = step.rows, step.first, step.end
        memory = iter(roots([value for _, value, _ in step.moves()]))
        columns = (rows.targets[first:end], rows.a[first:end], rows.b[first:end], rows.c[first:end])
        for step_at, target, a, b, c in zip(range(now, now + end - first), *columns, strict=True):
            if a:
                if over[a] == step_at:
                    push(offsets[a])
                if over[b] == step_at and b != a:
                    push(offsets[b])
                if over[c] == step_at and c != b and c != a:
                    push(offsets[c])
            else:
                value = next(memory)
                if value.end == step_at and not value.kept and _is_planned(value):
                    self.give(value)
            if target:
                if free:
                    offsets[target] = pop()
                else:
                    offsets[target] = size
                    size += CELL
                if over[target] == step_at:
                    push(offsets[target])
            else:
                value = next(memory)
                self.cells = size
                if value.start == step_at and _is_planned(value):
                    self.take(value)
                    if value.end == step_at and not value.kept:
                        self.give(value)
                size = self.cells
        self.cells = size

    def step(self, step: LoopStep | PlainStep, now: int, written: Sequence[Value], read: Sequence[Value]) -> None:
        """The values of another step, of the number `now`."""
        once = read if len(read) < 2 else dict.fromkeys(read)
        dying = [value for value in once if value.end == now and not value.kept and _is_planned(value)]
        fresh = [value for value in dict.fromkeys(written) if value.start == now and _is_planned(value)]
        shared: set[Value] = set()
        if isinstance(step, LoopStep) and dying and fresh:
            for target, source in step.in_place({x for x in fresh if not x.cell}, set(dying)).items():
                self.put(target, source.offset)
                shared |= {source, target}
        for value in fresh:
            if value not in shared:
                self.take(value)
        for value in step.temporaries:
            self.take(value)
        for value in (*dying, *step.temporaries, *(v for v in fresh if v.end == now and not v.kept)):
            if value not in shared or (value in fresh and value.end == now):
                self.give(value)


def plan(body: Body) -> None:
    """Give every arena value its offset.

    Constant cells come first and are never reused, then the cells of single elements, then the arrays.
    """
    touched = live_ranges(body)
    for position, value in enumerate(body.constant_cells):
        value.offset = position * CELL
    places = _Places(body.cells, len(body.constant_cells))
    for (now, step), (written, read) in zip(placed(body.steps), touched, strict=True):
        if isinstance(step, ScalarBlock):
            for part in step.parts(AT_ONCE):
                places.block(part, now + part.first - step.first)
        else:
            places.step(step, now, written, read)
    body.arena_bytes = places.finish()


def _is_planned(value: Value) -> bool:
    """Whether the value owns memory of the arena; an empty one does not."""
    return value.kind is SlotKind.ARENA and value.nbytes > 0


def live_ranges(body: Body) -> list[tuple[Sequence[Value], Sequence[Value]]]:
    """Find the first and the last step that touch each value, or what is merged with it.

    Returns:
        What each step writes and what it reads, merged values as what they are merged with; of blocks nothing.
    """
    touched: list[tuple[Sequence[Value], Sequence[Value]]] = []
    body.cells.forget_ranges()
    steps = body.steps
    for step in steps:
        if isinstance(step, ScalarBlock):
            touched.append(((), ()))
            for _, value, _ in step.moves():
                root = value if value.merged is None else value.root
                root.start = root.end = -1
            continue
        written, read = roots(step.writes), roots(step.reads)
        touched.append((written, read))
        for value in written:
            value.start = value.end = -1
        for value in read:
            value.start = value.end = -1
    for (now, step), (written, read) in zip(placed(steps), touched, strict=True):
        if isinstance(step, ScalarBlock):
            for part in step.parts(AT_ONCE):
                _touch_block(part, now + part.first - step.first)
            continue
        for value in written:
            if value.start < 0:
                value.start = now
            value.end = now
        for value in read:
            value.end = now
    return touched


def _touch_block(step: ScalarBlock, now: int) -> None:
    """Note that a block touches values, of which the first operation has the number `now`."""
    rows, first, end = step.rows, step.first, step.end
    starts, ends = rows.cells.starts, rows.cells.ends
    columns = (rows.targets[first:end], rows.a[first:end], rows.b[first:end], rows.c[first:end])
    touched, steps = np.array(columns), np.arange(now, now + end - first, dtype=np.intc)
    np.frombuffer(ends, np.intc)[touched.T.ravel()] = steps.repeat(len(columns))  # the last step that touches it stays
    np.frombuffer(starts, np.intc)[touched[0]] = steps  # a cell is the target of one operation
    starts[0] = ends[0] = -1
    for row, value, _ in step.moves():
        root, at = value if value.merged is None else value.root, now + row - first
        if root.start < 0 and not rows.targets[row]:
            root.start = at
        root.end = max(root.end, at)
