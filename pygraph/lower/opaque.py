"""Steps of the operations that have an instruction of their own, or are made of copies."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..ops.dtypes import CODES
from .loops import fill_loop
from .program import Opcode, SlotKind
from .steps import PlainStep, SlotOf, Value
from .views import Access, row_major

if TYPE_CHECKING:
    from ..graph.node import Node
    from .build import SegmentBuilder


def emit_opaque(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    """Append the steps of one opaque node."""
    _EMITTERS[node.op.name](segment, node, accesses)


def _concatenate(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    target = segment.place_result(node)
    strides = row_major(node.shape)
    axis = node.attrs["axis"]
    start = 0
    for access in accesses:
        segment.copy(access, target, start * strides[axis], strides, segment.shared.node_id(node))
        start += access.shape[axis]


def _unslice(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    target = segment.place_result(node)
    (access,) = accesses
    size = prod(node.shape)
    node_id = segment.shared.node_id(node)
    if size != prod(access.shape):
        zero = segment.owner.constant_cell(np.zeros((), node.dtype))
        segment.steps.append(fill_loop(zero, target, size, node_id))
    strides = row_major(node.shape)
    offset = sum(s * start for s, start in zip(strides, node.attrs["starts"], strict=True))
    steps = tuple(s * step for s, step in zip(strides, node.attrs["steps"], strict=True))
    segment.copy(access, target, offset if prod(access.shape) else 0, steps, node_id)


def _matmul(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    x, y = accesses
    transposed = bool(node.attrs["transpose_a"]), bool(node.attrs["transpose_b"])
    values = segment.value(x.base), segment.value(y.base)
    target = segment.place_result(node)
    rows, columns = node.shape[-2:]
    middle = x.shape[-2] if transposed[0] else x.shape[-1]
    batch = node.shape[:-2]

    def batch_strides(shape: tuple[int, ...]) -> list[int]:
        strides = row_major(shape)[:-2]
        lead = len(batch) - len(strides)
        return [0] * lead + [0 if n == 1 else s for n, s in zip(shape[:-2], strides, strict=True)]

    def operands(slot: SlotOf) -> list[int]:
        words = [CODES[node.dtype], rows, columns, middle, *map(int, transposed), len(batch), *batch]
        for access, value in zip(accesses, values, strict=True):
            words += [slot(value), access.offset, *batch_strides(access.shape)]
        return [*words, slot(target), 0, *batch_strides(node.shape)]

    segment.steps.append(
        PlainStep(
            Opcode.MATMUL,
            segment.shared.node_id(node),
            values,
            (target,),
            operands,
            flops=2 * rows * columns * middle * prod(batch),
        )
    )


def _along(shape: tuple[int, ...], axis: int) -> list[int]:
    """A shape as [outer, axis length, inner]."""
    return [prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :])]


def _take(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    x, index = accesses
    values = segment.value(x.base), segment.value(index.base)
    target = segment.place_result(node)

    def operands(slot: SlotOf) -> list[int]:
        words = [CODES[node.dtype], *_along(x.shape, node.attrs["axis"]), prod(index.shape)]
        return [*words, slot(values[0]), x.offset, slot(values[1]), index.offset, slot(target), 0]

    segment.steps.append(PlainStep(Opcode.GATHER, segment.shared.node_id(node), values, (target,), operands))


def _scatter(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    x, index, update = accesses
    values = segment.value(index.base), segment.value(update.base)
    target = segment.place_result(node)
    node_id = segment.shared.node_id(node)
    segment.copy(x, target, 0, row_major(x.shape), node_id)

    def operands(slot: SlotOf) -> list[int]:
        adds = int(node.op.name == "scatter_add")
        words = [CODES[node.dtype], adds, *_along(x.shape, node.attrs["axis"]), prod(index.shape)]
        return [*words, slot(values[0]), index.offset, slot(values[1]), update.offset, slot(target), 0]

    # The target is read as well: its live range must reach this step.
    segment.steps.append(PlainStep(Opcode.SCATTER, node_id, (*values, target), (target,), operands))


def _wrap_index(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    (index,) = accesses
    value = segment.value(index.base)
    target = segment.place_result(node)

    def operands(slot: SlotOf) -> list[int]:
        return [prod(node.shape), node.attrs["size"], slot(value), index.offset, slot(target), 0]

    segment.steps.append(PlainStep(Opcode.WRAP, segment.shared.node_id(node), (value,), (target,), operands))


def _scan(segment: SegmentBuilder, node: Node, accesses: tuple[Access, ...]) -> None:
    attrs = node.attrs
    length, n_consts, n_carry = attrs["length"], attrs["n_consts"], attrs["n_carry"]
    number, body = segment.lower_body(attrs["body"])
    named = segment.owner.results.get(node, {})
    assert node.results is not None
    targets = []
    for at, (shape, dtype) in enumerate(node.results):
        if at in named:
            targets.append(segment.place_result(named[at]))
        else:
            size = prod(shape)
            targets.append(Value(SlotKind.ARENA, dtype, size * dtype.itemsize, cell=size == 1))
    spare = [
        Value(SlotKind.ARENA, v.dtype, v.nbytes, cell=prod(shape) == 1)
        for v, (shape, _) in zip(targets[:n_carry], node.results, strict=False)
    ]
    workspace = Value(SlotKind.ARENA, np.dtype("float64"), max(body.arena_bytes, 8))
    values = [segment.value(access.base) for access in accesses]
    starts = [access.offset * value.dtype.itemsize for access, value in zip(accesses, values, strict=True)]

    def operands(slot: SlotOf) -> list[int]:
        n_xs, n_ys = len(accesses) - n_consts - n_carry, len(targets) - n_carry
        words = [number, length, int(attrs["reverse"]), slot(workspace), n_consts, n_carry, n_xs, n_ys]
        for value, start in zip(values[: n_consts + n_carry], starts, strict=False):
            words += [slot(value), start]
        for value in (*targets[:n_carry], *spare):
            words += [slot(value), 0]
        for at in range(n_consts + n_carry, len(accesses)):
            words += [slot(values[at]), starts[at], body.inputs[at].nbytes]
        for at in range(n_carry, len(targets)):
            words += [slot(targets[at]), 0, body.outputs[at].nbytes]
        return words

    segment.steps.append(
        PlainStep(
            Opcode.SCAN,
            segment.shared.node_id(node),
            values,
            targets,
            operands,
            temporaries=(workspace, *spare),
            flops=length * body.flops,
        )
    )


_EMITTERS = {
    "concatenate": _concatenate,
    "unslice": _unslice,
    "matmul": _matmul,
    "take": _take,
    "scatter_add": _scatter,
    "scatter_set": _scatter,
    "wrap_index": _wrap_index,
    "scan": _scan,
}
