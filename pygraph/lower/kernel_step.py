"""The step of a row with a kernel: a CALL, cut into tasks by what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ..graph.node import Node
from ..ops.strides import broadcast_strides, row_major
from ..ops.table import kernel_number
from .fields import Operand
from .format import MAX_CALL_TASKS
from .instructions import Call
from .step_emitter import StepEmitter
from .steps import ALIGNMENT, PlainStep, SlotOf, Value, operand
from .views import Access, batch_strides

#: Operations of a task at least; fewer take less time than handing them to another thread.
TASK_OPERATIONS = 50_000


def call(emitter: StepEmitter, node: Node, accesses: tuple[Access, ...]) -> None:
    """Append the CALL of a node whose row has a kernel."""
    kernel = node.op.kernel
    assert kernel is not None
    shapes = [access.shape for access in accesses]
    bound = kernel.bind(shapes, node.attrs)
    numbers = kernel.numbers(bound, node.attrs)
    number = kernel_number(node.op, node.inputs[0].dtype)
    batch, operations = prod(bound.batch), kernel.operations(numbers)
    read = [accesses[at] for at in kernel.reads]
    values = [emitter.value(access.base) for access in read]
    results = emitter.results_of(node)
    targets = [emitter.place(result, type_) for result, type_ in results]
    node_id = emitter.unit.node_id(node)
    for at, target, (_, (shape, _)) in zip(kernel.updates, targets, results, strict=False):
        start = accesses[at]._replace(shape=shape, strides=broadcast_strides(accesses[at], shape))
        emitter.copy(start, target, 0, row_major(shape), node_id)
    each = _each(batch, operations)
    work = -(-kernel.work_bytes(numbers) // ALIGNMENT) * ALIGNMENT * -(-max(batch, 1) // each)
    workspace = Value.workspace(work) if work else None

    def argument(slot: SlotOf, value: Value, offset: int, shape: Sequence[int], core: Sequence[str | int]) -> Operand:
        alone = kernel.layout is not None
        return operand(slot, value, offset, () if alone else batch_strides(shape, len(core), len(bound.batch)))

    def made(slot: SlotOf) -> Call:
        operands = tuple(
            argument(slot, value, access.offset, access.shape, kernel.parsed.inputs[at])
            for at, access, value in zip(kernel.reads, read, values, strict=True)
        )
        written = tuple(
            argument(slot, target, 0, shape, core)
            for target, (_, (shape, _)), core in zip(targets, results, kernel.parsed.outputs, strict=True)
        )
        space = -1 if workspace is None else slot(workspace)
        updated = len(kernel.updates)
        return Call(number, each, space, tuple(numbers), bound.batch, operands, written[:updated], written[updated:])

    # What is updated is read as well: its live range must reach this step.
    reads = (*values, *targets[: len(kernel.updates)])
    temporaries = () if workspace is None else (workspace,)
    emitter.steps.append(PlainStep(made, node_id, reads, targets, temporaries, flops=operations * batch))


def _each(batch: int, operations: int) -> int:
    """How many applications make a task."""
    enough = -(-TASK_OPERATIONS // max(operations, 1))
    return min(max(enough, -(-batch // MAX_CALL_TASKS), 1), max(batch, 1))
