"""Forward mode: tangents pushed from the variables to the outputs, graph to graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set as AbstractSet
from typing import TYPE_CHECKING, TypeAlias, cast

from ..errors import DTypeError, ShapeError
from ..graph.construction import as_node, var
from ..graph.graph import bodies_of
from ..graph.node import DType, Node
from ..graph.source import attributing
from ..ops.dtypes import is_float
from ..ops.leaves import given_row as GIVEN, output_row as OUTPUT
from ..ops.row import Family, Op, Shape
from .activity import Activity
from .masks import (
    Derivative,
    Masked,
    linear_in,
    plus,
    pushed_linear,
    pushed_product,
    settle,
    settled,
    value_of,
    widened,
)
from .partial_products import partial_product

if TYPE_CHECKING:
    from ..ops.expr import Expr, Jvp, Jvps


#: A rule of this package, which takes and gives derivatives with masks.
MaskedRule: TypeAlias = Callable[[Node, Sequence[Derivative | None]], Sequence[Derivative | None]]
#: Rules that keep the tangents apart from the primal computation, used by `jvp(..., linear=True)`.
LINEAR_RULES: dict[Op, MaskedRule] = {}
#: One variable for each type, that stands for a tangent or cotangent while a rule is asked what it makes of it.
_slots: dict[tuple[Shape, DType, int], Node] = {}


def jvp(
    outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Derivative | None], *, linear: bool = False
) -> list[Node | None]:
    """Tangents of `outputs` for given tangents of `wrt`: the Jacobian times a vector, as ordinary nodes.

    Args:
        outputs: expressions.
        wrt: independent variables, any nodes. Those that are not floating carry no tangent.
        tangents: one per variable, of its shape and dtype, or None for zero.
        linear: keep the tangents of a `scan` in a loop of their own, which reads stacked values of the primal loop.
            Otherwise one loop computes both, with no memory that grows with its length.

    Returns:
        One tangent per output, of its shape and dtype, or None where it is zero whatever the tangents' values.

    Example:
        >>> x, dx = pg.var("x"), pg.var("dx")
        >>> str(jvp([x * x], [x], [dx])[0].op.name)
        'add'
    """
    return settle(pushed(outputs, wrt, tangents, linear=linear))


def pushed(
    outputs: Sequence[Node],
    wrt: Sequence[Node],
    tangents: Sequence[Derivative | None],
    *,
    linear: bool = False,
    beyond: AbstractSet[Node] = frozenset(),
    within: bool = False,
) -> list[Derivative | None]:
    """The same with masks that are still to be applied. Nodes `beyond` do not depend on `wrt`.

    `within` a rule that is written out, masks are not taken through further such rules: of an operand in which a row
    is linear, its rule is the row itself again.
    """
    activity = Activity(outputs, wrt, beyond)
    known: dict[Node, Derivative] = {}
    several: dict[Node, Sequence[Derivative | None]] = {}
    for variable, tangent in zip(wrt, tangents, strict=True):
        if tangent is not None and is_float(variable.dtype):
            check_like(tangent, variable, "tangent")
            both = plus(known.get(variable), tangent)
            assert both is not None
            known[variable] = both
    with attributing() as context:
        for node in activity.order:
            if node.op is OUTPUT:
                result = several[node.inputs[0]][node.attrs["index"]] if node.inputs[0] in several else None
            elif node in activity.expansion:
                result = known.get(activity.expansion[node])
            else:
                incoming = [known.get(operand) for operand in node.inputs]
                if all(tangent is None for tangent in incoming):
                    continue
                if within and node.op.family is Family.CUSTOM and not takes_masks(node):
                    incoming = list(settle(incoming))
                context.line = None if node.line is None else node.line.swept("tangent").of(node.op.name)
                if node.results is not None:
                    rule = LINEAR_RULES.get(node.op) if linear else None
                    several[node] = rule(node, incoming) if rule else _custom(node, incoming)
                    continue
                result = push(node, incoming)
            if result is not None:
                known[node] = result
    return [known.get(output) for output in outputs]


def check_like(derivative: Derivative, primal: Node, what: str) -> None:
    """Raise unless a given tangent or cotangent has its primal's shape and dtype."""
    error = ShapeError if derivative.shape != primal.shape else DTypeError if derivative.dtype != primal.dtype else None
    if error is not None:
        problem = f"a {what} of type {derivative.type_text} for a value of type {primal.type_text}"
        advice = f"give a {what} of the value's shape and dtype"
        raise error(problem, advice, stage="differentiating", subject=primal.op.name, line=primal.line)


