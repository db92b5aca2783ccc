"""Rows that only move elements, applied to numbers in place of elements: where each element of a result comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...graph.node import Node
from ...ops.row import Op, lookup
from ..known_values import Known
from .pattern import Index

#: Rows that put each element of an operand in some places of the result, or in none, by their reference. The operands
#: at the positions given carry elements; the others say where to, and have to be known.
MOVES: Mapping[Op, tuple[int, ...] | None] = {
    **dict.fromkeys(map(lookup, ("reshape", "transpose", "broadcast_to", "slice", "unslice", "concatenate"))),
    lookup("select"): (1, 2),
    lookup("take"): (0,),
    lookup("scatter_set"): (0, 2),
}


def moves(node: Node, known: Known) -> bool:
    """Whether `node` only moves elements, to places that are known."""
    return node.op in MOVES and all(known.has(node.inputs[i]) for i in _others(node.op))


def moved(node: Node, numbers: Sequence[Index], known: Known) -> Index:
    """The row's own NumPy definition, with `numbers` in place of the elements of each operand that carries some.

    Places that get no element have 0. `numbers` has an entry per operand; those of the others are not read.
    """
    carriers = MOVES[node.op]
    operands: list[Any] = [
        numbers[i] if carriers is None or i in carriers else known.value(x) for i, x in enumerate(node.inputs)
    ]
    assert node.op.reference is not None
    result: Index = node.op.reference(*operands, **node.attrs)
    return result


def carriers_of(node: Node) -> Sequence[int]:
    """The operands of a row of `MOVES` that carry elements."""
    carriers = MOVES[node.op]
    return range(len(node.inputs)) if carriers is None else carriers


def _others(op: Op) -> Sequence[int]:
    """The operands of a row of `MOVES` that say where elements go."""
    carriers = MOVES[op]
    return () if carriers is None else [i for i in range(op.arity or 0) if i not in carriers]
