"""Products of vectors and matrices, transposes and diagonals: diagonal, matmul, matrix_transpose, outer, vecdot."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from .. import diagonals, products
from ..arithmetic import multiply
from ..common import explained, normal_axis, operand
from ..reductions import sum as total
from ..shaping import expand_dims, moveaxis, swapaxes


@explained
def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product, as `pg.matmul`.

    Raises:
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.linalg.matmul(np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 0]]))
        array([[2, 1],
               [4, 3]])
    """
    return products.matmul(x1, x2)


@explained
def matrix_transpose(x: Any) -> Any:
    """`x` with its last two axes exchanged.

    Raises:
        ShapeError: an array of fewer than two axes.

    Example:
        >>> pg.linalg.matrix_transpose(np.array([[1, 2], [3, 4]]))
        array([[1, 3],
               [2, 4]])
    """
    return swapaxes(x, -1, -2)


@explained
def diagonal(x: Any, *, offset: int = 0) -> Any:
    """The diagonals of the matrices in the last two axes of `x`, those above the main one with a positive `offset`.

    Raises:
        ShapeError: an array of fewer than two axes.

    Example:
        >>> pg.linalg.diagonal(np.array([[1, 2], [3, 4]]))
        array([1, 4])
    """
    return diagonals.diagonal(x, offset, -2, -1)


@explained
def outer(x1: Any, x2: Any) -> Any:
    """All products of an element of the vector `x1` and one of the vector `x2`.

    Raises:
        ShapeError: an operand that is no vector.

    Example:
        >>> pg.linalg.outer(np.array([1, 2]), np.array([3, 4]))
        array([[3, 4],
               [6, 8]])
    """
    x1, x2 = operand(x1), operand(x2)
    if not x1.ndim == x2.ndim == 1:
        raise ShapeError(f"operands of shapes {x1.shape} and {x2.shape} are not two vectors", "give two vectors")
    return multiply(expand_dims(x1, 1), x2)


@explained
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """The scalar products of the vectors along `axis`; the other axes broadcast.

    Raises:
        ShapeError: an axis out of range, or vectors of different lengths.

    Example:
        >>> pg.linalg.vecdot(np.array([[1, 2], [3, 4]]), np.array([1, 1]))
        array([3, 7])
    """
    x1, x2 = operand(x1), operand(x2)
    x1, x2 = (moveaxis(x, normal_axis(axis, x.ndim), -1) for x in (x1, x2))
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"vectors of {x1.shape[-1]} and {x2.shape[-1]} elements", "give equal lengths")
    return total(multiply(x1, x2), -1)
