"""Cotangents of slices put together: many disjoint pieces become one array in linear time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ..graph.build import make
from ..graph.node import Node
from ..ops.row import lookup
from .unbroadcast import full, reshaped

ADD = lookup("add")
CONCATENATE = lookup("concatenate")


def assemble(pieces: Sequence[Node]) -> list[Node]:
    """`unslice` nodes of one shape replaced by fewer arrays of that shape with the same sum.

    Adding n pieces of an n-vector one by one would cost n² operations; pieces that are runs of consecutive elements
    and don't overlap are concatenated instead, with zeros between them.
    """
    if len(pieces) < 2:
        return list(pieces)
    runs: dict[tuple[int, int], Node] = {}
    others = []
    for piece in pieces:
        run = _run(piece)
        if run is None:
            others.append(piece)
        else:
            part = reshaped(piece.inputs[0], (run[1] - run[0],))
            runs[run] = part if run not in runs else make(ADD, (runs[run], part), {})
    ordered = sorted(runs)
    if len(ordered) < 2 or any(second[0] < first[1] for first, second in pairwise(ordered)):
        return list(pieces)
    shape, dtype = pieces[0].shape, pieces[0].dtype
    parts: list[Node] = []
    position = 0
    for first, last in [*ordered, (prod(shape), prod(shape))]:
        if first > position:
            parts.append(full(0, (first - position,), dtype))
        if last > first:
            parts.append(runs[first, last])
        position = last
    return [reshaped(make(CONCATENATE, tuple(parts), {"axis": 0}), shape), *others]


def _run(piece: Node) -> tuple[int, int] | None:
    """The half-open range of flat indices that the operand of an `unslice` fills in order; None if it isn't one."""
    starts, steps, shape = piece.attrs["starts"], piece.attrs["steps"], piece.shape
    sizes = piece.inputs[0].shape
    if 0 in sizes:
        return None
    axis = len(shape)
    while axis and sizes[axis - 1] == shape[axis - 1] and (steps[axis - 1] == 1 or sizes[axis - 1] == 1):
        axis -= 1
    if axis and sizes[axis - 1] > 1 and steps[axis - 1] != 1:
        return None
    if any(size != 1 for size in sizes[: max(axis - 1, 0)]):
        return None
    first, stride = 0, 1
    for start, size in zip(reversed(starts), reversed(shape), strict=True):
        first += start * stride
        stride *= size
    return first, first + prod(sizes)
