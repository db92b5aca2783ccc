"""Nested lists of numbers and expressions as one array or expression."""

from __future__ import annotations

from typing import Any

from .. import ops
from .node import Node
from .stand_in import strong

__all__ = ["joined"]


def joined(x: Any) -> Any:
    """Nested lists with an expression in them stacked; all else as an array."""
    if isinstance(x, list | tuple) and _holds_expression(x):
        return ops.stack([joined(part) for part in x])
    return ops.common.operand(strong(x))


def _holds_expression(x: Any) -> bool:
    return isinstance(x, Node) or (isinstance(x, list | tuple) and any(_holds_expression(part) for part in x))
