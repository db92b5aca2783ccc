"""Updates in place: results that take over the memory of an operand, so that the copy between them is left out.

A value that a step reads for the last time and one that it writes first may be one piece of memory: they are merged.
Where the first is an input of a body and the second an output, they are *shared*, if whatever runs the body agrees:
then both have one address, and the carry of a loop is updated where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .body import Body, Share
from .format import SlotKind
from .plan import live_ranges
from .steps import LoopStep, PlainStep, ScalarBlock, Step, Value, placed


def update_in_place(bodies: Sequence[Body]) -> None:
    """Merge values of the bodies that one instruction runs, and find the shares that all of them allow."""
    first = bodies[0]
    if not first.unit.fuse:
        return
    takeovers = [Takeovers(body) for body in bodies]
    shares = agreed(takeovers, first.may_share)
    for body, found in zip(bodies, takeovers, strict=True):
        body.shares = shares
        found.settle(shares)


class Takeovers:
    """What of a body runs in place: values are merged at once, shares only when they are asked for."""

    def __init__(self, body: Body) -> None:
        self.segments = body.segments
        self.inputs = body.inputs
        self.outputs = body.outputs
        self._body = body
        self._steps = dict(placed(body.steps))
        #: What steps would otherwise copy, with their places; most bodies have none, and nothing to merge.
        moving = [(now, step) for now, step in self._steps.items() if type(step) is not ScalarBlock]
        self._moving = [(now, moves) for now, step in moving if (moves := _moves(step))]
        self._ranged = False
        if any(read.kind is SlotKind.ARENA for _, moves in self._moving for _, read in moves):
            live_ranges(self._body)
            for now, moves in reversed(self._moving):
                for written, read in moves:
                    if read.kind is SlotKind.ARENA and not read.kept and _hands_over(now, written, read):
                        read.merged = written.root

    def proposed(self) -> set[Share]:
        """The shares that leave out a copy of an array that other steps then write to."""
        if not self._moving:
            return set()
        number = {value: at for at, value in enumerate(self.inputs)}
        place = {value: at for at, value in enumerate(self.outputs)}
        found = {
            (number[read.root], place[written.root])
            for _, moves in self._moving
            for written, read in moves
            if read.root in number and written.root in place
        }
        used = {v.root for step in self._steps.values() if not _is_copy(step) for v in _arrays(step)}
        return {(i, o) for i, o in found if self.allows(i, o) and self.outputs[o] in used}

    def allows(self, input_: int, output: int) -> bool:
        """Whether nothing reads the input once the output is written to."""
        if not self._ranged:
            live_ranges(self._body)
            self._ranged = True
        read, written = self.inputs[input_], self.outputs[output]
        if read.nbytes != written.nbytes or read.dtype != written.dtype or read.tape >= 0 or not read.nbytes:
            return False
        if read.end != written.start:
            return read.end < written.start
        step = self._steps.get(read.end)  # none within a block
        return step is not None and _may_share(step, written, read) and _reads_once(step, read)

    def settle(self, shares: Iterable[Share]) -> None:
        """Leave out the copies of values to where they are, with these shares."""
        if not self._moving:
            return
        taken = {self.outputs[o]: self.inputs[i] for i, o in shares}

        def memory(value: Value) -> Value:
            return taken.get(value.root, value.root)

        def needless(step: Step) -> bool:
            return _is_copy(step) and all(memory(written) is memory(read) for written, read in _moves(step))

        for segment in self.segments:
            left: list[Step] = []
            for step in segment.steps:
                if needless(step):
                    continue
                last = left[-1] if left else None
                if isinstance(step, ScalarBlock) and isinstance(last, ScalarBlock):
                    last.end = step.end  # what was between them is left out
                else:
                    left.append(step)
            segment.steps = left


def agreed(bodies: Sequence[Takeovers], may_share: frozenset[Share] | None) -> list[Share]:
    """The shares that all bodies allow and that leave out a copy in at least one, of those that `may_share` holds."""
    taken: set[int] = set()
    written: set[int] = set()
    shares: list[Share] = []
    if may_share is not None and not may_share:
        return shares
    for share in sorted(set[Share]().union(*(body.proposed() for body in bodies))):
        i, o = share
        fits = i not in taken and o not in written and (may_share is None or share in may_share)
        if fits and all(body.allows(i, o) for body in bodies):
            shares.append(share)
            taken.add(i)
            written.add(o)
    return shares


def _arrays(step: Step) -> Iterable[Value]:
    """What a step touches, without the cells of a block."""
    if isinstance(step, ScalarBlock):
        return (value for _, value, _ in step.moves())
    return (*step.reads, *step.writes)


def _is_copy(step: Step) -> bool:
    """Whether the step moves one array, element by element, to a place of its size."""
    return isinstance(step, LoopStep) and step.copied is not None


def _moves(step: Step) -> Sequence[tuple[Value, Value]]:
    """Pairs (written, read) of a step that would otherwise copy the one to the other."""
    if isinstance(step, LoopStep):
        return () if step.copied is None else (step.copied,)
    return step.in_place if isinstance(step, PlainStep) else ()


def _may_share(step: Step, written: Value, read: Value) -> bool:
    """Whether a step may write the one where it reads the other."""
    if isinstance(step, LoopStep):
        return bool(step.in_place((written,), (read,)))
    return isinstance(step, PlainStep) and (written, read) in ((w.root, r.root) for w, r in step.in_place)


def _hands_over(now: int, written: Value, read: Value) -> bool:
    """Whether `read` ends where `written` begins (ranges of values before any is merged)."""
    same = read.nbytes == written.nbytes and read.dtype == written.dtype and not read.cell and not written.cell
    return same and read.nbytes > 0 and read.end == now == written.start and read.start >= 0


def _reads_once(step: Step, read: Value) -> bool:
    return sum(value.root is read for value in step.reads) == 1
