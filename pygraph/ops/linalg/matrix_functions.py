"""Functions of matrices and products of several: expm, matrix_power, multi_dot, sqrtm."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError, SignatureError, shown
from ..common import explained, operand
from ..eigen import sqrtm_row
from ..expm import expm_row
from ..products import matmul
from ..shaping import broadcast_to, reshape
from .operands import as_square, floating
from .solvers import inv


@explained
def expm(a: Any) -> Any:
    """The exponential of square matrices of shape (..., n, n), as scipy.linalg.expm.

    Raises:
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.expm(np.array([[0.0, 2.0], [0.0, 0.0]]))
        array([[1., 2.],
               [0., 1.]])
    """
    (a,) = floating(a)
    return expm_row(as_square(a))


@explained
def sqrtm(a: Any) -> Any:
    """The symmetric square root of symmetric positive semidefinite matrices of shape (..., n, n).

    The lower triangle of `a` is read, and derivatives are those of a function of it, right also where eigenvalues are
    equal; they are inf or nan where a matrix is singular.

    Raises:
        LinAlgError: a negative eigenvalue.
        ShapeError: matrices that are not square.

    Example:
        >>> pg.linalg.sqrtm(np.array([[4.0, 0.0], [0.0, 9.0]]))
        array([[2., 0.],
               [0., 3.]])
    """
    (a,) = floating(a)
    return sqrtm_row(as_square(a))


@explained
def matrix_power(a: Any, n: Any) -> Any:
    """Square matrices multiplied with themselves `n` times, an int; inverses where it is negative.

    Raises:
        LinAlgError: a negative power of a singular matrix.
        ShapeError: matrices that are not square.
        SignatureError: `n` is no int.

    Example:
        >>> pg.linalg.matrix_power(np.array([[1, 1], [0, 1]]), 5)
        array([[1, 5],
               [0, 1]])
    """
    a = as_square(operand(a))
    try:
        count = operator.index(n)
    except TypeError as error:
        raise SignatureError(f"an exponent {shown(n)}", "give an int that is known when recording") from error
    if count == 0:
        return broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    if count < 0:
        a, count = inv(a), -count
    result, square = None, a
    while True:
        if count & 1:
            result = square if result is None else matmul(result, square)
        count >>= 1
        if not count:
            return result
        square = matmul(square, square)


@explained
def multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of two or more matrices in the order that takes the fewest multiplications.

    The first may be a vector, which is a row, and the last one, which is a column.

    Raises:
        ShapeError: fewer than two operands, or shapes that do not fit.

    Example:
        >>> pg.linalg.multi_dot([np.array([1, 2]), np.array([[1, 0], [0, 3]]), np.array([1, 1])])
        np.int64(7)
    """
    given = [operand(x) for x in arrays]
    if len(given) < 2:
        raise ShapeError("fewer than two operands", "give at least two matrices")
    row, column = given[0].ndim == 1, given[-1].ndim == 1
    if row:
        given[0] = reshape(given[0], (1, -1))
    if column:
        given[-1] = reshape(given[-1], (-1, 1))
    for x in given:
        if x.ndim != 2:
            raise ShapeError(f"an operand of shape {x.shape}", "give matrices; the first and the last may be vectors")
    result = _multiplied(given, _splits([given[0].shape[0], *(x.shape[1] for x in given)]), 0, len(given) - 1)
    if row and column:
        return result[0, 0]
    return result[0] if row else result[:, 0] if column else result


def _splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split the product of matrices i to j, for each pair: Cormen et al., Introduction to Algorithms, 14.2."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            costs = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            split[i, j] = min(costs, key=lambda k: costs[k])
            cost[i, j] = costs[split[i, j]]
    return split


def _multiplied(given: Sequence[Any], splits: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return given[i]
    k = splits[i, j]
    return matmul(_multiplied(given, splits, i, k), _multiplied(given, splits, k + 1, j))
