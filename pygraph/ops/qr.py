"""The row of the QR decomposition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedError
from .expr import Expr
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import lower, plus, product, transposed, upper
from .row import DType, Family, Op, register
from .triangular import regular, solve_triangular_row

__all__: list[str] = []

Array = npt.NDArray[Any]


def _qr_reference(x: Array, k: int) -> tuple[Array, Array]:
    q, r = np.linalg.qr(x, mode="complete" if k > x.shape[-1] else "reduced")
    return np.asarray(q), np.asarray(r)


def _check(node: Expr) -> None:
    m, n = node.inputs[0].shape[-2:]
    if node.attrs["k"] != n:
        problem = f"Q and R of matrices of {m} by {n} with {node.attrs['k']} columns of Q have no derivative"
        advice = "take the derivative of the reduced form; other columns of Q are any orthonormal ones"
        raise UnsupportedError(problem, advice)


def _divided(x: Expr, r: Expr) -> Expr:
    """x R^-1."""
    return transposed(solve_triangular_row(r, transposed(x), lower=0, transposed=1, unit=0))


def _qr_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """With M = Qᵀ a' R^-1 and W its part below the diagonal, Ω = W - Wᵀ: Q' = a' R^-1 - Q (M - Ω), R' = (M - Ω) R."""
    _check(node)
    (moved,) = tangents
    assert moved is not None
    q, r = qr_row.several(*node.inputs, **node.attrs)
    whole = _divided(moved, r)
    m = product(q, whole, left=True)
    below = lower(m, -1)
    rest = m - below + transposed(below)
    return whole - product(q, rest), product(rest, r)


def _qr_vjp(node: Expr, cotangents: Sequence[Expr | None]) -> Sequence[Expr | None]:
    """(Q̄ + Q copyltu(R R̄ᵀ - Q̄ᵀ Q)) R^-T: Walter, Lehmann, "Algorithmic differentiation of linear algebra
    functions", 2018; of R̄ the upper triangle counts."""
    _check(node)
    ct_q, ct_r = cotangents
    q, r = qr_row.several(*node.inputs, **node.attrs)
    inner = None if ct_r is None else product(r, upper(ct_r), right=True)
    if ct_q is not None:
        inner = plus(inner, -product(ct_q, q, left=True))
    if inner is None:
        return (None,)
    full = plus(ct_q, product(q, lower(inner) + transposed(lower(inner, -1))))
    assert full is not None
    return (transposed(solve_triangular_row(r, transposed(full), lower=0, transposed=0, unit=0)),)


def _qr_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in ((3, 3), (1, 1), (3, 2), (4, 3, 2), (2, 1, 3, 3), (0, 0), (0, 2, 2), (5, 4)):
        yield (regular(rng, dtype, *shape),), {"k": shape[-1]}


qr_row: Op = register(
    Op(
        "qr",
        Family.CUSTOM,
        doc="Q with `k` orthonormal columns and the upper triangular R of x = Q R, by reflections with the signs of "
        "LAPACK. There is a derivative where k is the number of columns of x; at a matrix of lower rank it fails.",
        reference=_qr_reference,
        jvp=_qr_jvp,
        vjp=_qr_vjp,
        samples=_qr_samples,
        **kernel_rules(
            Kernel(
                "qr",
                "(m,n)->(m,k),(k,n)",
                "T->TT",
                work="m * n * 8 + n * 16 + k * 8",
                flops="2 * m * n * n + 2 * m * n * k",
                ulps=(64.0, 64.0),
                lapack=True,
            ),
            "f",
        ),
    )
)
