"""Steps of the operations that run sub-graphs: loops and branches, each with the bodies of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import UnsupportedError
from ..graph.node import Node
from .body import Body, Share
from .fields import Operand, Place, Stacked
from .format import SlotKind
from .instructions import Branch, Instruction, Replay, Scan, While
from .step_emitter import StepEmitter
from .steps import PlainStep, SlotOf, Value, operand, place
from .views import Access

_Places = tuple[Place, ...]


class _Ports:
    """The operands and results of one node, as values."""

    def __init__(self, emitter: StepEmitter, node: Node, accesses: tuple[Access, ...], n_carry: int = 0) -> None:
        self.emitter = emitter
        self.node = node
        self.values = [emitter.value(access.base) for access in accesses]
        self.starts = [access.offset * v.dtype.itemsize for access, v in zip(accesses, self.values, strict=True)]
        assert node.results is not None
        self.types = node.results
        self.results = emitter.results_of(node)
        self.n_carry = n_carry
        self.spare: list[Value] = []
        self.targets: list[Value] = []
        self.in_place: list[tuple[Value, Value]] = []

    def place(self, count: int) -> None:
        """Give the first `count` results their memory."""
        self.targets += [self.emitter.place(*result) for result in self.results[:count]]

    def carry(self, first: int, shares: Sequence[Share]) -> None:
        """Give each carry, of operand `first` and on, its second place: the same one where it is updated in place."""
        kept = {output for _, output in shares}
        for k in range(self.n_carry):
            self.spare.append(self.targets[k] if k in kept else self.emitter.body.result(*self.types[k]))
            if k in kept:
                self.updates(k, first + k)

    def updates(self, result: int, operand: int) -> None:
        """Note that a result may lie where an operand does."""
        value = self.values[operand]
        if not self.starts[operand] and value.nbytes == self.targets[result].nbytes and self.values.count(value) == 1:
            self.in_place.append((self.targets[result], value))

    def put_on_tapes(self, first: int) -> list[int]:
        """Give the results from `first` on, which are stacks, a tape each; returns the tapes."""
        tapes = []
        for at in range(first, len(self.types)):
            tape = self.emitter.unit.new_tape()
            tapes.append(tape)
            named, (_, dtype) = self.results[at]
            if named is not None:
                self.emitter.values[named] = Value(SlotKind.ARENA, dtype, 0, tape=tape)
        return tapes

    def tapes(self, first: int, end: int) -> dict[int, int]:
        """Which of the operands from `first` to `end` are stacks, by their place there, with their tape."""
        return {at - first: self.values[at].tape for at in range(first, end) if self.values[at].tape >= 0}

    def places(self, slot: SlotOf, first: int, end: int) -> tuple[Place, ...]:
        """Where some operands are."""
        return tuple(place(slot, v, s) for v, s in zip(self.values[first:end], self.starts[first:end], strict=True))

    def carried(self, slot: SlotOf, first: int) -> tuple[_Places, _Places, _Places, _Places]:
        """Where constants are, of operand `first` and on, and carries: what they start as, and their two places."""
        second = first + self.node.attrs["n_consts"]
        third = second + self.n_carry
        carry, spare = (tuple(place(slot, v) for v in values) for values in (self.targets[: self.n_carry], self.spare))
        return self.places(slot, first, second), self.places(slot, second, third), carry, spare

    def number(self, at: int, slot: SlotOf) -> Operand:
        """An operand that is one number."""
        value = self.values[at]
        return operand(slot, value, self.starts[at] // value.dtype.itemsize)

    def stack(self, at: int) -> int:
        """The tape of an operand that has to be a stack."""
        tape = self.values[at].tape
        if tape < 0:
            problem = "one of its operands is made from the steps of a loop that ran elsewhere"
            advice = "differentiate the while_loop once in reverse, and outside of other loops"
            raise UnsupportedError(problem, advice, stage="lowering", subject=self.node.op.name, line=self.node.line)
        return tape

    def emit(self, instruction: Callable[[SlotOf], Instruction], temporaries: Sequence[Value], flops: int) -> None:
        """Append the instruction, which may keep all of this but the emitter: a step would keep all steps."""
        emitter = self.emitter
        del self.emitter
        emitter.steps.append(
            PlainStep(
                instruction,
                emitter.unit.node_id(self.node),
                self.values,
                self.targets,
                temporaries=(*temporaries, *(v for v in self.spare if v not in self.targets)),
                flops=flops,
                in_place=self.in_place,
            )
        )


def _loop_body(emitter: StepEmitter, node: Node, tapes: dict[int, int]) -> Body:
    """The body of a loop, which updates in place what carries it can."""
    n_consts, n_carry = node.attrs["n_consts"], node.attrs["n_carry"]
    may_share = frozenset((n_consts + k, k) for k in range(n_carry))
    (body,) = emitter.lower([node.attrs["body"]], may_share, tapes)
    return body


def _stacked(slot: SlotOf, value: Value, offset: int, port: Value) -> Stacked:
    """A value of which each step has as much as a port of its body holds."""
    return Stacked(slot(value), offset, port.nbytes)


def _workspace(arena_bytes: int) -> Value:
    return Value.workspace(max(arena_bytes, 8))


def scan(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """A loop of a fixed number of steps."""
    attrs = node.attrs
    length, n_consts, n_carry = attrs["length"], attrs["n_consts"], attrs["n_carry"]
    second = n_consts + n_carry
    ports = _Ports(emitter, node, accesses, n_carry)
    body = _loop_body(emitter, node, ports.tapes(0, n_consts))
    ports.place(len(ports.types))
    ports.carry(n_consts, body.shares)
    workspace = _workspace(body.arena_bytes)

    def made(slot: SlotOf) -> Scan:
        carried = ports.carried(slot, 0)
        xs, ys = range(second, len(accesses)), range(n_carry, len(ports.targets))
        read = tuple(_stacked(slot, ports.values[at], ports.starts[at], body.inputs[at]) for at in xs)
        written = tuple(_stacked(slot, ports.targets[at], 0, body.outputs[at]) for at in ys)
        return Scan(body.number, slot(workspace), *carried, length, attrs["reverse"], read, written)

    ports.emit(made, (workspace,), length * max(1, body.flops))


def while_loop(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """A loop that runs as long as its condition holds."""
    attrs = node.attrs
    n_consts, n_carry, limit = attrs["n_consts"], attrs["n_carry"], attrs["limit"]
    ports = _Ports(emitter, node, accesses, n_carry)
    tapes = ports.tapes(0, n_consts)
    body = _loop_body(emitter, node, tapes)
    (condition,) = emitter.lower([attrs["condition"]], frozenset(), tapes)
    ports.place(n_carry)
    ports.carry(n_consts, body.shares)
    stacks = ports.put_on_tapes(n_carry)
    workspace, second = _workspace(body.arena_bytes), _workspace(condition.arena_bytes)
    flag = emitter.body.result((), np.dtype("bool"))

    def made(slot: SlotOf) -> While:
        carried, most = ports.carried(slot, 0), -1 if limit is None else limit
        test = condition.number, slot(second), most, place(slot, flag)
        return While(body.number, slot(workspace), *carried, *test, tuple(stacks))

    ports.emit(made, (workspace, second, flag), body.flops + condition.flops)


def replay(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """A loop over the steps that another one has recorded."""
    attrs = node.attrs
    n_consts, n_carry = attrs["n_consts"], attrs["n_carry"]
    second = 1 + n_consts + n_carry
    ports = _Ports(emitter, node, accesses, n_carry)
    body = _loop_body(emitter, node, ports.tapes(1, 1 + n_consts))
    ports.place(n_carry)
    ports.carry(1 + n_consts, body.shares)
    xs = [ports.stack(at) for at in range(second, len(accesses))]
    ys = ports.put_on_tapes(n_carry)
    workspace = _workspace(body.arena_bytes)

    def made(slot: SlotOf) -> Replay:
        carried, count = ports.carried(slot, 1), ports.number(0, slot)
        return Replay(body.number, slot(workspace), *carried, attrs["reverse"], count, tuple(xs), tuple(ys))

    ports.emit(made, (workspace,), body.flops)


def branch(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """One of several bodies."""
    ports = _Ports(emitter, node, accesses)
    tapes = ports.tapes(1, len(accesses))
    bodies = emitter.lower(node.attrs["bodies"], None, tapes)
    ports.place(len(ports.types))
    for taken, result in bodies[0].shares:
        ports.updates(result, 1 + taken)
    workspace = _workspace(max(body.arena_bytes for body in bodies))

    def made(slot: SlotOf) -> Branch:
        operands, results = ports.places(slot, 1, len(accesses)), tuple(place(slot, v) for v in ports.targets)
        numbers = tuple(body.number for body in bodies)
        return Branch(slot(workspace), ports.number(0, slot), operands, results, numbers)

    ports.emit(made, (workspace,), max(body.flops for body in bodies))
