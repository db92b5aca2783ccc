"""The constants of a Program: each placed once, in one piece of memory that the graph's own constants then live in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.constant_array import Constant

__all__ = ["ConstantPool"]

ALIGNMENT = 64
#: Constants of at least so many bytes are moved to the Program's memory, so that the graph and it share one copy.
LARGE = 1 << 16


class ConstantPool:
    """Gives constants their places among those of a Program; equal ones share one."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._offsets: dict[Constant, int] = {}

    def place(self, constant: Constant) -> int:
        """The byte offset of a constant."""
        known = self._offsets.get(constant)
        if known is None:
            known = self._offsets[constant] = -(-self.nbytes // ALIGNMENT) * ALIGNMENT
            self.nbytes = known + constant.value.nbytes
        return known

    def memory(self) -> memoryview:
        """All constants, read-only and aligned; large ones are moved there, from wherever the graph had them."""
        whole = np.zeros(self.nbytes + ALIGNMENT, np.uint8)
        start = -whole.__array_interface__["data"][0] % ALIGNMENT
        block: np.ndarray[Any, Any] = whole[start : start + self.nbytes]
        for constant, offset in self._offsets.items():
            value = constant.value
            block[offset : offset + value.nbytes] = value.reshape(-1).view(np.uint8)
        block.flags.writeable = False
        for constant, offset in self._offsets.items():
            if constant.value.nbytes >= LARGE:
                constant.move(block[offset : offset + constant.value.nbytes])
        return memoryview(block.data)
