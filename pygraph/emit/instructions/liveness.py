"""Which cells of scalar code are read later and so must be stored: exact backward liveness over cells."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...lower.decode import Body, Slot
from ...lower.fields import MicroOperation
from ...lower.format import SlotKind
from ...lower.instructions import Instruction, Scalar
from ...lower.program import Micro
from .uses import Uses

#: Micro-operations in one function: few enough that compilers take time in proportion to the whole, however large.
PIECE = 256


@dataclass(slots=True)
class Piece:
    """Scalar code that becomes one function.

    Attributes:
        micros: what it does; results that are never read are left out.
        stored: the cells that other code reads after it has written them.
    """

    micros: list[MicroOperation]
    stored: set[int] = field(default_factory=set)


class Move(MicroOperation):
    """A cell that takes the value of another: a LOAD from one, or a STORE to one."""

    __slots__ = ()


def cut(body: Body, uses: Uses) -> dict[int, list[Piece]]:
    """The pieces of the SCALAR instructions of a body, by the instructions' indices."""
    cells = _cells(body)
    pieces: dict[int, list[Piece]] = {}
    for segment in body.segments:
        for instruction in segment:
            if isinstance(instruction, Scalar):
                micros = [_moved(body, cells, micro) for micro in instruction.micros]
                pieces[instruction.index] = [Piece(micros[i : i + PIECE]) for i in range(0, len(micros), PIECE)]
    order = sorted(cells)
    live: set[int] = set()
    for segment in body.segments[1:]:  # each may run again after any of them
        live |= _walk(body, uses, order, segment, pieces, set())
    for segment in body.segments:
        _walk(body, uses, order, segment, pieces, set(live))
    return pieces


def _cells(body: Body) -> set[int]:
    """The cells that operations address."""
    cells: set[int] = set()
    for segment in body.segments:
        for instruction in segment:
            if isinstance(instruction, Scalar):
                for micro in instruction.micros:
                    if micro.micro >= 0:
                        cells.update((micro.target, *micro.sources))
                    else:
                        cells.add(micro.target if micro.micro == Micro.LOAD else micro.a)
    return cells


def _moved(body: Body, cells: set[int], micro: MicroOperation) -> MicroOperation:
    """A LOAD or STORE whose memory is itself a cell as a Move; other micro-operations as they are."""
    if micro.micro >= 0:
        return micro
    load = micro.micro == Micro.LOAD
    slot = body.slots[micro.a if load else micro.target]
    cell = slot.where // 8
    if slot.kind is not SlotKind.ARENA or slot.nbytes > 8 or cell not in cells:
        return micro
    target, source = (micro.target, cell) if load else (cell, micro.a)
    return Move(micro.micro, micro.dtype_in, micro.dtype_out, target, source, -1, -1, micro.node)


def reads(micro: MicroOperation) -> Sequence[int]:
    """The cells that a micro-operation reads."""
    if micro.micro >= 0 or isinstance(micro, Move):
        return micro.sources
    return () if micro.micro == Micro.LOAD else (micro.a,)


def writes(micro: MicroOperation) -> int | None:
    """The cell that a micro-operation writes; None for a STORE."""
    return None if micro.micro == Micro.STORE and not isinstance(micro, Move) else micro.target


def _walk(
    body: Body,
    uses: Uses,
    order: Sequence[int],
    segment: Sequence[Instruction],
    pieces: dict[int, list[Piece]],
    live: set[int],
) -> set[int]:
    """Go through a segment backwards from the cells that are live after it; returns those that are live before it."""
    for instruction in reversed(segment):
        if isinstance(instruction, Scalar):
            for piece in reversed(pieces[instruction.index]):
                _walk_piece(piece, live)
        else:
            for use in uses.of(instruction):
                if use.reads:
                    live.update(_inside(order, body.slots[use.slot]))
    return live


def _walk_piece(piece: Piece, live: set[int]) -> None:
    piece.stored = {cell for micro in piece.micros if (cell := writes(micro)) is not None and cell in live}
    kept = []
    for micro in reversed(piece.micros):
        target = writes(micro)
        if target is not None:
            if target not in live:
                continue
            live.discard(target)
        live.update(reads(micro))
        kept.append(micro)
    piece.micros = kept[::-1]


def _inside(order: Sequence[int], slot: Slot) -> Iterator[int]:
    """The cells of operations that lie in a slot."""
    if slot.kind is SlotKind.ARENA:
        at, end = bisect_left(order, slot.where // 8), slot.where + slot.nbytes
        while at < len(order) and 8 * order[at] < end:
            yield order[at]
            at += 1
