"""Decodes the words of a Program into bodies of instructions, for the listing and for the emitter of C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ProgramError
from .fields import BadWord, Words
from .format import HEADER_WORDS, SlotKind
from .instructions import INSTRUCTIONS, Instruction, name_of
from .program import Program


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of memory of a body: an offset in the arena or the constants, or the number of an input or output.

    Or counts, which are no memory: element i is i. Its elements have the dtype of a code, or it is RAW.
    """

    kind: SlotKind
    dtype: int
    where: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Init:
    """A constant of one element that lies in the arena from the start."""

    offset: int
    constant: int
    dtype: int


@dataclass(frozen=True, slots=True)
class Body:
    """One function of a Program; the slots of its inputs come first, then those of its outputs.

    `shares`: the number of an input, and of the output that takes over its memory.
    """

    number: int
    arena_bytes: int
    n_inputs: int
    n_outputs: int
    slots: tuple[Slot, ...]
    inits: tuple[Init, ...]
    shares: tuple[tuple[int, int], ...]
    segments: tuple[tuple[Instruction, ...], ...]


def decode(program: Program) -> tuple[Body, ...]:
    """The bodies of a Program, as its words alone say; only the nodes of micro-operations come from beside them.

    Raises:
        ProgramError: a number of an instruction is not possible. What operands reach in their slots is looked at by the
            C loader alone.
    """
    words = Words(program.words.tolist(), HEADER_WORDS - 2, iter(program.micro_nodes))
    n_bodies, _ = words.many(2)
    return tuple(_body(number, words) for number in range(n_bodies))


def _body(number: int, words: Words) -> Body:
    _, arena, n_slots, n_inits, n_segments, n_inputs, n_outputs, n_code, n_shares = words.many(9)
    slots = tuple(Slot(SlotKind(words.one()), *words.many(3)) for _ in range(n_slots))
    words.dtypes = [slot.dtype for slot in slots]
    inits = tuple(Init(*words.many(3)) for _ in range(n_inits))
    shares = tuple((words.one(), words.one()) for _ in range(n_shares))
    ranges = [words.many(2) for _ in range(n_segments)]
    start, index = words.at, 0
    segments = []
    for first, end in ranges:
        instructions = []
        words.at = start + first
        while words.at < start + end:
            instructions.append(_instruction(words, index, words.at - start))
            index += 1
        segments.append(tuple(instructions))
    words.at = start + n_code
    return Body(number, arena, n_inputs, n_outputs, slots, inits, shares, tuple(segments))


def _instruction(words: Words, index: int, position: int) -> Instruction:
    first = words.at
    number, length, node = words.many(3)
    kind = INSTRUCTIONS.get(number)
    if kind is None:
        raise _refused(f"no instruction has opcode {number}", index)
    known: dict[str, Any] = {}
    words.end = first + length
    try:
        for name, field in kind.layout.items():
            known[name] = field.read(words, known)
    except BadWord as error:
        raise _refused(f"{name_of(kind)}: {name.replace('_', ' ')} can't be {error}", index) from None
    if words.at != words.end:
        raise _refused(f"{name_of(kind)}: {words.end - words.at} words too many", index)
    words.end = len(words.words)
    return kind(node=node, index=index, position=position, **known)


def _refused(problem: str, index: int) -> ProgramError:
    return ProgramError(problem, "lower the graph again", stage="decoding", subject=f"instruction {index}")
