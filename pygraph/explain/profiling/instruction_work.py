"""What an instruction moves and computes, and the lines that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ...graph.source import SourceLine
from ...lower.decode import Body
from ...lower.fields import Access, Operand
from ...lower.format import SlotKind
from ...lower.instructions import Branch, Call, Instruction, Loop, Matmul, Replay, Scalar, Scan, While, name_of
from ...lower.program import Micro, Program
from ...ops.dtypes import DTYPES
from ...ops.table import MICRO_OPS, kernel_at, reduction_at

_NAMES = {code: op.name for op, code in MICRO_OPS.items()}
_PRICES = {code: op.price for op, code in MICRO_OPS.items()}


@dataclass(frozen=True, slots=True)
class Work:
    """One run of an instruction, without the bodies that it runs.

    Attributes:
        text: what it is, in a few words.
        nbytes: what it reads and writes, each element once.
        flops: operations on elements; a function such as exp counts as one.
        price: the same in additions, as the rows price them; of products and kernels none.
        dispatched: what the interpreter has to choose: one, or the operations of scalar code.
        product: it is a product of matrices.
        kernel: it is a kernel.
        lines: the user's lines with their shares, by the prices of their operations; the largest first.
    """

    text: str
    nbytes: int
    flops: float
    price: float
    dispatched: int
    product: bool
    kernel: bool
    lines: tuple[tuple[SourceLine | None, float], ...]


def work_of(instruction: Instruction, body: Body, program: Program) -> Work:
    """The work of an instruction of a body."""
    own = ((program.nodes[instruction.node].line, 1.0),)
    match instruction:
        case Scalar():
            computed = [micro for micro in instruction.micros if micro.micro not in (Micro.LOAD, Micro.STORE)]
            moved = 8 * (len(instruction.micros) - len(computed))
            price = float(sum(_PRICES[micro.micro] for micro in computed))
            text = _operations("scalar", "", [_NAMES[micro.micro] for micro in computed])
            lines = _lines(program, instruction.micros)
            return Work(text, moved, float(len(computed)), price, len(instruction.micros), False, False, lines or own)
        case Loop():
            count = prod(instruction.dims)
            reduced = instruction.space.outer * instruction.space.inner if instruction.reduces else 0
            moved = sum(_strided(x, instruction.dims, body) for x in (*instruction.loads, *instruction.stores))
            moved += sum(reduced * _itemsize(x.dtype) for x in instruction.reduces)
            price = sum(_PRICES[micro.micro] for micro in instruction.micros) + len(instruction.reduces)
            names = [_NAMES[micro.micro] for micro in instruction.micros]
            names += [reduction_at(x.combiner).combiner for x in instruction.reduces]
            text = _operations("loop", "×".join(map(str, instruction.dims)), names or ["copy"])
            flops = float(count * (len(instruction.micros) + len(instruction.reduces)))
            lines = _lines(program, instruction.micros)
            return Work(text, moved, flops, float(count * price), 1, False, False, lines or own)
        case Matmul():
            rows, columns, middle = instruction.rows, instruction.columns, instruction.middle
            times = prod(instruction.batch)
            size = _itemsize(instruction.c.dtype)
            moved = size * times * (rows * middle + middle * columns + rows * columns)
            batch = f"{times} of " if instruction.batch else ""
            text = f"product {batch}{rows}×{middle} · {middle}×{columns}"
            return Work(text, moved, 2.0 * rows * columns * middle * times, 0.0, 1, True, False, own)
        case Call():
            row, _ = kernel_at(instruction.kernel)
            assert row.kernel is not None
            operands = (*instruction.operands, *instruction.updated, *instruction.results)
            moved = sum(_extent(operand, body) for operand in operands)
            flops = float(row.kernel.operations(instruction.numbers) * prod(instruction.batch))
            return Work(row.title or row.name, moved, flops, 0.0, 1, False, True, own)
        case Scan(length=length):
            text = f"scan, {length} steps"
        case Branch():
            text = f"branch, {len(instruction.bodies)} bodies"
        case While():
            text = "while loop"
        case Replay():
            text = "while loop, its steps again"
        case _:
            text = name_of(type(instruction)).lower()
    return Work(text, 0, 0.0, 0.0, 1, False, False, own)


def _itemsize(code: int) -> int:
    return DTYPES[code].itemsize if 0 <= code < len(DTYPES) else 1


def _strided(access: Access, dims: tuple[int, ...], body: Body) -> int:
    if body.slots[access.slot].kind is SlotKind.COUNT:
        return 0
    return _itemsize(access.dtype) * prod(size for size, stride in zip(dims, access.strides, strict=True) if stride)


def _extent(operand: Operand, body: Body) -> int:
    slot = body.slots[operand.slot]
    return 0 if slot.kind is SlotKind.COUNT else slot.nbytes


def _operations(kind: str, size: str, names: list[str]) -> str:
    shown = list(dict.fromkeys(names))
    said = ", ".join(shown[:3]) + (" …" if len(shown) > 3 else "")
    count = f" ({len(names)})" if len(names) > 1 else ""
    return f"{kind} {size}: {said}{count}" if size else f"{kind}: {said}{count}"


def _lines(program: Program, micros: Any) -> tuple[tuple[SourceLine | None, float], ...]:
    weights: dict[SourceLine | None, float] = {}
    for micro in micros:
        line = program.nodes[micro.node].line
        weights[line] = weights.get(line, 0.0) + _PRICES.get(micro.micro, 1)
    whole = sum(weights.values())
    ordered = sorted(weights.items(), key=lambda item: -item[1])
    return tuple((line, weight / whole) for line, weight in ordered)
