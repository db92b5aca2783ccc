"""One `branch` made smaller: a known choice taken, and unused results, operands and bodies dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..graph.construction import make
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.rewriting import substitute
from ..graph.traversal import walk
from ..graph.uniform import full, value_of
from ..ops.control import branch as BRANCH
from ..ops.leaves import output_row as OUTPUT
from ..ops.row import Attrs


def needed(node: Node, used: Iterable[int]) -> list[Node]:
    """The operands that the results at positions `used` ask for."""
    seen = {x for body in node.attrs["bodies"] for x in walk([body.outputs[k] for k in used])}
    alive = [
        operand
        for place, operand in enumerate(node.inputs[1:])
        if any(body.inputs[place] in seen for body in node.attrs["bodies"])
    ]
    return [node.inputs[0], *alive]


def smaller(operands: Sequence[Node], attrs: Attrs, used: Iterable[int]) -> dict[int, Node]:
    """The results at positions `used` of a branch, from one that does no more than these ask for.

    With `recompute` it stays a branch even where there is no choice: nodes put in its place would be one with those
    of the forward pass, and so kept from there.
    """
    index, *given = operands
    bodies: Sequence[Graph] = attrs["bodies"]
    wanted = sorted(used)
    known = value_of(index)
    if known is not None:
        bodies = [bodies[min(max(int(known), 0), len(bodies) - 1)]]
    if not attrs.get("recompute", False) and all(body == bodies[0] for body in bodies):
        outputs = [bodies[0].outputs[k] for k in wanted]
        return dict(zip(wanted, substitute(outputs, dict(zip(bodies[0].inputs, given, strict=True))), strict=True))
    results: dict[int, Node] = {}
    numbered = [{slot: place for place, slot in enumerate(body.inputs)} for body in bodies]
    for k in wanted:  # handed through by all bodies
        places = {slots.get(body.outputs[k], -1) for body, slots in zip(bodies, numbered, strict=True)}
        if len(places) == 1 and (place := places.pop()) >= 0:
            results[k] = given[place]
    rest = [k for k in wanted if k not in results]
    if not rest:
        return results
    kept, traced = _settled(given, bodies, rest)
    made = make(BRANCH, (index, *kept), {**attrs, "bodies": tuple(traced)})
    results.update((k, make(OUTPUT, (made,), {"index": at})) for at, k in enumerate(rest))
    return results


def _settled(given: Sequence[Node], bodies: Sequence[Graph], rest: Sequence[int]) -> tuple[list[Node], list[Graph]]:
    """Bodies with plain numbers in place of operands that are plain numbers, no operand twice, and none unused."""
    outputs = []
    for body in bodies:
        inside: dict[Node, Node] = {}
        first: dict[Node, Node] = {}
        for slot, operand in zip(body.inputs, given, strict=True):
            value = value_of(operand)
            if value is not None:
                inside[slot] = full(value, slot.shape, slot.dtype)
            elif first.setdefault(operand, slot) is not slot:
                inside[slot] = first[operand]
        outputs.append(substitute([body.outputs[k] for k in rest], inside))
    seen = {node for found in outputs for node in walk(found)}
    kept = [place for place in range(len(given)) if any(body.inputs[place] in seen for body in bodies)]
    traced = [
        Graph.from_parts([body.inputs[place] for place in kept], found, name=body.name)
        for body, found in zip(bodies, outputs, strict=True)
    ]
    return [given[place] for place in kept], traced
