"""Views: how the elements of reshaped, transposed, broadcast and sliced values, and of counts, are found.

A view moves no data. Its consumers read through (base, offset, strides), in elements; only where memory must be
contiguous, or where a reshape cannot be expressed with strides, is a copy made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..graph.construction import make
from ..graph.node import Node
from ..ops.leaves import constant_row as CONSTANT, iota_row as IOTA
from ..ops.limits import MAX_ELEMENTS
from ..ops.strides import row_major


@cache
def counter(dtype: np.dtype[Any]) -> Node:
    """The base of all counts of a dtype, whose element i is i, for any int i."""
    return make(IOTA, (), {"size": MAX_ELEMENTS, "start": 0, "step": 1, "dtype": dtype})


def is_counter(base: Node) -> bool:
    """Whether a base is that of counts."""
    return base.op is IOTA and base is counter(base.dtype)


def is_known(base: Node) -> bool:
    """Whether a base is there before anything runs: a constant or counts."""
    return base.op is CONSTANT or is_counter(base)


class Access(NamedTuple):
    """Element (i, j, …) of a value lies at base[offset + i*strides[0] + j*strides[1] + …]."""

    base: Node
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after another in C order."""
        if 0 in self.shape:
            return True
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1:
                if stride != expected:
                    return False
                expected *= size
        return True


def batch_strides(shape: Sequence[int], core: int, rank: int) -> list[int]:
    """Strides, in elements, of all but the last `core` axes of a C-contiguous array, broadcast to `rank` axes."""
    if rank == 0:
        return []
    sizes = shape[: len(shape) - core]
    strides = row_major(shape)[: len(sizes)]
    return [0] * (rank - len(sizes)) + [0 if n == 1 else s for n, s in zip(sizes, strides, strict=True)]


class Views:
    """Resolves nodes to accesses, remembering which views have been given memory of their own."""

    def __init__(self) -> None:
        self._known: dict[Node, Access] = {}

    def materialise(self, node: Node) -> None:
        """From now on `node` is its own base: a copy of it exists."""
        self._known[node] = Access(node, 0, node.shape, row_major(node.shape))

    def forget(self, node: Node) -> None:
        """Resolve `node` a second time, because its operand has been given memory of its own."""
        del self._known[node]

    def resolve(self, node: Node) -> Access:
        """Where the elements of `node` are; the base is a node that is not a (strided) view."""
        known = self._known
        found = known.get(node)
        if found is not None:
            return found
        chain = []
        while node not in known and node.op.view is not None and not is_counter(node):
            chain.append(node)
            node = node.inputs[0] if node.inputs else counter(node.dtype)
        access = known.get(node)
        if access is None:
            access = known[node] = Access(node, 0, node.shape, row_major(node.shape))
        for view in reversed(chain):
            access = known[view] = _through(view, access)
        return access


def _through(view: Node, operand: Access) -> Access:
    """The access of a view node, given that of its operand; its own base where strides cannot express it."""
    rule = view.op.view
    assert rule is not None
    seen = rule(operand, view.shape, view.attrs)
    if seen is None:
        return Access(view, 0, view.shape, row_major(view.shape))
    offset, strides = seen
    return Access(operand.base, offset if prod(view.shape) else 0, view.shape, strides)
