"""The rules of loops for a batch: one loop over steps of the whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...graph.construction import as_node, constant, make, var
from ...graph.loop import Loop, Names, is_stack
from ...graph.node import Node
from ...graph.rewriting import substitute
from ...graph.traversal import walk
from ...ops.arithmetic import add as ADD
from ...ops.comparison import less as LESS
from ...ops.control import bind_batch
from ...ops.dtypes import bool_
from ...ops.leaves import input_row as INPUT
from ...ops.reductions import reduce_max as REDUCE_MAX
from ...ops.row import TABLE
from ...ops.shaping import in_batch, transpose_row as TRANSPOSE
from .batch import batch
from .batching_masks import any_of, chosen, first_of, fixed, lent, masked


def loop_batch(node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int) -> tuple[list[Node], list[bool]]:
    """The loop with the batch axis in all that depends on a batched operand.

    A carry has the axis when it begins with it or when a step brings it in; which ones do is found by repeating until
    no more are added. Everything else stays as it is, and is computed once for all examples. Where examples take
    different numbers of steps, the loop goes on until the last is done.
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
            as_node(in_batch(x, flag, size)) if axis else x
            for x, flag, axis in zip(operands[first:second], flags[first:second], carried, strict=True)
        ),
        xs=tuple(
            _swapped(x) if flag and arrays else x for x, flag in zip(operands[second:], flags[second:], strict=True)
        ),
        const_inputs=tuple(inputs[:first]),
        carry_inputs=tuple(inputs[first:second]),
        x_inputs=tuple(inputs[second:]),
        carry_outputs=tuple(
            as_node(in_batch(output, flag, size)) if axis else output
            for output, flag, axis in zip(outputs, found, carried, strict=False)
        ),
        count=count,
        name=f"{loop.name}_batch",
    )
    if ragged:
        wide = _until_the_last(wide, size, has_axis, flags)
    n_carry = len(loop.init)
    results = wide.build()
    results = [*results[:n_carry], *results[len(wide.init) :]]
    in_front = found[n_carry : n_carry + len(loop.y_outputs)]
    ys = [_swapped(y) if flag and arrays else y for y, flag in zip(results[n_carry:], in_front, strict=True)]
    return [*results[:n_carry], *ys], [*carried, *in_front]


def _until_the_last(loop: Loop, size: int, has_axis: Sequence[bool], varied: Sequence[bool]) -> Loop:
    """A loop whose condition, or count of steps, is a batch: as many steps as the longest takes.

    An example that has taken its last step takes that one again, and its carry stays. One that takes none takes those
    of the first example that does. So index errors, loops, values and derivatives are those of steps that an example
    takes by itself. For this the loop carries, besides the carry, the one that an example's last step began with.

    Args:
        loop: with the batch axis in all of its carry.
        size: of the batch.
        has_axis: for each of `loop.inputs` whether it has the axis.
        varied: for each of `loop.operands` whether it differs between examples.
    """
    if loop.condition is not None:
        active = Names(loop.inputs).new("active", (size,), bool_)
        start = dict(zip(loop.inputs, loop.operands, strict=True))
        (begun,) = substitute([loop.condition], start)
        wide = _repeating(loop, begun, active, size, has_axis, varied)
        after = dict(zip(loop.carry_inputs, wide.carry_outputs, strict=False))
        return replace(
            wide,
            init=(*wide.init, begun),
            carry_inputs=(*wide.carry_inputs, active),
            carry_outputs=(*wide.carry_outputs, *substitute([loop.condition], after)),
            condition=any_of(active),
        )
    assert loop.count is not None
    names = Names(loop.inputs)
    counts, step = names.new("counts", loop.count.shape, loop.count.dtype), names.new("step", (), loop.count.dtype)
    steps = make(REDUCE_MAX, (loop.count,), {"axes": (0,)}) if size else constant(0)
    started = make(LESS, (constant(0), loop.count), {})
    wide = _repeating(loop, started, make(LESS, (step, counts), {}), size, has_axis, varied)
    return replace(
        wide,
        consts=(*wide.consts, loop.count),
        const_inputs=(*wide.const_inputs, counts),
        init=(*wide.init, make(ADD, (steps, constant(-1)), {}) if loop.reverse else constant(0)),
        carry_inputs=(*wide.carry_inputs, step),
        carry_outputs=(*wide.carry_outputs, make(ADD, (step, constant(-1 if loop.reverse else 1)), {})),
        count=steps,
    )


def _repeating(
    loop: Loop, started: Node, active: Node, size: int, has_axis: Sequence[bool], varied: Sequence[bool]
) -> Loop:
    """`loop` with the carry kept where `active` is false; what a step computes there is an example's own last step.

    `started` says which examples take a step at all. The further carries begin with the carry of the last step.
    """
    first, second = len(loop.consts), len(loop.consts) + len(loop.init)
    names = Names((*loop.inputs, active) if active.op is INPUT else loop.inputs)
    row = first_of(started)

    def safe(x: Node, differs: bool) -> Node:
        return fixed(lent(started, x, row)) if differs and size else fixed(x)

    inside: dict[Node, Node] = {}
    consts, const_inputs = [], []
    asked = set() if loop.condition is None else set(walk([loop.condition]))
    for x, slot, axis, differs in zip(loop.consts, loop.const_inputs, has_axis, varied, strict=False):
        if not axis or _is_stack(slot, x, loop):
            consts.append(x)
            const_inputs.append(slot)
            continue
        if slot in asked:  # the condition is computed for each example with its own
            consts.append(x)
            const_inputs.append(slot)
        own = names.like(slot, str(slot.attrs["name"]))
        consts.append(lent(started, x, row) if differs and size else x)
        const_inputs.append(own)
        inside[slot] = masked(active, own)
    for slot, axis in zip(loop.x_inputs, has_axis[second:], strict=True):
        if axis:
            inside[slot] = masked(active, slot)
    last, last_inputs, last_outputs = [], [], []
    for x, slot, output, differs in zip(
        loop.init, loop.carry_inputs, loop.carry_outputs, varied[first:second], strict=True
    ):
        begin = names.like(slot, f"last_{slot.attrs['name']}")
        inside[slot] = chosen(active, slot, fixed(begin))
        last.append(safe(x, differs))
        last_inputs.append(begin)
        # backwards, examples wait for their first step, and are finished together
        last_outputs.append(begin if output is slot or loop.reverse else fixed(inside[slot]))
    results = substitute(loop.outputs, inside)
    kept = [
        slot if output is slot else chosen(active, new, slot)
        for slot, output, new in zip(loop.carry_inputs, loop.carry_outputs, results, strict=False)
    ]
    return replace(
        loop,
        consts=tuple(consts),
        const_inputs=tuple(const_inputs),
        init=(*loop.init, *last),
        carry_inputs=(*loop.carry_inputs, *last_inputs),
        carry_outputs=(*kept, *last_outputs),
        y_outputs=tuple(results[len(loop.init) :]),
    )


def _is_stack(slot: Node, operand: Node, loop: Loop) -> bool:
    """Whether a constant of `loop` is a stack, which a loop in its body goes over."""
    if is_stack(operand):
        return True
    inner = (node for node in walk(loop.expressions) if node.op.unbounded)
    return any(slot is x for node in inner for x in Loop.of(node).xs)


def _swapped(x: Node) -> Node:
    """The first two axes exchanged: a batch of stacks and a stack of batches are each other's."""
    return make(TRANSPOSE, (x,), {"axes": (1, 0, *range(2, len(x.shape)))})


for _op in (op for op in TABLE.values() if op.loop):
    bind_batch(_op, loop_batch)
