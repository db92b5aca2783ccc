"""LOOP instructions as C: nested loops with constant bounds, in tasks where the VM has several."""

from __future__ import annotations

from ..lower.decode import Loop
from ..lower.program import task_elements
from .frames import Places
from .function import Function
from .nest import Nest, Pass
from .reduce import emit_reduction
from .tasks import cut_dim, cut_lines, note_of, task_function
from .tiles import product, spread_block, write_nest
from .values import loop_values


def emit_loop(loop: Loop, places: Places, name: str, comments: bool) -> Function:
    """The function of a LOOP, called `name`, and of its tasks; `comments` say what each operation is."""
    if loop.split is not None:
        return emit_reduction(loop, places, name, comments)
    if 0 in loop.dims:
        return Function("", "")
    values = loop_values(loop, places)
    count = product(values.dims)
    nest = Nest(values, values.dims, values.dims, note_of(places, comments))
    share = task_elements(len(loop.micros))
    cut = max(values.dims, key=lambda dim: dim.size) if count > share else None
    tasks, each = cut_dim(cut, -(-count // share))
    if cut is not None:
        nest.ranges[cut.number] = ("low", "high")
    nest.outer_values(0)
    write_nest(nest, min(loop.block, spread_block(values)), count, Pass())
    return task_function(nest, places, name, tasks, cut_lines(cut, each))
