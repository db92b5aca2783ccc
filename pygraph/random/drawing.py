"""How a draw runs: recorded among expressions or while a function is recorded, else compiled once and run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from math import prod
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, shown
from ..graph.recording import is_recording
from ..ops import astype, broadcast_to, reshape
from ..ops.common import broadcast_shapes, is_expression, operand, static_shape
from ..ops.counting import iota
from ..ops.dtypes import as_dtype, int32, int64, is_float
from ..ops.random_bits import open_unit, threefry
from ..ops.row import DType, Op, Shape
from ..runtime.functions.compile_function import compile
from ..runtime.functions.compiled_function import CompiledFunction

#: How many draws of different shapes, dtypes and other settings stay compiled.
_KEPT = 256


def drawn(function: Callable[..., Any], *arrays: Any, **settings: Hashable) -> Any:
    """`function(*arrays, **settings)`, recorded or compiled; arrays that are None stay None."""
    given = [x for x in arrays if x is not None]
    if is_recording() or any(is_expression(x) for x in given):
        return function(*arrays, **settings)
    places = tuple(x is not None for x in arrays)
    return _compiled(function, places, tuple(settings.items()))([operand(x) for x in given])


@functools.lru_cache(_KEPT)
def _compiled(
    function: Callable[..., Any], places: tuple[bool, ...], settings: tuple[tuple[str, Hashable], ...]
) -> CompiledFunction:
    def draw(given: list[Any]) -> Any:
        remaining = iter(given)
        return function(*(next(remaining) if there else None for there in places), **dict(settings))

    draw.__name__ = function.__name__.strip("_")
    return compile(draw)


def checked_key(key: Any) -> Any:
    """A key as an operand; raises for what is not an int64 scalar, or is a plain number."""
    advice = "make one with pg.random.key(seed), and more of it with pg.random.split"
    if isinstance(key, int | float):
        raise DTypeError(f"{shown(key)} is a number, not a key", advice)
    key = operand(key)
    if key.dtype != int64:
        raise DTypeError(f"a key is an int64 scalar, not {key.dtype.name}", advice)
    if key.shape:
        raise ShapeError(f"{key.shape} keys in place of one", "draw with each of them: pg.vmap over the keys")
    return key


def floating(dtype: Any) -> DType:
    """A floating dtype; raises `DTypeError` for others."""
    found = as_dtype(dtype)
    if not is_float(found):
        raise DTypeError(f"the numbers are floating, not {found.name}", "give float64 or float32, and convert them")
    return found


def bits_of(key: Any, shape: Shape) -> Any:
    """64 bits for each element."""
    counts = reshape(iota(prod(shape)), shape) if shape else np.zeros((), np.int64)
    return threefry(key, counts)


def numbers(row: Op, key: Any, shape: Shape, dtype: DType) -> Any:
    """What a row makes of bits: of 64 for float64, of the lower 32 for float32."""
    bits = bits_of(key, shape)
    return row(bits if dtype.itemsize == 8 else astype(bits, int32))


def seeds(key: Any, shape: Shape) -> Any:
    """For each element the seed of a draw by rejection, float64."""
    return open_unit(bits_of(key, shape))


def part(key: Any, number: Any) -> Any:
    """A key of its own for a part of a draw."""
    return threefry(key, astype(number, int64))


def shape_of(shape: Any, *parameters: Any) -> Shape:
    """The shape that is wanted, or where it is None that to which the parameters broadcast.

    Raises:
        ShapeError: parameters that do not broadcast to it.
    """
    common = broadcast_shapes([operand(x).shape for x in parameters])
    if shape is None:
        return common
    wanted = static_shape(shape)
    if broadcast_shapes([common, wanted]) != wanted:
        raise ShapeError(f"parameters of shape {common} for a draw of shape {wanted}", "leave shape out, or extend it")
    return wanted


def parameter(x: Any, dtype: DType, shape: Shape | None = None) -> Any:
    """A parameter in this dtype, and shape."""
    x = astype(x, dtype)
    return x if shape is None else broadcast_to(x, shape)
