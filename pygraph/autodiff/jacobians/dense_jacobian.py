"""Whole Jacobians as graphs: one jvp or vjp, batched over all basis vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

import numpy as np

from ...graph.construction import as_node, constant, make, var
from ...graph.node import Node
from ...graph.record_scan import scan
from ...graph.uniform import full, reshaped
from ...ops.comparison import equal as EQUAL
from ...ops.counting import iota
from ...ops.dtypes import bool_, is_float
from ...ops.row import Shape
from ...ops.shaping import in_batch, slice_row as SLICE, transpose_row as TRANSPOSE
from ..batching.batch import batch
from ..cost import peak_bytes, price
from ..forward import jvp
from ..masks import Derivative, seed
from ..reverse import vjp
from .pattern import Index

#: Memory that the tangents (cotangents) of one sweep may take: where all basis vectors together would take more, they
#: are swept in chunks, one after another, of as many as fit.
CHUNK_BYTES = 64 << 20


@dataclass(frozen=True)
class JacobianPlan:
    """The Jacobian of some outputs with respect to some variables, by one mode.

    Attributes:
        mode: how it is computed: "forward", "reverse" or "coloured".
        blocks: per output and variable, an expression of shape output.shape + variable.shape.
        vectors: how many basis vectors are pushed or pulled.
        chunk: how many of them at a time.
        cost: of the blocks and all that they need; see `cost.price`.
    """

    mode: str
    blocks: list[list[Node]]
    vectors: int
    chunk: int

    @property
    def cost(self) -> int:
        """The estimated cost, that of the value included."""
        return price([block for row in self.blocks for block in row])


def jacobian_forward(outputs: Sequence[Node], wrt: Sequence[Node], chunk_bytes: int | None = None) -> JacobianPlan:
    """The Jacobian of each output with respect to each variable, by one batched jvp: a tangent per element of `wrt`.

    Blocks have the output's dtype. The derivatives of outputs and variables that are not floating are zeros (of
    float64 where the output is not floating). `chunk_bytes` bounds the memory of one sweep, by default `CHUNK_BYTES`.

    Example:
        >>> x = pg.var("x", (3,))
        >>> jacobian_forward([x[:2] * 2.0], [x]).blocks[0][0].shape
        (2, 3)
    """
    floating = [x for x in wrt if is_float(x.dtype)]
    swept = sweep(lambda seeds: jvp(outputs, floating, seeds, linear=True), floating, chunk_bytes)
    blocks = []
    for output, stack in zip(outputs, swept.stacks or [None] * len(outputs), strict=True):
        starts = dict(zip(map(id, floating), swept.starts, strict=True))
        row = []
        for x in wrt:
            shape = (*output.shape, *x.shape)
            if stack is None or not is_float(x.dtype):
                row.append(full(0, shape, output.dtype if is_float(output.dtype) else np.dtype("float64")))
                continue
            columns = _rows(stack, starts[id(x)], prod(x.shape))
            axes = (*range(1, len(output.shape) + 1), 0)
            row.append(reshaped(make(TRANSPOSE, (columns,), {"axes": axes}) if output.shape else columns, shape))
        blocks.append(row)
    return JacobianPlan("forward", blocks, swept.vectors, swept.chunk)


def jacobian_reverse(outputs: Sequence[Node], wrt: Sequence[Node], chunk_bytes: int | None = None) -> JacobianPlan:
    """The same by one batched vjp: a cotangent per element of `outputs`. Blocks have the variable's dtype.

    Example:
        >>> x = pg.var("x", (3,))
        >>> jacobian_reverse([np.sum(x * x)], [x]).blocks[0][0].shape
        (3,)
    """
    floating = [y for y in outputs if is_float(y.dtype)]
    swept = sweep(lambda seeds: vjp(floating, wrt, seeds), floating, chunk_bytes)
    places = iter(swept.starts)
    blocks = []
    for output in outputs:
        start = next(places) if is_float(output.dtype) else None
        row = []
        for x, stack in zip(wrt, swept.stacks or [None] * len(wrt), strict=True):
            shape = (*output.shape, *x.shape)
            if stack is None or start is None:
                row.append(full(0, shape, x.dtype if is_float(x.dtype) else np.dtype("float64")))
            else:
                row.append(reshaped(_rows(stack, start, prod(output.shape)), shape))
        blocks.append(row)
    return JacobianPlan("reverse", blocks, swept.vectors, swept.chunk)


@dataclass(frozen=True)
class Swept:
    """A linear map applied to every basis vector.

    Attributes:
        stacks: per result, its values along a new first axis; None where it is zero. Empty when there is no vector.
        starts: per part of the space, the position of its first element, which is that of its first basis vector.
    """

    stacks: list[Node | None]
    starts: list[int]
    vectors: int
    chunk: int


def sweep(
    derivative: Callable[[Sequence[Derivative]], Sequence[Node | None]],
    space: Sequence[Node],
    chunk_bytes: int | None,
    colours: Index | None = None,
) -> Swept:
    """`derivative` of every basis vector of the space made of all elements of the nodes `space`.

    Args:
        derivative: a linear map.
        space: what its operands are like.
        chunk_bytes: the memory that one sweep may take, by default `CHUNK_BYTES`.
        colours: for each element the vector that it is 1 in, -1 for none; by default each has one of its own.
    """
    sizes = [prod(node.shape) for node in space]
    starts = [0, *accumulate(sizes)]
    vectors = starts.pop()
    elements = vectors
    if colours is not None:
        vectors = int(colours.max(initial=-1)) + 1
    if not vectors:
        return Swept([], starts, 0, 0)
    if vectors == 1 and len(space) == 1 and (elements == 1 or np.all(colours == 0)):
        found = derivative([full(1, space[0].shape, space[0].dtype)])
        return Swept([None if x is None else reshaped(x, (1, *x.shape)) for x in found], starts, 1, 1)
    parts = list(zip(starts, sizes, strict=True))
    if colours is None:
        numbers = [iota(size, start) for start, size in parts]
    else:
        numbers = [constant(colours[start : start + size]) for start, size in parts]
    masks = [var(f"seed{i}", node.shape, bool_) for i, node in enumerate(space)]
    found = derivative([seed(mask, node.dtype) for mask, node in zip(masks, space, strict=True)])
    live = [x for x in found if x is not None]

    def swept(positions: Node) -> list[Node]:
        (count,) = positions.shape
        basis: list[Node | None] = [_basis(positions, x, part) for x, part in zip(space, numbers, strict=True)]
        stacks, flags = batch(live, masks, basis, count)
        return [as_node(in_batch(x, flag, count)) for x, flag in zip(stacks, flags, strict=True)]

    limit = CHUNK_BYTES if chunk_bytes is None else chunk_bytes
    steps = -(-vectors // max(1, limit // max(1, peak_bytes(live, masks))))
    chunk = -(-vectors // steps)
    if steps == 1:
        stacks = swept(iota(vectors))
    else:  # the last chunk may run over the end: vectors beyond it are zero, and cut off
        _, several = scan(lambda first, _: (first + chunk, swept(first + iota(chunk))), constant(0), None, steps)
        stacks = [_rows(reshaped(x, (steps * chunk, *x.shape[2:])), 0, vectors) for x in several]
    remaining = iter(stacks)
    return Swept([None if x is None else next(remaining) for x in found], starts, vectors, chunk)


def _basis(positions: Node, x: Node, numbers: Node) -> Node:
    """For each of `positions`, where the vector is one whose elements have that one of `numbers`, shaped like `x`.

    It is made by comparing positions, so the matrix of all vectors is not a constant of the graph.
    """
    column = reshaped(positions, (positions.shape[0], 1))
    hit = make(EQUAL, (column, numbers), {})
    return reshaped(hit, (positions.shape[0], *x.shape))


def _rows(x: Node, start: int, count: int) -> Node:
    """`count` slices along the first axis."""
    if (start, count) == (0, x.shape[0]):
        return x
    ndim = len(x.shape)
    shape: Shape = (count, *x.shape[1:])
    return make(
        SLICE, (x,), {"starts": (start if count else 0, *[0] * (ndim - 1)), "steps": (1,) * ndim, "shape": shape}
    )
