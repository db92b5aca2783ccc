"""What singular values say of a system: cond, lstsq, matrix_rank, pinv."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import divide, multiply, square, subtract
from ..common import explained, operand
from ..comparison import astype, greater, not_equal
from ..matrix_rules import symmetric
from ..products import matmul
from ..reductions import any as some, max as largest, sum as total
from ..shaping import expand_dims
from ..svd import pinv_row
from .decompositions import svd
from .norms import norm
from .operands import as_matrices, by_numpy, fitting, floating, known
from .solvers import inv

_DEFAULT = object()


def _cutoff(rcond: Any, rtol: Any, x: Any, default: float) -> Any:
    """The ratio up to which singular values count as zeros."""
    if rcond is None:
        rcond = default if rtol is _DEFAULT else rtol
    if rcond is None:
        rcond = max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)
    found = operand(rcond)
    return found if found.dtype == x.dtype else astype(found, x.dtype)


@explained
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _DEFAULT) -> Any:
    """The pseudoinverse of matrices of shape (..., m, n), of shape (..., n, m).

    Derivatives are those among matrices of the same rank.

    Args:
        rcond: singular values up to rcond times the largest count as zeros; 1e-15 by default.
        hermitian: read the lower triangle alone, of symmetric matrices.
        rtol: the same as rcond; with None it is max(m, n) times the machine epsilon.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> pg.linalg.pinv(np.array([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]]))
        array([[0.5 , 0.  , 0.  ],
               [0.  , 0.25, 0.  ]])
    """
    (a,) = floating(a)
    if hermitian:
        a = symmetric(a)
    return pinv_row(as_matrices(a), _cutoff(rcond, rtol, a, 1e-15))


@explained
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """The solution x of smallest norm that minimises the norm of a x - b, by the pseudoinverse of the matrix `a`.

    Args:
        a: of shape (m, n).
        b: of shape (m,) or (m, k).
        rcond: singular values up to rcond times the largest count as zeros; max(m, n) times the machine epsilon by
            default, and the machine epsilon for -1.

    Returns:
        x; the sums of squares of a x - b, none where m <= n (of expressions also where the rank of `a` is below n:
        shapes do not depend on values); the rank; the singular values.

    Raises:
        ShapeError: shapes that do not fit.

    Example:
        >>> x, *_ = pg.linalg.lstsq(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), np.array([1.0, 3.0, 5.0]))
        >>> x.round(6)
        array([1., 2.])
    """
    a, b = floating(a, b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise ShapeError(f"operands of shapes {a.shape} and {b.shape}", "give a matrix, and a vector or a matrix")
    fitting(a, b)
    if known(a, b):
        return by_numpy(np.linalg.lstsq, a, b, rcond)  # type: ignore[no-any-return]
    m, n = a.shape
    if isinstance(rcond, (int, float)) and rcond == -1:
        rcond = float(np.finfo(a.dtype).eps)
    cutoff = _cutoff(rcond, None, a, 0.0)
    x = matmul(pinv_row(a, cutoff), b)
    s = svd(a, compute_uv=False)
    residuals = total(square(subtract(b, matmul(a, x))), 0, keepdims=b.ndim == 1)
    rank = total(greater(s, multiply(cutoff, s[:1])), -1)
    return x, residuals if m > n else np.zeros((0,), a.dtype), rank, s


@explained
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values that count as nonzero; a vector has the rank 1, or 0 where all is zero.

    Args:
        A: of shape (..., m, n), or with fewer axes.
        tol: singular values up to it count as zeros; rtol times the largest by default.
        hermitian: read the lower triangle alone, of symmetric matrices.
        rtol: max(m, n) times the machine epsilon by default.

    Example:
        >>> int(pg.linalg.matrix_rank(np.array([[1.0, 2.0], [2.0, 4.0]])))
        1
    """
    (x,) = floating(A)
    if x.ndim < 2:
        return astype(some(not_equal(x, 0)), "int64")
    s = svd(x, compute_uv=False, hermitian=hermitian)
    if tol is None:
        tol = multiply(_cutoff(None, rtol, x, 0.0), largest(s, -1))
    tol = operand(tol)
    return total(astype(greater(s, expand_dims(tol, -1)), "int64"), -1)


@explained
def cond(x: Any, p: Any = None) -> Any:
    """The condition number of matrices: the norm `p` of the matrix times that of its inverse.

    Args:
        x: of shape (..., m, n); square for other norms than 2 and -2.
        p: None or 2: the largest singular value over the smallest; -2: its inverse; otherwise an `ord` of `norm`.

    Raises:
        LinAlgError: a singular matrix, with another norm than 2 and -2, for which it is inf.
        ShapeError: fewer than two axes.

    Example:
        >>> float(pg.linalg.cond(np.array([[2.0, 0.0], [0.0, 4.0]])))
        2.0
    """
    (x,) = floating(x)
    as_matrices(x)
    if p is None or p in (2, -2):
        s = svd(x, compute_uv=False)
        return divide(s[..., -1], s[..., 0]) if p == -2 else divide(s[..., 0], s[..., -1])
    return multiply(norm(x, p, (-2, -1)), norm(inv(x), p, (-2, -1)))
