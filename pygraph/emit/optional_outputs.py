"""Outputs that a caller may leave out: which instructions are for them alone, and which need memory all the same."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..lower.decode import Body
from ..lower.format import SlotKind
from ..lower.instructions import Instruction, Replay, Scalar, While
from ..lower.program import Micro
from .instructions.liveness import reads, writes
from .instructions.uses import Uses

#: Programs whose main body has more instructions than this are not looked at: all of them run.
MOST = 2000

#: A piece of memory: an output by its slot, or some bytes of the arena.
_Piece = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Optional:
    """What depends on which outputs are asked for.

    Attributes:
        needed_for: by the index of an instruction of the main body, the slots of the outputs one of which must be asked
            for, if it is to run; others always run.
        kept: the slots of the outputs that need memory when they are not asked for.
    """

    needed_for: dict[int, frozenset[int]]
    kept: frozenset[int]

    @property
    def flags(self) -> dict[int, int]:
        """The number of the flag that says whether an output of `kept` is asked for, where that is looked at."""
        looked_at = {slot for slots in self.needed_for.values() for slot in slots}
        return {slot: number for number, slot in enumerate(sorted(self.kept & looked_at))}


def optional_outputs(body: Body, uses: Uses) -> Optional:
    """What may be left out of the main body with its outputs.

    Memory that several values have one after another counts as one value: that leaves out too little, never too much.
    """
    outputs = frozenset(
        slot for slot in range(body.n_inputs, body.n_inputs + body.n_outputs) if body.slots[slot].nbytes
    )
    if sum(map(len, body.segments)) > MOST:
        return Optional({}, outputs)
    return _Analysis(body, uses, outputs).found()


class _Analysis:
    """Goes through each segment backwards with the outputs that each piece of memory is for; an output is a bit."""

    def __init__(self, body: Body, uses: Uses, outputs: frozenset[int]) -> None:
        self.body = body
        self.uses = uses
        self.outputs = sorted(outputs)
        self.everything = 1 << len(self.outputs)  # for what always runs
        instructions = [x for segment in body.segments for x in segment]
        self.touched = {x.index: ([*self._memory(x, False)], [*self._memory(x, True)]) for x in instructions}
        bounds = {at for pair in self.touched.values() for side in pair for slot, at, end in side if slot < 0}
        bounds |= {end for pair in self.touched.values() for side in pair for slot, at, end in side if slot < 0}
        self.bounds = sorted(bounds)

    def found(self) -> Optional:
        """The whole answer."""
        bits: dict[int, int] = {}
        for number, segment in enumerate(self.body.segments):
            asked: dict[_Piece, int] = {}
            later = [x for after in self.body.segments[1:] for x in after] if number == 0 else []
            for instruction in later:
                for piece in self._pieces(self.touched[instruction.index][0]):
                    asked[piece] = self.everything
            for instruction in reversed(segment):
                bits[instruction.index] = self._asked(instruction, asked)
        kept = set()
        for index, (read, written) in self.touched.items():
            for slot, _, _ in (*read, *written):
                if slot >= 0 and bits[index] != 1 << self.outputs.index(slot):
                    kept.add(slot)
        needed_for = {}
        for segment in self.body.segments:
            whole = self._whole(segment)
            for instruction in segment:
                asked_for = bits[instruction.index]
                slots = frozenset(slot for at, slot in enumerate(self.outputs) if asked_for >> at & 1)
                if slots and not asked_for & self.everything and (len(slots) == 1 or slots != whole):
                    needed_for[instruction.index] = slots
        return Optional(needed_for, frozenset(kept))

    def _whole(self, segment: Sequence[Instruction]) -> set[int]:
        """All outputs that a segment writes: a caller asks for one of them."""
        return {slot for x in segment for slot, _, _ in self.touched[x.index][1] if slot >= 0}

    def _asked(self, instruction: Instruction, asked: dict[_Piece, int]) -> int:
        """The outputs that an instruction is for, which its operands are for too from here on."""
        read, written = self.touched[instruction.index]
        found = 0
        for slot, _, _ in written:
            if slot >= 0:
                found |= 1 << self.outputs.index(slot)
        for piece in self._pieces(written):
            found |= asked.get(piece, 0)
        if isinstance(instruction, (While, Replay)) and instruction.ys:
            found |= self.everything
        for piece in self._pieces(read):
            asked[piece] = asked.get(piece, 0) | found
        return found

    def _pieces(self, memory: Iterable[tuple[int, int, int]]) -> Iterator[_Piece]:
        """Memory in pieces that it shares wholly or not at all with other memory."""
        for slot, start, end in memory:
            if slot >= 0:
                yield slot, 0
                continue
            at = bisect_left(self.bounds, start)
            while self.bounds[at] < end:
                yield -1, self.bounds[at]
                at += 1

    def _memory(self, instruction: Instruction, written: bool) -> Iterator[tuple[int, int, int]]:
        """What an instruction reads or writes: (slot, 0, 0) of outputs, (-1, start, end) of the arena."""
        if isinstance(instruction, Scalar):
            for micro in instruction.micros:
                if micro.micro == (Micro.STORE if written else Micro.LOAD):
                    yield from self._slot(micro.target if written else micro.a)
                cells = ([] if (cell := writes(micro)) is None else [cell]) if written else reads(micro)
                yield from ((-1, 8 * cell, 8 * cell + 8) for cell in cells)
            return
        for use in self.uses.of(instruction):
            if use.writes if written else use.reads:
                yield from self._slot(use.slot)

    def _slot(self, slot: int) -> Iterator[tuple[int, int, int]]:
        found = self.body.slots[slot]
        if found.nbytes == 0:
            return
        match found.kind:
            case SlotKind.OUTPUT:
                yield slot, 0, 0
            case SlotKind.ARENA:
                yield -1, found.where, found.where + found.nbytes
