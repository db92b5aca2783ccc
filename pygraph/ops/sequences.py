"""Sequences and grids: linspace, logspace, geomspace, indices, meshgrid, vander, one_hot."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from .arithmetic import divide, floor, multiply, power, sign
from .common import broadcast_shapes, explained, is_expression, kind, normal_axis, operand, static_shape
from .comparison import astype, equal, ones_like, select
from .counting import iota
from .dtypes import as_dtype
from .row import DType
from .shaping import broadcast_to, expand_dims, moveaxis, reshape, stack
from .transcendental import log10

__all__ = ["meshgrid", "one_hot", "vander"]


def _weak(x: Any) -> Any:
    """What decides about a result's dtype: the dtype of an array or expression, a Python number itself."""
    return x if type(x) in (bool, int, float) else operand(x).dtype


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """`np.linspace` as an expression, for numbers, arrays and expressions, of equal bits.

    Where the step between expressions underflows to 0, all elements but the last are `start`.

    Example:
        >>> from pygraph.ops.sequences import linspace
        >>> linspace(0.0, 1.0, 5)
        <select : float64[5]>
    """
    num = _checked_count(num)
    floating = np.dtype(np.result_type(_weak(start), _weak(stop), 0.0))
    wanted = floating if dtype is None else as_dtype(dtype)
    first, last = astype(start, floating), astype(stop, floating)
    shape = broadcast_shapes([first.shape, last.shape])
    column = (num, *[1] * len(shape))
    counts = reshape(iota(num, dtype=floating), column)
    with np.errstate(all="ignore"):
        delta = last - first
        div = num - 1 if endpoint else num
        step = divide(delta, floating.type(div)) if div > 0 else float("nan")
        if div <= 0:
            y = counts * delta
        elif not is_expression(step) and np.any(step == 0):
            y = counts / floating.type(div) * delta
        else:
            y = counts * step
    y = broadcast_to(y + first, (num, *shape))
    if endpoint and num > 1:
        y = select(equal(reshape(iota(num), column), num - 1), last, y)
    y = moveaxis(y, 0, normal_axis(axis, y.ndim))
    y = astype(floor(y) if wanted.kind == "i" else y, wanted)
    return (y, step) if retstep else y


def _checked_count(num: Any) -> int:
    count = operator.index(num)
    if count < 0:
        raise ShapeError(f"the number of elements is {count}", "give 0 or more")
    return count


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`np.logspace` as an expression: `base` to the powers that `linspace` gives.

    Example:
        >>> from pygraph.ops.sequences import logspace
        >>> logspace(0.0, 2.0, 3)
        <power : float64[3]>
    """
    if not np.isscalar(base) and operand(base).ndim:
        ndim = max(operand(x).ndim for x in (start, stop, base))
        start, stop, base = (_of_rank(x, ndim) for x in (start, stop, base))
        base = expand_dims(base, axis)
    y = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else astype(y, as_dtype(dtype))


def _of_rank(x: Any, ndim: int) -> Any:
    x = operand(x)
    return reshape(x, (*[1] * (ndim - x.ndim), *x.shape))


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`np.geomspace` as an expression; nan where an expression is 0 or the signs differ.

    Example:
        >>> from pygraph.ops.sequences import geomspace
        >>> geomspace(1.0, 8.0, 4)
        <multiply : float64[4]>
    """
    num = _checked_count(num)
    for x in (start, stop):
        if not is_expression(x) and np.any(np.asarray(x) == 0):
            raise ValueError("a geometric sequence can't include 0")
    given = np.dtype("float64") if dtype is None else as_dtype(dtype)
    floating = np.result_type(operand(start).dtype, operand(stop).dtype, 0.0, given)
    first, last = astype(start, floating), astype(stop, floating)
    turned = sign(first)
    first, last = first / turned, last / turned
    y = logspace(log10(first), log10(last), num, endpoint)
    numbers = reshape(iota(num), (num, *[1] * (y.ndim - 1)))
    if num > 0:
        y = select(equal(numbers, 0), first, y)
    if num > 1 and endpoint:
        y = select(equal(numbers, num - 1), last, y)
    y = y * turned
    return astype(moveaxis(y, 0, normal_axis(axis, y.ndim)), floating if dtype is None else given)


