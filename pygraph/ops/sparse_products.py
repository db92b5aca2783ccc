"""Products of a SciPy sparse array, whose entries are constants, with a dense operand."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..errors import ShapeError, UnsupportedError
from .arithmetic import multiply
from .common import is_expression, kind, operand
from .indexing import scatter_add, take_row

__all__ = ["is_sparse", "sparse_matmul"]


def is_sparse(x: Any) -> bool:
    """Whether `x` is an array or a matrix of scipy.sparse, which is not imported for the question."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(x))


def sparse_matmul(x: Any, y: Any) -> Any:
    """`x @ y` where one of the two is sparse: its entries times what they meet, added up in the order of its rows.

    The dense operand may have leading axes, as for `matmul`; where it is 1-D, so is the result.

    Raises:
        ShapeError: a scalar operand, or inner sizes that differ; UnsupportedError: two bool operands.
    """
    from_left = is_sparse(x)
    dense = operand(y if from_left else x)
    matrix = (x if from_left else y).tocsr()
    if (is_sparse(x) and is_sparse(y)) or not is_expression(dense):
        return x @ y
    shape = (1, *matrix.shape) if matrix.ndim == 1 else matrix.shape
    if dense.ndim == 0 or matrix.ndim != 2:
        raise ShapeError(
            f"a sparse operand of shape {matrix.shape} and a dense one of shape {dense.shape}",
            "both need axes: multiply with a number outside; a sparse vector with A.toarray()",
        )
    axis = max(dense.ndim - 2, 0) if from_left else dense.ndim - 1
    inner, outer = shape[::-1] if from_left else shape
    if dense.shape[axis] != inner:
        shapes = (matrix.shape, dense.shape) if from_left else (dense.shape, matrix.shape)
        raise ShapeError(
            f"operands of shapes {shapes[0]} and {shapes[1]} differ in the axis that is summed: "
            f"{shapes[0][-1]} and {inner if not from_left else dense.shape[axis]}"
        )
    if matrix.dtype.kind == kind(dense) == "b":
        raise UnsupportedError("products of bool arrays are not supported", "use A.astype('int64')")
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    columns = matrix.indices.astype(np.int64)
    met, target = (columns, rows) if from_left else (rows, columns)
    trailing = dense.ndim - 1 - axis
    products = multiply(take_row(dense, met, axis=axis), matrix.data.reshape(-1, *[1] * trailing))
    start = np.zeros((*dense.shape[:axis], outer, *dense.shape[axis + 1 :]), products.dtype)
    return scatter_add(start, target, products, axis=axis)
