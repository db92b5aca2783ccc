"""Estimates of what evaluating expressions costs, in operations and in bytes, before anything is lowered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from ..graph.graph import bodies_of
from ..graph.node import Node
from ..graph.traversal import depends_on, walk
from ..ops.leaves import output_row as OUTPUT
from ..ops.row import Family

#: What beginning a step of a loop costs, in operations on single elements: many short steps take longer than few long
#: ones that do as much.
STEP = 200


def flops(outputs: Iterable[Node]) -> int:
    """Operations on single elements that `outputs` take, loops counted by their length.

    An element made by a pointwise operation counts 1, one that enters a reduction 1, one term of a matrix product 2,
    one that is written by a rearrangement 1; views are free.

    Example:
        >>> x = pg.var("x", (10,))
        >>> flops([np.sum(x * x)])
        20
    """
    return sum(flops_of(node) for node in walk(outputs))


def price(outputs: Iterable[Node]) -> int:
    """The estimated cost of `outputs`, for comparison: `flops`, and `STEP` for each step of a loop.

    Example:
        >>> x = pg.var("x", (10,))
        >>> price([pg.scan(lambda c, v: (c * v, None), 1.0, x)[0]])
        2010
    """
    return sum(_count(node, STEP) for node in walk(outputs))


def flops_of(node: Node) -> int:
    """What one node counts, without its operands; a loop or a branch with its bodies."""
    return _count(node, 0)


def _count(node: Node, step: int) -> int:
    op = node.op
    if op.family is Family.LEAF or op.view is not None:
        return 0
    if op.flops is not None:
        return op.flops(node)
    bodies = [sum(_count(x, step) for x in body.nodes) for body in bodies_of(node)]
    if bodies:
        return int(node.attrs.get("length", 1)) * (sum(bodies) + step) if op.loop else max(bodies)
    if node.results is not None:
        return 0
    return prod((node.inputs[0] if op.combiner else node).shape)


def peak_bytes(outputs: Sequence[Node], inputs: Sequence[Node]) -> int:
    """The most memory that values which depend on `inputs` take at one time, `inputs` and `outputs` among them.

    Nodes are taken in the order of the graph, each alive until its last use; fusion can only make it less.

    Example:
        >>> x = pg.var("x", (10,))
        >>> peak_bytes([np.sum(np.sin(x))], [x])
        160
    """
    moving = depends_on(outputs, inputs).union(inputs)
    order = [node for node in walk([*inputs, *outputs]) if node in moving]
    last: dict[Node, int] = {}
    for step, node in enumerate(order):
        last[node] = step
        for operand in node.inputs:
            if operand in last:
                last[operand] = step
    for node in outputs:
        if node in last:
            last[node] = len(order)
    ends: dict[int, int] = {}
    alive = peak = 0
    for step, node in enumerate(order):
        size = _bytes(node)
        alive += size
        ends[last[node]] = ends.get(last[node], 0) + size
        peak = max(peak, alive + _inside(node))
        alive -= ends.pop(step, 0)
    return peak


def _bytes(node: Node) -> int:
    if node.op.view is not None or node.op is OUTPUT:
        return 0
    return sum(prod(shape) * dtype.itemsize for shape, dtype in node.results or ((node.shape, node.dtype),))


def _inside(node: Node) -> int:
    """What the bodies of a loop or a branch take while it runs."""
    return max((peak_bytes(body.outputs, body.inputs) for body in bodies_of(node)), default=0)
