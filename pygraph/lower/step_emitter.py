"""What the steps of a segment are made with: the memory of its nodes, and the steps that load and copy elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..graph.graph import Graph
from ..graph.node import Node, Result
from ..ops.constant_array import Constant
from ..ops.dtypes import CODES
from ..ops.leaves import constant_row as CONSTANT
from ..ops.strides import broadcast_strides
from .body import Body, BodySegment, Part, Share
from .format import SlotKind
from .loop_step import copy_loop
from .steps import CellValue, ScalarBlock, Value
from .views import Access, is_counter


class StepEmitter:
    """The memory of the nodes of one segment, and the steps that use it.

    Attributes:
        steps: what is there so far.
        values: the memory of the nodes that have some.
        filled: the numbers of the outputs that a step writes to.
        loaded: the cells of elements that are loaded, by the memory and the byte offset there.
        elements: by placed row that only names an element: its cell, where that is another one.
    """

    def __init__(self, body: Body, segment: BodySegment) -> None:
        self.body = body
        self.segment = segment
        self.unit = body.unit
        self.steps = segment.steps
        self.values = segment.values
        self.filled: set[int] = set()
        self.loaded: dict[tuple[Value, int], int] = {}
        self.elements: dict[int, int] = {}
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
        row = self.segment.cells.get(base)
        if row is not None:
            return body.cell_values[row]
        if self.segment is not body.forward and base in body.kept:
            kept = body.inputs_kept.get(base)
            if kept is not None:
                return kept
            row = body.forward.cells.get(base)
            return body.forward.values[base] if row is None else body.cell_values[row]
        return body.input_values[base]

    def _constant(self, node: Node) -> Value:
        """The memory of a constant: a cell for one element, else a place among the constants."""
        constant: Constant = node.attrs["value"]
        value = constant.value
        if value.size != 1:
            return Value(SlotKind.CONST, value.dtype, value.nbytes, self.unit.constants.place(constant))
        return self.constant_cell(value)

    def constant_cell(self, element: np.ndarray[Any, Any]) -> CellValue:
        """The cell that holds a one-element constant."""
        key = (element.dtype, element.tobytes())
        cell = self.body.constants.get(key)
        if cell is None:
            cell = self.body.constants[key] = self.body.cell_values.new(element.dtype)
            cell.kept = True
            self.body.constant_cells[cell] = self.unit.constants.place(Constant(element.reshape(())))
        return cell

    def is_kept(self, node: Node) -> bool:
        """Whether this segment makes what a later one reads of `node`."""
        return node in self._kept

    def arena_value(self, node: Node) -> Value:
        """Fresh memory for the result of `node`."""
        value = self.body.result(node.shape, node.dtype)
        if node in self._kept:
            value.kept = True
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
        return self.body.result(*type_) if named is None else self.place_result(named)

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

    def block(self) -> ScalarBlock:
        """The block that the next scalar micro-operation stands in; who adds one moves its end."""
        last = self.steps[-1] if self.steps else None
        if not isinstance(last, ScalarBlock):
            at = len(self.body.rows)
            last = ScalarBlock(self.body.rows, self.body.cell_values, at, at)
            self.steps.append(last)
        return last

    def find(self, access: Access) -> int | tuple[Value, int]:
        """The cell of a one-element access, or where it is to be loaded from: memory, and the byte offset there."""
        row = self.segment.cells.get(access.base)
        if row is not None:
            return row
        known = self.values.get(access.base)
        value, offset = (known, 0) if known is not None and known.cell else self.place_of(access)
        if value.cell:
            return value.index
        place = value, offset * value.dtype.itemsize
        return self.loaded.get(place, place)

    def cell(self, access: Access) -> int:
        """The cell that holds a one-element access, loaded once where it lies in an array or an input."""
        found = self.find(access)
        if isinstance(found, int):
            return found
        cell = self.loaded[found] = self.body.cells.new(CODES[found[0].dtype])
        block, node_id = self.block(), self.unit.node_id(access.base)
        self.body.rows.load(cell, *found, node_id)
        block.end += 1
        return cell

    def store(self, cell: int, target: Value, offset: int, node_id: int) -> None:
        """Write a cell to an element of `target`, at an offset in elements."""
        block = self.block()
        self.body.rows.store(cell, target, offset * target.dtype.itemsize, node_id)
        block.end += 1

    def store_all(self, cells: Sequence[int], targets: Sequence[Value], nodes: Sequence[Node]) -> None:
        """Write each of some cells, which hold these nodes, to the only element of its target."""
        block = self.block()
        self.body.rows.store_all(cells, targets, self.unit.node_ids(nodes))
        block.end += len(cells)

    def copy(self, access: Access, target: Value, offset: int, strides: tuple[int, ...], node_id: int) -> None:
        """Copy the elements of `access` to a strided place in `target` (offset and strides in elements)."""
        size = prod(access.shape)
        if size == 1:
            self.store(self.cell(access), target, offset, node_id)
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
