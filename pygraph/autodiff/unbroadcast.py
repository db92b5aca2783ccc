"""The one place where shapes of tangents and cotangents are fitted to their primals."""

from __future__ import annotations

from math import prod

import numpy as np

from ..graph.construction import constant, make
from ..graph.node import Node
from ..graph.uniform import reshaped, spread
from ..ops.arithmetic import multiply as MULTIPLY
from ..ops.reductions import reduce_sum as REDUCE_SUM
from ..ops.row import Shape


def sum_to(ct: Node, shape: Shape) -> Node:
    """The transpose of broadcasting `shape` to `ct.shape`: sums over the axes along which it was repeated.

    Where `ct` is itself a broadcast along all those axes, the sum is a product with their length.
    """
    if ct.shape == shape:
        return ct
    lead = len(ct.shape) - len(shape)
    axes = tuple(axis for axis, size in enumerate(ct.shape) if axis < lead or (shape[axis - lead] == 1 and size != 1))
    if axes:
        rest = tuple(size for axis, size in enumerate(ct.shape) if axis not in axes)
        inner = tuple(1 if axis in axes else size for axis, size in enumerate(ct.shape))[max(lead, 0) :]
        ct = reshaped(_sum(ct, axes, rest), inner)
    return spread(ct, shape)


def _sum(ct: Node, axes: tuple[int, ...], rest: Shape) -> Node:
    """`ct` summed over `axes`, in the shape `rest` of the other axes."""
    if ct.op.repeats:
        source = ct.inputs[0]
        padded = (1,) * (len(ct.shape) - len(source.shape)) + source.shape
        if all(padded[axis] == 1 for axis in axes):
            kept = tuple(size for axis, size in enumerate(padded) if axis not in axes)
            count = prod(ct.shape[axis] for axis in axes)
            source = spread(reshaped(source, kept), rest)
            return source if count == 1 else make(MULTIPLY, (source, constant(np.asarray(count, ct.dtype))), {})
    return make(REDUCE_SUM, (ct,), {"axes": axes})
