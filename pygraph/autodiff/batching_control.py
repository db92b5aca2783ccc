"""The rules of loops and branches for a batch: one loop over steps of the whole batch, one branch for all examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..graph.build import constant, make, substitute, var
from ..graph.graph import Graph
from ..graph.node import Node
from ..ops.control import bind_batch
from ..ops.row import lookup
from ..ops.shaping import in_batch
from .batching import batch
from .loops import BRANCH, OUTPUT, Loop
from .unbroadcast import reshaped

ADD = lookup("add")
LESS = lookup("less")
LESS_EQUAL = lookup("less_equal")
REDUCE_MAX = lookup("reduce_max")
SELECT = lookup("select")
TRANSPOSE = lookup("transpose")


def loop_batch(node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int) -> tuple[list[Node], list[bool]]:
    """The loop with the batch axis in all that depends on a batched operand.

    A carry has the axis when it begins with it or when a step brings it in; which ones do is found by repeating until
    no more are added. Everything else stays as it is, and is computed once for all examples. Where examples take
    different numbers of steps, the loop goes on until the last is done, and the carries of the others stay.
    """
    loop = Loop.of(node)
    count = operands[0] if loop.count is not None else None
    ragged = count is not None and flags[0]
    if count is not None:
        operands, flags = operands[1:], flags[1:]
    first, second = len(loop.consts), len(loop.consts) + len(loop.init)
    has_axis = list(flags)
    if ragged:
        has_axis[first:second] = [True] * len(loop.init)
    slots: list[Node | None] = [None] * len(has_axis)
    while True:
        for k, x in enumerate(loop.inputs):
            if has_axis[k] and slots[k] is None:
                slots[k] = var(x.attrs["name"], (size, *x.shape), x.dtype)
        outputs, found = batch(loop.expressions, loop.inputs, slots, size)
        ragged = ragged or (loop.condition is not None and found[-1])
        grown = [k for k in range(len(loop.init)) if (found[k] or ragged) and not has_axis[first + k]]
        if not grown:
            break
        for k in grown:
            has_axis[first + k] = True
    carried = has_axis[first:second]
    inputs = [x if slot is None else slot for x, slot in zip(loop.inputs, slots, strict=True)]
    arrays = loop.length is not None  # else xs and ys are stacks, whose elements have the axis in front already
    wide = replace(
        loop.with_expressions(outputs),
        consts=tuple(operands[:first]),
        init=tuple(
            in_batch(x, flag, size) if axis else x
            for x, flag, axis in zip(operands[first:second], flags[first:second], carried, strict=True)
        ),
        xs=tuple(
            _swapped(x) if flag and arrays else x for x, flag in zip(operands[second:], flags[second:], strict=True)
        ),
        const_inputs=tuple(inputs[:first]),
        carry_inputs=tuple(inputs[first:second]),
        x_inputs=tuple(inputs[second:]),
        carry_outputs=tuple(
            in_batch(output, flag, size) if axis else output
            for output, flag, axis in zip(outputs, found, carried, strict=False)
        ),
        count=count,
        name=f"{loop.name}_batch",
    )
    if ragged:
        wide = _until_the_last(wide)
    n_carry = len(loop.init)
    results = wide.build()
    results = [*results[:n_carry], *results[len(wide.init) :]]
    in_front = found[n_carry : n_carry + len(loop.y_outputs)]
    ys = [_swapped(y) if flag and arrays else y for y, flag in zip(results[n_carry:], in_front, strict=True)]
    return [*results[:n_carry], *ys], [*carried, *in_front]


def _until_the_last(loop: Loop) -> Loop:
    """A loop whose condition, or count of steps, is a batch: as many steps as the longest takes."""
    if loop.condition is not None:
        active = loop.condition
        loop = replace(loop, condition=make(REDUCE_MAX, (active,), {"axes": (0,)}))
    else:
        assert loop.count is not None
        counts, step = var("counts", loop.count.shape, loop.count.dtype), var("step", (), loop.count.dtype)
        steps = make(REDUCE_MAX, (loop.count,), {"axes": (0,)})
        active = make(LESS, (step, counts), {})
        begin = make(ADD, (steps, constant(-1)), {}) if loop.reverse else constant(0)
        loop = replace(
            loop,
            consts=(*loop.consts, loop.count),
            const_inputs=(*loop.const_inputs, counts),
            init=(*loop.init, begin),
            carry_inputs=(*loop.carry_inputs, step),
            carry_outputs=(*loop.carry_outputs, make(ADD, (step, constant(-1 if loop.reverse else 1)), {})),
            count=steps,
        )
    kept = [
        x if x.shape == () else make(SELECT, (_columns(active, x), new, x), {})
        for x, new in zip(loop.carry_inputs, loop.carry_outputs, strict=True)
    ]
    if loop.condition is None:
        kept[-1] = loop.carry_outputs[-1]  # the step itself
    return replace(loop, carry_outputs=tuple(kept))


def _columns(flags: Node, like: Node) -> Node:
    """One flag for each example with axes of size 1 after it, to be broadcast with a batch `like`."""

    return reshaped(flags, (*flags.shape, *[1] * (len(like.shape) - 1)))


def _swapped(x: Node) -> Node:
    """The first two axes exchanged: a batch of stacks and a stack of batches are each other's."""
    return make(TRANSPOSE, (x,), {"axes": (1, 0, *range(2, len(x.shape)))})


def branch_batch(
    node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> tuple[list[Node], list[bool]]:
    """A branch whose bodies are batches; where the index differs between examples, all bodies and a choice."""
    bodies: Sequence[Graph] = node.attrs["bodies"]
    index, rest = operands[0], operands[1:]
    if flags[0]:
        found = []
        for body in bodies:
            wholes = [x if flag else None for x, flag in zip(rest, flags[1:], strict=True)]
            outputs, axes = batch(body.outputs, body.inputs, wholes, size)
            shared = {k: x for k, x, flag in zip(body.inputs, rest, flags[1:], strict=True) if not flag}
            outputs = substitute(outputs, shared)
            found.append([in_batch(x, axis, size) for x, axis in zip(outputs, axes, strict=True)])
        chosen = found[-1]
        for number, outputs in reversed(list(enumerate(found[:-1]))):
            here = make(LESS_EQUAL, (index, constant(number)), {})
            chosen = [make(SELECT, (_columns(here, x), x, y), {}) for x, y in zip(outputs, chosen, strict=True)]
        return chosen, [True] * len(chosen)
    wide = []
    for body in bodies:
        slots = [
            var(x.attrs["name"], (size, *x.shape), x.dtype) if flag else None
            for x, flag in zip(body.inputs, flags[1:], strict=True)
        ]
        outputs, axes = batch(body.outputs, body.inputs, slots, size)
        wide.append(([x if s is None else s for x, s in zip(body.inputs, slots, strict=True)], outputs, axes))
    has_axis = [any(axes[k] for _, _, axes in wide) for k in range(len(bodies[0].outputs))]
    made = []
    for body, (inputs, outputs, axes) in zip(bodies, wide, strict=True):
        whole = [
            in_batch(x, axis, size) if wanted else x for x, axis, wanted in zip(outputs, axes, has_axis, strict=True)
        ]
        made.append(Graph.from_parts(inputs, whole, name=f"{body.name}_batch"))
    result = make(BRANCH, (index, *rest), {**node.attrs, "bodies": tuple(made)})
    return [make(OUTPUT, (result,), {"index": k}) for k in range(len(has_axis))], has_axis


for _name in ("scan", "while_loop", "replay"):
    bind_batch(_name, loop_batch)
bind_batch("branch", branch_batch)
