"""Steps of the operations that have an instruction of their own, or are made of copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from ..graph.node import Node
from ..ops.control import branch as BRANCH, replay as REPLAY, scan as SCAN, while_loop as WHILE
from ..ops.products import matmul_row as MATMUL
from ..ops.row import Op
from . import control_steps
from .cuts import panels
from .in_place_concatenation import pieces
from .instructions import Matmul
from .kernel_step import call
from .loop_step import fill_loop
from .step_emitter import StepEmitter
from .steps import PlainStep, SlotOf, operand
from .views import Access, batch_strides


def emit_instruction(emitter: StepEmitter, node: Node) -> None:
    """Append the steps of one opaque node."""
    op = node.op
    emit = call if op.kernel is not None else _assemble if op.parts is not None else STEPS[op]
    emit(emitter, node, emitter.segment.accesses[node])


def _assemble(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """Copies the parts to their places in turn, but those that are there already, over zeros where they leave gaps."""
    done = emitter.segment.in_place.get(node, [False] * len(accesses))
    if all(done) and node not in emitter.values:
        return  # part of a larger one
    target = emitter.whole(node)
    size = prod(node.shape)
    if "f" in node.op.gaps and size != sum(prod(access.shape) for access in accesses):
        zero = emitter.constant_cell(np.zeros((), node.dtype))
        emitter.steps.append(fill_loop(zero, target, size, emitter.unit.node_id(node)))
    for written, (access, offset, strides) in zip(done, pieces(node, accesses), strict=True):
        if not written:
            emitter.copy(access, target, offset, strides, emitter.unit.node_id(node))


def _matmul(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    x, y = accesses
    transposed = bool(node.attrs["transpose_a"]), bool(node.attrs["transpose_b"])
    values = emitter.value(x.base), emitter.value(y.base)
    target = emitter.place_result(node)
    rows, columns = node.shape[-2:]
    middle = x.shape[-2] if transposed[0] else x.shape[-1]
    batch = node.shape[:-2]

    cut = panels(prod(batch), rows, columns, middle)

    def product(slot: SlotOf) -> Matmul:
        a, b = (
            operand(slot, value, access.offset, batch_strides(access.shape, 2, len(batch)))
            for access, value in zip(accesses, values, strict=True)
        )
        c = operand(slot, target, 0, batch_strides(node.shape, 2, len(batch)))
        return Matmul(rows, columns, middle, *transposed, cut, batch, a, b, c)

    flops = 2 * rows * columns * middle * prod(batch)
    emitter.steps.append(PlainStep(product, emitter.unit.node_id(node), values, (target,), flops=flops))


#: The rows that neither a loop nor a kernel computes.
STEPS: Mapping[Op, Callable[[StepEmitter, Node, tuple[Access, ...]], None]] = {
    MATMUL: _matmul,
    SCAN: control_steps.scan,
    BRANCH: control_steps.branch,
    WHILE: control_steps.while_loop,
    REPLAY: control_steps.replay,
}
