"""The rows of the LU decomposition: its factors, solutions from them, determinants and cofactors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import LinAlgError
from .comparison import astype, equal, stop_gradient
from .expr import Expr
from .indexing import OUT_OF_RANGE
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import identity, lower, product, transposed, upper
from .reductions import reduce_sum
from .row import DType, Family, Op, register
from .shaping import concatenate, expand_dims
from .triangular import LEADING, SIZES, regular, solve_triangular_row

__all__: list[str] = []

Array = npt.NDArray[Any]

SINGULAR = Failure(
    LinAlgError, "the matrix is singular: pivot {0} of its elimination is zero", "give a matrix that has an inverse"
)


def _lu_reference(x: Array) -> tuple[Array, Array, Array]:
    m, n = x.shape[-2:]
    lu, parity = np.array(x), np.ones(x.shape[:-2], x.dtype)
    order = np.broadcast_to(np.arange(m), x.shape[:-1]).copy()
    for at in np.ndindex(*x.shape[:-2]):
        a, rows = lu[at], order[at]
        for k in range(min(m, n)):
            size = np.abs(a[k:, k])
            best = k if np.isnan(size[0]) else k + int(np.nanargmax(size))
            if best != k:
                a[[k, best]], rows[[k, best]] = a[[best, k]], rows[[best, k]]
                parity[at] *= -1
            if a[k, k] != 0:
                a[k + 1 :, k] /= a[k, k]
                a[k + 1 :, k + 1 :] -= np.multiply.outer(a[k + 1 :, k], a[k, k + 1 :])
    return lu, order, parity


def permutation(order: Expr, dtype: DType) -> Expr:
    """The matrices P of row orders: P a has row order[i] of a in row i."""
    found: Expr = astype(equal(expand_dims(order, -1), np.arange(order.shape[-1])), dtype)
    return found


def unit_lower(lu: Expr) -> Expr:
    """L of the packed factors of m by n matrices, m by m; columns beyond the n-th are those of the identity."""
    m, n = lu.shape[-2:]
    square = lower(lu[..., : min(m, n)], -1)
    if m > n:
        padded: Expr = concatenate([square, np.zeros((*lu.shape[:-1], m - n), lu.dtype)], -1)
        square = padded
    eye: Expr = identity(m, lu.dtype)
    return square + eye


def square_upper(lu: Expr) -> Expr:
    """U of the packed factors of m by n matrices, n by n: rows that a flat matrix lacks are those of the identity."""
    m, n = lu.shape[-2:]
    square = upper(lu[..., : min(m, n), :])
    if n > m:
        rows = np.broadcast_to(np.eye(n, dtype=lu.dtype)[m:], (*lu.shape[:-2], n - m, n))
        padded: Expr = concatenate([square, rows], -2)
        square = padded
    return square


_LOWER = {"lower": 1, "transposed": 0, "unit": 1}
_UPPER = {"lower": 0, "transposed": 0, "unit": 0}
_FLIPPED = {"transposed": 1}


def _lu_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """M = L^-1 P a' U^-1; L' = L (M below the diagonal), U' = (M on it and above) U."""
    (moved,) = tangents
    assert moved is not None
    lu, order, _ = lu_row.several(*node.inputs)
    left, right = unit_lower(lu), square_upper(lu)
    m = solve_triangular_row(left, product(permutation(order, moved.dtype), moved), **_LOWER)
    m = transposed(solve_triangular_row(right, transposed(m), **_UPPER | _FLIPPED))
    return product(left, lower(m, -1)) + product(upper(m), right), None, None


