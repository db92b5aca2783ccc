"""Cotangents of slices put together: many disjoint pieces become one array in linear time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from ..graph.construction import as_node, make
from ..graph.node import Node
from ..graph.uniform import full, reshaped
from ..ops import mask_rules as rules
from ..ops.arithmetic import add as ADD
from ..ops.expr import Mask
from ..ops.shaping import concatenate_row as CONCATENATE, places
from .masks import Derivative, under
from .scatter_sums import PART, SMALL

#: So few runs that make up a small part of an array are added to what there is of it, each in its place.
FEW = 8
#: Arrays of more elements are not looked through for what pieces leave out; their masks are made at run time.
COUNTED = 1 << 24


class Piece(NamedTuple):
    """A cotangent that covers only a part of its primal.

    Attributes:
        node: the `unslice` that puts it in its place.
        mask: where the part itself may differ from zero: an expression that broadcasts with it, or True.
    """

    node: Node
    mask: Node | bool


def assemble(pieces: Sequence[Piece]) -> list[Derivative]:
    """Pieces of one shape as fewer arrays of that shape with the same sum, masked where there is no piece.

    Adding n pieces of an n-vector one by one would cost n² operations; pieces that are runs of consecutive elements,
    or else bands across one axis, and don't overlap are concatenated instead, with zeros between them.
    """
    if len(pieces) > 1:
        for axis in (None, *range(1, len(pieces[0].node.shape))):
            found = _concatenated(pieces, axis)
            if found is not None:
                return found
    return _alone(pieces)


def _concatenated(pieces: Sequence[Piece], axis: int | None) -> list[Derivative] | None:
    """The pieces that are runs, or bands across this axis, as one array, and the others; None where they are not."""
    runs: dict[tuple[int, int], list[Piece]] = {}
    others: list[Piece] = []
    for piece in pieces:
        run = _run(piece.node) if axis is None else _band(piece.node, axis)
        if run is None:
            others.append(piece)
        else:
            runs.setdefault(run, []).append(piece)
    ordered = sorted(runs)
    if len(ordered) < 2 or any(second[0] < first[1] for first, second in pairwise(ordered)):
        return None
    shape, dtype = pieces[0].node.shape, pieces[0].node.dtype
    form = (prod(shape),) if axis is None else shape  # of what is joined, along `at`
    at = 0 if axis is None else axis
    covered = sum(b - a for a, b in ordered) * (prod(form) // form[at])
    if len(ordered) <= FEW and SMALL <= prod(shape) >= PART * covered:
        return None
    parts: list[Node] = []
    masks: list[Node | bool] = []
    position = 0
    for first, last in [*ordered, (form[at], form[at])]:
        if first > position:
            parts.append(full(0, (*form[:at], first - position, *form[at + 1 :]), dtype))
            masks.append(False)
        if last > first:
            same = runs[first, last]
            own = (*form[:at], last - first, *form[at + 1 :])
            shaped = [reshaped(piece.node.inputs[0], own) for piece in same]
            parts.append(reduce(lambda total, part: make(ADD, (total, part), {}), shaped))
            masks.append(_mask(same, own))
        position = last
    joined = make(CONCATENATE, tuple(parts), {"axis": at})
    mask = rules.concatenate(joined, masks)
    whole = under(
        reshaped(joined, shape),
        () if isinstance(mask, bool) else (as_node(rules.reshaped(mask, joined.shape, shape)),),
    )
    return [*([] if whole is None else [whole]), *_alone(others)]


def _mask(pieces: Sequence[Piece], shape: tuple[int, ...]) -> Node | bool:
    """The mask of the sum of pieces that lie in one place, in another shape."""
    found: Mask = False
    for piece in pieces:
        part = piece.node.inputs[0]
        mask: Mask = piece.mask
        if not isinstance(mask, bool):
            mask = rules.reshaped(mask, part.shape, shape)
        found = rules.either(found, mask)
    return found if isinstance(found, bool) else as_node(found)


def _alone(pieces: Sequence[Piece]) -> list[Derivative]:
    """Each piece as it is, masked around it; not where together they leave nothing out."""
    covered = len(pieces) > 1 and prod(pieces[0].node.shape) <= COUNTED and _cover(pieces)
    found: list[Derivative] = []
    for piece in pieces:
        mask = True if covered else rules.unslice(piece.node, (piece.mask,))
        derivative = under(piece.node, (mask,) if isinstance(mask, Node) else ())
        found += [] if derivative is None or mask is False else [derivative]
    return found


def _cover(pieces: Sequence[Piece]) -> bool:
    """Whether pieces without masks of their own reach every element."""
    reached = np.zeros(pieces[0].node.shape, np.bool_)
    for piece in pieces:
        if piece.mask is True:
            attrs = piece.node.attrs
            reached[places(attrs["starts"], attrs["steps"], piece.node.inputs[0].shape)] = True
    return bool(reached.all())


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


def _band(piece: Node, axis: int) -> tuple[int, int] | None:
    """The half-open range of indices along an axis where the operand of an `unslice` fills all of the other axes."""
    sizes = piece.inputs[0].shape
    steps = [step for step, size in zip(piece.attrs["steps"], sizes, strict=True) if size != 1]
    whole = all(n == size for at, (n, size) in enumerate(zip(sizes, piece.shape, strict=True)) if at != axis)
    if 0 in sizes or not whole or any(step != 1 for step in steps):
        return None
    first = piece.attrs["starts"][axis]
    return first, first + sizes[axis]
