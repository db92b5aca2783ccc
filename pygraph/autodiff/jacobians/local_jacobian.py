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

from ...graph.construction import constant, make, var
from ...graph.node import Node
from ...graph.rewriting import rewrite
from ...graph.traversal import walk
from ...graph.uniform import reshaped
from ...ops.dtypes import is_float
from ...ops.indexing import take_row as TAKE
from ...ops.leaves import constant_row as CONSTANT
from ...ops.row import DType, Family, Shape
from ...ops.shaping import concatenate_row as CONCATENATE, slice_row as SLICE, transpose_row as TRANSPOSE
from ..activity import Activity
from ..known_values import Known
from .data_movement import carriers_of, moved, moves
from .lanes import Lanes
from .linear_tail import Peeled
from .pattern import Index, Pattern
from .reroll import alike
from .scalarise import LIMIT, Parts
from .sparse_assembly import Entries, assembled_data, assembled_pattern
from .unrolled_jacobian import entries_of

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
    activity = Activity(outputs, wrt)
    known = Known([*activity.order, *wrt])
    columns = _selected(activity, wrt, known)
    peeled = Peeled(outputs, activity, frozenset(columns), known)
    if not peeled.few:
        return None
    computed = _between(activity, peeled.results, columns)
    if any(node.results is not None or not all(prod(x.shape) for x in (node, *node.inputs)) for node in computed):
        return None  # loops; arrays without elements
    lanes = Lanes(computed, known)
    if not lanes.known:
        return None
    made: list[tuple[_Group, list[dict[Node, Node]]]] = []
    told_apart = {node: tuple(term.factor is None for term in terms) for node, terms in peeled.results.items()}
    rolled = alike(list(peeled.results), set(computed), columns, told_apart)
    for instances in rolled:
        first = next(reversed(instances[0]))
        cone = [node for node in instances[0] if node not in columns and node in activity.active]
        numbers = tuple(number for number in lanes.of(first) if number is not None)
        made.append((_Rolled(numbers, [first], lanes, columns, cone, instances, wrt), instances))
    apart = {next(reversed(instance.values())) for instances in rolled for instance in instances}
    groups: dict[tuple[int, ...], list[Node]] = {}
    for node in peeled.results:
        if node not in apart:
            groups.setdefault(tuple(number for number in lanes.of(node) if number is not None), []).append(node)
    for numbers, results in groups.items():
        group = _Group(numbers, results, lanes, columns, _between(activity, results, columns))
        made.append((group, [{node: node for node in results}]))
    parts: list[Entries] = []
    left = OPERATIONS
    for group, instances in made:
        taken = group.take_apart(left)
        if taken is None:
            return None
        left -= taken
        for node in group.results:
            for terms in zip(*(peeled.results[instance[node]] for instance in instances), strict=True):
                rows = [term.rows for term in terms]
                factors = [term.factor for term in terms if term.factor is not None]
                parts += group.entries(node, rows, factors, len(parts))
        if sum(part.rows.size for part in parts) > ENTRIES:
            return None
    dtype = np.result_type(*(x.dtype for x in (*outputs, *wrt) if is_float(x.dtype)))
    shape = (sum(prod(x.shape) for x in outputs), sum(prod(x.shape) for x in wrt))
    return LocalJacobian(assembled_pattern(parts, shape), parts, dtype)


def _selected(activity: Activity, wrt: Sequence[Node], known: Known) -> dict[Node, Index]:
    """The nodes that are nothing but chosen elements of the variables: the number of each, from 1, or 0 for none."""
    columns: dict[Node, Index] = {}
    start = 1
    for x in wrt:
        size = prod(x.shape)
        if is_float(x.dtype):
            columns[x] = np.arange(start, start + size).reshape(x.shape)
        start += size
    for node in activity.order:
        if node.results is not None or not moves(node, known):
            continue
        active = [node.inputs[i] for i in carriers_of(node) if node.inputs[i] in activity.active]
        if active and all(x in columns for x in active):
            nothing = np.zeros((), np.int64)
            numbers = [columns[x] if x in columns else np.broadcast_to(nothing, x.shape) for x in node.inputs]
            columns[node] = np.asarray(moved(node, numbers, known))
    return columns


