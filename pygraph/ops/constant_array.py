"""The arrays that graphs hold: what nodes of constants have as their attribute `value`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Constant", "constant_text"]

_SAMPLE = 4096  # bytes of a constant that its hash looks at, at each end; equality looks at all


def constant_text(value: npt.NDArray[Any]) -> str:
    """A constant's value, abbreviated to a few numbers."""
    if value.ndim == 0:
        return str(value[()])
    text = np.array2string(
        value, threshold=6, edgeitems=2, separator=", ", max_line_width=10**9, formatter={"all": str}
    )
    return text.replace("\n", "")


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
