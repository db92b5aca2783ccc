"""A derivative times a partial derivative of an elementwise node: the chain rule at one operand.

What the row's rule makes of expressions depends on their types alone. So it is asked once for operands of these types,
and what it recorded is a template: later nodes are made by it without the rule, without promotion and inference.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import itemgetter

from ..concurrency import Memo
from ..graph.construction import Step, make, make_all, var
from ..graph.interning import interning
from ..graph.node import Node
from ..graph.trace_context import entered
from ..graph.traversal import walk
from ..ops.leaves import input_row as INPUT
from .masks import Derivative, times

#: The steps, which begin with the derivative, the node and its operands; and the number of the product among what is
#: there then, None where it is zero.
Template = tuple[tuple[Step, ...], "int | None"]

#: How often a rule is asked for the same types before a template of it is made.
_WORTHWHILE = 4
#: Templates by rule and types; None where the rule gives masks.
_templates: Memo[tuple[Hashable, ...], Template | None] = Memo(10_000)
#: How often a rule was asked that has no template yet.
_asked: Memo[tuple[Hashable, ...], int] = Memo(10_000)


def partial_product(derivative: Derivative, node: Node, i: int) -> Derivative | None:
    """`derivative` times the partial derivative of the elementwise `node` by its operand `i`; None where it is zero."""
    rule = node.op.partials[i]
    if rule is None:
        return None
    if type(derivative) is Node:
        inputs = node.inputs
        if len(inputs) == 2:
            key: tuple[Hashable, ...] = (node.op, i, node.items, derivative.type, inputs[0].type, inputs[1].type)
        else:
            key = (node.op, i, node.items, derivative.type, *[x.type for x in inputs])
        template = _templates.get(key)
        if template is None and key not in _templates:
            template = _after_many(key, derivative, node, i)
        if template is not None:
            steps, product = template
            if product is None:
                return None
            there = [derivative, node, *inputs]
            if steps:
                make_all(steps, there)
            return there[product]
    return times(derivative, rule(node, *node.inputs))


def _after_many(key: tuple[Hashable, ...], derivative: Node, node: Node, i: int) -> Template | None:
    """The template for a key that has none, once it was asked for often enough; None until then."""
    count = _asked.get(key, 0)
    if count < _WORTHWHILE:
        _asked.put(key, count + 1)
        return None
    return _templates.put(key, _template(derivative, node, i))


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
        steps.append((x.op, x.items, x.type, _taker([number[operand] for operand in x.inputs])))
    return tuple(steps), number[product]


def _taker(places: Sequence[int]) -> Callable[[Sequence[Node]], tuple[Node, ...]]:
    """What takes the nodes at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda there: tuple([there[at] for at in places])
