"""Batching, graph to graph: expressions for one example become expressions for a whole batch of examples at once."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ...graph.construction import as_node, definition_of, make
from ...graph.node import Node
from ...graph.rewriting import rebuilt
from ...graph.source import attributed
from ...graph.traversal import walk
from ...ops.expr import Batch, Batches, Expr
from ...ops.leaves import output_row as OUTPUT
from ...ops.row import Family, Op
from ...ops.shaping import aligned, in_batch


def batch(
    outputs: Sequence[Node], inputs: Sequence[Node], batched: Sequence[Node | None], size: int
) -> tuple[list[Node], list[bool]]:
    """`outputs` for a batch of values of `inputs`, as ordinary nodes.

    Args:
        outputs: expressions for one example.
        inputs: any nodes they depend on.
        batched: per input, the expression of the whole batch, with a leading axis of `size`, or None where all
            examples share the input itself.
        size: the number of examples.

    Returns:
        The new outputs, and whether each has the leading axis. What does not depend on a batched input is the
        original node: it is computed once, without the axis.

    Raises:
        ShapeError: a batched expression is not shaped (size, *input.shape).

    Example:
        >>> x, xs = pg.var("x", (3,)), pg.var("xs", (10, 3))
        >>> batch([np.sum(x * x), x * 0.0 + 1.0], [x], [xs], 10)[0][0].shape
        (10,)
    """
    new: dict[Node, Node] = {}
    whole: set[Node] = set()  # those of which `new` holds a batch
    for node, given in zip(inputs, batched, strict=True):
        if given is not None:
            if given.shape != (size, *node.shape):
                problem = f"a batch of shape {given.shape} for {size} values of shape {node.shape}"
                advice = "give the batch a leading axis of its size"
                raise ShapeError(problem, advice, stage="batching", subject=node.op.name, line=node.line)
            new[node] = given
            whole.add(node)
    several: dict[Node, tuple[Sequence[Node], Sequence[bool]]] = {}
    for node in _dependent(outputs, inputs, whole):
        if node.op is OUTPUT and node.inputs[0] in several:
            results, flags = several[node.inputs[0]]
            index = node.attrs["index"]
            new[node] = results[index]
            if flags[index]:
                whole.add(node)
            continue
        operands = [new.get(operand, operand) for operand in node.inputs]
        flags = [operand in whole for operand in node.inputs]
        with attributed(node.line):
            if not any(flags):
                new[node] = rebuilt(node, operands)
                continue
            found = rule_of(node.op)(node, operands, flags, size)
            if isinstance(found, tuple):
                several[node] = list(map(as_node, found[0])), found[1]
            else:
                new[node] = as_node(found)
                whole.add(node)
    return [new.get(output, output) for output in outputs], [output in whole for output in outputs]


def _dependent(outputs: Sequence[Node], inputs: Sequence[Node], whole: set[Node]) -> list[Node]:
    """The nodes between `whole` and `outputs`, operands first; nothing flows past one of `inputs`."""
    reached = set(whole)
    order: list[Node] = []
    for node in walk(outputs, stops=set(inputs)):
        if not reached.isdisjoint(node.inputs):
            reached.add(node)
            order.append(node)
    return order


def rule_of(op: Op) -> Batch | Batches:
    """The rule of a row: its own, that of pointwise rows, or its definition's."""
    if op.batch is not None:
        return op.batch
    if op.family is Family.ELEMENTWISE or op.c is not None:
        return _pointwise
    assert op.define is not None, f"op {op.name} has no rule for a batch"
    return _defined


def _pointwise(node: Expr, operands: Sequence[Expr], flags: Sequence[bool], size: int) -> Expr:
    """The op itself, with axes of size 1 after the batch axis of operands that have fewer axes than the result."""
    ndim = len(node.shape)
    inputs = [aligned(x, ndim) if flag else x for x, flag in zip(operands, flags, strict=True)]
    return make(node.op, list(map(as_node, inputs)), node.attrs)


def _defined(node: Expr, operands: Sequence[Expr], flags: Sequence[bool], size: int) -> Expr:
    own = as_node(node)
    wholes = [as_node(x) if flag else None for x, flag in zip(operands, flags, strict=True)]
    (result,), (has_axis,) = batch([definition_of(own, own.inputs)], own.inputs, wholes, size)
    return result if has_axis else in_batch(result, False, size)
