"""A Program as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial, singledispatch
from typing import Any

import numpy as np

from ..graph.node import constant_text
from ..graph.printer import commented, line_width
from ..ops.dtypes import DTYPES
from ..ops.table import MICRO_OPS, kernel_at, reduction_at
from . import decode as d
from .format import SlotKind
from .program import Micro, Program, Segment

_ROWS = {code: op for op, code in MICRO_OPS.items()}
_MICRO_NAMES = {code: op.name for op, code in MICRO_OPS.items()}
#: The text of a slot; a constant's with its values.
SlotName = Callable[[int], str]


def disassemble(program: Program) -> str:
    """One line an instruction, with its micro-operations indented below it; comments fit the terminal's width."""
    bodies = d.decode(program)
    width = line_width()
    lines = [
        f"program: {len(bodies)} bodies, {program.instructions} instructions, {len(program.constants)} bytes of "
        f"constants, arena {program.arena_bytes} bytes, {program.cached_bytes} kept"
    ]
    for body in bodies:
        lines += _body(body, program, width)
    return "\n".join(lines)


def _body(body: d.Body, program: Program, width: int) -> Iterator[str]:
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


def _slot(body: d.Body, program: Program, index: int) -> str:
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


def _at(place: d.Place | d.Operand | d.Access | d.Reduce | d.Stacked, slot: SlotName) -> str:
    return f"{slot(place.slot)} +{place.offset}"


def _tasks(instruction: d.Loop | d.Matmul) -> str:
    return f", {instruction.tasks} tasks" if instruction.tasks > 1 else ""


@singledispatch
def _text(instruction: Any, slot: SlotName) -> list[str]:
    raise TypeError(type(instruction))


@_text.register
def _(scalar: d.Scalar, slot: SlotName) -> list[str]:
    lines = [f"SCALAR {len(scalar.micros)} micro-operations"]
    for micro in scalar.micros:
        if micro.micro == Micro.LOAD:
            lines.append(f"w{micro.target} = load {slot(micro.a)} +{micro.b} : {_dtype(micro.dtype_in)}")
        elif micro.micro == Micro.STORE:
            lines.append(f"store {slot(micro.target)} +{micro.b} = w{micro.a} : {_dtype(micro.dtype_in)}")
        else:
            operands = ", ".join(f"w{x}" for x in micro.sources)
            lines.append(f"w{micro.target} = {_MICRO_NAMES[micro.micro]} {operands} : {_dtype(micro.dtype_out)}")
    return lines


@_text.register
def _(loop: d.Loop, slot: SlotName) -> list[str]:
    shape = "".join(f"[{n}]" for n in loop.split or ())
    partial_results = f", partial results of {loop.cut.rows} rows in {slot(loop.scratch)}" if loop.scratch >= 0 else ""
    lines = [
        f"LOOP over {list(loop.dims)}{shape and f' as {shape}'}, blocks of {loop.block}, {loop.registers} registers"
        f"{partial_results}{_tasks(loop)}"
    ]
    lines += [f"r{x.register} = load {_at(x, slot)} strides {list(x.strides)} : {_dtype(x.dtype)}" for x in loop.loads]
    for micro in loop.micros:
        operands = ", ".join(f"r{x}" for x in micro.sources)
        lines.append(f"r{micro.target} = {_MICRO_NAMES[micro.micro]} {operands} : {_dtype(micro.dtype_out)}")
    lines += [
        f"store {_at(x, slot)} strides {list(x.strides)} = r{x.register} : {_dtype(x.dtype)}" for x in loop.stores
    ]
    for reduce in loop.reduces:
        combiner = reduction_at(reduce.combiner).combiner
        lines.append(f"{_at(reduce, slot)} = {combiner} r{reduce.register} : {_dtype(reduce.dtype)}")
    return lines


