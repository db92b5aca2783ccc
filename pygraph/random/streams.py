"""Keys, and the bits under them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, shown
from ..ops import astype
from ..ops.common import explained, kind, operand, static_shape
from ..ops.dtypes import as_dtype
from ..ops.random_bits import threefry
from ..ops.row import DType, Shape
from .drawing import bits_of, checked_key, drawn


@explained
def key(seed: Any) -> Any:
    """The key of a seed: an int64 scalar, which may be an argument, a carry or a batch of `pg.vmap` like any other.

    Args:
        seed: an integer, of which the lowest 64 bits count; or a scalar array or expression of integers.

    Raises:
        DTypeError: a seed that is no integer; ShapeError: one that is no scalar.

    Example:
        >>> pg.random.key(0)
        array(0)
        >>> pg.random.normal(pg.random.key(0), (2,)).shape
        (2,)
    """
    if isinstance(seed, int):
        return np.array(int(seed) % 2**64, np.uint64).view(np.int64)
    if kind(seed) != "i":
        raise DTypeError(f"{shown(seed)} is not an integer", "give an int")
    if operand(seed).shape:
        raise ShapeError(f"a seed of shape {operand(seed).shape}", "give one seed; pg.random.split makes many keys")
    return astype(seed, np.int64)


@explained
def split(key: Any, num: Any = 2) -> Any:
    """`num` new keys, an int64 array; draw with these, and no more with `key`.

    Args:
        key: a key.
        num: an int, or a shape.

    Raises:
        DTypeError, ShapeError: what is not one key, or no shape.

    Example:
        >>> first, second = pg.random.split(pg.random.key(0))
        >>> pg.vmap(lambda k: pg.random.uniform(k))(pg.random.split(first, 3)).shape
        (3,)
    """
    return drawn(_bits, checked_key(key), shape=static_shape(num), dtype=as_dtype("int64"))


@explained
def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer: the key of step `data`, as in a loop.

    Raises:
        DTypeError: what is not a key, or not an integer; ShapeError: not scalars.

    Example:
        >>> key = pg.random.key(0)
        >>> pg.fori_loop(0, 3, lambda i, x: x + pg.random.uniform(pg.random.fold_in(key, i)), 0.0).round(6)
        np.float64(1.702495)
    """
    if kind(data) != "i" or operand(data).shape:
        raise DTypeError(f"{shown(data)} is not an integer", "give an int, such as the number of a step")
    return drawn(_folded, checked_key(key), operand(data))


def _folded(key: Any, data: Any) -> Any:
    return threefry(key, astype(data, np.int64))


@explained
def bits(key: Any, shape: Any = (), dtype: Any = "int64") -> Any:
    """Random bits: 64 in each int64, 32 in each int32, or one in each bool.

    Raises:
        DTypeError: a floating dtype, or what is not a key; ShapeError: no shape.

    Example:
        >>> [hex(x) for x in pg.random.bits(pg.random.key(0), (2,)).view(np.uint64)]
        ['0x6b20015999ba4efe', '0x375f238fcddb151d']
    """
    wanted = as_dtype(dtype)
    if wanted.kind == "f":
        raise DTypeError(f"bits are no numbers of dtype {wanted.name}", "give an integer dtype or bool, or use uniform")
    return drawn(_bits, checked_key(key), shape=static_shape(shape), dtype=wanted)


def _bits(key: Any, shape: Shape, dtype: DType) -> Any:
    found = bits_of(key, shape)
    return found < 0 if dtype.kind == "b" else astype(found, dtype)
