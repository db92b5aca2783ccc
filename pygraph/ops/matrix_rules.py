"""What the rules of rows of linear algebra are written in: products, triangles and diagonals of stacks of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .comparison import select
from .diagonals import diagonal, tril, triu
from .expr import Expr, Operand
from .products import matmul_row
from .row import DType
from .shaping import expand_dims, swapaxes

__all__: list[str] = []


def product(x: Operand, y: Operand, *, left: bool = False, right: bool = False) -> Expr:
    """The matrix product of stacks of matrices; `left` and `right` say which of them is transposed."""
    return matmul_row(x, y, transpose_a=left, transpose_b=right)


def transposed(x: Operand) -> Expr:
    """Each matrix of a stack transposed."""
    found: Expr = swapaxes(x, -1, -2)
    return found


def lower(x: Expr, k: int = 0) -> Expr:
    """What lies on diagonal `k` and below, zeros above."""
    found: Expr = tril(x, k)
    return found


def upper(x: Expr, k: int = 0) -> Expr:
    """What lies on diagonal `k` and above, zeros below."""
    found: Expr = triu(x, k)
    return found


def on_diagonal(x: Expr) -> Expr:
    """The diagonals of a stack of matrices."""
    found: Expr = diagonal(x, 0, -2, -1)
    return found


def as_diagonal(x: Expr) -> Expr:
    """Matrices with the vectors of a stack on their diagonals, and zeros beside it."""
    n = x.shape[-1]
    return select(np.eye(n, dtype=np.bool_), expand_dims(x, -1), np.zeros((), x.dtype))


def symmetric(x: Expr) -> Expr:
    """The symmetric matrices whose lower triangles are those of `x`."""
    return lower(x) + transposed(lower(x, -1))


def of_lower_triangle(x: Expr) -> Expr:
    """The cotangent of a lower triangle, of which symmetric matrices were made that have the cotangent `x`."""
    return lower(x) + transposed(upper(x, 1))


def identity(n: int, dtype: DType) -> Any:
    """The unit matrix."""
    return np.eye(n, dtype=dtype)


def plus(x: Expr | None, y: Expr | None) -> Expr | None:
    """The sum of two derivatives; None stands for zero."""
    return y if x is None else x if y is None else x + y
