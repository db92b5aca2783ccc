"""Writes nested loops: each value at the depth of the dimensions it varies with; some operations block by block."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...ops.dtypes import SUFFIXES
from ..rendering.expressions import TYPES, fast_text, guard_text, micro_text, name_of
from ..rendering.frames import Places
from ..rendering.local_arrays import LocalArrays
from .loop_values import Dim, Store, Value, Values, index_text

#: Where comments stand.
COLUMN = 60
#: Loops around at most this many innermost elements are marked as independent too: compilers unroll those.
UNROLLED = 16


class Writer:
    """Lines of C, indented."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.level = 0

    def line(self, text: str) -> None:
        """One line."""
        self.lines.append("    " * self.level + text if text else "")

    def open(self, head: str) -> None:
        """A line that opens a block."""
        self.line(head + " {")
        self.level += 1

    def close(self) -> None:
        """The end of a block."""
        self.level -= 1
        self.line("}")


@dataclass(slots=True)
class Pass:
    """What one walk over a nest does: values to compute, and lines by depth, around or beside the loops inside."""

    values: list[Value] = field(default_factory=list)
    before: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    at: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    after: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Tile:
    """A range of one dimension with all of those inside of it: the elements that buffers hold.

    Attributes:
        outside: how many loops are around it.
        low, high: the range, as C.
        most: its longest length.
        buffered: operations apart run on whole buffers; otherwise all is one walk.
    """

    outside: int
    low: str
    high: str
    most: int
    buffered: bool


@dataclass(slots=True)
class Buffer:
    """A local array that holds a block of one value after another; `until` is when the last of them is read."""

    name: str
    kind: str
    size: int
    until: int = -1


