"""Arrays of one value, and values fitted to a shape: how they are made, and recognised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import DType, Shape
from ..ops.shaping import broadcast_to_row as BROADCAST_TO, reshape_row as RESHAPE
from .construction import constant, make
from .node import Node


def spread(x: Node, shape: Shape) -> Node:
    """`x` broadcast to `shape` by NumPy's rule; `x` itself when it has that shape already."""
    return x if x.shape == shape else make(BROADCAST_TO, (x,), {"shape": shape})


def reshaped(x: Node, shape: Shape) -> Node:
    """`x` in `shape`; `x` itself when it has that shape already."""
    return x if x.shape == shape else make(RESHAPE, (x,), {"shape": shape})


def full(value: Any, shape: Shape, dtype: DType) -> Node:
    """An array of one value, held as a broadcast 0-d constant."""
    return spread(constant(np.asarray(value, dtype)), shape)


def shown_by(node: Node) -> Node:
    """What `node` shows all elements of, in places of its own; `node` itself where it is no such view."""
    while node.op.whole_view:
        node = node.inputs[0]
    return node


def value_of(node: Node) -> Any:
    """The one value that all elements of a constant have, as a NumPy scalar; None where that is not plain to see."""
    node = shown_by(node)
    if node.op is CONSTANT:
        array = node.attrs["value"].value
        if array.size == 1:
            return array.reshape(())[()]
    return None


def is_value(node: Node, wanted: Callable[[Any], bool]) -> bool:
    """Whether `node` is an array of one value for which `wanted` holds."""
    value = value_of(node)
    return value is not None and bool(wanted(value))
