"""Sparse Jacobians and Hessians as graphs: the entries, in the order of their structure, by the cheapest plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from ...errors import DTypeError
from ...graph.construction import constant, make
from ...graph.node import Node
from ...graph.uniform import full, reshaped
from ...ops.comparison import convert as CONVERT
from ...ops.dtypes import is_float
from ...ops.indexing import take_row as TAKE
from ...ops.row import DType
from ...ops.shaping import concatenate_row as CONCATENATE
from ..cost import price
from ..forward import jvp
from ..reverse import vjp
from .colouring import Colouring, colour_columns, colour_symmetric, colourings, recovery
from .dense_jacobian import jacobian_forward, jacobian_reverse, sweep
from .local_jacobian import local_jacobian
from .pattern import Index, Pattern
from .sparsity import jacobian_sparsity

#: The memory that the products of one sweep may take: a batch saves the steps of loops on small arrays, and has to stay
#: in the nearest cache to do so.
CHUNK_BYTES = 1 << 16
#: The public name of each colouring.
MODES = {"forward": "column", "reverse": "row", "bidirectional": "bidirectional", "star": "star"}
#: The plans that `compressed_jacobian` can be asked for.
PLANS = ("auto", "local", "coloured", "forward", "reverse")


@dataclass(frozen=True)
class Compressed:
    """The entries of a sparse matrix as one expression.

    Attributes:
        data: the entries, in the order of `pattern`; 1-D.
        pattern: where they are.
        kind: what they are taken from: "local" (expressions of small blocks), "dense" (the whole matrix), or the
            products of a colouring, "column", "row", "bidirectional" or "star".
        tangents, cotangents: how many products with the matrix and its transpose that takes.
        costs: (tangents, cotangents) of each plan that was made, by mode: "local", "dense", "forward" (columns),
            "reverse" (rows), "bidirectional", "star".
    """

    data: Node
    pattern: Pattern
    kind: str
    tangents: int
    cotangents: int
    costs: dict[str, tuple[int, int]]


def compressed_jacobian(
    outputs: Sequence[Node], wrt: Sequence[Node], mode: str = "auto", pattern: Pattern | None = None
) -> Compressed | None:
    """The Jacobian of `outputs` with respect to `wrt`, both flattened in C order and put end to end, as its entries.

    Args:
        outputs: expressions; rows of those that are not floating are empty.
        wrt: independent variables, floating.
        mode: "local" (the blocks of equal small computations), "forward" (column colours), "reverse" (row colours),
            "coloured" (the cheapest of these and both together), or "auto", the cheapest of all and the dense matrix.
        pattern: where entries may be; found from the graph unless given. Others are taken to be zero.

    Returns:
        None where `mode` is "local" and the function does not consist of small computations.

    Raises:
        DTypeError: a variable is not floating.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> found = compressed_jacobian([x[1:] * x[:-1]], [x], "coloured")
        >>> found.data, found.costs["forward"]
        (<take : float64[1998]>, (2, 0))
    """
    _require_floating(wrt)
    local = local_jacobian(outputs, wrt) if mode in ("auto", "local") else None
    first: Compressed | None = None
    if local is not None:
        pattern = local.pattern if pattern is None else pattern
        first = Compressed(local.data(pattern), pattern, "local", 0, 0, {"local": (0, 0)})
        if mode == "local" or price([first.data]) <= _least(pattern) * price(outputs):
            return first
    if mode == "local":
        return None
    pattern = jacobian_sparsity(outputs, wrt) if pattern is None else pattern
    if mode == "auto" and _is_full(pattern):
        return _cheapest([first, _dense(outputs, wrt, pattern, _own_places(pattern))])
    coloured = {name: here for here in colourings(pattern) for name, kind in MODES.items() if here.kind == kind}
    chosen = coloured[mode] if mode in coloured else min(coloured.values(), key=lambda here: here.cost)
    places = recovery(pattern, chosen)
    return _cheapest([first, _coloured(outputs, wrt, pattern, chosen, list(coloured.values()), places)])


def compressed_hessian(
    output: Node, wrt: Sequence[Node], mode: str = "auto", pattern: Pattern | None = None, triangle: str = "both"
) -> Compressed | None:
    """The Hessian of a floating scalar with respect to `wrt`, flattened and put end to end, as its entries.

    Its pattern is that of the gradient, made symmetric; its colours are those of a star colouring, by tangents of the
    gradient. Mirrored entries are equal to the last bit.

    Args:
        output: a scalar.
        wrt: independent variables, floating.
        mode: "local", "coloured" or "auto", as for `compressed_jacobian`.
        pattern: where entries may be, as there; it is made symmetric.
        triangle: which entries are wanted: "lower" or "upper", with the diagonal, or "both".

    Returns, raises: as `compressed_jacobian`.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> compressed_hessian(np.sum(x[1:] ** 2 * x[:-1]), [x]).pattern.nnz
        2997
    """
    _require_floating(wrt)
    pulled = vjp([output], wrt, [full(1, output.shape, output.dtype)])
    gradients = [
        full(0, variable.shape, variable.dtype) if gradient is None else gradient
        for gradient, variable in zip(pulled, wrt, strict=True)
    ]
    whole = None if pattern is None else pattern.symmetrised()
    local = local_jacobian(gradients, wrt) if mode in ("auto", "local") else None
    first: Compressed | None = None
    if local is not None:
        whole = local.pattern.symmetrised() if whole is None else whole
        wanted, low = whole.triangle(triangle), whole.triangle("lower")
        data = local.data(low, mirrored=True)
        if triangle != "lower" and wanted.nnz:
            data = make(TAKE, (data, constant(_mirror(low, wanted))), {"axis": 0})
        first = Compressed(data, wanted, "local", 0, 0, {"local": (0, 0)})
        if mode == "local" or price([data]) <= _least(whole) * price(gradients):
            return first
    if mode == "local":
        return None
    whole = jacobian_sparsity(gradients, wrt).symmetrised() if whole is None else whole
    wanted = whole.triangle(triangle)
    if mode == "auto" and _is_full(whole):
        low = whole.triangle("lower")
        return _cheapest([first, _dense(gradients, wrt, wanted, _own_places(low)[_mirror(low, wanted)])])
    chosen = colour_symmetric(whole)
    considered = [colour_columns(whole)] if chosen.kind == "star" else []
    places = recovery(whole, chosen, symmetric=True)[whole.places_of(wanted)]
    return _cheapest([first, _coloured(gradients, wrt, wanted, chosen, [*considered, chosen], places)])


def _cheapest(plans: Sequence[Compressed | None]) -> Compressed:
    """The plan of least estimated cost, with the figures of all."""
    made = [plan for plan in plans if plan is not None]
    best = min(made, key=lambda plan: price([plan.data]))
    return replace(best, costs={name: cost for plan in made for name, cost in plan.costs.items()})


def _least(pattern: Pattern) -> int:
    """How many evaluations of the function, products counted as one each, every colouring takes at least."""
    rows = int(np.diff(pattern.indptr).max(initial=0))
    columns = int(np.bincount(pattern.indices, minlength=1).max())
    return 1 + min(rows, columns)


def _is_full(pattern: Pattern) -> bool:
    """Whether the dense matrix holds little more than the pattern."""
    return 2 * pattern.nnz > pattern.shape[0] * pattern.shape[1]


def _own_places(pattern: Pattern) -> Index:
    """The entries' places in the dense matrix, flattened."""
    places: Index = pattern.rows * pattern.shape[1] + pattern.indices
    return places


