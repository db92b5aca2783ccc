"""LOOP instructions that reduce, as C: the elements combine in the order of csrc/reduce.c, which a Program fixes.

Where a result has many rows of one element (inner == 1), blocks of rows fold in 16 lanes and their values join in
order. Everywhere else each element of a result is a fold from left to right, so that loops may be nested as is best. A
fold that starts from its exact identity gives the bits of one that starts from the first element.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...lower.fields import Reduced
from ...lower.instructions import Loop
from ...ops.dtypes import SUFFIXES
from ...ops.table import reduction_at
from ..loops.loop_nest import Nest, Pass, Tile
from ..loops.loop_values import Dim, Group, Values, index_text, loop_values
from ..loops.tasks import cut_dim, cut_lines, task_function
from ..loops.tiles import product, write_nest
from ..rendering.combiners import accumulator, combined, empty, guarded, is_wide, neutral
from ..rendering.expressions import SIZES, TYPES
from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.headers import stamp
from ..rendering.text import function

#: Fewer rows than this fold from left to right; so many lanes fold more of them.
LANES = 16
#: Up to so many rows are combined without a loop in memory around them.
FEW_ROWS = 8
#: From so many elements on, a row that folds to one is put in a buffer first.
SHORT_ROWS = 4
#: Elements of a result that stay in a cache while rows are added to them; those that accumulate in memory of their own.
PIECE, WIDE_PIECE = 4096, 1024


def emit_reduction(loop: Loop, places: Places, name: str) -> Function:
    """The function of a LOOP that reduces, called `name`, and of its tasks."""
    assert loop.split is not None
    if 0 in loop.split:
        return _identities(loop, places, name)
    return _Reduction(loop, loop.split, places, name).emit()


def scaled(variable: str, factor: int) -> str:
    """A product with a constant."""
    return variable if factor == 1 else f"{variable} * {factor}"


def _identities(loop: Loop, places: Places, name: str) -> Function:
    """Results of no elements."""
    assert loop.split is not None
    count = loop.split[0] * loop.split[2]
    if count == 0:
        return Function("", "")
    lines = []
    for q, reduce in enumerate(loop.reduces):
        kind = TYPES[reduce.dtype]
        lines += [
            f"{kind} *restrict r{q} = {places.pointer(reduce.slot, reduce.offset, True)};",
            f"for (intptr_t i = 0; i < {count}; i++) r{q}[i] = {empty(reduce)};",
        ]
    head = f"PG_STEP void {name}(const pg_call *call, const {places.frame} *f)"
    return Function(function(head, lines), f"{name}(call, f);")


class _Reduction:
    """Writes the loops of one reduction."""

    def __init__(self, loop: Loop, split: tuple[int, int, int], places: Places, name: str) -> None:
        self.loop = loop
        self.places = places
        self.name = name
        self.outer, self.rows, self.inner = split
        self.chunks, self.each = loop.cut.partials(self.rows), loop.cut.rows
        self.values: Values = loop_values(loop, places)
        self.outer_dims = self.values.group(Group.OUTER)
        self.row_dims = self.values.group(Group.ROWS)
        self.inner_dims = self.values.group(Group.INNER)
        self.head: list[str] = []
        self.helpers: dict[str, str] = {}
        self.nest: Nest

    def emit(self) -> Function:
        """The text."""
        few = self.rows <= FEW_ROWS if self.inner > 1 else self.rows < LANES
        direct = self.inner >= LANES and not few
        rows, inner = self.row_dims, self.inner_dims
        order = self.outer_dims + (inner + rows if few else rows + inner)
        outside = 0
        if direct:
            outside = self._inner_outside()
            order = self.outer_dims + inner[:outside] + rows + inner[outside:]
        short = few and self.inner == 1 and self.rows >= SHORT_ROWS
        independent = self.outer_dims + inner if (few and not short) or direct else self.values.dims
        self.nest = Nest(self.values, order, independent, self.places)
        for q, reduce in enumerate(self.loop.reduces):
            self.head.append(f"{self._result_type(reduce)} *restrict r{q} = {self._target(q, reduce)};")
        tasks = self._tasks(order, direct or few)
        self.nest.outer_values(0)
        if short:
            self._short_rows()
        elif few:
            self._few_rows()
        else:
            self._enter_outer()
            if direct:
                self._direct(outside)
            elif self.inner == 1:
                self._lanes()
            else:
                self._narrow()
            self._leave_outer()
        done = task_function(self.nest, self.places, self.name, tasks, self.head, self._combine())
        return Function(done.text, done.call, {**self.helpers, **done.helpers})

    # Results

    def _strides(self, cell: int) -> list[int]:
        """By dimension: what a step of it is in the results, or in partial results of `cell` elements each."""
        strides = [0] * len(self.values.dims)
        step = 1
        for group in (self.inner_dims, self.outer_dims):
            for dim in reversed(group):
                strides[dim.number] = step
                step *= dim.size
            if group is self.inner_dims and self.chunks > 1:
                step *= self.chunks * cell
        return strides

    def _target(self, q: int, reduce: Reduced) -> str:
        """The results of a reduction, or its partial results."""
        if self.chunks == 1:
            return self.places.pointer(reduce.slot, reduce.offset, True)
        return self._partial(q, reduce, 0)

    def _partial(self, q: int, reduce: Reduced, o: int) -> str:
        cells = (q * self.outer + o) * self.chunks * self.inner
        dtype = self._partial_dtype(reduce)
        return self.places.pointer(self.loop.scratch, cells * 8 // SIZES[dtype], True, dtype)

    def _partial_dtype(self, reduce: Reduced) -> int:
        """The dtype of partial results, each of which has 8 bytes."""
        return TYPES.index("double") if is_wide(reduce) else reduce.dtype

    def _result_type(self, reduce: Reduced) -> str:
        """The C type of what `r` points to: results, or partial ones."""
        return TYPES[reduce.dtype] if self.chunks == 1 else accumulator(reduce)

    def _stored(self, reduce: Reduced, value: str) -> str:
        """An accumulated value as what `r` points to."""
        kind = self._result_type(reduce)
        return value if kind == accumulator(reduce) else f"({kind}){value}"

    def _index(self, reduce: Reduced, dims: Sequence[Dim]) -> str:
        """The index of a result, or of a partial one, that `dims` tell apart."""
        cell = 8 // SIZES[self._partial_dtype(reduce)]
        origin = "" if self.chunks == 1 else scaled("chunk", self.inner * cell)
        return index_text(self._strides(cell), dims, origin)

    def _result(self, q: int) -> str:
        """An element of a result inside of the loops over all of its dimensions."""
        return f"r{q}[{self._index(self.loop.reduces[q], self.outer_dims + self.inner_dims)}]"

    def _helper(self, reduce: Reduced, what: str, result: str = "") -> str:
        """The name of a library function made for the combiner; `result` is the type of what ROWS gives."""
        kind, suffix, wide = TYPES[reduce.dtype], SUFFIXES[reduce.dtype], accumulator(reduce)
        name = reduction_at(reduce.combiner).combiner
        of, made = f"pg_of_{name}_{suffix}", f"pg_{what}_{name}_{suffix}"
        types = [kind, wide]
        if result:
            types.append(result)
            made += f"_{SUFFIXES[TYPES.index(result)]}" if result != kind else ""
        self.helpers[of] = f"PG_INLINE {wide} {of}({wide} a, {wide} b) {{ return {combined(reduce, 'a', 'b')}; }}"
        self.helpers[made] = stamp("pg_reduce.h", f"PG_DEFINE_{what.upper()}", *types, of, made)
        return self._guarded(reduce, types, made) if what == "rows" else made

    def _guarded(self, reduce: Reduced, types: Sequence[str], rows: str) -> str:
        """The name of a function that does what `rows` does, faster for elements under the combiner's guard."""
        fast = guarded(reduce, "a", "b")
        if fast is None:
            return rows
        kind, wide, result = types
        mask = f"uint{8 * SIZES[reduce.dtype]}_t"
        ok, quick, made = f"{rows}_ok", f"{rows}_quick", f"{rows}_guarded"
        self.helpers[ok] = f"PG_INLINE int {ok}({kind} a) {{ return {fast[0]}; }}"
        self.helpers[quick] = f"PG_INLINE {wide} {quick}({wide} a, {wide} b) {{ return {fast[1]}; }}"
        self.helpers[f"{quick}_rows"] = stamp("pg_reduce.h", "PG_DEFINE_ROWS", *types, quick, f"{quick}_rows")
        stamped = stamp("pg_reduce.h", "PG_DEFINE_GUARDED_ROWS", kind, mask, result, ok, f"{quick}_rows", rows, made)
        self.helpers[made] = stamped
        return made

    # Tasks

    def _tasks(self, order: Sequence[Dim], cut_inner: bool) -> int:
        """The number of tasks; the ranges or indices of each go to the head of the function."""
        if self.chunks > 1:
            self.head.append(
                f"const intptr_t chunk = task % {self.chunks};" if self.outer > 1 else "const intptr_t chunk = task;"
            )
            left = self.outer
            for dim in self.outer_dims:
                left //= dim.size
                index = f"task / {self.chunks * left}"
                if dim is not self.outer_dims[0]:
                    index += f" % {dim.size}"
                self.head.append(f"const intptr_t {dim.var} = {index};")
            self.head.append(f"const intptr_t low = chunk * {self.each};")
            end = f"{self.rows} - low < {self.each} ? {self.rows} : low + {self.each}"
            self.head.append(f"const intptr_t high = {end};")
            return self.outer * self.chunks
        dims = self.outer_dims + self.inner_dims if cut_inner else self.outer_dims
        if self.loop.tasks == 1 or not dims:
            return 1
        cut = max(dims, key=lambda dim: dim.size)
        tasks, each = cut_dim(cut, self.loop.tasks)
        if tasks > 1:
            self.nest.ranges[cut.number] = ("low", "high")
            self.head += cut_lines(cut, each)
        return tasks

    def _combine(self) -> list[str]:
        """After all tasks: the partial results become results."""
        lines: list[str] = []
        if self.chunks == 1:
            return lines
        for q, reduce in enumerate(self.loop.reduces):
            combine, kind = self._helper(reduce, "combine"), TYPES[reduce.dtype]
            result = self.places.pointer(reduce.slot, reduce.offset, True)
            partial = f"{accumulator(reduce)} *partial{q} = {self._partial(q, reduce, 0)};"
            lines += [f"{kind} *result{q} = {result};", partial]
            call = f"{combine}({self.chunks}, {self.inner}, result{q}"
            if self.outer == 1:
                lines.append(f"{call}, partial{q});")
            else:
                lines.append(f"for (intptr_t o = 0; o < {self.outer}; o++)")
                step = self.chunks * self.inner * 8 // SIZES[self._partial_dtype(reduce)]
                lines.append(f"    {call} + {scaled('o', self.inner)}, partial{q} + {scaled('o', step)});")
        return lines

    # Loops

    def _enter_outer(self) -> None:
        """The loops over the outer dimensions; a chunk has its own index of each."""
        for depth in range(len(self.outer_dims)):
            if self.chunks == 1:
                self.nest.loop(depth, len(self.nest.order))
            self.nest.outer_values(depth + 1)

    def _leave_outer(self) -> None:
        if self.chunks == 1:
            for _ in self.outer_dims:
                self.nest.writer.close()

    def _row_range(self) -> tuple[str, str]:
        return ("low", "high") if self.chunks > 1 else ("0", str(self.rows))

    def _few_rows(self) -> None:
        """Each result in a variable."""
        depth = len(self.nest.order) - len(self.row_dims)
        folds = Pass()
        for q, reduce in enumerate(self.loop.reduces):
            value = self.values.folds[q].value.name
            folds.before[depth].append(f"{accumulator(reduce)} t{q} = {neutral(reduce)};")
            folds.at[len(self.nest.order)].append(f"t{q} = {combined(reduce, f't{q}', value)};")
            folds.after[depth].append(f"{self._result(q)} = {self._stored(reduce, f't{q}')};")
        write_nest(self.nest, self.loop.block, product(self.values.dims), folds)

    def _short_rows(self) -> None:
        """Rows of a few elements each: the values of several rows in buffers, so that loops vectorise, then folded."""
        writer, nest, outer = self.nest.writer, self.nest, self.outer_dims
        helpers = [self._helper(reduce, "rows", TYPES[reduce.dtype]) for reduce in self.loop.reduces]
        if not outer:
            self._buffers(self.rows)
            self._tile_into_buffers(Tile(0, "0", str(self.row_dims[0].size), self.row_dims[0].size, self._buffered()))
            for q, name in enumerate(helpers):
                writer.line(f"{name}(1, {self.rows}, &{self._result(q)}, c{q});")
            return
        for depth in range(len(outer) - 1):
            nest.loop(depth, len(nest.order))
            nest.outer_values(depth + 1)
        dim = outer[-1]
        step = min(dim.size, max(1, self.loop.block // self.rows))
        low, high = nest.range_of(dim)
        start, end = f"{dim.var}_low", f"{dim.var}_high"
        self._buffers(step * self.rows)
        writer.open(f"for (intptr_t {start} = {low}; {start} < {high}; {start} += {step})")
        writer.line(f"const intptr_t {end} = {high} - {start} < {step} ? {high} : {start} + {step};")
        self._tile_into_buffers(Tile(len(outer) - 1, start, end, step, self._buffered()))
        for q, (name, reduce) in enumerate(zip(helpers, self.loop.reduces, strict=True)):
            index = self._index(reduce, outer[:-1])
            place = start if index == "0" else f"{index} + {start}"
            writer.line(f"{name}({end} - {start}, {self.rows}, r{q} + {place}, c{q});")
        for _ in outer:
            writer.close()

    def _inner_outside(self) -> int:
        """How many of the inner dimensions are around the rows, so that the others' elements stay in a cache."""
        limit = self._piece()
        for at in range(len(self.inner_dims)):
            if product(self.inner_dims[at:]) <= limit:
                return at
        return len(self.inner_dims) - 1

    def _piece(self) -> int:
        """Elements of a result that accumulate at a time."""
        piece = WIDE_PIECE if any(map(self._apart, self.loop.reduces)) else PIECE
        return min(piece, self.loop.block) if self._buffered() else piece

    def _apart(self, reduce: Reduced) -> bool:
        """Whether results that rows are added to accumulate in memory of their own, in a wider type."""
        return is_wide(reduce) and self.chunks == 1

    def _buffered(self) -> bool:
        return any(value.apart and value.dims for value in self.values.values)

    def _direct(self, outside: int) -> None:
        """Rows added to the result in memory, in pieces of it that stay in a cache."""
        nest, writer = self.nest, self.nest.writer
        base = len(self.outer_dims)
        for depth in range(base, base + outside):
            nest.loop(depth, len(nest.order))
            nest.outer_values(depth + 1)
        piece = self.inner_dims[outside]
        low, high = nest.range_of(piece)
        most = piece.size
        limit = self._piece()
        pieces = product(self.inner_dims[outside:]) > limit
        if pieces:
            most = max(16, limit // product(self.inner_dims[outside + 1 :]))
            writer.open(f"for (intptr_t p = {low}; p < {high}; p += {most})")
            writer.line(f"const intptr_t p_end = {high} - p < {most} ? {high} : p + {most};")
            low, high = "p", "p_end"
        around = self.inner_dims[outside:]
        cells = product(around[1:])
        for q, reduce in enumerate(self.loop.reduces):
            if self._apart(reduce):
                writer.line(nest.locals.declare(accumulator(reduce), f"t{q}", most * cells))
        self._each(outside, low, high, lambda q, reduce: f"{self._sum(q, around, low)} = {neutral(reduce)};")
        rows = base + outside
        if len(self.row_dims) > 1 and self.chunks > 1:
            writer.open(f"for (intptr_t row = {self._row_range()[0]}; row < {self._row_range()[1]}; row++)")
            self._row_indices("row")
        else:
            if self.chunks > 1:
                nest.ranges[self.row_dims[0].number] = self._row_range()
            for depth in range(rows, rows + len(self.row_dims)):
                nest.loop(depth, len(nest.order))
                nest.outer_values(depth + 1)
        depth = rows + len(self.row_dims)
        folds = Pass()
        for q, reduce in enumerate(self.loop.reduces):
            target = self._sum(q, around, low)
            folds.at[len(nest.order)].append(f"{target} = {combined(reduce, target, self.values.folds[q].value.name)};")
        nest.tile(Tile(depth, low, high, most, self._buffered()), folds)
        for _ in range(1 if len(self.row_dims) > 1 and self.chunks > 1 else len(self.row_dims)):
            writer.close()

        def finished(q: int, reduce: Reduced) -> str:
            value = self._stored(reduce, self._sum(q, around, low))
            return f"{self._result(q)} = {value};" if self._apart(reduce) else ""

        if any(map(self._apart, self.loop.reduces)):
            self._each(outside, low, high, finished)
        for _ in range(outside + pieces):
            writer.close()

    def _sum(self, q: int, dims: Sequence[Dim], low: str) -> str:
        """What an element of a result accumulates in: itself, or memory of its own for the piece from `low`."""
        if not self._apart(self.loop.reduces[q]):
            return self._result(q)
        strides = [0] * len(self.values.dims)
        step = 1
        for dim in reversed(dims):
            strides[dim.number] = step
            step *= dim.size
        cells = step // dims[0].size
        origin = "" if low == "0" else f"-{low}" if cells == 1 else f"-{low} * {cells}"
        return f"t{q}[{index_text(strides, dims, origin)}]"

    def _each(self, outside: int, low: str, high: str, write: Callable[[int, Reduced], str]) -> None:
        """A line for each element and reduction of the part of the results that follows."""
        writer = self.nest.writer
        for at, dim in enumerate(self.inner_dims[outside:]):
            start, end = self.nest.range_of(dim) if at else (low, high)
            writer.open(f"for (intptr_t {dim.var} = {start}; {dim.var} < {end}; {dim.var}++)")
        for q, reduce in enumerate(self.loop.reduces):
            line = write(q, reduce)
            if line:
                writer.line(line)
        for _ in self.inner_dims[outside:]:
            writer.close()

    def _row_indices(self, row: str) -> None:
        """The indices of a row counted in C order, and what varies with them alone."""
        left = product(self.row_dims)
        depth = self.nest.order.index(self.row_dims[0])
        for dim in self.row_dims:
            left //= dim.size
            index = row if left == 1 else f"{row} / {left}"
            if dim is not self.row_dims[0]:
                index += f" % {dim.size}"
            self.nest.writer.line(f"const intptr_t {dim.var} = {index};")
            depth += 1
            self.nest.outer_values(depth)

    def _narrow(self) -> None:
        """Rows of a few elements: a buffer of them, then added one after another."""
        writer, dims = self.nest.writer, self.row_dims
        for q, reduce in enumerate(self.loop.reduces):
            writer.line(self.nest.locals.declare(accumulator(reduce), f"t{q}", self.inner))
            writer.line(f"for (intptr_t j = 0; j < {self.inner}; j++) t{q}[j] = {neutral(reduce)};")
        step = min(self.rows, max(1, self.loop.block // self.inner))
        self._buffers(step * self.inner)

        def fold(count: str) -> None:
            for q, reduce in enumerate(self.loop.reduces):
                writer.line(f"{self._helper(reduce, 'accumulate')}({count}, {self.inner}, t{q}, c{q});")

        if len(dims) > 1:
            self._runs(step, 1, "", fold)
        else:
            self._blocks(step, fold)
        for q, reduce in enumerate(self.loop.reduces):
            index = self._index(reduce, self.outer_dims)
            index = "j" if index == "0" else f"{index} + j"
            value = self._stored(reduce, f"t{q}[j]")
            writer.line(f"for (intptr_t j = 0; j < {self.inner}; j++) r{q}[{index}] = {value};")

    def _lanes(self) -> None:
        """Many rows of one element: blocks that fold in lanes, and join in order."""
        writer, dims, block = self.nest.writer, self.row_dims, self.loop.block
        whole = self.chunks == 1 and self.rows <= block
        if whole:
            self._buffers(self.rows)
            depth = len(self.outer_dims)
            self._tile_into_buffers(Tile(depth, "0", str(dims[0].size), dims[0].size, self._buffered()))
            for q, reduce in enumerate(self.loop.reduces):
                rows = self._helper(reduce, "rows", TYPES[reduce.dtype])
                writer.line(f"{rows}(1, {self.rows}, &{self._result(q)}, c{q});")
            return
        for q, reduce in enumerate(self.loop.reduces):
            writer.line(f"{accumulator(reduce)} t{q} = {neutral(reduce)}, s{q};")

        def fold(count: str) -> None:
            for q, reduce in enumerate(self.loop.reduces):
                writer.line(f"{self._helper(reduce, 'rows', accumulator(reduce))}(1, {count}, &s{q}, c{q});")
                writer.line(f"t{q} = {combined(reduce, f't{q}', f's{q}')};")

        if len(dims) > 1:
            unit = 1 if self.chunks > 1 else self._unit()
            self._buffers(block + unit - 1)
            self._runs(block, unit, "filled", fold)
        else:
            self._buffers(block)
            self._blocks(block, fold)
        for q, reduce in enumerate(self.loop.reduces):
            writer.line(f"{self._result(q)} = {self._stored(reduce, f't{q}')};")

    def _buffers(self, size: int) -> None:
        for q, reduce in enumerate(self.loop.reduces):
            self.nest.buffer(f"c{q}", reduce.dtype, size)

    def _tile_into_buffers(self, tile: Tile, origin: str = "") -> None:
        """A tile whose values to reduce go to buffers, from `origin` on."""
        folds = Pass()
        index = self.nest.cells(tile, len(self.nest.order))[0]
        index = f"{origin} + {index}" if origin else index
        for q in range(len(self.loop.reduces)):
            folds.at[len(self.nest.order)].append(f"c{q}[{index}] = {self.values.folds[q].value.name};")
        self.nest.tile(tile, folds)

    def _blocks(self, step: int, fold: Callable[[str], None]) -> None:
        """One dimension of rows, `step` rows a block."""
        writer, dim = self.nest.writer, self.row_dims[0]
        low, high = self._row_range()
        start, end = f"{dim.var}_low", f"{dim.var}_high"
        writer.open(f"for (intptr_t {start} = {low}; {start} < {high}; {start} += {step})")
        writer.line(f"const intptr_t {end} = {high} - {start} < {step} ? {high} : {start} + {step};")
        self._tile_into_buffers(Tile(self.nest.order.index(dim), start, end, step, self._buffered()))
        fold(f"{end} - {start}")
        writer.close()

    def _unit(self) -> int:
        """The rows of the innermost dimensions that are filled in as one."""
        unit = 1
        for dim in reversed(self.row_dims[1:]):
            if unit >= LANES or unit * dim.size > self.loop.block // 2:
                break
            unit *= dim.size
        return unit

    def _runs(self, block: int, unit: int, filled: str, fold: Callable[[str], None]) -> None:
        """Several dimensions of rows: runs along one of them, each of whole units of the dimensions inside of it.

        Without `filled` each run is folded by itself, else blocks of exactly `block` rows are.
        """
        writer, order = self.nest.writer, self.nest.order
        inside, left = len(self.row_dims), unit
        while left > 1:
            inside -= 1
            left //= self.row_dims[inside].size
        dim = self.row_dims[inside - 1]
        low, high = self._row_range()
        if unit > 1:
            high = str(self.rows // unit)
        if filled:
            writer.line("intptr_t filled = 0;")
        writer.open(f"for (intptr_t run = {low}; run < {high};)")
        below = 1
        indices = []
        for outer in reversed(self.row_dims[: inside - 1]):
            step = below * dim.size
            index = f"run / {step}" + (f" % {outer.size}" if outer is not self.row_dims[0] else "")
            indices.append((outer, index))
            below *= outer.size
        for outer, index in reversed(indices):
            writer.line(f"const intptr_t {outer.var} = {index};")
            depth = order.index(outer) + 1
            self.nest.outer_values(depth)
        writer.line(f"const intptr_t start = run % {dim.size};")
        room = block if not filled else f"({block} - filled + {unit - 1}) / {unit}" if unit > 1 else f"{block} - filled"
        writer.line(f"intptr_t count = {dim.size} - start;")
        writer.line(f"if (count > {high} - run) count = {high} - run;")
        writer.line(f"if (count > {room}) count = {room};")
        writer.line("const intptr_t end = start + count;")
        self._tile_into_buffers(Tile(order.index(dim), "start", "end", block // unit + 1, self._buffered()), filled)
        writer.line("run += count;")
        if not filled:
            fold("count")
        else:
            writer.line(f"filled += count * {unit};" if unit > 1 else "filled += count;")
            writer.open(f"while (filled >= {block} || (filled > 0 && run == {high}))")
            writer.line(f"const intptr_t n = filled < {block} ? filled : {block};")
            fold("n")
            writer.line("filled -= n;")
            if unit > 1:
                for q in range(len(self.loop.reduces)):
                    writer.line(f"for (intptr_t j = 0; j < filled; j++) c{q}[j] = c{q}[n + j];")
            writer.close()
        writer.close()
