"""What happened inside of a loop or a branch: the values at one step, and the derivatives that arrived there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import jvp, vjp
from ..errors import SignatureError
from ..graph.construction import var
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.reference import evaluate_flat, evaluate_nodes
from ..ops.dtypes import is_float

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Moment:
    """One evaluation of a body.

    Attributes:
        kind, title: see `Inside`.
        body: the graph.
        values: of its inputs.
        derivatives: in reverse mode of what is differentiated by each output; in forward mode the tangent of each
            input; None for zero or none.
        operands: for each input the number of the operand of the loop or branch that it comes from.
        constants: the first so many inputs are operands as they are.
    """

    kind: str
    title: str
    body: Graph
    values: list[Array]
    derivatives: list[Array | None]
    operands: list[int]
    constants: int


def moment(node: Node, values: Sequence[Any], derivatives: Mapping[int, Array], step: int, mode: str) -> Moment | None:
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


def _taken(node: Node, values: Sequence[Any], derivatives: Mapping[int, Array], mode: str) -> Moment:
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

    def __init__(self, node: Node, values: Sequence[Any]) -> None:
        self.node, self.values = node, values
        self.body: Graph = node.attrs["body"]
        self.consts, self.carried = node.attrs["n_consts"], node.attrs["n_carry"]
        self.inputs: list[list[Array]] = []
        carry = list(values[self.consts : self.consts + self.carried])
        if "condition" in node.attrs:
            while evaluate_flat(node.attrs["condition"], [*values[: self.consts], *carry])[0]:
                carry = self._step(carry, None)
        else:
            for i in range(node.attrs["length"]):
                carry = self._step(carry, self.slice_of(i))

    def slice_of(self, number: int) -> int:
        """Which slices of stacked operands and results a step reads and writes."""
        length: int = self.node.attrs["length"]
        return length - 1 - number if self.node.attrs["reverse"] else number

    def _step(self, carry: list[Array], at: int | None) -> list[Array]:
        stacked = [] if at is None else [x[at] for x in self.values[self.consts + self.carried :]]
        entering = [*self.values[: self.consts], *carry, *(np.asarray(x) for x in stacked)]
        self.inputs.append(entering)
        return evaluate_flat(self.body, entering)[: self.carried]

    def at(self, derivatives: Mapping[int, Array], step: int, mode: str) -> Moment | None:
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
            list(range(len(self.body.inputs))),
            self.consts,
        )

    def _cotangents(self, arrived: Mapping[int, Array], number: int) -> list[Array | None]:
        """The derivatives by the results of step `number`: the carry's come back from the steps after it."""
        outputs = self.body.outputs
        seeds = [var("seed", x.shape, x.dtype) if is_float(x.dtype) else None for x in outputs]
        carries = self.body.inputs[self.consts : self.consts + self.carried]
        pulled = vjp(outputs, carries, seeds)
        carry: list[Array | None] = [arrived.get(i) for i in range(self.carried)]
        for i in range(len(self.inputs) - 1, number, -1):
            given = [*carry, *self._stacked(arrived, i)]
            carry = self._evaluated(pulled, i, seeds, given, outputs)
        return [*carry, *self._stacked(arrived, number)]

    def _stacked(self, arrived: Mapping[int, Array], number: int) -> list[Array | None]:
        """The derivatives by the stacked results of one step."""
        at = self.slice_of(number) if "length" in self.node.attrs else 0
        found = (arrived.get(i) for i in range(self.carried, len(self.body.outputs)))
        return [None if x is None else np.asarray(x[at]) for x in found]

    def _tangents(self, given: Mapping[int, Array], number: int) -> list[Array | None]:
        """The tangents of what enters step `number`: the carry's come from the steps before it."""
        inputs = self.body.inputs
        seeds = [var("tangent", x.shape, x.dtype) if is_float(x.dtype) else None for x in inputs]
        pushed = jvp(self.body.outputs[: self.carried], inputs, seeds)
        consts = [given.get(i) for i in range(self.consts)]
        carry = [given.get(self.consts + i) for i in range(self.carried)]

        def entering(step: int) -> list[Array | None]:
            first = self.consts + self.carried
            stacks = [given.get(i) for i in range(first, len(inputs))]
            slices = [None if x is None else np.asarray(x[self.slice_of(step)]) for x in stacks]
            return [*consts, *carry, *slices]

        for i in range(number):
            carry = self._evaluated(pushed, i, seeds, entering(i), inputs)
        return entering(number)

    def _evaluated(
        self,
        expressions: Sequence[Node | None],
        number: int,
        seeds: Sequence[Node | None],
        given: Sequence[Array | None],
        types: Sequence[Node],
    ) -> list[Array | None]:
        """Expressions of what enters step `number` and of seeds, which are zero where they are not given."""
        env: dict[Node, Any] = dict(zip(self.body.inputs, self.inputs[number], strict=True))
        for seed, value, like in zip(seeds, given, types, strict=True):
            if seed is not None:
                env[seed] = np.zeros(like.shape, like.dtype) if value is None else value
        evaluate_nodes([x for x in expressions if x is not None], env)
        return [None if x is None else np.asarray(env[x]) for x in expressions]
