"""Orthogonal factors, eigenvalues and singular values: eigh, eigvalsh, qr, svd, svdvals."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import SignatureError, UnsupportedError, shown
from ..common import explained
from ..eigen import eigh_row
from ..matrix_rules import product, symmetric, transposed
from ..qr import qr_row
from ..shaping import concatenate
from ..svd import svd_row
from .operands import as_matrices, as_square, floating


class QRResult(NamedTuple):
    """Orthonormal columns and a triangular matrix."""

    Q: Any
    R: Any


class EighResult(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values, and right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


@explained
def qr(a: Any, mode: str = "reduced") -> Any:
    """The QR decomposition of matrices of shape (..., m, n): orthonormal columns Q and an upper triangular R, Q R = a.

    The diagonal of R has the signs of LAPACK. Derivatives need the first min(m, n) columns of `a` to be independent,
    and raise LinAlgError elsewhere.

    Args:
        mode: "reduced": Q has min(m, n) columns; "complete": it has m, of which those beyond n have no derivative;
            "r": R alone.

    Raises:
        ShapeError: fewer than two axes.
        UnsupportedError: mode "raw"; derivatives of the complete form of matrices with m > n.

    Example:
        >>> q, r = pg.linalg.qr(np.array([[3.0, 1.0], [4.0, 2.0]]))
        >>> r.round(6)
        array([[-5. , -2.2],
               [ 0. ,  0.4]])
    """
    (a,) = floating(a)
    m, n = as_matrices(a).shape[-2:]
    if mode == "raw":
        raise UnsupportedError('mode "raw"', 'use mode="reduced" or "complete"')
    if mode not in ("reduced", "complete", "r"):
        raise SignatureError(f"mode={shown(mode)}", 'give "reduced", "complete" or "r"')
    if m < n:
        q, r = qr_row.several(a[..., :m], k=m)
        r = concatenate([r, product(q, a[..., m:], left=True)], -1)
    else:
        q, r = qr_row.several(a, k=m if mode == "complete" else n)
    return r if mode == "r" else QRResult(q, r)


@explained
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """The eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices of shape (..., n, n).

    One triangle of `a` is read, the lower one, or with UPLO="U" the upper one; derivatives are those of a function of
    this triangle. The first element of an eigenvector that has at least half the size of its largest is positive. The
    derivative of eigenvectors is nan where two eigenvalues are equal; that of eigenvalues is not affected.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> w, v = pg.linalg.eigh(np.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> w.round(6)
        array([1., 3.])
    """
    (a,) = floating(a)
    as_square(a)
    if UPLO.upper() not in ("L", "U"):
        raise SignatureError(f"UPLO={shown(UPLO)}", 'give "L" or "U"')
    return EighResult(*eigh_row.several(transposed(a) if UPLO.upper() == "U" else a))


@explained
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of symmetric matrices, ascending; see `eigh`.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.eigvalsh(np.array([[2.0, 1.0], [1.0, 2.0]])).round(6)
        array([1., 3.])
    """
    return eigh(a, UPLO).eigenvalues


@explained
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition U diag(S) Vh of matrices of shape (..., m, n), singular values descending.

    The first element of a column of U that has at least half the size of its largest is positive. The derivative of
    singular vectors is nan where two singular values are equal, and inf or nan where one is zero and m and n differ;
    that of singular values is not affected.

    Args:
        full_matrices: U is m by m and Vh n by n; vectors beyond the first min(m, n) have no derivative.
        compute_uv: False: give S alone.
        hermitian: read the lower triangle alone, of symmetric matrices.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> u, s, vh = pg.linalg.svd(np.array([[0.0, 3.0], [-2.0, 0.0]]))
        >>> s
        array([3., 2.])
    """
    (a,) = floating(a)
    if hermitian:
        a = symmetric(as_square(a))
    m, n = as_matrices(a).shape[-2:]
    k = min(m, n)
    u, s, vt = svd_row.several(a, k=k)
    if not compute_uv:
        return s
    if full_matrices and m > k:
        u = concatenate([u, qr_row.several(u, k=m)[0][..., k:]], -1)
    if full_matrices and n > k:
        others = qr_row.several(transposed(vt), k=n)[0][..., k:]
        vt = concatenate([vt, transposed(others)], -2)
    return SVDResult(u, s, vt)


@explained
def svdvals(x: Any, /) -> Any:
    """The singular values of matrices of shape (..., m, n), descending.

    Raises:
        ShapeError: fewer than two axes.

    Example:
        >>> pg.linalg.svdvals(np.array([[0.0, 3.0], [-2.0, 0.0]]))
        array([3., 2.])
    """
    return svd(x, compute_uv=False)
