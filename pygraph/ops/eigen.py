"""The rows of symmetric matrices: eigenvalues and eigenvectors, the square root, and Lyapunov's equation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import LinAlgError
from .comparison import select
from .expr import Expr
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import as_diagonal, of_lower_triangle, on_diagonal, product, symmetric, transposed
from .row import DType, Family, Op, register
from .shaping import expand_dims

__all__: list[str] = []

Array = npt.NDArray[Any]


def oriented(x: Array) -> Array:
    """-1 for each column whose first element of at least half the size of the largest is negative, else 1."""
    if not x.size:
        return np.ones((*x.shape[:-2], 1, x.shape[-1]), x.dtype)
    size = np.abs(x)
    first = np.argmax(size >= size.max(-2, keepdims=True) / 2, -2, keepdims=True)
    return np.where(np.take_along_axis(x, first, -2) < 0, -1, 1).astype(x.dtype)


def finite_or_nan(x: Array) -> Array:
    """Each matrix, of nan where one of its elements is inf or nan."""
    return np.where(np.isfinite(x).all((-2, -1), keepdims=True), x, np.full((), np.nan, x.dtype))


def _eigh_reference(x: Array) -> tuple[Array, Array]:
    x = finite_or_nan(x)
    broken = np.asarray(np.isnan(x).any((-2, -1), keepdims=True))
    w, v = np.linalg.eigh(np.where(broken, np.zeros((), x.dtype), x))
    nan = np.full((), np.nan, x.dtype)
    return np.where(broken[..., 0], nan, w), np.where(broken, nan, v * oriented(v))


def gaps(w: Expr) -> Expr:
    """1 / (w[j] - w[i]) at (i, j), zero on the diagonal, and nan elsewhere where two are equal."""
    n = w.shape[-1]
    difference = expand_dims(w, -2) - expand_dims(w, -1)
    same = np.eye(n, dtype=np.bool_)
    zero, one, nan = (np.asarray(x, w.dtype) for x in (0.0, 1.0, np.nan))
    difference = select(same, one, select(difference == 0.0, nan, difference))
    return select(same, zero, one / difference)


def _eigh_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """w' = diag(Vᵀ a' V), V' = V (F ∘ Vᵀ a' V): Giles, "Collected matrix derivative results", 2008."""
    (moved,) = tangents
    assert moved is not None
    w, v = eigh_row.several(*node.inputs)
    inner = product(product(v, symmetric(moved), left=True), v)
    return on_diagonal(inner), product(v, gaps(w) * inner)


def _eigh_vjp(node: Expr, cotangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """V (diag(w̄) + F ∘ Vᵀ V̄) Vᵀ, read back from the lower triangle."""
    ct_w, ct_v = cotangents
    w, v = eigh_row.several(*node.inputs)
    inner = None if ct_w is None else as_diagonal(ct_w)
    if ct_v is not None:
        off = gaps(w) * product(v, ct_v, left=True)
        inner = off if inner is None else inner + off
    if inner is None:
        return (None,)
    full = product(product(v, inner), v, right=True)
    half = np.asarray(0.5, full.dtype)
    return (of_lower_triangle((full + transposed(full)) * half),)


def _symmetric_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    """Positive definite matrices with different eigenvalues."""
    for shape in ((3, 3), (1, 1), (4, 2, 2), (2, 1, 3, 3), (0, 0), (0, 2, 2), (5, 5)):
        n = shape[-1]
        q = np.linalg.qr(rng.normal(size=shape))[0]
        w = (np.arange(n) + 1.0) * rng.uniform(0.9, 1.1, (*shape[:-2], 1, n))
        yield (np.asarray((q * w) @ np.swapaxes(q, -1, -2), dtype),), {}


eigh_row: Op = register(
    Op(
        "eigh",
        Family.CUSTOM,
        doc="The eigenvalues, ascending, and the eigenvectors, as columns, of symmetric matrices, of which the lower "
        "triangle is read. An eigenvector's first element of at least half the size of its largest is positive. The "
        "derivative of eigenvectors is nan where two eigenvalues are equal.",
        reference=_eigh_reference,
        jvp=_eigh_jvp,
        vjp=_eigh_vjp,
        samples=_symmetric_samples,
        **kernel_rules(
            Kernel(
                "eigh",
                "(n,n)->(n),(n,n)",
                "T->TT",
                work="n * n * 16",
                flops="24 * n * n * n + 50 * n * n",
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)

NEGATIVE = Failure(
    LinAlgError,
    "the matrix is not positive semidefinite: its eigenvalue {0} is negative",
    "give a positive semidefinite matrix",
)


def _sqrtm_reference(x: Array) -> Array:
    w, v = _eigh_reference(x)
    size = np.abs(w).max(-1, initial=0.0, keepdims=True)
    bad = w < -8 * np.finfo(x.dtype).eps * x.shape[-1] * size
    if bad.any():
        raise NEGATIVE.raised([int(np.argwhere(bad)[0][-1])], "", None)
    return np.asarray((v * np.sqrt(np.maximum(w, 0))[..., None, :]) @ np.swapaxes(v, -1, -2))


def _sqrtm_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """X' solves X X' + X' X = a'."""
    (moved,) = tangents
    assert moved is not None
    return lyapunov_row(node, symmetric(moved))


def _sqrtm_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    half = np.asarray(0.5, cotangent.dtype)
    return (of_lower_triangle(lyapunov_row(node, (cotangent + transposed(cotangent)) * half)),)


sqrtm_row: Op = register(
    Op(
        "sqrtm",
        Family.CUSTOM,
        doc="The symmetric square root of symmetric positive semidefinite matrices, of which the lower triangle is "
        "read. Its derivative is inf or nan where a matrix is singular.",
        reference=_sqrtm_reference,
        jvp=_sqrtm_jvp,
        vjp=_sqrtm_vjp,
        samples=_symmetric_samples,
        **kernel_rules(
            Kernel(
                "sqrtm",
                "(n,n)->(n,n)",
                "T->T",
                work="n * n * 16 + n * 8",
                flops="26 * n * n * n + 50 * n * n",
                failures=(NEGATIVE,),
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)


def _lyapunov_reference(x: Array, b: Array) -> Array:
    w, v = _eigh_reference(x)
    turned = np.swapaxes(v, -1, -2)
    with np.errstate(all="ignore"):
        return np.asarray(v @ (turned @ b @ v / (w[..., :, None] + w[..., None, :])) @ turned)


def _lyapunov_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """y' solves x y' + y' x = b' - x' y - y x'."""
    dx, db = tangents
    if dx is not None:
        dx = symmetric(dx)
        moved = product(dx, node) + product(node, dx)
        db = -moved if db is None else db - moved
    assert db is not None
    return lyapunov_row(node.inputs[0], db)


def _lyapunov_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """w solves x w + w x = ȳ; for x it is the symmetric part of -(w yᵀ + yᵀ w)."""
    w = lyapunov_row(node.inputs[0], cotangent)
    moved = product(w, node, right=True) + product(node, w, left=True)
    half = np.asarray(-0.5, moved.dtype)
    return of_lower_triangle((moved + transposed(moved)) * half), w


def _lyapunov_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for (x,), attrs in _symmetric_samples(rng, dtype):
        yield (x, np.asarray(rng.uniform(-1.0, 1.0, x.shape), dtype)), attrs


lyapunov_row: Op = register(
    Op(
        "lyapunov",
        Family.CUSTOM,
        doc="The solution y of x y + y x = b for symmetric x, of which the lower triangle is read; inf or nan where "
        "two of its eigenvalues add up to zero.",
        parameters=("x", "b"),
        reference=_lyapunov_reference,
        jvp=_lyapunov_jvp,
        vjp=_lyapunov_vjp,
        samples=_lyapunov_samples,
        **kernel_rules(
            Kernel(
                "lyapunov",
                "(n,n),(n,n)->(n,n)",
                "TT->T",
                work="n * n * 24 + n * 8",
                flops="32 * n * n * n + 50 * n * n",
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)
