"""Algebra of finite numbers: rewrites that are wrong only where an operand is inf or nan, or in the sign of a zero."""

from __future__ import annotations

from ..graph.node import Node
from ..graph.uniform import full, shown_by, spread
from ..ops.arithmetic import add as ADD, divide as DIVIDE, subtract as SUBTRACT
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import TABLE
from .engine import RuleSet
from .rule_helpers import kind, negative
from .rules_arith import VALUES

RULES = RuleSet()


def _is_zero(node: Node) -> bool:
    """Whether a node is an array of zeros."""
    if kind(node) != "f":
        return False
    node = shown_by(node)
    return node.op is CONSTANT and not node.attrs["value"].value.any()


def product_with_zero(node: Node) -> Node | None:
    """x * 0 = 0, and the like."""
    return full(0, node.shape, node.dtype) if kind(node) == "f" and any(map(_is_zero, node.inputs)) else None


RULES.extend((op for op in TABLE.values() if op.pointwise and op.vanishes == "any"), product_with_zero, VALUES)


@RULES.on(ADD, sees=VALUES)
def add_zero(node: Node) -> Node | None:
    """x + 0 = x."""
    first, second = node.inputs
    if _is_zero(second):
        return spread(first, node.shape)
    return spread(second, node.shape) if _is_zero(first) else None


@RULES.on(SUBTRACT, sees=VALUES, twice=True)
def subtract_zero(node: Node) -> Node | None:
    """x - 0 = x, 0 - x = -x, x - x = 0."""
    first, second = node.inputs
    if _is_zero(second):
        return spread(first, node.shape)
    if _is_zero(first):
        return spread(negative(second), node.shape)
    return full(0, node.shape, node.dtype) if first is second and kind(node) == "f" else None


@RULES.on(DIVIDE, sees=VALUES)
def zero_divided(node: Node) -> Node | None:
    """0 / x = 0."""
    return full(0, node.shape, node.dtype) if _is_zero(node.inputs[0]) else None
