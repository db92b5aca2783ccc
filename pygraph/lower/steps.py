"""Steps: a Program's instructions before memory is planned, speaking of values instead of slots."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..ops.dtypes import CODES, DTYPES
from ..ops.strides import row_major
from .arena_cells import Cells
from .cuts import Cut
from .fields import Access, MicroOperation, Operand, Place, Reduced
from .format import SlotKind
from .instructions import Instruction, Loop, Space
from .scalars import ScalarRows

CELL = 8
#: The dtype of workspaces, which no other instruction uses.
WORKSPACE = np.dtype("V1")
ALIGNMENT = 64


class Value:
    """A piece of memory that steps read and write.

    Attributes:
        kind: which memory; only ARENA values are planned.
        dtype, nbytes: its contents.
        cell: it is a `CellValue`.
        index: the number of the input or output, or the offset in the constants.
        kept: a later segment reads it, or it is a constant, so its memory is never reused.
        start, end: the first and last step that touch it; set by the planner.
        offset: its place in the arena; set by the planner.
        tape: of a stack, which owns no memory of the arena: the number of its tape; else -1.
        merged: the value that takes over its memory, or None.
    """

    __slots__ = ("dtype", "end", "index", "kept", "kind", "merged", "nbytes", "offset", "start", "tape")

    cell = False

    def __init__(self, kind: SlotKind, dtype: np.dtype[Any], nbytes: int, index: int = 0, tape: int = -1) -> None:
        self.kind = kind
        self.dtype = dtype
        self.nbytes = nbytes
        self.index = index
        self.kept = False
        self.start = -1
        self.end = -1
        self.offset = -1 if nbytes else 0
        self.tape = tape
        self.merged: Value | None = None

    @property
    def root(self) -> Value:
        """The value whose memory it is."""
        value = self
        while value.merged is not None:
            if value.merged.merged is not None:
                value.merged = value.merged.merged  # chains stay short, however many values are merged
            value = value.merged
        return value

    def fits(self, other: Value) -> bool:
        """Whether it has as many elements as another value, of their size."""
        return self.nbytes == other.nbytes and self.dtype.itemsize == other.dtype.itemsize

    @staticmethod
    def workspace(nbytes: int) -> Value:
        """Arena memory that one instruction has for itself."""
        return Value(SlotKind.ARENA, WORKSPACE, nbytes)


class CellValue(Value):
    """A single element in an 8-byte cell, which scalar micro-operations address directly; `index` is its number.

    What changes of it stands in the columns of `Cells`.
    """

    __slots__ = ("cells",)

    cell = True

    def __init__(self, cells: Cells, number: int) -> None:
        self.cells = cells
        self.kind = SlotKind.ARENA
        self.dtype = DTYPES[cells.dtypes[number]]
        self.nbytes = self.dtype.itemsize
        self.index = number
        self.tape = -1
        self.merged = None

    @property
    def kept(self) -> bool:
        return bool(self.cells.kept[self.index])

    @kept.setter
    def kept(self, kept: bool) -> None:
        self.cells.kept[self.index] = kept

    @property
    def start(self) -> int:
        return self.cells.starts[self.index]

    @start.setter
    def start(self, step: int) -> None:
        self.cells.starts[self.index] = step

    @property
    def end(self) -> int:
        return self.cells.ends[self.index]

    @end.setter
    def end(self, step: int) -> None:
        self.cells.ends[self.index] = step

    @property
    def offset(self) -> int:
        return self.cells.offsets[self.index]

    @offset.setter
    def offset(self, offset: int) -> None:
        self.cells.offsets[self.index] = offset


class CellValues(dict[int, CellValue]):
    """The cells of a body that other steps than scalar ones touch, by number: made when they are asked for."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def __missing__(self, number: int) -> CellValue:
        made = self[number] = CellValue(self.cells, number)
        return made

    def new(self, dtype: np.dtype[Any]) -> CellValue:
        """A further cell, for an element of this dtype."""
        return self[self.cells.new(CODES[dtype])]


