"""Loops and branches as JavaScript: they run step by step, as often as their operands say, and one step can be read.

A stack, which has a value for each step of a loop, is an array of arrays `s[3]`; all other values are numbers of `v`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autodiff.forward import pushed
from ...autodiff.masks import Derivative, Masked, conjunction, settled
from ...autodiff.reverse import pulled
from ...graph.node import Node
from ..inner_steps import derivative_seeds
from .scalar_code import Places, ScalarCode, Value

if TYPE_CHECKING:
    from ...graph.graph import Graph

#: A derivative's numbers, and those of its mask.
Arrived = tuple[Value, Places | None]


class LoopCode(ScalarCode):
    """Straight-line code, and loops and branches in it."""

    def _several(self, node: Node, operands: Sequence[Value]) -> Sequence[Value]:
        if node.op.branch:
            return _branch_results(self, node, operands)
        return _Loop(self, node, operands).run() if node.op.loop else super()._several(node, operands)


class _Loop:
    """A loop that is written out.

    Attributes:
        length: the number that says how many steps it has; None where a condition does.
        tables: for each stacked operand what has its slices.
        entering: the stack of what enters each step, once it has run with `record`.
    """

    def __init__(self, code: ScalarCode, node: Node, operands: Sequence[Value]) -> None:
        self.code, self.node = code, node
        self.body: Graph = node.attrs["body"]
        first = len(operands) - len(self.body.inputs)
        self.first, self.operands = first, operands[first:]
        self.consts, self.second = node.attrs["n_consts"], node.attrs["n_consts"] + node.attrs["n_carry"]
        self.condition: Graph | None = node.attrs.get("condition")
        self.length = code.constant(node.attrs["length"]) if "length" in node.attrs else None
        if first:
            (self.length,) = map(int, np.asarray(operands[0]).flat)
        self.reverse = bool(node.attrs.get("reverse"))
        self.tables = [self._table(x) for x in self.operands[self.second :]]
        self.entering: int | None = None

    def _table(self, operand: Value) -> str:
        """What has the slices of a stacked operand: a stack, or the places of each step."""
        return f"s[{operand}]" if isinstance(operand, int) else self.code.table(operand)

    def run(self, record: bool = False) -> list[Value]:
        """All steps; `record` keeps what enters each of them on the stack `entering`."""
        code = self.code
        carry = [code.copies(x) for x in self.operands[self.consts : self.second]]
        outputs = self.body.outputs[len(carry) :]
        stacked = self.condition is not None or self.first
        found: list[Value] = []
        tables: list[str] = []
        for x in outputs:
            if stacked:
                found.append(code.stack())
                tables.append(f"s[{found[-1]}]")
            else:
                places = np.array(code.variables(self.node.attrs["length"] * x.size), np.int64)
                places = places.reshape(self.node.attrs["length"], *x.shape)
                found.append(places)
                tables.append(code.table(places))
        self.entering = code.stack() if record else None
        counter = code.counter()
        # a loop that is counted goes through its slices in either direction
        if self.condition is not None:
            head = f"for(let {counter}=0;;{counter}++){{"
        elif self.reverse:
            head = f"for(let {counter}=v[{self.length}]-1;{counter}>=0;{counter}--){{"
        else:
            head = f"for(let {counter}=0;{counter}<v[{self.length}];{counter}++){{"
        with code.block(head):
            code.raw("tick();")
            if record:
                code.raw(f"s[{self.entering}].push([{_list(carry)}]);")
            known = self.slices(carry, counter)
            if self.condition is not None:
                places = code.graph(self.condition.outputs, known)[self.condition.outputs[0]]
                if record:
                    code.raw(f"if(!v[{int(places.flat[0])}]){{s[{self.entering}].pop();break;}}")
                else:
                    code.raw(f"if(!v[{int(places.flat[0])}])break;")
            made = code.graph(self.body.outputs, known)
            results = [made[x] for x in self.body.outputs]
            for table, result in zip(tables, results[len(carry) :], strict=True):
                if stacked:
                    code.raw(f"{table}[{counter}]=[{_list([result])}];")
                else:
                    for k, place in enumerate(result.flat):
                        code.raw(f"v[{table}[{counter}][{k}]]=v[{int(place)}];")
            code.assign(carry, results[: len(carry)])
        return [*carry, *found]

    def slices(self, carry: Sequence[Places], counter: str) -> dict[Node, Value]:
        """The inputs of the body at a step that reads the slices `counter`."""
        known: dict[Node, Value] = dict(zip(self.body.inputs, [*self.operands[: self.consts], *carry], strict=False))
        for x, table, operand in zip(
            self.body.inputs[self.second :], self.tables, self.operands[self.second :], strict=True
        ):
            known[x] = self.code.read(table, counter, x.shape, isinstance(operand, int))
        return known


def _branch_results(code: ScalarCode, node: Node, operands: Sequence[Value]) -> list[Value]:
    """The results of the branch that the first operand chooses."""
    index, *rest = operands
    bodies = node.attrs["bodies"]
    slots = [code.fresh(x.shape) for x in bodies[0].outputs]
    place = int(np.asarray(index).flat[0])
    for number, body in enumerate(bodies):
        last = number == len(bodies) - 1
        head = "{" if last else f"if(v[{place}]<={number}){{"
        with code.block(("else" if number else "") + head):
            made = code.graph(body.outputs, dict(zip(body.inputs, rest, strict=True)))
            code.assign(slots, [made[x] for x in body.outputs])
    return list(slots)


@dataclass(frozen=True)
class Read:
    """One step of a loop, or a branch: the places of what enters its body, and of the derivatives that arrive.

    Attributes:
        values: by input of the body.
        derivatives: as `Moment` has them, with their masks.
        number, count: the places of the step's number and of how many there are; of a branch that of its index.
        taken: of a branch which one that is, and the number of the last one.
    """

    values: dict[Node, Value]
    derivatives: list[Arrived | None]
    number: int
    count: int | None
    taken: tuple[int, ...] = ()


def branch_read(
    node: Node, taken: Graph, operands: Sequence[Value], arrived: Mapping[int, Arrived], forward: bool
) -> Read:
    """The branch `taken`."""
    count, first = (len(taken.inputs), 1) if forward else (len(taken.outputs), 0)
    derivatives = [arrived.get(first + i) for i in range(count)]
    values = dict(zip(taken.inputs, operands[1:], strict=True))
    bodies = node.attrs["bodies"]
    which = next(number for number, body in enumerate(bodies) if body is taken), len(bodies) - 1
    return Read(values, derivatives, int(np.asarray(operands[0]).flat[0]), None, which)


def step_read(
    code: ScalarCode, node: Node, operands: Sequence[Value], arrived: Mapping[int, Arrived], step: int, forward: bool
) -> Read:
    """Step `step` of a loop: negative numbers count from the last one."""
    loop = _Loop(code, node, operands)
    loop.run(record=True)
    count = code.number(f"s[{loop.entering}].length")
    last = f"v[{count}]-1"
    number = code.number(f"Math.max(0,v[{count}]+({step}))" if step < 0 else f"Math.max(0,Math.min({step},{last}))")
    at = _slice_of(loop, count, f"v[{number}]")
    carry = [code.fresh(x.shape) for x in loop.body.inputs[loop.consts : loop.second]]

    def entering(which: str) -> None:
        at = 0
        for places in carry:
            for place in places.flat:
                code.raw(f"v[{int(place)}]=(s[{loop.entering}][{which}]||[])[{at}];")
                at += 1

    if forward:
        derivatives = _tangents(loop, arrived, number, carry, entering, count)
    else:
        derivatives = _cotangents(loop, arrived, number, carry, entering, count)
    entering(f"v[{number}]")
    return Read(loop.slices(carry, at), derivatives, number, count)


def _slice_of(loop: _Loop, count: int, number: str) -> str:
    return f"(v[{count}]-1-{number})" if loop.reverse else number


def _cotangents(
    loop: _Loop, arrived: Mapping[int, Arrived], number: int, carry: Any, entering: Any, count: int
) -> list[Arrived | None]:
    code, outputs = loop.code, loop.body.outputs
    seeds = derivative_seeds("seed", outputs)
    found = pulled(outputs, loop.body.inputs[loop.consts : loop.second], seeds)
    carried = [_Slot(code, arrived.get(i), x) for i, x in enumerate(outputs[: len(carry)])]
    counter = code.counter()
    with code.block(f"for(let {counter}=v[{count}]-1;{counter}>v[{number}];{counter}--){{"):
        entering(counter)
        given = [*(x.arrived for x in carried), *_stacked_arrivals(loop, arrived, _slice_of(loop, count, counter))]
        _stepped(loop, carry, _slice_of(loop, count, counter), found, seeds, given, outputs, carried)
    return [
        *(x.arrived for x in carried),
        *_stacked_arrivals(loop, arrived, _slice_of(loop, count, f"v[{number}]")),
    ]


def _tangents(
    loop: _Loop, arrived: Mapping[int, Arrived], number: int, carry: Any, entering: Any, count: int
) -> list[Arrived | None]:
    code, inputs = loop.code, loop.body.inputs
    seeds = derivative_seeds("tangent", inputs)
    found = pushed(loop.body.outputs[: len(carry)], inputs, seeds)
    given = [arrived.get(loop.first + i) for i in range(len(inputs))]
    carried = [_Slot(code, given[loop.consts + i], loop.body.inputs[loop.consts + i]) for i in range(len(carry))]

    def at(which: str) -> list[Arrived | None]:
        slices = [
            None if x is None else _slice(code, x, which, like.shape)
            for x, like in zip(given[loop.second :], inputs[loop.second :], strict=True)
        ]
        return [*given[: loop.consts], *(x.arrived for x in carried), *slices]

    counter = code.counter()
    with code.block(f"for(let {counter}=0;{counter}<v[{number}];{counter}++){{"):
        entering(counter)
        which = _slice_of(loop, count, counter)
        _stepped(loop, carry, which, found, seeds, at(which), inputs, carried)
    return at(_slice_of(loop, count, f"v[{number}]"))


class _Slot:
    """The derivative of one carry, from step to step; where nothing arrives it begins as zero by structure."""

    def __init__(self, code: ScalarCode, first: Arrived | None, like: Node) -> None:
        zeros = code.constants(np.zeros(like.shape))
        value, mask = (zeros, code.constants(np.zeros(like.shape, bool))) if first is None else first
        ones = code.constants(np.ones(like.shape, bool))
        self.value = code.copies(value)
        self.mask = code.copies(ones if mask is None else mask)

    @property
    def arrived(self) -> Arrived:
        return self.value, self.mask


def _stepped(
    loop: _Loop,
    carry: Sequence[Places],
    which: str,
    derivatives: Sequence[Derivative | None],
    seeds: Sequence[Masked | None],
    given: Sequence[Arrived | None],
    seeded: Sequence[Node],
    carried: Sequence[_Slot],
) -> None:
    """One step of the derivatives of the carry."""
    code = loop.code
    known: dict[Node, Value] = loop.slices(carry, which)
    for seed, arrival, x in zip(seeds, given, seeded, strict=True):
        if seed is None:
            continue
        zeros = code.constants(np.zeros(x.shape))
        value, mask = (zeros, code.constants(np.zeros(x.shape, bool))) if arrival is None else arrival
        known[seed.value] = value
        known[seed.applied[0]] = code.constants(np.ones(x.shape, bool)) if mask is None else mask
    expressions = [settled(x) for x in derivatives]
    wheres = [conjunction(x.masks) if isinstance(x, Masked) else True for x in derivatives]
    made = code.graph([x for x in (*expressions, *wheres) if isinstance(x, Node)], known)
    targets: list[Places] = []
    sources: list[Places] = []
    for slot, expression, where in zip(carried, expressions, wheres, strict=True):
        shape = slot.value.shape
        targets += [slot.value, slot.mask]
        sources.append(code.constants(np.zeros(shape)) if expression is None else made[expression])
        if isinstance(where, Node):
            sources.append(np.broadcast_to(made[where], shape))
        else:
            sources.append(code.constants(np.full(shape, expression is not None)))
    code.assign(targets, sources)


def _stacked_arrivals(loop: _Loop, arrived: Mapping[int, Arrived], which: str) -> list[Arrived | None]:
    """The derivatives by the stacked results of the step that writes the slices `which`."""
    first = loop.second - loop.consts
    found: list[Arrived | None] = []
    for i, x in enumerate(loop.body.outputs[first:], first):
        given = arrived.get(i)
        found.append(None if given is None else _slice(loop.code, given, which, x.shape))
    return found


def _slice(code: ScalarCode, arrived: Arrived, which: str, shape: tuple[int, ...]) -> Arrived:
    value, mask = arrived
    if isinstance(value, int):
        return code.read(f"s[{value}]", which, shape, True), None
    read = code.read(code.table(value), which, shape, False)
    return read, None if mask is None else code.read(code.table(mask), which, shape, False)


def _list(values: Sequence[Places]) -> str:
    return ",".join(f"v[{int(place)}]" for places in values for place in places.flat)
