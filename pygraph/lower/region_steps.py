"""The steps of all segments: each region becomes one or several, with the memory that it reads and writes."""

from __future__ import annotations

from itertools import groupby
from math import prod

from ..graph.node import Node
from ..ops.strides import broadcast_strides, row_major
from .body import Body, Region
from .instruction_steps import emit_instruction
from .loop_step import LoopBuilder
from .scalar_steps import emit_scalars
from .step_emitter import StepEmitter
from .steps import Value
from .views import Access


def emit_steps(body: Body) -> None:
    """Write the steps of every region; then those that keep inputs for later segments, and those of other outputs."""
    body.number = len(body.unit.bodies)
    body.unit.bodies.append(body)
    for segment in body.segments:
        emitter = StepEmitter(body, segment)
        for region in segment.regions:
            if region.kind == "scalar":
                emit_scalars(emitter, region)
            elif region.kind == "loop":
                _emit_loop(emitter, region)
            else:
                emit_instruction(emitter, region.nodes[0])
        if segment is body.forward:
            _keep_cells(body)
            _keep_inputs(emitter)
        _fill_outputs(emitter)
    body.scalars.clear()


def _emit_loop(emitter: StepEmitter, region: Region) -> None:
    node_id = emitter.unit.node_id
    builder = LoopBuilder(region.shape, region.split, node_id(region.nodes[-1]))
    registers: dict[Node, int] = {}

    def load(access: Access) -> int:
        return builder.load(*emitter.place_of(access), broadcast_strides(access, region.shape))

    for node in region.nodes:
        operands = emitter.segment.accesses[node]
        if node.op.view is not None:
            registers[node] = load(operands[0])
        else:
            sources = tuple(
                registers[x] if x in registers else load(a) for a, x in zip(operands, node.inputs, strict=True)
            )
            if node.op.combiner:
                for value in emitter.targets(node):
                    builder.reduce(node.op, sources[0], value)
                continue
            registers[node] = builder.operate(node, node_id(node), sources)
        for value in emitter.targets(node):
            builder.store(registers[node], value)
        for whole, part in emitter.parts(node):
            register = registers[node] if part.source is None else load(part.source)
            builder.store(register, whole, part.offset, part.strides)
    emitter.steps.append(builder.finish())


def _keep_cells(body: Body) -> None:
    """Keep the single elements that later segments read."""
    cells, kept = body.forward.cells, body.cells.kept
    for node in body.kept:
        row = cells.get(node)
        if row is not None:
            kept[row] = True


def _keep_inputs(emitter: StepEmitter) -> None:
    """Copy the inputs that later segments read: the caller's arrays may change."""
    body = emitter.body
    for node in body.graph.inputs:
        if node in body.kept:
            access = emitter.segment.views.resolve(node)
            if prod(node.shape) == 1:
                kept: Value = body.cell_values[emitter.cell(access)]
                kept.kept = True
            else:
                kept = emitter.arena_value(node)
                emitter.copy(access, kept, 0, row_major(node.shape), emitter.unit.node_id(node))
            body.inputs_kept[node] = kept


def _fill_outputs(emitter: StepEmitter) -> None:
    """Copy what outputs are, where no step writes it to them."""
    body, segment, outputs = emitter.body, emitter.segment, emitter.body.graph.outputs
    left = [at for at in segment.outputs if at not in emitter.filled]
    for in_cells, group in groupby(left, lambda at: outputs[at] in segment.cells):
        if in_cells:  # of large scalar graphs these are many
            places = list(group)
            nodes = [outputs[at] for at in places]
            emitter.store_all([segment.cells[x] for x in nodes], [body.outputs[at] for at in places], nodes)
            continue
        for at in group:
            node = outputs[at]
            node_id = emitter.unit.node_id(node)
            emitter.copy(segment.views.resolve(node), body.outputs[at], 0, row_major(node.shape), node_id)
