"""Views: how the elements of reshaped, transposed, broadcast and sliced values are found in memory.

A view moves no data. Its consumers read through (base, offset, strides), in elements; only where memory must be
contiguous, or where a reshape cannot be expressed with strides, is a copy made.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..graph.node import Node

VIEW_OPS = frozenset({"reshape", "transpose", "broadcast_to", "slice"})


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


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of a C-contiguous array."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def batch_strides(shape: Sequence[int], core: int, rank: int) -> list[int]:
    """Strides, in elements, of all but the last `core` axes of a C-contiguous array, broadcast to `rank` axes."""
    sizes = shape[: len(shape) - core]
    strides = row_major(shape)[: len(sizes)]
    return [0] * (rank - len(sizes)) + [0 if n == 1 else s for n, s in zip(sizes, strides, strict=True)]


def reshape_strides(shape: Sequence[int], strides: Sequence[int], new_shape: Sequence[int]) -> tuple[int, ...] | None:
    """Strides that show the same elements in `new_shape`, or None where only a copy can."""
    if prod(shape) == 0:
        return row_major(new_shape)
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result: list[int] = []
    i = 0
    new = list(new_shape)
    j = 0
    while j < len(new):
        if new[j] == 1:
            result.append(0)
            j += 1
            continue
        # Take the shortest runs of old and new axes that hold the same number of elements.
        old_size, old_from = old[i][0], i
        new_size, new_from = new[j], j
        while old_size != new_size:
            if old_size < new_size:
                i += 1
                old_size *= old[i][0]
            else:
                j += 1
                new_size *= new[j]
        for k in range(old_from, i):
            if old[k][1] != old[k + 1][1] * old[k + 1][0]:
                return None
        run = []
        step = old[i][1]
        for size in reversed(new[new_from : j + 1]):
            run.append(step)
            step *= size
        result.extend(reversed(run))
        i += 1
        j += 1
    return tuple(result)


def broadcast_strides(access: Access, shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of `access` seen through NumPy broadcasting to `shape`."""
    lead = len(shape) - len(access.shape)
    return (0,) * lead + tuple(
        0 if size == 1 else stride for size, stride in zip(access.shape, access.strides, strict=True)
    )


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
        while node not in known and node.op.name in VIEW_OPS:
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
    attrs = view.attrs
    match view.op.name:
        case "transpose":
            strides: tuple[int, ...] | None = tuple(operand.strides[axis] for axis in attrs["axes"])
            offset = operand.offset
        case "broadcast_to":
            strides, offset = broadcast_strides(operand, view.shape), operand.offset
        case "slice":
            strides = tuple(s * step for s, step in zip(operand.strides, attrs["steps"], strict=True))
            offset = operand.offset + sum(s * start for s, start in zip(operand.strides, attrs["starts"], strict=True))
        case _:
            strides, offset = reshape_strides(operand.shape, operand.strides, view.shape), operand.offset
    if strides is None:
        return Access(view, 0, view.shape, row_major(view.shape))
    if prod(view.shape) == 0:
        offset = 0
    return Access(operand.base, offset, view.shape, strides)
