"""Masks over the examples of a batch: examples that don't take part get the values of one that does."""

from __future__ import annotations

from ...graph.construction import constant, make
from ...graph.node import Node
from ...graph.uniform import reshaped
from ...ops.comparison import select as SELECT, stop_gradient as STOP_GRADIENT
from ...ops.counting import iota
from ...ops.dtypes import is_float
from ...ops.indexing import take_row as TAKE
from ...ops.reductions import reduce_max as REDUCE_MAX, reduce_min as REDUCE_MIN


def any_of(mask: Node) -> Node:
    """Whether an example takes part."""
    return make(REDUCE_MAX, (mask,), {"axes": (0,)})


def first_of(mask: Node) -> Node:
    """The number of the first example that takes part; of the last one where none does."""
    (size,) = mask.shape
    numbers = make(SELECT, (mask, iota(size), constant(size - 1)), {})
    return make(REDUCE_MIN, (numbers,), {"axes": (0,)})


def columns(mask: Node, like: Node) -> Node:
    """One flag for each example with axes of size 1 after it, to be broadcast with a batch `like`."""
    return reshaped(mask, (*mask.shape, *[1] * (len(like.shape) - 1)))


def chosen(mask: Node, x: Node, other: Node) -> Node:
    """The rows of the batch `x` where the example takes part, else those of `other`."""
    return x if x is other else make(SELECT, (columns(mask, x), x, other), {})


def fixed(x: Node) -> Node:
    """`x` as a value that no derivative flows through."""
    return make(STOP_GRADIENT, (x,), {}) if is_float(x.dtype) else x


def lent(mask: Node, x: Node, first: Node) -> Node:
    """The batch `x`, where examples that don't take part have the row of example number `first`.

    What is computed from it fails, does not end or is not finite only where that example does, and its derivative with
    respect to the rows that are left out is zero.
    """
    return chosen(mask, x, fixed(make(TAKE, (x, first), {"axis": 0})))


def masked(mask: Node, x: Node) -> Node:
    """The batch `x` itself, whose derivative is zero for examples that don't take part."""
    return chosen(mask, x, fixed(x))
