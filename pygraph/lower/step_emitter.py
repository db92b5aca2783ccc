"""What the steps of a segment are made with: the memory of its nodes, and the steps that load and copy elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..graph.graph import Graph
from ..graph.node import Node, Result
from ..ops.constant_array import Constant
from ..ops.leaves import constant_row as CONSTANT
from ..ops.strides import broadcast_strides
from .body import Body, BodySegment, Part, Share
from .format import SlotKind
from .loop_step import copy_loop
from .program import Micro
from .steps import ScalarStep, Value
from .views import Access, is_counter


class StepEmitter:
    """The memory of the nodes of one segment, and the steps that use it.

    Attributes:
        steps: what is there so far.
        values: the memory of the nodes that have some.
        filled: the numbers of the outputs that a step writes to.
    """

    def __init__(self, body: Body, segment: BodySegment) -> None:
        self.body = body
        self.segment = segment
        self.unit = body.unit
        self.steps = segment.steps
        self.values = segment.values
        self.filled: set[int] = set()
        self._loaded: dict[tuple[Value, int], Value] = {}
        self._kept = body.kept if segment is body.forward else frozenset[Node]()

    # --- the memory of nodes

    def value(self, base: Node) -> Value:
        """The memory of a base node, as this segment sees it."""
        found = self.values.get(base)
        if found is None:
            found = self.values[base] = self._find(base)
        return found

    def place_of(self, access: Access) -> tuple[Value, int]:
        """The memory of an access and its offset there; a single count is a constant."""
        if is_counter(access.base) and not any(broadcast_strides(access, access.shape)) and 0 not in access.shape:
            return self.constant_cell(np.asarray(access.offset).astype(access.base.dtype)), 0
        return self.value(access.base), access.offset

    def _find(self, base: Node) -> Value:
        body = self.body
        if base.op is CONSTANT:
            return self._constant(base)
        if is_counter(base):
            return Value(SlotKind.COUNT, base.dtype, 0)
        if self.segment is not body.forward and base in body.kept:
            kept = body.inputs_kept.get(base)
            return body.forward.values[base] if kept is None else kept
        return body.input_values[base]

    def _constant(self, node: Node) -> Value:
        """The memory of a constant: a cell for one element, else a place among the constants."""
        constant: Constant = node.attrs["value"]
        array = constant.value
        if array.size != 1:
            return Value(SlotKind.CONST, array.dtype, array.nbytes, self.unit.constants.place(constant))
        return self.constant_cell(array)

    def constant_cell(self, array: np.ndarray[Any, Any]) -> Value:
        """The cell that holds a one-element constant."""
        key = (array.dtype, array.tobytes())
        cell = self.body.cells.get(key)
        if cell is None:
            cell = self.body.cells[key] = Value.result((), array.dtype)
            cell.kept = True
            self.body.constant_cells[cell] = self.unit.constants.place(Constant(array.reshape(())))
        return cell

    def is_kept(self, node: Node) -> bool:
        """Whether this segment makes what a later one reads of `node`."""
        return node in self._kept

    def arena_value(self, node: Node) -> Value:
        """Fresh memory for the result of `node`."""
        value = Value.result(node.shape, node.dtype)
        value.kept = node in self._kept
        return value

    def place_result(self, node: Node) -> Value:
        """Where the result of a loop or an opaque node goes: an output where nothing forbids it, else the arena."""
        ends = self.segment.ends.get(node)
        if ends and node not in self._kept and (node not in self.segment.needed or prod(node.shape) != 1):
            value = self.body.outputs[ends[0]]
            self.filled.add(ends[0])
        else:
            value = self.arena_value(node)
        self.values[node] = value
        return value

    def results_of(self, node: Node) -> list[tuple[Node | None, Result]]:
        """The results of an opaque node: the node that names each, where one does, and its type."""
        if node.results is None:
            return [(node, (node.shape, node.dtype))]
        named = self.body.results.get(node, {})
        return [(named.get(at), type_) for at, type_ in enumerate(node.results)]

    def place(self, named: Node | None, type_: Result) -> Value:
        """Where one of these results goes."""
        return Value.result(*type_) if named is None else self.place_result(named)

    def targets(self, node: Node) -> list[Value]:
        """All places a node of a loop is written to; a reduction is written once and copied from there."""
        ends = self.segment.ends.get(node, [])
        if not ends and node not in self.segment.needed:
            return []
        targets = [self.place_result(node)]
        if not node.op.combiner:
            more = [at for at in ends if at not in self.filled]
            self.filled.update(more)
            targets += [self.body.outputs[at] for at in more]
        return targets

    def whole(self, node: Node) -> Value:
        """The memory of a concatenation, which has its place once the first operand is written into it."""
        found = self.values.get(node)
        return self.place_result(node) if found is None else found

    def parts(self, node: Node) -> Iterator[tuple[Value, Part]]:
        """The concatenations that a node of a loop is written into, and where."""
        for part in self.segment.parts.get(node, ()):
            yield self.whole(part.whole), part

    # --- steps

    def cell(self, access: Access) -> Value:
        """The cell that holds a one-element access, loaded once where it lies in an array or an input."""
        known = self.values.get(access.base)
        if known is not None and known.cell:
            return known
        value, offset = self.place_of(access)
        if value.cell:
            return value
        key = (value, offset)
        found = self._loaded.get(key)
        if found is None:
            dtype = value.dtype
            found = self._loaded[key] = Value.result((), dtype)
            node_id = self.unit.node_id(access.base)
            at = offset * dtype.itemsize
            self.steps.append(ScalarStep(Micro.LOAD, dtype, dtype, found, (value,), node_id, at))
        return found

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

    # --- further bodies

    def lower(
        self, graphs: Sequence[Graph], may_share: frozenset[Share] | None, tapes: Mapping[int, int]
    ) -> Sequence[Body]:
        """Lower the graphs that one instruction runs, as bodies of the same Program.

        Args:
            may_share: which of their inputs an output may take over; any where it is None.
            tapes: which of their inputs are stacks, by position, with their tapes.
        """
        bodies = [Body(self.unit, graph, may_share=may_share, tapes=tapes) for graph in graphs]
        self.unit.lower(bodies)
        return bodies
