"""New arrays: expressions while a function is recorded, so that `.at` and traced indices work on them; else NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..ops import counting
from ..ops.common import explained, static_shape
from ..ops.dtypes import as_dtype
from .construction import as_node, constant, known
from .node import Node
from .recording import is_recording
from .weak import strong

__all__ = ["arange", "array", "asarray", "empty", "eye", "full", "ones", "zeros"]


def _full(shape: Any, value: Any, dtype: Any) -> Any:
    """One value in an array of `shape`, of which a graph holds that value alone."""
    sizes, wanted = static_shape(shape), as_dtype(dtype)
    if not is_recording():
        return np.full(sizes, value, wanted)
    return known(np.broadcast_to(np.asarray(value, wanted), sizes))


@explained
def zeros(shape: Any, dtype: Any = "float64") -> Any:
    """Zeros: an array, or while a function is recorded an expression, which has `.at[i].set(v)`.

    Args:
        shape: an int or a tuple of ints.
        dtype: float64, float32, int64, int32 or bool.

    Raises:
        ShapeError, DTypeError: no such shape or dtype.

    Example:
        >>> pg.grad(lambda x: np.sum(pg.zeros(3).at[1].set(x) ** 2))(2.0)
        np.float64(4.0)
    """
    return _full(shape, 0, dtype)


@explained
def ones(shape: Any, dtype: Any = "float64") -> Any:
    """Ones; otherwise as `zeros`.

    Example:
        >>> pg.ones(2)
        array([1., 1.])
    """
    return _full(shape, 1, dtype)


@explained
def empty(shape: Any, dtype: Any = "float64") -> Any:
    """Zeros, where NumPy leaves the values open; otherwise as `zeros`.

    Example:
        >>> pg.empty(2)
        array([0., 0.])
    """
    return _full(shape, 0, dtype)


@explained
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """An array of `shape` filled with `fill_value` (broadcast), in its dtype or `dtype`; otherwise as `zeros`.

    Raises:
        ShapeError: no such shape, or `fill_value` does not broadcast to it; DTypeError: no such dtype.

    Example:
        >>> pg.full((2,), 3.0)
        array([3., 3.])
    """
    wanted, value = static_shape(shape), strong(fill_value)
    if not isinstance(value, Node) and is_recording():
        value = as_node(value if dtype is None else np.asarray(value, as_dtype(dtype)))
    return ops.full(wanted, value, dtype)


@explained
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = "float64") -> Any:
    """A matrix with ones on diagonal `k`, of N rows and M columns (by default N); otherwise as `zeros`.

    Example:
        >>> pg.eye(2)
        array([[1., 0.],
               [0., 1.]])
    """
    rows, columns = static_shape((N, N if M is None else M))
    wanted = as_dtype(dtype)
    return (counting.eye if is_recording() else np.eye)(rows, columns, k, wanted)


@explained
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """The numbers from `start` (0 where only one is given) up to `stop`, by `step`, known when recording; as `zeros`.

    Raises:
        TracedValueError: a bound that is an expression; for a computed start write `start + pg.arange(n)`.

    Example:
        >>> pg.arange(3)
        array([0, 1, 2])
    """
    first, last = (0, start) if stop is None else (start, stop)
    wanted = None if dtype is None else as_dtype(dtype)
    if not is_recording():
        return np.arange(first, last, step, dtype=wanted)
    found = counting.arange(first, last, step, wanted)
    return found if isinstance(found, Node) else known(found)


@explained
def array(object: Any, dtype: Any = None) -> Any:
    """An array of numbers, expressions, or nested lists of both, whose shapes are equal at each level.

    While a function is recorded it is an expression: `pg.array(T)[i]` takes an element of a table at a traced index.

    Raises:
        ShapeError: lists of unequal lengths; DTypeError: what is not a number, or no such dtype.

    Example:
        >>> pg.grad(lambda x: np.sum(pg.array([[x, 1.0], [2.0, x]]) ** 2))(3.0)
        np.float64(12.0)
    """
    found = _joined(object)
    found = found if dtype is None else ops.astype(found, dtype)
    return found if isinstance(found, Node) else constant(found) if is_recording() else np.array(found)


@explained
def asarray(a: Any, dtype: Any = None) -> Any:
    """`a` itself where it is an expression of that dtype, or an array outside of any recording; else as `array`.

    Example:
        >>> pg.asarray([1.0, 2.0])
        array([1., 2.])
    """
    if isinstance(a, np.ndarray) and not is_recording() and (dtype is None or a.dtype == as_dtype(dtype)):
        return a
    return array(a, dtype)


def _joined(x: Any) -> Any:
    """Nested lists with an expression in them stacked; all else as an array."""
    if isinstance(x, list | tuple) and _holds_expression(x):
        return ops.stack([_joined(part) for part in x])
    return ops.common.operand(strong(x))


def _holds_expression(x: Any) -> bool:
    return isinstance(x, Node) or (isinstance(x, list | tuple) and any(_holds_expression(part) for part in x))
