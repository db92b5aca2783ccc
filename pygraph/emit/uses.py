"""What instructions read and write: the slots they use, and of which dtype these are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..lower import decode as d
from ..lower.program import Micro
from ..ops.dtypes import CODES, int64
from ..ops.table import kernel_at

_INDEX = CODES[int64]


class Use(NamedTuple):
    """A slot that an instruction uses; the dtype is None where nothing tells it."""

    slot: int
    dtype: int | None
    writes: bool


class SlotTypes:
    """The dtypes of the slots of all bodies, found from how instructions use them.

    Attributes:
        dtypes: by body, by slot; slots that nothing uses are missing.
    """

    def __init__(self, bodies: Sequence[d.Body]) -> None:
        self.bodies = bodies
        self.dtypes: list[dict[int, int]] = [{} for _ in bodies]
        for body in reversed(bodies):  # a body comes after the one that runs it
            found = self.dtypes[body.number]
            for segment in body.segments:
                for instruction in segment:
                    for use in self.uses(instruction):
                        if use.dtype is not None:
                            found.setdefault(use.slot, use.dtype)
            for input_, output in body.shares:
                if body.n_inputs + output in found:
                    found.setdefault(input_, found[body.n_inputs + output])
                elif input_ in found:
                    found[body.n_inputs + output] = found[input_]

    def input_dtype(self, body: int, number: int) -> int | None:
        """The dtype of an input of a body, None where nothing reads it."""
        return self.dtypes[body].get(number)

    def output_dtype(self, body: int, number: int) -> int | None:
        """The dtype of an output of a body."""
        return self.dtypes[body].get(self.bodies[body].n_inputs + number)

    def uses(self, instruction: d.Instruction) -> Iterator[Use]:
        """The slots of an instruction, without the workspaces that only it uses."""
        match instruction:
            case d.Scalar():
                for micro in instruction.micros:
                    if micro.micro == Micro.LOAD:
                        yield Use(micro.a, micro.dtype_in, False)
                    elif micro.micro == Micro.STORE:
                        yield Use(micro.target, micro.dtype_in, True)
            case d.Loop():
                yield from (Use(load.slot, load.dtype, False) for load in instruction.loads)
                yield from (Use(store.slot, store.dtype, True) for store in instruction.stores)
                yield from (Use(reduce.slot, reduce.dtype, True) for reduce in instruction.reduces)
            case d.Matmul():
                yield from (Use(x.slot, instruction.dtype, False) for x in (instruction.a, instruction.b))
                yield Use(instruction.c.slot, instruction.dtype, True)
            case d.Call():
                op, dtype = kernel_at(instruction.kernel)
                assert op.kernel is not None
                n_inputs = len(op.kernel.letters[0])
                codes = op.kernel.argument_codes(dtype)
                for at, (argument, code) in enumerate(zip(instruction.arguments, codes, strict=True)):
                    yield Use(argument.slot, code, at >= n_inputs)
            case d.Scatter():
                yield Use(instruction.v.slot, instruction.dtype, False)
                yield Use(instruction.at.slot, _INDEX, False)
                yield Use(instruction.out.slot, instruction.dtype, True)
            case d.Branch():
                yield from self._branch(instruction)
            case d.Carried():
                yield from self._loop(instruction)

    def _branch(self, branch: d.Branch) -> Iterator[Use]:
        yield Use(branch.index_place.slot, _INDEX, False)
        for body in branch.bodies:
            yield from (Use(x.slot, self.input_dtype(body, k), False) for k, x in enumerate(branch.operands))
            yield from (Use(x.slot, self.output_dtype(body, k), True) for k, x in enumerate(branch.results))

    def _loop(self, loop: d.Carried) -> Iterator[Use]:
        body, first = loop.body, len(loop.consts)
        readers = [body]
        if isinstance(loop, d.While):
            readers.append(loop.condition)
        for reader in readers:
            operands = (*loop.consts, *loop.init)
            yield from (Use(x.slot, self.input_dtype(reader, k), False) for k, x in enumerate(operands))
        for k, init in enumerate(loop.init):
            dtype = self.output_dtype(body, k)
            yield Use(init.slot, dtype, False)
            yield Use(loop.carry[k].slot, dtype, True)
            yield Use(loop.spare[k].slot, dtype, True)
        if isinstance(loop, d.Scan):
            yield from (
                Use(x.slot, self.input_dtype(body, first + len(loop.init) + k), False) for k, x in enumerate(loop.xs)
            )
            yield from (Use(y.slot, self.output_dtype(body, len(loop.init) + k), True) for k, y in enumerate(loop.ys))
        elif isinstance(loop, d.Replay):
            yield Use(loop.count.slot, _INDEX, False)
