"""Factors of matrices: cho_factor, cholesky, lu."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..common import explained
from ..lu import lu_row, permutation, unit_lower
from ..matrix_rules import product, transposed, upper
from ..triangular import cholesky_row
from .operands import as_matrices, as_square, by_numpy, floating, known


@explained
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The Cholesky factors of symmetric positive definite matrices of shape (..., n, n): lower triangular, L Lᵀ = a.

    Of `a` the lower triangle alone is read, and derivatives are those of a function of this triangle. With `upper` the
    upper triangle is read, and the factor is upper triangular, Uᵀ U = a.

    Raises:
        LinAlgError: a matrix is not positive definite.
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
        array([[2., 0.],
               [1., 2.]])
    """
    (a,) = floating(a)
    as_square(a)
    if upper:
        return transposed(cholesky(transposed(a)))
    return by_numpy(np.linalg.cholesky, a) if known(a) else cholesky_row(a)


@explained
def cho_factor(a: Any, lower: bool = False) -> tuple[Any, bool]:
    """The pair (c, lower) that `cho_solve` takes: a Cholesky factor of `a`, as scipy.linalg.cho_factor.

    The other triangle of c, which SciPy leaves undefined, is of zeros.

    Raises:
        LinAlgError: a matrix is not positive definite.
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.cho_factor(np.array([[4.0, 2.0], [2.0, 5.0]]))
        (array([[2., 1.],
               [0., 2.]]), False)
    """
    return cholesky(a, upper=not lower), lower


@explained
def lu(a: Any, permute_l: bool = False) -> tuple[Any, ...]:
    """The factors (p, l, u) of matrices of shape (..., m, n): p permutes rows, l is lower triangular with a diagonal of
    ones, u is upper triangular, and p l u = a, as scipy.linalg.lu.

    Args:
        permute_l: give (p l, u).

    Raises:
        ShapeError: fewer than two axes.
        LinAlgError: when derivatives are computed at a matrix without an inverse.

    Example:
        >>> p, l, u = pg.linalg.lu(np.array([[1.0, 2.0], [2.0, 2.0]]))
        >>> l
        array([[1. , 0. ],
               [0.5, 1. ]])
        >>> u
        array([[2., 2.],
               [0., 1.]])
    """
    (a,) = floating(a)
    m, n = as_matrices(a).shape[-2:]
    packed, order, _ = lu_row.several(a)
    k = min(m, n)
    left, right = unit_lower(packed)[..., :k], upper(packed[..., :k, :])
    p = transposed(permutation(order, a.dtype))
    return (product(p, left), right) if permute_l else (p, left, right)