def indices(dimensions: Any, dtype: DType, sparse: bool) -> Any:
    """`np.indices` as expressions.

    Example:
        >>> from pygraph.ops.sequences import indices
        >>> indices((2, 3), np.dtype("int64"), False)
        <concatenate : int64[2, 2, 3]>
    """
    sizes = static_shape(dimensions)
    open_ = tuple(
        astype(reshape(iota(n), (*[1] * k, n, *[1] * (len(sizes) - k - 1))), dtype) for k, n in enumerate(sizes)
    )
    return open_ if sparse else stack([broadcast_to(x, sizes) for x in open_])


@explained
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """The coordinates of the points of a grid, one array for each vector of coordinates along an axis.

    Args:
        xi: vectors, or numbers.
        copy: as in NumPy; expressions never share memory.
        sparse: leave size 1 in the axes along which an array does not vary.
        indexing: "xy": the first vector varies along axis 1, the second along axis 0; "ij": each along its own.

    Raises:
        ValueError: another `indexing`; ShapeError: an operand of more than one axis.

    Example:
        >>> pg.meshgrid(np.array([1, 2]), np.array([3, 4]))
        (array([[1, 2],
               [1, 2]]), array([[3, 3],
               [4, 4]]))
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"indexing is 'xy' or 'ij', not {indexing!r}")
    vectors = [operand(x) for x in xi]
    if any(x.ndim > 1 for x in vectors):
        raise ShapeError(f"operands of shapes {[x.shape for x in vectors]}, vectors needed", "ravel them first")
    if not any(map(is_expression, vectors)):
        grids: Any = np.meshgrid
        return tuple(grids(*vectors, copy=copy, sparse=sparse, indexing=indexing))
    places = list(range(len(vectors)))
    if indexing == "xy":
        places[:2] = places[:2][::-1]
    open_ = []
    for x, place in zip(vectors, places, strict=True):
        shape = [1] * len(vectors)
        shape[place] = int(np.prod(x.shape))
        open_.append(reshape(x, tuple(shape)))
    whole = broadcast_shapes([x.shape for x in open_])
    return tuple(open_ if sparse else [broadcast_to(x, whole) for x in open_])


@explained
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of the vector `x` as the columns of a matrix, `N` of them (by default as many as elements).

    The highest power comes first, or with `increasing` the 0th. Each column is the one of the next lower power times
    `x`. int32 and bools become int64, float32 float64.

    Raises:
        ShapeError: `x` is not a vector.

    Example:
        >>> pg.vander(np.array([2.0, 3.0]), 3)
        array([[4., 2., 1.],
               [9., 3., 1.]])
    """
    x = operand(x)
    if x.ndim != 1:
        raise ShapeError(f"an operand of shape {x.shape} is not a vector")
    if not is_expression(x):
        return np.vander(x, N, increasing)
    x = astype(x, np.promote_types(x.dtype, np.int64))
    count = x.shape[0] if N is None else static_shape(N)[0]
    columns = [ones_like(x)]
    for at in range(1, count):
        columns.append(x if at == 1 else multiply(columns[-1], x))
    columns = columns if increasing else columns[::-1]
    return stack(columns, axis=1) if count else reshape(x[:0], (x.shape[0], 0))


@explained
def one_hot(x: Any, num_classes: int, dtype: Any = "float64", axis: int = -1) -> Any:
    """For each integer of `x` a vector of `num_classes` zeros with a one at that index; only zeros where there is none.

    Args:
        x: integers of any shape.
        axis: where the vectors lie in the result.

    Raises:
        DTypeError: `x` are not integers, or no such dtype.

    Example:
        >>> pg.one_hot(np.array([2, 0, -1]), 3)
        array([[0., 0., 1.],
               [1., 0., 0.],
               [0., 0., 0.]])
    """
    x = operand(x)
    if kind(x) != "i":
        raise DTypeError(f"integers are needed, not {x.dtype}", "convert the classes: x.astype('int64')")
    (count,) = static_shape(num_classes)
    numbers = iota(count, dtype=x.dtype) if is_expression(x) else np.arange(count, dtype=x.dtype)
    hot = equal(expand_dims(x, -1), numbers)
    return moveaxis(astype(hot, as_dtype(dtype)), -1, normal_axis(axis, hot.ndim))
