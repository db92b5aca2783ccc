"""Sums of a cotangent and values at some of its places: these are added there, not as an array that is zero elsewhere.

So a step of a loop that reads or updates a few elements costs a few additions in its derivatives too.
"""

from __future__ import annotations

from math import prod

from ..graph.construction import make, make_typed
from ..graph.node import Node
from ..graph.uniform import is_value, reshaped
from ..ops.arithmetic import add as ADD
from ..ops.indexing import scatter_add as SCATTER_ADD
from ..ops.placing import put_row as PUT
from ..ops.shaping import reshape_row as RESHAPE, slice_row as SLICE, unslice_row as UNSLICE

#: A slice is added in place where it is at most this part of at least so many elements; others join loops.
PART, SMALL = 8, 64
#: What values at some places of an array of zeros are made by.
PLACED = frozenset((UNSLICE, SCATTER_ADD, RESHAPE))


def is_scattered(term: Node) -> bool:
    """Whether `term` is values added to zeros at some places."""
    scattered = False
    while term.op is SCATTER_ADD or term.op is RESHAPE:
        scattered = scattered or term.op is SCATTER_ADD
        term = term.inputs[0]
    return scattered and is_value(term, lambda value: value == 0)


def add_in_place(total: Node, term: Node) -> Node:
    """The sum of both; values that make up a small part of `term` are added to the elements of `total` themselves."""
    if term.op not in PLACED and total.type is not None and total.type is term.type:
        return make_typed(ADD, (total, term), (), total.type)
    if term.op is UNSLICE and SMALL <= prod(term.shape) >= PART * prod(term.inputs[0].shape):
        (values,) = term.inputs
        starts, steps = term.attrs["starts"], term.attrs["steps"]
        held = make(SLICE, (total,), {"starts": starts, "steps": steps, "shape": values.shape})
        return make(PUT, (total, make(ADD, (held, values), {})), {"places": ((starts, steps, values.shape),)})
    if not is_scattered(term):
        return make(ADD, (total, term), {})
    chain = []
    while term.op is SCATTER_ADD or term.op is RESHAPE:
        chain.append(term)
        term = term.inputs[0]
    total = reshaped(total, term.shape)
    for node in reversed(chain):
        total = reshaped(total, node.shape)
        if node.op is SCATTER_ADD:
            total = make(SCATTER_ADD, (total, *node.inputs[1:]), node.attrs)
    return total
