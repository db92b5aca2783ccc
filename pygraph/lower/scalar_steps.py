"""The steps of a region of single elements: its rows as scalar micro-operations, with a load of each element read."""

from __future__ import annotations

from array import array
from itertools import compress
from typing import TYPE_CHECKING, cast

from ..ops.dtypes import CODES
from .body import Region
from .program import Micro
from .scalars import kind_of
from .step_emitter import StepEmitter

if TYPE_CHECKING:
    from ..graph.node import Node


def emit_scalars(emitter: StepEmitter, region: Region) -> None:
    """Add the operations of a region; what is read of memory is loaded once in a segment, before it is read first."""
    placed, rows, part = emitter.body.scalars, emitter.body.rows, slice(region.rows.start, region.rows.stop)
    columns = [placed.kinds[part], array("i", region.rows)]
    nodes = placed.nodes[part]
    needless = _find_elements(emitter, region, columns[0], nodes)
    read, find = [placed.a[part], placed.b[part], placed.c[part]], emitter.elements.get
    if emitter.elements:
        read = [array("i", map(find, column, column)) for column in read]
    columns += read
    if needless:
        left = bytearray(b"\1") * len(nodes)
        for at in needless:
            left[at] = 0
        columns = [array("i", compress(column, left)) for column in columns]
        nodes = list(compress(nodes, left))
    if nodes:
        block = emitter.block()
        for mine, column in zip((rows.kinds, rows.targets, rows.a, rows.b, rows.c), columns, strict=True):
            mine.extend(column)
        rows.nodes.extend(emitter.unit.node_ids(cast("list[Node]", nodes)))
        block.end += len(nodes)


def _find_elements(emitter: StepEmitter, region: Region, kinds: array[int], nodes: list[Node | None]) -> list[int]:
    """Make rows of elements loads, and give their nodes; returns the places of those that are in a cell already."""
    body, start, needless = emitter.body, region.rows.start, list[int]()
    placed, rows = body.scalars, body.rows
    for row in region.elements:
        at, access = row - start, placed.accesses[row]
        found = emitter.find(access)
        if isinstance(found, int):
            cell = emitter.elements[row] = found
            needless.append(at)
        else:
            value, offset = found
            dtype = CODES[value.dtype]
            cell = emitter.loaded[found] = row
            body.cells.dtypes[row] = dtype
            kinds[at] = kind_of(Micro.LOAD, dtype, dtype)
            rows.move(len(rows) + at - len(needless), value, offset)
        node, nodes[at] = nodes[at], access.base
        if node is not None:
            named = emitter.values[node] = body.cell_values[cell]
            named.kept |= emitter.is_kept(node)
    return needless
