"""What instructions read and write: the slots they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...lower.decode import Body
from ...lower.fields import Array, List, Place, Stacked, Use
from ...lower.instructions import Branch, Carried, Instruction, Scalar, Scan, While
from ...lower.program import Micro


class SlotUse(NamedTuple):
    """A slot that an instruction uses."""

    slot: int
    reads: bool
    writes: bool


def _use(slot: int, use: Use) -> SlotUse:
    return SlotUse(slot, use is not Use.WRITE, use is not Use.READ)


class Uses:
    """The slots that the instructions of all bodies use; what a body does not use of its ports is not used for it.

    Attributes:
        slots: by body.
    """

    def __init__(self, bodies: Sequence[Body]) -> None:
        self.bodies = bodies
        self.slots: list[set[int]] = [set() for _ in bodies]
        for body in reversed(bodies):  # a body comes after the one that runs it
            found = self.slots[body.number]
            found.update(use.slot for segment in body.segments for x in segment for use in self.of(x))
            for input_, output in body.shares:
                if not found.isdisjoint((input_, body.n_inputs + output)):
                    found.update((input_, body.n_inputs + output))

    def of(self, instruction: Instruction) -> Iterator[SlotUse]:
        """The slots of an instruction, without the workspaces that only it uses."""
        for name, field in instruction.layout.items():
            match field:
                case Array(use=use):
                    yield _use(getattr(instruction, name).slot, use)
                case List(use=Use() as use):
                    yield from (_use(record.slot, use) for record in getattr(instruction, name))
        match instruction:
            case Scalar():
                for micro in instruction.micros:
                    if micro.micro == Micro.LOAD:
                        yield _use(micro.a, Use.READ)
                    elif micro.micro == Micro.STORE:
                        yield _use(micro.target, Use.WRITE)
            case Branch():
                for body in instruction.bodies:
                    yield from self._ports(body, 0, instruction.operands, Use.READ)
                    yield from self._ports(body, self.bodies[body].n_inputs, instruction.results, Use.WRITE)
            case Carried():
                yield from self._loop(instruction)

    def _ports(self, body: int, first: int, places: Sequence[Place | Stacked], use: Use) -> Iterator[SlotUse]:
        """The slots that are connected to those of a body from `first` on."""
        used = self.slots[body]
        return (_use(x.slot, use) for at, x in enumerate(places, first) if at in used)

    def _loop(self, loop: Carried) -> Iterator[SlotUse]:
        body, carry = loop.body, len(loop.consts)
        outputs = self.bodies[body].n_inputs
        yield from self._ports(body, 0, (*loop.consts, *loop.init), Use.READ)
        yield from self._ports(body, outputs, loop.init, Use.READ)
        yield from self._ports(body, outputs, loop.carry, Use.WRITE)
        yield from self._ports(body, outputs, loop.spare, Use.WRITE)
        match loop:
            case Scan():
                yield from self._ports(body, carry + len(loop.init), loop.xs, Use.READ)
                yield from self._ports(body, outputs + len(loop.init), loop.ys, Use.WRITE)
            case While():
                yield from self._ports(loop.condition, 0, (*loop.consts, *loop.init), Use.READ)