def push(node: Node, tangents: Sequence[Derivative | None]) -> Derivative | None:
    """The tangent of `node` from those of its operands, by the rule of its family."""
    op = node.op
    result: Derivative | None = None
    if op.family is Family.CUSTOM:
        (result,) = _custom(node, tangents)
    elif op.family is Family.LINEAR:
        if any(tangents[i] is not None for i in linear_in(op, len(node.inputs))):
            result = pushed_linear(node, tangents)
    elif op.family is Family.BILINEAR:
        for i, tangent in enumerate(tangents):
            if tangent is not None:
                result = plus(result, pushed_product(node, i, tangent))
    else:
        for i, tangent in enumerate(tangents):
            if tangent is not None:
                result = plus(result, partial_product(tangent, node, i))
    return None if result is None else widened(result, node.shape)


def _custom(node: Node, tangents: Sequence[Derivative | None]) -> Sequence[Derivative | None]:
    """The tangents of a node's results by a rule written out."""
    rule = node.op.jvp
    assert rule is not None, f"op {node.op.name} has no jvp rule"
    if takes_masks(node):
        return cast("MaskedRule", rule)(node, tangents)

    def found(given: Sequence[Node | None]) -> Sequence[Expr | None]:
        if node.results is not None:
            return cast("Jvps", rule)(node, given)
        return [cast("Jvp", rule)(node, given)]

    given: Sequence[Derivative | None] = [settled(x) for x in tangents] if node.op.settled else tangents
    return through(found, given, {node, *node.inputs})


def takes_masks(node: Node) -> bool:
    """Whether the rules of a node are this package's own, as those of loops and branches."""
    return bool(bodies_of(node)) or node.op is GIVEN


def through(
    rule: Callable[[Sequence[Node | None]], Sequence[Expr | None]],
    given: Sequence[Derivative | None],
    beyond: AbstractSet[Node],
) -> Sequence[Derivative | None]:
    """A linear rule on tangents or cotangents, of which masks are taken through what it makes of variables.

    Args:
        rule: gives expressions that are linear in its arguments.
        beyond: other nodes that the rule uses, which do not depend on its arguments.
    """
    if not any(isinstance(x, Masked) for x in given):
        return _as_nodes(rule([value_of(x) if x is not None else None for x in given]))
    slots = [None if x is None else _slot(x.shape, x.dtype, i) for i, x in enumerate(given)]
    if any(x in beyond for x in slots if x is not None):  # the rule made the row itself of a slot
        return _as_nodes(rule([settled(x) for x in given]))
    found = _as_nodes(rule(slots))
    live = [(slot, x) for slot, x in zip(slots, given, strict=True) if slot is not None]
    results = iter(
        pushed(
            [x for x in found if x is not None],
            [x for x, _ in live],
            [x for _, x in live],
            beyond=beyond,
            within=True,
        )
    )
    return [None if x is None else next(results) for x in found]


def _as_nodes(found: Sequence[Expr | None]) -> list[Node | None]:
    return [None if x is None else as_node(x) for x in found]


def _slot(shape: Shape, dtype: DType, number: int) -> Node:
    key = (shape, dtype, number)
    if key not in _slots:
        _slots[key] = var(f"slot{number}", shape, dtype)
    return _slots[key]
