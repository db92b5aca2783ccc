"""Whether a matrix of derivatives is worth keeping sparse, told from a few of its columns at one point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["DENSE_UP_TO", "SPARSE_BELOW", "SPARSE_FROM", "density"]

#: Matrices of fewer columns are dense: the library's overhead for a sparse one is more than what it saves.
SPARSE_FROM = 64
#: The share of entries below which a larger one is sparse.
SPARSE_BELOW = 0.1
#: A full Hessian of more columns is not made where its products do.
DENSE_UP_TO = 1000
_COLUMNS = 8


def density(column: Callable[[Any, Any], Any], start: Any) -> float:
    """The estimated share of entries that are not zero, of a matrix near `start`.

    Eight columns are computed, as products with basis vectors. The point is near `start` and not it, as starts are
    often special (zeros, ones), where entries vanish that do not elsewhere. It decides on a representation alone: the
    structure of what is then made sparse comes from the graph and holds everywhere.

    Args:
        column: (point, vector) → the matrix times the vector.
        start: the vector where the solver starts.
    """
    random = np.random.default_rng(0)
    point = start + 1e-3 * (1 + np.abs(start)) * random.uniform(0.5, 1.0, start.size)
    shares = []
    for i in random.choice(start.size, min(_COLUMNS, start.size), replace=False):
        basis = np.zeros(start.size)
        basis[i] = 1.0
        shares.append(np.mean(column(point, basis) != 0))  # nan counts as an entry
    return float(np.mean(shares))
