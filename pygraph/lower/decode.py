"""Decodes the words of a Program into instructions, for the listing and for the emitter of C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from ..ops.table import kernel_at
from .cuts import Cut, Panels
from .format import HEADER_WORDS, Opcode, SlotKind
from .program import Program


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of memory of a body: an offset in the arena or the constants, or the number of an input or output.

    Or counts, which are no memory: element i is i.
    Its elements have the dtype of a code, or it is RAW.
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
class Place:
    """Bytes of a slot."""

    slot: int
    dtype: int
    offset: int


@dataclass(frozen=True, slots=True)
class Stacked:
    """Bytes of a slot that advance with each step of a loop."""

    slot: int
    dtype: int
    offset: int
    stride: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """What all instructions have.

    Attributes:
        node: the number of the node it came from, in `Program.nodes`.
        index: which instruction of its body it is.
        position: where it starts among the code words of its body.
    """

    node: int
    index: int
    position: int


@dataclass(frozen=True, slots=True)
class ScalarMicro:
    """One micro-operation over cells. LOAD: target cell <- slot a, byte offset b. STORE: slot target, byte offset b
    <- cell a. Else: target cell <- operation of cells a, b, c (-1: none)."""

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
        """The cells an operation reads."""
        if self.c >= 0:
            return self.a, self.b, self.c
        return (self.a, self.b) if self.b >= 0 else (self.a,)


@dataclass(frozen=True, slots=True)
class Scalar(Instruction):
    """Micro-operations over cells."""

    micros: tuple[ScalarMicro, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A loop register loaded from memory, or stored to it; offset and strides in elements."""

    register: int
    slot: int
    dtype: int
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LoopMicro:
    """One operation on loop registers, which may be written more than once."""

    micro: int
    dtype_in: int
    dtype_out: int
    target: int
    sources: tuple[int, ...]
    node: int


@dataclass(frozen=True, slots=True)
class Reduce:
    """A loop register combined over the rows; the results lie one after another from `offset` (elements)."""

    combiner: int
    register: int
    slot: int
    dtype: int
    offset: int


@dataclass(frozen=True, slots=True)
class Loop(Instruction):
    """Micro-operations over an iteration space, cut into tasks; `split` is (outer, rows, inner) where it reduces."""

    dims: tuple[int, ...]
    block: int
    split: tuple[int, int, int] | None
    cut: Cut
    tasks: int
    scratch: int
    registers: int
    loads: tuple[Access, ...]
    micros: tuple[LoopMicro, ...]
    stores: tuple[Access, ...]
    reduces: tuple[Reduce, ...]


@dataclass(frozen=True, slots=True)
class Operand:
    """A batch of operands; offset and batch strides in elements."""

    slot: int
    dtype: int
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matmul(Instruction):
    """c (rows, columns) = op(a) op(b) over `middle`, for each index of `batch`."""

    rows: int
    columns: int
    middle: int
    transpose_a: bool
    transpose_b: bool
    cut: Panels
    tasks: int
    batch: tuple[int, ...]
    a: Operand
    b: Operand
    c: Operand


@dataclass(frozen=True, slots=True)
class Call(Instruction):
    """A kernel run on each index of a batch; offset and batch strides of arguments in elements."""

    kernel: int
    per_task: int
    workspace: int
    numbers: tuple[int, ...]
    batch: tuple[int, ...]
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Scatter(Instruction):
    """out[o, index[j], :] = or += v[o, j, :]; offsets of places in elements."""

    adds: bool
    outer: int
    length: int
    inner: int
    count: int
    at: Place
    v: Place
    out: Place


@dataclass(frozen=True, slots=True)
class Carried(Instruction):
    """What all loops over a body have. Carries are read from `init`, then from `carry` and `spare` in turn."""

    body: int
    workspace: int
    consts: tuple[Place, ...]
    init: tuple[Place, ...]
    carry: tuple[Place, ...]
    spare: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Scan(Carried):
    """A body once per step."""

    length: int
    reverse: bool
    xs: tuple[Stacked, ...]
    ys: tuple[Stacked, ...]


