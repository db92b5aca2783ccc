"""What the rules share: recognising arrays of one value, and short ways to build small nodes."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from ..graph.construction import make
from ..graph.node import Node
from ..ops.arithmetic import negative as NEGATIVE
from ..ops.comparison import convert as CONVERT
from ..ops.dtypes import KINDS
from ..ops.row import DType


def same(first: Sequence[Node], second: Sequence[Node]) -> bool:
    """Whether two sequences hold the same nodes. (`==` between nodes records a comparison.)"""
    return len(first) == len(second) and all(map(operator.is_, first, second))


def kind(node: Node) -> str:
    """The kind letter of the node's dtype: f, i or b."""
    return KINDS[node.dtype]


def negative(x: Node) -> Node:
    """-x."""
    return make(NEGATIVE, (x,), {})


def converted(x: Node, dtype: DType) -> Node:
    """`x` in another dtype."""
    return x if x.dtype == dtype else make(CONVERT, (x,), {"dtype": dtype})
