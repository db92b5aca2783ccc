"""The row of banded systems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arithmetic import multiply
from .comparison import select
from .expr import Expr
from .indexing import take
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .lu import SINGULAR
from .reductions import sum as total
from .row import DType, Family, Op, register
from .shaping import expand_dims, reshape
from .triangular import LEADING

__all__: list[str] = []

Array = npt.NDArray[Any]


def dense(band: Array, lower: int) -> Array:
    """The matrices of a band, whose row upper + i - j has element (i, j) in column j."""
    p, n = band.shape[-2:]
    i, j = np.indices((n, n))
    row = p - 1 - lower + i - j
    inside = (row >= 0) & (row < p)
    return np.where(inside, band[..., np.clip(row, 0, p - 1), j], np.zeros((), band.dtype))


def _solve_banded_reference(band: Array, b: Array, lower: int, transposed: int) -> Array:
    a = dense(band, lower)
    try:
        return np.asarray(np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b))
    except np.linalg.LinAlgError:
        raise SINGULAR.raised([a.shape[-1] - 1], "", None) from None


def _rows_of(node: Expr) -> tuple[Array, Array]:
    """Row i of the element in row r and column j of the band, and whether there is one."""
    p, n = node.inputs[0].shape[-2:]
    row = np.arange(n) + np.arange(p)[:, None] - (p - 1 - node.attrs["lower"])
    return np.clip(row, 0, max(n - 1, 0)), (row >= 0) & (row < n)


def _applied(node: Expr, band: Expr, x: Expr) -> Expr:
    """op(a) x for the matrices of a band: a sum over its diagonals."""
    p, n = band.shape[-2:]
    upper = p - 1 - node.attrs["lower"]
    if node.attrs["transposed"]:  # (aᵀ x)[j] = Σ over r of band[r, j] x[row(r, j)]
        rows, inside = _rows_of(node)
        taken = expand_dims(select(inside, band, np.zeros((), band.dtype)), -1)
        return _summed(multiply(taken, take(x, rows, axis=-2)))
    column = np.arange(n) - np.arange(p)[:, None] + upper  # of element i in row r
    inside = (column >= 0) & (column < n)
    column = np.clip(column, 0, max(n - 1, 0))
    flat = reshape(band, (*band.shape[:-2], p * n))
    taken = select(inside, take(flat, np.arange(p)[:, None] * n + column, axis=-1), np.zeros((), band.dtype))
    return _summed(multiply(expand_dims(taken, -1), take(x, column, axis=-2)))


def _summed(x: Expr) -> Expr:
    found: Expr = total(x, -3)
    return found


def _outer(node: Expr, rows: Expr, columns: Expr) -> Expr:
    """The band of rows columnsᵀ."""
    index, inside = _rows_of(node)
    products = total(multiply(take(rows, index, axis=-2), expand_dims(columns, -3)), -1)
    return select(inside, products, np.zeros((), products.dtype))


def _solve_banded_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """x' = op(a)^-1 (b' - op(a') x)."""
    moved, db = tangents
    if moved is not None:
        change = _applied(node, moved, node)
        db = -change if db is None else db - change
    assert db is not None
    return solve_banded_row(node.inputs[0], db, **node.attrs)


def _solve_banded_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """w = op(a)^-T x̄ for b, the band of -w xᵀ or of its transpose for a."""
    transposed = node.attrs["transposed"]
    w = solve_banded_row(node.inputs[0], cotangent, **{**node.attrs, "transposed": 1 - transposed})
    return -(_outer(node, node, w) if transposed else _outer(node, w, node)), w


def _banded_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    bands = ((1, 1, 4, 2), (2, 0, 3, 1), (0, 1, 3, 2), (1, 2, 5, 1), (2, 1, 2, 1), (0, 0, 3, 1), (1, 1, 1, 1))
    for at, (lower, upper, n, m) in enumerate(bands):
        lead, other = LEADING[at % 4]
        band = rng.uniform(-1.0, 1.0, (*lead, lower + upper + 1, n))
        band[..., upper, :] += np.where(band[..., upper, :] < 0, -2.0, 2.0)
        b = rng.uniform(-1.0, 1.0, (*other, n, m))
        for transposed in (0, 1):
            yield (band.astype(dtype), b.astype(dtype)), {"lower": lower, "transposed": transposed}


solve_banded_row: Op = register(
    Op(
        "solve_banded",
        Family.CUSTOM,
        doc="The solution x of a x = b, or with `transposed` of aᵀ x = b, for banded a with `lower` diagonals below "
        "the main one: element (i, j) lies in column j of the band and row upper + i - j, as in LAPACK.",
        parameters=("band", "b"),
        reference=_solve_banded_reference,
        jvp=_solve_banded_jvp,
        vjp=_solve_banded_vjp,
        samples=_banded_samples,
        **kernel_rules(
            Kernel(
                "solve_banded",
                "(p,n),(n,m)->(n,m)",
                "TT->T",
                params=("lower", "transposed"),
                work="p * n * 16",
                flops="p * p * n + 2 * p * n * m",
                failures=(SINGULAR,),
                ulps=(256.0, 256.0),
            ),
            "f",
        ),
    )
)
