"""The words of all instructions: written and read again, and what no word may be, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from programs import derived

from pygraph.errors import ProgramError
from pygraph.graph import Graph, scan, switch, var, while_loop
from pygraph.lower import Program, disassemble, lower
from pygraph.lower.decode import Body, decode
from pygraph.lower.fields import Field, Flag, Kernel, Number, Numbers, Workspace
from pygraph.lower.format import BODY_WORDS, HEADER_WORDS
from pygraph.lower.instructions import INSTRUCTIONS, Instruction, words_of
from pygraph.ops import exp, matmul, sin, sum, take, tanh
from pygraph.ops.limits import MAX_ELEMENTS
from pygraph.ops.table import KERNELS
from pygraph.runtime.clib.library import Library

X, INDEX, A = var("x", (5, 6)), var("i", (4,), "int64"), var("a")
ROWS = X.at[INDEX].add(np.ones((4, 6)))
PROGRAMS = [
    lower(Graph([X, INDEX], (exp(X), sum(X, axis=0), matmul(X, X.T), take(X, INDEX, axis=0), ROWS))),
    lower(Graph([X, A], scan(lambda c, row: (tanh(c * A + sum(row)), c * row), 0.0, X))),
    lower(Graph([INDEX, A], switch(INDEX[0], [sin, lambda v: v * 2.0], A))),
    lower(*derived(Graph([A], while_loop(lambda v: v < 9.0, lambda v: tanh(v) + v, A, limit=50)))),
]


def placed(program: Program) -> Iterator[tuple[Body, Instruction, int]]:
    """All instructions, with their bodies and where they start among the words."""
    at = HEADER_WORDS
    for body in decode(program):
        _, _, slots, inits, segments, _, _, _, shares = program.words[at : at + BODY_WORDS].tolist()
        code = at + BODY_WORDS + 4 * slots + 3 * inits + 2 * shares + 2 * segments
        yield from ((body, one, code + one.position) for segment in body.segments for one in segment)
        at += int(program.words[at])


def test_they_are_those_of_all_instructions() -> None:
    assert {type(one) for program in PROGRAMS for _, one, _ in placed(program)} == set(INSTRUCTIONS.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_read_is_written_in_the_same_words(program: Program) -> None:
    for _, one, at in placed(program):
        words = words_of(one, one.node)
        assert program.words[at : at + len(words)].tolist() == words


def impossible(field: Field, body: Body) -> list[tuple[int, int]]:
    """Words that a field can't have, with their places among its own."""
    match field:
        case Number(low=low, high=high):
            return [(0, low - 1), (0, high + 1)] if high < 2**63 - 1 else [(0, low - 1)]
        case Flag():
            return [(0, -1), (0, 2)]
        case Kernel():
            return [(0, -1), (0, len(KERNELS)), (0, 1 << 40)]
        case Workspace():
            return [(0, -2), (0, len(body.slots)), (0, 1 << 40)]
        case Numbers(type=made, low=low):
            return [(at, word) for at in range(len(made._fields)) for word in (low - 1, MAX_ELEMENTS + 1)]
    return []


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_impossible_number_is_refused_by_both_languages(program: Program) -> None:
    Library(program, "as it is")
    tried = 0
    for body, one, first in placed(program):
        start = first + 3
        for name, field in one.layout.items():
            for at, word in impossible(field, body):
                words = program.words.copy()
                words[start + at] = word
                damaged = replace(program, words=words)
                with pytest.raises(ProgramError, match="refused"):
                    Library(damaged, "damaged")
                with pytest.raises(ProgramError, match="can't be"):
                    disassemble(damaged)
                tried += 1
            start += len(field.write(getattr(one, name)))
    assert tried >= 2


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_length_is_refused_by_both_languages(program: Program) -> None:
    for _, _, first in placed(program):
        for change in (-1, 1):
            words = program.words.copy()
            words[first + 1] += change
            damaged = replace(program, words=words)
            with pytest.raises(ProgramError):
                Library(damaged, "damaged")
            with pytest.raises(ProgramError):
                disassemble(damaged)
