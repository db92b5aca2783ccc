"""The row of the matrix product, and the functions matmul and dot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from . import mask_rules
from .arithmetic import multiply
from .common import broadcast_shapes, explained, kind, operand
from .comparison import astype
from .expr import Expr
from .limits import MAX_MATRIX
from .reductions import reduce_sum
from .row import Attrs, Family, Op, Shape, register
from .shaping import aligned, moveaxis, reshape, reshape_row, transpose_row
from .sparse_products import is_sparse, sparse_matmul

__all__ = ["dot", "matmul"]


def _matrix(shape: Shape, transposed: bool) -> tuple[int, int]:
    """Rows and columns of the last two axes, after the transpose."""
    return (shape[-1], shape[-2]) if transposed else (shape[-2], shape[-1])


_TRANSPOSE = "the last axis of the first and the last but one of the second are summed: transpose one, x.T"


def _notation(shapes: Sequence[Shape], attrs: Attrs) -> str:
    return f"{{0}}{'ᵀ' * attrs['transpose_a']} @ {{1}}{'ᵀ' * attrs['transpose_b']}"


def _unlike(x: Shape, y: Shape, inner: int, other: int) -> str:
    return f"operands of shapes {x} and {y} differ in the axis that is summed: {inner} and {other}"


def _matmul_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    x, y = shapes
    if len(x) < 2 or len(y) < 2:
        raise ShapeError(f"operands of shapes {x} and {y} must have at least 2 dimensions")
    rows, inner = _matrix(x, attrs["transpose_a"])
    other, columns = _matrix(y, attrs["transpose_b"])
    if inner != other:
        raise ShapeError(_unlike(x, y, inner, other), _TRANSPOSE)
    if max(rows, inner, columns) > MAX_MATRIX:
        problem = f"a product of matrices of {rows} x {inner} and {inner} x {columns} elements"
        raise ShapeError(problem, "give at most 2**31 - 1 rows and columns, in several products")
    return (*broadcast_shapes([x[:-2], y[:-2]]), rows, columns)


def _matmul_reference(x: npt.NDArray[Any], y: npt.NDArray[Any], transpose_a: bool, transpose_b: bool) -> Any:
    return np.matmul(np.swapaxes(x, -1, -2) if transpose_a else x, np.swapaxes(y, -1, -2) if transpose_b else y)


def _matmul_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    """G Bᵀ and Aᵀ G, or their transposes for an operand stored transposed; batch axes are summed by the engine."""
    x, y = node.inputs
    stored_x, stored_y = node.attrs["transpose_a"], node.attrs["transpose_b"]
    if i == 0:
        if stored_x:
            return matmul_row(y, cotangent, transpose_a=stored_y, transpose_b=True)
        return matmul_row(cotangent, y, transpose_a=False, transpose_b=not stored_y)
    if stored_y:
        return matmul_row(cotangent, x, transpose_a=True, transpose_b=stored_x)
    return matmul_row(x, cotangent, transpose_a=not stored_x, transpose_b=False)


def _inner(node: Expr) -> int:
    """The size of the axis that a product sums over."""
    return _matrix(node.inputs[0].shape, node.attrs["transpose_a"])[1]


def _matmul_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    """The batch as a broadcast axis; where one operand is a plain matrix, as more rows of one product."""
    (x, y), ta, tb = xs, node.attrs["transpose_a"], node.attrs["transpose_b"]
    small = size * max(prod(node.shape[:-1]), node.shape[-1]) <= MAX_MATRIX
    plain = [small and not has_axis and len(each.shape) == 2 for each, has_axis in zip(xs, batched, strict=True)]
    if plain[1] and (not ta or node.shape[-2] == 1):  # a stack of X, or of rows stored as columns, times one Y
        tall = reshape_row(x, shape=(size * prod(node.shape[:-1]), _inner(node)))
        return reshape_row(matmul_row(tall, y, transpose_a=False, transpose_b=tb), shape=(size, *node.shape))
    if plain[0] and len(node.shape) == 2 and (tb or node.shape[-1] == 1):  # X times a stack of Y, as (Yᵀ Xᵀ)ᵀ
        columns = node.shape[-1]
        tall = reshape_row(y, shape=(size * columns, _inner(node)))
        turned = matmul_row(tall, x, transpose_a=False, transpose_b=not ta)
        turned = reshape_row(turned, shape=(size, columns, node.shape[-2]))
        return transpose_row(turned, axes=(0, 2, 1))
    x, y = (aligned(each, len(node.shape)) if has_axis else each for each, has_axis in zip(xs, batched, strict=True))
    return matmul_row(x, y, transpose_a=ta, transpose_b=tb)


matmul_row: Op = register(
    Op(
        "matmul",
        Family.BILINEAR,
        2,
        "The matrix product of the last two axes, each operand transposed first where its flag says so; leading axes "
        "are broadcast. Sums of products in BLAS's order; integers wrap around; zeros where the summed axis is empty.",
        kinds="fi",
        shape=_matmul_shape,
        reference=_matmul_reference,
        transpose=_matmul_transpose,
        batch=_matmul_batch,
        flops=lambda node: 2 * prod(node.shape) * _inner(node),
        product_mask=mask_rules.matmul,
        notation=_notation,
    )
)


def _of_bools(product: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """A product of bools: whether any of the products that are summed is true."""
    return astype(product(astype(x, np.int64), astype(y, np.int64)), np.bool_)


@explained
def matmul(x: Any, y: Any) -> Any:
    """The matrix product `x @ y` of shapes (..., n, k) and (..., k, m), leading axes broadcast, dtypes promoted.

    A 1-D `x` is a row and a 1-D `y` a column, whose axis is dropped from the result, as in NumPy. One of the two may
    be a sparse array of SciPy, whose entries are constants.

    Raises:
        ShapeError: a scalar operand, or inner sizes that differ.

    Example:
        >>> pg.matmul(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 1.0]))
        array([3., 7.])
    """
    if is_sparse(x) or is_sparse(y):
        return sparse_matmul(x, y)
    x, y = operand(x), operand(y)
    if kind(x) == kind(y) == "b":
        return _of_bools(matmul, x, y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(f"operands of shapes {x.shape} and {y.shape}", "multiply with a scalar by *")
    inner = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != inner:
        raise ShapeError(_unlike(x.shape, y.shape, x.shape[-1], inner), _TRANSPOSE)
    if x.ndim == 1 and y.ndim == 1:
        return reduce_sum(multiply(x, y), axes=(0,))
    left = reshape(x, (1, inner)) if x.ndim == 1 else x
    right = reshape(y, (inner, 1)) if y.ndim == 1 else y
    shape = _matmul_shape([left.shape, right.shape], {"transpose_a": False, "transpose_b": False})
    if left.ndim > 2 and right.ndim == 2 and prod(left.shape[:-1]) <= MAX_MATRIX:
        # one product of tall matrices, whose gradient is one too
        left = reshape(left, (prod(left.shape[:-1]), inner))
    result = matmul_row(left, right, transpose_a=False, transpose_b=False)
    if x.ndim == 1:
        shape = (*shape[:-2], shape[-1])
    return reshape(result, shape[:-1] if y.ndim == 1 else shape)


@explained
def dot(x: Any, y: Any) -> Any:
    """The dot product: the sum over the last axis of `x` and the last but one (or only) axis of `y`.

    For scalars it is the product. The result has the other axes of `x`, then those of `y`; dtypes are promoted.

    Raises:
        ShapeError: the axes to be summed differ in size.

    Example:
        >>> float(pg.dot(np.array([1.0, 2.0]), np.array([3.0, 4.0])))
        11.0
    """
    if is_sparse(x) or is_sparse(y):
        return sparse_matmul(x, y)
    x, y = operand(x), operand(y)
    if kind(x) == kind(y) == "b":
        return _of_bools(dot, x, y)
    if x.ndim == 0 or y.ndim == 0:
        return multiply(x, y)
    if y.ndim <= 2:
        return matmul(x, y)
    inner = y.shape[-2]
    if x.shape[-1] != inner:
        raise ShapeError(_unlike(x.shape, y.shape, x.shape[-1], inner), _TRANSPOSE)
    rest = (*y.shape[:-2], y.shape[-1])
    result = matmul(x, reshape(moveaxis(y, -2, 0), (inner, prod(rest))))
    return reshape(result, (*x.shape[:-1], *rest))
