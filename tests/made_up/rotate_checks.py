"""What follows for ROTATE from its class, its runner and its emitter: tests that run with the copy that has it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.emit import c_program
from pygraph.emit.instructions.uses import SlotUse, Uses
from pygraph.graph import Graph, scan, var
from pygraph.lower import disassemble, instruction_steps, lower
from pygraph.lower.decode import decode
from pygraph.lower.fields import Array
from pygraph.lower.instructions import INSTRUCTIONS, Rotate, words_of  # type: ignore[attr-defined]
from pygraph.lower.steps import PlainStep, operand
from pygraph.lower.views import batch_strides
from pygraph.ops.limits import MAX_ELEMENTS
from pygraph.ops.row import Family, Op, register
from pygraph.ops.strides import row_major
from pygraph.runtime.clib.library import Library

# --- an operation that it is emitted for


def _reference(x, total, shift, back):  # type: ignore[no-untyped-def]
    return total + np.roll(x, -shift if back else shift, -1), x[(-1,) * x.ndim]


def _emit(emitter, node, accesses):  # type: ignore[no-untyped-def]
    x, start = accesses
    read = emitter.value(x.base)
    total, last = (emitter.place(named, type_) for named, type_ in emitter.results_of(node))
    emitter.copy(start, total, 0, row_major(start.shape), emitter.unit.node_id(node))
    *batch, length = x.shape
    strides = batch_strides(x.shape, 1, len(batch))

    def made(slot):  # type: ignore[no-untyped-def]
        operands = operand(slot, read, x.offset, strides), operand(slot, last), operand(slot, total, 0, strides)
        return Rotate(node.attrs["back"], length, node.attrs["shift"], tuple(batch), *operands)

    emitter.steps.append(PlainStep(made, emitter.unit.node_id(node), (read, total), (total, last)))


rotate = register(
    Op(
        "rotate",
        Family.ELEMENTWISE,
        2,
        "The sum of `total` and the rotated rows of x, and the last element of x.",
        kinds="fi",
        results=lambda operands, attrs: [(operands[0].shape, operands[0].dtype), ((), operands[0].dtype)],
        reference=_reference,
        nondiff=True,
    )
)
instruction_steps.STEPS[rotate] = _emit  # type: ignore[index]


# --- values


def chain(rotate: Any, x: Any, start: Any) -> Any:
    """Intermediate results that live while others take their memory, and that are read twice."""
    kept, last = rotate(x * 2, start, shift=1, back=False)
    for shift in range(3):
        start, more = rotate(x + start, kept, shift=shift, back=shift % 2 == 1)
        kept, last = start * 2 - kept, last + more
    return kept, last, start


def steps(x: Any, start: Any) -> Any:
    """A carry that each step updates."""
    return scan(lambda c, row: (rotate(row, c, shift=2, back=True)[0], c[0]), start, x)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_values(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape in ((5,), (2, 3, 4), (40, 50)):
        x, start = (np.round(rng.normal(size=shape) * 8).astype(dtype) for _ in range(2))
        wanted = chain(_reference, x, start)
        for backend in ("vm", "native"):
            found = pg.compile(lambda x, start: chain(rotate, x, start), backend=backend)(x, start)
            for ours, theirs in zip(found, wanted, strict=True):
                assert ours.dtype == dtype
                assert np.array_equal(ours, theirs)


def test_in_the_body_of_a_loop() -> None:
    x, start = np.random.default_rng(1).normal(size=(6, 9)), np.arange(9.0)
    value, firsts = start, []
    for row in x:
        firsts.append(value[0])
        value = value + np.roll(row, -2)
    for backend in ("vm", "native"):
        last, ys = pg.compile(steps, backend=backend)(x, start)
        assert np.array_equal(last, value)
        assert np.array_equal(ys, firsts)


def test_inf_is_seen() -> None:
    huge = pg.compile(lambda x: rotate(x, x * 1e200, shift=1, back=False)[0], check_finite=True)
    assert np.isfinite(huge(np.ones(3))).all()
    with pytest.raises(pg.NonFiniteError, match="rotate"):
        huge(np.full(3, 1e200))


# --- words, listing, uses

X, TOTAL = var("x", (2, 1, 5)), var("total", (2, 1, 5))
PROGRAM = lower(Graph([X, TOTAL], rotate(X, TOTAL, shift=3, back=True)))
(BODY,) = decode(PROGRAM)
(ONE,) = (found for found in BODY.segments[0] if isinstance(found, Rotate))
PLACE = len(PROGRAM.words) - sum(len(words_of(found, found.node)) for found in BODY.segments[0]) + ONE.position
#: Where the words of each field start, after opcode, length and node.
STARTS = {"opcode": PLACE, "length of words": PLACE + 1}
_at = PLACE + 3
for _name, _field in Rotate.layout.items():
    STARTS[_name] = _at
    _at += len(_field.write(getattr(ONE, _name)))


def test_it_is_encoded_and_decoded() -> None:
    words = words_of(ONE, ONE.node)
    assert PROGRAM.words[PLACE : PLACE + len(words)].tolist() == words
    assert len(words) == _at - PLACE
    assert (ONE.back, ONE.length, ONE.shift, ONE.batch) == (True, 5, 3, (2, 1))


def test_it_is_listed() -> None:
    lines = [re.sub(r"  # .*", "", line).strip() for line in disassemble(PROGRAM).splitlines()]
    at = lines.index(f"{ONE.position}  ROTATE back, length 5, shift 3, batch [2, 1]")
    assert lines[at + 1 : at + 4] == [
        "reads x x +0 strides [5, 0] : float64",
        "writes last out1 +0 : float64",
        "updates total out0 +0 strides [5, 0] : float64",
    ]


def test_its_slots_are_known() -> None:
    assert list(Uses([BODY]).of(ONE)) == [
        SlotUse(ONE.x.slot, True, False),
        SlotUse(ONE.last.slot, False, True),
        SlotUse(ONE.total.slot, True, True),
    ]


# --- refusals

OPERANDS = [name for name, field in Rotate.layout.items() if isinstance(field, Array)]
UNKNOWN = (-1, 0, max(set(range(Rotate.number)) - set(INSTRUCTIONS)), Rotate.number + 1, 1 << 40)
#: A field, which of its words, words that can't stand there, and what C says of them. Python refuses them as well.
NUMBERS: list[tuple[str, int, tuple[int, ...], str]] = [
    ("opcode", 0, UNKNOWN, "no instruction has opcode"),
    ("length of words", 0, (len(words_of(ONE, -1)) - 1, 1 << 62), ""),
    ("back", 0, (-1, 2), "ROTATE: back can't be"),
    ("length", 0, (-1, 1 << 31), "ROTATE: length can't be"),
    ("shift", 0, (-1, 1001), "ROTATE: shift can't be"),
    ("batch", 0, (-1, 9, 1 << 40), "batch"),
    ("batch", 1, (-1, MAX_ELEMENTS + 1), "ROTATE: its batch are not possible or too large"),
    *((name, 0, (-1, len(BODY.slots), 1 << 40), f"ROTATE: {name}: no slot") for name in OPERANDS),
]
#: The same of extents, which C alone checks.
EXTENTS: list[tuple[str, int, tuple[int, ...], str]] = [
    ("length", 0, (6,), "leave slot"),
    ("length", 0, (3,), "rows of 3 can't be rotated by 3"),
    ("shift", 0, (5,), "rows of 5 can't be rotated by 5"),
    ("batch", 1, (3,), "leave slot"),
    *((name, 1, (-1, 1, 1 << 60), f"ROTATE: {name}") for name in OPERANDS),
    *((name, 2, (-5, 6, 1 << 60), f"ROTATE: {name}") for name in ("x", "total")),
    *((name, 0, (ONE.x.slot,), "is an input and must not be written") for name in ("last", "total")),
    ("total", 2, (4,), "write one element more than once"),
    ("last", 0, (ONE.total.slot,), "overlaps another operand"),
]


@pytest.mark.parametrize(("field", "at", "bad", "said"), [*NUMBERS, *EXTENTS])
def test_a_bad_word_is_refused(field: str, at: int, bad: tuple[int, ...], said: str) -> None:
    Library(PROGRAM, "as it is")
    for word in bad:
        words = PROGRAM.words.copy()
        assert words[STARTS[field] + at] != word
        words[STARTS[field] + at] = word
        damaged = replace(PROGRAM, words=words)
        with pytest.raises(pg.ProgramError) as caught:
            Library(damaged, "damaged")
        assert said in " ".join(str(caught.value).split())
        if (field, at, bad, said) in NUMBERS:
            refuse: list[Callable[[Any], Any]] = [decode, disassemble]
            for read in refuse:
                with pytest.raises(pg.ProgramError):
                    read(damaged)
        else:
            assert decode(damaged)


def test_each_field_was_tried() -> None:
    assert {field for field, *_ in NUMBERS} == {"opcode", "length of words", *Rotate.layout}
    assert {field for field, *_ in EXTENTS} == set(Rotate.layout) - {"back"}


def test_a_missing_entry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(c_program.EMITTERS, Rotate)
    with pytest.raises(pg.BackendError, match="no C is written for ROTATE"):
        pg.compile(lambda x: rotate(x, x, shift=0, back=False)[0], backend="native")(np.ones(3))
    monkeypatch.delitem(INSTRUCTIONS, Rotate.number)
    with pytest.raises(pg.ProgramError, match=f"no instruction has opcode {Rotate.number}"):
        disassemble(PROGRAM)


def test_which_copy_it_is() -> None:
    assert Path(pg.__file__).is_relative_to(os.environ["PYTHONPATH"])