@_text.register
def _(m: d.Matmul, slot: SlotName) -> list[str]:
    a, b = (f"{_at(x, slot)}{'ᵀ' if t else ''}" for x, t in ((m.a, m.transpose_a), (m.b, m.transpose_b)))
    shape = [*m.batch, m.rows, m.columns]
    return [f"MATMUL {_at(m.c, slot)} = {a} @ {b} : {_dtype(m.c.dtype)} {shape} over {m.middle}{_tasks(m)}"]


@_text.register
def _(call: d.Call, slot: SlotName) -> list[str]:
    op, dtype = kernel_at(call.kernel)
    kernel = op.kernel
    assert kernel is not None
    sizes = ", ".join(f"{name} = {n}" for name, n in zip(kernel.names, call.numbers, strict=True))
    batch = f" for each of {list(call.batch)}" if call.batch else ""
    space = f", workspace {slot(call.workspace)}" if call.workspace >= 0 else ""
    lines = [f"CALL {kernel.function(dtype)} {kernel.signature}{batch}, {sizes}{space}"]
    n_inputs = len(kernel.letters[0])
    for at, argument in enumerate(call.arguments):
        role = "operand" if at < n_inputs else "result"
        lines.append(f"{role} {_at(argument, slot)} strides {list(argument.strides)} : {_dtype(argument.dtype)}")
    return lines


@_text.register
def _(s: d.Scatter, slot: SlotName) -> list[str]:
    target = f"{_at(s.out, slot)} as [{s.outer}, {s.length}, {s.inner}]"
    values, at = _at(s.v, slot), _at(s.at, slot)
    sign = "+=" if s.adds else "="
    return [f"SCATTER {target} {sign} {values} at {s.count} of {at} : {_dtype(s.out.dtype)}"]


def _listed(slot: SlotName, **groups: Sequence[d.Place]) -> list[str]:
    return [f"{name} {_at(place, slot)}" for name, places in groups.items() for place in places]


def _carried(loop: d.Carried, slot: SlotName) -> list[str]:
    return _listed(slot, const=loop.consts, init=loop.init, carry=loop.carry, spare=loop.spare)


def _tapes(**groups: Sequence[int]) -> list[str]:
    return [f"{name} tape {tape}" for name, tapes in groups.items() for tape in tapes]


@_text.register
def _(scan: d.Scan, slot: SlotName) -> list[str]:
    direction = " backward" if scan.reverse else ""
    lines = [f"SCAN body {scan.body}, {scan.length} steps{direction}, workspace {slot(scan.workspace)}"]
    lines += _carried(scan, slot)
    for name, stacked in (("xs", scan.xs), ("ys", scan.ys)):
        lines += [f"{name} {_at(x, slot)} step {x.stride}" for x in stacked]
    return lines


@_text.register
def _(loop: d.While, slot: SlotName) -> list[str]:
    steps = "" if loop.limit < 0 else f", at most {loop.limit} steps"
    spaces = f"workspaces {slot(loop.workspace)} and {slot(loop.condition_workspace)}"
    lines = [f"WHILE body {loop.condition} do body {loop.body}{steps}, {spaces}", f"flag {_at(loop.flag, slot)}"]
    return [*lines, *_carried(loop, slot), *_tapes(ys=loop.ys)]


@_text.register
def _(loop: d.Replay, slot: SlotName) -> list[str]:
    direction = " backward" if loop.reverse else ""
    count = _at(loop.count, slot)
    lines = [f"REPLAY body {loop.body}, {count} steps{direction}, workspace {slot(loop.workspace)}"]
    return [*lines, *_carried(loop, slot), *_tapes(xs=loop.xs, ys=loop.ys)]


@_text.register
def _(branch: d.Branch, slot: SlotName) -> list[str]:
    bodies = ", ".join(map(str, branch.bodies))
    head = f"BRANCH {_at(branch.index_place, slot)} of bodies {bodies}, workspace {slot(branch.workspace)}"
    return [head, *_listed(slot, operand=branch.operands, result=branch.results)]
