"""What happened inside of a loop or a branch: the values at one step, and the derivatives that arrived there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..autodiff.forward import pushed
from ..autodiff.masks import Derivative, Masked, conjunction, settled
from ..autodiff.reverse import pulled
from ..errors import SignatureError
from ..graph.construction import var
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.reference import Value, evaluate_flat, evaluate_nodes
from ..ops.dtypes import bool_, is_float

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class Arrival(NamedTuple):
    """A derivative that arrives somewhere, and where it may differ from zero; None: everywhere.

    As in `masks` of `pygraph.autodiff`: what is zero by structure stays zero, whatever it is multiplied with.
    """

    value: Array
    mask: Mask | None = None

    def at(self, number: int) -> Arrival:
        """One slice of it."""
        return Arrival(np.asarray(self.value[number]), None if self.mask is None else np.asarray(self.mask[number]))


@dataclass(frozen=True)
class Moment:
    """One evaluation of a body.

    Attributes:
        kind, title: see `Inside`.
        body: the graph.
        values: of its inputs.
        derivatives: in reverse mode of what is differentiated by each output; in forward mode the tangent of each
            input; None where there is none.
        operands: for each input the number of the operand of the loop or branch that it comes from.
        constants: the first so many inputs are operands as they are.
    """

    kind: str
    title: str
    body: Graph
    values: list[Any]
    derivatives: list[Arrival | None]
    operands: list[int]
    constants: int


def moment(
    node: Node, values: Sequence[Any], derivatives: Mapping[int, Arrival], step: int, mode: str
) -> Moment | None:
    """What is shown of a node with a body: None for a loop that takes no step.

    Args:
        node: a loop or a branch.
        values: of its operands.
        derivatives: of what is differentiated by each result (reverse), or the tangent of each operand (forward).
        step: which step of a loop in the order in which they ran; negative numbers count from the last.
        mode: "reverse" or "forward".
    """
    if node.op.branch:
        return _taken(node, values, derivatives, mode)
    return _Loop(node, values).at(derivatives, step, mode)


def _taken(node: Node, values: Sequence[Any], derivatives: Mapping[int, Arrival], mode: str) -> Moment:
    bodies = node.attrs["bodies"]
    number = min(max(int(values[0]), 0), len(bodies) - 1)
    body = bodies[number]
    if len(bodies) == 1:
        kind = "checkpoint"
        title = f"{body.name}, which the reverse sweep recomputes"
    else:
        kind = "branch"
        title = f"the branch taken, number {number} of 0 to {len(bodies) - 1}: {body.name}"
    count, first = (len(body.inputs), 1) if mode == "forward" else (len(body.outputs), 0)
    arrived = [derivatives.get(first + i) for i in range(count)]
    inputs = list(range(1, 1 + len(body.inputs)))
    return Moment(kind, title, body, list(values[1:]), arrived, inputs, len(inputs))


class _Loop:
    """A loop that is run step by step, with all that enters each step."""

    def __init__(self, node: Node, values: Sequence[Value]) -> None:
        self.node = node
        self.body: Graph = node.attrs["body"]
        self.consts, self.carried = node.attrs["n_consts"], node.attrs["n_carry"]
        #: The operands that the body takes follow this many that it does not.
        self.first = len(values) - len(self.body.inputs)
        self.values = values[self.first :]
        self.inputs: list[list[Array]] = []
        carry: list[Any] = list(self.values[self.consts : self.consts + self.carried])
        if "condition" in node.attrs:
            while evaluate_flat(node.attrs["condition"], [*self.values[: self.consts], *carry])[0]:
                carry = self._step(carry, None)
            self.length = len(self.inputs)
        else:
            self.length = int(node.attrs["length"] if "length" in node.attrs else np.asarray(values[0]))
            for i in range(self.length):
                carry = self._step(carry, self.slice_of(i))

    def slice_of(self, number: int) -> int:
        """Which slices of stacked operands and results a step reads and writes."""
        return self.length - 1 - number if self.node.attrs.get("reverse") else number

    def _step(self, carry: list[Any], at: int | None) -> list[Any]:
        stacked = [] if at is None else [x[at] for x in self.values[self.consts + self.carried :]]
        entering = [*self.values[: self.consts], *carry, *(np.asarray(x) for x in stacked)]
        self.inputs.append(entering)
        return evaluate_flat(self.body, entering)[: self.carried]

    def at(self, derivatives: Mapping[int, Arrival], step: int, mode: str) -> Moment | None:
        count = len(self.inputs)
        name = self.body.name
        if not count:
            return None
        if not -count <= step < count:
            problem = f"step is {step}, and the loop takes {count} steps"
            advice = f"give 0 to {count - 1}, or -{count} to -1 to count from the last"
            raise SignatureError(problem, advice, stage="explaining", subject=name, line=self.node.line)
        number = step % count
        arrived = self._tangents(derivatives, number) if mode == "forward" else self._cotangents(derivatives, number)
        return Moment(
            "loop",
            f"step {number} of {count} (0 to {count - 1}) of the loop whose body is {name}",
            self.body,
            self.inputs[number],
            arrived,
            [self.first + i for i in range(len(self.body.inputs))],
            self.consts,
        )

    def _cotangents(self, arrived: Mapping[int, Arrival], number: int) -> list[Arrival | None]:
        """The derivatives by the results of step `number`: the carry's come back from the steps after it."""
        outputs = self.body.outputs
        seeds = derivative_seeds("seed", outputs)
        carries = self.body.inputs[self.consts : self.consts + self.carried]

        @functools.cache
        def found(reached: tuple[bool, ...]) -> Sequence[Derivative | None]:
            return pulled(outputs, carries, [x if here else None for x, here in zip(seeds, reached, strict=True)])

        carry: list[Arrival | None] = [arrived.get(i) for i in range(self.carried)]
        for i in range(len(self.inputs) - 1, number, -1):
            carry = self._evaluated(found, i, seeds, [*carry, *self._stacked(arrived, i)])
        return [*carry, *self._stacked(arrived, number)]

    def _stacked(self, arrived: Mapping[int, Arrival], number: int) -> list[Arrival | None]:
        """The derivatives by the stacked results of one step."""
        found = (arrived.get(i) for i in range(self.carried, len(self.body.outputs)))
        return [None if x is None else x.at(self.slice_of(number)) for x in found]

    def _tangents(self, given: Mapping[int, Arrival], number: int) -> list[Arrival | None]:
        """The tangents of what enters step `number`: the carry's come from the steps before it."""
        inputs = self.body.inputs
        seeds = derivative_seeds("tangent", inputs)

        @functools.cache
        def found(reached: tuple[bool, ...]) -> Sequence[Derivative | None]:
            moved = [x if here else None for x, here in zip(seeds, reached, strict=True)]
            return pushed(self.body.outputs[: self.carried], inputs, moved)

        entering = [given.get(self.first + i) for i in range(len(inputs))]
        second = self.consts + self.carried
        stacks = entering[second:]

        def at(step: int) -> list[Arrival | None]:
            slices = [None if x is None else x.at(self.slice_of(step)) for x in stacks]
            return [*entering[: self.consts], *carry, *slices]

        carry = entering[self.consts : second]
        for i in range(number):
            carry = self._evaluated(found, i, seeds, at(i))
        return at(number)

    def _evaluated(
        self,
        derivatives: Callable[[tuple[bool, ...]], Sequence[Derivative | None]],
        number: int,
        seeds: Sequence[Masked | None],
        given: Sequence[Arrival | None],
    ) -> list[Arrival | None]:
        """Derivatives at what enters step `number`, for these seeds; None where none of them reaches."""
        env: dict[Node, Any] = dict(zip(self.body.inputs, self.inputs[number], strict=True))
        for seed, arrival in zip(seeds, given, strict=True):
            if seed is not None and arrival is not None:
                env[seed.value] = arrival.value
                env[seed.applied[0]] = np.ones(seed.shape, bool) if arrival.mask is None else arrival.mask
        found = derivatives(tuple(x is not None for x in given))
        expressions = [settled(x) for x in found]
        masks = [conjunction(x.masks) if isinstance(x, Masked) else True for x in found]
        evaluate_nodes([x for x in (*expressions, *masks) if isinstance(x, Node)], env)
        arrivals: list[Arrival | None] = []
        for expression, mask in zip(expressions, masks, strict=True):
            if expression is None:
                arrivals.append(None)
                continue
            value = np.asarray(env[expression])
            where = np.broadcast_to(np.asarray(env[mask]), value.shape) if isinstance(mask, Node) else None
            arrivals.append(Arrival(value, where))
        return arrivals


def derivative_seeds(name: str, nodes: Sequence[Node]) -> list[Masked | None]:
    """A variable for the derivative of each floating node, with one for its mask."""
    return [
        Masked(var(name, x.shape, x.dtype), (), (var(f"{name} mask", x.shape, bool_),)) if is_float(x.dtype) else None
        for x in nodes
    ]
