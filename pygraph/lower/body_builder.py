"""Builds the steps of one body, segment by segment: every region, with the values it reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ..graph.construction import topological
from ..graph.graph import Graph
from ..graph.node import Constant, Node
from ..ops.strides import broadcast_strides, row_major
from ..ops.table import micro_op
from .constants import ConstantPool
from .expand import expand
from .format import SlotKind
from .in_place_concatenation import Inlay, Inlays
from .in_place_update import Share, Takeovers
from .instruction_steps import emit_opaque
from .loop_step import copy_loop, emit_loop
from .order import updates_last
from .plan import plan
from .program import Micro, Segment
from .regions import Fuser, Region
from .rematerialise import rematerialised
from .steps import CELL, ScalarStep, Step, Value
from .views import Access, Views, is_counter, is_known

if TYPE_CHECKING:
    from ..graph.node import Result


class Shared:
    """What all bodies of one Program share: constants, node ids and the list of bodies."""

    def __init__(self, fuse: bool) -> None:
        self.fuse = fuse
        self.constants = ConstantPool()
        self.nodes: list[Node] = []
        self.bodies: list[Body] = []
        self.tapes = 0
        self._node_ids: dict[Node, int] = {}

    def node_id(self, node: Node) -> int:
        """The number by which instructions and errors refer to `node`."""
        known = self._node_ids.get(node)
        if known is None:
            known = self._node_ids[node] = len(self.nodes)
            self.nodes.append(node)
        return known

    def new_tape(self) -> int:
        """The number of a further tape."""
        self.tapes += 1
        return self.tapes - 1


@dataclass(eq=False)
class Body:
    """One function of a Program: its ports, the steps of its segments and, once planned, its arena."""

    inputs: list[Value]
    outputs: list[Value]
    constant_cells: dict[Value, int] = field(default_factory=dict)  # cell → offset in the constants
    segments: list[list[Step]] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    arena_bytes: int = 0

    @property
    def flops(self) -> int:
        """Estimated operations of all segments; a loop counts every step."""
        return sum(step.flops for segment in self.segments for step in segment)


class BodyBuilder:
    """Lowers one graph, whose inputs and outputs are divided into segments.

    Args:
        graph: verified, with no op left that only has a definition.
        input_counts, output_counts: how many consecutive inputs and outputs belong to each segment.
    """

    def __init__(self, shared: Shared, graph: Graph, input_counts: Sequence[int], output_counts: Sequence[int]) -> None:
        self.shared = shared
        self.graph = graph
        self.output_counts = output_counts
        self.body = Body(
            [_port_value(SlotKind.INPUT, node, at) for at, node in enumerate(graph.inputs)],
            [_port_value(SlotKind.OUTPUT, node, at) for at, node in enumerate(graph.outputs)],
        )
        self.number = len(shared.bodies)
        shared.bodies.append(self.body)
        self.inputs = dict(zip(graph.inputs, self.body.inputs, strict=True))
        self.primal = set(graph.inputs[: input_counts[0]])
        #: Base nodes of the forward segment, or primal inputs, that a later segment reads.
        self.kept: set[Node] = set()
        self.inputs_kept: dict[Node, Value] = {}
        #: Nodes of the forward segment that later segments recompute.
        self.rematerialised: set[Node] = set()
        #: The nodes that name the results of each op with several.
        self.results: dict[Node, dict[int, Node]] = {}
        for node in topological(graph.outputs):
            if node.op.name == "output":
                self.results.setdefault(node.inputs[0], {})[node.attrs["index"]] = node
        self._cells: dict[tuple[Any, bytes], Value] = {}
        self._kept_values: set[Value] = set()
        self.read_later: set[Node] = set()
        #: What runs in place; None where every result has memory of its own.
        self.takeovers: Takeovers | None = None

    def build(self) -> Body:
        """Lower a graph whose outputs have memory of their own."""
        self.emit()
        return self.finish(())

    def emit(self) -> None:
        """Form the regions of all segments, so that it is known what must be kept; then emit them."""
        segments: list[SegmentBuilder] = []
        start = 0
        for at, count in enumerate(self.output_counts):
            forward = segments[0] if segments else None
            segments.append(SegmentBuilder(self, Segment(at), range(start, start + count), forward))
            start += count
        first, *later = segments
        self.read_later = self._read_later(first.wanted)
        first.form()
        if later:
            ends = [self.graph.outputs[at] for segment in later for at in segment.wanted]
            self.rematerialised = rematerialised(
                first.order(), first.defines, [segment.order() for segment in later], ends
            )
        for segment in later:
            segment.form()
        for segment in segments:
            segment.emit()
        self._kept_values = {segments[0].value(node) for node in self.kept - set(self.inputs)}
        self.body.segments = [segment.steps for segment in segments]
        if self.shared.fuse:
            self.takeovers = Takeovers(self.body.segments, self.body.inputs, self.body.outputs)

    def _read_later(self, wanted: Sequence[int]) -> set[Node]:
        """The views of the forward segment that others read: of arrays that are updated, they are what is kept."""
        if len(self.output_counts) == 1:
            return set()
        made = set(topological([self.graph.outputs[i] for i in wanted]))
        later = (node for node in topological(self.graph.outputs) if node not in made)
        return {x for node in later for x in node.inputs if x.op.view is not None and x in made}

    def finish(self, shares: Sequence[Share]) -> Body:
        """Plan memory, where outputs take over inputs as `shares` say."""
        self.body.shares = list(shares)
        if self.takeovers is not None:
            self.takeovers.settle(shares)
        steps = [step for segment in self.body.segments for step in segment]
        self.body.arena_bytes = plan(steps, list(self.body.constant_cells))
        return self.body

    def cached_bytes(self) -> int:
        """What the forward segment keeps for the later ones."""
        kept = self._kept_values | set(self.inputs_kept.values())
        return sum(CELL if value.cell else value.nbytes for value in kept)

    def constant_value(self, node: Node) -> Value:
        """The memory of a constant: a cell for one element, else a place among the constants."""
        constant: Constant = node.attrs["value"]
        array = constant.value
        if array.size != 1:
            return Value(SlotKind.CONST, array.dtype, array.nbytes, self.shared.constants.place(constant))
        return self.constant_cell(array)

    def constant_cell(self, array: np.ndarray[Any, Any]) -> Value:
        """The cell that holds a one-element constant."""
        key = (array.dtype, array.tobytes())
        if key not in self._cells:
            cell = Value.result((), array.dtype)
            self._cells[key] = cell
            self.body.constant_cells[cell] = self.shared.constants.place(Constant(array.reshape(())))
        return self._cells[key]


def _port_value(kind: SlotKind, node: Node, at: int) -> Value:
    return Value(kind, node.dtype, prod(node.shape) * node.dtype.itemsize, at)


def _source(node: Node) -> Node:
    """What `node` is a view of, or a copy of a view; `Views` only knows that once all before it is placed."""
    while node.op.view is not None and node.inputs:
        (node,) = node.inputs
    return node


class SegmentBuilder:
    """One segment of a body: its regions, its values and its steps."""

    def __init__(
        self, owner: BodyBuilder, segment: Segment, wanted: Sequence[int], forward: SegmentBuilder | None
    ) -> None:
        self.owner = owner
        self.shared = owner.shared
        self.segment = segment
        self.wanted = wanted  # indices of the graph's outputs
        self.forward = forward
        self.steps: list[Step] = []
        self.values: dict[Node, Value] = {}
        self.needed: set[Node] = set()  # nodes of this segment that must have memory
        self._ends: dict[Node, list[int]] = {}  # nodes of this segment that are outputs
        self._written: set[int] = set()
        self._loaded: dict[tuple[Value, int], Value] = {}
        self.copied: list[Node] = []  # views that have memory of their own, for later segments too
        self._order: list[Node] | None = None
        self._fuser: Fuser = Fuser(Views(), self.shared.fuse)

    def form(self) -> None:
        """Place this segment's nodes in regions and note which values need memory."""
        outputs = [self.owner.graph.outputs[i] for i in self.wanted]
        fuser = self._fuser
        updated = {_source(x) for node in self.order() if node.op.updates for x in node.op.updated(node)}
        results = set(outputs) if self.shared.fuse else set()
        for node in self.forward.copied if self.forward is not None else ():
            fuser.views.materialise(node)
        later = self.owner.read_later if self.shared.fuse and self.forward is None else set()
        for node in self.order():
            self._rematerialise(node)
            fuser.place(node)
            base = fuser.views.resolve(node).base if node.op.view is not None else node
            small = node in later and 2 * prod(node.shape) <= prod(base.shape)
            if base is not node and _source(node) in updated and (small or node in results):
                fuser.copy(node)  # now: once the array is updated, its memory holds other elements
                self.copied.append(node)
        self.inlays = Inlays(fuser)
        for region in fuser.regions:
            for node in region.nodes:
                operands = (None,) if node.op.view is not None else node.inputs
                placed = node in self.inlays.done
                written = self.inlays.without_memory(node) if placed else (False,) * len(operands)
                for access, operand, done in zip(fuser.accesses[node], operands, written, strict=True):
                    home = fuser.home.get(access.base)
                    if home is None or not (done or (access.base is operand and home is region)):
                        self._need(access.base)
        for at, node in zip(self.wanted, outputs, strict=True):
            access = fuser.views.resolve(node)
            base = access.base
            if base in fuser.home and access.contiguous and not access.offset and prod(node.shape) == prod(base.shape):
                self._ends.setdefault(base, []).append(at)
            else:
                self._need(base)

    def order(self) -> list[Node]:
        """The nodes of this segment, operands first; computed once."""
        if self._order is None:
            order = topological([self.owner.graph.outputs[i] for i in self.wanted])
            if self.forward is not None:
                order = [node for node in order if not self.forward.defines(node)]
            fixed = set(self.owner.graph.inputs) if self.owner.number == 0 else set()
            self._order = updates_last(order, fixed) if self.shared.fuse else order
        return self._order

    def _rematerialise(self, reader: Node) -> None:
        """Place what `reader` reads of the forward segment and this one recomputes, where `reader` can join it."""
        if self.forward is None or self.owner.rematerialised.isdisjoint(reader.inputs):
            return
        stack = list(reader.inputs)
        while stack:
            node = stack[-1]
            missing = []
            if node in self.owner.rematerialised and node not in self._fuser.home:
                missing = [x for x in node.inputs if x in self.owner.rematerialised and x not in self._fuser.home]
                stack.extend(missing)
                if not missing:
                    self._fuser.place(node, reader)
            if not missing:
                stack.pop()

    def _need(self, base: Node) -> None:
        if self.forward is None or base in self._fuser.home:
            self.needed.add(base)
        elif not is_known(base) and (base.op.name != "input" or base in self.owner.primal):
            self.owner.kept.add(base)
            self.forward.needed.add(base)

    def defines(self, node: Node) -> bool:
        """Whether this segment computes `node`."""
        return (node.inputs[0] if node.op.name == "output" else node) in self._fuser.home

    def emit(self) -> None:
        """Write the steps of every region, then those that keep inputs and fill the remaining outputs."""
        self.inlays.settle(lambda node: node in self.needed or node in self._ends)
        for region in self._fuser.regions:
            if region.kind == "scalar":
                self._emit_scalar(region)
            elif region.kind == "loop":
                accesses, number = self._fuser.accesses, self.shared.node_id
                self.steps.append(emit_loop(region, number, accesses, self.place_of, self._targets, self._wholes))
            else:
                node = region.nodes[0]
                emit_opaque(self, node, self._fuser.accesses[node])
        if self.segment is Segment.FORWARD:
            self._keep_inputs()
        for at in self.wanted:
            if at not in self._written:
                node = self.owner.graph.outputs[at]
                output = self.owner.body.outputs[at]
                self.copy(self._fuser.views.resolve(node), output, 0, row_major(node.shape), self.shared.node_id(node))

    def _emit_scalar(self, region: Region) -> None:
        accesses = self._fuser.accesses
        for node in region.nodes:
            cells = tuple(map(self.cell, accesses[node]))
            if node.op.view is not None or node.op.combiner:
                cells[0].kept |= self._is_kept(node)
                self.values[node] = cells[0]
                continue
            target = self.values[node] = self.arena_value(node)
            dtype_in = node.inputs[-1].dtype
            node_id = self.shared.node_id(node)
            self.steps.append(ScalarStep(micro_op(node.op), dtype_in, node.dtype, target, cells, node_id))

    def _keep_inputs(self) -> None:
        for node in self.owner.graph.inputs:
            if node in self.owner.kept:
                access = self._fuser.views.resolve(node)
                if prod(node.shape) == 1:
                    kept = self.cell(access)
                    kept.kept = True
                else:
                    kept = self.arena_value(node)
                    self.copy(access, kept, 0, row_major(node.shape), self.shared.node_id(node))
                self.owner.inputs_kept[node] = kept

    # Values

    def _is_kept(self, node: Node) -> bool:
        return self.segment is Segment.FORWARD and node in self.owner.kept

    def arena_value(self, node: Node) -> Value:
        """Fresh memory for the result of `node`."""
        value = Value.result(node.shape, node.dtype)
        value.kept = self._is_kept(node)
        return value

    def value(self, base: Node) -> Value:
        """The memory of a base node, as this segment sees it."""
        found = self.values.get(base)
        if found is None:
            found = self.values[base] = self._find(base)
        return found

    def place_of(self, access: Access) -> tuple[Value, int]:
        """The memory of an access and its offset there; a single count is a constant."""
        if is_counter(access.base) and not any(broadcast_strides(access, access.shape)) and 0 not in access.shape:
            return self.owner.constant_cell(np.asarray(access.offset).astype(access.base.dtype)), 0
        return self.value(access.base), access.offset

    def _find(self, base: Node) -> Value:
        if base.op.name == "constant":
            return self.owner.constant_value(base)
        if is_counter(base):
            return Value(SlotKind.COUNT, base.dtype, 0)
        if self.forward is not None and base in self.owner.kept:
            kept = self.owner.inputs_kept.get(base)
            return self.forward.values[base] if kept is None else kept
        return self.owner.inputs[base]

    def place_result(self, node: Node) -> Value:
        """Where the result of a loop or an opaque node goes: an output where nothing forbids it, else the arena."""
        ends = self._ends.get(node)
        if ends and not self._is_kept(node) and (node not in self.needed or prod(node.shape) != 1):
            value = self.owner.body.outputs[ends[0]]
            self._written.add(ends[0])
        else:
            value = self.arena_value(node)
        self.values[node] = value
        return value

    def results_of(self, node: Node) -> list[tuple[Node | None, Result]]:
        """The results of an opaque node: the node that names each, where one does, and its type."""
        if node.results is None:
            return [(node, (node.shape, node.dtype))]
        named = self.owner.results.get(node, {})
        return [(named.get(at), type_) for at, type_ in enumerate(node.results)]

    def place(self, named: Node | None, type_: Result) -> Value:
        """Where one of these results goes."""
        return Value.result(*type_) if named is None else self.place_result(named)

    def _targets(self, node: Node) -> list[Value]:
        """All places a node of a loop is written to; a reduction is written once and copied from there."""
        ends = self._ends.get(node, [])
        if not ends and node not in self.needed:
            return []
        targets = [self.place_result(node)]
        if not node.op.combiner:
            more = [at for at in ends if at not in self._written]
            self._written.update(more)
            targets += [self.owner.body.outputs[at] for at in more]
        return targets

    def whole(self, node: Node) -> Value:
        """The memory of a concatenation, which has its place once the first operand is written into it."""
        found = self.values.get(node)
        return self.place_result(node) if found is None else found

    def _wholes(self, node: Node) -> Iterator[tuple[Value, Inlay]]:
        """The concatenations that a node of a loop is written into, and where."""
        for inlay in self.inlays.of_node.get(node, ()):
            yield self.whole(inlay.whole), inlay

    def cell(self, access: Access) -> Value:
        """The cell that holds a one-element access, loaded once where it lies in an array or an input."""
        value, offset = self.place_of(access)
        if value.cell:
            return value
        key = (value, offset)
        found = self._loaded.get(key)
        if found is None:
            dtype = value.dtype
            found = self._loaded[key] = Value.result((), dtype)
            node_id = self.shared.node_id(access.base)
            at = offset * dtype.itemsize
            self.steps.append(ScalarStep(Micro.LOAD, dtype, dtype, found, (value,), node_id, at))
        return found

    def open_body(self, traced: Graph, tapes: Mapping[int, int]) -> BodyBuilder:
        """A further body of the same Program, for a loop or a branch: it remains to `finish` it.

        `tapes` says which of its inputs are stacks, by their position, and where these are.
        """
        graph = Graph.from_parts(traced.inputs, expand(traced.outputs), name=traced.name)
        builder = BodyBuilder(self.shared, graph, [len(graph.inputs)], [len(graph.outputs)])
        for at, tape in tapes.items():
            value = builder.body.inputs[at]
            value.nbytes, value.tape = 0, tape
        builder.emit()
        return builder

    def copy(self, access: Access, target: Value, offset: int, strides: tuple[int, ...], node_id: int) -> None:
        """Copy the elements of `access` to a strided place in `target` (offset and strides in elements)."""
        size = prod(access.shape)
        if size == 1:
            dtype = target.dtype
            at = offset * dtype.itemsize
            self.steps.append(ScalarStep(Micro.STORE, dtype, dtype, target, (self.cell(access),), node_id, at))
        elif size:
            source = self.place_of(access)
            self.steps.append(copy_loop(access.shape, source, access.strides, target, offset, strides, node_id))
