"""Steps of the operations that have an instruction of their own, or are made of copies."""

from __future__ import annotations

from math import prod

import numpy as np

from ..graph.node import Node
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
    emit = call if node.op.kernel is not None else _EMITTERS[node.op.name]
    emit(emitter, node, emitter.segment.accesses[node])


def _concatenate(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    done = emitter.segment.in_place.get(node, [False] * len(accesses))
    if all(done) and node not in emitter.values:
        return  # part of a larger one
    target = emitter.whole(node)
    for written, (access, offset, strides) in zip(done, pieces(node, accesses), strict=True):
        if not written:
            emitter.copy(access, target, offset, strides, emitter.unit.node_id(node))


def _unslice(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    target = emitter.place_result(node)
    (access,) = accesses
    size = prod(node.shape)
    node_id = emitter.unit.node_id(node)
    if size != prod(access.shape):
        zero = emitter.constant_cell(np.zeros((), node.dtype))
        emitter.steps.append(fill_loop(zero, target, size, node_id))
    strides = row_major(node.shape)
    offset = sum(s * start for s, start in zip(strides, node.attrs["starts"], strict=True))
    steps = tuple(s * step for s, step in zip(strides, node.attrs["steps"], strict=True))
    emitter.copy(access, target, offset if prod(access.shape) else 0, steps, node_id)


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


def _scatter(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    x, index, update = accesses
    values = emitter.value(index.base), emitter.value(update.base)
    target = emitter.place_result(node)
    node_id = emitter.unit.node_id(node)
    emitter.copy(x, target, 0, row_major(x.shape), node_id)

    def operands(slot: SlotOf) -> list[int]:
        adds = int(node.op.name == "scatter_add")
        words = [adds, *_along(x.shape, node.attrs["axis"]), prod(index.shape)]
        return [*words, slot(values[0]), index.offset, slot(values[1]), update.offset, slot(target), 0]

    # The target is read as well: its live range must reach this step.
    emitter.steps.append(PlainStep(Opcode.SCATTER, node_id, (*values, target), (target,), operands))


_EMITTERS = {
    "concatenate": _concatenate,
    "unslice": _unslice,
    "matmul": _matmul,
    "scatter_add": _scatter,
    "scatter_set": _scatter,
    "scan": control_steps.scan,
    "branch": control_steps.branch,
    "while_loop": control_steps.while_loop,
    "replay": control_steps.replay,
}
