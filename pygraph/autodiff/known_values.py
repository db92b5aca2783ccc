"""Values that a graph already fixes when it is recorded: what is made of constants alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..graph.node import Node
from ..graph.traversal import walk
from ..ops.leaves import constant_row as CONSTANT, output_row as OUTPUT


class Known:
    """The values of nodes that depend on constants alone, by the rows' definitions in NumPy."""

    def __init__(self, varying: Iterable[Node]) -> None:
        """`varying` nodes are taken as unknown, whatever they are made of."""
        self._values: dict[Node, Any] = {}
        self._fixed: dict[Node, bool] = dict.fromkeys(varying, False)

    def has(self, node: Node) -> bool:
        """Whether `node` is made of constants alone, by rows that have a definition in NumPy."""
        if node not in self._fixed:
            for part in walk([node], stops=self._fixed, operands=lambda x: x.inputs if _has_definition(x) else ()):
                self._fixed[part] = part.op is CONSTANT or (
                    _has_definition(part) and all(self._fixed[x] for x in part.inputs)
                )
        return self._fixed[node]

    def value(self, node: Node) -> Any:
        """The value of a node for which `has` holds."""
        if node not in self._values:
            with np.errstate(all="ignore"):
                for part in walk([node], stops=self._values):
                    self._values[part] = self._computed(part)
        return self._values[node]

    def _computed(self, node: Node) -> Any:
        if node.op is CONSTANT:
            return node.attrs["value"].value
        compute = node.op.reference or node.op.define
        assert compute is not None
        return np.asarray(compute(*(self._values[x] for x in node.inputs), **node.attrs))

    def is_zero(self, node: Node) -> bool:
        """Whether a node is known to be 0 everywhere."""
        return self.has(node) and not np.any(self.value(node))


def _has_definition(node: Node) -> bool:
    """Whether a row defines the one result of `node` in NumPy, as a function of its operands."""
    op = node.op
    return node.results is None and op is not OUTPUT and bool(op.reference or op.define)
