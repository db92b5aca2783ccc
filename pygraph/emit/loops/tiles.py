"""Cuts nested loops into tiles, whose values lie in buffers while some operations run on them block by block."""

from __future__ import annotations

from collections.abc import Sequence

from ...lower.loop_step import MAX_BLOCK
from .loop_nest import Nest, Pass, Tile
from .loop_values import Dim, Values

#: Up to so many elements, all operations are written in their place.
TINY = 16
#: Elements of a row that are taken at a time where another array is walked across its rows; least elements for that.
COLUMNS, LARGE = 64, 1 << 14

#: Blocks of what lies apart in memory: of so many elements, and all together of so many bytes, well inside an L1 cache.
SPREAD_BLOCK = 64
SPREAD_BYTES = 32 * 1024


def spread_block(values: Values) -> int:
    """The elements of a block, as far as copies of what lies apart in memory limit them."""
    copies = sum(value.spread for value in values.values) + sum(store.spread for store in values.stores)
    fit = SPREAD_BYTES // (8 * max(copies, 1))
    return max(16, min(SPREAD_BLOCK, fit // 16 * 16)) if copies else MAX_BLOCK


def is_buffered(nest: Nest, count: int) -> bool:
    """Whether some operations run block by block."""
    if count <= TINY:
        return False
    values, stores = nest.values.values, nest.values.stores
    return any((value.apart and value.dims) or value.spread for value in values) or any(
        store.spread for store in stores
    )


def write_nest(nest: Nest, block: int, count: int, folds: Pass) -> None:
    """All loops of `nest`, in tiles of about `block` elements where an operation is apart."""
    dims = nest.order
    if not is_buffered(nest, count):
        turned = is_turned(nest)
        if turned:
            low, high = nest.range_of(dims[-1])
            start, end = f"{dims[-1].var}_low", f"{dims[-1].var}_high"
            nest.ranges[dims[-1].number] = start, end
            nest.writer.open(f"for (intptr_t {start} = {low}; {start} < {high}; {start} += {COLUMNS})")
            nest.writer.line(f"const intptr_t {end} = {high} - {start} < {COLUMNS} ? {high} : {start} + {COLUMNS};")
        nest.tile(Tile(0, *(nest.range_of(dims[0]) if dims else ("0", "1")), 1, False), folds)
        if turned:
            nest.writer.close()
        return
    outside = tile_at(dims, block)
    most = max(1, block // product(dims[outside + 1 :]))
    for depth in range(outside):
        nest.loop(depth, len(dims))
        nest.outer_values(depth + 1)
    with_range(nest, outside, most, folds)
    for _ in range(outside):
        nest.writer.close()


def is_turned(nest: Nest) -> bool:
    """Whether an array is walked across its rows, so that it is better taken in columns of a few cache lines."""
    dims = nest.order
    if len(dims) < 2 or dims[-1].size <= COLUMNS or product(dims) < LARGE:
        return False
    across = [x.strides for x in nest.values.values if x.pointer and abs(x.strides[dims[-1].number]) >= COLUMNS]
    return any(abs(strides[dim.number]) == 1 and dim.size > 1 for strides in across for dim in dims[:-1])


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


def tile_at(dims: Sequence[Dim], block: int) -> int:
    """The outermost dimension of which a tile may have several elements, and all of those inside of it."""
    for at in range(len(dims)):
        if product(dims[at + 1 :]) <= block // 2:
            return at
    return len(dims) - 1


def product(dims: Sequence[Dim]) -> int:
    """The number of elements."""
    count = 1
    for dim in dims:
        count *= dim.size
    return count
