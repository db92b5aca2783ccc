"""What lowering knows of a body: the data that the stages fill in, one after another.

A body is one function of a Program: the function itself, or what a loop or a branch runs. It is lowered in segments
that share an arena (`Segment`); the bodies of loops and branches have one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import prod
from operator import attrgetter
from typing import Any

import numpy as np

from ..debug import asked
from ..graph.graph import Graph
from ..graph.node import Node, maker
from .arena_cells import Cells
from .constants import ConstantPool
from .format import SlotKind
from .program import Segment
from .scalars import PlacedScalars, ScalarRows
from .steps import CELL, CellValue, CellValues, Step, Value
from .views import Access, Views

#: The number of an input, and of the output that may take over its memory.
Share = tuple[int, int]


class Unit:
    """What all bodies of one Program share.

    Attributes:
        fuse: False gives every operation an instruction of its own, and every result memory of its own.
        debug: the level of PYGRAPH_DEBUG.
        depth: how many loops and branches deep the bodies are that go through the stages now.
        lower: takes bodies that one instruction runs through all stages.
        bodies: while they are lowered, those whose steps are known, in the order of their numbers; the function itself
            is the first.
        nodes: by their numbers, which instructions and errors refer to.
        tapes: how many there are.
    """

    def __init__(self, fuse: bool, lower: Callable[[Sequence[Body]], None]) -> None:
        self.fuse = fuse
        self.debug = asked()
        self.depth = 0
        self.lower = lower
        self.constants = ConstantPool()
        self.bodies: list[Body] = []
        self.nodes: list[Node] = []
        self.tapes = 0
        self._node_ids: dict[Node, int] = {}

    def node_id(self, node: Node) -> int:
        """The number of a node."""
        known = self._node_ids.get(node)
        if known is None:
            known = self._node_ids[node] = len(self.nodes)
            self.nodes.append(node)
        return known

    def node_ids(self, nodes: Iterable[Node]) -> list[int]:
        """The numbers of nodes."""
        number, listed, found = self._node_ids.setdefault, self.nodes, []
        for node in nodes:
            given = number(node, len(listed))
            if given == len(listed):
                listed.append(node)
            found.append(given)
        return found

    def new_tape(self) -> int:
        """The number of a further tape."""
        self.tapes += 1
        return self.tapes - 1


@dataclass(frozen=True, slots=True)
class Split:
    """A reduction's iteration space as [outer][rows][inner], after the axes are put in the order `axes`."""

    axes: tuple[int, ...]
    outer: int
    rows: int
    inner: int


@dataclass(eq=False, slots=True)
class Region:
    """Nodes that run together. `shape` is the iteration space of a loop, before `split` permutes it."""

    kind: str  # "scalar", "loop" or "opaque"
    index: int
    shape: tuple[int, ...] = ()
    nodes: list[Node] = field(default_factory=list)  # of a scalar region none: it has `rows`
    rows: range = range(0)  # of the body's `scalars`
    elements: list[int] = field(default_factory=list)  # those of its rows that only name elements
    split: Split | None = None
    bases: set[Node] = field(default_factory=set)
    reads: set[Access] = field(default_factory=set)
    follows: bool = False  # it goes on where another one is full, so that what would join that one joins it


@dataclass(frozen=True, slots=True)
class Part:
    """An operand of a concatenation that a loop writes to its place there.

    Attributes:
        whole: the concatenation.
        offset, strides: where in its memory, over the loop's iteration space.
        source: what is written, read over that space; None for the result of the node that the part belongs to.
    """

    whole: Node
    offset: int
    strides: tuple[int, ...]
    source: Access | None = None


@dataclass(eq=False, slots=True)
class BodySegment:
    """One segment of a body.

    Attributes:
        which: the segment.
        outputs: which of the graph's outputs it computes.
        order: its nodes, operands first; set with the regions of the forward segment.
        views: how nodes are read; settled with the regions.
        regions: in the order in which they run; those of single elements are `scalar_regions` as well.
        region_of: the region of each node that has one, but for those in `cells`.
        accesses: how each of these reads its operands.
        cells: of each operation on single elements, its row among the body's `scalars`: the number of its cell.
        copied: views that have memory of their own, for later segments too.
        parts: by node of a loop, where in concatenations its loop writes; set by `concatenate_in_place`.
        in_place: for each concatenation, whether each operand is written there by a loop.
        nested: operands of a concatenation that are whole concatenations in memory order: by the place of the operand
            that concatenation, and its offset.
        needed: nodes of this segment that must have memory, besides those in `cells`; set by `materialise`.
        ends: nodes of this segment that are outputs, with the numbers of these; none of those in `cells`.
        values: the memory of nodes; set by `emit_steps`.
        steps: what it does, in order.
    """

    which: Segment
    outputs: range
    order: Sequence[Node] = ()
    views: Views = field(default_factory=Views)
    regions: list[Region] = field(default_factory=list)
    scalar_regions: list[Region] = field(default_factory=list)
    region_of: dict[Node, Region] = field(default_factory=dict)
    accesses: dict[Node, tuple[Access, ...]] = field(default_factory=dict)
    cells: dict[Node, int] = field(default_factory=dict)
    copied: list[Node] = field(default_factory=list)
    parts: dict[Node, list[Part]] = field(default_factory=dict)
    in_place: dict[Node, list[bool]] = field(default_factory=dict)
    nested: dict[Node, dict[int, tuple[Node, int]]] = field(default_factory=dict)
    needed: set[Node] = field(default_factory=set)
    ends: dict[Node, list[int]] = field(default_factory=dict)
    values: dict[Node, Value] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def defines(self, node: Node) -> bool:
        """Whether this segment computes `node`."""
        return node in self.cells or maker(node) in self.region_of

    def region(self, base: Node) -> Region | None:
        """The region that computes a base node, if this segment does."""
        row = self.cells.get(base)
        if row is None:
            return self.region_of.get(base)
        return self.scalar_regions[bisect_right(self.scalar_regions, row, key=attrgetter("rows.start")) - 1]


