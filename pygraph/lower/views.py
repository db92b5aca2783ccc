"""Views: how the elements of reshaped, transposed, broadcast and sliced values are found in memory.

A view moves no data. Its consumers read through (base, offset, strides), in elements; only where memory must be
contiguous, or where a reshape cannot be expressed with strides, is a copy made.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..ops.strides import row_major

if TYPE_CHECKING:
    from ..graph.node import Node


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
        """Resolve `node` anew, because its operand has been given memory of its own."""
        del self._known[node]

    def resolve(self, node: Node) -> Access:
        """Where the elements of `node` are; the base is a node that is not a (strided) view."""
        chain = []
        known = self._known
        while node not in known and node.op.view is not None:
            chain.append(node)
            node = node.inputs[0]
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
