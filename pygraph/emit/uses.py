"""What instructions read and write: the slots they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..lower import decode as d
from ..lower.program import Micro
from ..ops.table import kernel_at


class Use(NamedTuple):
    """A slot that an instruction uses."""

    slot: int
    writes: bool


class Uses:
    """The slots that the instructions of all bodies use; what a body does not use of its ports is not used for it.

    Attributes:
        slots: by body.
    """

    def __init__(self, bodies: Sequence[d.Body]) -> None:
        self.bodies = bodies
        self.slots: list[set[int]] = [set() for _ in bodies]
        for body in reversed(bodies):  # a body comes after the one that runs it
            found = self.slots[body.number]
            found.update(use.slot for segment in body.segments for x in segment for use in self.of(x))
            for input_, output in body.shares:
                if not found.isdisjoint((input_, body.n_inputs + output)):
                    found.update((input_, body.n_inputs + output))

    def of(self, instruction: d.Instruction) -> Iterator[Use]:
        """The slots of an instruction, without the workspaces that only it uses."""
        match instruction:
            case d.Scalar():
                for micro in instruction.micros:
                    if micro.micro == Micro.LOAD:
                        yield Use(micro.a, False)
                    elif micro.micro == Micro.STORE:
                        yield Use(micro.target, True)
            case d.Loop():
                yield from (Use(load.slot, False) for load in instruction.loads)
                yield from (Use(store.slot, True) for store in instruction.stores)
                yield from (Use(reduce.slot, True) for reduce in instruction.reduces)
            case d.Matmul():
                yield from (Use(x.slot, False) for x in (instruction.a, instruction.b))
                yield Use(instruction.c.slot, True)
            case d.Call():
                kernel = kernel_at(instruction.kernel)[0].kernel
                assert kernel is not None
                n_inputs = len(kernel.letters[0])
                yield from (Use(x.slot, at >= n_inputs) for at, x in enumerate(instruction.arguments))
            case d.Scatter():
                yield from (Use(x.slot, False) for x in (instruction.v, instruction.at))
                yield Use(instruction.out.slot, True)
            case d.Branch():
                yield Use(instruction.index_place.slot, False)
                for body in instruction.bodies:
                    yield from self._ports(body, 0, instruction.operands, False)
                    yield from self._ports(body, self.bodies[body].n_inputs, instruction.results, True)
            case d.Carried():
                yield from self._loop(instruction)

    def _ports(self, body: int, first: int, places: Sequence[d.Place | d.Stacked], writes: bool) -> Iterator[Use]:
        """The slots that are connected to those of a body from `first` on."""
        used = self.slots[body]
        return (Use(x.slot, writes) for at, x in enumerate(places, first) if at in used)

    def _loop(self, loop: d.Carried) -> Iterator[Use]:
        body, carry = loop.body, len(loop.consts)
        outputs = self.bodies[body].n_inputs
        yield from self._ports(body, 0, (*loop.consts, *loop.init), False)
        yield from self._ports(body, outputs, loop.init, False)
        yield from self._ports(body, outputs, loop.carry, True)
        yield from self._ports(body, outputs, loop.spare, True)
        match loop:
            case d.Scan():
                yield from self._ports(body, carry + len(loop.init), loop.xs, False)
                yield from self._ports(body, outputs + len(loop.init), loop.ys, True)
            case d.While():
                yield from self._ports(loop.condition, 0, (*loop.consts, *loop.init), False)
            case d.Replay():
                yield Use(loop.count.slot, False)
