"""Passes that compute what may not be asked for, where that costs less than to leave it out.

What they compute in vain can't fail and is thrown away. It may be inf or nan, so `check_finite` does without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from math import prod

from ..graph.construction import make
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.rewriting import rebuilt, rewrite, substitute
from ..graph.uniform import is_value, spread
from ..ops.comparison import (
    logical_and_row as LOGICAL_AND,
    logical_not_row as LOGICAL_NOT,
    logical_or_row as LOGICAL_OR,
    select as SELECT,
)
from ..ops.dtypes import bool_
from ..ops.reductions import reduce_max as REDUCE_MAX
from ..ops.row import Attrs, Op, lookup
from ..ops.shaping import reshape_row as RESHAPE, transpose_row as TRANSPOSE
from .rule_helpers import same

#: The most operations of a body that is computed whether it is taken or not.
OPERATIONS = 32
#: For how many masks it is known at most which rows are looked at: those of the nearest selects.
FACTS = 8
#: The most elements that are computed in place of zeros.
ELEMENTS = 1024
#: How many masks are looked at to say what one is: each may be made of others that several share.
MASKS = 64


def applies(ops: Set[Op]) -> bool:
    """Whether a graph of these operations has anything that `flattened` or `settled` may change."""
    return SELECT in ops or any(op.branch for op in ops)


# --- branches --------------------------------------------------------------------------------------------------------


def flattened(nodes: Sequence[Node], outputs: Sequence[Node]) -> Sequence[Node]:
    """`outputs` with small branches on whether any example of a batch takes them as selects, and those between an array
    of few elements and zeros.

    The results of the first kind are rows of which those that no example takes are not looked at, so `settled` finds
    most of what tells these rows from others superfluous.
    """

    def visit(node: Node, inputs: tuple[Node, ...]) -> list[Node] | None:
        condition = _condition(inputs[0], node.attrs) if node.op.branch else None
        return None if condition is None else _selects(condition, node.attrs["bodies"], inputs[1:])

    return rewrite(outputs, visit, order=nodes) if any(node.op.branch for node in nodes) else outputs


def _condition(index: Node, attrs: Attrs) -> Node | None:
    """The condition of a branch that may become selects."""
    bodies = attrs["bodies"]
    if not index.op.casts or index.inputs[0].dtype != bool_ or len(bodies) != 2 or attrs.get("recompute"):
        return None
    (condition,) = index.inputs
    if sorted(_operations(body) for body in bodies)[1] > OPERATIONS:
        return None
    if condition.op is REDUCE_MAX and condition.inputs[0].dtype == bool_:
        return condition
    small = sum(prod(x.shape) for x in bodies[0].outputs) <= ELEMENTS
    return condition if small and any(map(_gives_zeros, bodies)) else None


def _gives_zeros(body: Graph) -> bool:
    return all(is_value(x, lambda value: value == 0) for x in body.outputs)


def _operations(body: Graph) -> int:
    """How many operations a body has to compute; more than any limit where one of them may fail or runs sub-graphs."""
    count = 0
    for node in body.nodes:
        if node.inputs and not node.op.whole_view:
            count += 1 if _is_pointwise(node) else OPERATIONS + 1
    return count


def _is_pointwise(node: Node) -> bool:
    return node.op.pointwise and not node.op.fallible


def _selects(condition: Node, bodies: Sequence[Graph], given: Sequence[Node]) -> list[Node]:
    no, yes = (substitute(body.outputs, dict(zip(body.inputs, given, strict=True))) for body in bodies)
    return [x if x is y else make(SELECT, (condition, x, y), {}) for x, y in zip(yes, no, strict=True)]


# --- selects ---------------------------------------------------------------------------------------------------------

#: What is known of masks wherever a value is looked at: in rows with these truths.
_Facts = Mapping[Node, bool]


def settled(nodes: Sequence[Node], outputs: Sequence[Node]) -> Sequence[Node]:
    """`outputs` without selects between rows that are decided by the select that looks at them.

    select(m, f(select(m, x, y)), z) is select(m, f(x), z) where f computes each row from the same row. A value is
    changed only if all that use it look at nothing but rows that stay as they are.
    """
    if sum(node.op is SELECT for node in nodes) < 2:
        return outputs
    facts: dict[Node, _Facts] = {output: {} for output in outputs}
    replaced: dict[Node, list[Node]] = {}  # the operands of a node, where one of them is to be another
    for node in reversed(nodes):
        if node not in facts:
            continue  # it is not needed
        operands = []
        for operand, known in _looked_at(node, facts[node]):
            found, known = _decided(operand, known)
            operands.append(found)
            before = facts.get(found)
            if before is None:
                facts[found] = known
            elif before and before is not known:
                facts[found] = {mask: truth for mask, truth in before.items() if known.get(mask) is truth}
        if not same(operands, node.inputs):
            replaced[node] = operands
    if not replaced:
        return outputs
    done: dict[Node, Node] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        if node not in replaced:
            return None
        return rebuilt(node, [spread(done[x], old.shape) for x, old in zip(replaced[node], node.inputs, strict=True)])

    return rewrite(outputs, visit, done, order=[node for node in nodes if node in facts])


def _looked_at(node: Node, known: _Facts) -> Iterator[tuple[Node, _Facts]]:
    """The operands of `node`, with what is known where it looks at them."""
    if node.op is SELECT:
        condition, first, second = node.inputs
        yield condition, {}
        mask = _mask(condition, node)
        for operand, truth in ((first, True), (second, False)):
            yield operand, _kept(node, operand, known if mask is None else _with(known, mask, truth))
        return
    for operand in node.inputs:
        yield operand, _kept(node, operand, known) if known else known


def _with(known: _Facts, mask: Node, truth: bool) -> _Facts:
    more = {**known, mask: truth}
    while len(more) > FACTS:
        del more[next(iter(more))]
    return more


def _mask(condition: Node, node: Node) -> Node | None:
    """What a condition of `node` is along the first axes of it; None where it is not aligned with these."""
    mask = condition
    while mask.op is RESHAPE or (mask.op.repeats and len(mask.inputs[0].shape) in (0, len(mask.shape))):
        mask = mask.inputs[0]
    rank = len(mask.shape)
    if rank and (
        len(condition.shape) != len(node.shape) or not _leads(mask.shape, condition) or not _leads(mask.shape, node)
    ):
        return None
    return mask


def _leads(shape: tuple[int, ...], node: Node) -> bool:
    return node.shape[: len(shape)] == shape


def _kept(node: Node, operand: Node, known: _Facts) -> _Facts:
    """Of `known` what holds for `operand` too: where `node` makes each row from the same row of it."""
    if not known:
        return known
    op = node.op
    if _is_pointwise(node) or op.repeats:
        least = len(node.shape) if len(operand.shape) != len(node.shape) else 0
        return {m: t for m, t in known.items() if not m.shape or (not least and _leads(m.shape, operand))}
    if op is RESHAPE:
        return {m: t for m, t in known.items() if _leads(m.shape, operand) and 0 not in node.shape}
    if op is TRANSPOSE:
        axes = node.attrs["axes"]
        return {m: t for m, t in known.items() if axes[: len(m.shape)] == tuple(range(len(m.shape)))}
    if op.combiner:
        first = min(node.attrs["axes"], default=len(operand.shape))
        return {m: t for m, t in known.items() if len(m.shape) <= first}
    return {}


def _decided(node: Node, known: _Facts) -> tuple[Node, _Facts]:
    """What can stand for `node` in the rows that are looked at: an operand where it is a select; and what is known."""
    while known and node.op is SELECT:
        mask = _mask(node.inputs[0], node)
        truth = None if mask is None else _truth(mask, known)
        if truth is None:
            break
        operand = node.inputs[1 if truth else 2]
        known = _kept(node, operand, known)
        node = operand
    return node, known


def _truth(mask: Node, known: _Facts, seen: dict[Node, bool | None] | None = None) -> bool | None:
    """What a mask is where the masks `known` are what they are; None where that is not known, or takes long to say."""
    seen = {} if seen is None else seen
    if mask not in seen:
        if len(seen) >= MASKS:
            return None
        seen[mask] = None
        seen[mask] = _deduced(mask, known, seen)
    return seen[mask]


def _deduced(mask: Node, known: _Facts, seen: dict[Node, bool | None]) -> bool | None:
    if mask in known:
        return known[mask]
    if mask.op is LOGICAL_NOT:
        inner = _truth(mask.inputs[0], known, seen)
        return None if inner is None else not inner
    if mask.op.opposite:
        inner = known.get(make(lookup(mask.op.opposite), mask.inputs, mask.attrs))
        return None if inner is None else not inner
    if mask.op in (LOGICAL_AND, LOGICAL_OR):
        both = [_truth(x, known, seen) for x in mask.inputs]
        deciding = mask.op is LOGICAL_OR
        if deciding in both:
            return deciding
        return None if None in both else not deciding
    if mask.op is REDUCE_MAX and mask.attrs["axes"] == tuple(range(len(mask.shape), len(mask.inputs[0].shape))):
        return True if _truth(mask.inputs[0], known, seen) else None
    return None
