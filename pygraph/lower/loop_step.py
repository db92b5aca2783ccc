"""LOOP steps: registers, strided loads and stores, merged dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from ..errors import UnsupportedError
from ..ops.row import Op
from ..ops.strides import row_major
from ..ops.table import REDUCTIONS, micro_op
from .body import Split
from .cuts import map_cut, reduction_cut
from .steps import CELL, Load, LoopStep, MicroOp, Reduce, Store, Value

if TYPE_CHECKING:
    from ..graph.node import Node

MAX_DIMS = 8
#: Bytes of computed registers a block should fit in, well inside an L1 cache. Loops of very many registers have blocks
#: in the L2 cache instead: shorter ones would spend more on starting each operation than they save.
BLOCK_BYTES = 24 * 1024
MIN_BLOCK, MAX_BLOCK = 128, 512


def block_size(registers: int) -> int:
    """Elements per block: so many that `registers` live blocks of 8-byte elements fit the L1 cache, but not too few."""
    fit = BLOCK_BYTES // (8 * max(registers, 1))
    return max(MIN_BLOCK, min(MAX_BLOCK, fit // 64 * 64))


class LoopBuilder:
    """Collects what one LOOP does; registers are virtual until `finish`."""

    def __init__(self, shape: Sequence[int], split: Split | None, node: int) -> None:
        self.shape = tuple(shape)
        self.split = split
        self.order = tuple(range(len(shape))) if split is None else split.axes
        self.node = node
        self.loads: list[Load] = []
        self.micros: list[MicroOp] = []
        self.stores: list[Store] = []
        self.reduces: list[Reduce] = []
        self._loaded: dict[tuple[Value, int, tuple[int, ...]], int] = {}
        self._registers = 0

    def load(self, value: Value, offset: int, strides: tuple[int, ...]) -> int:
        """A register holding the elements of `value` at these strides over the iteration space."""
        key = (value, offset, strides)
        if key not in self._loaded:
            self._loaded[key] = self._registers
            self.loads.append(Load(self._registers, value, offset, self._ordered(strides)))
            self._registers += 1
        return self._loaded[key]

    def operate(self, node: Node, node_id: int, sources: tuple[int, ...]) -> int:
        """A register holding the result of a pointwise node."""
        target = self._registers
        self._registers += 1
        dtype_in = node.inputs[-1].dtype
        self.micros.append(MicroOp(micro_op(node.op), dtype_in, node.dtype, target, sources, node_id))
        return target

    def store(self, register: int, value: Value, offset: int = 0, strides: tuple[int, ...] | None = None) -> None:
        """Write a register over the whole iteration space; contiguous in C order unless strides are given."""
        if strides is None:
            strides = row_major(self.shape)
        self.stores.append(Store(register, value, offset, self._ordered(strides)))

    def reduce(self, op: Op, register: int, value: Value) -> None:
        """Combine a register over the rows of the split."""
        self.reduces.append(Reduce(REDUCTIONS[op], register, value))

    def _ordered(self, strides: tuple[int, ...]) -> list[int]:
        return [strides[axis] for axis in self.order]

    def finish(self) -> LoopStep:
        """The step, with physical registers and as few dimensions as its strides allow."""
        dims = self._merge_dims()
        last_use = self._last_uses()
        registers, computed = self._assign(last_use)
        block = block_size(computed)
        split = scratch = None
        if self.split is None:
            cut = map_cut(prod(dims), len(self.micros), block)
        else:
            split = (self.split.outer, self.split.rows, self.split.inner)
            cut = reduction_cut(*split, block)
            count = cut.partials(self.split.rows)
            if count > 1:
                nbytes = len(self.reduces) * self.split.outer * count * self.split.inner * CELL
                scratch = Value.workspace(nbytes)
        return LoopStep(
            dims,
            block,
            split,
            cut,
            registers,
            self.loads,
            self.micros,
            self.stores,
            self.reduces,
            scratch,
            self.node,
        )

    def _merge_dims(self) -> list[int]:
        sizes = [self.shape[axis] for axis in self.order]
        operands: list[Load | Store] = [*self.loads, *self.stores]
        if prod(sizes) == 0:
            for operand in operands:
                operand.offset, operand.strides = 0, [0]
            return [0]
        dims: list[int] = []
        merged: list[list[int]] = [[] for _ in operands]
        for at, size in enumerate(sizes):
            if size == 1:
                continue
            if dims and all(m[-1] == x.strides[at] * size for m, x in zip(merged, operands, strict=True)):
                dims[-1] *= size
                for m, x in zip(merged, operands, strict=True):
                    m[-1] = x.strides[at]
            else:
                dims.append(size)
                for m, x in zip(merged, operands, strict=True):
                    m.append(x.strides[at])
        if len(dims) > MAX_DIMS:
            problem = f"it has {len(dims)} axes that no reshape merges, and {MAX_DIMS} are the most"
            advice = "make an operand contiguous, or reshape it to fewer axes"
            raise UnsupportedError(problem, advice, stage="lowering", subject="an operation")
        for operand, strides in zip(operands, merged, strict=True):
            operand.strides = strides
        return dims

    def _tails(self) -> list[Store | Reduce]:
        return [*self.stores, *self.reduces]

    def _last_uses(self) -> dict[int, int]:
        """By register the last operation that reads it; noted in loads, as that which makes a register is in stores."""
        last: dict[int, int] = {}
        for at, micro in enumerate(self.micros):
            for register in micro.sources:
                last[register] = at
        for tail in self._tails():
            last[tail.register] = len(self.micros)
        for load in self.loads:
            load.last = last.get(load.register, -1)
        made = {micro.target: at for at, micro in enumerate(self.micros)}
        for store in self.stores:
            store.made = made.get(store.register, len(self.micros) - 1)
        return last

    def _assign(self, last_use: dict[int, int]) -> tuple[int, int]:
        """Physical registers: loads keep theirs, computed ones are reused after their last use.

        A result takes a dying operand's register only where both elements have one size, so that a block kernel may
        run in place.
        """
        physical = {load.register: at for at, load in enumerate(self.loads)}
        splats = {load.register for load in self.loads if not any(load.strides)}
        for at, load in enumerate(self.loads):
            load.register = at
        count = len(self.loads)
        free: list[int] = []
        size_of: dict[int, int] = {}
        for at, micro in enumerate(self.micros):
            dying = [r for r in dict.fromkeys(micro.sources) if last_use[r] == at and r in size_of and r not in splats]
            if all(r in splats for r in micro.sources):
                splats.add(micro.target)
            size = micro.dtype_out.itemsize
            same = [r for r in dying if size_of[r] == size]
            other = [r for r in dying if size_of[r] != size]
            free.extend(physical[r] for r in same)
            if free and micro.target not in splats:
                chosen = free.pop()
            else:
                chosen = count
                count += 1
            free.extend(physical[r] for r in other)
            virtual = micro.target
            physical[virtual] = chosen
            size_of[virtual] = size
            micro.target = chosen
            micro.sources = tuple(physical[r] for r in micro.sources)
            if virtual not in last_use and virtual not in splats:
                free.append(chosen)
        for tail in self._tails():
            tail.register = physical[tail.register]
        return count, count - len(self.loads)


def copy_loop(
    shape: tuple[int, ...],
    source: tuple[Value, int],
    steps: tuple[int, ...],
    target: Value,
    offset: int,
    strides: tuple[int, ...],
    node: int,
) -> LoopStep:
    """A LOOP that copies an array of `shape` at strides in `source`, from an offset, to such a place in `target`."""
    builder = LoopBuilder(shape, None, node)
    builder.store(builder.load(*source, steps), target, offset, strides)
    return builder.finish()


def fill_loop(cell: Value, target: Value, count: int, node: int) -> LoopStep:
    """A LOOP that fills `target` with the element in `cell`."""
    builder = LoopBuilder((count,), None, node)
    builder.store(builder.load(cell, 0, (0,)), target)
    return builder.finish()
