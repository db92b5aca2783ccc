"""Expressions that stand for another: what a user holds, where a graph takes the node behind it at that moment."""

from __future__ import annotations

from typing import Any

from ..ops.row import Op
from .node import DType, Node, Recording, Result, ValueType
from .source import SourceLine

__all__ = ["StandIn", "strong"]


class StandIn(Node):
    """An expression that no graph holds: wherever it is used, `node` is taken in its place.

    Attributes:
        node: the expression that it stands for now.
    """

    __slots__ = ()

    __hash__ = Node.__hash__

    def __new__(cls, *args: Any) -> Any:
        return object.__new__(cls)

    @property
    def node(self) -> Node:
        raise NotImplementedError

    @property
    def op(self) -> Op:  # type: ignore[override]
        return self.node.op

    @property
    def inputs(self) -> tuple[Node, ...]:  # type: ignore[override]
        return self.node.inputs

    @property
    def attrs(self) -> dict[str, Any]:  # type: ignore[override]
        return self.node.attrs

    @property
    def items(self) -> tuple[tuple[str, Any], ...]:  # type: ignore[override]
        return self.node.items

    @property
    def type(self) -> ValueType | None:  # type: ignore[override]
        return self.node.type

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.node.shape

    @property
    def dtype(self) -> DType:  # type: ignore[override]
        return self.node.dtype

    @property
    def results(self) -> tuple[Result, ...] | None:  # type: ignore[override]
        return self.node.results

    @property
    def line(self) -> SourceLine | None:  # type: ignore[override]
        return self.node.line

    @property
    def epoch(self) -> int:  # type: ignore[override]
        return self.node.epoch

    @property
    def recording(self) -> Recording | None:  # type: ignore[override]
        return self.node.recording


def strong(x: Any) -> Any:
    """`x`; the node itself where `x` stands for one."""
    return x.node if isinstance(x, StandIn) else x
