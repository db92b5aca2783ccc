"""What functions of linear algebra take: floating matrices of one dtype, and NumPy's results where all are arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import LinAlgError, ShapeError
from ..common import is_expression, kind, operand
from ..comparison import astype
from ..dtypes import float32, float64
from ..shaping import expand_dims


def floating(*operands: Any) -> list[Any]:
    """The operands in their common floating dtype; integers and bools become float64."""
    given = [operand(x) for x in operands]
    dtype = float32 if all(x.dtype == float32 for x in given) else float64
    for x in given:
        kind(x)  # raises for a dtype that graphs do not have
    return [x if x.dtype == dtype else astype(x, dtype) for x in given]


def as_matrices(x: Any) -> Any:
    """`x`, which must have at least two axes."""
    if x.ndim < 2:
        raise ShapeError(f"an operand of shape {x.shape} is no matrix", "give at least two axes")
    return x


def as_square(x: Any) -> Any:
    """`x`, which must be a stack of square matrices."""
    if as_matrices(x).shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrices of shape {x.shape[-2:]} are not square", "give as many rows as columns")
    return x


def known(*operands: Any) -> bool:
    """Whether all operands are arrays, so that NumPy computes the result."""
    return not any(is_expression(x) for x in operands)


def by_numpy(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of NumPy's function on arrays, its LinAlgError as ours."""
    try:
        return function(*args, **kwargs)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(str(error)) from error


def with_columns(solve: Callable[[Any], Any], b: Any) -> Any:
    """`solve(b)`, where a vector is one column."""
    return solve(expand_dims(b, -1))[..., 0] if b.ndim == 1 else solve(as_matrices(b))


def fitting(a: Any, b: Any) -> None:
    """Raise unless the right-hand side `b` has as many rows as the matrix `a` has."""
    rows = b.shape[0] if b.ndim == 1 else as_matrices(b).shape[-2]
    if rows != a.shape[-2]:
        raise ShapeError(f"a right-hand side of shape {b.shape} for matrices of shape {a.shape[-2:]}", _ROWS)


_ROWS = "give a vector, or matrices with as many rows as the matrix has; an axis b[..., None] makes columns of vectors"
