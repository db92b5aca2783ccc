"""Forward mode: tangents pushed from the variables to the outputs, graph to graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import DTypeError, ShapeError
from ..graph.build import make
from ..graph.node import Node
from ..graph.where import attributed, describe
from ..ops.dtypes import is_float
from ..ops.row import Family, Op, lookup
from .unbroadcast import full, spread
from .walk import Walk

ADD = lookup("add")
MULTIPLY = lookup("multiply")
NEGATIVE = lookup("negative")
OUTPUT = lookup("output")

#: Rules that keep the tangents apart from the primal computation, used by `jvp(..., linear=True)`.
LINEAR_RULES: dict[Op, Callable[[Node, Sequence[Node | None]], Sequence[Node | None]]] = {}


def jvp(
    outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node | None], *, linear: bool = False
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
    walk = Walk(outputs, wrt)
    known: dict[Node, Node] = {}
    several: dict[Node, Sequence[Node | None]] = {}
    for variable, tangent in zip(wrt, tangents, strict=True):
        if tangent is not None and is_float(variable.dtype):
            check_like(tangent, variable, "tangent")
            known[variable] = make(ADD, (known[variable], tangent), {}) if variable in known else tangent
    for node in walk.order:
        if node.op is OUTPUT:
            result = several[node.inputs[0]][node.attrs["index"]] if node.inputs[0] in several else None
        elif node in walk.expansion:
            result = known.get(walk.expansion[node])
        else:
            incoming = [known.get(operand) for operand in node.inputs]
            if all(tangent is None for tangent in incoming):
                continue
            with attributed(node.where):
                if node.results is not None:
                    rule = LINEAR_RULES.get(node.op) if linear else None
                    several[node] = (rule or _custom(node.op))(node, incoming)
                    continue
                result = push(node, incoming)
        if result is not None:
            known[node] = result
    return [known.get(output) for output in outputs]


def check_like(derivative: Node, primal: Node, what: str) -> None:
    """Raise unless a given tangent or cotangent has its primal's shape and dtype."""
    error = ShapeError if derivative.shape != primal.shape else DTypeError if derivative.dtype != primal.dtype else None
    if error is not None:
        problem = f"a {what} of type {derivative.type_text} for a value of type {primal.type_text}"
        advice = f"give a {what} of the value's shape and dtype"
        raise error(describe("differentiating", primal.op.name, problem, advice, where=primal.where))


def push(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    """The tangent of `node` from those of its operands, by the rule of its family."""
    op = node.op
    if op.family is Family.CUSTOM:
        result: Node | None = _custom(op)(node, tangents)
    elif op.family is Family.LINEAR:
        result = _push_linear(node, tangents)
    elif op.family is Family.BILINEAR:
        result = None
        for i, tangent in enumerate(tangents):
            if tangent is not None:
                operands = (*node.inputs[:i], tangent, *node.inputs[i + 1 :])
                result = plus(result, make(op, operands, node.attrs))
    else:
        result = None
        for partial, tangent in zip(op.partials, tangents, strict=True):
            if tangent is not None and partial is not None:
                result = plus(result, times(tangent, partial(node, *node.inputs)))
    return None if result is None else spread(result, node.shape)


def _push_linear(node: Node, tangents: Sequence[Node | None]) -> Node:
    linear = range(len(node.inputs)) if node.op.linear_in is None else node.op.linear_in
    operands = list(node.inputs)
    for i in linear:
        tangent = tangents[i]
        shape = () if node.op.pointwise else operands[i].shape
        operands[i] = full(0, shape, operands[i].dtype) if tangent is None else tangent
    return make(node.op, tuple(operands), node.attrs)


def _custom(op: Op) -> Callable[[Node, Sequence[Node | None]], Any]:
    assert op.jvp is not None, f"op {op.name} has no jvp rule"
    return op.jvp


def plus(total: Node | None, term: Node | None) -> Node | None:
    """The sum of two tangents or cotangents, either of which may be a symbolic zero."""
    if total is None or term is None:
        return term if total is None else total
    return make(ADD, (total, term), {})


def times(derivative: Node, partial: Any) -> Node | None:
    """A tangent or cotangent times a partial derivative, which is an expression or a plain number."""
    if not isinstance(partial, Node):
        if partial == 0:
            return None
        if partial == 1:
            return derivative
        if partial == -1:
            return make(NEGATIVE, (derivative,), {})
        partial = float(partial)
    product: Node = MULTIPLY(derivative, partial)
    return product
