"""What the rules share: recognising arrays of one value, and short ways to build small nodes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph.construction import constant, make
from ..graph.node import Node
from ..ops.arithmetic import negative as NEGATIVE
from ..ops.comparison import convert as CONVERT
from ..ops.dtypes import KINDS
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import DType, Shape
from ..ops.shaping import broadcast_to_row as BROADCAST_TO, reshape_row as RESHAPE


def same(first: Sequence[Node], second: Sequence[Node]) -> bool:
    """Whether two sequences hold the same nodes. (`==` between nodes records a comparison.)"""
    return len(first) == len(second) and all(map(operator.is_, first, second))


def value_of(node: Node) -> Any:
    """The one value that all elements of a constant have, as a NumPy scalar; None where that is not plain to see."""
    while node.op is BROADCAST_TO or node.op is RESHAPE:
        node = node.inputs[0]
    if node.op is CONSTANT:
        array = node.attrs["value"].value
        if array.size == 1:
            return array.reshape(())[()]
    return None


def kind(node: Node) -> str:
    """The kind letter of the node's dtype: f, i or b."""
    return KINDS[node.dtype]


def is_value(node: Node, wanted: Callable[[Any], bool]) -> bool:
    """Whether `node` is an array of one value for which `wanted` holds."""
    value = value_of(node)
    return value is not None and bool(wanted(value))


def spread(x: Node, shape: Shape) -> Node:
    """`x` broadcast to `shape`."""
    return x if x.shape == shape else make(BROADCAST_TO, (x,), {"shape": shape})


def reshaped(x: Node, shape: Shape) -> Node:
    """`x` reshaped to `shape`."""
    return x if x.shape == shape else make(RESHAPE, (x,), {"shape": shape})


def full(value: Any, shape: Shape, dtype: DType) -> Node:
    """An array of one value, held as a broadcast 0-d constant."""
    return spread(constant(np.asarray(value, dtype)), shape)


def negative(x: Node) -> Node:
    """-x."""
    return make(NEGATIVE, (x,), {})


def converted(x: Node, dtype: DType) -> Node:
    """`x` in another dtype."""
    return x if x.dtype == dtype else make(CONVERT, (x,), {"dtype": dtype})
