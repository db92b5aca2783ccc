"""Whether arrays are equal, or nearly so: allclose, array_equal, array_equiv, isclose."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import absolute, add, multiply, subtract
from ..common import broadcast_shapes, explained, kind, operand
from ..comparison import equal, floating, isfinite_row, isnan_row, less_equal, logical_and_row, logical_or_row
from ..reductions import all as every


@explained
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |a - b| <= atol + rtol |b|, or `a` and `b` are equal; bool. With `equal_nan` two nan are equal.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.isclose(np.array([1.0, np.inf, np.nan]), np.array([1.0 + 1e-9, np.inf, np.nan]))
        array([ True,  True, False])
    """
    x, y = floating(a), floating(b)
    near = less_equal(absolute(subtract(x, y)), add(atol, multiply(rtol, absolute(y))))
    result = logical_or_row(logical_and_row(near, isfinite_row(y)), equal(x, y))
    return logical_or_row(result, logical_and_row(isnan_row(x), isnan_row(y))) if equal_nan else result


@explained
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements of `a` and `b` are close, as `isclose` says; one bool.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> bool(pg.allclose(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9])))
        True
    """
    return every(isclose(a, b, rtol, atol, equal_nan))


def _same(x: Any, y: Any, equal_nan: bool) -> Any:
    same = equal(x, y)
    if equal_nan and kind(x) == kind(y) == "f":
        same = logical_or_row(same, logical_and_row(isnan_row(x), isnan_row(y)))
    return every(same)


@explained
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether `a1` and `a2` have one shape and equal elements; one bool. With `equal_nan` two nan are equal.

    Example:
        >>> bool(pg.array_equal(np.array([1, 2]), np.array([1.0, 2.0])))
        True
    """
    x, y = operand(a1), operand(a2)
    return _same(x, y, equal_nan) if x.shape == y.shape else np.False_


@explained
def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether `a1` and `a2` broadcast and are equal then; one bool.

    Example:
        >>> bool(pg.array_equiv(np.array([[2, 2], [2, 2]]), 2))
        True
    """
    x, y = operand(a1), operand(a2)
    try:
        broadcast_shapes([x.shape, y.shape])
    except ShapeError:
        return np.False_
    return _same(x, y, False)
