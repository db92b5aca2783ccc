"""New arrays: while a function is recorded expressions, which can be filled (`out[i] = v`); else NumPy's.

With `like=` an expression they are expressions too, as in NEP 35. A graph holds one value of an array of equal ones,
and nothing of one that counts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from .. import ops
from ..ops import counting, sequences
from ..ops.common import explained, static_shape
from ..ops.dtypes import as_dtype
from .construction import as_node, constant, known
from .filled import Filled, filled
from .nested import joined
from .node import Node
from .recording import is_recording
from .weak import strong

__all__ = [
    "arange",
    "array",
    "asarray",
    "copy",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "indices",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "zeros",
    "zeros_like",
]


P = ParamSpec("P")


def _is_expression(*given: Any) -> bool:
    """Whether what is made of these is an expression."""
    return is_recording() or any(isinstance(x, Node) for x in given)


def _fillable(create: Callable[P, Any]) -> Callable[P, Any]:
    """A function whose new expressions, one or several, can be filled."""

    @wraps(create)
    def created(*args: P.args, **kwargs: P.kwargs) -> Any:
        found = create(*args, **kwargs)
        return tuple(map(_own, found)) if isinstance(found, tuple) else _own(found)

    return created


def _own(x: Any) -> Any:
    return filled(x) if isinstance(x, Node) else x


def _full(shape: Any, value: Any, dtype: Any, like: Any) -> Any:
    sizes, wanted = static_shape(shape), as_dtype(dtype)
    if not _is_expression(like):
        return np.full(sizes, value, wanted)
    return known(np.broadcast_to(np.asarray(value, wanted), sizes))


@explained
@_fillable
def zeros(shape: Any, dtype: Any = "float64", *, like: Any = None) -> Any:
    """Zeros: an array, or while a function is recorded an expression, which can be filled: `out[i] = v`.

    Args:
        shape: an int or a tuple of ints.
        dtype: float64, float32, int64, int32 or bool.
        like: where it is an expression, the result is one too.

    Raises:
        ShapeError, DTypeError: no such shape or dtype.

    Example:
        >>> def f(x):
        ...     out = pg.zeros(3)
        ...     out[1] = x
        ...     return np.sum(out**2)
        >>> pg.grad(f)(2.0)
        np.float64(4.0)
    """
    return _full(shape, 0, dtype, like)


@explained
@_fillable
def ones(shape: Any, dtype: Any = "float64", *, like: Any = None) -> Any:
    """Ones; otherwise as `zeros`.

    Example:
        >>> pg.ones(2)
        array([1., 1.])
    """
    return _full(shape, 1, dtype, like)


@explained
@_fillable
def empty(shape: Any, dtype: Any = "float64", *, like: Any = None) -> Any:
    """Zeros, where NumPy leaves the values open; otherwise as `zeros`.

    Example:
        >>> pg.empty(2)
        array([0., 0.])
    """
    return _full(shape, 0, dtype, like)


@explained
@_fillable
def full(shape: Any, fill_value: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """An array of `shape` filled with `fill_value` (broadcast), in its dtype or `dtype`; otherwise as `zeros`.

    Raises:
        ShapeError: no such shape, or `fill_value` does not broadcast to it; DTypeError: no such dtype.

    Example:
        >>> pg.full((2,), 3.0)
        array([3., 3.])
    """
    sizes, value = static_shape(shape), strong(fill_value)
    wanted = None if dtype is None else as_dtype(dtype)
    if not _is_expression(value, like):
        return np.full(sizes, ops.common.operand(value), wanted)
    value = as_node(value)
    return ops.broadcast_to(value if wanted is None else ops.astype(value, wanted), sizes)


@explained
@_fillable
def full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """An array in the shape and dtype of `a`, or those given, filled with `fill_value` (broadcast).

    It is an expression where `a` or `fill_value` is one, and while a function is recorded.

    Raises:
        ShapeError, DTypeError: no such shape or dtype.

    Example:
        >>> pg.full_like(np.array([1.0, 2.0]), 3.0)
        array([3., 3.])
    """
    a, fill_value = ops.common.operand(strong(a)), strong(fill_value)
    sizes = a.shape if shape is None else static_shape(shape)
    wanted = as_dtype(a.dtype if dtype is None else dtype)
    if not _is_expression(a, fill_value):
        return np.full(sizes, fill_value, wanted)
    if isinstance(fill_value, Node):
        return ops.broadcast_to(ops.astype(fill_value, wanted), sizes)
    return known(np.broadcast_to(np.asarray(fill_value, wanted), sizes))


@explained
def zeros_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Zeros in the shape and dtype of `a`, or those given; otherwise as `full_like`.

    Example:
        >>> def f(x):
        ...     out = np.zeros_like(x)
        ...     out[1:] = x[:-1]
        ...     return out
        >>> pg.compile(f)(np.array([1.0, 2.0, 3.0]))
        array([0., 1., 2.])
    """
    return full_like(a, 0, dtype, shape=shape)


