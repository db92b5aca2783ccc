"""What `numpy.linalg` has with other parameters than `numpy`: diagonal, outer, trace."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from .. import diagonals
from ..arithmetic import multiply
from ..common import explained, operand
from ..functions import summaries
from ..shaping import expand_dims


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
def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of diagonal `offset` of the matrices in the last two axes of `x`, as `dtype` if that is given.

    Raises:
        ShapeError: an array of fewer than two axes.

    Example:
        >>> int(pg.linalg.trace(np.array([[1, 2], [3, 4]])))
        5
    """
    return summaries.trace(x, offset, -2, -1, dtype)