class Nest:
    """Loops over `order`, from the outermost; `independent` are the dimensions that carry nothing."""

    def __init__(self, values: Values, order: Sequence[Dim], independent: Iterable[Dim], places: Places) -> None:
        self.writer = Writer()
        self.locals = LocalArrays(places.scratch)
        self.values = values
        self.order = tuple(order)
        self.independent = {dim.number for dim in independent}
        self.note = places.comment
        self.ranges: dict[int, tuple[str, str]] = {}
        self.helpers: dict[str, str] = {}
        self._at = {dim.number: k for k, dim in enumerate(self.order, 1)}
        self._buffers: list[str] = []
        self._blocks: list[Buffer] = []
        self._block_of: dict[Value, Buffer] = {}
        self._noted = ""

    def depth(self, value: Value) -> int:
        """How many loops are around a value."""
        return max((self._at[number] for number in value.dims), default=0)

    def outer_values(self, depth: int) -> None:
        """Compute, here, what has this depth."""
        for value in self.values.values:
            if self.depth(value) == depth:
                self._define(value)

    def store_line(self, store: Store) -> str:
        """The statement of a store."""
        return f"{store.pointer}[{index_text(store.strides, self.order)}] = {store.value.name};"

    def buffer(self, name: str, dtype: int, size: int) -> None:
        """Declare a local array."""
        self._buffers.append(self.locals.declare(TYPES[dtype], name, size))

    def declarations(self) -> list[str]:
        """The local arrays and the pointers, as they stand at the top of the function."""
        return [
            *(pointer.declaration for pointer in self.values.pointers),
            *self._buffers,
            *(self.locals.declare(b.kind, b.name, b.size) for b in self._blocks),
        ]

    @property
    def block_bytes(self) -> int:
        """What the local arrays of blocks take, with 8 bytes for each element."""
        return sum(8 * block.size for block in self._blocks)

    def tile(self, tile: Tile, folds: Pass) -> None:
        """All loops inside of `tile`, with the stores, and with `folds` in the last walk."""
        if tile.outside < len(self.order):
            self.ranges[self.order[tile.outside].number] = (tile.low, tile.high)
        deep = [value for value in self.values.values if self.depth(value) > tile.outside]
        stage_of = _stages(deep) if tile.buffered else dict.fromkeys(deep, 0)
        last = max((_seen(stage_of, value, tile) for value in deep), default=0)
        spread = tile.buffered and any(store.spread for store in self.values.stores)
        walks = [*(Pass() for _ in range(last)), folds, *(Pass() for _ in range(spread))]
        used_at: defaultdict[Value, set[int]] = defaultdict(set)
        apart: defaultdict[Value, set[int]] = defaultdict(set)
        for value in deep:
            for source in value.sources:
                (apart if tile.buffered and value.apart else used_at)[source].add(stage_of[value])
        for store in self.values.stores:
            stage = len(walks) - 1 if store.spread else last if store.aliased else _seen(stage_of, store.value, tile)
            walks[stage].at[len(self.order)].append(self.store_line(store))
            used_at[store.value].add(stage)
        for fold in self.values.folds:
            used_at[fold.value].add(last)
        self._block_of.clear()
        for buffer in self._blocks:
            buffer.until = -1
        for stage, walk in enumerate(walks):
            calls = []
            for value in deep:
                here = stage_of[value] == stage
                # a walk has the time 2 stage, the calls after it 2 stage + 1
                end = max([2 * k for k in used_at[value]] + [2 * k + 1 for k in apart[value]], default=0)
                if tile.buffered and value.apart and here:
                    self._lend(tile, value, 2 * stage + 1, end)
                    calls.append(self._block_call(tile, value))
                elif value.loaded and not (tile.buffered and value.spread):
                    if stage in used_at[value] or stage in apart[value]:
                        walk.values.append(value)
                    if stage in apart[value]:
                        self._lend(tile, value, 2 * stage, end)
                        walk.at[self.depth(value)].append(self._to_buffer(tile, value))
                elif here:
                    walk.values.append(value)
                    if apart[value] or max(used_at[value], default=stage) > stage:
                        self._lend(tile, value, 2 * stage, end)
                        walk.at[self.depth(value)].append(self._to_buffer(tile, value))
                elif stage in used_at[value]:
                    walk.before[self.depth(value)].append(self._from_buffer(tile, value))
            self.walk(tile.outside, walk, walk is not folds)
            for call in calls:
                self.writer.line(call)

    def range_of(self, dim: Dim) -> tuple[str, str]:
        """The bounds of a loop."""
        return self.ranges.get(dim.number, ("0", str(dim.size)))

    def walk(self, depth: int, walk: Pass, free: bool = False) -> None:
        """The loops inside of `depth` loops, as deep as something is to be done; `free`: none carries anything."""
        keys = {k for lines in (walk.before, walk.at, walk.after) for k, found in lines.items() if found}
        self._walk(depth, max([depth, *keys, *(self.depth(value) for value in walk.values)]), walk, free)

    def _walk(self, depth: int, deepest: int, walk: Pass, free: bool) -> None:
        for line in walk.before[depth]:
            self.writer.line(line)
        for value in walk.values:
            if self.depth(value) == depth:
                self._define(value)
        for line in walk.at[depth]:
            self.writer.line(line)
        if depth < deepest:
            self.loop(depth, deepest, free)
            self._walk(depth + 1, deepest, walk, free)
            self.writer.close()
        for line in walk.after[depth]:
            self.writer.line(line)

    def loop(self, depth: int, deepest: int, free: bool = False) -> None:
        """Open the loop inside of `depth` others; there are loops down to `deepest`. `free`: it carries nothing."""
        dim = self.order[depth]
        inside = 1
        for inner in self.order[depth + 1 : deepest]:
            inside *= inner.size
        low, high = self.range_of(dim)
        if (free or dim.number in self.independent) and inside <= UNROLLED:
            self.writer.line("PG_IVDEP")
        self.writer.open(f"for (intptr_t {dim.var} = {low}; {dim.var} < {high}; {dim.var}++)")

    def _define(self, value: Value) -> None:
        if value.loaded:
            self.writer.line(f"const {TYPES[value.dtype]} {value.name} = {value.load_text(self.order)};")
            return
        note = self.note(value.node)
        line = f"const {TYPES[value.dtype]} {value.name} = {value.text};"
        self.writer.line(line if note in ("", self._noted) else f"{line:<{COLUMN - 4 * self.writer.level}} {note}")
        self._noted = note

    def cells(self, tile: Tile, depth: int) -> tuple[str, int]:
        """The index of a value of `depth` in its buffer, and how many of it each step of the tile has."""
        dims = self.order[tile.outside : depth]
        strides = [0] * (1 + max(dim.number for dim in dims))
        count = 1
        for dim in reversed(dims):
            strides[dim.number] = count
            count *= dim.size
        count //= dims[0].size
        step = strides[dims[0].number]
        if tile.low == "0":
            return index_text(strides, dims), count
        head = f"{dims[0].var} - {tile.low}" if step == 1 else f"({dims[0].var} - {tile.low}) * {step}"
        return (index_text(strides, dims[1:], head) if dims[1:] else head), count

    def _lend(self, tile: Tile, value: Value, now: int, end: int) -> None:
        """Give a value a buffer from `now` to `end`: one that no value uses any more, where there is one like it."""
        if value in self._block_of:
            return
        kind, size = TYPES[value.dtype], tile.most * self.cells(tile, self.depth(value))[1]
        free = (b for b in self._blocks if b.until < now and (b.kind, b.size) == (kind, size))
        buffer = next(free, None)
        if buffer is None:
            buffer = Buffer(f"b{len(self._blocks)}", kind, size)
            self._blocks.append(buffer)
        buffer.until = max(now, end)
        self._block_of[value] = buffer

    def _to_buffer(self, tile: Tile, value: Value) -> str:
        return f"{self._block_of[value].name}[{self.cells(tile, self.depth(value))[0]}] = {value.name};"

    def _from_buffer(self, tile: Tile, value: Value) -> str:
        cells = self.cells(tile, self.depth(value))[0]
        return f"const {TYPES[value.dtype]} {value.name} = {self._block_of[value].name}[{cells}];"

    def _block_call(self, tile: Tile, value: Value) -> str:
        each = self.cells(tile, self.depth(value))[1]
        if tile.low == "0":
            count = str(int(tile.high) * each) if tile.high.isdigit() else f"{tile.high} * {each}"
        else:
            count = f"({tile.high} - {tile.low}) * {each}" if each > 1 else f"{tile.high} - {tile.low}"
        name = f"pg_block_{name_of(value.micro)}_{SUFFIXES[value.dtype]}"
        self.helpers[name] = block_function(name, value)
        names = self._block_of[value].name, self._block_of[value.sources[0]].name
        line = f"{name}({count}, {', '.join(names)});"
        return f"{line:<{COLUMN - 4 * self.writer.level}} {self.note(value.node)}".rstrip()


