"""How long a run of a Program takes in the interpreter: an estimate in ns, from what the rows say of their operations.

Measured on one core of a server with AVX-512: an addition of array elements takes 0.3 ns, which is what prices of rows
count in; between scalars an operation is dispatched in 4 ns and takes twice its price, as nothing runs beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...lower.decode import Body, decode
from ...lower.fields import Array
from ...lower.instructions import Branch, Call, Instruction, Loop, Matmul, Replay, Scalar, Scan, While
from ...lower.program import Program
from ...ops.row import lookup
from ...ops.table import MICRO_OPS, kernel_at

ELEMENT = 0.3  # ns of an addition of array elements, or of one that is moved
DISPATCH = 4.0  # of an operation between scalars
INSTRUCTION = 10.0  # or a step of a loop
PRODUCT = 0.1  # of a multiplication and an addition in a matrix product
KERNEL = 1.0  # of an operation of a kernel
#: Steps that a loop of unknown length is taken to have.
UNKNOWN_STEPS = 1000

PRICES = {code: op.price for op, code in MICRO_OPS.items()}


def bounded(program: Program, nanoseconds: float) -> bool:
    """Whether a run surely takes less: known without decoding the Program, from what is counted beside it."""
    rows = [lookup(name) for name in program.nodes.ops]
    if any(row.unbounded for row in rows):
        return False
    dearest = max((row.price for row in rows), default=0)
    moved = program.arena_bytes + sum(port.nbytes for port in (*program.inputs, *program.outputs))
    step = program.instructions * INSTRUCTION + program.micro_operations * (DISPATCH + 2.0 * dearest) + moved * ELEMENT
    steps = max(program.flops, 1) if program.words[3] > 1 else 1  # each step of a body counts one at least
    return program.flops * max(KERNEL, ELEMENT * (dearest + 1)) + steps * step < nanoseconds


def duration(program: Program) -> float:
    """The estimated nanoseconds of a run of all segments; of a loop of run-time length, those of `UNKNOWN_STEPS`."""
    bodies = decode(program)
    inner = [0.0] * len(bodies)
    for body in reversed(bodies):  # a body runs only later ones
        inner[body.number] = sum(_of(one, body, inner) for segment in body.segments for one in segment)
    return inner[0]


def _of(instruction: Instruction, body: Body, inner: Sequence[float]) -> float:
    """What one instruction takes; `inner`: what a run of each later body does."""
    match instruction:
        case Scalar(micros=micros):
            return INSTRUCTION + sum(DISPATCH + 2.0 * PRICES.get(micro.micro, 0) for micro in micros)
        case Loop(dims=dims, micros=micros, reduces=reduces):
            work = sum(PRICES.get(micro.micro, 0) for micro in micros) + len(reduces) + 1
            return INSTRUCTION + ELEMENT * prod(dims) * work
        case Matmul(rows=rows, columns=columns, middle=middle, batch=batch):
            return INSTRUCTION + PRODUCT * rows * columns * middle * prod(batch)
        case Scan(body=number, length=length):
            return INSTRUCTION + length * (inner[number] + INSTRUCTION)
        case While(body=number, condition=condition):
            return INSTRUCTION + UNKNOWN_STEPS * (inner[number] + inner[condition] + INSTRUCTION)
        case Replay(body=number):
            return INSTRUCTION + UNKNOWN_STEPS * (inner[number] + INSTRUCTION)
        case Branch(bodies=bodies):
            return INSTRUCTION + max(inner[number] for number in bodies)
        case Call(kernel=kernel, numbers=numbers, batch=batch, operands=operands, results=results):
            row, _ = kernel_at(kernel)
            assert row.kernel is not None
            moved = sum(body.slots[argument.slot].nbytes for argument in (*operands, *results))
            return INSTRUCTION + ELEMENT * moved + KERNEL * row.kernel.operations(numbers) * prod(batch)
    arrays = (name for name, field in instruction.layout.items() if isinstance(field, Array))
    moved = sum(body.slots[getattr(instruction, name).slot].nbytes for name in arrays)
    return INSTRUCTION + ELEMENT * moved