def _mirror(low: Pattern, wanted: Pattern) -> Index:
    """For each entry of a symmetric pattern the position of it, or of its mirror image, in the lower triangle."""
    rows, columns = np.maximum(wanted.rows, wanted.indices), np.minimum(wanted.rows, wanted.indices)
    return np.searchsorted(_own_places(low), rows * low.shape[1] + columns)


def _require_floating(wrt: Sequence[Node]) -> None:
    for variable in wrt:
        if not is_float(variable.dtype):
            problem = f"no derivative with respect to a variable of type {variable.type_text}"
            advice = "make it floating, or leave it out"
            raise DTypeError(problem, advice, stage="differentiating", subject="compressed", line=variable.line)


def _coloured(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    pattern: Pattern,
    chosen: Colouring,
    considered: Sequence[Colouring],
    places: Index,
) -> Compressed:
    """The products that `chosen` asks for, and the entries of `pattern` picked from them at `places`."""
    names = {kind: name for name, kind in MODES.items()}
    costs = {names[colouring.kind]: (colouring.tangents, colouring.cotangents) for colouring in considered}
    dtype = _dtype(outputs, wrt)
    products = []
    if chosen.tangents:
        pushed = sweep(lambda seeds: jvp(outputs, wrt, seeds, linear=True), wrt, CHUNK_BYTES, chosen.column_colours)
        products.append(_flat(pushed.stacks, outputs, chosen.tangents, dtype))
    if chosen.cotangents:
        active = [y for y in outputs if is_float(y.dtype)]
        kept = np.concatenate([np.full(prod(y.shape), is_float(y.dtype)) for y in outputs])
        pulled = sweep(lambda seeds: vjp(active, wrt, seeds), active, CHUNK_BYTES, chosen.row_colours[kept])
        products.append(_flat(pulled.stacks, wrt, chosen.cotangents, dtype))
    data = _taken(products, places, dtype)
    return Compressed(data, pattern, chosen.kind, chosen.tangents, chosen.cotangents, costs)


