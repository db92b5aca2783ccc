"""Exact rewrites of structure: chains of reshape, transpose, broadcast, slice, put, concatenate and reductions."""

from __future__ import annotations

import math

from ..graph.construction import make
from ..graph.node import Node
from ..graph.uniform import reshaped, spread
from ..ops.leaves import given_row as GIVEN, output_row as OUTPUT
from ..ops.placing import put_row as PUT
from ..ops.row import TABLE
from ..ops.shaping import (
    broadcast_to_row as BROADCAST_TO,
    concatenate_row as CONCATENATE,
    reshape_row as RESHAPE,
    slice_row as SLICE,
    transpose_row as TRANSPOSE,
    unslice_row as UNSLICE,
)
from .engine import RuleSet
from .rule_helpers import kind, same

RULES = RuleSet()


def _single(node: Node) -> Node | None:
    """The 0-d node whose value all elements of a broadcast have, if there is one."""
    if node.op is BROADCAST_TO and math.prod(node.inputs[0].shape) == 1:
        return reshaped(node.inputs[0], ())
    return None


@RULES.on(RESHAPE)
def reshape_chain(node: Node) -> Node | None:
    """reshape to the same shape = x; reshape of reshape = reshape; reshape of one repeated element = its broadcast."""
    (x,) = node.inputs
    if x.shape == node.shape:
        return x
    if x.op is RESHAPE:
        return reshaped(x.inputs[0], node.shape)
    single = _single(x)
    return None if single is None else spread(single, node.shape)


@RULES.on(TRANSPOSE)
def transpose_chain(node: Node) -> Node | None:
    """transpose of transpose = transpose; one that leaves all axes longer than 1 in order is a reshape."""
    (x,) = node.inputs
    axes: tuple[int, ...] = node.attrs["axes"]
    if axes == tuple(range(len(axes))):
        return x
    if x.op is TRANSPOSE:
        inner = x.attrs["axes"]
        return make(TRANSPOSE, x.inputs, {"axes": tuple(inner[axis] for axis in axes)})
    long = [axis for axis in axes if x.shape[axis] != 1]
    if long == sorted(long):
        return reshaped(x, node.shape)
    single = _single(x)
    return None if single is None else spread(single, node.shape)


@RULES.on(BROADCAST_TO)
def broadcast_chain(node: Node) -> Node | None:
    """broadcast to the same shape = x; broadcast of broadcast = broadcast, whatever leading axes of size 1 are new."""
    (x,) = node.inputs
    if x.shape == node.shape:
        return x
    if x.op is BROADCAST_TO:
        return spread(x.inputs[0], node.shape)
    if x.op is RESHAPE:
        (source,) = x.inputs
        if x.shape[len(x.shape) - len(source.shape) :] == source.shape and len(source.shape) < len(x.shape):
            return spread(source, node.shape)
    return None


@RULES.on(SLICE)
def slice_of(node: Node) -> Node | None:
    """The whole = x; slices of slices, of what unslice put there, of a piece of a concatenation, of repeated values."""
    (x,) = node.inputs
    starts, steps = node.attrs["starts"], node.attrs["steps"]
    if (
        x.shape == node.shape
        and not any(starts)
        and all(step == 1 or size <= 1 for step, size in zip(steps, x.shape, strict=True))
    ):
        return x
    if 0 in node.shape:
        return None
    single = _single(x)
    if single is not None:
        return spread(single, node.shape)
    if x.op is SLICE:
        inner = x.attrs
        attrs = {
            "starts": tuple(a + b * c for a, b, c in zip(inner["starts"], inner["steps"], starts, strict=True)),
            "steps": tuple(a * b for a, b in zip(inner["steps"], steps, strict=True)),
            "shape": node.shape,
        }
        return make(SLICE, x.inputs, attrs)
    if x.op is UNSLICE and (x.attrs["starts"], x.attrs["steps"], x.inputs[0].shape) == (starts, steps, node.shape):
        return x.inputs[0]
    if x.op is PUT:
        return _slice_of_put(node, x)
    return _slice_of_piece(node, x) if x.op is CONCATENATE else None


def _slice_of_put(node: Node, x: Node) -> Node | None:
    """The part that lies where a slice reads."""
    place = (node.attrs["starts"], node.attrs["steps"], node.shape)
    places = x.attrs["places"]
    return reshaped(x.inputs[1 + places.index(place)], node.shape) if place in places else None