def _between(
    activity: Activity, results: Sequence[Node] | Mapping[Node, object], columns: Mapping[Node, Index]
) -> list[Node]:
    """The active operations that `results` need, without those that choose elements of the variables."""
    needed = set(results)
    for node in reversed(activity.order):
        if node in needed and node not in columns:
            needed.update(node.inputs)
    return [node for node in activity.order if node in needed and node not in columns]


@dataclass(eq=False)
class _Group:
    """Results along the same lanes, and the small computation that gives them."""

    numbers: tuple[int, ...]
    results: Sequence[Node]
    lanes: Lanes
    columns: Mapping[Node, Index]
    computed: Sequence[Node]

    def __post_init__(self) -> None:
        first = self.results[0]
        self.shape: Shape = tuple(
            size for number, size in zip(self.lanes.of(first), first.shape, strict=True) if number is not None
        )
        self.arrays: dict[Node, Node] = {}  # the whole array that each 0-d variable stands for
        self.variables: dict[tuple[object, ...], tuple[Node, Index]] = {}  # by their columns
        self.parts = Parts(self._read, self._inner, LIMIT)

    def take_apart(self, limit: int) -> int | None:
        """Make the 0-d expressions of one lane; how many operations they have, None if that can't be done."""
        self.parts = Parts(self._read, self._inner, limit)
        for node in (*self.results, *self.computed):
            for x in (node, *node.inputs) if node not in self.columns else (node,):
                if any(number is not None and number not in self.numbers for number in self.lanes.of(x)):
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

    def entries(self, node: Node, rows: Sequence[Index], factors: Sequence[Index], block: int) -> list[Entries]:
        """What one result contributes to the rows that its elements are added to; an array for each instance."""
        at = 0
        for result in self.results:
            if result is node:
                break
            at += prod(self._inner(result))
        heights = self._along(rows, node)
        whole = [np.broadcast_to(factor, node.shape) for factor in factors]
        scales = self._along(whole, node) if whole else [None] * len(heights)
        found = []
        for i, (height, scale) in enumerate(zip(heights, scales, strict=True)):
            for value, (_, columns) in zip(self.table[at + i], self.variables.values(), strict=True):
                if value is not None:
                    row, column = (np.broadcast_to(x, self.shape) for x in (height, columns - 1))
                    factor = None if scale is None else np.broadcast_to(scale, self.shape)
                    found.append(Entries(value, row, column, factor, block))
        return found

    def _along(self, arrays: Sequence[Index], node: Node) -> list[Index]:
        """Arrays like `node`, one for each instance, as one array along the lanes for each element of a lane."""
        (values,) = arrays
        return self._split(values, node)

    def _columns(self, node: Node) -> list[Index]:
        """The numbers of the variables' elements that each element of a lane of `node` is."""
        return self._along([self.columns[node]], node)

    def _inner(self, node: Node) -> Shape:
        return tuple(
            size if number is None else 1 for number, size in zip(self.lanes.of(node), node.shape, strict=True)
        )

    def _order(self, node: Node) -> tuple[list[int], Shape]:
        """The axes of `node`, those that are not lanes first, and the lanes' lengths among those of the group."""
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
            return [self._variable(node, i, columns) for i, columns in enumerate(self._columns(node))]
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
        start = var(f"element{len(self.arrays)}", (), node.dtype)
        self.arrays[start] = reshaped(self._element(node, i), self._order(node)[1])
        return start

    def _element(self, node: Node, i: int, like: Node | None = None) -> Node:
        """Element `i` of a lane of `node`, for all lanes; `like` has its lanes, where they are not its own."""
        like = node if like is None else like
        order, _ = self._order(like)
        inner = [axis for axis, number in enumerate(self.lanes.of(like)) if number is None]
        index = np.unravel_index(i, [node.shape[axis] for axis in inner]) if inner else ()
        at = dict(zip(inner, map(int, index), strict=True))
        starts = tuple(at.get(axis, 0) for axis in range(len(node.shape)))
        shape = tuple(1 if axis in at else size for axis, size in enumerate(node.shape))
        part = node
        if shape != node.shape:
            part = make(SLICE, (node,), {"starts": starts, "steps": (1,) * len(starts), "shape": shape})
        long = [axis for axis in order if shape[axis] != 1]
        return part if long == sorted(long) else make(TRANSPOSE, (part,), {"axes": tuple(order)})


