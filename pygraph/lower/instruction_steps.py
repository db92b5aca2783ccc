"""Steps of the operations that have an instruction of their own, or are made of copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod

import numpy as np

from ..graph.node import Node
from ..ops.control import branch as BRANCH, replay as REPLAY, scan as SCAN, while_loop as WHILE
from ..ops.indexing import scatter_add as SCATTER_ADD, scatter_set as SCATTER_SET
from ..ops.products import matmul_row as MATMUL
from ..ops.row import Op
from ..ops.strides import row_major
from . import control_steps
from .cuts import panels
from .format import Opcode
from .in_place_concatenation import pieces
from .kernel_step import call
from .loop_step import fill_loop
from .step_emitter import StepEmitter
from .steps import PlainStep, SlotOf
from .views import Access, batch_strides


def emit_instruction(emitter: StepEmitter, node: Node) -> None:
    """Append the steps of one opaque node."""
    op = node.op
    emit = call if op.kernel is not None else _assemble if op.parts is not None else _EMITTERS[op]
    emit(emitter, node, emitter.segment.accesses[node])


def _assemble(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """Copies the parts to their places, but those that are there already, over zeros where they leave gaps."""
    done = emitter.segment.in_place.get(node, [False] * len(accesses))
    if all(done) and node not in emitter.values:
        return  # part of a larger one
    target = emitter.whole(node)
    size = prod(node.shape)
    if node.op.gaps and size != sum(prod(access.shape) for access in accesses):
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

    def operands(slot: SlotOf) -> list[int]:
        cut = panels(prod(batch), rows, columns, middle)
        words = [rows, columns, middle, *map(int, transposed), *cut, len(batch), *batch]
        for access, value in zip(accesses, values, strict=True):
            words += [slot(value), access.offset, *batch_strides(access.shape, 2, len(batch))]
        return [*words, slot(target), 0, *batch_strides(node.shape, 2, len(batch))]

    emitter.steps.append(
        PlainStep(
            Opcode.MATMUL,
            emitter.unit.node_id(node),
            values,
            (target,),
            operands,
            flops=2 * rows * columns * middle * prod(batch),
        )
    )


def _along(shape: tuple[int, ...], axis: int) -> list[int]:
    """A shape as [outer, axis length, inner]."""
    return [prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])]


def _scatter(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...], *, adds: bool) -> None:
    x, index, update = accesses
    values = emitter.value(index.base), emitter.value(update.base)
    target = emitter.place_result(node)
    node_id = emitter.unit.node_id(node)
    emitter.copy(x, target, 0, row_major(x.shape), node_id)

    def operands(slot: SlotOf) -> list[int]:
        words = [int(adds), *_along(x.shape, node.attrs["axis"]), prod(index.shape)]
        return [*words, slot(values[0]), index.offset, slot(values[1]), update.offset, slot(target), 0]

    # The target is read as well: its live range must reach this step.
    emitter.steps.append(PlainStep(Opcode.SCATTER, node_id, (*values, target), (target,), operands))


#: The rows that neither a loop nor a kernel computes.
_EMITTERS: Mapping[Op, Callable[[StepEmitter, Node, tuple[Access, ...]], None]] = {
    MATMUL: _matmul,
    SCATTER_ADD: partial(_scatter, adds=True),
    SCATTER_SET: partial(_scatter, adds=False),
    SCAN: control_steps.scan,
    BRANCH: control_steps.branch,
    WHILE: control_steps.while_loop,
    REPLAY: control_steps.replay,
}
