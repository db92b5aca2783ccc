"""Counts, in bins of integers and of numbers: bincount, histogram, histogram_bin_edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError, UnsupportedError
from ..arithmetic import divide
from ..common import explained, is_expression, kind, operand, static_shape
from ..comparison import astype, greater_equal, less, logical_and, select
from ..indexing import as_index, scatter_add
from ..reductions import max as largest, min as smallest, sum as total
from ..sequences import linspace
from ..shaping import broadcast_to, ravel
from .differences import diff
from .ordering import searchsorted


def _counted(index: Any, values: Any, size: int) -> Any:
    """Zeros of `size` with `values` added at an index, of which those equal to `size` are left out."""
    zeros = np.zeros((size + 1, *values.shape[1:]), values.dtype)
    return scatter_add(zeros, index, values, axis=0)[:size]


@explained
def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of 0, 1, … is among the elements of the vector `x`, or what their `weights` add up to.

    Args:
        x: a vector of integers from 0.
        weights: for each of these what it counts, in float64; None: one, in int64.
        minlength: of the result at least, where `x` is known.
        length: of the result, for an `x` that is an expression.

    Raises:
        UnsupportedError: an expression `x` without `length`; ShapeError: not a vector, or weights of another shape.
        DTypeError: `x` are not integers; IndexRangeError: an element out of range, at run time for an expression.

    Example:
        >>> pg.bincount(np.array([0, 2, 2]))
        array([1, 0, 2])
    """
    x = operand(x)
    if x.ndim != 1:
        raise ShapeError(f"an operand of shape {x.shape} is not a vector")
    index = as_index(astype(x, np.int64) if kind(x) == "b" else x)
    if length is None:
        if is_expression(index):
            problem = "the length of the result depends on values"
            raise UnsupportedError(problem, "give it: pg.bincount(x, length=n)")
        length = max(int(index.max(initial=-1)) + 1, minlength)
    (length,) = static_shape(length)
    values = np.ones(x.shape, np.int64) if weights is None else astype(operand(weights), np.float64)
    if values.shape != x.shape:
        raise ShapeError(f"weights of shape {values.shape} for elements of shape {x.shape}")
    if is_expression(index):
        index = select(less(index, 0), length, index)  # out of range, not from the end
    elif (index < 0).any():
        raise ValueError("x must not have negative elements")
    return scatter_add(np.zeros(length, values.dtype), index, values, axis=0)


def _edges(a: Any, bins: Any, bounds: Any) -> Any:
    if isinstance(bins, str):
        raise UnsupportedError("the number of bins depends on values", "give it, or the edges")
    given = operand(bins)
    if given.ndim == 1:
        if not is_expression(given) and (given[:-1] > given[1:]).any():
            raise ValueError("the edges must ascend")
        return given
    if given.ndim or kind(given) != "i" or is_expression(given):
        raise DTypeError("bins are a number that is known when recording, or a vector of edges", "give one of them")
    if given < 1:
        raise ValueError("there must be at least one bin")
    dtype = np.result_type(a.dtype, np.float32) if kind(a) == "f" else np.float64
    if bounds is not None:
        first, last = bounds
        if not is_expression(first) and not is_expression(last):
            if not (np.isfinite(first) and np.isfinite(last) and first <= last):
                raise ValueError(f"the range must ascend between finite numbers: {bounds}")
            first, last = (first - 0.5, last + 0.5) if first == last else (first, last)
            return np.linspace(first, last, int(given) + 1, dtype=dtype)
    elif not np.prod(a.shape):
        first, last = 0.0, 1.0
    else:
        first, last = smallest(a), largest(a)
    first, last = astype(operand(first), dtype), astype(operand(last), dtype)
    same = first == last
    if not is_expression(same):
        first, last = (first - 0.5, last + 0.5) if same else (first, last)
        return np.linspace(first, last, int(given) + 1, dtype=dtype)
    return linspace(select(same, first - 0.5, first), select(same, last + 0.5, last), int(given) + 1)


@explained
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of `histogram`; between the smallest and the largest element where no range is given.

    Raises:
        UnsupportedError: bins that a rule is to choose; ValueError: edges or a range that do not ascend.

    Example:
        >>> pg.histogram_bin_edges(np.array([1.0, 3.0]), bins=2)
        array([1., 2., 3.])
    """
    return _edges(ravel(operand(a)), bins, range)


@explained
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> tuple[Any, Any]:
    """How many elements are in each bin, or what their weights add up to, and the edges of the bins.

    Args:
        a: numbers of any shape.
        bins: how many bins of equal width; or the ascending edges, of which a bin has the lower, the last one both.
        range: where the first bin begins and the last one ends; by default at the smallest and the largest element.
        density: divide by the sum and the width of the bin.
        weights: of the shape of `a`.

    The gradient with respect to the weights is that of the bin each is in; counts have none.

    Raises:
        ShapeError: weights of another shape; DTypeError: weights that are bools.
        UnsupportedError: bins that a rule is to choose.
        ValueError: edges or a range that do not ascend.

    Example:
        >>> pg.histogram(np.array([1.0, 2.0, 1.0]), bins=[0, 1, 2, 3])
        (array([0, 2, 1]), array([0, 1, 2, 3]))
    """
    a = operand(a)
    values = None if weights is None else operand(weights)
    if values is not None and values.shape != a.shape:
        raise ShapeError(f"weights of shape {values.shape} for elements of shape {a.shape}")
    if values is not None and kind(values) == "b":
        raise DTypeError("weights are bools", "use w.astype('float64')")
    a = astype(a, np.int64) if kind(a) == "b" else a
    x = ravel(a)
    edges = _edges(x, bins, range)
    count = edges.shape[0] - 1
    inside = logical_and(greater_equal(x, edges[0]), less(x, edges[-1]))
    place = searchsorted(edges, x, "right") - 1
    place = select(x == edges[-1], count - 1, select(inside, place, count))
    if values is None:
        ones: Any = broadcast_to(np.ones((), np.int64), x.shape)
        found = _counted(place, ones, count)
    else:
        found = _counted(place, ravel(values), count)
    if density:
        found = divide(divide(found, astype(diff(edges), np.float64)), total(found))
    return found, edges
