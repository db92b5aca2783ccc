"""The node of a graph: one application of an op, interned, with the user's source line."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ..concurrency import ensure_imported
from ..errors import GraphError
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import Op
from .operators import Operators
from .source import SourceLine, type_text

__all__ = ["Constant", "Node", "Recording", "Result", "next_epoch", "self_contained"]

DType = np.dtype[Any]
#: Shape and dtype of one result.
Result = tuple[tuple[int, ...], DType]

_SAMPLE = 4096  # bytes of a constant that its hash looks at, at each end; equality looks at all


class Constant:
    """A read-only C-contiguous array that compares and hashes by dtype, shape and bytes.

    So -0.0 and 0.0 differ, as do NaNs of different payloads, and equal constants are one node.
    """

    __slots__ = ("_bytes", "_hash", "value")

    value: npt.NDArray[Any]

    def __init__(self, value: npt.ArrayLike) -> None:
        array = np.array(value, order="C", copy=True)
        array.flags.writeable = False
        self.value = array
        small = array.nbytes <= 2 * _SAMPLE
        self._bytes: bytes | npt.NDArray[np.uint8] = array.tobytes() if small else array.reshape(-1).view(np.uint8)
        sample = self._bytes if small else bytes(self._bytes[:_SAMPLE]) + bytes(self._bytes[-_SAMPLE:])
        self._hash = hash((array.dtype, array.shape, sample))

    def move(self, memory: npt.NDArray[np.uint8]) -> None:
        """Go on in other memory, which holds the same bytes and is not written to any more."""
        self.value = memory.view(self.value.dtype).reshape(self.value.shape)
        if not isinstance(self._bytes, bytes):
            self._bytes = memory

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Constant)
            and self._hash == other._hash
            and self.value.dtype == other.value.dtype
            and self.value.shape == other.value.shape
            and (self._bytes == other._bytes if isinstance(self._bytes, bytes) else self._same_bytes(other))
        )

    def _same_bytes(self, other: Constant) -> bool:
        return np.array_equal(self._bytes, other._bytes)  # ten times as fast as comparing memoryviews

    def __repr__(self) -> str:
        return constant_text(self.value)

    def __reduce__(self) -> tuple[type[Constant], tuple[npt.NDArray[Any]]]:
        return Constant, (self.value,)


def constant_text(value: npt.NDArray[Any]) -> str:
    """A constant's value, abbreviated to a few numbers."""
    if value.ndim == 0:
        return str(value[()])
    text = np.array2string(
        value, threshold=6, edgeitems=2, separator=", ", max_line_width=10**9, formatter={"all": str}
    )
    return text.replace("\n", "")


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
    """

    __slots__ = ("end", "refusal", "unseen")

    def __init__(self) -> None:
        self.unseen = False
        self.end: int | None = None
        self.refusal: GraphError | None = None


class Node(Operators):
    """An expression: an op applied to other nodes. Made by `construction.make`, never directly; immutable and interned.

    Attributes:
        op: the row of the operation.
        inputs: the operands.
        attrs: the op's static arguments; not to be changed.
        shape, dtype: the result's type; a node with several results has none, and raises.
        results: the types of several results, or None.
        line: the user's line that recorded the node first.
        epoch: grows when a recording ends: what was made in one has a smaller number than its end.
        recording: of a variable, the call in which it stands for an argument; None where the user made it.
    """

    __slots__ = (
        "__weakref__",
        "_key",
        "attrs",
        "dtype",
        "epoch",
        "inputs",
        "line",
        "op",
        "recording",
        "results",
        "shape",
    )

    op: Op
    inputs: tuple[Node, ...]
    attrs: dict[str, Any]
    shape: tuple[int, ...]
    dtype: DType
    results: tuple[Result, ...] | None
    line: SourceLine | None
    epoch: int
    recording: Recording | None
    _key: tuple[Hashable, ...]

    def __init__(
        self,
        op: Op,
        inputs: tuple[Node, ...],
        attrs: dict[str, Any],
        types: tuple[Result, ...],
        line: SourceLine | None,
        key: tuple[Hashable, ...],
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        if op.results is None:
            self.shape, self.dtype = types[0]
            self.results = None
        else:
            self.results = types
        self.line = line
        self.epoch = _epoch
        self.recording = None
        self._key = key

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("shape", "dtype"):
            raise AttributeError(f"{self!r} has several results, and no {name} of its own: take them with outputs_of")
        super().__getattr__(name)

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
        name = self.op.name
        if name == "input":
            return f"<{self.attrs['name']} : {self.type_text}>"
        if name == "constant":
            return f"<{constant_text(self.attrs['value'].value)} : {self.type_text}>"
        return f"<{name} : {self.type_text}>"

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        ensure_imported("pygraph.graph.serialize")
        from .serialize import node_from_state, state_of

        return node_from_state, (state_of([self]),)


def self_contained(node: Node) -> bool:
    """Whether the body of a loop or branch may hold `node` itself: a constant, or counts or views of them."""
    if node.op is CONSTANT:
        return True
    while node.op.view is not None and node.inputs:
        (node,) = node.inputs
    return node.op.view is not None
