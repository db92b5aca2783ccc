"""The rule of `scan` for a batch: one loop over steps of the whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph.build import make, var
from ..graph.node import Node
from ..ops.control import bind_batch
from ..ops.row import lookup
from ..ops.shaping import in_batch
from .batching import batch
from .loops import Loop

TRANSPOSE = lookup("transpose")


def scan_batch(node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int) -> tuple[list[Node], list[bool]]:
    """The loop with the batch axis in all that depends on a batched operand.

    A carry has the axis when it begins with it or when a step brings it in; which ones do is found by repeating until
    no more are added. Everything else stays as it is, and is computed once for all examples.
    """
    loop = Loop.of(node)
    first, second = len(loop.consts), len(loop.consts) + len(loop.init)
    has_axis = list(flags)
    slots: list[Node | None] = [None] * len(has_axis)
    while True:
        for k, x in enumerate(loop.inputs):
            if has_axis[k] and slots[k] is None:
                slots[k] = var(x.attrs["name"], (size, *x.shape), x.dtype)
        outputs, found = batch(loop.outputs, loop.inputs, slots, size)
        grown = [k for k in range(len(loop.init)) if found[k] and not has_axis[first + k]]
        if not grown:
            break
        for k in grown:
            has_axis[first + k] = True
    carried = has_axis[first:second]
    inputs = [x if slot is None else slot for x, slot in zip(loop.inputs, slots, strict=True)]
    wide = replace(
        loop,
        consts=tuple(operands[:first]),
        init=tuple(
            in_batch(x, flag, size) if axis else x
            for x, flag, axis in zip(operands[first:second], flags[first:second], carried, strict=True)
        ),
        xs=tuple(_swapped(x) if flag else x for x, flag in zip(operands[second:], flags[second:], strict=True)),
        const_inputs=tuple(inputs[:first]),
        carry_inputs=tuple(inputs[first:second]),
        x_inputs=tuple(inputs[second:]),
        carry_outputs=tuple(
            in_batch(output, flag, size) if axis else output
            for output, flag, axis in zip(outputs, found, carried, strict=False)
        ),
        y_outputs=tuple(outputs[len(loop.init) :]),
        name=f"{loop.name}_batch",
    )
    results = wide.build()
    in_front = found[len(loop.init) :]
    ys = [_swapped(y) if flag else y for y, flag in zip(results[len(loop.init) :], in_front, strict=True)]
    return [*results[: len(loop.init)], *ys], [*carried, *in_front]


def _swapped(x: Node) -> Node:
    """The first two axes exchanged: a batch of stacks and a stack of batches are each other's."""
    return make(TRANSPOSE, (x,), {"axes": (1, 0, *range(2, len(x.shape)))})


bind_batch("scan", scan_batch)
