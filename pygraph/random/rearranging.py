"""Draws from the elements of an array: permutation, shuffle, choice."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, shown
from ..ops import argsort, cumsum, log, moveaxis, reshape, searchsorted, take, take_along_axis
from ..ops.common import explained, is_expression, kind, normal_axis, operand, static_shape
from ..ops.dtypes import float64
from ..ops.random_bits import unit
from ..ops.random_draws import random_order
from ..ops.row import Shape
from .continuous import standard_gumbel
from .discrete import below
from .drawing import bits_of, checked_key, drawn, numbers, parameter


def _elements(x: Any, axis: int) -> tuple[Any, int, int]:
    """What is drawn from: an array, None for the integers below a number; how many; and the axis."""
    if isinstance(x, int) or (not is_expression(x) and np.ndim(x) == 0):
        if kind(x) != "i" or x < 0:
            raise DTypeError(f"{shown(x)} is not a number of elements", "give an int of 0 or more, or an array")
        return None, int(x), 0
    x = operand(x)
    if not x.ndim:
        raise ShapeError("a scalar has no elements to draw from", "give an array, or an int that is known")
    at = normal_axis(axis, x.ndim)
    return x, x.shape[at], at


@explained
def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """The slices of `x` along an axis in a random order, by Fisher and Yates; of an int n, the integers below n.

    Args:
        key: a key.
        x: an int, array or expression; derivatives reach its elements.
        axis: along which it is put in another order.
        independent: whether each row along the axis has an order of its own.

    Raises:
        DTypeError, ShapeError: what is not a key, a scalar that is no int, or an axis out of range.

    Example:
        >>> np.sort(pg.random.permutation(pg.random.key(0), 5))
        array([0, 1, 2, 3, 4])
    """
    elements, n, at = _elements(x, axis)
    if elements is None:
        return drawn(_order, checked_key(key), n=n)
    if independent:
        return drawn(_each_apart, checked_key(key), elements, axis=at)
    return drawn(_in_another_order, checked_key(key), elements, axis=at)


def _order(key: Any, n: int) -> Any:
    return random_order(bits_of(key, (n,)))


def _in_another_order(key: Any, x: Any, axis: int) -> Any:
    return take(x, _order(key, x.shape[axis]), axis)


def _each_apart(key: Any, x: Any, axis: int) -> Any:
    shape = (*x.shape[:axis], *x.shape[axis + 1 :], x.shape[axis])
    return take_along_axis(x, moveaxis(random_order(bits_of(key, shape)), -1, axis), axis)


@explained
def shuffle(key: Any, x: Any, axis: int = 0) -> Any:
    """The slices of an array along an axis in a random order: a new array, as `permutation`.

    Example:
        >>> np.sort(pg.random.shuffle(pg.random.key(0), np.array([3.0, 1.0, 2.0])))
        array([1., 2., 3.])
    """
    if not is_expression(x) and np.ndim(x) == 0:
        raise ShapeError("a scalar has no elements to shuffle", "give an array")
    return permutation(key, x, axis)


@explained
def choice(key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0) -> Any:
    """Elements of an array, drawn with or without replacement; of an int n, integers below n.

    Args:
        key: a key.
        a: an int, array or expression; derivatives reach its elements.
        shape: how many are drawn, in the place of `axis`.
        replace: whether an element may be drawn several times.
        p: the probability of each element, up to a factor; None: all are equal. It carries no derivative. Without
            replacement as many must be positive as are drawn; where p is an expression, this is not checked.
        axis: along which elements, or slices, are drawn.

    Raises:
        DTypeError, ShapeError: what is not a key, an axis out of range, too few elements, or a `p` of another shape.

    Example:
        >>> pg.random.choice(pg.random.key(0), np.array([10, 20, 30]), (4,)).shape
        (4,)
    """
    elements, n, at = _elements(a, axis)
    sizes = static_shape(shape)
    count = prod(sizes)
    if count and not n:
        raise ShapeError("there are no elements to draw from", "give one or more")
    if p is not None and operand(p).shape != (n,):
        raise ShapeError(f"p has shape {operand(p).shape} for {n} elements", "give one probability for each")
    if not replace:
        enough = n if p is None or is_expression(p) else int(np.count_nonzero(np.asarray(p) > 0))
        if count > enough:
            raise ShapeError(f"{count} draws without replacement from {enough} elements", "draw fewer, or replace")
    return drawn(_choice, checked_key(key), elements, p, shape=sizes, replace=bool(replace), n=n, axis=at)


def _choice(key: Any, a: Any, p: Any, shape: Shape, replace: bool, n: int, axis: int) -> Any:
    count = prod(shape)
    if not count:
        index: Any = np.zeros(shape, np.int64)
    elif p is None:
        index = below(key, n, shape) if replace else reshape(_order(key, n)[:count], shape)
    else:
        weights = parameter(p, float64)
        index = _with_weights(key, weights, shape) if replace else reshape(_without_repeats(key, weights, count), shape)
    return index if a is None else take(a, index, axis)


def _with_weights(key: Any, weights: Any, shape: Shape) -> Any:
    """Which part of the cumulative weights a uniform number falls in."""
    upper = cumsum(weights)
    return searchsorted(upper[:-1], numbers(unit, key, shape, float64) * upper[-1], "right")


def _without_repeats(key: Any, weights: Any, count: int) -> Any:
    """Where weights + Gumbel numbers are largest: like draws one after another from what is left (Yellott, 1977)."""
    return argsort(-(log(weights) + standard_gumbel(key, weights.shape, float64)))[:count]