def roots(values: Sequence[Value]) -> Sequence[Value]:
    """The values whose memory these are."""
    for value in values:
        if value.merged is not None:
            return [value if value.merged is None else value.root for value in values]
    return values


SlotOf = Callable[[Value], int]


class ScalarOperation(NamedTuple):
    """One micro-operation of a block: an operation on cells, a load from memory, or a store to it."""

    micro: int
    reads: Sequence[Value]
    writes: Sequence[Value]
    node: int
    temporaries: Sequence[Value] = ()


@dataclass(eq=False, slots=True)
class ScalarBlock:
    """Scalar micro-operations that run one after another: a range of the rows of a body. Each counts as a step."""

    rows: ScalarRows
    values: CellValues
    first: int
    end: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.end - self.first

    @property
    def node(self) -> int:
        """The node of the last one."""
        return self.rows.nodes[self.end - 1]

    @property
    def flops(self) -> int:
        return self.count - len(self._moves())

    def parts(self, size: int) -> Iterator[ScalarBlock]:
        """The same in pieces of so many rows."""
        for first in range(self.first, self.end, size):
            yield ScalarBlock(self.rows, self.values, first, min(first + size, self.end))

    def _moves(self) -> range:
        moves = self.rows.moves
        return range(bisect_left(moves, self.first), bisect_left(moves, self.end))

    def moves(self) -> Iterator[tuple[int, Value, int]]:
        """Its loads and stores: of each the row, the memory besides the cell, and the byte offset there."""
        rows, moves = self.rows, self._moves()
        here = slice(moves.start, moves.stop)
        return zip(rows.moves[here], rows.memory[here], rows.places[here], strict=True)

    def operations(self) -> Iterator[ScalarOperation]:
        """The micro-operations one by one, for what looks at few Programs."""
        rows, values = self.rows, self.values
        memory = {row: value for row, value, _ in self.moves()}
        for row in range(self.first, self.end):
            cells: list[Value] = [values[x] for x in (rows.a[row], rows.b[row], rows.c[row]) if x]
            reads = cells or [memory[row]]
            target = rows.targets[row]
            yield ScalarOperation(
                rows.kinds[row] >> 8, reads, [values[target] if target else memory[row]], rows.nodes[row]
            )

    @property
    def reads(self) -> Sequence[Value]:
        return [value for operation in self.operations() for value in operation.reads]

    @property
    def writes(self) -> Sequence[Value]:
        return [value for operation in self.operations() for value in operation.writes]


@dataclass(eq=False, slots=True)
class Load:
    """A loop register filled from memory; `last` is the last operation that reads it."""

    register: int
    value: Value
    offset: int
    strides: list[int]
    last: int = -1


@dataclass(eq=False, slots=True)
class MicroOp:
    """One operation on loop registers."""

    micro: int
    dtype_in: np.dtype[Any]
    dtype_out: np.dtype[Any]
    target: int
    sources: tuple[int, ...]
    node: int


@dataclass(eq=False, slots=True)
class Store:
    """A loop register written to memory; `made` is the operation that makes it, or the last one for what was loaded."""

    register: int
    value: Value
    offset: int
    strides: list[int]
    made: int = -1


@dataclass(eq=False, slots=True)
class Reduce:
    """A loop register combined over the rows of the iteration space."""

    combiner: int
    register: int
    value: Value