def _lu_vjp(node: Expr, cotangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """ā = Pᵀ L^-T (Lᵀ C below the diagonal + C Uᵀ on it and above) U^-T, with C the cotangent of the packed factors:
    its part below the diagonal in the first term, the rest in the second."""
    cotangent = cotangents[0]
    if cotangent is None:
        return (None,)
    lu, order, _ = lu_row.several(*node.inputs)
    left, right = unit_lower(lu), square_upper(lu)
    m = lower(product(left, lower(cotangent, -1), left=True), -1)
    m = m + upper(product(upper(cotangent), right, right=True))
    m = solve_triangular_row(left, m, **_LOWER | _FLIPPED)
    m = transposed(solve_triangular_row(right, transposed(m), **_UPPER))
    return (product(permutation(order, m.dtype), m, left=True),)


def _lu_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in ((3, 3), (1, 1), (4, 2, 2), (4, 2), (2, 1, 2, 4), (0, 0), (0, 2, 2), (7, 7)):
        a = regular(rng, dtype, *shape)
        yield (a[..., ::-1, :].copy() if shape[-1] == 3 else a,), {}


lu_row: Op = register(
    Op(
        "lu",
        Family.CUSTOM,
        doc="The factors of x with its rows exchanged, P x = L U: U on the diagonal and above, L, whose diagonal is of "
        "ones, below; the row of x that row i of the product is, and the determinant of that permutation. Each pivot "
        "is the largest element left in its column.",
        reference=_lu_reference,
        jvp=_lu_jvp,
        vjp=_lu_vjp,
        samples=_lu_samples,
        **kernel_rules(
            Kernel("lu", "(m,n)->(m,n),(m),()", "T->TlT", flops="m * n * n", ulps=(64.0, 64.0), lapack=True),
            "f",
        ),
    )
)


def factors(a: Any) -> tuple[Expr, ...]:
    """The factors of `a` without a derivative, for rows that take them beside `a` and have the derivative."""
    return lu_row.several(stop_gradient(a))


def _solve_reference(a: Array, lu: Array, order: Array, b: Array, transposed: int) -> Array:
    try:
        return np.asarray(np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b))
    except np.linalg.LinAlgError:
        zeros = np.argwhere(np.diagonal(lu, 0, -2, -1) == 0)
        raise SINGULAR.raised([int(zeros[0][-1]) if len(zeros) else a.shape[-1] - 1], "", None) from None


def _solve_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr | None:
    """x' = op(a)^-1 (b' - op(a') x)."""
    a, lu, order, _ = node.inputs
    da, _, _, db = tangents
    if da is not None:
        moved = product(da, node, left=bool(node.attrs["transposed"]))
        db = -moved if db is None else db - moved
    return None if db is None else lu_solve_row(a, lu, order, db, **node.attrs)


def _solve_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    """w = op(a)^-T x̄ for b, -w xᵀ or its transpose for a."""
    a, lu, order, _ = node.inputs
    flipped = 1 - node.attrs["transposed"]
    w = lu_solve_row(a, lu, order, cotangent, transposed=flipped)
    outer = product(w, node, right=True) if flipped else product(node, w, right=True)
    return -outer, None, None, w


def _solve_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for at in range(8):
        (lead, other), (m, n) = LEADING[at % 4], SIZES[at % 4]
        a = np.roll(regular(rng, dtype, *lead, m, m), at // 4, -2)
        lu, order, _ = _lu_reference(a)
        yield (a, lu, order, rng.uniform(-1.0, 1.0, (*other, m, n)).astype(dtype)), {"transposed": at & 1}


lu_solve_row: Op = register(
    Op(
        "lu_solve",
        Family.CUSTOM,
        doc="The solution x of a x = b, or with `transposed` of aᵀ x = b, from the factors and the order that `lu` "
        "gives for a. They carry no derivative: that with respect to a is in this row.",
        parameters=("a", "lu", "order", "b"),
        reference=_solve_reference,
        jvp=_solve_jvp,
        vjp=_solve_vjp,
        samples=_solve_samples,
        follows=((1, 2), lambda a, lu, order, b: factors(a)[:2]),
        **kernel_rules(
            Kernel(
                "lu_solve",
                "(m,m),(m,m),(m),(m,n)->(m,n)",
                "TTlT->T",
                params=("transposed",),
                work="m * n * 8",
                flops="2 * m * m * n",
                failures=(SINGULAR, OUT_OF_RANGE),
                ulps=(64.0, 64.0),
                lapack=True,
            ),
            "f",
        ),
    )
)


def _cofactors_reference(x: Array) -> Array:
    n = x.shape[-1]
    out = np.empty_like(x)
    for i, j in np.ndindex(n, n):
        out[..., i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, -2), j, -1))
    finite = np.isfinite(x).all((-2, -1), keepdims=True)
    return np.where(finite, out, np.full((), np.nan, x.dtype))


