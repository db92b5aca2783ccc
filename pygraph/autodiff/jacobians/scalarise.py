"""Expressions of small arrays as expressions of single elements, so that a derivative sees which zeros there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from math import prod

import numpy as np
import numpy.typing as npt

from ...graph.construction import constant, make
from ...graph.node import DType, Node
from ...graph.source import attributed
from ...graph.traversal import walk
from ...graph.uniform import reshaped
from ...ops.arithmetic import add as ADD, multiply as MULTIPLY
from ...ops.indexing import take_row as TAKE
from ...ops.leaves import constant_row as CONSTANT
from ...ops.products import matmul_row as MATMUL
from ...ops.row import Shape
from ...ops.shaping import concatenate_row as CONCATENATE, slice_row as SLICE
from ..cost import flops_of

#: Arrays of more elements than this, and expressions of more operations on elements, are not taken apart.
LIMIT = 256

#: For each element of a value its position in `Parts.nodes`; 0 is a zero of the value's dtype.
Positions = npt.NDArray[np.int64]


def are_small(outputs: Sequence[Node], given: Sequence[Node]) -> bool:
    """Whether `Parts.take_apart` would not find too many elements or operations between `given` nodes and `outputs`."""
    size, dependent = 0, set(given)
    for node in walk(outputs):
        if node in dependent or dependent.isdisjoint(node.inputs):
            continue
        dependent.add(node)
        size += 0 if node.results is not None else flops_of(node)
        if size > LIMIT or node.results is not None or max(prod(x.shape) for x in node.inputs) > LIMIT:
            return False
    return all(prod(node.shape) <= LIMIT for node in outputs)


class Parts:
    """Elements as nodes without axes.

    Of axes that are lanes (the same is done to each index on its own) one index stands for all.

    Attributes:
        nodes: all of them; the first stands for zeros.
        size: operations on single elements that were made.
    """

    def __init__(
        self,
        read: Callable[[Node], Sequence[Node]] | None = None,
        inner: Callable[[Node], Shape] | None = None,
        limit: int | None = None,
    ) -> None:
        """Without arguments there are no lanes.

        Args:
            read: the elements of a node that depends on nothing given, in C order; by default read from it.
            inner: the shape of a node in which lanes have the size 1.
            limit: how many operations on single elements may be made, `LIMIT` by default.
        """
        self.nodes: list[Node] = [constant(0.0)]
        self.size = 0
        self._known: dict[Node, Positions] = {}
        self._read = elements_of if read is None else read
        self._inner = _shape if inner is None else inner
        self._limit = LIMIT if limit is None else limit

    def give(self, node: Node, parts: Sequence[Node]) -> None:
        """From now on the elements of `node` are `parts`, in C order."""
        self._known[node] = self._numbered(self._inner(node), parts)

    def take_apart(self, outputs: Sequence[Node], order: Iterable[Node] | None = None) -> bool:
        """Find the elements of `outputs` from what was given.

        Args:
            outputs: expressions.
            order: the operations to take apart, operands first; by default all that depend on what was given.

        Returns:
            False where there would be more than `LIMIT` of them, or too many operations, or where a row on the way
            cannot be taken apart. A sum runs from its first element to its last.
        """
        for node in walk(outputs) if order is None else order:
            if node in self._known or (order is None and self._known.keys().isdisjoint(node.inputs)):
                continue
            if node.results is not None or max(prod(self._inner(x)) for x in node.inputs) > LIMIT:
                return False
            self.size += flops_of(node) * prod(self._inner(node)) // max(prod(node.shape), 1)
            if self.size > self._limit:
                return False
            with attributed(node.line):
                positions = self._operation(node)
            if positions is None:
                return False
            self._known[node] = positions
        return all(prod(self._inner(node)) <= LIMIT for node in outputs)

    def of(self, node: Node) -> list[Node]:
        """The elements of a node in C order."""
        return [self._node(position, node.dtype) for position in self._positions(node).ravel().tolist()]

    def _node(self, position: int, dtype: DType) -> Node:
        return self.nodes[position] if position else constant(np.zeros((), dtype))

    def _numbered(self, shape: Shape, parts: Sequence[Node]) -> Positions:
        first = len(self.nodes)
        self.nodes.extend(parts)
        return np.arange(first, len(self.nodes)).reshape(shape)

    def _positions(self, node: Node) -> Positions:
        """Where the elements of `node` are; of one that depends on nothing given they are read from it."""
        if node not in self._known:
            self.give(node, self._read(node))
        return self._known[node]

    def _operation(self, node: Node) -> Positions | None:
        op = node.op
        if (op.moves and not op.casts and op.linear_in is None) or (op is TAKE and node.inputs[1].op is CONSTANT):
            assert op.reference is not None
            index = [x.attrs["value"].value for x in node.inputs[1:]] if op is TAKE else []
            moving = node.inputs[: len(node.inputs) - len(index)]
            attrs = {**node.attrs, "shape": self._inner(node)} if "shape" in node.attrs else node.attrs
            return np.asarray(op.reference(*map(self._positions, moving), *index, **attrs))
        if op.pointwise:
            operands = np.broadcast_arrays(*map(self._positions, node.inputs))
            return self._numbered(
                operands[0].shape,
                [
                    make(
                        op,
                        tuple(self._node(at, x.dtype) for at, x in zip(places, node.inputs, strict=True)),
                        node.attrs,
                    )
                    for places in zip(*(x.flat for x in operands), strict=True)
                ],
            )
        if op.sums:
            kept = [axis for axis in range(len(node.inputs[0].shape)) if axis not in node.attrs["axes"]]
            terms = self._positions(node.inputs[0]).transpose(*kept, *node.attrs["axes"])
            inner = self._inner(node)
            rows = terms.reshape(prod(inner), prod(terms.shape[len(kept) :]))
            sums = [self._sum([self._node(at, node.dtype) for at in row], node.dtype) for row in rows]
            return self._numbered(inner, sums)
        return self._product(node) if op is MATMUL else None

    def _sum(self, terms: Sequence[Node], dtype: DType) -> Node:
        if not terms:
            return self._node(0, dtype)
        return reduce(lambda total, term: make(ADD, (total, term), {}), terms)

    def _product(self, node: Node) -> Positions:
        x, y = map(self._positions, node.inputs)
        x = np.swapaxes(x, -1, -2) if node.attrs["transpose_a"] else x
        y = np.swapaxes(y, -1, -2) if node.attrs["transpose_b"] else y
        terms = np.broadcast_arrays(x[..., :, None, :], np.swapaxes(y, -1, -2)[..., None, :, :])
        inner = self._inner(node)
        rows = [places.reshape(prod(inner), places.shape[-1]) for places in terms]
        parts = []
        for row in zip(*rows, strict=True):
            pairs = [(self._node(i, node.dtype), self._node(j, node.dtype)) for i, j in zip(*row, strict=True)]
            parts.append(self._sum([make(MULTIPLY, pair, {}) for pair in pairs], node.dtype))
        return self._numbered(inner, parts)


def _shape(node: Node) -> Shape:
    return node.shape


def elements_of(node: Node) -> list[Node]:
    """The elements of a node in C order, read from it."""
    if not node.shape:
        return [node]
    ones = (1,) * len(node.shape)
    return [
        reshaped(make(SLICE, (node,), {"starts": tuple(map(int, index)), "steps": ones, "shape": ones}), ())
        for index in np.ndindex(node.shape)
    ]


def assembled(parts: Sequence[Node | None], shape: Shape, dtype: DType) -> Node:
    """The array of `shape` that has the elements `parts` in C order; None is zero."""
    zero = constant(np.zeros((), dtype))
    flat = [reshaped(zero if part is None else part, (1,)) for part in parts]
    return reshaped(make(CONCATENATE, tuple(flat), {"axis": 0}) if len(flat) != 1 else flat[0], shape)