@explained
def ones_like(a: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Ones in the shape and dtype of `a`, or those given; otherwise as `full_like`.

    Example:
        >>> pg.ones_like(np.array([1.0, 2.0]))
        array([1., 1.])
    """
    return full_like(a, 1, dtype, shape=shape)


@explained
def empty_like(prototype: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """Zeros, where NumPy leaves the values open; otherwise as `full_like`.

    Example:
        >>> pg.empty_like(np.array([1, 2]))
        array([0, 0])
    """
    return full_like(prototype, 0, dtype, shape=shape)


@explained
@_fillable
def copy(a: Any) -> Any:
    """An array of the values of `a`, which can be filled without changing `a`.

    Example:
        >>> def f(x):
        ...     y = x.copy()
        ...     y[0] = 0.0
        ...     return x + y
        >>> pg.compile(f)(np.array([1.0, 2.0]))
        array([1., 4.])
    """
    found = ops.common.operand(strong(a))
    return found if isinstance(found, Node) else constant(found) if is_recording() else np.array(found)


@explained
@_fillable
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = "float64", *, like: Any = None) -> Any:
    """A matrix with ones on diagonal `k`, of N rows and M columns (by default N); otherwise as `zeros`.

    Example:
        >>> pg.eye(2)
        array([[1., 0.],
               [0., 1.]])
    """
    rows, columns = static_shape((N, N if M is None else M))
    wanted = as_dtype(dtype)
    return ops.astype(counting.eye(rows, columns, k), wanted) if _is_expression(like) else np.eye(N, M, k, wanted)


@explained
@_fillable
def identity(n: int, dtype: Any = "float64", *, like: Any = None) -> Any:
    """The identity matrix of n rows; otherwise as `zeros`.

    Example:
        >>> pg.identity(2, "int64")
        array([[1, 0],
               [0, 1]])
    """
    return eye(n, dtype=dtype, like=like)


@explained
@_fillable
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = "float64", *, like: Any = None) -> Any:
    """A matrix of N rows and M columns (by default N) with ones on diagonal `k` and below; otherwise as `zeros`.

    Example:
        >>> pg.tri(2, 3)
        array([[1., 0., 0.],
               [1., 1., 0.]])
    """
    rows, columns = static_shape((N, N if M is None else M))
    wanted = as_dtype(dtype)
    return ops.astype(counting.tri(rows, columns, k), wanted) if _is_expression(like) else np.tri(N, M, k, wanted)


@explained
@_fillable
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, like: Any = None) -> Any:
    """The numbers from `start` (0 where only one is given) up to `stop`, by `step`, known when recording; as `zeros`.

    Raises:
        TracedValueError: a bound that is an expression; for a computed start write `start + pg.arange(n)`.

    Example:
        >>> pg.arange(3)
        array([0, 1, 2])
    """
    first, last = (0, start) if stop is None else (start, stop)
    wanted = None if dtype is None else as_dtype(dtype)
    if not _is_expression(like):
        return np.arange(first, last, step, dtype=wanted)
    found = counting.arange(first, last, step, wanted)
    return found if isinstance(found, Node) else known(found)


@explained
@_fillable
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """`num` numbers from `start` to `stop`, equally far apart, along a new axis; as `zeros`, or an expression of some.

    Args:
        start, stop: numbers, arrays or expressions, which are broadcast.
        endpoint: whether the last one is `stop`; else they are as one more would make them, without that.
        retstep: return the distance too: (numbers, distance).
        dtype: of the result; for integers they are rounded down.
        axis: where they lie in the result.

    Raises:
        ShapeError: a negative `num`, bounds that do not broadcast, or an axis out of range.

    Example:
        >>> pg.grad(lambda x: np.sum(pg.linspace(0.0, x, 5)))(1.0)
        np.float64(2.5)
    """
    make: Any = sequences.linspace if _is_expression(start, stop) else np.linspace
    return make(start, stop, num, endpoint, retstep, None if dtype is None else as_dtype(dtype), axis)


@explained
@_fillable
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`base` to the powers `linspace(start, stop, …)`.

    Example:
        >>> pg.logspace(0.0, 2.0, 3)
        array([  1.,  10., 100.])
    """
    make = sequences.logspace if _is_expression(start, stop, base) else np.logspace
    return make(start, stop, num, endpoint, base, None if dtype is None else as_dtype(dtype), axis)


@explained
@_fillable
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before; otherwise as `linspace`.

    An expression that is 0, or of another sign than the other bound, gives nan.

    Raises:
        ValueError: a bound that is known and 0.

    Example:
        >>> pg.geomspace(1.0, 8.0, 4)
        array([1., 2., 4., 8.])
    """
    make = sequences.geomspace if _is_expression(start, stop) else np.geomspace
    return make(start, stop, num, endpoint, None if dtype is None else as_dtype(dtype), axis)


@explained
@_fillable
def indices(dimensions: Any, dtype: Any = "int64", sparse: bool = False) -> Any:
    """The index of each element of an array of this shape: one array for each axis, stacked, or with `sparse` a tuple.

    With `sparse` they have size 1 in the axes along which they do not vary. Otherwise as `zeros`.

    Example:
        >>> pg.indices((2, 2))
        array([[[0, 0],
                [1, 1]],
        <BLANKLINE>
               [[0, 1],
                [0, 1]]])
    """
    sizes, wanted = static_shape(dimensions), as_dtype(dtype)
    make: Any = sequences.indices if _is_expression() else np.indices
    return make(sizes, wanted, sparse)


@explained
@_fillable
def array(object: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """An array of numbers, expressions, or nested lists of both, whose shapes are equal at each level.

    While a function is recorded, or with an expression for `like`, it is an expression: `pg.array(T)[i]` takes an
    element of a table at a traced index.

    Raises:
        ShapeError: lists of unequal lengths; DTypeError: what is not a number, or no such dtype.

    Example:
        >>> pg.grad(lambda x: np.sum(pg.array([[x, 1.0], [2.0, x]]) ** 2))(3.0)
        np.float64(12.0)
    """
    found = joined(object)
    found = found if dtype is None else ops.astype(found, dtype)
    return found if isinstance(found, Node) else constant(found) if _is_expression(like) else np.array(found)


@explained
def asarray(a: Any, dtype: Any = None, *, like: Any = None) -> Any:
    """`a` itself where it is an expression of that dtype, or an array outside of any recording; else as `array`.

    Example:
        >>> pg.asarray([1.0, 2.0])
        array([1., 2.])
    """
    if isinstance(a, Node) and (dtype is None or a.dtype == as_dtype(dtype)):
        return a if type(a) is Filled else strong(a)
    if isinstance(a, np.ndarray) and not _is_expression(like) and (dtype is None or a.dtype == as_dtype(dtype)):
        return a
    return array(a, dtype, like=like)
