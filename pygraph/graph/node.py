"""The node of a graph: one application of an op, interned, with the user's source line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from ..concurrency import Memo
from ..errors import GraphError
from ..ops.constant_array import constant_text
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from ..ops.row import Op
from .concretisation import fixed_attribute
from .operators import Operators
from .source import SourceLine, type_text

__all__ = [
    "Node",
    "Recording",
    "Result",
    "ValueType",
    "bind_state",
    "new_node",
    "next_epoch",
    "self_contained",
    "twin",
    "type_of",
]

DType = np.dtype[Any]
#: Shape and dtype of one result.
Result = tuple[tuple[int, ...], DType]


class ValueType:
    """The shape and dtype of one array, made once: equal ones are one object as long as `type_of` remembers it."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: DType) -> None:
        self.shape, self.dtype = shape, dtype


_types: Memo[Result, ValueType] = Memo(10_000)


def type_of(shape: tuple[int, ...], dtype: DType) -> ValueType:
    """The type of an array."""
    found = _types.get((shape, dtype))
    if found is None:
        found = _types.add((shape, dtype), ValueType(shape, dtype))
    return found


def known_type(shape: tuple[int, ...], dtype: DType) -> ValueType | None:
    """The same, where it was asked for before."""
    return _types.get((shape, dtype))


_epoch = 0


def next_epoch() -> int:
    """Begin a new epoch; nodes that were there before have a smaller number."""
    global _epoch
    _epoch += 1
    return _epoch


class Recording:
    """One call of a function on variables in place of its arguments.

    Attributes:
        end: the first epoch after it; None while it lasts.
        refusal: what was raised last in it for an expression whose numbers were asked for.
        unseen: whether no function of the user's has seen the variables yet.
        line: the user's line that began it.
        frame: while it lasts, the frame that calls the function.
        running: while it lasts, the user's frame that recorded an expression last, with the line that it was called by.
    """

    __slots__ = ("end", "frame", "line", "refusal", "running", "unseen")

    def __init__(self, line: SourceLine | None = None, frame: FrameType | None = None) -> None:
        self.line, self.frame = line, frame
        self.unseen = False
        self.running: tuple[FrameType | None, SourceLine | None] = (None, None)
        self.end: int | None = None
        self.refusal: GraphError | None = None


#: What of an expression is an attribute of NumPy's arrays that can be set.
_FIXED = frozenset({"dtype", "shape"})


class _Fields(Operators):
    """The memory of a node, while it is made: the attributes of a `Node` are set here, where nothing looks at them."""

    __slots__ = (
        "__weakref__",
        "attrs",
        "dtype",
        "epoch",
        "inputs",
        "items",
        "line",
        "op",
        "recording",
        "results",
        "shape",
        "type",
    )


class Node(_Fields):
    """An expression: an op applied to other nodes. Made by `construction.make`, never directly; immutable and interned.

    Attributes:
        op: the row of the operation.
        inputs: the operands.
        attrs: the op's static arguments; not to be changed.
        items: the same as a tuple of pairs, in the order of their names.
        shape, dtype: the result's type; a node with several results has none, and raises.
        type: both, in an object that all nodes of this type share; None for several results.
        results: the types of several results, or None.
        line: the user's line that recorded the node first.
        epoch: grows when a recording ends: what was made in one has a smaller number than its end.
        recording: of a variable, the call in which it stands for an argument; None where the user made it.
    """

    __slots__ = ()

    op: Op
    inputs: tuple[Node, ...]
    attrs: dict[str, Any]
    items: tuple[tuple[str, Any], ...]
    type: ValueType | None
    shape: tuple[int, ...]
    dtype: DType
    results: tuple[Result, ...] | None
    line: SourceLine | None
    epoch: int
    recording: Recording | None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED:
            raise fixed_attribute(self, name)
        object.__setattr__(self, name, value)

    @property
    def types(self) -> tuple[Result, ...]:
        """The type of each result."""
        return ((self.shape, self.dtype),) if self.results is None else self.results

    @property
    def type_text(self) -> str:
        """The node's type as text: `float64[100, 3]`."""
        if self.results is not None:
            return f"({', '.join(type_text(*result) for result in self.results)})"
        return type_text(self.shape, self.dtype)

    def __repr__(self) -> str:
        if self.op is INPUT:
            return f"<{self.attrs['name']} : {self.type_text}>"
        if self.op is CONSTANT:
            return f"<{constant_text(self.attrs['value'].value)} : {self.type_text}>"
        return f"<{self.op.name} : {self.type_text}>"

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _reduced(self)


class _OfSeveral(Node):
    """A node with several results."""

    __slots__ = ()

    @property
    def shape(self) -> NoReturn:  # type: ignore[override]
        raise self._several("shape")

    @property
    def dtype(self) -> NoReturn:  # type: ignore[override]
        raise self._several("dtype")

    def _several(self, name: str) -> AttributeError:
        return AttributeError(f"{self!r} has several results, and no {name} of its own: take them with outputs_of")


_blank: Any = partial(object.__new__, _Fields)


def new_node(
    op: Op,
    inputs: tuple[Node, ...],
    attrs: dict[str, Any],
    items: tuple[tuple[str, Any], ...],
    type: ValueType | tuple[Result, ...],
    line: SourceLine | None,
) -> Node:
    """A node, once `construction.make` finds none in its table; `type` is a tuple for an op of several results."""
    made = _blank()
    made.op = op
    made.inputs = inputs
    made.attrs = attrs
    made.items = items
    made.line = line
    made.epoch = _epoch
    made.recording = None
    if op.results is None:
        made.type = type
        made.shape = type.shape  # type: ignore[union-attr]
        made.dtype = type.dtype  # type: ignore[union-attr]
        made.results = None
        made.__class__ = Node
    else:
        made.type = None
        made.results = type
        made.__class__ = _OfSeveral
    node: Node = made
    return node


def twin(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same operation of a single result on other operands of the same types: `new_node` in less time."""
    made = _blank()
    made.op = node.op
    made.inputs = inputs
    made.attrs = node.attrs
    made.items = node.items
    made.type = node.type
    made.shape = node.shape
    made.dtype = node.dtype
    made.results = None
    made.line = node.line
    made.epoch = _epoch
    made.recording = None
    made.__class__ = Node
    found: Node = made
    return found


_reduced: Callable[[Node], tuple[Any, ...]]


def bind_state(reduced: Callable[[Node], tuple[Any, ...]]) -> None:
    """Tell nodes how they are stored by pickle (called once, by `pygraph.graph`)."""
    global _reduced
    _reduced = reduced


def maker(node: Node) -> Node:
    """The node that computes the value of `node`: the one that it is a result of, or itself."""
    return node.inputs[0] if node.op is OUTPUT else node


def source_of(node: Node) -> Node:
    """What `node` is a view of, over any number of views; itself where it is none."""
    while node.op.view is not None and node.inputs:
        (node,) = node.inputs
    return node


def self_contained(node: Node) -> bool:
    """Whether the body of a loop or branch may hold `node` itself: a constant, or counts or views of them."""
    return node.op is CONSTANT or source_of(node).op.view is not None
