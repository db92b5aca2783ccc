"""Functions of instructions, in tasks: parts of the work that threads may take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.text import function
from .loop_nest import Nest
from .loop_values import Dim

#: Tasks of many elements have a multiple of this, so that all their blocks are whole.
UNIT = 64


def cut_dim(dim: Dim | None, tasks: int) -> tuple[int, int]:
    """How many tasks a dimension is cut into, about `tasks`, and the elements of each."""
    if dim is None:
        return 1, 0
    each = -(-dim.size // tasks)
    if each >= 16 * UNIT:
        each = -(-each // UNIT) * UNIT
    return -(-dim.size // each), each


def cut_lines(dim: Dim | None, each: int) -> list[str]:
    """The range of a task."""
    if dim is None:
        return []
    low = f"task * {each}"
    return [f"const intptr_t low = {low}, high = {dim.size} - low < {each} ? {dim.size} : low + {each};"]


def task_function(
    nest: Nest, places: Places, name: str, tasks: int, head: Sequence[str], tail: Sequence[str] = ()
) -> Function:
    """The function of a LOOP: its loops, or a function for each task of them and `tail` after all tasks."""
    return task_functions([*nest.declarations(), *head, *nest.writer.lines], places, name, tasks, tail, nest.helpers)


def task_functions(
    lines: Sequence[str],
    places: Places,
    name: str,
    tasks: int,
    tail: Sequence[str] = (),
    helpers: Mapping[str, str] | None = None,
) -> Function:
    """A function of `lines`, in which `task` counts where there are several tasks; `tail` comes after all of them."""
    frame, call = places.frame, f"{name}(call, f);"
    arguments = f"const pg_call *call, const {frame} *f"
    if tasks == 1:
        return Function(function(f"PG_STEP void {name}({arguments})", [*lines, *tail]), call, helpers or {})
    job = f"{name}_job"
    texts = [
        f"typedef struct {job} {{\n    const pg_call *call;\n    const {frame} *f;\n}} {job};",
        function(f"PG_STEP void {name}_range({arguments}, intptr_t task)", lines),
        f"static void {name}_task(void *data, int64_t task, int worker) {{\n"
        f"    const {job} *job = (const {job} *)data;\n    (void)worker;\n"
        f"    {name}_range(job->call, job->f, (intptr_t)task);\n}}",
        function(
            f"PG_STEP void {name}({arguments})",
            [f"{job} job = {{call, f}};", f"pg_tasks(call, {tasks}, {name}_task, &job);", *tail],
        ),
    ]
    return Function("\n\n".join(texts), call, helpers or {})