def _dense(outputs: Sequence[Node], wrt: Sequence[Node], pattern: Pattern, places: Index) -> Compressed:
    """The entries at `places` of the whole matrix, by the cheaper mode."""
    plan = min((mode(outputs, wrt) for mode in (jacobian_forward, jacobian_reverse)), key=lambda plan: plan.cost)
    dtype = _dtype(outputs, wrt)
    rows = []
    for y, blocks in zip(outputs, plan.blocks, strict=True):
        flat = [
            _as(reshaped(block, (prod(y.shape), prod(x.shape))), dtype) for block, x in zip(blocks, wrt, strict=True)
        ]
        whole = flat[0] if len(flat) == 1 else make(CONCATENATE, tuple(flat), {"axis": 1})
        rows.append(reshaped(whole, (prod(whole.shape),)))
    counts = (plan.vectors, 0) if plan.mode == "forward" else (0, plan.vectors)
    return Compressed(_taken(rows, places, dtype), pattern, "dense", *counts, {"dense": counts})


def _taken(parts: Sequence[Node], places: Index, dtype: DType) -> Node:
    """The elements at `places` of flat arrays put end to end."""
    if not len(places):
        return full(0, (0,), dtype)
    whole = parts[0] if len(parts) == 1 else make(CONCATENATE, tuple(parts), {"axis": 0})
    if len(places) == whole.shape[0] and (places == np.arange(len(places))).all():
        return whole
    return make(TAKE, (whole, constant(places)), {"axis": 0})


def _flat(stacks: Sequence[Node | None], like: Sequence[Node], count: int, dtype: DType) -> Node:
    """Stacks of derivatives shaped like `like` as one flat array, all of the first product, then of the next."""
    parts = []
    for stack, node in zip(stacks, like, strict=True):
        shape = (count, prod(node.shape))
        parts.append(full(0, shape, dtype) if stack is None else _as(reshaped(stack, shape), dtype))
    whole = parts[0] if len(parts) == 1 else make(CONCATENATE, tuple(parts), {"axis": 1})
    return reshaped(whole, (prod(whole.shape),))


def _dtype(outputs: Sequence[Node], wrt: Sequence[Node]) -> DType:
    return np.result_type(*(x.dtype for x in (*outputs, *wrt) if is_float(x.dtype)))


def _as(x: Node, dtype: DType) -> Node:
    return x if x.dtype == dtype else make(CONVERT, (x,), {"dtype": dtype})
