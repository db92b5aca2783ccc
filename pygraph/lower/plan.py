"""The memory plan: live ranges of values become offsets in one arena, with reuse."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from .body import Body
from .format import SlotKind
from .steps import ALIGNMENT, CELL, LoopStep, ScalarStep, Step, Value, roots


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


def plan(body: Body) -> None:
    """Give every arena value its offset.

    Constant cells come first and are never reused, then the cells of single elements, then the arrays.
    """
    touched = live_ranges(body.steps)
    for position, value in enumerate(body.constant_cells):
        value.offset = position * CELL
    free_cells: list[int] = []
    cells = len(body.constant_cells)
    arrays = _Arrays()
    placed: list[Value] = []

    def take(value: Value) -> None:
        nonlocal cells
        if value.cell:
            if free_cells:
                value.offset = free_cells.pop()
            else:
                value.offset = cells * CELL
                cells += 1
        else:
            value.offset = arrays.take(value.nbytes)
            placed.append(value)

    def give(value: Value) -> None:
        if value.cell:
            free_cells.append(value.offset)
        else:
            arrays.give(value.offset, value.nbytes)

    for now, (step, (written, read)) in enumerate(zip(body.steps, touched, strict=True)):
        once = read if len(read) < 2 else dict.fromkeys(read)
        dying = [value for value in once if value.end == now and not value.kept and _is_planned(value)]
        if isinstance(step, ScalarStep):  # operands are read before the result is written
            for value in dying:
                give(value)
            (target,) = written
            if target.start == now and _is_planned(target):
                take(target)
                if target.end == now and not target.kept:
                    give(target)
            continue
        fresh = [value for value in dict.fromkeys(written) if value.start == now and _is_planned(value)]
        shared: set[Value] = set()
        if isinstance(step, LoopStep) and dying and fresh:
            for target, source in step.in_place({x for x in fresh if not x.cell}, set(dying)).items():
                target.offset = source.offset
                placed.append(target)
                shared |= {source, target}
        for value in fresh:
            if value not in shared:
                take(value)
        for value in step.temporaries:
            take(value)
        for value in (*dying, *step.temporaries, *(v for v in fresh if v.end == now and not v.kept)):
            if value not in shared or (value in fresh and value.end == now):
                give(value)
    base = -(-cells * CELL // ALIGNMENT) * ALIGNMENT
    for value in placed:
        value.offset += base
    body.arena_bytes = base + arrays.size


def _is_planned(value: Value) -> bool:
    """Whether the value owns memory of the arena; an empty one does not."""
    return value.kind is SlotKind.ARENA and value.nbytes > 0


def live_ranges(steps: Sequence[Step]) -> list[tuple[Sequence[Value], Sequence[Value]]]:
    """Find the first and the last step that touch each value, or what is merged with it.

    Returns:
        What each step writes and what it reads, merged values as what they are merged with.
    """
    touched: list[tuple[Sequence[Value], Sequence[Value]]] = []
    for step in steps:
        written, read = roots(step.writes), roots(step.reads)
        touched.append((written, read))
        for value in written:
            value.start = value.end = -1
        for value in read:
            value.start = value.end = -1
    for now, (written, read) in enumerate(touched):
        for value in written:
            if value.start < 0:
                value.start = now
            value.end = now
        for value in read:
            value.end = now
    return touched
