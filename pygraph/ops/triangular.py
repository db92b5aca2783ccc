"""The rows of triangular matrices: the Cholesky factor, and the solution of a triangular system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import LinAlgError
from .expr import Expr
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import identity, lower, of_lower_triangle, product, symmetric, transposed, upper
from .row import Attrs, DType, Family, Op, register

__all__: list[str] = []

Array = npt.NDArray[Any]

ZERO_ON_DIAGONAL = Failure(
    LinAlgError, "the matrix is singular: element {0} of its diagonal is zero", "give a matrix that has an inverse"
)
NOT_POSITIVE = Failure(
    LinAlgError,
    "the matrix is not positive definite: its leading minor of order {0} is not positive",
    "give a positive definite matrix, perhaps with a small multiple of the identity added",
)


def _solve_triangular_reference(a: Array, b: Array, lower: int, transposed: int, unit: int) -> Array:
    a = np.tril(a) if lower else np.triu(a)
    if unit:
        n = a.shape[-1]
        a = np.where(np.eye(n, dtype=bool), np.ones((), a.dtype), a)
    zeros = np.argwhere(np.diagonal(a, 0, -2, -1) == 0)
    if len(zeros) and b.size:
        raise ZERO_ON_DIAGONAL.raised([int(zeros[0][-1])], "", None)
    return np.asarray(np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b))


def _triangle(x: Expr, attrs: Attrs) -> Expr:
    """The part of x that the system reads."""
    k = -1 if attrs["unit"] else 0
    return lower(x, k) if attrs["lower"] else upper(x, -k)


def _solve_triangular_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """x' = op(a)^-1 (b' - op(a') x)."""
    da, db = tangents
    if da is not None:
        moved = product(_triangle(da, node.attrs), node, left=bool(node.attrs["transposed"]))
        db = -moved if db is None else db - moved
    assert db is not None
    return solve_triangular_row(node.inputs[0], db, **node.attrs)


def _solve_triangular_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """w = op(a)^-T x̄ for b; for a the triangle of -w xᵀ, or of its transpose."""
    turned = {**node.attrs, "transposed": 1 - node.attrs["transposed"]}
    w = solve_triangular_row(node.inputs[0], cotangent, **turned)
    outer = product(node, w, right=True) if node.attrs["transposed"] else product(w, node, right=True)
    return -_triangle(outer, node.attrs), w


#: Leading axes of two operands, and sizes, for samples.
LEADING: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (((), ()), ((4,), (4,)), ((2, 1), (3,)), ((), ()))
SIZES = ((3, 2), (2, 1), (3, 1), (0, 2))


def regular(rng: np.random.Generator, dtype: DType, *shape: int) -> Array:
    """Matrices near the identity, which have inverses."""
    noise = rng.uniform(-0.4, 0.4, shape)
    return np.asarray(noise + np.eye(shape[-2], shape[-1]), dtype)


def _triangular_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for at in range(8):
        (lead, other), (m, n) = LEADING[at % 4], SIZES[at % 4]
        attrs = {"lower": at & 1, "transposed": (at + 1) // 2 & 1, "unit": at // 4}
        yield (regular(rng, dtype, *lead, m, m), rng.uniform(-1.0, 1.0, (*other, m, n)).astype(dtype)), attrs


solve_triangular_row: Op = register(
    Op(
        "solve_triangular",
        Family.CUSTOM,
        doc="The solution x of op(a) x = b for a triangular a, of which the other triangle is not read.",
        parameters=("a", "b"),
        reference=_solve_triangular_reference,
        jvp=_solve_triangular_jvp,
        vjp=_solve_triangular_vjp,
        samples=_triangular_samples,
        **kernel_rules(
            Kernel(
                "solve_triangular",
                "(m,m),(m,n)->(m,n)",
                "TT->T",
                params=("lower", "transposed", "unit"),
                flops="m * m * n",
                failures=(ZERO_ON_DIAGONAL,),
                ulps=(64.0, 64.0),
                lapack=True,
            ),
            "f",
        ),
    )
)


def _cholesky_reference(x: Array) -> Array:
    try:
        return np.asarray(np.linalg.cholesky(x))
    except np.linalg.LinAlgError:
        matrices = x.reshape(-1, *x.shape[-2:])
        order = next(filter(None, map(_minor, matrices)), x.shape[-1])
        raise NOT_POSITIVE.raised([order], "", None) from None


def _minor(x: Array) -> int:
    """The order of the first leading minor that is not positive, 0 where all are."""
    u = np.array(x, np.float64)
    for k in range(len(u)):
        if u[k, k] <= 0:
            return k + 1
        u[k + 1 :, k + 1 :] -= np.multiply.outer(u[k + 1 :, k], u[k + 1 :, k]) / u[k, k]
    return 0


def _halved(x: Expr) -> Expr:
    """Φ: the lower triangle of x, of its diagonal one half."""
    half = np.asarray(1.0 - 0.5 * np.eye(x.shape[-1]), x.dtype)
    return lower(x * half)


def _cholesky_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    """L' = L Φ(L^-1 A' L^-T): Murray, "Differentiation of the Cholesky decomposition", 2016."""
    (moved,) = tangents
    assert moved is not None
    how = {"lower": 1, "transposed": 0, "unit": 0}
    left = solve_triangular_row(node, symmetric(moved), **how)
    both = solve_triangular_row(node, transposed(left), **how)
    return product(node, _halved(both))


def _cholesky_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """S = L^-T Φ(Lᵀ L̄) L^-1, half of it and of its transpose, read back from the lower triangle."""
    how = {"lower": 1, "transposed": 1, "unit": 0}
    left = solve_triangular_row(node, _halved(product(node, cotangent, left=True)), **how)
    both = solve_triangular_row(node, transposed(left), **how)
    return (of_lower_triangle((both + transposed(both)) * np.asarray(0.5, node.dtype)),)


def _cholesky_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in ((3, 3), (1, 1), (4, 2, 2), (2, 1, 3, 3), (0, 0), (0, 2, 2), (7, 7)):
        root = regular(rng, dtype, *shape)
        yield (root @ np.swapaxes(root, -1, -2) + identity(shape[-1], dtype),), {}


cholesky_row: Op = register(
    Op(
        "cholesky",
        Family.CUSTOM,
        doc="The lower triangular L of L Lᵀ = a for a symmetric positive definite a, of which the lower triangle is "
        "read; its derivative is that of a function of this triangle.",
        parameters=("a",),
        reference=_cholesky_reference,
        jvp=_cholesky_jvp,
        vjp=_cholesky_vjp,
        samples=_cholesky_samples,
        **kernel_rules(
            Kernel(
                "cholesky",
                "(n,n)->(n,n)",
                "T->T",
                flops="n * n * n + 16 * n",
                failures=(NOT_POSITIVE,),
                ulps=(64.0, 64.0),
                lapack=True,
                lanes=True,
            ),
            "f",
        ),
    )
)
