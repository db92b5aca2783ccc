"""Sparse Jacobians and Hessians as graphs: one loop over colours, then one gather of the entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..errors import DTypeError
from ..graph.build import constant, make
from ..graph.control import scan
from ..graph.node import Node
from ..graph.where import describe
from ..ops.dtypes import is_float
from ..ops.row import DType, lookup
from .colouring import Colouring, colour_columns, colour_symmetric, colourings, recovery
from .forward import jvp
from .masks import Derivative, masked
from .pattern import Index, Pattern
from .reverse import vjp
from .sparsity import jacobian_sparsity
from .unbroadcast import CONVERT, full, reshaped

CONCATENATE = lookup("concatenate")
EQUAL = lookup("equal")
SLICE = lookup("slice")
TAKE = lookup("take")
#: The public name of each colouring.
MODES = {"forward": "column", "reverse": "row", "bidirectional": "bidirectional", "star": "star"}


@dataclass(frozen=True)
class Compressed:
    """The entries of a sparse matrix as one expression.

    Attributes:
        data: the entries, in the order of `pattern`; 1-D.
        pattern: where they are.
        colouring: the products that they are taken from.
        costs: (tangents, cotangents) of each colouring that was found, by mode: "forward" (columns), "reverse" (rows),
            "bidirectional", "star".
    """

    data: Node
    pattern: Pattern
    colouring: Colouring
    costs: dict[str, tuple[int, int]]


def compressed_jacobian(outputs: Sequence[Node], wrt: Sequence[Node], mode: str = "auto") -> Compressed:
    """The Jacobian of `outputs` with respect to `wrt`, both flattened in C order and put end to end, as its entries.

    Args:
        outputs: expressions; rows of those that are not floating are empty.
        wrt: independent variables, floating.
        mode: "forward" (column colours), "reverse" (row colours), or "auto", the cheapest of these and both together.

    Raises:
        DTypeError: a variable is not floating.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> found = compressed_jacobian([x[1:] * x[:-1]], [x])
        >>> found.data, found.costs["forward"]
        (<take : float64[1998]>, (2, 0))
    """
    _require_floating(wrt)
    pattern = jacobian_sparsity(outputs, wrt)
    found = {name: here for here in colourings(pattern) for name, kind in MODES.items() if here.kind == kind}
    chosen = min(found.values(), key=lambda here: here.cost) if mode == "auto" else found[mode]
    return _compressed(outputs, wrt, pattern, chosen, list(found.values()))


def compressed_hessian(output: Node, wrt: Sequence[Node]) -> Compressed:
    """The Hessian of a floating scalar with respect to `wrt`, flattened and put end to end, as its entries.

    Its pattern is that of the gradient, made symmetric; its colours are those of a star colouring, by tangents of the
    gradient. Mirrored entries are equal to the last bit.

    Raises:
        DTypeError: a variable is not floating.

    Example:
        >>> x = pg.var("x", (1000,))
        >>> compressed_hessian(np.sum(x[1:] ** 2 * x[:-1]), [x]).pattern.nnz
        2997
    """
    _require_floating(wrt)
    found = vjp([output], wrt, [full(1, output.shape, output.dtype)])
    gradients = [
        full(0, variable.shape, variable.dtype) if gradient is None else gradient
        for gradient, variable in zip(found, wrt, strict=True)
    ]
    pattern = jacobian_sparsity(gradients, wrt).symmetrised()
    chosen = colour_symmetric(pattern)
    considered = [colour_columns(pattern)] if chosen.kind == "star" else []
    return _compressed(gradients, wrt, pattern, chosen, [*considered, chosen], symmetric=True)


def _require_floating(wrt: Sequence[Node]) -> None:
    for variable in wrt:
        if not is_float(variable.dtype):
            problem = f"no derivative with respect to a variable of type {variable.type_text}"
            advice = "make it floating, or leave it out"
            raise DTypeError(describe("differentiating", "compressed", problem, advice, where=variable.where))


def _compressed(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    pattern: Pattern,
    chosen: Colouring,
    considered: Sequence[Colouring],
    symmetric: bool = False,
) -> Compressed:
    """The products that `chosen` asks for, and the entries of `pattern` picked from them."""
    names = {kind: name for name, kind in MODES.items()}
    costs = {names[colouring.kind]: (colouring.tangents, colouring.cotangents) for colouring in considered}
    dtype = np.result_type(*(x.dtype for x in (*outputs, *wrt) if is_float(x.dtype)))

    def pushed(mask: Node) -> Node:
        return _joined(jvp(outputs, wrt, _seeds(mask, wrt), linear=True), outputs, dtype)

    def pulled(mask: Node) -> Node:
        return _joined(vjp(outputs, wrt, _seeds(mask, outputs)), wrt, dtype)

    products = [
        *_products(pushed, chosen.column_colours, chosen.tangents),
        *_products(pulled, chosen.row_colours, chosen.cotangents),
    ]
    if not pattern.nnz:
        return Compressed(full(0, (0,), dtype), pattern, chosen, costs)
    whole = products[0] if len(products) == 1 else make(CONCATENATE, tuple(products), {"axis": 0})
    places = constant(recovery(pattern, chosen, symmetric))
    return Compressed(make(TAKE, (whole, places), {"axis": 0}), pattern, chosen, costs)


def _products(product: Callable[[Node], Node], colours: Index, count: int) -> list[Node]:
    """The products with the sum of the basis vectors of each colour, flattened; nothing where there is no colour.

    The seed is made inside the loop by comparing colours with the step, so the matrix of seeds never exists.
    """
    if not count:
        return []
    if count == 1:
        return [product(constant(colours == 0))]
    numbers = constant(colours)

    def step(carry: tuple[()], colour: Node) -> tuple[tuple[()], Node]:
        return carry, product(make(EQUAL, (numbers, colour), {}))

    _, stacked = scan(step, (), constant(np.arange(count)))
    return [reshaped(stacked, (prod(stacked.shape),))]


def _seeds(mask: Node, like: Sequence[Node]) -> list[Derivative | None]:
    """A vector of ones where a flat mask holds, cut into arrays of the shapes and dtypes of `like`."""
    parts: list[Derivative | None] = []
    start = 0
    for node in like:
        size = prod(node.shape)
        part = mask
        if size != mask.shape[0]:
            part = make(SLICE, (mask,), {"starts": (start if size else 0,), "steps": (1,), "shape": (size,)})
        parts.append(masked(full(1, node.shape, node.dtype), (reshaped(part, node.shape),)))
        start += size
    return parts


def _joined(derivatives: Sequence[Node | None], like: Sequence[Node], dtype: DType) -> Node:
    """Derivatives shaped like `like`, flattened and put end to end; zeros for None."""
    flat = [
        full(0, (prod(node.shape),), dtype)
        if derivative is None
        else _as(reshaped(derivative, (prod(node.shape),)), dtype)
        for derivative, node in zip(derivatives, like, strict=True)
    ]
    return flat[0] if len(flat) == 1 else make(CONCATENATE, tuple(flat), {"axis": 0})


def _as(x: Node, dtype: DType) -> Node:
    return x if x.dtype == dtype else make(CONVERT, (x,), {"dtype": dtype})
