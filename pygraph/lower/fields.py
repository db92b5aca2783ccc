"""The notation of instructions: what each of their words is. Reading and writing words follow from it.

A field of an instruction is `Annotated` with one of these. C's readers and the listing are made from them as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import Any, NamedTuple

from ..ops.limits import MAX_ELEMENTS
from ..ops.table import KERNELS
from .format import MAX_DIMS, MICRO_WORDS, RAW

INT64_MIN, INT64_MAX, INT32_MAX = -(2**63), 2**63 - 1, 2**31 - 1


class Use(Enum):
    """What an instruction does with an operand."""

    READ = "reads"
    WRITE = "writes"
    UPDATE = "updates"


class BadWord(ValueError):
    """A word that can't stand where it does."""


class Words:
    """A cursor over the words of a body.

    Attributes:
        end: where those of the instruction end that is read.
        nodes: of the micro-operations that follow.
        dtypes: of the body's slots.
    """

    def __init__(self, words: list[int], at: int, nodes: Iterator[int]) -> None:
        self.words = words
        self.at = at
        self.end = len(words)
        self.nodes = nodes
        self.dtypes: Sequence[int] = ()

    def one(self) -> int:
        at = self.at
        if at >= self.end:
            raise BadWord("missing")
        self.at = at + 1
        return self.words[at]

    def many(self, count: int) -> tuple[int, ...]:
        """The next words."""
        at, end = self.at, self.at + count
        if not at <= end <= self.end:
            raise BadWord(f"{count} words, of which {max(self.end - at, 0)} are left")
        self.at = end
        return tuple(self.words[at:end])

    def within(self, low: int, high: int) -> int:
        """The next word, within bounds."""
        word = self.one()
        if not low <= word <= high:
            raise BadWord(f"{word}, which is not between {low} and {high}")
        return word


@dataclass(frozen=True)
class Field:
    """What stands in the words of an instruction for one of its fields: one word, unless it is said otherwise."""

    def read(self, words: Words, known: dict[str, Any]) -> Any:
        """Its value; `known` are those of the fields before it."""
        return words.one()

    def write(self, value: Any) -> Sequence[int]:
        """Its words."""
        return (value,)


@dataclass(frozen=True)
class Number(Field):
    """A word within bounds."""

    low: int = 0
    high: int = MAX_ELEMENTS

    def read(self, words: Words, known: dict[str, Any]) -> int:
        return words.within(self.low, self.high)


@dataclass(frozen=True)
class Kernel(Field):
    """The number of a kernel."""

    def read(self, words: Words, known: dict[str, Any]) -> int:
        return words.within(0, len(KERNELS) - 1)


@dataclass(frozen=True)
class Workspace(Field):
    """A slot that the instruction has for itself; -1: it needs none."""

    def read(self, words: Words, known: dict[str, Any]) -> int:
        return words.within(-1, len(words.dtypes) - 1)


@dataclass(frozen=True)
class Flag(Field):
    """A word that is 0 or 1."""

    def read(self, words: Words, known: dict[str, Any]) -> bool:
        return bool(words.within(0, 1))


@dataclass(frozen=True)
class Numbers(Field):
    """Words from `low` on, as a named tuple."""

    type: Any
    low: int = 0

    def read(self, words: Words, known: dict[str, Any]) -> Any:
        found = words.many(len(self.type._fields))
        if min(found) < self.low or max(found) > MAX_ELEMENTS:
            raise BadWord(f"{list(found)}, which are not between {self.low} and {MAX_ELEMENTS}")
        return self.type(*found)

    def write(self, value: Sequence[int]) -> Sequence[int]:
        return value


@dataclass(frozen=True)
class Several(Field):
    """Words after their number."""

    def read(self, words: Words, known: dict[str, Any]) -> tuple[int, ...]:
        return words.many(words.one())

    def write(self, value: Sequence[int]) -> Sequence[int]:
        return (len(value), *value)


@dataclass(frozen=True)
class Sizes(Several):
    """The dimensions of a batch or of an iteration space, after their number."""

    def read(self, words: Words, known: dict[str, Any]) -> tuple[int, ...]:
        found = super().read(words, known)
        if len(found) > MAX_DIMS or (found and min(found) < 0) or prod(found) > MAX_ELEMENTS:
            raise BadWord(str(list(found)))
        return found


