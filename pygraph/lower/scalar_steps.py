"""The steps of a region of single elements: its rows as scalar micro-operations, with a load of each element read."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, cast

import numpy as np

from ..ops.dtypes import CODES
from .body import Region
from .program import Micro
from .scalars import AT_ONCE, kind_of
from .step_emitter import StepEmitter

if TYPE_CHECKING:
    from ..graph.node import Node


def emit_scalars(emitter: StepEmitter, region: Region) -> None:
    """Add the operations of a region; what is read of memory is loaded once in a segment, before it is read first."""
    left = 0
    for start in range(region.rows.start, region.rows.stop, AT_ONCE):
        part = range(start, min(start + AT_ONCE, region.rows.stop))
        end = bisect_left(region.elements, part.stop, left)
        _emit_part(emitter, part, region.elements[left:end])
        left = end


def _emit_part(emitter: StepEmitter, part: range, elements: Sequence[int]) -> None:
    """Add some of the rows, `elements` of which only name one."""
    placed, rows, here = emitter.body.scalars, emitter.body.rows, slice(part.start, part.stop)
    columns = [placed.kinds[here], array("i", part)]
    nodes = placed.nodes[here]
    needless = _find_elements(emitter, part.start, elements, columns[0], nodes)
    read = [placed.a[here], placed.b[here], placed.c[here]]
    columns += _with_cells(emitter.elements, read) if emitter.elements else read
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


def _with_cells(elements: Mapping[int, int], columns: Sequence[array[int]]) -> list[array[int]]:
    """Columns of rows, with the cells of `elements` in the places of those that only name one."""
    rows, cells = (np.fromiter(x, np.intc, len(elements)) for x in (elements.keys(), elements.values()))
    read = np.array(columns)
    at = np.searchsorted(rows, read)  # elements are found in the order of their rows
    named = rows.take(at, mode="clip") == read
    read[named] = cells[at[named]]
    return [array("i", column.tobytes()) for column in read]


def _find_elements(
    emitter: StepEmitter, start: int, elements: Sequence[int], kinds: array[int], nodes: list[Node | None]
) -> list[int]:
    """Make rows of elements loads, and give their nodes; returns the places of those that are in a cell already."""
    body, needless = emitter.body, list[int]()
    placed, rows = body.scalars, body.rows
    for row in elements:
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
