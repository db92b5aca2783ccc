"""A Program as text, decoded from its words alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..ops.dtypes import DTYPES
from ..ops.table import MICRO_OPS
from .program import HEADER_WORDS, Micro, Opcode, Program, Segment, SlotKind

_MICRO_NAMES = {code: op.name for op, code in MICRO_OPS.items()}
_COMBINERS = ("sum", "prod", "max", "min")


class _Reader:
    """A cursor over words."""

    def __init__(self, words: list[int], at: int = 0) -> None:
        self.words = words
        self.at = at

    def one(self) -> int:
        self.at += 1
        return self.words[self.at - 1]

    def many(self, count: int) -> list[int]:
        self.at += count
        return self.words[self.at - count : self.at]


def disassemble(program: Program) -> str:
    """One line an instruction, with its micro-operations indented below it."""
    reader = _Reader(program.words.tolist(), 3)
    n_bodies, n_constants = reader.many(HEADER_WORDS - 3)
    lines = [
        f"program: {n_bodies} bodies, {program.instructions} instructions, {n_constants} bytes of constants, "
        f"arena {program.arena_bytes} bytes, {program.cached_bytes} kept"
    ]
    for number in range(n_bodies):
        lines += _body(number, _Reader(reader.many(reader.words[reader.at])), program)
    return "\n".join(lines)


def _body(number: int, reader: _Reader, program: Program) -> Iterator[str]:
    _, arena, n_slots, n_inits, n_segments, n_inputs, n_outputs, n_code = reader.many(8)
    slots = [reader.many(3) for _ in range(n_slots)]
    inits = [reader.many(3) for _ in range(n_inits)]
    segments = [reader.many(2) for _ in range(n_segments)]
    code = reader.many(n_code)
    yield f"body {number}: {n_inputs} inputs, {n_outputs} outputs, arena {arena} bytes"
    for offset, constant, nbytes in inits:
        yield f"  cell {offset // 8} = {program.constants[constant : constant + nbytes].hex(' ')}"

    def slot(index: int) -> str:
        kind, where, nbytes = slots[index]
        match SlotKind(kind):
            case SlotKind.ARENA:
                return f"arena[{where}:{where + nbytes}]"
            case SlotKind.CONST:
                return f"const[{where}:{where + nbytes}]"
            case SlotKind.INPUT:
                return program.inputs[where].name if number == 0 else f"in{where}"
            case _:
                return program.outputs[where].name if number == 0 else f"out{where}"

    for at, (first, end) in enumerate(segments):
        if number == 0 and n_segments > 1:
            yield f" {Segment(at).name.lower()}:"
        position = first
        while position < end:
            opcode, n_words, node = code[position : position + 3]
            info = program.nodes[node]
            place = f"  # {info.where}" if info.where is not None else ""
            body = _Reader(code[position + 3 : position + n_words])
            head, *more = _PRINTERS[Opcode(opcode)](body, slot)
            yield f"  {position:5d}  {head}{place}"
            for line in more:
                yield f"           {line}"
            position += n_words


SlotName = Callable[[int], str]


def _dtype(code: int) -> str:
    return DTYPES[code].name


def _scalar(reader: _Reader, slot: SlotName) -> list[str]:
    count = reader.one()
    lines = [f"SCALAR {count} micro-operations"]
    for _ in range(count):
        micro, dtype_in, dtype_out, target, a, b, c = reader.many(7)
        if micro == Micro.LOAD:
            lines.append(f"w{target} = load {slot(a)} +{b} : {_dtype(dtype_in)}")
        elif micro == Micro.STORE:
            lines.append(f"store {slot(target)} +{b} = w{a} : {_dtype(dtype_in)}")
        else:
            operands = ", ".join(f"w{x}" for x in (a, b, c) if x >= 0)
            lines.append(f"w{target} = {_MICRO_NAMES[micro]} {operands} : {_dtype(dtype_out)}")
    return lines


def _loop(reader: _Reader, slot: SlotName) -> list[str]:
    ndim, block, mode, outer, rows, inner, scratch, registers = reader.many(8)
    n_loads, n_micros, n_stores, n_reduces = reader.many(4)
    dims = reader.many(ndim)
    shape = f" as [{outer}][{rows}][{inner}]" if mode else ""
    partial = f", partial results in {slot(scratch)}" if scratch >= 0 else ""
    lines = [f"LOOP over {dims}{shape}, blocks of {block}, {registers} registers{partial}"]
    for _ in range(n_loads):
        register, dtype, index, offset = reader.many(4)
        lines.append(f"r{register} = load {slot(index)} +{offset} strides {reader.many(ndim)} : {_dtype(dtype)}")
    for _ in range(n_micros):
        micro, _, dtype, target, *sources = reader.many(7)
        operands = ", ".join(f"r{x}" for x in sources if x >= 0)
        lines.append(f"r{target} = {_MICRO_NAMES[micro]} {operands} : {_dtype(dtype)}")
    for _ in range(n_stores):
        register, dtype, index, offset = reader.many(4)
        lines.append(f"store {slot(index)} +{offset} strides {reader.many(ndim)} = r{register} : {_dtype(dtype)}")
    for _ in range(n_reduces):
        combiner, dtype, register, index, offset = reader.many(5)
        lines.append(f"{slot(index)} +{offset} = {_COMBINERS[combiner]} r{register} : {_dtype(dtype)}")
    return lines


def _matmul(reader: _Reader, slot: SlotName) -> list[str]:
    dtype, rows, columns, middle, transpose_a, transpose_b, n_batch = reader.many(7)
    batch = reader.many(n_batch)
    operands = []
    for _ in range(3):
        index, offset = reader.many(2)
        reader.many(n_batch)
        operands.append(f"{slot(index)} +{offset}")
    a, b, c = operands
    flags = f"{a}{'ᵀ' if transpose_a else ''} @ {b}{'ᵀ' if transpose_b else ''}"
    return [f"MATMUL {c} = {flags} : {_dtype(dtype)} {[*batch, rows, columns]} over {middle}"]


def _gather(reader: _Reader, slot: SlotName) -> list[str]:
    dtype, outer, length, inner, count, x, x_at, index, index_at, out, out_at = reader.many(11)
    source = f"{slot(x)} +{x_at} as [{outer}, {length}, {inner}]"
    return [f"GATHER {slot(out)} +{out_at} = {source} at {count} of {slot(index)} +{index_at} : {_dtype(dtype)}"]


def _scatter(reader: _Reader, slot: SlotName) -> list[str]:
    dtype, adds, outer, length, inner, count, index, index_at, v, v_at, out, out_at = reader.many(12)
    target = f"{slot(out)} +{out_at} as [{outer}, {length}, {inner}]"
    sign = "+=" if adds else "="
    return [f"SCATTER {target} {sign} {slot(v)} +{v_at} at {count} of {slot(index)} +{index_at} : {_dtype(dtype)}"]


def _scan(reader: _Reader, slot: SlotName) -> list[str]:
    body, length, backward, workspace, n_consts, n_carry, n_xs, n_ys = reader.many(8)
    direction = " backward" if backward else ""
    lines = [f"SCAN body {body}, {length} steps{direction}, workspace {slot(workspace)}"]
    lines += _places(reader, slot, ("const", n_consts), ("init", n_carry), ("carry", n_carry), ("spare", n_carry))
    for name, count in (("xs", n_xs), ("ys", n_ys)):
        for _ in range(count):
            index, offset, stride = reader.many(3)
            lines.append(f"{name} {slot(index)} +{offset} step {stride}")
    return lines


def _places(reader: _Reader, slot: SlotName, *groups: tuple[str, int]) -> list[str]:
    return [f"{name} {slot(reader.one())} +{reader.one()}" for name, count in groups for _ in range(count)]


def _tapes(reader: _Reader, *groups: tuple[str, int]) -> list[str]:
    return [f"{name} tape {reader.one()}" for name, count in groups for _ in range(count)]


def _while(reader: _Reader, slot: SlotName) -> list[str]:
    body, condition, workspace, second, limit, n_consts, n_carry, n_ys, flag, at = reader.many(10)
    steps = "" if limit < 0 else f", at most {limit} steps"
    lines = [f"WHILE body {condition} do body {body}{steps}, workspaces {slot(workspace)} and {slot(second)}"]
    lines.append(f"flag {slot(flag)} +{at}")
    lines += _places(reader, slot, ("const", n_consts), ("init", n_carry), ("carry", n_carry), ("spare", n_carry))
    return lines + _tapes(reader, ("ys", n_ys))


def _replay(reader: _Reader, slot: SlotName) -> list[str]:
    body, workspace, backward, n_consts, n_carry, n_xs, n_ys, count, at = reader.many(9)
    direction = " backward" if backward else ""
    lines = [f"REPLAY body {body}, {slot(count)} +{at} steps{direction}, workspace {slot(workspace)}"]
    lines += _places(reader, slot, ("const", n_consts), ("init", n_carry), ("carry", n_carry), ("spare", n_carry))
    return lines + _tapes(reader, ("xs", n_xs), ("ys", n_ys))


def _branch(reader: _Reader, slot: SlotName) -> list[str]:
    n_bodies, n_consts, n_results, workspace, index, at = reader.many(6)
    places = _places(reader, slot, ("operand", n_consts), ("result", n_results))
    bodies = ", ".join(map(str, reader.many(n_bodies)))
    return [f"BRANCH {slot(index)} +{at} of bodies {bodies}, workspace {slot(workspace)}", *places]


def _wrap(reader: _Reader, slot: SlotName) -> list[str]:
    count, size, index, index_at, out, out_at = reader.many(6)
    return [f"WRAP {slot(out)} +{out_at} = {count} of {slot(index)} +{index_at} within {size}"]


_PRINTERS: dict[Opcode, Callable[[_Reader, SlotName], list[str]]] = {
    Opcode.SCALAR: _scalar,
    Opcode.LOOP: _loop,
    Opcode.MATMUL: _matmul,
    Opcode.GATHER: _gather,
    Opcode.SCATTER: _scatter,
    Opcode.SCAN: _scan,
    Opcode.WRAP: _wrap,
    Opcode.BRANCH: _branch,
    Opcode.WHILE: _while,
    Opcode.REPLAY: _replay,
}
