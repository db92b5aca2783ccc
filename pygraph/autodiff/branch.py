"""The derivatives of `branch`: a branch of the same index, whose bodies are the derivatives of its bodies.

The reverse branch computes again what it needs of the primal body: nothing is kept for it but the operands. That is
also what `pg.checkpoint` promises: it is a branch of one body, which is marked to stay one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.build import make
from ..graph.graph import Graph
from ..graph.node import Node
from ..ops.control import bind_rules
from ..ops.dtypes import is_float
from .forward import jvp
from .loops import BRANCH, OUTPUT, Names
from .reverse import vjp
from .unbroadcast import full


def branch_jvp(node: Node, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a branch's results."""
    bodies: Sequence[Graph] = node.attrs["bodies"]
    given = [t if is_float(x.dtype) else None for x, t in zip(node.inputs[1:], tangents[1:], strict=True)]
    operands = [t for t in given if t is not None]
    inputs, derived = [], []
    for body in bodies:
        names = Names(body.inputs)
        slots = [
            None if t is None else names.like(x, f"d_{x.attrs['name']}")
            for x, t in zip(body.inputs, given, strict=True)
        ]
        inputs.append((*body.inputs, *(slot for slot in slots if slot is not None)))
        derived.append(jvp(body.outputs, body.inputs, slots))
    return _chosen(node, operands, inputs, derived, [body.outputs for body in bodies], "jvp")


def branch_vjp(node: Node, cotangents: Sequence[Node | None]) -> list[Node | None]:
    """The cotangents of a branch's operands."""
    bodies: Sequence[Graph] = node.attrs["bodies"]
    operands = [ct for ct in cotangents if ct is not None]
    inputs, derived = [], []
    for body in bodies:
        names = Names(body.inputs)
        slots = [
            None if ct is None else names.like(y, f"c_{k}")
            for k, (y, ct) in enumerate(zip(body.outputs, cotangents, strict=True))
        ]
        inputs.append((*body.inputs, *(slot for slot in slots if slot is not None)))
        derived.append(vjp(body.outputs, body.inputs, slots))
    found = _chosen(node, operands, inputs, derived, [body.inputs for body in bodies], "vjp")
    return [None, *found]


def _chosen(
    node: Node,
    operands: Sequence[Node],
    inputs: Sequence[tuple[Node, ...]],
    derived: Sequence[Sequence[Node | None]],
    primals: Sequence[Sequence[Node]],
    suffix: str,
) -> list[Node | None]:
    """A branch with the index of `node` over bodies that give `derived`; None where no body gives anything."""
    places = [k for k in range(len(primals[0])) if any(found[k] is not None for found in derived)]
    results: list[Node | None] = [None] * len(primals[0])
    if not places:
        return results
    bodies = []
    for body, slots, found, primal in zip(node.attrs["bodies"], inputs, derived, primals, strict=True):
        outputs = []
        for k in places:
            derivative = found[k]
            outputs.append(full(0, primal[k].shape, primal[k].dtype) if derivative is None else derivative)
        bodies.append(Graph.from_parts(slots, outputs, name=f"{body.name}_{suffix}"))
    made = make(BRANCH, (*node.inputs, *operands), {**node.attrs, "bodies": tuple(bodies)})
    for index, k in enumerate(places):
        results[k] = make(OUTPUT, (made,), {"index": index})
    return results


bind_rules("branch", branch_jvp, branch_vjp)