def _seen(stage_of: dict[Value, int], value: Value, tile: Tile) -> int:
    """The first walk that may use a value: an operation apart runs between two walks."""
    if value not in stage_of:
        return 0
    return stage_of[value] + (tile.buffered and (value.apart or value.spread))


def _stages(deep: Sequence[Value]) -> dict[Value, int]:
    """By value: the walk that computes it, or after which it is computed; as late as what uses it allows."""
    stage_of: dict[Value, int] = {}
    for value in deep:
        stage_of[value] = max((stage_of[x] + (x.apart or x.spread) for x in value.sources if x in stage_of), default=0)
    latest: dict[Value, int] = {}
    for value in reversed(deep):
        stage_of[value] = latest.get(value, stage_of[value])
        for x in value.sources:
            latest[x] = min(latest.get(x, stage_of[value]), stage_of[value] - (x.apart or x.spread))
    return stage_of


def block_function(name: str, value: Value) -> str:
    """The function of a block: the form that vectorises where its guard holds for all elements."""
    x = ["x[i]"]
    plain, guard = micro_text(value.micro, value.dtype_in, value.dtype, x), guard_text(value.micro, value.dtype_in, x)
    each = "for (intptr_t i = 0; i < n; i++)"
    lines = ["    PG_IVDEP", f"    {each} y[i] = {plain};"]
    if guard is not None:
        lines = [
            "    int good = 1;",
            f"    {each} good &= {guard};",
            "    if (good) {",
            "        PG_IVDEP",
            f"        {each} y[i] = {fast_text(value.micro, value.dtype_in, x)};",
            "    } else {",
            f"        {each} y[i] = {plain};",
            "    }",
        ]
    target, source = TYPES[value.dtype], TYPES[value.dtype_in]
    head = f"PG_NOINLINE void {name}(intptr_t n, {target} *restrict y, const {source} *restrict x) {{"
    return "\n".join([head, *lines, "}"])
