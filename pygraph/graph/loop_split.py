"""A derivative's body cut loose from the primal loop that it is written in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..ops.comparison import less as LESS
from .construction import make
from .guard import guarded
from .loop import ZERO, Loop, Names, counted, is_stack
from .node import Node
from .rewriting import substitute
from .traversal import walk


@dataclass(frozen=True)
class Split:
    """A derivative's body cut loose from the primal loop it was written in.

    Attributes:
        const_inputs, consts: values that don't change from step to step, and the body's inputs for them.
        x_inputs, xs: sliced and stacked values, and the body's inputs for them.
        outputs: the derivative's body outputs in terms of these inputs and of its own.
        count: the number of steps where it is known at run time; else None.
    """

    const_inputs: tuple[Node, ...]
    consts: tuple[Node, ...]
    x_inputs: tuple[Node, ...]
    xs: tuple[Node, ...]
    outputs: list[Node]
    count: Node | None


def split(loop: Loop, outputs: Sequence[Node], own: Iterable[Node], names: Names) -> Split:
    """Cut body outputs that depend on `own` inputs, and on any values of `loop`'s body, loose from that loop.

    What they need of the primal body comes from where it is cheapest: constants are copied; the loop's consts and xs
    are passed again; values that only depend on consts are computed once outside; views and cheap arithmetic on what
    is at hand are recomputed, and so are loops that make stacks; all others are stacked by the primal loop, rebuilt
    with these values as further outputs. (The narrower original is replaced by the wider loop when the graph is
    optimised, so the primal computation runs once.)
    """
    varying = {*loop.carry_inputs, *loop.x_inputs}
    invariant, stacked = sources(loop.inputs, varying, loop.x_inputs, outputs, own)
    place = {node: index for index, node in reversed(list(enumerate(loop.y_outputs)))}
    new = [node for node in stacked if node not in place]
    place.update((node, index) for index, node in enumerate(new, len(loop.y_outputs)))
    wide_loop, steps = (loop, 0) if loop.condition is None else counted(loop)
    wide = (
        replace(wide_loop, y_outputs=(*loop.y_outputs, *new)).build()
        if stacked or wide_loop.condition is not None
        else []
    )
    count = loop.count if loop.condition is None else wide[steps]
    outside = hoisted(loop, invariant, None if count is None else make(LESS, (ZERO, count), {}))
    replaced = {node: names.like(node, f"k{i}") for i, node in enumerate(invariant)}
    replaced.update((node, names.like(node, f"r{i}")) for i, node in enumerate(stacked))
    cut = substitute(outputs, replaced)
    used = set(walk(cut))
    consts = [pair for pair in zip(loop.const_inputs, loop.consts, strict=True) if pair[0] in used]
    consts += [(replaced[node], operand) for node, operand in zip(invariant, outside, strict=True)]
    xs = [pair for pair in zip(loop.x_inputs, loop.xs, strict=True) if pair[0] in used]
    xs += [(replaced[node], wide[len(wide_loop.init) + place[node]]) for node in stacked]
    return Split(
        const_inputs=tuple(node for node, _ in consts),
        consts=tuple(operand for _, operand in consts),
        x_inputs=tuple(node for node, _ in xs),
        xs=tuple(operand for _, operand in xs),
        outputs=cut,
        count=count,
    )


def hoisted(loop: Loop, expressions: Sequence[Node], begun: Node | None) -> list[Node]:
    """`expressions` of the constants of `loop`, outside of it; computed where `begun`, if that is not known to hold."""
    if begun is None or any(map(is_stack, loop.consts)):
        return substitute(expressions, dict(zip(loop.const_inputs, loop.consts, strict=True)))
    return guarded(begun, expressions, loop.const_inputs, loop.consts, f"{loop.name}_invariant")


def sources(
    inputs: Iterable[Node], varying: Iterable[Node], given: Iterable[Node], outputs: Sequence[Node], own: Iterable[Node]
) -> tuple[list[Node], list[Node]]:
    """The primal nodes that do not vary, and those that do, to hand to a derivative so that it needs no others.

    Args:
        inputs: of the primal body.
        varying: those of them that are not the same each time.
        given: those that the derivative has anyway, besides those that don't vary.
        outputs: of the derivative's body, in terms of `inputs` and of its `own`.
    """
    inputs, varying, later = set(inputs), set(varying), set(own)
    free: set[Node] = set()  # made of constants alone
    asked: set[Node] = set()
    order = walk(outputs)
    for node in order:
        if node in later or node in inputs:
            continue
        if not later.isdisjoint(node.inputs) or _makes_stacks(node):
            later.add(node)
            asked.update(node.inputs)
        elif not varying.isdisjoint(node.inputs):
            varying.add(node)
        elif free.issuperset(node.inputs):
            free.add(node)
    asked.update(outputs)
    for node in reversed(order):
        if node in asked and node.op.whole_view:
            asked.add(node.inputs[0])
    invariant: list[Node] = []
    stacked: list[Node] = []
    at_hand: set[Node] = set(given)
    for node in order:
        if node in later:
            continue
        if node not in varying:
            at_hand.add(node)
            if node in asked and node not in free and node not in inputs and not node.op.whole_view:
                invariant.append(node)
        elif node.inputs and (node.op.whole_view or node.op.cheap) and at_hand.issuperset(node.inputs):
            at_hand.add(node)
        elif node in asked and node not in at_hand and not node.op.whole_view:
            at_hand.add(node)
            stacked.append(node)
    return invariant, stacked


def _makes_stacks(node: Node) -> bool:
    """Whether some result of `node` is a stack, which is not an array that could be handed to a later loop."""
    return node.op.unbounded and len(node.attrs["body"].outputs) > node.attrs["n_carry"]