def _inner(x: Expr, y: Expr) -> Expr:
    """⟨x, y⟩ of stacks of matrices."""
    n = max(x.ndim, y.ndim)
    return reduce_sum(x * y, axes=(n - 2, n - 1))


def _moved_cofactors(x: Expr, cofactors: Expr, moved: Expr) -> Expr:
    """(⟨C, x'⟩ C - C x'ᵀ C) / det(x), which is symmetric in x' and a cotangent."""
    lu, _, parity = factors(x)
    det: Expr = expand_dims(determinant_row(x, lu, parity), (-2, -1))
    inner: Expr = expand_dims(_inner(cofactors, moved), (-2, -1))
    cross = product(product(cofactors, moved, right=True), cofactors)
    return (inner * cofactors - cross) / det


def _cofactors_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    (moved,) = tangents
    assert moved is not None
    return _moved_cofactors(node.inputs[0], node, moved)


def _cofactors_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    return (_moved_cofactors(node.inputs[0], node, cotangent),)


def _square_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in ((4, 4), (1, 1), (4, 3, 3), (2, 1, 3, 3), (0, 0), (0, 3, 3), (5, 5)):
        yield (regular(rng, dtype, *shape),), {}


cofactors_row: Op = register(
    Op(
        "cofactors",
        Family.CUSTOM,
        doc="The cofactors of square matrices, the derivative of the determinant: det(x) x^-T, also where x has no "
        "inverse, by elimination with exchanges of rows and columns. Its own derivative is nan there. All are nan "
        "where an element is inf or nan.",
        reference=_cofactors_reference,
        jvp=_cofactors_jvp,
        vjp=_cofactors_vjp,
        samples=_square_samples,
        **kernel_rules(
            Kernel(
                "cofactors",
                "(n,n)->(n,n)",
                "T->T",
                work="n * n * 16 + n * 16",
                flops="3 * n * n * n",
                ulps=(256.0, 256.0),
                lapack=True,
            ),
            "f",
        ),
    )
)


def _determinant_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr | None:
    """⟨cof(x), x'⟩."""
    moved = tangents[0]
    return None if moved is None else _inner(cofactors_row(node.inputs[0]), moved)


def _determinant_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr | None]:
    return expand_dims(cotangent, (-2, -1)) * cofactors_row(node.inputs[0]), None, None


def _determinant_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for (a,), attrs in _square_samples(rng, dtype):
        lu, _, parity = _lu_reference(a)
        yield (a, lu, parity), attrs


determinant_row: Op = register(
    Op(
        "determinant",
        Family.CUSTOM,
        doc="The determinant of x from the factors and the parity that `lu` gives for x. They carry no derivative: "
        "that with respect to x is in this row, also where x has no inverse.",
        parameters=("x", "lu", "parity"),
        reference=lambda x, lu, parity: np.asarray(np.linalg.det(x)),
        jvp=_determinant_jvp,
        vjp=_determinant_vjp,
        samples=_determinant_samples,
        follows=((1, 2), lambda x, lu, parity: factors(x)[::2]),
        **kernel_rules(Kernel("determinant", "(n,n),(n,n),()->()", "TTT->T", flops="n", ulps=(64.0, 64.0)), "f"),
    )
)