@dataclass(eq=False, slots=True)
class LoopStep:
    """Micro-operations block by block over an iteration space.

    Operations are counted from 0 on; what stores and reductions read is read after all of them.
    """

    dims: list[int]
    block: int
    split: tuple[int, int, int] | None
    cut: Cut
    registers: int
    loads: list[Load]
    micros: list[MicroOp]
    stores: list[Store]
    reduces: list[Reduce]
    scratch: Value | None
    node: int
    count: ClassVar[int] = 1

    @property
    def reads(self) -> Sequence[Value]:
        return [load.value for load in self.loads]

    @property
    def writes(self) -> Sequence[Value]:
        return [store.value for store in self.stores] + [reduce.value for reduce in self.reduces]

    @property
    def temporaries(self) -> Sequence[Value]:
        return () if self.scratch is None else (self.scratch,)

    @property
    def operations(self) -> int:
        """How many operations it fuses."""
        return len(self.micros) + len(self.reduces)

    @property
    def flops(self) -> int:
        return prod(self.dims) * self.operations

    def in_place(self, written: Container[Value], read: Container[Value]) -> dict[Value, Value]:
        """Which results may lie where an operand does: the same elements, none of them read once it is written.

        Each operand is given away once, to the first result that it fits.

        Args:
            written: the results that are asked for, as the values whose memory they are.
            read: the operands, likewise.
        """
        flat = list(row_major(self.dims))
        loads = [x for x in self.loads if x.value.root in read and x.strides == flat and not x.offset]
        if not loads:
            return {}
        arrays = [x.value.root for x in self.loads]
        loads = [x for x in loads if arrays.count(x.value.root) == 1]
        found: dict[Value, Value] = {}
        for store in self.stores:
            target = store.value.root
            if target not in written or target in found or store.strides != flat or store.offset:
                continue
            for at, load in enumerate(loads):
                if (load.last <= store.made or load.register == store.register) and store.value.fits(load.value):
                    found[target] = load.value.root
                    del loads[at]
                    break
        return found

    @property
    def copied(self) -> tuple[Value, Value] | None:
        """Of a loop that only copies one array to another place of its size: (written, read); else None."""
        if self.micros or self.reduces or len(self.stores) != 1:
            return None
        (store,) = self.stores
        (load,) = (x for x in self.loads if x.register == store.register)
        pair = store.value, load.value
        return pair if self.in_place((pair[0].root,), (pair[1].root,)) else None

    def instruction(self, slot: SlotOf) -> Loop:
        """The instruction, once its values have slots."""

        def access(x: Load | Store) -> Access:
            return Access(x.register, slot(x.value), x.offset, tuple(x.strides))

        return Loop(
            self.block,
            self.split is not None,
            Space(prod(self.dims), 1, 1) if self.split is None else Space(*self.split),
            self.cut,
            -1 if self.scratch is None else slot(self.scratch),
            self.registers,
            tuple(self.dims),
            tuple([access(load) for load in self.loads]),
            tuple([_operation(micro) for micro in self.micros]),
            tuple([access(store) for store in self.stores]),
            tuple([Reduced(r.combiner, r.register, slot(r.value), 0) for r in self.reduces]),
        )


def _operation(micro: MicroOp) -> MicroOperation:
    a, b, c = (*micro.sources, -1, -1)[:3]
    return MicroOperation(micro.micro, CODES[micro.dtype_in], CODES[micro.dtype_out], micro.target, a, b, c, micro.node)


@dataclass(eq=False, slots=True)
class PlainStep:
    """Any other instruction, as a function of the slots its values will have."""

    instruction: Callable[[SlotOf], Instruction]
    node: int
    reads: Sequence[Value]
    writes: Sequence[Value]
    temporaries: Sequence[Value] = ()
    flops: int = 0
    operations: int = 0  # none that a loop or a scalar region could fuse
    #: Pairs (written, read): it updates the one where the other lies, or copies that there first.
    in_place: Sequence[tuple[Value, Value]] = ()
    count: ClassVar[int] = 1


Step = ScalarBlock | LoopStep | PlainStep


def placed(steps: Iterable[Step]) -> Iterator[tuple[int, Step]]:
    """Steps with their numbers; those of a block have the numbers from its own on."""
    now = 0
    for step in steps:
        yield now, step
        now += step.count


def one_by_one(steps: Iterable[Step]) -> Iterator[ScalarOperation | LoopStep | PlainStep]:
    """Steps with the operations of blocks in their places, so that each has the number that says its place."""
    for step in steps:
        if isinstance(step, ScalarBlock):
            yield from step.operations()
        else:
            yield step


def operand(slot: SlotOf, value: Value, offset: int = 0, strides: Sequence[int] = ()) -> Operand:
    """Elements of a value, for each index of a batch."""
    return Operand(slot(value), offset, tuple(strides))


def place(slot: SlotOf, value: Value, offset: int = 0) -> Place:
    """Bytes of a value."""
    return Place(slot(value), offset)