class Body:
    """A body on its way through the stages.

    Args:
        unit: what it shares with the other bodies.
        graph: what it computes.
        groups, segments: how many consecutive inputs, and outputs, belong to each segment.
        may_share: which inputs an output may take over; any where it is None.
        tapes: which inputs are stacks, by position, with their tapes.

    Attributes:
        graph: what it computes; definitions are written out by `expand`.
        is_main: it is the function itself, whose inputs are the caller's arrays.
        inputs, outputs: the memory of its ports; `input_values` by node.
        primal: the inputs of the forward segment.
        segments: the parts that run by themselves: `forward` first, and `later` ones in any order, any number of times.
        results: the nodes that name the results of each op with several; set with the regions.
        rematerialised: nodes of the forward segment that later ones recompute; set by `rematerialise`.
        kept: base nodes of the forward segment, or its inputs, that a later segment reads; set by `materialise`.
        scalars: the operations on single elements of all segments; set with the regions.
        cells: the memory of single elements; those of `scalars` have the numbers of its rows.
        cell_values: the same as values.
        number: its place in the Program; set by `emit_steps`.
        rows: the scalar micro-operations of the steps of all segments; set by `emit_steps`.
        inputs_kept: the copies of the inputs that are kept; set by `emit_steps`.
        constants: the cells of one-element constants, by dtype and bytes; set by `emit_steps`.
        constant_cells: the offsets of these among the constants.
        shares: which outputs take over which inputs; set by `update_in_place`.
        arena_bytes: how much memory a run needs; set by `plan`.
    """

    def __init__(
        self,
        unit: Unit,
        graph: Graph,
        groups: Sequence[int] = (),
        segments: Sequence[int] = (),
        may_share: frozenset[Share] | None = frozenset(),
        tapes: Mapping[int, int] | None = None,
    ) -> None:
        self.unit = unit
        self.graph = graph
        self.may_share = may_share
        self.is_main = not unit.bodies
        self.inputs = [_port(SlotKind.INPUT, node, at) for at, node in enumerate(graph.inputs)]
        self.outputs = [_port(SlotKind.OUTPUT, node, at) for at, node in enumerate(graph.outputs)]
        for at, tape in (tapes or {}).items():
            self.inputs[at].nbytes, self.inputs[at].tape = 0, tape
        self.input_values = dict(zip(graph.inputs, self.inputs, strict=True))
        self.primal = frozenset(graph.inputs[: groups[0]] if groups else graph.inputs)
        ends = list(accumulate(segments or [len(graph.outputs)]))
        self.segments = [
            BodySegment(Segment(at), range(first, end)) for at, (first, end) in enumerate(pairwise((0, *ends)))
        ]
        self.forward, *self.later = self.segments
        self.results: dict[Node, dict[int, Node]] = {}
        self.rematerialised: set[Node] = set()
        self.kept: set[Node] = set()
        self.scalars = PlacedScalars()
        self.cells = Cells()
        self.cell_values = CellValues(self.cells)
        self.number = -1
        self.rows = ScalarRows(self.cells)
        self.inputs_kept: dict[Node, Value] = {}
        self.constants: dict[tuple[np.dtype[Any], bytes], CellValue] = {}
        self.constant_cells: dict[CellValue, int] = {}
        self.shares: Sequence[Share] = ()
        self.arena_bytes = 0

    @property
    def steps(self) -> list[Step]:
        """The steps of all segments."""
        return [step for segment in self.segments for step in segment.steps]

    @property
    def flops(self) -> int:
        """Estimated operations of all segments; a loop counts every step."""
        return sum(step.flops for segment in self.segments for step in segment.steps)

    @property
    def cached_bytes(self) -> int:
        """What the forward segment keeps for the later ones."""
        inputs, forward = set(self.graph.inputs), self.forward
        cells = {forward.cells[node] for node in self.kept if node in forward.cells}
        kept = {forward.values[node] for node in self.kept if node not in inputs and node not in forward.cells}
        others = kept.union(self.inputs_kept.values())
        cells.update(value.index for value in others if value.cell)
        return CELL * len(cells) + sum(value.nbytes for value in others if not value.cell)

    def result(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
        """Fresh memory of the arena for a result of this type; a single element gets a cell."""
        size = prod(shape)
        return self.cell_values.new(dtype) if size == 1 else Value(SlotKind.ARENA, dtype, size * dtype.itemsize)

    def ends(self, segment: BodySegment) -> list[Node]:
        """The outputs of the graph that a segment computes."""
        return [self.graph.outputs[at] for at in segment.outputs]


def _port(kind: SlotKind, node: Node, at: int) -> Value:
    return Value(kind, node.dtype, prod(node.shape) * node.dtype.itemsize, at)
