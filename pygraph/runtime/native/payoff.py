"""When native code pays: what a run of a Program would gain by it, and what building it costs; estimates in ns.

The figures were measured with GCC 12 on one core of a server with AVX-512: an operation between scalars takes 4 to 7
ns dispatched and about 1 native; a cheap one between arrays 0.11 to 0.29 ns an element in blocks and 0.05 to 0.09
native; an instruction, such as the body of a loop, costs the interpreter some 40 ns. Functions such as exp, and
products, take the same time in both. 100 operations between scalars compile in 0.2 s, 10,000 in 0.9 s; a loop over
arrays takes 10 ms, and more for each operation and array: 481 operations, of which 20 are functions, on 115 arrays with
elements apart take 1.6 s.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...lower.decode import decode
from ...lower.instructions import Branch, Instruction, Loop, Replay, Scalar, Scan, While
from ...lower.program import Program
from ...ops.table import MICRO_OPS
from ..clib.duration import UNKNOWN_STEPS
from ..clib.library import Payoff
from ..clib.watch import is_open

SCALAR_GAIN = 4.0  # an operation between scalars
ELEMENT_GAIN = 0.1  # an element of a cheap operation between arrays
INSTRUCTION_GAIN = 40.0  # an instruction
#: A compilation starts with so much, and takes so much for each operation and each instruction of the text.
BUILD = 2.0e8
BUILD_OPERATION = 1.0e5
BUILD_INSTRUCTION = 1.0e7
#: In loops over arrays: a cheap operation, a function, and an array whose elements lie side by side, or apart.
BUILD_CHEAP, BUILD_FUNCTION = 4.0e5, 1.8e7
BUILD_ARRAY, BUILD_APART = 2.0e6, 1.2e7
#: No figure is larger: their sums must fit in 64 bits.
MOST = 2.0**60
#: A run that would gain this much is worth a look before it starts.
LONG = 10**9
#: How much runs may lose, by a rough and high estimate, before the estimates are made.
LOOK = 10**8

_CHEAP = {code: op.cheap for op, code in MICRO_OPS.items()}


def rough(program: Program) -> int:
    """More than what a run of any segment gains; known without decoding the Program."""
    operation = 2 * SCALAR_GAIN  # with what loads and stores take
    if program.words[3] > 1:  # instructions that are run again and again
        operation += INSTRUCTION_GAIN
    gain = program.flops * operation + program.instructions * INSTRUCTION_GAIN
    return int(min(gain * (UNKNOWN_STEPS if is_open(program.nodes) else 1), MOST))


def payoff(program: Program) -> Payoff:
    """The estimates for a Program."""
    bodies = decode(program)
    inner = [0.0] * len(bodies)
    for body in reversed(bodies[1:]):  # a body runs only later ones
        inner[body.number] = sum(_gain(one, inner) for one in body.segments[0])
    gains = (sum(_gain(one, inner) for one in segment) for segment in bodies[0].segments)
    price = BUILD + BUILD_OPERATION * program.micro_operations
    price += sum(_build(one) for body in bodies for segment in body.segments for one in segment)
    return Payoff(tuple(int(min(gain, MOST)) for gain in gains), int(min(price, MOST)))


def _build(instruction: Instruction) -> float:
    """What building the function of an instruction takes, besides its operations between scalars."""
    if isinstance(instruction, Scalar):
        return 0.0
    if not isinstance(instruction, Loop):
        return BUILD_INSTRUCTION
    cheap = sum(_CHEAP[micro.micro] for micro in instruction.micros)
    apart = sum(bool(x.strides) and abs(x.strides[-1]) > 1 for x in (*instruction.loads, *instruction.stores))
    arrays = len(instruction.loads) + len(instruction.stores) - apart
    operations = BUILD_CHEAP * cheap + BUILD_FUNCTION * (len(instruction.micros) - cheap)
    return BUILD_INSTRUCTION + operations + BUILD_ARRAY * arrays + BUILD_APART * apart


def _gain(instruction: Instruction, inner: Sequence[float]) -> float:
    """What running it gains; `inner`: what a run of each later body does."""
    match instruction:
        case Scalar(micros=micros):
            return INSTRUCTION_GAIN + SCALAR_GAIN * len(micros)
        case Loop(dims=dims, micros=micros):
            elements = 1
            for size in dims:
                elements *= size
            return INSTRUCTION_GAIN + ELEMENT_GAIN * elements * sum(_CHEAP[micro.micro] for micro in micros)
        case Scan(body=body, length=length):
            return INSTRUCTION_GAIN + length * inner[body]
        case While(body=body, condition=condition):
            return INSTRUCTION_GAIN + UNKNOWN_STEPS * (inner[body] + inner[condition])
        case Replay(body=body):
            return INSTRUCTION_GAIN + UNKNOWN_STEPS * inner[body]
        case Branch(bodies=bodies):
            return INSTRUCTION_GAIN + max(inner[body] for body in bodies)
    return INSTRUCTION_GAIN
