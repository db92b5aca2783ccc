"""LOOP instructions as C: nested loops with constant bounds, in tasks where the VM has several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..lower.decode import Loop
from ..lower.program import CHUNK
from .comments import node_comment
from .frames import Places
from .function import Function
from .nest import Nest, Pass, Tile
from .text import function
from .values import Dim, loop_values

#: Up to so many elements, guarded operations are written out in their plain form.
TINY = 16


def emit_loop(loop: Loop, places: Places, name: str, comments: bool) -> Function:
    """The function of a LOOP, called `name`, and of its tasks; `comments` say what each operation is."""
    if loop.split is not None:
        from .reduce import emit_reduction

        return emit_reduction(loop, places, name, comments)
    values = loop_values(loop, places)
    count = product(values.dims)
    if 0 in loop.dims:
        return Function("", "")
    nest = Nest(values, values.dims, values.dims, note_of(places, comments))
    cut = max(values.dims, key=lambda dim: dim.size) if count > CHUNK else None
    tasks, each = cut_dim(cut, -(-count // CHUNK))
    if cut is not None:
        nest.ranges[cut.number] = ("low", "high")
    nest.outer_values(0)
    write_map(nest, loop.block, count, Pass())
    return task_function(nest, places, name, tasks, cut_lines(cut, each))


def note_of(places: Places, comments: bool) -> Callable[[int], str]:
    """What is said of a node."""
    return partial(node_comment, places.program) if comments else lambda node: ""


def is_buffered(nest: Nest, count: int) -> bool:
    """Whether guarded operations run block by block."""
    return count > TINY and any(value.fast and value.dims for value in nest.values.values)


def write_map(nest: Nest, block: int, count: int, folds: Pass) -> None:
    """All loops of `nest`, in tiles of about `block` elements where an operation is guarded."""
    dims = nest.order
    if not is_buffered(nest, count):
        nest.tile(Tile(0, *(nest.range_of(dims[0]) if dims else ("0", "1")), 1, False), folds)
        return
    outside = tile_at(dims, block)
    most = max(1, block // product(dims[outside + 1 :]))
    for depth in range(outside):
        nest.loop(depth, len(dims))
        nest.outer_values(depth + 1)
    with_range(nest, outside, most, folds)
    for _ in range(outside):
        nest.writer.close()


def with_range(nest: Nest, outside: int, most: int, folds: Pass) -> None:
    """The tiles of one dimension, at most `most` of its elements each."""
    dim = nest.order[outside]
    low, high = nest.range_of(dim)
    if dim.size <= most and (low, high) == ("0", str(dim.size)):
        nest.tile(Tile(outside, low, high, dim.size, True), folds)
        return
    start, end = f"{dim.var}_low", f"{dim.var}_high"
    nest.writer.open(f"for (intptr_t {start} = {low}; {start} < {high}; {start} += {most})")
    nest.writer.line(f"const intptr_t {end} = {high} - {start} < {most} ? {high} : {start} + {most};")
    nest.tile(Tile(outside, start, end, most, True), folds)
    nest.writer.close()


def tile_at(dims: tuple[Dim, ...], block: int) -> int:
    """The outermost dimension of which a tile may have several elements, and all of those inside of it."""
    for at in range(len(dims)):
        if product(dims[at + 1 :]) <= block // 2:
            return at
    return len(dims) - 1


def product(dims: tuple[Dim, ...] | list[Dim]) -> int:
    """The number of elements."""
    count = 1
    for dim in dims:
        count *= dim.size
    return count


def cut_dim(dim: Dim | None, tasks: int) -> tuple[int, int]:
    """How many tasks a dimension is cut into, about `tasks`, and the elements of each."""
    if dim is None:
        return 1, 0
    each = -(-dim.size // tasks)
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
        return Function(function(f"static void {name}({arguments})", [*lines, *tail]), call, helpers or {})
    job = f"{name}_job"
    texts = [
        f"typedef struct {job} {{\n    const pg_call *call;\n    const {frame} *f;\n}} {job};",
        function(f"static void {name}_range({arguments}, intptr_t task)", lines),
        f"static void {name}_task(void *data, int64_t task, int worker) {{\n    const {job} *job = data;\n"
        f"    (void)worker;\n    {name}_range(job->call, job->f, (intptr_t)task);\n}}",
        function(
            f"static void {name}({arguments})",
            [f"{job} job = {{call, f}};", f"pg_tasks(call, {tasks}, {name}_task, &job);", *tail],
        ),
    ]
    return Function("\n\n".join(texts), call, helpers or {})
