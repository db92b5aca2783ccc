"""Where the gradients of a step lie: one flat array for each dtype, which compiled code writes and MPI adds up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

#: Bytes to which the beginning of each array is rounded up.
_ALIGNMENT = 64
_SMALLEST = np.iinfo(np.int64).min


class GradientBuffers:
    """Several containers of arrays of the same form, each in one piece for each dtype.

    Floating numbers are added up, integers (int64) give their largest.

    Args:
        like: the container.
        count: how many of them.

    Attributes:
        flat: arrays (count, n), one for each dtype.
        views: of each of them the container, whose arrays are parts of `flat`.
    """

    def __init__(self, like: Any, count: int) -> None:
        leaves = [np.asarray(leaf) for leaf in pg.tree_leaves(like)]
        places, sizes = [], dict.fromkeys((leaf.dtype for leaf in leaves), 0)
        for leaf in leaves:
            step = _ALIGNMENT // leaf.dtype.itemsize
            places.append(sizes[leaf.dtype])
            sizes[leaf.dtype] += -(-leaf.size // step) * step
        by_dtype = {dtype: np.zeros((count, size), dtype) for dtype, size in sizes.items()}
        self.flat = list(by_dtype.values())

        def view(row: int) -> Any:
            parts = iter(zip(leaves, places, strict=True))

            def part(_: Any) -> Array:
                leaf, place = next(parts)
                return by_dtype[leaf.dtype][row, place : place + leaf.size].reshape(leaf.shape)

            return pg.tree_map(part, like)

        self.views = [view(row) for row in range(count)]

    def clear(self, row: int) -> None:
        """What adds nothing to a sum."""
        for flat in self.flat:
            flat[row] = _SMALLEST if flat.dtype.kind == "i" else 0

    def add(self, row: int, other: int) -> None:
        """Add the second to the first."""
        for flat in self.flat:
            join = np.maximum if flat.dtype.kind == "i" else np.add
            join(flat[row], flat[other], out=flat[row])

    def move(self, row: int, other: int) -> None:
        """Put the second in the place of the first."""
        for flat in self.flat:
            flat[row] = flat[other]
