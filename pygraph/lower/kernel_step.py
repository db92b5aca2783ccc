"""The step of a row with a kernel: a CALL, cut into tasks by what it costs."""

from __future__ import annotations

from math import prod

from ..graph.node import Node
from ..ops.table import kernel_number
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
    values = [emitter.value(access.base) for access in accesses]
    results = emitter.results_of(node)
    targets = [emitter.place(result, type_) for result, type_ in results]
    each = _each(batch, operations)
    work = -(-kernel.work_bytes(numbers) // ALIGNMENT) * ALIGNMENT * -(-max(batch, 1) // each)
    workspace = Value.workspace(work) if work else None
    rank, cores = len(bound.batch), [len(core) for core in kernel.parsed.inputs]

    def strides(shape: tuple[int, ...], core: int) -> list[int]:
        if kernel.layout is not None:
            return []
        return batch_strides(shape, core, rank)

    def made(slot: SlotOf) -> Call:
        operands = tuple(
            operand(slot, value, access.offset, strides(access.shape, core))
            for access, value, core in zip(accesses, values, cores, strict=True)
        )
        written = tuple(
            operand(slot, target, 0, strides(shape, len(axes)))
            for target, (_, (shape, _)), axes in zip(targets, results, kernel.parsed.outputs, strict=True)
        )
        space = -1 if workspace is None else slot(workspace)
        return Call(number, each, space, tuple(numbers), bound.batch, operands, written)

    temporaries = () if workspace is None else (workspace,)
    node_id = emitter.unit.node_id(node)
    emitter.steps.append(PlainStep(made, node_id, values, targets, temporaries, flops=operations * batch))


def _each(batch: int, operations: int) -> int:
    """How many applications make a task."""
    enough = -(-TASK_OPERATIONS // max(operations, 1))
    return min(max(enough, -(-batch // MAX_CALL_TASKS), 1), max(batch, 1))
