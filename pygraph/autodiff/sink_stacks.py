"""Stacks made outside of a loop or branch that reads them, made inside instead, so that reverse mode can go through.

The cotangent of a stack has as many parts as there were steps: inside the body of another loop no sum of these can be
carried. With the loop that makes the stack in the body, only its operands, which are arrays, get cotangents.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.construction import make
from ..graph.graph import Graph
from ..graph.loop import Loop, Names, is_stack
from ..graph.node import Node
from ..graph.rewriting import rebuilt, rewrite, substitute
from ..graph.traversal import walk
from ..ops.control import branch as BRANCH
from ..ops.leaves import output_row as OUTPUT


def reads_stacks(node: Node) -> bool:
    """Whether the bodies of `node` read stacks that are made outside of it and are not stepped through."""
    if node.op.branch:
        return any(map(is_stack, node.inputs[1:]))
    if not node.op.loop:
        return False
    first = len(node.inputs) - len(node.attrs["body"].inputs)
    return any(map(is_stack, node.inputs[first : first + node.attrs["n_consts"]]))


def absorbed(outputs: Sequence[Node], fixed: Sequence[Node]) -> list[Node]:
    """`outputs` without nodes that read stacks made outside; the nodes `fixed` stay what they are."""

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | list[Node]:
        now = rebuilt(node, inputs)
        return _inside(now) if reads_stacks(now) else now

    return rewrite(outputs, visit, {node: node for node in fixed})


def _inside(node: Node) -> list[Node]:
    """The results of a loop or branch whose body makes the stacks that it reads."""
    if node.op.branch:
        bodies: list[Graph] = []
        operands: list[Node] = []
        for body in node.attrs["bodies"]:
            operands, slots, outputs = _moved(node.inputs[1:], body.inputs, (), body.outputs)
            bodies.append(Graph.from_parts(slots, outputs, name=body.name))
        made = make(BRANCH, (node.inputs[0], *operands), {**node.attrs, "bodies": tuple(bodies)})
        return [make(OUTPUT, (made,), {"index": index}) for index in range(len(bodies[0].outputs))]
    loop = Loop.of(node)
    others = (*loop.carry_inputs, *loop.x_inputs)
    consts, slots, expressions = _moved(loop.consts, loop.const_inputs, others, loop.expressions)
    return loop.with_consts(consts, slots).with_expressions(expressions).build()


def _moved(
    operands: Sequence[Node], slots: Sequence[Node], others: Sequence[Node], expressions: Sequence[Node]
) -> tuple[list[Node], list[Node], list[Node]]:
    """Operands, the body's inputs for them, and the body's expressions, with all stacks made in the body."""
    names = Names((*slots, *others))
    place: dict[Node, Node] = {}  # outside: its value inside
    given: list[Node] = []
    inputs: list[Node] = []

    def take(x: Node, slot: Node | None = None) -> None:
        given.append(x)
        inputs.append(names.like(x, "k") if slot is None else slot)
        place[x] = inputs[-1]

    stacks = [(x, slot) for x, slot in zip(operands, slots, strict=True) if is_stack(x)]
    for x, slot in zip(operands, slots, strict=True):
        if not is_stack(x):
            take(x, slot)

    def stacks_read(x: Node) -> list[Node]:
        return [read for read in reversed(x.inputs[0].inputs) if is_stack(read)]

    for node in walk([x for x, _ in reversed(stacks)], operands=stacks_read):
        maker = node.inputs[0]
        for x in maker.inputs:
            if x not in place:
                take(x)
        place[node] = rebuilt(node, (rebuilt(maker, [place[x] for x in maker.inputs]),))
    return given, inputs, substitute(expressions, {slot: place[x] for x, slot in stacks})
