"""Cells: the 8-byte places of single elements in the arena of a body, by number and in columns."""

from __future__ import annotations

from array import array


class Cells:
    """The cells of one body. Number 0 is none: it stands where an operation has fewer operands than columns.

    Attributes:
        dtypes: the code of the dtype that each holds.
        kept: whether a later segment reads it, or it is a constant, so that it is never reused.
        starts, ends: the first and the last step that touch it, -1 before that is known.
        offsets: its place in the arena; -1 before it is planned.
    """

    __slots__ = ("dtypes", "ends", "kept", "offsets", "starts")

    def __init__(self) -> None:
        self.dtypes = bytearray(1)
        self.kept = bytearray(1)
        self.starts = array("i", [-1])
        self.ends = array("i", [-1])
        self.offsets = array("q", [-1])

    def __len__(self) -> int:
        return len(self.dtypes)

    def new(self, dtype: int) -> int:
        """The number of a further cell, for an element of this dtype."""
        self.dtypes.append(dtype)
        self.kept.append(False)
        self.starts.append(-1)
        self.ends.append(-1)
        self.offsets.append(-1)
        return len(self.dtypes) - 1

    def extend(self, dtypes: bytes) -> None:
        """Add cells of these dtypes."""
        unknown = array("i", [-1]) * len(dtypes)
        self.dtypes.extend(dtypes)
        self.kept.extend(bytes(len(dtypes)))
        self.starts.extend(unknown)
        self.ends.extend(unknown)
        self.offsets.extend(array("q", [-1]) * len(dtypes))

    def forget_ranges(self) -> None:
        """No step touches any of them yet."""
        unknown = array("i", [-1]) * len(self)
        self.starts, self.ends = unknown, unknown[:]