@dataclass(frozen=True)
class Array(Field):
    """An operand: for each index of `batch`, at strides, as many adjacent elements as the product `core` says.

    Attributes:
        use: what is done with it.
        dtype: the name of a dtype; or a letter, which stands for one dtype in all operands that have it: T for any, N
            for one of numbers.
        core: names of sizes, with * between them; nothing: one element.
        batch: the name of its `Sizes`; nothing: there is no batch.
    """

    use: Use
    dtype: str
    core: str = ""
    batch: str = ""

    def read(self, words: Words, known: dict[str, Any]) -> Any:
        return read_record(Operand, words, len(known[self.batch]) if self.batch else 0)

    def write(self, value: Any) -> Sequence[int]:
        slot, offset, strides, _ = value
        return (slot, offset, *strides)


@dataclass(frozen=True)
class List(Field):
    """Records of a type after their number.

    Attributes:
        record: the type.
        use: what is done with the slots; None: they are connected to those of a body.
        strides: the name of the `Sizes` that each record has strides for.
        like: the name of a list that has as many; the number is not written again.
    """

    record: Any
    use: Use | None = None
    strides: str = ""
    like: str = ""

    def read(self, words: Words, known: dict[str, Any]) -> tuple[Any, ...]:
        count = len(known[self.like]) if self.like else words.one()
        rank = len(known[self.strides]) if self.strides else 0
        return tuple(read_record(self.record, words, rank) for _ in range(count))

    def write(self, value: Sequence[Any]) -> Sequence[int]:
        found = [] if self.like else [len(value)]
        if has_strides(self.record):
            for record in value:
                *head, strides, _ = record
                found += head
                found += strides
        else:
            for record in value:
                found += record[:-1]
        return found


@dataclass(frozen=True)
class Port(Field):
    """A place that is connected to one of a body."""

    def read(self, words: Words, known: dict[str, Any]) -> "Place":
        place: Place = read_record(Place, words, 0)
        return place

    def write(self, value: "Place") -> Sequence[int]:
        return value[:-1]


@dataclass(frozen=True)
class Micros(Field):
    """Micro-operations after their number; `letter` stands before the number of a cell or register in the listing."""

    letter: str

    def read(self, words: Words, known: dict[str, Any]) -> tuple["MicroOperation", ...]:
        make, many, nodes = MicroOperation._make, words.many, words.nodes
        return tuple(make((*many(MICRO_WORDS), next(nodes))) for _ in range(words.one()))

    def write(self, value: Sequence["MicroOperation"]) -> Sequence[int]:
        found = [len(value)]
        for micro in value:
            found += micro[:MICRO_WORDS]
        return found


class MicroOperation(NamedTuple):
    """One micro-operation: target <- operation of a, b, c (-1: none), which are cells of the arena in SCALAR, registers
    in LOOP. In SCALAR, LOAD: target cell <- slot a, byte offset b; STORE: slot target, byte offset b <- cell a."""

    micro: int
    dtype_in: int
    dtype_out: int
    target: int
    a: int
    b: int
    c: int
    node: int

    @property
    def sources(self) -> tuple[int, ...]:
        """What an operation reads."""
        if self.c >= 0:
            return self.a, self.b, self.c
        return (self.a, self.b) if self.b >= 0 else (self.a,)


# Records. Their `dtype` is no word: the slot says it when they are read.


class Place(NamedTuple):
    """Bytes of a slot."""

    slot: int
    offset: int
    dtype: int = RAW


class Stacked(NamedTuple):
    """Bytes of a slot that advance with each step of a loop."""

    slot: int
    offset: int
    stride: int
    dtype: int = RAW


class Operand(NamedTuple):
    """Elements of a slot for each index of a batch; offset and strides in elements."""

    slot: int
    offset: int
    strides: tuple[int, ...] = ()
    dtype: int = RAW


class Access(NamedTuple):
    """A loop register loaded from memory, or stored to it; offset and strides in elements."""

    register: int
    slot: int
    offset: int
    strides: tuple[int, ...]
    dtype: int = RAW


class Reduced(NamedTuple):
    """A loop register combined over the rows; the results lie one after another from `offset` (elements)."""

    combiner: int
    register: int
    slot: int
    offset: int
    dtype: int = RAW


def record_words(record: Any) -> int:
    """How many words a type of records has before its strides."""
    return len(record._fields) - 1 - has_strides(record)


def has_strides(record: Any) -> bool:
    """Whether a type of records has strides, which are its last words."""
    return "strides" in record._fields


def read_record(record: Any, words: Words, rank: int) -> Any:
    """A record, with strides for so many dimensions."""
    head = words.many(record_words(record))
    slot = head[record._fields.index("slot")]
    if not 0 <= slot < len(words.dtypes):
        raise BadWord(f"slot {slot} of {len(words.dtypes)}")
    dtype = words.dtypes[slot]
    return record(*head, words.many(rank), dtype) if has_strides(record) else record(*head, dtype)