@dataclass(frozen=True, slots=True)
class While(Carried):
    """A body as long as the condition's body sets the flag; ys are numbers of tapes. `limit` -1: none."""

    condition: int
    condition_workspace: int
    limit: int
    flag: Place
    ys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Replay(Carried):
    """A body as often as `count` says; xs and ys are numbers of tapes."""

    reverse: bool
    count: Place
    xs: tuple[int, ...]
    ys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Branch(Instruction):
    """One of several bodies, by a clamped index."""

    workspace: int
    index_place: Place
    operands: tuple[Place, ...]
    results: tuple[Place, ...]
    bodies: tuple[int, ...]


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


class _Reader:
    """A cursor over words."""

    def __init__(self, words: list[int], at: int, micro_nodes: Iterator[int]) -> None:
        self.words = words
        self.at = at
        self.micro_nodes = micro_nodes
        self.slots: tuple[Slot, ...] = ()

    def one(self) -> int:
        self.at += 1
        return self.words[self.at - 1]

    def many(self, count: int) -> Any:
        """The next words: a tuple of ints."""
        self.at += count
        return tuple(self.words[self.at - count : self.at])

    def slot(self) -> tuple[int, int]:
        """The number of a slot, and its dtype."""
        number = self.one()
        return number, self.slots[number].dtype

    def place(self) -> Place:
        return Place(*self.slot(), self.one())

    def operand(self, rank: int) -> Operand:
        return Operand(*self.slot(), self.one(), self.many(rank))

    def places(self, count: int) -> tuple[Place, ...]:
        return tuple(self.place() for _ in range(count))

    def stacked(self, count: int) -> tuple[Stacked, ...]:
        return tuple(Stacked(*self.slot(), self.one(), self.one()) for _ in range(count))


def decode(program: Program) -> tuple[Body, ...]:
    """The bodies of a Program, as its words alone say; only the nodes of micro-operations come from beside them."""
    reader = _Reader(program.words.tolist(), HEADER_WORDS - 2, iter(program.micro_nodes))
    n_bodies, _ = reader.many(2)
    return tuple(_body(number, reader) for number in range(n_bodies))


def _body(number: int, reader: _Reader) -> Body:
    _, arena, n_slots, n_inits, n_segments, n_inputs, n_outputs, n_code, n_shares = reader.many(9)
    slots = tuple(Slot(SlotKind(reader.one()), *reader.many(3)) for _ in range(n_slots))
    reader.slots = slots
    inits = tuple(Init(*reader.many(3)) for _ in range(n_inits))
    shares = tuple(reader.many(2) for _ in range(n_shares))
    ranges = [reader.many(2) for _ in range(n_segments)]
    start, index = reader.at, 0
    segments = []
    for first, end in ranges:
        instructions = []
        reader.at = start + first
        while reader.at < start + end:
            position = reader.at - start
            opcode, _, node = reader.many(3)
            instructions.append(_DECODERS[Opcode(opcode)](reader, (node, index, position)))
            index += 1
        segments.append(tuple(instructions))
    reader.at = start + n_code
    return Body(number, arena, n_inputs, n_outputs, slots, inits, shares, tuple(segments))


_Head = tuple[int, int, int]  # node, index, position


def _scalar(r: _Reader, head: _Head) -> Scalar:
    count = r.one()
    return Scalar(*head, tuple(_scalar_micro(r) for _ in range(count)))


def _scalar_micro(r: _Reader) -> ScalarMicro:
    micro, dtype_in, dtype_out, target, a, b, c = r.many(7)
    return ScalarMicro(micro, dtype_in, dtype_out, target, a, b, c, next(r.micro_nodes))


def _loop(r: _Reader, head: _Head) -> Loop:
    ndim, block, mode = r.many(3)
    space, cut = r.many(3), Cut(*r.many(3))
    scratch, registers = r.many(2)
    n_loads, n_micros, n_stores, n_reduces = r.many(4)
    dims = r.many(ndim)
    return Loop(
        *head,
        dims,
        block,
        space if mode else None,
        cut,
        cut.tasks(*space),
        scratch,
        registers,
        tuple(_access(r, ndim) for _ in range(n_loads)),
        tuple(_loop_micro(r) for _ in range(n_micros)),
        tuple(_access(r, ndim) for _ in range(n_stores)),
        tuple(Reduce(r.one(), r.one(), *r.slot(), r.one()) for _ in range(n_reduces)),
    )


