"""Products of matrices: transposes become flags, repeated axes of a batch are left to broadcasting, batches are folded.

A flag may change the order in which BLAS adds, and so the last bit: the one place where optimisation may be seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from ..graph.construction import make
from ..graph.node import Node
from ..graph.rewriting import rewrite
from ..graph.uniform import reshaped
from ..ops.limits import MAX_MATRIX
from ..ops.products import matmul_row as MATMUL
from ..ops.reductions import reduce_sum as REDUCE_SUM
from ..ops.row import Shape
from ..ops.shaping import transpose_row as TRANSPOSE
from .engine import RuleSet
from .rule_helpers import same

RULES = RuleSet()

_FLAGS = ("transpose_a", "transpose_b")


@RULES.on(MATMUL)
def transpose_flags(node: Node) -> Node | None:
    """matmul of an operand whose last two axes are exchanged = matmul with the flag turned."""
    inputs, attrs = list(node.inputs), dict(node.attrs)
    for i, flag in enumerate(_FLAGS):
        operand = inputs[i]
        if operand.op is TRANSPOSE and _exchanges_last_two(operand.attrs["axes"]):
            inputs[i] = operand.inputs[0]
            attrs[flag] = not attrs[flag]
    return None if same(inputs, node.inputs) else make(MATMUL, tuple(inputs), attrs)


def _exchanges_last_two(axes: tuple[int, ...]) -> bool:
    n = len(axes)
    return axes == (*range(n - 2), n - 1, n - 2)


@RULES.on(MATMUL)
def batch_broadcast(node: Node) -> Node | None:
    """matmul of an operand repeated along batch axes = matmul of the operand, where the other one has these axes."""
    inputs = list(node.inputs)
    for i, operand in enumerate(node.inputs):
        if not operand.op.repeats:
            continue
        (source,) = operand.inputs
        matrix = operand.shape[-2:]
        if len(source.shape) < 2 or source.shape[-2:] != matrix:
            continue
        if _batch(source.shape[:-2], inputs[1 - i].shape[:-2]) == node.shape[:-2]:
            inputs[i] = source
    return None if same(inputs, node.inputs) else make(MATMUL, tuple(inputs), node.attrs)


def _batch(first: Shape, second: Shape) -> Shape:
    n = max(len(first), len(second))
    padded = [(1,) * (n - len(shape)) + shape for shape in (first, second)]
    return tuple(b if a == 1 else a for a, b in zip(*padded, strict=True))


#: Up to so many multiplications BLAS computes a product as it lies; beyond, it copies both operands first.
UNPACKED = 1_000_000
#: The most rows or columns for which that copy is a notable part of the work.
FEW = 8


@RULES.on(MATMUL)
def shared_operand(node: Node) -> Node | None:
    """A batch of products that share an operand = one product with the rows, or columns, of all of them.

    Rows that lie one after another need no copy. Columns, and rows that are stored as columns, are copied where
    that costs less than to go through the shared operand once for each example.
    """
    x, y = node.inputs
    batch, (rows, columns) = node.shape[:-2], node.shape[-2:]
    size, stored_x, stored_y = math.prod(batch), node.attrs["transpose_a"], node.attrs["transpose_b"]
    inner = x.shape[-2] if stored_x else x.shape[-1]
    if size < 2 or size * max(rows, columns) > MAX_MATRIX:
        return None
    if math.prod(y.shape[:-2]) == 1 and (not stored_x or _worth(rows, inner * columns)):
        tall = reshaped(_stored(x, stored_x, False), (size * rows, inner))
        flags = {"transpose_a": False, "transpose_b": stored_y}
        return reshaped(make(MATMUL, (tall, reshaped(y, y.shape[-2:])), flags), node.shape)
    if math.prod(x.shape[:-2]) == 1 and _worth(columns, inner * rows):
        tall = reshaped(_stored(y, stored_y, True), (size * columns, inner))
        flags = {"transpose_a": False, "transpose_b": not stored_x}
        turned = make(MATMUL, (tall, reshaped(x, x.shape[-2:])), flags)
        return _exchanged(reshaped(turned, (*batch, columns, rows)))
    return None


def _worth(few: int, shared: int) -> bool:
    """Whether `few` rows or columns, times a shared operand of `shared` elements, are better computed with others."""
    return few == 1 or (few <= FEW and few * shared > UNPACKED)


def _stored(x: Node, transposed: bool, wanted: bool) -> Node:
    """`x`, which is stored transposed or not, stored as wanted."""
    return x if transposed == wanted else _exchanged(x)


def _exchanged(x: Node) -> Node:
    """`x` with its last two axes exchanged; the same numbers in the same order where one of them has size 1."""
    n = len(x.shape)
    if 1 in x.shape[-2:]:
        return reshaped(x, (*x.shape[:-2], x.shape[-1], x.shape[-2]))
    return make(TRANSPOSE, (x,), {"axes": (*range(n - 2), n - 1, n - 2)})


def summed(nodes: Sequence[Node], outputs: Sequence[Node]) -> Sequence[Node]:
    """`outputs` with sums over the whole batch of a product as one product, which sums over the batch as well.

    That is the gradient of an operand that a batch of products shares.
    """
    found = [node for node in nodes if node.op is REDUCE_SUM and _is_batch_summed(node)]
    uses = _uses(nodes, outputs) if found else {}
    folding = {node for node in found if uses[node.inputs[0]] == 1}
    if not folding:
        return outputs
    return rewrite(outputs, lambda node, inputs: _one_product(*inputs) if node in folding else None, order=nodes)


def _uses(nodes: Sequence[Node], outputs: Sequence[Node]) -> Mapping[Node, int]:
    """How often each node is an operand or an output."""
    uses = Counter(operand for node in nodes for operand in node.inputs)
    uses.update(outputs)
    return uses


def _is_batch_summed(node: Node) -> bool:
    """Whether a sum is that of all products of a batch in which no operand is shared."""
    (product,) = node.inputs
    batch = product.shape[:-2]
    return (
        product.op is MATMUL
        and math.prod(batch) > 1
        and all(math.prod(batch) * max(x.shape[-2:]) <= MAX_MATRIX for x in product.inputs)
        and node.attrs["axes"] == tuple(range(len(batch)))
        and all(x.shape[:-2] == batch for x in product.inputs)
    )


def _one_product(product: Node) -> Node:
    """The sum over a batch of products of x and y: they are laid side by side and one below the other."""
    x, y = product.inputs
    x = _stored(x, product.attrs["transpose_a"], True)
    y = _stored(y, product.attrs["transpose_b"], False)
    flags = {"transpose_a": True, "transpose_b": False}
    tall = [reshaped(each, (math.prod(each.shape[:-1]), each.shape[-1])) for each in (x, y)]
    return make(MATMUL, tuple(tall), flags, product.line)


def turned(nodes: Sequence[Node], outputs: Sequence[Node]) -> Sequence[Node]:
    """`outputs` with (x y)ᵀ = yᵀ xᵀ wherever the transpose is all that a product is used for."""
    found = [
        node
        for node in nodes
        if node.op is TRANSPOSE and node.inputs[0].op is MATMUL and _exchanges_last_two(node.attrs["axes"])
    ]
    uses = _uses(nodes, outputs) if found else {}
    turning = {node for node in found if uses[node.inputs[0]] == 1}
    if not turning:
        return outputs
    return rewrite(outputs, lambda node, inputs: _turned(*inputs) if node in turning else None, order=nodes)


def _turned(product: Node) -> Node:
    """The transpose of a product of x and y as a product of their transposes."""
    flags = {flag: not product.attrs[other] for flag, other in zip(_FLAGS, reversed(_FLAGS), strict=True)}
    return make(MATMUL, product.inputs[::-1], flags, product.line)
