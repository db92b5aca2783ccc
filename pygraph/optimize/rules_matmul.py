"""Products of matrices: transposes become flags, repeated batch axes are left to the product's own broadcasting.

A flag may change the order in which BLAS adds, and so the last bit: the one place where optimisation may be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..graph.build import make
from ..graph.node import Node
from ..ops.row import Shape, lookup
from .engine import RuleSet
from .values import BROADCAST_TO, rebuilt, same

RULES = RuleSet()

MATMUL = lookup("matmul")
TRANSPOSE = lookup("transpose")
_FLAGS = ("transpose_a", "transpose_b")


@RULES.on("matmul")
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


@RULES.on("matmul")
def batch_broadcast(node: Node) -> Node | None:
    """matmul of an operand repeated along batch axes = matmul of the operand, where the other one has these axes."""
    inputs = list(node.inputs)
    for i, operand in enumerate(node.inputs):
        if operand.op is not BROADCAST_TO:
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


def turned(nodes: Sequence[Node], outputs: Sequence[Node]) -> Sequence[Node]:
    """`outputs` with (x y)ᵀ = yᵀ xᵀ wherever the transpose is all that a product is used for."""
    uses = Counter(operand for node in nodes for operand in node.inputs)
    uses.update(outputs)
    turning = {
        node
        for node in nodes
        if node.op is TRANSPOSE
        and node.inputs[0].op is MATMUL
        and uses[node.inputs[0]] == 1
        and _exchanges_last_two(node.attrs["axes"])
    }
    if not turning:
        return outputs
    done: dict[Node, Node] = {}
    for node in nodes:
        if node in turning:
            product = node.inputs[0]
            x, y = (done[operand] for operand in product.inputs)
            flags = {flag: not product.attrs[other] for flag, other in zip(_FLAGS, reversed(_FLAGS), strict=True)}
            done[node] = make(MATMUL, (y, x), flags, product.where)
        else:
            done[node] = rebuilt(node, done)
    return [done[node] for node in outputs]
