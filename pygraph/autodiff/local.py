"""Sparse Jacobians of what does the same small computation many times, from the entries of that computation.

A residual for each observation, element or grid point reads few of the variables: f(x) = R · g(S · x), where S picks
elements, g does the same for each lane, and R puts the results in their rows and adds what meets. S and R are known
from the graph, and the Jacobian of g has a small dense block for each lane, whose entries are expressions of whole
arrays: one element of the block for all lanes. No seed, no colouring, no zero takes part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..graph.build import constant, make, topological, var
from ..graph.node import Node
from ..ops.dtypes import is_float
from ..ops.row import DType, Family, Shape, lookup
from .assembly import Entries, assembled_data, assembled_pattern
from .elements import LIMIT, Parts
from .known import Known
from .lanes import Lanes
from .moves import carriers_of, moved, moves
from .pattern import Index, Pattern
from .peeled import Peeled
from .unbroadcast import CONVERT, MULTIPLY, reshaped
from .unrolled import entries_of
from .walk import Walk

ADD, NEGATIVE = lookup("add"), lookup("negative")
CONSTANT, SLICE, TRANSPOSE = lookup("constant"), lookup("slice"), lookup("transpose")
#: How many operations the computation of one lane may have, in all groups of results together.
OPERATIONS = 2_000
#: How many entries all lanes may have together.
ENTRIES = 50_000_000


@dataclass(frozen=True, eq=False)
class LocalJacobian:
    """A sparse Jacobian by the entries of equal small computations.

    Attributes:
        pattern: where its entries are.
        parts: arrays of them.
        dtype: that of the Jacobian.
    """

    pattern: Pattern
    parts: list[Entries]
    dtype: DType

    def data(self, pattern: Pattern | None = None, mirrored: bool = False) -> Node:
        """The entries at the places of a pattern, by default its own; see `assembled_data`."""
        return assembled_data(self.parts, self.pattern if pattern is None else pattern, self.dtype, mirrored)


def local_jacobian(outputs: Sequence[Node], wrt: Sequence[Node]) -> LocalJacobian | None:
    """The Jacobian of `outputs` with respect to `wrt`, flattened and put end to end, from its small blocks.

    Returns:
        None where the function is not of that form: it has loops, or mixes elements in the middle.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> found = local_jacobian([np.sin(x[1:] * x[:-1])], [x])
        >>> found.pattern.nnz, len(found.parts)
        (1998, 2)
    """
    walk = Walk(outputs, wrt)
    known = Known([*walk.order, *wrt])
    columns = _selected(walk, wrt, known)
    peeled = Peeled(outputs, walk, frozenset(columns), known)
    if not peeled.few:
        return None
    computed = _between(walk, peeled.results, columns)
    if any(node.results is not None or not all(prod(x.shape) for x in (node, *node.inputs)) for node in computed):
        return None  # loops; arrays without elements
    lanes = Lanes(computed, known)
    if not lanes.known:
        return None
    groups: dict[tuple[int, ...], list[Node]] = {}
    for node in peeled.results:
        groups.setdefault(tuple(number for number in lanes.of(node) if number is not None), []).append(node)
    parts: list[Entries] = []
    left, total = OPERATIONS, 0
    for numbers, results in groups.items():
        group = _Group(numbers, results, lanes, columns, _between(walk, results, columns))
        taken = group.take_apart(left)
        if taken is None:
            return None
        left -= taken
        for node in results:
            for term in peeled.results[node]:
                parts += group.entries(node, term.rows, term.factor, len(parts))
        total = sum(part.rows.size for part in parts)
        if total > ENTRIES:
            return None
    dtype = np.result_type(*(x.dtype for x in (*outputs, *wrt) if is_float(x.dtype)))
    shape = (sum(prod(x.shape) for x in outputs), sum(prod(x.shape) for x in wrt))
    return LocalJacobian(assembled_pattern(parts, shape), parts, dtype)


def _selected(walk: Walk, wrt: Sequence[Node], known: Known) -> dict[Node, Index]:
    """The nodes that are nothing but chosen elements of the variables: the number of each, from 1, or 0 for none."""
    columns: dict[Node, Index] = {}
    start = 1
    for x in wrt:
        size = prod(x.shape)
        if is_float(x.dtype):
            columns[x] = np.arange(start, start + size).reshape(x.shape)
        start += size
    for node in walk.order:
        if node.results is not None or not moves(node, known):
            continue
        active = [node.inputs[i] for i in carriers_of(node) if node.inputs[i] in walk.active]
        if active and all(x in columns for x in active):
            nothing = np.zeros((), np.int64)
            numbers = [columns[x] if x in columns else np.broadcast_to(nothing, x.shape) for x in node.inputs]
            columns[node] = np.asarray(moved(node, numbers, known))
    return columns


def _between(walk: Walk, results: Sequence[Node] | Mapping[Node, object], columns: Mapping[Node, Index]) -> list[Node]:
    """The active operations that `results` need, without those that choose elements of the variables."""
    needed = set(results)
    for node in reversed(walk.order):
        if node in needed and node not in columns:
            needed.update(node.inputs)
    return [node for node in walk.order if node in needed and node not in columns]


class _Group:
    """Results along the same lanes, and the small computation that gives them."""

    def __init__(
        self,
        numbers: tuple[int, ...],
        results: Sequence[Node],
        lanes: Lanes,
        columns: Mapping[Node, Index],
        computed: Sequence[Node],
    ) -> None:
        self.numbers, self.results, self.computed = numbers, results, computed
        self.lanes, self.columns = lanes, columns
        first = results[0]
        self.shape: Shape = tuple(
            size for number, size in zip(lanes.of(first), first.shape, strict=True) if number is not None
        )
        self.arrays: dict[Node, Node] = {}  # the whole array that each 0-d variable stands for
        self.variables: dict[tuple[object, ...], tuple[Node, Index]] = {}  # by their columns
        self.parts = Parts(self._read, self._inner, LIMIT)

    def take_apart(self, limit: int) -> int | None:
        """Make the 0-d expressions of one lane; how many operations they have, None if that can't be done."""
        self.parts = Parts(self._read, self._inner, limit)
        for node in self.results:
            for x in [node, *_cone(node, self.computed)]:
                own = self.lanes.of(x)
                if any(number is not None and number not in self.numbers for number in own):
                    return None
        if not self.parts.take_apart(self.results, self.computed):
            return None
        for node in self.results:
            if node in self.columns:
                self.parts.of(node)
        self.ends = [part for node in self.results for part in self.parts.of(node)]
        starts = [start for start, _ in self.variables.values()]
        if len(self.ends) * len(starts) > 16 * LIMIT:
            return None
        self.table = entries_of(self.ends, starts) if starts else [[] for _ in self.ends]
        self.table = _without_zeros(self.table, Known(starts))
        lifted = iter(_lifted([x for row in self.table for x in row if x is not None], self.arrays))
        self.table = [[None if x is None else next(lifted) for x in row] for row in self.table]
        return self.parts.size

    def entries(self, node: Node, rows: Index, factor: Index | None, block: int) -> list[Entries]:
        """What one result contributes to the rows that its elements are added to."""
        at = 0
        for result in self.results:
            if result is node:
                break
            at += prod(self._inner(result))
        heights = self._split(rows, node)
        factors = [None] * len(heights) if factor is None else self._split(np.broadcast_to(factor, node.shape), node)
        found = []
        for i, (height, scale) in enumerate(zip(heights, factors, strict=True)):
            for value, (_, columns) in zip(self.table[at + i], self.variables.values(), strict=True):
                if value is not None:
                    height_, width = (np.broadcast_to(x, self.shape) for x in (height, columns - 1))
                    scale_ = None if scale is None else np.broadcast_to(scale, self.shape)
                    found.append(Entries(value, height_, width, scale_, block))
        return found

    def _inner(self, node: Node) -> Shape:
        return tuple(
            size if number is None else 1 for number, size in zip(self.lanes.of(node), node.shape, strict=True)
        )

    def _order(self, node: Node) -> tuple[list[int], Shape]:
        """The axes of `node`, those that are no lanes first, and the lanes' lengths among those of the group."""
        own = self.lanes.of(node)
        mine = [axis for axis, number in enumerate(own) if number is None]
        axes = {number: axis for axis, number in enumerate(own) if number is not None}
        lanes = [axes[number] for number in self.numbers if number in axes]
        shape = tuple(node.shape[axes[number]] if number in axes else 1 for number in self.numbers)
        return [*mine, *lanes], shape

    def _split(self, values: Index, node: Node) -> list[Index]:
        """An array like `node` as one array along the lanes for each element of a lane."""
        order, shape = self._order(node)
        return list(values.transpose(order).reshape(prod(self._inner(node)), *shape))

    def _read(self, node: Node) -> list[Node]:
        """The elements of one lane of a node that is not computed here, as 0-d variables or constants."""
        if node in self.columns:
            return [self._variable(node, i, columns) for i, columns in enumerate(self._split(self.columns[node], node))]
        if node.op is CONSTANT:
            values = self._split(node.attrs["value"].value, node)
            if all(value.size and (value == value.flat[0]).all() for value in values):
                return [constant(value.reshape(-1)[0]) for value in values]
        return [self._placeholder(node, i) for i in range(prod(self._inner(node)))]

    def _variable(self, node: Node, i: int, columns: Index) -> Node:
        """Equal elements of the variables are one, however they were chosen."""
        if not (columns > 0).any():
            return self._placeholder(node, i)
        if not (columns > 0).all():  # numbers beside elements of the variables
            start = self._placeholder(node, i)
            self.variables[start,] = (start, columns)
            return start
        key = (columns.shape, columns.tobytes(), node.dtype)
        if key not in self.variables:
            self.variables[key] = (self._placeholder(node, i), columns)
        return self.variables[key][0]

    def _placeholder(self, node: Node, i: int) -> Node:
        order, shape = self._order(node)
        inner = [size for number, size in zip(self.lanes.of(node), node.shape, strict=True) if number is None]
        index = np.unravel_index(i, inner) if inner else ()
        at = dict(zip((axis for axis, number in enumerate(self.lanes.of(node)) if number is None), index, strict=True))
        starts = tuple(int(at.get(axis, 0)) for axis in range(len(node.shape)))
        part_shape = tuple(1 if axis in at else size for axis, size in enumerate(node.shape))
        part = node
        if part_shape != node.shape:
            part = make(SLICE, (node,), {"starts": starts, "steps": (1,) * len(starts), "shape": part_shape})
        if order != sorted(order) and [axis for axis in order if part_shape[axis] != 1] != sorted(
            axis for axis in order if part_shape[axis] != 1
        ):
            part = make(TRANSPOSE, (part,), {"axes": tuple(order)})
        start = var(f"element{len(self.arrays)}", (), node.dtype)
        self.arrays[start] = reshaped(part, shape)
        return start


