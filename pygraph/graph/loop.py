"""A loop's node taken apart and put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..ops.arithmetic import add as ADD
from ..ops.control import replay as REPLAY, scan as SCAN, while_loop as WHILE
from ..ops.leaves import input_row as INPUT, output_row as OUTPUT
from ..ops.row import DType, Shape
from .construction import constant, make, var
from .graph import Graph
from .node import Node
from .rewriting import substitute
from .traversal import walk

ZERO, ONE = constant(0), constant(1)


@dataclass(frozen=True)
class Loop:
    """The parts of a loop: per group its operands outside and the body's inputs for them, and the body's outputs.

    Attributes:
        consts, init, xs: operands; xs have a leading axis of `length`, or are stacks.
        const_inputs, carry_inputs, x_inputs: the body's inputs, in the same order.
        carry_outputs, y_outputs: the body's outputs.
        length: the number of steps; None where it is known at run time.
        condition: of a `while_loop`: whether there is another step, in terms of the body's inputs.
        limit: of a `while_loop`: the most steps, or None.
        count: of a `replay`: the number of steps, an operand.
    """

    consts: tuple[Node, ...]
    init: tuple[Node, ...]
    xs: tuple[Node, ...]
    const_inputs: tuple[Node, ...]
    carry_inputs: tuple[Node, ...]
    x_inputs: tuple[Node, ...]
    carry_outputs: tuple[Node, ...]
    y_outputs: tuple[Node, ...]
    length: int | None
    reverse: bool
    name: str
    condition: Node | None = None
    limit: int | None = None
    count: Node | None = None

    @staticmethod
    def of(node: Node) -> Loop:
        """The parts of a `scan`, `while_loop` or `replay` node."""
        attrs = node.attrs
        body: Graph = attrs["body"]
        n_carry = attrs["n_carry"]
        first, second = attrs["n_consts"], attrs["n_consts"] + n_carry
        operands, count, condition = node.inputs, None, None
        if node.op is REPLAY:
            count, operands = operands[0], operands[1:]
        if node.op is WHILE:
            check: Graph = attrs["condition"]
            (condition,) = substitute(check.outputs, dict(zip(check.inputs, body.inputs, strict=True)))
        return Loop(
            consts=operands[:first],
            init=operands[first:second],
            xs=operands[second:],
            const_inputs=body.inputs[:first],
            carry_inputs=body.inputs[first:second],
            x_inputs=body.inputs[second:],
            carry_outputs=body.outputs[:n_carry],
            y_outputs=body.outputs[n_carry:],
            length=attrs.get("length"),
            reverse=attrs.get("reverse", False),
            name=body.name,
            condition=condition,
            limit=attrs.get("limit"),
            count=count,
        )

    @property
    def operands(self) -> tuple[Node, ...]:
        """The operands that the body has inputs for: consts, init, xs."""
        return (*self.consts, *self.init, *self.xs)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The inputs of the body, one per operand."""
        return (*self.const_inputs, *self.carry_inputs, *self.x_inputs)

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The outputs of the body: the next carry and the slices of the stacked results."""
        return (*self.carry_outputs, *self.y_outputs)

    @property
    def expressions(self) -> tuple[Node, ...]:
        """All that is written in terms of the body's inputs: its outputs, then the condition if there is one."""
        return self.outputs if self.condition is None else (*self.outputs, self.condition)

    def with_expressions(self, expressions: Sequence[Node]) -> Loop:
        """The same loop with others in place of `expressions`."""
        first, second = len(self.carry_outputs), len(self.outputs)
        return replace(
            self,
            carry_outputs=tuple(expressions[:first]),
            y_outputs=tuple(expressions[first:second]),
            condition=None if self.condition is None else expressions[second],
        )

    def with_consts(self, consts: Sequence[Node], const_inputs: Sequence[Node]) -> Loop:
        """The same loop with other constants."""
        return replace(self, consts=tuple(consts), const_inputs=tuple(const_inputs))

    def with_operands(self, operands: Sequence[Node]) -> Loop:
        """The same loop on others in place of its node's operands."""
        count = None
        if self.count is not None:
            count, *operands = operands
        first, second = len(self.consts), len(self.consts) + len(self.init)
        return replace(
            self,
            consts=tuple(operands[:first]),
            init=tuple(operands[first:second]),
            xs=tuple(operands[second:]),
            count=count,
        )

    def like(self, other: Loop) -> bool:
        """Whether both are of one kind and make the same steps as far as their attributes tell."""
        return (
            (self.length, self.reverse, self.limit) == (other.length, other.reverse, other.limit)
            and (self.condition is None) == (other.condition is None)
            and self.count is other.count
        )

    def build(self) -> list[Node]:
        """The results of the loop as nodes: the final carry, then the stacked outputs."""
        if not self.carry_outputs and not self.y_outputs:
            return []
        if self.count is not None and not all(map(is_named, self.xs)):
            return _unfolded(self).build()
        attrs = {
            "body": Graph.from_parts(self.inputs, self.outputs, name=self.name),
            "n_consts": len(self.consts),
            "n_carry": len(self.init),
        }
        operands, op = self.operands, SCAN
        if self.condition is not None:
            op = WHILE
            attrs["condition"] = Graph.from_parts(self.inputs, (self.condition,), name=f"{self.name}_condition")
            attrs["limit"] = self.limit
        elif self.count is not None:
            op = REPLAY
            operands = (self.count, *operands)
            attrs["reverse"] = self.reverse
        else:
            attrs["length"] = self.length
            attrs["reverse"] = self.reverse
        node = make(op, operands, attrs)
        return [make(OUTPUT, (node,), {"index": index}) for index in range(len(self.outputs))]


