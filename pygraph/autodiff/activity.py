"""Which nodes a derivative has to visit: those that lie between the outputs and the variables."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence, Set as AbstractSet

from ..graph.construction import definition_of
from ..graph.node import Node
from ..graph.traversal import walk
from ..ops.dtypes import is_float
from ..ops.leaves import given_row as GIVEN
from ..ops.row import Family


def carries(node: Node) -> bool:
    """Whether `node` may carry a derivative: it is floating, or it has several results, each of which decides."""
    return node.results is not None or is_float(node.dtype)


class _Either:
    """What is in one of two sets, of which one may be large."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: Container[Node], second: Container[Node]) -> None:
        self._first, self._second = first, second

    def __contains__(self, node: object) -> bool:
        return node in self._first or node in self._second


class Activity:
    """The part of a graph that a derivative of `outputs` with respect to `wrt` runs through.

    Nodes of `wrt` are independent variables: nothing flows past one of them. An operation that is given by a definition
    and has no partials is seen through: it has its expansion as its one operand. Nor does it reach behind `beyond`,
    nodes that are known not to depend on `wrt`.

    Attributes:
        order: the nodes that depend on `wrt` through floating values, operands first; `wrt` itself is left out.
        active: the same nodes as a set, with the floating ones of `wrt`.
        expansion: the definition's root for each node of `order` that is seen through.
    """

    __slots__ = ("active", "expansion", "order")

    def __init__(self, outputs: Iterable[Node], wrt: Iterable[Node], beyond: AbstractSet[Node] = frozenset()) -> None:
        self.order: list[Node] = []
        self.expansion: dict[Node, Node] = {}
        stops = set(wrt)
        self.active: set[Node] = {node for node in stops if carries(node)}
        for node in walk(outputs, stops=_Either(stops, beyond) if beyond else stops, operands=self._last_first):
            if not node.op.nondiff and carries(node) and not self.active.isdisjoint(self.operands(node)):
                self.active.add(node)
                self.order.append(node)

    def _last_first(self, node: Node) -> Sequence[Node]:
        """Where the walk goes on: it decides in which order the shares of a cotangent are added."""
        op = node.op
        if op.define is not None and not op.partials and op.family is Family.ELEMENTWISE:
            self.expansion[node] = definition_of(node, node.inputs)
        return self.operands(node)[::-1]

    def operands(self, node: Node) -> Sequence[Node]:
        """What the derivative of `node` is taken with respect to: its operands, or its expansion.

        Of a node with a derivative given for it, the values themselves are none of it.
        """
        if node.op is GIVEN:
            return node.inputs[: node.attrs["n_primals"]]
        expansion = self.expansion.get(node)
        return node.inputs if expansion is None else (expansion,)