def _cone(node: Node, computed: Sequence[Node]) -> list[Node]:
    needed = {node}
    for x in reversed(computed):
        if x in needed:
            needed.update(x.inputs)
    return list(needed)


def _without_zeros(table: Sequence[Sequence[Node | None]], known: Known) -> list[list[Node | None]]:
    """Entries without those all of whose terms have a factor that is written as 0."""
    zero: dict[Node, bool] = {}
    for node in topological(x for row in table for x in row if x is not None):
        parts = [zero[x] for x in node.inputs]
        if node.op is MULTIPLY:
            zero[node] = any(parts)
        elif node.op in (ADD, NEGATIVE, CONVERT):
            zero[node] = all(parts)
        else:
            zero[node] = known.is_zero(node)
    return [[None if x is None or zero[x] else x for x in row] for row in table]


def _lifted(expressions: Sequence[Node], arrays: Mapping[Node, Node]) -> list[Node]:
    """0-d expressions with arrays that broadcast in place of the 0-d variables."""
    new: dict[Node, Node] = dict(arrays)
    for node in topological(expressions):
        if node in new:
            continue
        if node.op.family is Family.LEAF:
            new[node] = node
            continue
        assert node.op.pointwise, f"{node.op.name} in an expression of single elements"
        new[node] = make(node.op, tuple(new[x] for x in node.inputs), node.attrs)
    return [new[node] for node in expressions]
