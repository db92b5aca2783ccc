"""Stacks, which hold a value for each step of a loop that counts its steps at run time, as arrays with a first axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..graph.node import Node
from ..graph.reference import Value
from ..ops.control import Stack

Array = npt.NDArray[Any]


def as_array(value: Value, node: Node) -> Array:
    """The value of `node` as an array: of a stack one slice for each step."""
    if isinstance(value, Stack):
        return np.array(value, node.dtype).reshape(len(value), *node.shape)
    assert isinstance(value, np.ndarray), "several results where one belongs"
    return value


def like(array: Array, value: Value) -> Array | Stack:
    """A derivative of something with this value as evaluating an expression takes it: of a stack a stack."""
    return Stack(np.asarray(x) for x in array) if isinstance(value, Stack) else array
