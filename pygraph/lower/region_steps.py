"""The steps of all segments: each region becomes one or several, with the memory that it reads and writes."""

from __future__ import annotations

from math import prod

from ..graph.node import Node
from ..ops.strides import broadcast_strides, row_major
from ..ops.table import micro_op
from .body import Body, Region
from .instruction_steps import emit_instruction
from .loop_step import LoopBuilder
from .step_emitter import StepEmitter
from .steps import ScalarStep
from .views import Access


def emit_steps(body: Body) -> None:
    """Write the steps of every region; then those that keep inputs for later segments, and those of other outputs."""
    body.number = len(body.unit.bodies)
    body.unit.bodies.append(body)
    for segment in body.segments:
        emitter = StepEmitter(body, segment)
        for region in segment.regions:
            if region.kind == "scalar":
                _emit_scalar(emitter, region)
            elif region.kind == "loop":
                _emit_loop(emitter, region)
            else:
                emit_instruction(emitter, region.nodes[0])
        if segment is body.forward:
            _keep_inputs(emitter)
        _fill_outputs(emitter)


def _emit_scalar(emitter: StepEmitter, region: Region) -> None:
    segment, cell, steps, node_id = emitter.segment, emitter.cell, emitter.steps, emitter.unit.node_id
    for node in region.nodes:
        cells = tuple(map(cell, segment.accesses[node]))
        if node.op.view is not None or node.op.combiner:
            cells[0].kept |= emitter.is_kept(node)
            emitter.values[node] = cells[0]
            continue
        target = emitter.values[node] = emitter.arena_value(node)
        steps.append(ScalarStep(micro_op(node.op), node.inputs[-1].dtype, node.dtype, target, cells, node_id(node)))


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


def _keep_inputs(emitter: StepEmitter) -> None:
    """Copy the inputs that later segments read: the caller's arrays may change."""
    body = emitter.body
    for node in body.graph.inputs:
        if node in body.kept:
            access = emitter.segment.views.resolve(node)
            if prod(node.shape) == 1:
                kept = emitter.cell(access)
                kept.kept = True
            else:
                kept = emitter.arena_value(node)
                emitter.copy(access, kept, 0, row_major(node.shape), emitter.unit.node_id(node))
            body.inputs_kept[node] = kept


def _fill_outputs(emitter: StepEmitter) -> None:
    """Copy what outputs are, where no step writes it to them."""
    body, segment = emitter.body, emitter.segment
    for at in segment.outputs:
        if at not in emitter.filled:
            node = body.graph.outputs[at]
            access = segment.views.resolve(node)
            emitter.copy(access, body.outputs[at], 0, row_major(node.shape), emitter.unit.node_id(node))
