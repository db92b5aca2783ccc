"""A `scan` node taken apart and put together, and a derivative's body cut loose from its primal loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..graph.build import make, substitute, topological, var
from ..graph.graph import Graph
from ..graph.node import Node
from ..ops.row import lookup

SCAN = lookup("scan")
OUTPUT = lookup("output")
#: Operations that only view or repeat their operand: redone in a later loop rather than stored for it.
VIEWS = frozenset(map(lookup, ("broadcast_to", "reshape", "transpose")))


@dataclass(frozen=True)
class Loop:
    """The parts of a `scan`: per group its operands outside and the body's inputs for them, and the body's outputs.

    Attributes:
        consts, init, xs: operands; xs have a leading axis of `length`.
        const_inputs, carry_inputs, x_inputs: the body's inputs, in the same order.
        carry_outputs, y_outputs: the body's outputs.
    """

    consts: tuple[Node, ...]
    init: tuple[Node, ...]
    xs: tuple[Node, ...]
    const_inputs: tuple[Node, ...]
    carry_inputs: tuple[Node, ...]
    x_inputs: tuple[Node, ...]
    carry_outputs: tuple[Node, ...]
    y_outputs: tuple[Node, ...]
    length: int
    reverse: bool
    name: str

    @staticmethod
    def of(node: Node) -> Loop:
        """The parts of a `scan` node."""
        body: Graph = node.attrs["body"]
        first, second = node.attrs["n_consts"], node.attrs["n_consts"] + node.attrs["n_carry"]
        n_carry = node.attrs["n_carry"]
        return Loop(
            consts=node.inputs[:first],
            init=node.inputs[first:second],
            xs=node.inputs[second:],
            const_inputs=body.inputs[:first],
            carry_inputs=body.inputs[first:second],
            x_inputs=body.inputs[second:],
            carry_outputs=body.outputs[:n_carry],
            y_outputs=body.outputs[n_carry:],
            length=node.attrs["length"],
            reverse=node.attrs["reverse"],
            name=body.name,
        )

    @property
    def operands(self) -> tuple[Node, ...]:
        """The operands of the node: consts, init, xs."""
        return (*self.consts, *self.init, *self.xs)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The inputs of the body, one per operand."""
        return (*self.const_inputs, *self.carry_inputs, *self.x_inputs)

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The outputs of the body: the next carry and the slices of the stacked results."""
        return (*self.carry_outputs, *self.y_outputs)

    def build(self) -> list[Node]:
        """The results of the loop as nodes: the final carry, then the stacked outputs."""
        if not self.carry_outputs and not self.y_outputs:
            return []
        attrs = {
            "body": Graph.from_parts(self.inputs, self.outputs, name=self.name),
            "length": self.length,
            "reverse": self.reverse,
            "n_consts": len(self.consts),
            "n_carry": len(self.init),
        }
        node = make(SCAN, self.operands, attrs)
        return [make(OUTPUT, (node,), {"index": index}) for index in range(len(self.outputs))]


class Names:
    """Fresh inputs for a loop's body, with names that none of its inputs has."""

    def __init__(self, inputs: Iterable[Node]) -> None:
        self._taken = {str(node.attrs["name"]) for node in inputs}

    def like(self, node: Node, name: str) -> Node:
        """A fresh input with the shape and dtype of `node`, called `name` or something longer."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return var(name, node.shape, node.dtype)


@dataclass(frozen=True)
class Split:
    """A derivative's body cut loose from the primal loop it was written in.

    Attributes:
        const_inputs, consts: values that don't change from step to step, and the body's inputs for them.
        x_inputs, xs: sliced and stacked values, and the body's inputs for them.
        outputs: the derivative's body outputs in terms of these inputs and of its own.
    """

    const_inputs: tuple[Node, ...]
    consts: tuple[Node, ...]
    x_inputs: tuple[Node, ...]
    xs: tuple[Node, ...]
    outputs: list[Node]


def split(loop: Loop, outputs: Sequence[Node], own: Iterable[Node], names: Names) -> Split:
    """Cut body outputs that depend on `own` inputs, and on any values of `loop`'s body, loose from that loop.

    What they need of the primal body comes from where it is cheapest: constants are copied; the loop's consts and xs
    are passed again; values that only depend on consts are computed once outside; all others are stacked by the
    primal loop, built anew with these values as further outputs. (The narrower original is replaced by the wider loop
    when the graph is optimised, so the primal computation runs once.)
    """
    needed, varying = _needed(loop, outputs, set(own))
    passed = {*loop.const_inputs, *loop.x_inputs}
    invariant = [node for node in needed if node not in varying and node not in passed]
    stacked = [node for node in needed if node in varying and node not in passed]
    outside = substitute(invariant, dict(zip(loop.const_inputs, loop.consts, strict=True)))
    position = {node: index for index, node in reversed(list(enumerate(loop.y_outputs)))}
    new = [node for node in stacked if node not in position]
    if stacked:
        position.update((node, index) for index, node in enumerate(new, len(loop.y_outputs)))
        wide = replace(loop, y_outputs=(*loop.y_outputs, *new)).build()
        stacks = [wide[len(loop.init) + position[node]] for node in stacked]
    else:
        stacks = []
    replaced = {node: names.like(node, f"k{i}") for i, node in enumerate(invariant)}
    replaced.update((node, names.like(node, f"r{i}")) for i, node in enumerate(stacked))
    consts = [(node, operand) for node, operand in zip(loop.const_inputs, loop.consts, strict=True) if node in needed]
    consts += [(replaced[node], operand) for node, operand in zip(invariant, outside, strict=True)]
    xs = [(node, operand) for node, operand in zip(loop.x_inputs, loop.xs, strict=True) if node in needed]
    xs += [(replaced[node], operand) for node, operand in zip(stacked, stacks, strict=True)]
    return Split(
        const_inputs=tuple(node for node, _ in consts),
        consts=tuple(operand for _, operand in consts),
        x_inputs=tuple(node for node, _ in xs),
        xs=tuple(operand for _, operand in xs),
        outputs=substitute(outputs, replaced),
    )


def _needed(loop: Loop, outputs: Sequence[Node], own: set[Node]) -> tuple[dict[Node, None], set[Node]]:
    """The primal nodes that nodes depending on `own` refer to (in order), and all primal nodes that vary per step."""
    consts = set(loop.const_inputs)
    varying: set[Node] = {*loop.carry_inputs, *loop.x_inputs}
    free: set[Node] = set()  # depends on nothing: constants
    later = set(own)
    asked: dict[Node, None] = {}
    for node in topological(outputs):
        if node in later or node in varying or node in consts:
            continue
        if not node.inputs:
            free.add(node)
        elif not later.isdisjoint(node.inputs):
            later.add(node)
            asked.update((operand, None) for operand in node.inputs if operand not in later)
        elif not varying.isdisjoint(node.inputs):
            varying.add(node)
        elif free.issuperset(node.inputs):
            free.add(node)
    asked.update((node, None) for node in outputs if node not in later)
    needed: dict[Node, None] = {}
    stack = list(reversed(asked))
    while stack:
        node = stack.pop()
        if node in free:
            continue
        if node.op in VIEWS:
            stack.append(node.inputs[0])
        else:
            needed[node] = None
    return needed, varying
