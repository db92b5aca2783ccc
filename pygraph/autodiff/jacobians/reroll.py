"""Results that are computed alike, one after another: the loop that was unrolled in Python is recovered."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from math import prod

from ...graph.node import Node
from ...graph.traversal import walk
from ...ops.leaves import constant_row as CONSTANT

#: From how many equal computations on they are one computation along a new axis, of results of how many elements.
INSTANCES, SIZE = 4, 256
#: How many times the operations that there are may belong to several of the computations, all counted.
OVERLAP = 4


def alike(
    results: Sequence[Node], computed: Collection[Node], chosen: Collection[Node], told_apart: Mapping[Node, Hashable]
) -> list[list[dict[Node, Node]]]:
    """The results that the same operations give, of other operands, in groups.

    Args:
        results: expressions.
        computed: the operations that belong to them.
        chosen: operands that are elements of the variables; others that are not computed are data.
        told_apart: what else has to be equal for each result.

    Returns:
        Groups of at least `INSTANCES` results: for each result its nodes, by those of the first one of its group, the
        result itself last. Nothing where they share so much that they are no separate computations.
    """
    groups: dict[Hashable, list[list[Node]]] = {}
    left = OVERLAP * (len(computed) + len(results))
    for result in results:
        if prod(result.shape) > SIZE or result in chosen:
            continue
        order = walk([result], operands=lambda node: node.inputs if node in computed else ())
        numbers: dict[Node, int] = {}
        text: list[Hashable] = [told_apart[result]]
        for node in order:
            if node in computed:
                text.append((node.op, tuple(sorted(node.attrs.items())), *(numbers[x] for x in node.inputs)))
            else:
                own = node if node.op is CONSTANT and not node.shape else node in chosen
                text.append((own, node.shape, node.dtype))
            numbers[node] = len(numbers)
        left -= len(order)
        if left < 0:
            return []
        groups.setdefault(tuple(text), []).append(order)
    return [
        [dict(zip(orders[0], order, strict=True)) for order in orders]
        for orders in groups.values()
        if len(orders) >= INSTANCES
    ]
