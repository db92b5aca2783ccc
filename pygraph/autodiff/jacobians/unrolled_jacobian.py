"""Whole Jacobians of small functions, element by element: no product with what is known to be zero or one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ...graph.construction import constant, make, var
from ...graph.node import DType, Node
from ...graph.rewriting import substitute
from ...graph.uniform import full
from ...ops.comparison import convert as CONVERT
from ...ops.dtypes import is_float
from ..cost import flops
from ..forward import jvp
from ..reverse import vjp
from .dense_jacobian import JacobianPlan
from .scalarise import LIMIT, Parts, are_small, assembled, elements_of


def jacobian_unrolled(
    outputs: Sequence[Node], wrt: Sequence[Node], modes: Sequence[str] = ("forward", "reverse")
) -> JacobianPlan | None:
    """The Jacobian of each output with respect to each variable, from expressions of their single elements.

    Each basis vector is pushed or pulled through these by itself, so that a zero ends its way, and equal parts of the
    derivatives by different elements are computed once. Blocks have the output's dtype, as those of
    `jacobian_forward`.

    Args:
        modes: "forward", "reverse" or both, of which the one is taken that is estimated to cost less.

    Returns:
        None where an expression is too large (`elements.LIMIT`), or holds a loop or another operation that cannot be
        taken apart.

    Example:
        >>> x = pg.var("x", (3,))
        >>> plan = jacobian_unrolled([np.stack([x[0] * x[1], x[2]])], [x])
        >>> plan.blocks[0][0].shape, plan.cost
        ((2, 3), 8)
    """
    floating = [x for x in wrt if is_float(x.dtype)]
    active = [y for y in outputs if is_float(y.dtype)]
    entries = sum(prod(x.shape) for x in floating) * sum(prod(y.shape) for y in active)
    if not 0 < entries <= LIMIT or not are_small(active, floating):
        return None
    parts = Parts()
    variables: dict[Node, list[Node]] = {}
    for i, x in enumerate(floating):
        variables[x] = [var(f"element{i}_{k}", (), x.dtype) for k in range(prod(x.shape))]
        parts.give(x, variables[x])
    if not parts.take_apart(active):
        return None
    ends = [part for y in active for part in parts.of(y)]
    starts = [part for x in floating for part in variables[x]]
    table = entries_of(ends, starts, modes)
    read = dict(zip(starts, (part for x in floating for part in elements_of(x)), strict=True))
    found = iter(substitute((x for row in table for x in row if x is not None), read))
    matrix = [[None if x is None else next(found) for x in row] for row in table]
    blocks, top = [], 0
    for y in outputs:
        height = prod(y.shape) if is_float(y.dtype) else 0
        blocks.append(_blocks(y, wrt, matrix[top : top + height]))
        top += height
    return JacobianPlan("unrolled", blocks, min(len(starts), len(ends)), 1)


def entries_of(
    ends: Sequence[Node], starts: Sequence[Node], modes: Sequence[str] = ("forward", "reverse")
) -> list[list[Node | None]]:
    """The derivative of each of some 0-d expressions by each of some 0-d variables, None where it is zero.

    By the one of `modes` that is estimated to cost less.
    """
    tables = []
    if "forward" in modes:
        columns = [jvp(ends, starts, _basis(starts, k)) for k in range(len(starts))]
        tables.append([list(row) for row in zip(*columns, strict=True)])
    if "reverse" in modes:
        tables.append([vjp(ends, starts, _basis(ends, k)) for k in range(len(ends))])
    return min(tables, key=lambda table: flops(x for row in table for x in row if x is not None))


def _blocks(y: Node, wrt: Sequence[Node], entries: Sequence[Sequence[Node | None]]) -> list[Node]:
    """The blocks of one output, from its rows of the matrix; none where it is not floating."""
    dtype = y.dtype if is_float(y.dtype) else np.dtype("float64")
    blocks, left = [], 0
    for x in wrt:
        shape = (*y.shape, *x.shape)
        if not entries or not is_float(x.dtype):
            blocks.append(full(0, shape, dtype))
            continue
        width = prod(x.shape)
        blocks.append(
            assembled([_as(entry, dtype) for row in entries for entry in row[left : left + width]], shape, dtype)
        )
        left += width
    return blocks


def _as(entry: Node | None, dtype: DType) -> Node | None:
    return entry if entry is None or entry.dtype == dtype else make(CONVERT, (entry,), {"dtype": dtype})


def _basis(nodes: Sequence[Node], k: int) -> list[Node | None]:
    """The basis vector of single elements that is one at position `k`."""
    return [constant(np.ones((), node.dtype)) if at == k else None for at, node in enumerate(nodes)]
