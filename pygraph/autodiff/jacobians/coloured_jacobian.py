"""Whole Jacobians by colouring: few products, whose entries are put in their places among zeros."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import numpy as np

from ...graph.construction import constant, make
from ...graph.node import Node
from ...graph.uniform import full, reshaped
from ...ops.comparison import convert as CONVERT
from ...ops.dtypes import is_float
from ...ops.indexing import scatter_add as SCATTER_ADD
from ...ops.shaping import slice_row as SLICE
from .compressed_jacobian import compressed_jacobian
from .dense_jacobian import JacobianPlan


def jacobian_coloured(outputs: Sequence[Node], wrt: Sequence[Node]) -> JacobianPlan:
    """The Jacobian of each output with respect to each variable, from the products of its cheapest colouring.

    Blocks have the output's dtype, as those of `jacobian_forward`; `vectors` counts the products.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> plan = jacobian_coloured([x[1:] * x[:-1]], [x])
        >>> plan.vectors, plan.blocks[0][0].shape
        (2, (999, 1000))
    """
    floating = [x for x in wrt if is_float(x.dtype)]
    rows, columns = ([0, *accumulate(prod(x.shape) for x in nodes)] for nodes in (outputs, floating))
    found = compressed_jacobian(outputs, floating, "coloured")
    assert found is not None, "every function has a colouring"
    pattern = found.pattern
    places = constant(pattern.rows * columns[-1] + pattern.indices)
    empty = full(0, (rows[-1] * columns[-1],), found.data.dtype)
    matrix = reshaped(make(SCATTER_ADD, (empty, places, found.data), {"axis": 0}), (rows[-1], columns[-1]))
    column_of = dict(zip(map(id, floating), columns, strict=False))
    blocks = []
    for output, row in zip(outputs, rows, strict=False):
        dtype = output.dtype if is_float(output.dtype) else np.dtype("float64")
        blocks.append(
            [
                _block(matrix, row, column_of[id(x)], output, x, dtype)
                if is_float(x.dtype)
                else full(0, (*output.shape, *x.shape), dtype)
                for x in wrt
            ]
        )
    return JacobianPlan("coloured", blocks, found.tangents + found.cotangents, 1)


def _block(matrix: Node, row: int, column: int, output: Node, x: Node, dtype: np.dtype[np.generic]) -> Node:
    height, width = prod(output.shape), prod(x.shape)
    part = matrix
    if (height, width) != matrix.shape:
        starts = (row if height else 0, column if width else 0)
        part = make(SLICE, (matrix,), {"starts": starts, "steps": (1, 1), "shape": (height, width)})
    part = reshaped(part, (*output.shape, *x.shape))
    return part if part.dtype == dtype else make(CONVERT, (part,), {"dtype": dtype})
