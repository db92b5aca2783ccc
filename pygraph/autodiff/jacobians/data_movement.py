"""Rows that only move elements, applied to numbers in place of elements: where each element of a result comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.node import Node
from ..known_values import Known
from .pattern import Index


def moves(node: Node, known: Known) -> bool:
    """Whether `node` only moves elements, to places that are known: the operands that carry none say where to."""
    op = node.op
    if not op.moves or op.casts:
        return False
    return op.linear_in is None or all(known.has(x) for i, x in enumerate(node.inputs) if i not in op.linear_in)


def moved(node: Node, numbers: Sequence[Index], known: Known) -> Index:
    """The row's own NumPy definition, with `numbers` in place of the elements of each operand that carries some.

    Places that get no element have 0. `numbers` has an entry per operand; those of the others are not read.
    """
    carriers = carriers_of(node)
    operands: list[Any] = [numbers[i] if i in carriers else known.value(x) for i, x in enumerate(node.inputs)]
    assert node.op.reference is not None
    result: Index = node.op.reference(*operands, **node.attrs)
    return result


def carriers_of(node: Node) -> Sequence[int]:
    """The operands of a row that moves elements which carry some."""
    linear = node.op.linear_in
    return range(len(node.inputs)) if linear is None else linear
