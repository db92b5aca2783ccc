"""The structure of a Jacobian, its entries in the colours of the products that find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autodiff.jacobians.colouring import colourings, recovery
from ..autodiff.jacobians.pattern import Pattern
from ..transforms import sparsity as sparsity_of
from .figures import COLOURS, axes_for, finished

#: Matrices with at most so many rows and columns have the number of the product written into each entry.
NUMBERED = 24
#: Larger matrices are drawn on so many cells a side, so that a single entry can be seen.
CELLS = 200
_KINDS = {"column": "columns", "row": "rows", "bidirectional": "columns and rows"}


def sparsity(f: Callable[..., Any], *args: Any, argnums: Any = 0, axes: Any = None, path: Any = None) -> Any:
    """Draw which entries of a Jacobian can differ from zero, in the colours of the products that find them.

    Entries of one colour come out of one product with the matrix, or with its transpose: their columns (or rows) share
    no row (or column). The colouring is the cheapest that `pg.jacobian(f, sparse=True)` knows; see Gebremedhin, Manne
    and Pothen, "What Color Is Your Jacobian? Graph Coloring for Computing Derivatives", SIAM Review 47 (2005).

    Args:
        f, *args, argnums: as for `pg.sparsity`.
        axes: Matplotlib's axes to draw into; a new figure by default.
        path: where to save the picture.

    Returns:
        The Matplotlib figure.

    Raises:
        UnsupportedError: Matplotlib or SciPy is not installed.
        DTypeError: the argument is not floating.

    Example:
        >>> figure = pg.plot.sparsity(lambda x: x[1:] * x[:-1], pg.spec((8,)))
        >>> figure.axes[0].get_title()
        '7 × 8, 14 entries: 2 products by columns'
    """
    matrix = sparsity_of(f, *args, argnums=argnums)
    axes = axes_for("sparsity", axes)
    pattern = Pattern(matrix.shape, matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64))
    found = min(colourings(pattern), key=lambda colouring: colouring.cost)
    products = _products(pattern, recovery(pattern, found), found.tangents)
    (rows, columns), (m, n) = (pattern.rows, pattern.indices), pattern.shape
    height, width = min(m, CELLS), min(n, CELLS)
    cells = np.full((height, width), np.nan)
    cells[rows * height // max(m, 1), columns * width // max(n, 1)] = products % len(COLOURS)
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

    axes.grid(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    shape = {"extent": (-0.5, n - 0.5, m - 0.5, -0.5), "interpolation": "nearest", "aspect": "equal"}
    if pattern.nnz:
        axes.imshow(cells, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5, **shape)
    if max(m, n) <= NUMBERED:
        for row, column, product in zip(rows, columns, products, strict=True):
            axes.text(column, row, str(product), ha="center", va="center", fontsize=7)
    axes.set(xlabel="input", ylabel="output", xlim=(-0.5, max(n, 1) - 0.5), ylim=(max(m, 1) - 0.5, -0.5))
    count = found.tangents + found.cotangents
    said = f"{count} product{'s' * (count != 1)} by {_KINDS[found.kind]}"
    axes.set_title(f"{m:,} × {n:,}, {pattern.nnz:,} entr{'y' if pattern.nnz == 1 else 'ies'}: {said}")
    return finished(axes, path)


def _products(pattern: Pattern, places: Any, tangents: int) -> Any:
    """The number of the product that each entry is read from: those with the matrix first, then its transpose's."""
    m, n = pattern.shape
    behind = places - tangents * m
    return np.where(behind < 0, places // max(m, 1), tangents + behind // max(n, 1))
