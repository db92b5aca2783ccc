"""A derivative times a partial derivative of an elementwise node: the chain rule at one operand.

What the row's rule makes of expressions depends on their types alone. So it is asked once for operands of these types,
and what it recorded is a template: later nodes are made by it without the rule, without promotion and inference.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from ..concurrency import Memo
from ..graph.construction import Items, make, make_typed, var
from ..graph.interning import interning
from ..graph.node import Node, ValueType
from ..graph.trace_context import entered
from ..graph.traversal import walk
from ..ops.leaves import input_row as INPUT
from ..ops.row import Op
from .masks import Derivative, times

#: One node of a template: its row, static arguments, type, and operands by number: the derivative is 0, the node 1, its
#: operands follow, and then what the steps before have made.
Step = tuple[Op, Items, ValueType, tuple[int, ...]]
#: The steps, and the number of the product; None where it is zero.
Template = tuple[tuple[Step, ...], "int | None"]

#: How often a rule is asked for the same types before a template of it is made.
_WORTHWHILE = 4
#: Templates, and how often the rule was asked where there is none yet; None where it gives masks.
_templates: Memo[tuple[Hashable, ...], Template | int | None] = Memo(10_000)


def partial_product(derivative: Derivative, node: Node, i: int) -> Derivative | None:
    """`derivative` times the partial derivative of the elementwise `node` by its operand `i`; None where it is zero."""
    rule = node.op.partials[i]
    if rule is None:
        return None
    if type(derivative) is Node:
        key = (node.op, node.items, i, derivative.type, node.type, *[x.type for x in node.inputs])
        template = _templates.get(key, 0)
        if type(template) is int:
            template = template + 1 if template < _WORTHWHILE else _template(derivative, node, i)
            _templates.put(key, template)
        if type(template) is tuple:
            steps, product = template
            if product is None:
                return None
            there = [derivative, node, *node.inputs]
            for op, items, value_type, operands in steps:
                there.append(make_typed(op, tuple([there[at] for at in operands]), items, value_type))
            return there[product]
    return times(derivative, rule(node, *node.inputs))


def _template(derivative: Node, node: Node, i: int) -> Template | None:
    """What the rule makes of expressions of these types; None where that has masks."""
    rule = node.op.partials[i]
    assert rule is not None
    with entered(recordings=(), watching=(), line=None), interning():
        operands = [var("x", x.shape, x.dtype) for x in node.inputs]
        there = [var("x", derivative.shape, derivative.dtype), make(node.op, operands, node.attrs), *operands]
        product = times(there[0], rule(*there[1:]))
        if product is None:
            return (), None
        if not isinstance(product, Node):
            return None
        return _steps(product, there)


def _steps(product: Node, there: Sequence[Node]) -> Template | None:
    number = {x: at for at, x in enumerate(there)}
    steps: list[Step] = []
    for x in walk([product], stops=number.keys()):
        if x.type is None or x.op is INPUT:
            return None
        number[x] = len(number)
        steps.append((x.op, x.items, x.type, tuple([number[operand] for operand in x.inputs])))
    return tuple(steps), number[product]
