"""The Program: flat instructions over a planned arena, the one form that C runs and the emitter reads.

A Program is int64 words and a block of constants. The words are a header and then bodies: body 0 is the function
itself, each further body belongs to one instruction that runs it. A tape has one record for each step of the WHILE or
REPLAY that writes it; a context owns the tapes, which are the only memory that running allocates. `csrc/load.c` and
`csrc/verify.c` check every claim made here once, when they load one.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from ..graph.node import Result
from ..graph.source import type_text

if TYPE_CHECKING:
    from ..graph.node import Node
    from ..ops.row import Op


class Micro(enum.IntEnum):
    """Micro-operations that are not rows of the op table."""

    LOAD = -1  # cell <- memory
    STORE = -2  # memory <- cell


class Segment(enum.IntEnum):
    """The runnable parts of body 0."""

    FORWARD = 0
    REVERSE = 1
    TANGENT = 2


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a Program: its name and type, the segment it belongs to, its slot in body 0."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    segment: Segment
    slot: int
    nbytes: int


class NodeInfo(NamedTuple):
    """What an error message says of the node an instruction came from: `types` are those of its results."""

    op: str
    types: tuple[Result, ...]
    line: Any

    @property
    def type_text(self) -> str:
        """The types as text: `float64[3]`, `(float64[3], bool)`."""
        text = ", ".join(type_text(*type_) for type_ in self.types)
        return text if len(self.types) == 1 else f"({text})"


class _Numbers(dict[tuple["Op", Any], int]):
    """Numbers of operations with types, each given when it is first asked for."""

    def __missing__(self, kind: tuple[Op, Any]) -> int:
        self[kind] = number = len(self)
        return number


class NodeTable(Sequence[NodeInfo]):
    """What is said of the nodes of a Program, by their numbers, in columns.

    Args:
        nodes: the nodes themselves, none of which is kept.

    Attributes:
        ops: the names of their operations, each once.
    """

    __slots__ = ("_kinds", "_lines", "_of", "ops")

    def __init__(self, nodes: Iterable[Node]) -> None:
        nodes = list(nodes)
        numbers = _Numbers()
        kinds = zip([node.op for node in nodes], [node.type or node.results for node in nodes], strict=True)
        self._of = array("i", map(numbers.__getitem__, kinds))
        self._lines = [node.line for node in nodes]
        self._kinds = [
            (op.name, types if isinstance(types, tuple) else ((types.shape, types.dtype),)) for op, types in numbers
        ]
        self.ops = frozenset(name for name, _ in self._kinds)

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, at: int) -> NodeInfo: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[NodeInfo, ...]: ...

    def __getitem__(self, at: int | slice) -> NodeInfo | tuple[NodeInfo, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        return NodeInfo(*self._kinds[self._of[at]], self._lines[at])


@dataclass(frozen=True, eq=False)
class Program:
    """A lowered graph.

    Attributes:
        words: the int64 words; the checksum word is zero until the runtime seals it.
        constants: array constants, each 64-byte aligned; read-only, in memory that the graph shares.
        inputs, outputs: ports in the order of the graph's inputs and outputs.
        nodes: by node id, as errors name them.
        micro_nodes: the node id of each micro-operation of SCALAR and LOOP, in the order of the words.
        instructions: instructions of all bodies; a scalar region counts as one.
        micro_operations: operations inside SCALAR and LOOP instructions.
        arena_bytes: peak memory of one call, without inputs, outputs and block scratch.
        cached_bytes: what `forward` keeps for `reverse` and `jvp`; these recompute the rest.
        flops: estimated floating-point operations of all segments, loops counted by their length.
        fused_regions: LOOP and SCALAR instructions that hold at least two operations.
    """

    words: NDArray[np.int64]
    constants: memoryview
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: NodeTable
    micro_nodes: Sequence[int]
    instructions: int
    micro_operations: int
    arena_bytes: int
    cached_bytes: int
    flops: int
    fused_regions: int
