"""Draws of integers and truths: randint, rademacher, bernoulli, poisson, categorical."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, SignatureError
from ..ops import argmax, astype, moveaxis, where
from ..ops.common import broadcast_shapes, explained, is_expression, kind, normal_axis, operand, static_shape
from ..ops.dtypes import as_dtype, float64, int64
from ..ops.random_bits import unit
from ..ops.random_draws import multiply_high, poisson_draw
from ..ops.row import DType, Shape
from .continuous import standard_gumbel
from .drawing import bits_of, checked_key, drawn, numbers, parameter, seeds, shape_of


def _integer(dtype: Any) -> DType:
    found = as_dtype(dtype)
    if found.kind != "i":
        raise DTypeError(f"the numbers are integers, not {found.name}", "give int64 or int32, and convert them")
    return found


@explained
def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = "int64") -> Any:
    """Integers from `minval` up to, and without, `maxval`; each has its probability to within 2^-64.

    Args:
        key: a key.
        shape: of the result.
        minval, maxval: integers, arrays or expressions of them that broadcast to `shape`. Where maxval <= minval and
            this is not known when recording, the number is `minval`.
        dtype: int64 or int32.

    Raises:
        DTypeError, ShapeError: what is not a key or an integer, or a dtype or shape that does not fit; SignatureError:
            a `maxval` that is known and not above `minval`.

    Example:
        >>> pg.random.randint(pg.random.key(0), (5,), 1, 7)
        array([3, 2, 6, 4, 4])
    """
    wanted = _integer(dtype)
    for name, bound in (("minval", minval), ("maxval", maxval)):
        if kind(bound) != "i":
            raise DTypeError(f"{name} is of dtype {operand(bound).dtype.name}", "give integers")
    known = not is_expression(minval) and not is_expression(maxval)
    if known and np.any(np.asarray(maxval) <= np.asarray(minval)):
        raise SignatureError("there is no integer below maxval from minval on", "give a maxval above minval")
    sizes = shape_of(static_shape(shape), minval, maxval)
    return drawn(_randint, checked_key(key), minval, maxval, shape=sizes, dtype=wanted)


def _randint(key: Any, minval: Any, maxval: Any, shape: Shape, dtype: DType) -> Any:
    low, high = parameter(minval, int64), parameter(maxval, int64)
    span = where(high > low, high - low, 0)
    return astype(low + multiply_high(bits_of(key, shape), span), dtype)


def below(key: Any, n: int, shape: Shape) -> Any:
    """Integers from 0 up to n - 1."""
    return multiply_high(bits_of(key, shape), np.int64(n))


@explained
def rademacher(key: Any, shape: Any = (), dtype: Any = "int64") -> Any:
    """Signs: 1 or -1, each with probability 1/2, in any dtype but bool.

    Example:
        >>> pg.random.rademacher(pg.random.key(0), (5,))
        array([ 1,  1, -1, -1, -1])
    """
    wanted = as_dtype(dtype)
    if wanted.kind == "b":
        raise DTypeError("a bool has no sign", "use pg.random.bernoulli(key)")
    return drawn(_rademacher, checked_key(key), shape=static_shape(shape), dtype=wanted)


def _rademacher(key: Any, shape: Shape, dtype: DType) -> Any:
    return where(bits_of(key, shape) < 0, dtype.type(-1), dtype.type(1))


@explained
def bernoulli(key: Any, p: Any = 0.5, shape: Any = None) -> Any:
    """Truths that hold with probability `p`; bool.

    Args:
        key: a key.
        p: a number, array or expression.
        shape: of the result; None: that of `p`.

    Raises:
        DTypeError, ShapeError: what is not a key, or a shape that does not fit.

    Example:
        >>> pg.random.bernoulli(pg.random.key(0), 0.5, (4,))
        array([ True,  True, False, False])
    """
    return drawn(_bernoulli, checked_key(key), p, shape=shape_of(shape, p))


def _bernoulli(key: Any, p: Any, shape: Shape) -> Any:
    return numbers(unit, key, shape, float64) < parameter(p, float64)


@explained
def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = "int64") -> Any:
    """Poisson numbers of the rate `lam`: by products below 10, else by Hoermann's transformed rejection (1993).

    Args:
        key: a key.
        lam: a number, array or expression, up to 2**62; the derivative is zero.
        shape: of the result; None: that of `lam`.
        dtype: int64 or int32, or floating: nan for a rate that is negative or too large, where ints have their least.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.poisson(pg.random.key(0), 4.0, (5,)).shape
        (5,)
    """
    return drawn(_poisson, checked_key(key), lam, shape=shape_of(shape, lam), dtype=as_dtype(dtype))


def _poisson(key: Any, lam: Any, shape: Shape, dtype: DType) -> Any:
    return astype(poisson_draw(parameter(lam, float64), seeds(key, shape)), dtype)


@explained
def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None) -> Any:
    """Indices along an axis of `logits`, each with the probability that their softmax gives it; int64.

    They are where logits + Gumbel numbers are largest (Gumbel, 1954); -inf is never drawn beside finite logits.

    Args:
        key: a key.
        logits: an array or expression of logarithms of probabilities, up to a number added to all.
        axis: along which they are.
        shape: of the result, whose last axes are those of `logits` without `axis`; None: these alone.

    Raises:
        DTypeError, ShapeError: what is not a key, an axis out of range, or a shape that does not fit.

    Example:
        >>> pg.random.categorical(pg.random.key(0), np.log([0.1, 0.2, 0.7]), shape=(6,)).shape
        (6,)
    """
    logits = operand(logits)
    at = normal_axis(axis, logits.ndim)
    if not logits.shape[at]:
        raise ShapeError("there is nothing to draw from", "give one logit or more")
    batch = (*logits.shape[:at], *logits.shape[at + 1 :])
    sizes = batch if shape is None else static_shape(shape)
    if broadcast_shapes([batch, sizes]) != sizes:
        raise ShapeError(f"logits without their axis have shape {batch}, the draw {sizes}", "end the shape with that")
    return drawn(_categorical, checked_key(key), logits, axis=at, shape=sizes)


def _categorical(key: Any, logits: Any, axis: int, shape: Shape) -> Any:
    weights = moveaxis(parameter(logits, float64), axis, -1)
    return argmax(weights + standard_gumbel(key, (*shape, weights.shape[-1]), float64), -1)
