"""The memory that an array which is filled stands for: a node, and rectangles written since that node was made.

A write notes its value; a node is made of all values together when the array is asked for. So an array that is filled
element by element, in a loop of Python's, becomes one node, and an element that is read again is the value itself.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..ops.placing import Place, put_row as PUT, slices
from ..ops.shaping import reshape_row as RESHAPE, slice_row as SLICE
from .construction import known, make
from .node import DType, Node, Recording
from .trace_context import current

__all__ = ["Buffer", "innermost"]

#: Of larger arrays nothing says which elements have been written since, so each write makes a node.
MOST_MARKED = 2**22


def innermost() -> Recording | None:
    """The call of a function on variables that is in progress here, of several in one another the innermost."""
    recordings = current().recordings
    return recordings[-1] if recordings else None


def _index(place: Place) -> tuple[slice, ...] | tuple[int, ...]:
    """The key of a place."""
    starts, _, counts = place
    return starts if all(count == 1 for count in counts) else slices(place)


class Buffer:
    """The memory of an array that is filled.

    Attributes:
        shape, dtype: of the array.
        recording: the call in which it was made, and may be written.
        version: the number of writes so far.
    """

    __slots__ = ("_base", "_marks", "_numbers", "_values", "dtype", "recording", "shape", "version")

    def __init__(self, base: Node) -> None:
        self.shape: tuple[int, ...] = base.shape
        self.dtype: DType = base.dtype
        self.recording = innermost()
        self.version = 0
        self._base = base
        #: The values written since, by place; no two places have an element in common.
        self._values: dict[Place, Node] = {}
        #: For each element, whether one of them lies there.
        self._marks: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None = None

    @property
    def node(self) -> Node:
        """The array as it is now."""
        if self._values:
            count = sum(prod(place[2]) for place in self._values)
            base = (
                self._base if count < prod(self.shape) else known(np.broadcast_to(np.zeros((), self.dtype), self.shape))
            )
            self._settle(make(PUT, (base, *self._values.values()), {"places": tuple(self._values)}))
        return self._base

    def _settle(self, base: Node) -> None:
        for place in self._values:
            if self._marks is not None:
                self._marks[_index(place)] = False
        self._values.clear()
        self._base = base

    def replace(self, node: Node) -> None:
        """Put another array in its place."""
        self.version += 1
        self._settle(node)

    def write(self, place: Place, value: Node) -> None:
        """Put `value`, of the shape of the place but for axes of size 1, there."""
        if place not in self._values:
            count = prod(place[2])
            if not count:
                return
            if count == prod(self.shape) and all(step > 0 for step in place[1]):
                self.replace(value if value.shape == self.shape else make(RESHAPE, (value,), {"shape": self.shape}))
                return
            if self._is_written(place):
                self._settle(self.node)
            self._mark(place)
        self.version += 1
        self._values[place] = value

    def _mark(self, place: Place) -> None:
        if self._marks is None and prod(self.shape) <= MOST_MARKED:
            self._marks = np.zeros(self.shape, np.bool_)
        if self._marks is not None:
            self._marks[_index(place)] = True

    def _is_written(self, place: Place) -> bool:
        """Whether something was written to some element of a place."""
        if not self._values:
            return False
        return self._marks is None or bool(self._marks[_index(place)].any())

    def read(self, place: Place) -> Node:
        """The elements of a place, in its shape but for axes of size 1."""
        value = self._values.get(place)
        if value is not None:
            return value
        base = self.node if self._is_written(place) else self._base
        starts, steps, counts = place
        if counts == self.shape and not any(starts) and all(step == 1 for step in steps):
            return base
        return make(SLICE, (base,), {"starts": starts, "steps": steps, "shape": counts})