@dataclass(eq=False)
class _Rolled(_Group):
    """One result for all that are computed alike, which are lanes along a new first axis."""

    instances: Sequence[Mapping[Node, Node]]
    wrt: Sequence[Node]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shape = (len(self.instances), *self.shape)

    def _along(self, arrays: Sequence[Index], node: Node) -> list[Index]:
        return [np.stack(parts) for parts in zip(*(self._split(array, node) for array in arrays), strict=True)]

    def _columns(self, node: Node) -> list[Index]:
        return self._along([self.columns[instance[node]] for instance in self.instances], node)

    def _read(self, node: Node) -> list[Node]:
        if node.op is CONSTANT and any(instance[node] is not node for instance in self.instances):
            return [self._placeholder(node, i) for i in range(prod(self._inner(node)))]
        return super()._read(node)

    def _placeholder(self, node: Node, i: int) -> Node:
        start = var(f"element{len(self.arrays)}", (), node.dtype)
        self.arrays[start] = self._array(node, i)
        return start

    def _array(self, node: Node, i: int) -> Node:
        """Element `i` of a lane of `node`, for all instances: picked from the variable at once where it can be."""
        if node in self.columns:
            columns = self._columns(node)[i]
            first = 1
            for x in self.wrt:
                size = prod(x.shape)
                if columns.size and first <= columns.min() and columns.max() < first + size:
                    return _picked(reshaped(x, (size,)), columns - first)
                first += size
        shape = (1, *self._order(node)[1])
        if all(instance[node] is node for instance in self.instances):
            return reshaped(self._element(node, i), shape)
        several = [reshaped(self._element(instance[node], i, node), shape) for instance in self.instances]
        return make(CONCATENATE, tuple(several), {"axis": 0})


def _picked(flat: Node, places: Index) -> Node:
    """The elements of a flat array at `places`: a slice where these are evenly spaced."""
    steps = np.diff(places.reshape(-1))
    if len(steps) and steps[0] and (steps == steps[0]).all():
        attrs = {"starts": (int(places.flat[0]),), "steps": (int(steps[0]),), "shape": (places.size,)}
        return reshaped(make(SLICE, (flat,), attrs), places.shape)
    return make(TAKE, (flat, constant(places)), {"axis": 0})


def _without_zeros(table: Sequence[Sequence[Node | None]], known: Known) -> list[list[Node | None]]:
    """Entries without those all of whose terms have a factor that is written as 0."""
    zero: dict[Node, bool] = {}
    for node in walk(x for row in table for x in row if x is not None):
        parts = [zero[x] for x in node.inputs]
        if node.op.vanishes:
            zero[node] = any(parts) if node.op.vanishes == "any" else all(parts)
        else:
            zero[node] = known.is_zero(node)
    return [[None if x is None or zero[x] else x for x in row] for row in table]


def _lifted(expressions: Sequence[Node], arrays: Mapping[Node, Node]) -> list[Node]:
    """0-d expressions with arrays that broadcast in place of the 0-d variables."""

    def visit(node: Node, inputs: tuple[Node, ...]) -> None:
        assert node.op.pointwise or node.op.family is Family.LEAF, f"{node.op.name} in an expression of single elements"

    return rewrite(expressions, visit, dict(arrays))
