"""The numbers that make up the format of a Program: statuses, slot kinds and limits, listed once.

`python -m pygraph.emit.tables` writes them into csrc/generated/pg_format.h and csrc/pg_status.h. They are part of the
hash that a Program carries and the C library was compiled with, so a library of another format refuses to load it.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from ..ops import limits
from ..ops.row import Op

#: Raised by one whenever Programs change their meaning without a change of a number here.
FORMAT_VERSION = 8


class _Named(enum.IntEnum):
    """A number with one line that says what it stands for."""

    meaning: str

    def __new__(cls, number: int, meaning: str = "") -> _Named:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member


class SlotKind(_Named):
    """Where the memory of a slot lives."""

    ARENA = 0, "an offset in the body's arena"
    CONST = 1, "an offset in the constants"
    INPUT = 2, "the number of an input"
    OUTPUT = 3, "the number of an output"
    COUNT = 4, "nowhere: its element i, for any int i, is i itself; only loads of a LOOP read it"


#: In place of a dtype: the slot is memory that one instruction has for itself.
RAW = -1


class Status(_Named):
    """What a C function returns."""

    OK = 0, "done"
    PROGRAM = 1, "the Program is not one"
    MEMORY = 2, "no memory"
    INDEX = 3, "an index lies outside its axis"
    NONFINITE = 4, "a result is inf or nan"
    ARGUMENT = 5, "a call that is not possible"
    STEPS = 6, "a loop did not end within its limit"
    TAPE = 7, "a tape reached its limit"
    INTERRUPTED = 8, "the run was stopped"
    PAYS = 9, "done, and native code would pay"
    FAILURE = 16, "a kernel failed in its first way; the others follow"


def failures(op: Op) -> list[str]:
    """What C returns for each failure of a row's kernel, as C calls it."""
    assert op.kernel is not None
    found = [failure.status for failure in op.kernel.failures]
    return [f"PG_{name}" if name != "FAILURE" else f"PG_FAILURE + {at}" for at, name in enumerate(found)]


class Constant(NamedTuple):
    """A number that C knows as PG_<name>."""

    name: str
    value: int
    meaning: str


#: All constants of the format, in the order of their definition.
CONSTANTS: list[Constant] = []


def _constant(name: str, value: int, meaning: str) -> int:
    CONSTANTS.append(Constant(name, value, meaning))
    return value


MAGIC = _constant("MAGIC", 0x5047524150483031, "the first word of every Program")
HEADER_WORDS = _constant("HEADER_WORDS", 5, "words before the first body")
CHECKSUM_WORD = _constant("CHECKSUM_WORD", 2, "where the checksum of the words after it stands")
BODY_WORDS = _constant("BODY_WORDS", 9, "words of a body before its slots")
MAX_DIMS = _constant("MAX_DIMS", 8, "axes of an iteration space")
MAX_BLOCK = _constant("MAX_BLOCK", 4096, "elements of a block of a LOOP")
MAX_REGISTERS = _constant("MAX_REGISTERS", 1024, "registers of a LOOP")
MAX_MICROS = _constant("MAX_MICROS", 1 << 16, "micro-operations of a LOOP")
MICRO_WORDS = _constant("MICRO_WORDS", 7, "words of a micro-operation")
MAX_SEGMENTS = _constant("MAX_SEGMENTS", 8, "segments of the main body")
_constant("MAX_DEPTH", limits.MAX_DEPTH, "bodies that run one inside another")
MAX_THREADS = _constant("MAX_THREADS", 256, "threads of the pool")
_constant("MAX_STEPS", limits.MAX_STEPS, "steps of a SCAN")
_constant("MAX_ELEMENTS", limits.MAX_ELEMENTS, "elements of an array or an iteration space")
_constant("MAX_MATRIX", limits.MAX_MATRIX, "rows or columns of a matrix in a product")
MAX_ARENA = _constant("MAX_ARENA", 1 << 39, "bytes of an arena, a slot, or the constants")
MAX_SIZES = _constant("MAX_SIZES", 28, "sizes and parameters of a kernel")
MAX_CORE = _constant("MAX_CORE", 5, "core axes of an operand or result of a kernel")
MAX_ARGUMENTS = _constant("MAX_ARGUMENTS", 12, "operands and results of a kernel")
LAPACK_ABOVE = _constant("LAPACK_ABOVE", 32, "size of the matrices above which the library uses LAPACK")
MAX_CALL_TASKS = _constant("MAX_CALL_TASKS", 64, "tasks of a CALL")
STAGE_BYTES = _constant("STAGE_BYTES", 16384, "inputs and outputs up to this size have memory in each context")
MAX_PARTIALS = _constant("MAX_PARTIALS", 64, "partial results of one result of a reduction")
TINY_PRODUCT = _constant("TINY_PRODUCT", 512, "multiplications of a matrix product made by plain loops")
