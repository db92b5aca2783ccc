"""Solutions of linear systems, inverses and determinants: cho_solve, det, inv, slogdet, solve, solve_triangular,
tensorinv, tensorsolve."""

from __future__ import annotations

from math import prod as size_of
from typing import Any, NamedTuple

import numpy as np

from ...errors import ShapeError, shown
from ..arithmetic import absolute, sign
from ..common import explained, normal_axes
from ..lu import determinant_row, factors, lu_row, lu_solve_row
from ..matrix_rules import identity, on_diagonal
from ..reductions import prod, sum as total
from ..shaping import ravel, reshape, transpose
from ..transcendental import log
from ..triangular import solve_triangular_row
from .operands import as_square, by_numpy, fitting, floating, known, with_columns


class SlogdetResult(NamedTuple):
    """The sign of determinants, and the logarithm of their absolute values."""

    sign: Any
    logabsdet: Any


@explained
def solve(a: Any, b: Any) -> Any:
    """The solution x of a x = b for square matrices `a` of shape (..., n, n).

    `b` is a vector of n elements, or has the shape (..., n, k); leading axes broadcast. The factorisation of `a` is
    computed once for the value, the derivatives, and other solutions and determinants of the same `a`.

    Raises:
        LinAlgError: a matrix is singular.
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.linalg.solve(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([3.0, 5.0])).round(6)
        array([0.8, 1.4])
    """
    a, b = floating(a, b)
    fitting(as_square(a), b)
    if known(a, b):
        return by_numpy(np.linalg.solve, a, b)
    lu, order, _ = factors(a)
    return with_columns(lambda b: lu_solve_row(a, lu, order, b, transposed=0), b)


@explained
def inv(a: Any) -> Any:
    """The inverses of square matrices, of shape (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.inv(np.array([[2.0, 0.0], [1.0, 4.0]]))
        array([[ 0.5  ,  0.   ],
               [-0.125,  0.25 ]])
    """
    (a,) = floating(a)
    as_square(a)
    if known(a):
        return by_numpy(np.linalg.inv, a)
    lu, order, _ = factors(a)
    return lu_solve_row(a, lu, order, identity(a.shape[-1], a.dtype), transposed=0)


@explained
def det(a: Any) -> Any:
    """The determinants of square matrices of shape (..., n, n), written out up to n = 3.

    The derivative is the matrix of cofactors, also where a matrix is singular; from n = 4 on that is where second
    derivatives are nan.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.det(np.array([[2.0, 1.0], [1.0, 3.0]])).round(6)
        np.float64(5.0)
    """
    (a,) = floating(a)
    n = as_square(a).shape[-1]
    if known(a):
        return np.linalg.det(a)
    if n > 3:
        lu, _, parity = factors(a)
        return determinant_row(a, lu, parity)
    if n == 0:
        return total(a, (-2, -1)) + np.ones((), a.dtype)
    rows = [[a[..., i, j] for j in range(n)] for i in range(n)]
    return _expanded(rows)


def _expanded(rows: list[list[Any]]) -> Any:
    """The determinant by its first row."""
    first, *others = rows
    if not others:
        return first[0]
    result = None
    for j, x in enumerate(first):
        term = x * _expanded([[y for k, y in enumerate(row) if k != j] for row in others])
        result = term if result is None else result - term if j % 2 else result + term
    return result


@explained
def slogdet(a: Any) -> SlogdetResult:
    """The sign and the natural logarithm of the absolute value of determinants of square matrices.

    A singular matrix has the sign 0 and the logarithm -inf; derivatives at one raise LinAlgError.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> sign, logabsdet = pg.linalg.slogdet(np.array([[2.0, 1.0], [1.0, 3.0]]))
        >>> float(sign), float(logabsdet.round(6))
        (1.0, 1.609438)
    """
    (a,) = floating(a)
    as_square(a)
    if known(a):
        return SlogdetResult(*np.linalg.slogdet(a))
    lu, _, parity = lu_row.several(a)
    pivots = on_diagonal(lu)
    return SlogdetResult(parity * prod(sign(pivots), -1), total(log(absolute(pivots)), -1))


_TRANS = {0: 0, 1: 1, 2: 1, "N": 0, "T": 1, "C": 1}


@explained
def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The solution x of a x = b for triangular matrices `a` of shape (..., n, n), as scipy.linalg.solve_triangular.

    `b` is a vector of n elements, or has the shape (..., n, k); leading axes broadcast.

    Args:
        trans: 1 or "T": solve with the transpose of `a`.
        lower: read the lower triangle of `a` rather than the upper one.
        unit_diagonal: take the diagonal of `a` as ones, without reading it.

    Raises:
        LinAlgError: an element of a diagonal is zero.
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.linalg.solve_triangular(np.array([[2.0, 0.0], [1.0, 4.0]]), np.array([2.0, 9.0]), lower=True)
        array([1., 2.])
    """
    a, b = floating(a, b)
    fitting(as_square(a), b)
    if trans not in _TRANS:
        raise ShapeError(f"trans={shown(trans)}", 'give 0 or "N", or 1 or "T" for the transpose')
    how = {"lower": int(bool(lower)), "transposed": _TRANS[trans], "unit": int(bool(unit_diagonal))}
    return with_columns(lambda b: solve_triangular_row(a, b, **how), b)


@explained
def cho_solve(c_and_lower: Any, b: Any) -> Any:
    """The solution x of a x = b from a Cholesky factor of a: the pair (c, lower), as scipy.linalg.cho_solve.

    Raises:
        LinAlgError: an element of the diagonal of c is zero.
        ShapeError: shapes that do not fit.

    Example:
        >>> c = pg.linalg.cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
        >>> pg.linalg.cho_solve((c, True), np.array([6.0, 7.0]))
        array([1., 1.])
    """
    c, lower = c_and_lower
    first = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, first, trans=1 if lower else 0, lower=lower)


@explained
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of `a` for tensordot over `ind` axes: of a as a matrix of its first `ind` axes and the others.

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: `ind` is not positive, or the matrix is not square.

    Example:
        >>> pg.linalg.tensorinv(np.eye(4).reshape(4, 2, 2), ind=1).shape
        (2, 2, 4)
    """
    (a,) = floating(a)
    if ind <= 0:
        raise ShapeError(f"ind={ind}", "give the number of axes of the result's last part, 1 or more")
    first, others = a.shape[:ind], a.shape[ind:]
    return reshape(inv(reshape(a, (size_of(first), size_of(others)))), (*others, *first))


@explained
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x of tensordot(a, x, x.ndim) = b: of a as a matrix of its first axes, those of `b`, and the others.

    Args:
        axes: axes of `a` that are moved to its end before.

    Raises:
        LinAlgError: a singular matrix.
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.linalg.tensorsolve(2 * np.eye(4).reshape(4, 2, 2), np.array([2.0, 4.0, 6.0, 8.0]))
        array([[1., 2.],
               [3., 4.]])
    """
    a, b = floating(a, b)
    if axes is not None:
        moved = normal_axes(axes, a.ndim)
        a = transpose(a, [*(at for at in range(a.ndim) if at not in moved), *moved])
    others = a.shape[b.ndim :]
    if size_of(others) != size_of(b.shape):
        raise ShapeError(f"operands of shapes {a.shape} and {b.shape}", "give `a` the square of the elements of `b`")
    matrix = reshape(a, (size_of(b.shape), size_of(others)))
    return reshape(solve(matrix, ravel(b)), others)
