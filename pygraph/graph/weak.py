"""Weak expressions: what stands for a Python number in a trace, and is promoted as NumPy promotes Python numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ops
from ..ops.arithmetic import (
    add as ADD,
    divide as DIVIDE,
    floor_divide as FLOOR_DIVIDE,
    mod as MOD,
    multiply as MULTIPLY,
    subtract as SUBTRACT,
)
from ..ops.comparison import (
    equal as EQUAL,
    greater as GREATER,
    greater_equal as GREATER_EQUAL,
    less as LESS,
    less_equal as LESS_EQUAL,
    not_equal as NOT_EQUAL,
)
from ..ops.dtypes import bool_, float64, int64
from .node import DType, Node
from .stand_in import StandIn, strong

__all__ = ["WEAK_CLASSES", "WEAK_TYPES", "Weak", "is_weak", "strong", "weakened"]

#: The types of Python numbers, and the dtypes they have where nothing else decides.
WEAK_TYPES: dict[type, DType] = {bool: bool_, int: int64, float: float64}
#: And back.
WEAK_CLASSES: dict[DType, type] = {dtype: kind for kind, dtype in WEAK_TYPES.items()}


def is_weak(x: Any) -> bool:
    """Whether `x` is a Python number, or an expression that stands for one."""
    return type(x) in WEAK_TYPES or type(x) is Weak


def weakened(nodes: Sequence[Node], like: Sequence[Any]) -> list[Node]:
    """`nodes`, made weak where the value of `like` in the same place is."""
    return [Weak(node) if is_weak(value) else node for node, value in zip(nodes, like, strict=True)]


def _number(x: Any) -> Any:
    """A weak operand of arithmetic among weak ones; bools count as integers there, as in Python."""
    x = strong(x)
    if isinstance(x, Node):
        return x.astype(int64) if x.dtype == bool_ else x
    return int(x) if type(x) is bool else x


def _power(x: Any, y: Any) -> Any:
    """A power as Python has it: an integer to a negative integer is a float."""
    if type(y) is int and y < 0 and isinstance(x, Node):
        x = x.astype(float64)
    return ops.power(x, y)


def _operator(function: Callable[[Any, Any], Any], number: Callable[[Any], Any], reflected: bool = False) -> Any:
    def apply(self: Weak, other: Any) -> Node:
        pair = (other, self) if reflected else (self, other)
        if not is_weak(other):
            result: Node = function(*pair)
            return result
        return Weak(function(*map(number, pair)))

    return apply


class Weak(StandIn):
    """An expression that stands for a Python number: beside arrays it takes their dtype, as a Python number does.

    Operators among weak expressions and Python numbers give weak expressions. Anything else, and any use in a graph,
    takes `node`, the expression in its own dtype: float64, int64 or bool.

    Attributes:
        node: the expression itself.
    """

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node: Node = strong(node)

    @property
    def node(self) -> Node:
        return self._node

    __hash__ = Node.__hash__

    __add__, __radd__ = (_operator(ADD, _number, r) for r in (False, True))
    __sub__, __rsub__ = (_operator(SUBTRACT, _number, r) for r in (False, True))
    __mul__, __rmul__ = (_operator(MULTIPLY, _number, r) for r in (False, True))
    __truediv__, __rtruediv__ = (_operator(DIVIDE, _number, r) for r in (False, True))
    __floordiv__, __rfloordiv__ = (_operator(FLOOR_DIVIDE, _number, r) for r in (False, True))
    __mod__, __rmod__ = (_operator(MOD, _number, r) for r in (False, True))
    __pow__, __rpow__ = (_operator(_power, _number, r) for r in (False, True))
    __and__, __rand__ = (_operator(ops.bitwise_and, strong, r) for r in (False, True))
    __or__, __ror__ = (_operator(ops.bitwise_or, strong, r) for r in (False, True))
    __xor__, __rxor__ = (_operator(ops.bitwise_xor, strong, r) for r in (False, True))
    __lshift__, __rlshift__ = (_operator(ops.left_shift, _number, r) for r in (False, True))
    __rshift__, __rrshift__ = (_operator(ops.right_shift, _number, r) for r in (False, True))
    __eq__ = _operator(EQUAL, strong)
    __ne__ = _operator(NOT_EQUAL, strong)
    __lt__ = _operator(LESS, strong)
    __le__ = _operator(LESS_EQUAL, strong)
    __gt__ = _operator(GREATER, strong)
    __ge__ = _operator(GREATER_EQUAL, strong)

    def __divmod__(self, other: Any) -> tuple[Node, Node]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Node, Node]:
        return other // self, other % self

    def __neg__(self) -> Node:
        return Weak(-_number(self))

    def __invert__(self) -> Node:
        return Weak(~self.node)

    def __abs__(self) -> Node:
        return Weak(abs(_number(self)))

    def astype(self, dtype: Any) -> Node:
        """The values in another dtype, no longer weak."""
        return self.node.astype(dtype)

    def copy(self) -> Node:
        """The expression in its own dtype."""
        return self.node

    def __reduce__(self) -> tuple[Any, ...]:
        return Weak, (self.node,)