def is_named(x: Node) -> bool:
    """Whether `x` is a stack, or stands for one in a body, rather than an expression of stacks."""
    return x.op is OUTPUT or x.op is INPUT


def is_stack(node: Node) -> bool:
    """Whether `node` is a result that has one value for each step of a loop of run-time length."""
    if node.op is not OUTPUT:
        return False
    loop = node.inputs[0]
    return loop.op.unbounded and node.attrs["index"] >= loop.attrs["n_carry"]


def _unfolded(loop: Loop) -> Loop:
    """A `replay` whose xs are expressions of stacks, with these evaluated in the body, at each step."""
    names = Names(loop.inputs)
    slots: dict[Node, Node] = {}
    inside: dict[Node, Node] = {}
    xs, x_inputs, consts, const_inputs = [], [], list(loop.consts), list(loop.const_inputs)
    for operand, slot in zip(loop.xs, loop.x_inputs, strict=True):
        if is_named(operand):
            xs.append(operand)
            x_inputs.append(slot)
            continue
        for node in walk([operand], operands=lambda x: () if is_named(x) else x.inputs[::-1]):
            if is_named(node) and node not in slots:
                slots[node] = names.like(node, "s")
                if is_stack(node):
                    xs.append(node)
                    x_inputs.append(slots[node])
                else:
                    consts.append(node)
                    const_inputs.append(slots[node])
        (inside[slot],) = substitute([operand], slots)
    outputs = substitute(loop.outputs, inside)
    n_carry = len(loop.init)
    return replace(
        loop,
        consts=tuple(consts),
        const_inputs=tuple(const_inputs),
        xs=tuple(xs),
        x_inputs=tuple(x_inputs),
        carry_outputs=tuple(outputs[:n_carry]),
        y_outputs=tuple(outputs[n_carry:]),
    )


def counted(loop: Loop) -> tuple[Loop, int]:
    """A `while_loop` that counts its steps in one of its carries, and which one that is."""
    for k, (slot, first, last) in enumerate(zip(loop.carry_inputs, loop.init, loop.carry_outputs, strict=True)):
        if first is ZERO and last.op is ADD and last.inputs[0] is slot and last.inputs[1] is ONE:
            return loop, k
    slot = Names(loop.inputs).like(ZERO, "steps")
    wide = replace(
        loop,
        init=(*loop.init, ZERO),
        carry_inputs=(*loop.carry_inputs, slot),
        carry_outputs=(*loop.carry_outputs, make(ADD, (slot, ONE))),
    )
    return wide, len(loop.init)


class Names:
    """Fresh inputs for a loop's body, with names that none of its inputs has."""

    def __init__(self, inputs: Iterable[Node]) -> None:
        self._taken = {str(node.attrs["name"]) for node in inputs}

    def like(self, node: Node, name: str) -> Node:
        """A fresh input with the shape and dtype of `node`, called `name` or something longer."""
        return self.new(name, node.shape, node.dtype)

    def new(self, name: str, shape: Shape, dtype: DType) -> Node:
        """A fresh input, called `name` or something longer."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return var(name, shape, dtype)
