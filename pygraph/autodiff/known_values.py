"""Values that a graph already fixes when it is recorded: what is made of constants alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..graph.node import Node
from .forward import OUTPUT


class Known:
    """The values of nodes that depend on constants alone, by the rows' definitions in NumPy."""

    def __init__(self, varying: Iterable[Node]) -> None:
        """`varying` nodes are taken as unknown, whatever they are made of."""
        self._values: dict[Node, Any] = {}
        self._fixed: dict[Node, bool] = dict.fromkeys(varying, False)

    def has(self, node: Node) -> bool:
        """Whether `node` is made of constants alone, by rows that have a definition in NumPy."""
        stack = [node]
        while stack:
            part = stack[-1]
            if part in self._fixed:
                stack.pop()
            elif part.op.name in ("constant", "input"):
                self._fixed[part] = part.op.name == "constant"
            elif part.results is not None or part.op is OUTPUT or not (part.op.reference or part.op.define):
                self._fixed[part] = False
            elif open_ := [x for x in part.inputs if x not in self._fixed]:
                stack += open_
            else:
                self._fixed[part] = all(self._fixed[x] for x in part.inputs)
        return self._fixed[node]

    def value(self, node: Node) -> Any:
        """The value of a node for which `has` holds."""
        stack = [node]
        with np.errstate(all="ignore"):
            while stack:
                part = stack[-1]
                if part in self._values:
                    stack.pop()
                elif part.op.name == "constant":
                    self._values[part] = part.attrs["value"].value
                elif open_ := [x for x in part.inputs if x not in self._values]:
                    stack += open_
                else:
                    compute = part.op.reference or part.op.define
                    assert compute is not None
                    self._values[part] = np.asarray(compute(*(self._values[x] for x in part.inputs), **part.attrs))
        return self._values[node]

    def is_zero(self, node: Node) -> bool:
        """Whether a node is known to be 0 everywhere."""
        return self.has(node) and not np.any(self.value(node))
