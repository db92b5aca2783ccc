"""Walks over graphs: one search, which does not recurse. It reads nodes and makes none."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .node import Node

__all__ = ["depends_on", "walk"]


def walk(
    outputs: Iterable[Node],
    *,
    stops: Container[Node] = frozenset(),
    operands: Callable[[Node], Sequence[Node]] | None = None,
) -> list[Node]:
    """All nodes that `outputs` depend on, and themselves: operands first, in an order fixed by the structure.

    It is the order in which a depth-first search leaves them that takes outputs and operands from first to last.

    Args:
        stops: nodes at which the walk ends: neither they nor what only they depend on is given.
        operands: what the walk goes on to from a node, in this order; by default its operands. It is called once for
            each node. Where that leads round in a circle, some node comes before one of its own.

    Example:
        >>> x = pg.var("x")
        >>> walk([np.sin(x) * x])
        [<x : float64>, <sin : float64>, <multiply : float64>]
    """
    order: list[Node] = []
    seen: set[Node] = set()
    path: list[tuple[Node, Iterable[Node]]] = []
    for output in outputs:
        if output in seen or output in stops:
            continue
        seen.add(output)
        node, left = output, iter(output.inputs if operands is None else operands(output))
        while True:
            for x in left:
                if x in seen:
                    continue
                seen.add(x)
                if x in stops:
                    continue
                below = x.inputs if operands is None else operands(x)
                if below:
                    path.append((node, left))
                    node, left = x, iter(below)
                    break
                order.append(x)
            else:
                order.append(node)
                if not path:
                    break
                node, left = path.pop()  # type: ignore[assignment]
    return order


def depends_on(outputs: Iterable[Node], variables: Iterable[Node]) -> set[Node]:
    """Of the nodes that `outputs` are made of, those that depend on one of `variables`, which are among them."""
    dependent = set(variables)
    reached: set[Node] = set()
    for node in walk(outputs):
        if node in dependent or not dependent.isdisjoint(node.inputs):
            dependent.add(node)
            reached.add(node)
    return reached