@RULES.on(PUT)
def put_whole(node: Node) -> Node | None:
    """One part in place of all elements, in their order = the part."""
    places = node.attrs["places"]
    if len(places) != 1:
        return None
    ((starts, steps, counts),) = places
    ordered = all(step > 0 or count == 1 for step, count in zip(steps, counts, strict=True))
    return reshaped(node.inputs[1], node.shape) if counts == node.shape and ordered and not any(starts) else None


def _slice_of_piece(node: Node, x: Node) -> Node | None:
    axis = x.attrs["axis"]
    count = node.shape[axis]
    first = node.attrs["starts"][axis]
    last = first + (count - 1) * node.attrs["steps"][axis]
    low, high = min(first, last), max(first, last)
    begin = 0
    for piece in x.inputs:
        end = begin + piece.shape[axis]
        if begin <= low and high < end:
            starts = tuple(start - begin if i == axis else start for i, start in enumerate(node.attrs["starts"]))
            return make(SLICE, (piece,), {**node.attrs, "starts": starts})
        if low < end:
            break
        begin = end
    return None


@RULES.on(UNSLICE)
def unslice_of(node: Node) -> Node | None:
    """Onto the whole = x; unslice of unslice = unslice."""
    (x,) = node.inputs
    starts, steps = node.attrs["starts"], node.attrs["steps"]
    if x.shape == node.shape and all(
        size == 0 or (start == 0 and (step == 1 or size == 1))
        for start, step, size in zip(starts, steps, x.shape, strict=True)
    ):
        return x
    if x.op is UNSLICE and 0 not in x.inputs[0].shape:
        inner = x.attrs
        attrs = {
            "starts": tuple(a + b * c for a, b, c in zip(starts, steps, inner["starts"], strict=True)),
            "steps": tuple(a * b for a, b in zip(steps, inner["steps"], strict=True)),
            "shape": node.shape,
        }
        return make(UNSLICE, x.inputs, attrs)
    return None


@RULES.on(OUTPUT)
def given_value(node: Node) -> Node | None:
    """A value with a derivative given for it = the value: graphs are differentiated before they are optimised."""
    (parent,) = node.inputs
    if parent.op is not GIVEN:
        return None
    value: Node = parent.inputs[parent.attrs["n_primals"] + node.attrs["index"]]
    return value


@RULES.on(CONCATENATE)
def concatenate_pieces(node: Node) -> Node | None:
    """One piece = x; empty pieces are dropped; pieces that are concatenations along the same axis are spread out."""
    axis = node.attrs["axis"]
    if len(node.inputs) == 1:
        return node.inputs[0]
    pieces: list[Node] = []
    for piece in node.inputs:
        if piece.op is CONCATENATE and piece.attrs["axis"] == axis:
            pieces.extend(piece.inputs)
        elif piece.shape[axis]:
            pieces.append(piece)
    if not pieces:
        return node.inputs[0]
    return None if same(pieces, node.inputs) else make(CONCATENATE, tuple(pieces), node.attrs)


def reduce_nothing(node: Node) -> Node | None:
    """A reduction over no axes = x, except a floating sum, which adds 0.0 and so makes 0.0 of -0.0."""
    (x,) = node.inputs
    if node.attrs["axes"] or x.dtype != node.dtype or (node.op.sums and kind(x) == "f"):
        return None
    return x


def reduce_chain(node: Node) -> Node | None:
    """Over axes of size 1 an exact reduction is a reshape; two of them one after another are one."""
    (x,) = node.inputs
    axes = node.attrs["axes"]
    if all(x.shape[axis] == 1 for axis in axes):
        return reshaped(x, node.shape)
    if x.op is node.op:
        (source,) = x.inputs
        kept = [axis for axis in range(len(source.shape)) if axis not in x.attrs["axes"]]
        both = sorted([*x.attrs["axes"], *(kept[axis] for axis in axes)])
        return make(node.op, (source,), {**node.attrs, "axes": tuple(both)})
    return None


_REDUCTIONS = [op for op in TABLE.values() if op.combiner]
RULES.extend(_REDUCTIONS, reduce_nothing)
RULES.extend((op for op in _REDUCTIONS if op.exact), reduce_chain)
