"""Axes along which expressions do the same to each index on its own: the lanes of a function that is a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from ...graph.node import Node
from ...ops.indexing import take_row as TAKE
from ...ops.products import matmul_row as MATMUL
from ...ops.row import Shape
from ...ops.shaping import (
    concatenate_row as CONCATENATE,
    reshape_row as RESHAPE,
    slice_row as SLICE,
    transpose_row as TRANSPOSE,
    unslice_row as UNSLICE,
)
from ..known_values import Known


class Lanes:
    """Which axes of some nodes are lanes: equal ones have one number, in all nodes.

    Two axes are one lane where an operation pairs their indices, element by element. An axis along which an operation
    mixes indices, or picks some, is not a lane; nor is one of size 1.
    """

    def __init__(self, nodes: Sequence[Node], known: Known) -> None:
        """`nodes` are the operations to go through, operands first; their operands have lanes too."""
        self._values = known
        self._axes: dict[Node, list[int]] = {}
        self._parent: list[int] = []
        self._mixed: set[int] = set()
        self.known = all(self._link(node) for node in nodes)
        self._part_doubled()

    def of(self, node: Node) -> tuple[int | None, ...]:
        """For each axis of a node the number of its lane; None where it is none."""
        if node not in self._axes:
            return (None,) * len(node.shape)
        roots = [self._root(axis) for axis in self._axes[node]]
        return tuple(
            None if size == 1 or root in self._mixed else root for size, root in zip(node.shape, roots, strict=True)
        )

    def _root(self, axis: int) -> int:
        while self._parent[axis] != axis:
            self._parent[axis] = self._parent[self._parent[axis]]
            axis = self._parent[axis]
        return axis

    def _of(self, node: Node) -> list[int]:
        if node not in self._axes:
            first = len(self._parent)
            self._axes[node] = list(range(first, first + len(node.shape)))
            self._parent += self._axes[node]
        return self._axes[node]

    def _pair(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        if one == other:
            return
        self._parent[one] = other
        if one in self._mixed:
            self._mixed.add(other)

    def _mix(self, axis: int) -> None:
        self._mixed.add(self._root(axis))

    def _part_doubled(self) -> None:
        """A node two axes of which are one lane, as A + A.T, has none along them."""
        for axes in self._axes.values():
            roots = [self._root(axis) for axis in axes]
            for root in set(roots):
                if roots.count(root) > 1:
                    self._mixed.add(root)

    def _link(self, node: Node) -> bool:
        """Pair the axes of a node with those of its operands; False for an operation of which nothing is known."""
        op = node.op
        if op.pointwise or op.repeats:
            for operand in node.inputs:
                self._broadcast(operand, node)
        elif op.combiner:
            self._reduced(node, node.attrs["axes"])
        elif op in _LINKS:
            _LINKS[op](self, node)
        else:
            return False
        return True

    def _broadcast(self, operand: Node, node: Node) -> None:
        lead = len(node.shape) - len(operand.shape)
        mine, theirs = self._of(node)[lead:], self._of(operand)
        for one, other, size in zip(mine, theirs, operand.shape, strict=True):
            if size != 1:
                self._pair(one, other)

    def _reduced(self, node: Node, axes: Sequence[int]) -> None:
        theirs = self._of(node.inputs[0])
        kept = [axis for i, axis in enumerate(theirs) if i not in axes]
        for one, other in zip(self._of(node), kept, strict=True):
            self._pair(one, other)
        for i in axes:
            self._mix(theirs[i])

    def _reshaped(self, node: Node) -> None:
        mine, theirs = self._of(node), self._of(node.inputs[0])
        for group, source in _groups(node.shape, node.inputs[0].shape):
            if len(group) == len(source) == 1:
                self._pair(mine[group[0]], theirs[source[0]])
            else:
                for axis in [*(mine[i] for i in group), *(theirs[i] for i in source)]:
                    self._mix(axis)

    def _transposed(self, node: Node) -> None:
        theirs = self._of(node.inputs[0])
        for axis, source in zip(self._of(node), node.attrs["axes"], strict=True):
            self._pair(axis, theirs[source])

    def _placed(self, node: Node) -> None:
        """Of slices: whole axes stay; one of which a part is taken is not a lane, and neither is the part."""
        (operand,) = node.inputs
        steps = node.attrs["steps"]
        for i, (one, other) in enumerate(zip(self._of(node), self._of(operand), strict=True)):
            if node.shape[i] == operand.shape[i] and steps[i] == 1:
                self._pair(one, other)
            else:
                self._mix(one)
                self._mix(other)

    def _joined(self, node: Node) -> None:
        for operand in node.inputs:
            for i, (one, other) in enumerate(zip(self._of(node), self._of(operand), strict=True)):
                if i == node.attrs["axis"]:
                    self._mix(one)
                    self._mix(other)
                else:
                    self._pair(one, other)

    def _taken(self, node: Node) -> None:
        x, index = node.inputs
        axis = node.attrs["axis"]
        mine, theirs = self._of(node), self._of(x)
        width = len(index.shape)
        for one, other in zip(
            (*mine[:axis], *mine[axis + width :]), (*theirs[:axis], *theirs[axis + 1 :]), strict=True
        ):
            self._pair(one, other)
        for one in (*mine[axis : axis + width], theirs[axis], *self._of(index)):
            self._mix(one)

    def _product(self, node: Node) -> None:
        mine = self._of(node)
        for i, name in enumerate(("transpose_a", "transpose_b")):
            operand = node.inputs[i]
            theirs = self._of(operand)
            *lead, row, column = theirs
            if node.attrs[name] != bool(i):  # the summed axis last
                row, column = column, row
            self._mix(column)
            self._pair(mine[-2 + i], row)
            if self._values.has(operand) and not np.all(self._values.value(operand)):
                self._mix(row)  # which terms a row has is part of the structure
            batch = mine[: len(mine) - 2]
            sizes = operand.shape[: len(lead)]
            for one, other, size in zip(batch[len(batch) - len(lead) :], lead, sizes, strict=True):
                if size != 1:
                    self._pair(one, other)


_LINKS: dict[object, Callable[[Lanes, Node], None]] = {
    CONCATENATE: Lanes._joined,
    MATMUL: Lanes._product,
    RESHAPE: Lanes._reshaped,
    SLICE: Lanes._placed,
    TAKE: Lanes._taken,
    TRANSPOSE: Lanes._transposed,
    UNSLICE: Lanes._placed,
}


def _groups(shape: Shape, source: Shape) -> list[tuple[list[int], list[int]]]:
    """The axes of two shapes with equally many elements in the shortest runs that hold equally many."""
    if not prod(shape):
        return [(list(range(len(shape))), list(range(len(source))))]
    result: list[tuple[list[int], list[int]]] = []
    left = [i for i, size in enumerate(shape) if size != 1]
    right = [i for i, size in enumerate(source) if size != 1]
    while left:
        mine, theirs = [left.pop(0)], [right.pop(0)]
        while (count := prod(shape[i] for i in mine)) != (other := prod(source[i] for i in theirs)):
            if count < other:
                mine.append(left.pop(0))
            else:
                theirs.append(right.pop(0))
        result.append((mine, theirs))
    return result
