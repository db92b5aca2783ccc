"""Products that are made of matmul and sums: inner, outer, vdot, vecdot, kron, cross, tensordot."""

from __future__ import annotations

import operator
from math import prod
from typing import Any

from ...errors import ShapeError, shown
from ..arithmetic import multiply, subtract
from ..common import explained, normal_axes, normal_axis, operand
from ..comparison import logical_and
from ..keys import index
from ..products import matmul
from ..reductions import any as either, sum as total
from ..shaping import expand_dims, moveaxis, ravel, reshape, stack, transpose


def _is_bool(*operands: Any) -> bool:
    return all(x.dtype.kind == "b" for x in operands)


@explained
def inner(a: Any, b: Any) -> Any:
    """The sums of products over the last axes of both; the product where one is a scalar.

    Raises:
        ShapeError: last axes of different sizes.

    Example:
        >>> pg.inner(np.array([1, 2]), np.array([3, 4]))
        np.int64(11)
    """
    a, b = operand(a), operand(b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    return tensordot(a, b, (-1, -1))


@explained
def outer(a: Any, b: Any) -> Any:
    """All products of an element of `a` and one of `b`, both raveled.

    Example:
        >>> pg.outer(np.array([1, 2]), np.array([3, 4]))
        array([[3, 4],
               [6, 8]])
    """
    return multiply(expand_dims(ravel(a), 1), ravel(b))


@explained
def vdot(a: Any, b: Any) -> Any:
    """The scalar product of both, raveled.

    Raises:
        ShapeError: different numbers of elements.

    Example:
        >>> pg.vdot(np.array([[1, 2]]), np.array([[3], [4]]))
        np.int64(11)
    """
    return matmul(ravel(a), ravel(b))


@explained
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The scalar products of the vectors along `axis`; the other axes broadcast.

    Raises:
        ShapeError: an axis out of range, or vectors of different lengths.

    Example:
        >>> pg.vecdot(np.array([[1, 2], [3, 4]]), np.array([1, 1]))
        array([3, 7])
    """
    x1, x2 = operand(x1), operand(x2)
    x1, x2 = (moveaxis(x, normal_axis(axis, x.ndim), -1) for x in (x1, x2))
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"vectors of {x1.shape[-1]} and {x2.shape[-1]} elements", "give equal lengths")
    return either(logical_and(x1, x2), -1) if _is_bool(x1, x2) else total(multiply(x1, x2), -1)


@explained
def matvec(x1: Any, x2: Any, /) -> Any:
    """The product of the matrices in the last two axes of `x1` with the vectors in the last one of `x2`.

    Raises:
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.matvec(np.array([[1, 2], [3, 4]]), np.array([1, 1]))
        array([3, 7])
    """
    x1, x2 = operand(x1), operand(x2)
    if x1.ndim < 2 or not x2.ndim:
        raise ShapeError(f"operands of shapes {x1.shape} and {x2.shape}", "give a matrix and a vector")
    return index(matmul(x1, expand_dims(x2, -1)), (..., 0))


@explained
def vecmat(x1: Any, x2: Any, /) -> Any:
    """The product of the vectors in the last axis of `x1` with the matrices in the last two of `x2`.

    Raises:
        ShapeError: shapes that do not fit.

    Example:
        >>> pg.vecmat(np.array([1, 1]), np.array([[1, 2], [3, 4]]))
        array([4, 6])
    """
    x1, x2 = operand(x1), operand(x2)
    if x2.ndim < 2 or not x1.ndim:
        raise ShapeError(f"operands of shapes {x1.shape} and {x2.shape}", "give a vector and a matrix")
    return index(matmul(expand_dims(x1, -2), x2), (..., 0, slice(None)))


@explained
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: `b` times each element of `a`, in its place.

    Example:
        >>> pg.kron(np.array([1, 2]), np.array([1, 1]))
        array([1, 1, 2, 2])
    """
    a, b = operand(a), operand(b)
    ndim = max(a.ndim, b.ndim)
    left, right = ((*[1] * (ndim - x.ndim), *x.shape) for x in (a, b))
    product = multiply(
        reshape(a, tuple(size for n in left for size in (n, 1))),
        reshape(b, tuple(size for n in right for size in (1, n))),
    )
    return reshape(product, tuple(m * n for m, n in zip(left, right, strict=True)))


@explained
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The vector products of vectors of 3 along an axis of each; the other axes broadcast.

    Raises:
        ShapeError: an axis out of range, or not of 3 entries.

    Example:
        >>> pg.cross(np.array([1, 0, 0]), np.array([0, 1, 0]))
        array([0, 0, 1])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = operand(a), operand(b)
    a, b = moveaxis(a, normal_axis(axisa, a.ndim), -1), moveaxis(b, normal_axis(axisb, b.ndim), -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(f"vectors of {a.shape[-1]} and {b.shape[-1]} entries", "give 3 each")
    (a0, a1, a2), (b0, b1, b2) = ([index(x, (..., i)) for i in range(3)] for x in (a, b))
    parts = [
        subtract(multiply(a1, b2), multiply(a2, b1)),
        subtract(multiply(a2, b0), multiply(a0, b2)),
        subtract(multiply(a0, b1), multiply(a1, b0)),
    ]
    return stack(parts, normal_axis(axisc, parts[0].ndim + 1))


@explained
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sums of products over axes of `a` and of `b`: the last and first so many, or those of two lists.

    The result has the other axes of `a`, then those of `b`.

    Raises:
        ShapeError: axes out of range, named twice, or of different sizes.

    Example:
        >>> pg.tensordot(np.ones((2, 3, 4)), np.ones((3, 4, 5))).shape
        (2, 5)
    """
    a, b = operand(a), operand(b)
    try:
        of_a, of_b = axes
    except TypeError:
        count = _count(axes)
        if count > min(a.ndim, b.ndim):
            raise ShapeError(f"{count} axes of operands of shapes {a.shape} and {b.shape}", "give fewer axes") from None
        of_a, of_b = range(a.ndim - count, a.ndim), range(count)
    left, right = normal_axes(of_a, a.ndim), normal_axes(of_b, b.ndim)
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ShapeError(
            f"axes {left} of shape {a.shape} and axes {right} of shape {b.shape} differ", "name axes of equal sizes"
        )
    kept_a = [k for k in range(a.ndim) if k not in left]
    kept_b = [k for k in range(b.ndim) if k not in right]
    rows, columns = [a.shape[k] for k in kept_a], [b.shape[k] for k in kept_b]
    summed = prod(a.shape[k] for k in left)
    tall = reshape(transpose(a, (*kept_a, *left)), (prod(rows), summed))
    wide = reshape(transpose(b, (*right, *kept_b)), (summed, prod(columns)))
    return reshape(matmul(tall, wide), (*rows, *columns))


def _count(axes: Any) -> int:
    try:
        count = operator.index(axes)
    except TypeError as error:
        raise ShapeError(f"axes is {shown(axes)}", "give an int, or two lists of ints") from error
    if count < 0:
        raise ShapeError(f"{count} axes", "give 0 or more")
    return count
