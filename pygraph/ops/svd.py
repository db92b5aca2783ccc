"""The rows of the singular value decomposition and of the pseudoinverse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .comparison import select
from .eigen import finite_or_nan, oriented
from .expr import Expr
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import as_diagonal, on_diagonal, plus, product, transposed
from .row import DType, Family, Op, register
from .shaping import expand_dims

__all__: list[str] = []

Array = npt.NDArray[Any]


def _svd_reference(x: Array, k: int) -> tuple[Array, Array, Array]:
    x = finite_or_nan(x)
    broken = np.asarray(np.isnan(x).any((-2, -1), keepdims=True))
    u, s, vt = np.linalg.svd(np.where(broken, np.zeros((), x.dtype), x), full_matrices=False)
    sign, nan = oriented(u), np.full((), np.nan, x.dtype)
    u, vt = u * sign, vt * np.swapaxes(sign, -1, -2)
    return np.where(broken, nan, u), np.where(broken[..., 0], nan, s), np.where(broken, nan, vt)


def _gaps(s: Expr) -> Expr:
    """1 / (s[j]² - s[i]²) at (i, j), zero on the diagonal, and nan elsewhere where two are equal."""
    n = s.shape[-1]
    row, column = expand_dims(s, -2), expand_dims(s, -1)
    difference = (row - column) * (row + column)
    same = np.eye(n, dtype=np.bool_)
    zero, one, nan = (np.asarray(x, s.dtype) for x in (0.0, 1.0, np.nan))
    difference = select(same, one, select(difference == 0.0, nan, difference))
    return select(same, zero, one / difference)


def _outside(u: Expr, x: Expr) -> Expr:
    """x without what it has of the columns of u."""
    return x - product(u, product(u, x, left=True))


def _svd_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """With P = Uᵀ a' V: s' = diag(P), U' = U (F ∘ (P S + S Pᵀ)) + (1 - U Uᵀ) a' V S^-1, and the same for V: Townsend,
    "Differentiating the singular value decomposition", 2016."""
    (moved,) = tangents
    assert moved is not None
    u, s, vt = svd_row.several(*node.inputs, k=node.attrs["k"])
    m, n = moved.shape[-2:]
    right = product(moved, vt, right=True)
    p = product(u, right, left=True)
    f, row, column = _gaps(s), expand_dims(s, -2), expand_dims(s, -1)
    du = product(u, f * (p * row + column * transposed(p)))
    dv = product(vt, f * (column * p + transposed(p) * row), left=True)
    if m > n:
        du = du + _outside(u, right) / row
    if n > m:
        dv = dv + _outside(transposed(vt), product(moved, u, left=True)) / row
    return du, on_diagonal(p), transposed(dv)


def _svd_vjp(node: Expr, cotangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    ct_u, ct_s, ct_vt = cotangents
    u, s, vt = svd_row.several(*node.inputs, k=node.attrs["k"])
    m, n = node.inputs[0].shape[-2:]
    row, column = expand_dims(s, -2), expand_dims(s, -1)
    inner: Expr | None = None if ct_s is None else as_diagonal(ct_s)
    beside: Expr | None = None
    if ct_u is not None:
        x = _gaps(s) * product(u, ct_u, left=True)
        inner = plus(inner, (x + transposed(x)) * row)
        if m > n:
            beside = product(_outside(u, ct_u / row), vt)
    if ct_vt is not None:
        y = _gaps(s) * product(vt, ct_vt, right=True)
        inner = plus(inner, column * (y + transposed(y)))
        if n > m:
            outside = _outside(transposed(vt), transposed(ct_vt) / row)
            beside = plus(beside, product(u, outside, right=True))
    if inner is not None:
        beside = plus(beside, product(product(u, inner), vt))
    return (beside,)


#: Shapes of samples, tall, wide and square.
_SHAPES = ((3, 3), (1, 1), (3, 2), (4, 2, 3), (2, 1, 3, 2), (0, 0), (0, 2, 2), (5, 4))


def _spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Matrices with singular values about 1, 2, 3 ..."""
    k = min(shape[-2:])
    u = np.linalg.qr(rng.normal(size=(*shape[:-1], k)))[0]
    v = np.linalg.qr(rng.normal(size=(*shape[:-2], shape[-1], k)))[0]
    s = (np.arange(k) + 1.0) * rng.uniform(0.9, 1.1, (*shape[:-2], 1, k))
    return np.asarray((u * s) @ np.swapaxes(v, -1, -2))


