"""Matrices of a structure, and their systems: block_diag, solve_banded, solveh_banded, toeplitz, tridiagonal_solve."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..banded import solve_banded_row
from ..common import explained, operand
from ..indexing import take
from ..shaping import concatenate, expand_dims, ravel, reshape
from .operands import as_matrices, floating, with_columns


@explained
def block_diag(*arrs: Any) -> Any:
    """A matrix with the given matrices on its diagonal, one after the other, and zeros beside them.

    A scalar counts as a matrix of one element, and a vector as a row.

    Raises:
        ShapeError: no operands, or one of more than two axes.

    Example:
        >>> pg.linalg.block_diag(np.array([[1, 2]]), 3)
        array([[1, 2, 0],
               [0, 0, 3]])
    """
    blocks = [operand(x) for x in arrs]
    if not blocks or any(x.ndim > 2 for x in blocks):
        raise ShapeError("block_diag takes one or more matrices", "give arrays of two axes at most")
    blocks = [x if x.ndim == 2 else reshape(x, (1, -1)) for x in blocks]
    width, before, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        height, own = x.shape
        left, right = (np.zeros((height, size), x.dtype) for size in (before, width - before - own))
        rows.append(concatenate([left, x, right], 1))
        before += own
    return concatenate(rows, 0)


@explained
def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with the first column `c` and constant diagonals; the first row is `r`, without its first element.

    By default `r` is `c`, for a symmetric matrix. Both are read as vectors.

    Example:
        >>> pg.linalg.toeplitz(np.array([1, 2, 3]), np.array([0, 5]))
        array([[1, 5],
               [2, 1],
               [3, 2]])
    """
    c = ravel(operand(c))
    r = c if r is None else ravel(operand(r))
    m, n = c.shape[0], r.shape[0]
    values = concatenate([c[::-1], r[1:]], 0)
    return take(values, m - 1 - np.arange(m)[:, None] + np.arange(n), axis=0)


@explained
def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any) -> Any:
    """The solution x of a x = b for matrices with few diagonals, as scipy.linalg.solve_banded.

    Args:
        l_and_u: how many diagonals lie below and above the main one.
        ab: of shape (..., l + u + 1, n): element (i, j) of a in row u + i - j and column j.
        b: a vector of n elements, or of shape (..., n, k).

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: shapes that do not fit.

    Example:
        >>> ab = np.array([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
        >>> pg.linalg.solve_banded((0, 1), ab, np.array([3.0, 3.0, 2.0]))
        array([1., 1., 1.])
    """
    lower, upper = l_and_u
    ab, b = floating(ab, b)
    if as_matrices(ab).shape[-2] != lower + upper + 1 or min(lower, upper) < 0:
        problem = f"a band of shape {ab.shape} for {lower} diagonals below and {upper} above the main one"
        raise ShapeError(problem, "give l + u + 1 rows")
    return with_columns(lambda b: solve_banded_row(ab, b, lower=lower, transposed=0), b)


def _shifted(x: Any, by: int) -> Any:
    """The last axis of x moved right by `by` places, or left where it is negative, with zeros for what is missing."""
    n = x.shape[-1]
    zeros = np.zeros((*x.shape[:-1], min(abs(by), n)), x.dtype)
    return concatenate([zeros, x[..., : max(n - by, 0)]] if by > 0 else [x[..., min(-by, n) :], zeros], -1)


@explained
def solveh_banded(ab: Any, b: Any, lower: bool = False) -> Any:
    """The solution x of a x = b for symmetric matrices with few diagonals, as scipy.linalg.solveh_banded.

    The elimination exchanges rows, so that the matrix need not be positive definite.

    Args:
        ab: of shape (..., u + 1, n): element (i, j) of a with i <= j in row u + i - j and column j; with `lower` that
            with i >= j in row i - j and column j.
        b: a vector of n elements, or of shape (..., n, k).

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: shapes that do not fit.

    Example:
        >>> ab = np.array([[0.0, 1.0, 1.0], [4.0, 4.0, 4.0]])
        >>> pg.linalg.solveh_banded(ab, np.array([5.0, 6.0, 5.0]))
        array([1., 1., 1.])
    """
    ab, b = floating(ab, b)
    u = as_matrices(ab).shape[-2] - 1
    given = [ab[..., row, :] for row in range(u + 1)]
    if lower:
        above, below = [_shifted(given[d], d) for d in range(u, 0, -1)], given
    else:
        above, below = given[:u], [given[u], *(_shifted(given[u - d], -d) for d in range(1, u + 1))]
    band = concatenate([expand_dims(x, -2) for x in (*above, *below)], -2)
    return with_columns(lambda b: solve_banded_row(band, b, lower=u, transposed=0), b)


@explained
def tridiagonal_solve(dl: Any, d: Any, du: Any, b: Any) -> Any:
    """The solution x of a x = b for tridiagonal matrices.

    Args:
        dl: of shape (..., n): element (i, i - 1) of a at i; its first element is not read.
        d: of shape (..., n): the diagonal.
        du: of shape (..., n): element (i, i + 1) of a at i; its last element is not read.
        b: a vector of n elements, or of shape (..., n, k).

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: shapes that do not fit.

    Example:
        >>> ones = np.ones(3)
        >>> pg.linalg.tridiagonal_solve(ones, 4 * ones, ones, np.array([5.0, 6.0, 5.0]))
        array([1., 1., 1.])
    """
    dl, d, du, b = floating(dl, d, du, b)
    if not dl.shape == d.shape == du.shape or d.ndim == 0:
        raise ShapeError(f"diagonals of shapes {dl.shape}, {d.shape} and {du.shape}", "give equal shapes")
    band = concatenate([expand_dims(x, -2) for x in (_shifted(du, 1), d, _shifted(dl, -1))], -2)
    return with_columns(lambda b: solve_banded_row(band, b, lower=1, transposed=0), b)
