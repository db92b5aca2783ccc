"""LOOP instructions as C: nested loops with constant bounds, in tasks where the VM has several."""

from __future__ import annotations

from ...lower.instructions import Loop
from ..loops.loop_nest import Nest, Pass
from ..loops.loop_values import loop_values
from ..loops.tasks import cut_dim, cut_lines, task_function
from ..loops.tiles import product, spread_block, write_nest
from ..rendering.frames import Places
from ..rendering.function import Function
from .c_reduce import emit_reduction

#: What the blocks of a function may take of the stack, as far as blocks of so many elements allow.
STACK_BYTES = 48 * 1024
LEAST_BLOCK = 16


def emit_loop(loop: Loop, places: Places, name: str) -> Function:
    """The function of a LOOP, called `name`, and of its tasks."""
    if loop.split is not None:
        return emit_reduction(loop, places, name)
    if 0 in loop.dims:
        return Function("", "")
    values = loop_values(loop, places)
    count = product(values.dims)
    cut = max(values.dims, key=lambda dim: dim.size) if loop.tasks > 1 else None
    tasks, each = cut_dim(cut, loop.tasks)
    block = min(loop.block, spread_block(values))
    while True:
        nest = Nest(values, values.dims, values.dims, places)
        if cut is not None:
            nest.ranges[cut.number] = ("low", "high")
        nest.outer_values(0)
        write_nest(nest, block, count, Pass())
        if nest.block_bytes <= STACK_BYTES or block <= LEAST_BLOCK:
            return task_function(nest, places, name, tasks, cut_lines(cut, each))
        block = max(LEAST_BLOCK, block * STACK_BYTES // nest.block_bytes // 16 * 16)
