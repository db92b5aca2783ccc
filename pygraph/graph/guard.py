"""Expressions that are computed only where a condition holds, and are zeros elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ..ops.control import branch as BRANCH
from ..ops.dtypes import int64
from .construction import convert, make, new_input, outputs_of
from .graph import Graph
from .node import Node
from .traversal import walk
from .uniform import full

__all__ = ["guarded"]


def guarded(
    condition: Node,
    expressions: Sequence[Node],
    inputs: Sequence[Node],
    operands: Sequence[Node],
    name: str,
    recompute: bool = False,
) -> list[Node]:
    """`expressions` as results of a branch: what they do where `condition` does not hold has no effect.

    Args:
        condition: a scalar bool.
        expressions: in terms of `inputs` and of constants alone.
        inputs: variables.
        operands: what they stand for; those that are not needed are left out.
        name: of the body, in listings.
        recompute: see the row of `branch`.
    """
    if not expressions:
        return []
    needed = set(walk(expressions))
    pairs = [(x, operand) for x, operand in zip(inputs, operands, strict=True) if x in needed]
    zeros = [full(0, x.shape, x.dtype) for x in expressions]
    nothing = [new_input(x.attrs["name"], x.shape, x.dtype) for x, _ in pairs]
    bodies = (
        Graph.from_parts(nothing, zeros, name=f"no_{name}"),
        Graph.from_parts([x for x, _ in pairs], expressions, name=name),
    )
    attrs = {"bodies": bodies, "recompute": True} if recompute else {"bodies": bodies}
    made = make(BRANCH, (convert(condition, int64), *(operand for _, operand in pairs)), attrs)
    return list(outputs_of(made))