def _svd_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in _SHAPES:
        yield (_spread(rng, shape).astype(dtype),), {"k": min(shape[-2:])}


svd_row: Op = register(
    Op(
        "svd",
        Family.CUSTOM,
        doc="U, the singular values, descending, and Vᵀ of x = U diag(s) Vᵀ, with the smaller number `k` of rows and "
        "columns for the inner size. A left singular vector's first element of at least half the size of its largest "
        "is positive. The derivative of singular vectors is nan where two singular values are equal, and that of "
        "vectors of a matrix that is not square inf or nan where one is zero.",
        reference=_svd_reference,
        jvp=_svd_jvp,
        vjp=_svd_vjp,
        samples=_svd_samples,
        **kernel_rules(
            Kernel(
                "svd",
                "(m,n)->(m,k),(k),(k,n)",
                "T->TTT",
                work="m * k * 8",
                flops="24 * m * n * k + 50 * k * k",
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)


def _pinv_reference(x: Array, cutoff: Array) -> Array:
    m, n = x.shape[-2:]
    u, s, vt = _svd_reference(x, min(m, n))
    keep = ~(s <= cutoff[..., None] * s.max(-1, initial=0.0, keepdims=True))
    with np.errstate(all="ignore"):
        inverse = np.where(keep, 1 / s, 0).astype(x.dtype)
    return np.asarray(np.swapaxes(vt, -1, -2) @ (inverse[..., None] * np.swapaxes(u, -1, -2)))


def _pinv_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr | None:
    """-P a' P + P Pᵀ a'ᵀ (1 - a P) + (1 - P a) a'ᵀ Pᵀ P for matrices of constant rank: Golub and Pereyra, "The
    differentiation of pseudo-inverses and nonlinear least squares problems", SIAM J. Numer. Anal. 10 (1973)."""
    moved, _ = tangents
    if moved is None:
        return None
    x, p = node.inputs[0], node
    result = -product(product(p, moved), p)
    turned = product(moved, p, left=True, right=True)  # a'ᵀ Pᵀ
    result = result + product(turned - product(p, product(x, turned)), p)
    other = product(p, moved, left=True, right=True)  # Pᵀ a'ᵀ
    return result + product(p, other - product(product(other, x), p))


def _pinv_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """-Pᵀ G Pᵀ + (1 - a P) Gᵀ P Pᵀ + Pᵀ P Gᵀ (1 - P a)."""
    x, p, g = node.inputs[0], node, cotangent
    result = -product(product(p, g, left=True), p, right=True)
    left = product(product(g, p, left=True), p, right=True)
    right = product(p, product(p, g, right=True), left=True)
    return result + (left - product(x, product(p, left))) + (right - product(product(right, p), x)), None


def _pinv_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in _SHAPES:
        yield (_spread(rng, shape).astype(dtype), np.asarray(0.01, dtype)), {}


pinv_row: Op = register(
    Op(
        "pinv",
        Family.CUSTOM,
        doc="The pseudoinverse P of x: singular values up to `cutoff` times the largest count as zeros. The derivative "
        "is that among matrices of the same rank, and cutoff has none.",
        parameters=("x", "cutoff"),
        reference=_pinv_reference,
        jvp=_pinv_jvp,
        vjp=_pinv_vjp,
        samples=_pinv_samples,
        **kernel_rules(
            Kernel(
                "pinv",
                "(m,n),()->(n,m)",
                "TT->T",
                work="m * n * 16 + n * 8",
                flops="24 * m * n * n + 50 * n * n",
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)
