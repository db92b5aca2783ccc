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
_ARITHMETIC = ("add", "subtract", "multiply", "divide", "reciprocal", "negative", "absolute", "square", "sign")
_COMPARISON = ("maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_CHOICE = ("logical_and", "logical_or", "logical_xor", "logical_not", "select", "convert")
#: Operations that cost less to do again than to store the result of.
CHEAP = frozenset(map(lookup, (*_ARITHMETIC, *_COMPARISON, *_CHOICE)))


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
    are passed again; values that only depend on consts are computed once outside; views and cheap arithmetic on what
    is at hand are done again; all others are stacked by the primal loop, built anew with these values as further
    outputs. (The narrower original is replaced by the wider loop when the graph is optimised, so the primal
    computation runs once.)
    """
    invariant, stacked = _sources(loop, outputs, set(own))
    outside = substitute(invariant, dict(zip(loop.const_inputs, loop.consts, strict=True)))
    place = {node: index for index, node in reversed(list(enumerate(loop.y_outputs)))}
    new = [node for node in stacked if node not in place]
    place.update((node, index) for index, node in enumerate(new, len(loop.y_outputs)))
    wide = replace(loop, y_outputs=(*loop.y_outputs, *new)).build() if stacked else []
    replaced = {node: names.like(node, f"k{i}") for i, node in enumerate(invariant)}
    replaced.update((node, names.like(node, f"r{i}")) for i, node in enumerate(stacked))
    cut = substitute(outputs, replaced)
    used = set(topological(cut))
    consts = [pair for pair in zip(loop.const_inputs, loop.consts, strict=True) if pair[0] in used]
    consts += [(replaced[node], operand) for node, operand in zip(invariant, outside, strict=True)]
    xs = [pair for pair in zip(loop.x_inputs, loop.xs, strict=True) if pair[0] in used]
    xs += [(replaced[node], wide[len(loop.init) + place[node]]) for node in stacked]
    return Split(
        const_inputs=tuple(node for node, _ in consts),
        consts=tuple(operand for _, operand in consts),
        x_inputs=tuple(node for node, _ in xs),
        xs=tuple(operand for _, operand in xs),
        outputs=cut,
    )


def _sources(loop: Loop, outputs: Sequence[Node], own: set[Node]) -> tuple[list[Node], list[Node]]:
    """The primal nodes to compute once outside, and those to stack, so that `outputs` need no others."""
    inputs = set(loop.inputs)
    varying: set[Node] = {*loop.carry_inputs, *loop.x_inputs}
    later = set(own)
    free: set[Node] = set()  # made of constants alone
    asked: set[Node] = set()
    order = topological(outputs)
    for node in order:
        if node in later or node in inputs:
            continue
        if not later.isdisjoint(node.inputs):
            later.add(node)
            asked.update(node.inputs)
        elif not varying.isdisjoint(node.inputs):
            varying.add(node)
        elif free.issuperset(node.inputs):
            free.add(node)
    asked.update(outputs)
    for node in reversed(order):
        if node in asked and node.op in VIEWS:
            asked.add(node.inputs[0])
    invariant: list[Node] = []
    stacked: list[Node] = []
    at_hand: set[Node] = set(loop.x_inputs)
    for node in order:
        if node in later:
            continue
        if node not in varying:
            at_hand.add(node)
            if node in asked and node not in free and node not in inputs and node.op not in VIEWS:
                invariant.append(node)
        elif node.inputs and (node.op in VIEWS or node.op in CHEAP) and at_hand.issuperset(node.inputs):
            at_hand.add(node)
        elif node in asked and node not in at_hand and node.op not in VIEWS:
            at_hand.add(node)
            stacked.append(node)
    return invariant, stacked
