"""A Program as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ..graph.printer import commented, line_width
from ..ops.constant_array import constant_text
from ..ops.dtypes import DTYPES
from ..ops.table import MICRO_OPS, kernel_at, reduction_at
from .decode import Body, decode
from .fields import (
    Access,
    Array,
    Flag,
    Kernel,
    List,
    MicroOperation,
    Micros,
    Number,
    Numbers,
    Port,
    Reduced,
    Several,
    Sizes,
    Stacked,
    Use,
    Workspace,
)
from .format import SlotKind
from .instructions import Instruction, name_of
from .program import Micro, Program, Segment

_MICRO_NAMES = {code: op.name for op, code in MICRO_OPS.items()}
#: The text of a slot; a constant's with its values.
SlotName = Callable[[int], str]


def disassemble(program: Program) -> str:
    """One line an instruction, with its micro-operations indented below it; comments fit the terminal's width."""
    bodies = decode(program)
    width = line_width()
    lines = [
        f"program: {len(bodies)} bodies, {program.instructions} instructions, {len(program.constants)} bytes of "
        f"constants, arena {program.arena_bytes} bytes, {program.cached_bytes} kept"
    ]
    for body in bodies:
        lines += _body(body, program, width)
    return "\n".join(lines)


def _body(body: Body, program: Program, width: int) -> Iterator[str]:
    yield f"body {body.number}: {body.n_inputs} inputs, {body.n_outputs} outputs, arena {body.arena_bytes} bytes"
    for input_, output in body.shares:
        yield f"  out{output} takes over in{input_}"
    for init in body.inits:
        (value,) = np.frombuffer(program.constants, DTYPES[init.dtype], 1, init.constant)
        yield f"  cell {init.offset // 8} = {constant_text(value)} : {_dtype(init.dtype)}"
    slot = partial(_slot, body, program)
    for at, segment in enumerate(body.segments):
        if body.number == 0 and len(body.segments) > 1:
            yield f" {Segment(at).name.lower()}:"
        for instruction in segment:
            info = program.nodes[instruction.node]
            head, *more = _text(instruction, slot)
            yield commented(f"  {instruction.position:5d}  {head}", info.line, width)
            for line in more:
                yield f"           {line}"


def _slot(body: Body, program: Program, index: int) -> str:
    slot = body.slots[index]
    match slot.kind:
        case SlotKind.ARENA:
            return f"arena[{slot.where}:{slot.where + slot.nbytes}]"
        case SlotKind.CONST:
            dtype = DTYPES[slot.dtype]
            value = np.frombuffer(program.constants, dtype, slot.nbytes // dtype.itemsize, slot.where)
            return f"const[{slot.where}:{slot.where + slot.nbytes}] {constant_text(value)}"
        case SlotKind.COUNT:
            return "counts"
        case SlotKind.INPUT:
            return program.inputs[slot.where].name if body.number == 0 else f"in{slot.where}"
        case _:
            return program.outputs[slot.where].name if body.number == 0 else f"out{slot.where}"


def _dtype(code: int) -> str:
    return DTYPES[code].name


def _text(instruction: Instruction, slot: SlotName) -> list[str]:
    """Name and numbers of an instruction, and a line for each operand and micro-operation."""
    head: list[str] = []
    lines: list[str] = []
    for name, field in instruction.layout.items():
        value, said = getattr(instruction, name), name.replace("_", " ")
        match field:
            case Kernel():
                head.append(_kernel(value))
            case Number():
                head.append(f"{said} {value}")
            case Flag():
                head += [said] if value else []
            case Workspace():
                head += [f"{said} {slot(value)}"] if value >= 0 else []
            case Numbers() | Sizes() | Several():
                head += [f"{said} {list(value)}"] if value else []
            case Array(use=use):
                lines.append(_record(value, f"{use.value} {said}", use, slot))
            case Port():
                lines.append(_record(value, said, None, slot))
            case List(use=use):
                lines += [_record(record, f"{use.value} {said}" if use else said, use, slot) for record in value]
            case Micros(letter=letter):
                head.append(f"{len(value)} micro-operations")
                lines += [_micro(micro, letter, slot) for micro in value]
            case _:
                raise TypeError(f"{name} is a {field!r}, which has no text")
    return [f"{name_of(type(instruction))} {', '.join(head)}", *lines]


def _kernel(number: int) -> str:
    op, dtype = kernel_at(number)
    assert op.kernel is not None
    return f"{op.kernel.function(dtype)} {op.kernel.signature}"


def _at(place: Any, slot: SlotName) -> str:
    """Where an operand is: its slot, offset, strides, and how far it advances with each step of a loop."""
    strides = getattr(place, "strides", ())
    text = f"{slot(place.slot)} +{place.offset}" + (f" strides {list(strides)}" if strides else "")
    return f"{text} step {place.stride}" if isinstance(place, Stacked) else text


def _record(record: Any, said: str, use: Use | None, slot: SlotName) -> str:
    text = f"{said} {_at(record, slot)}"
    match record:
        case Access(register=register) if use is Use.READ:
            text = f"r{register} = load {_at(record, slot)}"
        case Access(register=register):
            text = f"store {_at(record, slot)} = r{register}"
        case Reduced(combiner=combiner, register=register):
            text = f"{_at(record, slot)} = {reduction_at(combiner).combiner} r{register}"
    return f"{text} : {_dtype(record.dtype)}"


def _micro(micro: MicroOperation, letter: str, slot: SlotName) -> str:
    if micro.micro == Micro.LOAD:
        return f"{letter}{micro.target} = load {slot(micro.a)} +{micro.b} : {_dtype(micro.dtype_in)}"
    if micro.micro == Micro.STORE:
        return f"store {slot(micro.target)} +{micro.b} = {letter}{micro.a} : {_dtype(micro.dtype_in)}"
    operands = ", ".join(f"{letter}{x}" for x in micro.sources)
    return f"{letter}{micro.target} = {_MICRO_NAMES[micro.micro]} {operands} : {_dtype(micro.dtype_out)}"
