"""Reverse mode: cotangents pulled from the outputs to the variables, graph to graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set as AbstractSet
from typing import TYPE_CHECKING, cast

from ..graph.construction import as_node
from ..graph.node import Node
from ..graph.source import attributing
from ..ops.dtypes import is_float
from ..ops.leaves import output_row as OUTPUT
from ..ops.row import Family
from ..ops.shaping import slice_row as SLICE
from .activity import Activity
from .forward import check_like, takes_masks, through
from .masks import (
    Derivative,
    Masked,
    as_primal,
    chosen,
    conjunction,
    linear_in,
    plus,
    settle,
    settled,
    under,
    value_of,
)
from .partial_products import partial_product
from .scatter_sums import PLACED, is_scattered
from .sink_stacks import absorbed, reads_stacks
from .slice_cotangents import Piece, assemble

if TYPE_CHECKING:
    from ..ops.expr import Expr, Vjp, Vjps
    from .forward import MaskedRule


def vjp(outputs: Sequence[Node], wrt: Sequence[Node], cotangents: Sequence[Derivative | None]) -> list[Node | None]:
    """Cotangents of `wrt` for given cotangents of `outputs`: the Jacobian transposed times a vector, as ordinary nodes.

    Args:
        outputs: expressions.
        wrt: independent variables, any nodes.
        cotangents: one per output, of its shape and dtype, or None for zero. Those of outputs that are not floating
            are left out of account.

    Returns:
        One cotangent per variable, of its shape and dtype, or None where it is zero whatever the cotangents' values
        (and for variables that are not floating). Contributions are added in the order in which the reverse sweep
        meets them, which the graph alone decides.

    Example:
        >>> x, seed = pg.var("x", (3,)), pg.var("seed")
        >>> vjp([np.sum(x * x)], [x], [seed])[0].shape
        (3,)
    """
    return settle(pulled(outputs, wrt, cotangents))


def pulled(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    cotangents: Sequence[Derivative | None],
    *,
    beyond: AbstractSet[Node] = frozenset(),
) -> list[Derivative | None]:
    """The same with masks that are still to be applied. Nodes `beyond` do not depend on `wrt`."""
    activity = Activity(outputs, wrt, beyond)
    if any(node.results is not None and reads_stacks(node) for node in activity.order):
        outputs = absorbed(outputs, wrt)
        activity = Activity(outputs, wrt, beyond)
    sums = Sums()
    several: dict[Node, list[Derivative | None]] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if cotangent is not None and is_float(output.dtype):
            check_like(cotangent, output, "cotangent")
            if output in activity.active:
                sums.add(output, cotangent)
    shares: Iterator[tuple[Node, Derivative | Piece]]
    with attributing() as context:
        for node in reversed(activity.order):
            context.line = None if node.line is None else node.line.swept("reverse").of(node.op.name)
            if node.results is not None:
                cts = several.pop(node, None)
                if cts is None:
                    continue
                shares = _pull_custom(node, cts, activity)
            else:
                ct = sums.pop(node)
                if ct is None:
                    continue
                if node.op is OUTPUT:
                    parent = node.inputs[0]
                    assert parent.results is not None
                    several.setdefault(parent, [None] * len(parent.results))[node.attrs["index"]] = ct
                    continue
                shares = pull(node, ct, activity)
            for operand, share in shares:
                if not isinstance(share, Piece) and share.type is not operand.type:
                    share = as_primal(share, operand)
                sums.add(operand, share)
    found = {variable: sums.pop(variable) for variable in dict.fromkeys(wrt)}
    return [found[variable] for variable in wrt]


def pull(node: Node, ct: Derivative, activity: Activity) -> Iterator[tuple[Node, Derivative | Piece]]:
    """The operands of `node` that are active, each with its share of the cotangent, by the rule of the family."""
    op = node.op
    if node in activity.expansion:
        yield activity.expansion[node], ct
    elif op.family is Family.CUSTOM:
        yield from _pull_custom(node, [ct], activity)
    elif op.family is Family.ELEMENTWISE:
        for i, operand in enumerate(node.inputs):
            if operand in activity.active:
                product = partial_product(ct, node, i)
                if product is not None:
                    yield operand, product
    else:
        around = frozenset((node, *node.inputs))
        for i in linear_in(op, len(node.inputs)):
            operand = node.inputs[i]
            if operand in activity.active:
                share = _transposed(node, ct, i, around)
                if share is not None:
                    yield operand, share


def _transposed(node: Node, ct: Derivative, i: int, around: frozenset[Node]) -> Derivative | Piece | None:
    """The share of operand `i` of a row that is linear in it; `around` are the node and its operands."""
    op = node.op
    rule = op.transpose
    assert rule is not None, f"op {op.name} has no transpose"

    def share(x: Node) -> Node:
        return as_node(rule(x, node, i))

    if op is SLICE:
        inner = conjunction(ct.masks) if isinstance(ct, Masked) else True
        return Piece(share(settled(ct)), inner)
    if op.chooses:
        return chosen(node.inputs[0], ct if i == 1 else None, ct if i == 2 else None)
    if isinstance(ct, Masked):
        return _through(share, ct, around)
    whole = share(ct)
    if "t" in op.gaps:  # the share as it is, with the mask that the rule makes of one without
        found = _through(share, Masked(ct, (), ()), around)
        return under(whole, found.applied) if isinstance(found, Masked) else whole
    return whole


def _through(share: Callable[[Node], Node], ct: Derivative, around: frozenset[Node]) -> Derivative | None:
    (found,) = through(lambda xs: [share(x) for x in xs if x is not None], [ct], around)
    return found


def _pull_custom(
    node: Node, cts: Sequence[Derivative | None], activity: Activity
) -> Iterator[tuple[Node, Derivative | Piece]]:
    """The same by a rule written out, from a cotangent for each result of the node."""
    rule = node.op.vjp
    assert rule is not None, f"op {node.op.name} has no vjp rule"

    def found(given: Sequence[Node | None]) -> Sequence[Expr | None]:
        if node.results is not None:
            return cast("Vjps", rule)(node, given)
        (ct,) = given
        assert ct is not None
        return cast("Vjp", rule)(node, ct)

    if "t" in node.op.gaps:
        cts = [Masked(ct, (), ()) if isinstance(ct, Node) else ct for ct in cts]
    if node.op.settled:
        cts = [settled(ct) for ct in cts]
    own = takes_masks(node)
    shares = cast("MaskedRule", rule)(node, cts) if own else through(found, cts, {node, *node.inputs})
    for operand, share in zip(node.inputs, shares, strict=True):
        if share is not None and operand in activity.active:
            yield operand, share


class Sums:
    """The cotangents of a sweep: a running sum per node, and beside it what covers only a part of the node."""

    def __init__(self) -> None:
        self._scattered: dict[Node, list[Derivative]] = {}
        self._whole: dict[Node, Derivative] = {}
        self._pieces: dict[Node, list[Piece]] = {}

    def add(self, node: Node, ct: Derivative | Piece) -> None:
        """Add a contribution to the cotangent of `node`."""
        if type(ct) is Node and ct.op not in PLACED:  # most often
            total = self._whole.get(node)
            self._whole[node] = ct if total is None else cast("Derivative", plus(total, ct))
        elif isinstance(ct, Piece):
            self._pieces.setdefault(node, []).append(ct)
        elif is_scattered(value_of(ct)):
            self._scattered.setdefault(node, []).append(ct)
        else:
            total = self._whole.get(node)
            both = ct if total is None else plus(total, ct)
            assert both is not None
            self._whole[node] = both

    def pop(self, node: Node) -> Derivative | None:
        """The whole cotangent of `node`, or None where nothing was added."""
        total = self._whole.pop(node, None)
        if node in self._pieces or node in self._scattered:
            for piece in (*assemble(self._pieces.pop(node, ())), *self._scattered.pop(node, ())):
                total = plus(total, piece)
        return total