def _access(r: _Reader, ndim: int) -> Access:
    return Access(r.one(), *r.slot(), r.one(), r.many(ndim))


def _loop_micro(r: _Reader) -> LoopMicro:
    micro, dtype_in, dtype_out, target, *sources = r.many(7)
    return LoopMicro(micro, dtype_in, dtype_out, target, tuple(x for x in sources if x >= 0), next(r.micro_nodes))


def _matmul(r: _Reader, head: _Head) -> Matmul:
    rows, columns, middle, transpose_a, transpose_b = r.many(5)
    cut, n_batch = Panels(*r.many(2)), r.one()
    batch = r.many(n_batch)
    a, b, c = (r.operand(n_batch) for _ in range(3))
    tasks = cut.tasks(prod(batch), rows, columns)
    flags = bool(transpose_a), bool(transpose_b)
    return Matmul(*head, rows, columns, middle, *flags, cut, tasks, batch, a, b, c)


def _call(r: _Reader, head: _Head) -> Call:
    number, rank, per_task, workspace = r.many(4)
    kernel = kernel_at(number)[0].kernel
    assert kernel is not None
    numbers, batch = r.many(len(kernel.names)), r.many(rank)
    count = sum(map(len, kernel.letters))
    arguments = tuple(r.operand(rank) for _ in range(count))
    return Call(*head, number, per_task, workspace, numbers, batch, arguments)


def _scatter(r: _Reader, head: _Head) -> Scatter:
    adds, outer, length, inner, count = r.many(5)
    return Scatter(*head, bool(adds), outer, length, inner, count, r.place(), r.place(), r.place())


_Places = tuple[Place, ...]


def _carried(r: _Reader, n_consts: int, n_carry: int) -> tuple[_Places, _Places, _Places, _Places]:
    return r.places(n_consts), r.places(n_carry), r.places(n_carry), r.places(n_carry)


def _scan(r: _Reader, head: _Head) -> Scan:
    body, length, backward, workspace, n_consts, n_carry, n_xs, n_ys = r.many(8)
    consts, init, carry, spare = _carried(r, n_consts, n_carry)
    return Scan(
        *head, body, workspace, consts, init, carry, spare, length, bool(backward), r.stacked(n_xs), r.stacked(n_ys)
    )


def _while(r: _Reader, head: _Head) -> While:
    body, condition, workspace, second, limit, n_consts, n_carry, n_ys = r.many(8)
    flag = r.place()
    consts, init, carry, spare = _carried(r, n_consts, n_carry)
    return While(*head, body, workspace, consts, init, carry, spare, condition, second, limit, flag, r.many(n_ys))


def _replay(r: _Reader, head: _Head) -> Replay:
    body, workspace, backward, n_consts, n_carry, n_xs, n_ys = r.many(7)
    count = r.place()
    consts, init, carry, spare = _carried(r, n_consts, n_carry)
    return Replay(*head, body, workspace, consts, init, carry, spare, bool(backward), count, r.many(n_xs), r.many(n_ys))


def _branch(r: _Reader, head: _Head) -> Branch:
    n_bodies, n_operands, n_results, workspace = r.many(4)
    index = r.place()
    return Branch(*head, workspace, index, r.places(n_operands), r.places(n_results), r.many(n_bodies))


_DECODERS: dict[Opcode, Callable[[_Reader, _Head], Instruction]] = {
    Opcode.SCALAR: _scalar,
    Opcode.LOOP: _loop,
    Opcode.MATMUL: _matmul,
    Opcode.CALL: _call,
    Opcode.SCATTER: _scatter,
    Opcode.SCAN: _scan,
    Opcode.BRANCH: _branch,
    Opcode.WHILE: _while,
    Opcode.REPLAY: _replay,
}
