"""Rows of random numbers: bits from a key and a count, and what is made of bits. `pygraph.random` is built on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .common import pointwise
from .dtypes import floating_like
from .row import Op

__all__: list[str] = []

Array = npt.NDArray[Any]

#: The rotations of Threefry-2x32 (Salmon et al., table 2), and the constant of its key schedule.
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)
_ROUNDS = 20
_BITS = (-(2.0**31) + 1.0, 2.0**31 - 2.0)


def _words(x: Any) -> tuple[Array, Array]:
    wide = np.asarray(x).astype(np.int64).view(np.uint64)
    return (wide >> np.uint64(32)).astype(np.uint32), wide.astype(np.uint32)


def _threefry(key: Any, count: Any) -> Array:
    dtype = np.result_type(key, count)
    (k, m), (x, y) = _words(key), _words(count)
    schedule = (k, m, k ^ m ^ _PARITY)
    with np.errstate(over="ignore"):  # words wrap
        x, y = x + schedule[0], y + schedule[1]
        for number in range(_ROUNDS):
            left = np.uint32(_ROTATIONS[number % len(_ROTATIONS)])
            x = x + y
            y = (y << left | y >> (np.uint32(32) - left)) ^ x
            if number % 4 == 3:
                at = number // 4 + 1
                x, y = x + schedule[at % 3], y + schedule[(at + 1) % 3] + np.uint32(at)
    joined = x.astype(np.uint64) << np.uint64(32) | y.astype(np.uint64)
    return np.asarray(joined).view(np.int64).astype(dtype)


def _unsigned(bits: Any) -> Array:
    array = np.asarray(bits)
    return array.view(np.uint64 if array.dtype.itemsize == 8 else np.uint32)


def _upper(bits: Any, dropped: tuple[int, int]) -> Array:
    """All but the lowest bits, of which there are so many in int64 and in int32, as float64."""
    u = _unsigned(bits)
    return np.asarray(u >> u.dtype.type(dropped[u.itemsize == 4])).astype(np.float64)


def _unit(bits: Any) -> Array:
    dtype = np.asarray(bits).dtype
    return (_upper(bits, (11, 8)) * (2.0**-53 if dtype.itemsize == 8 else 2.0**-24)).astype(floating_like(dtype))


def _open_unit(bits: Any) -> Array:
    dtype = np.asarray(bits).dtype
    step = 2.0**-52 if dtype.itemsize == 8 else 2.0**-23
    return ((_upper(bits, (12, 9)) + 0.5) * step).astype(floating_like(dtype))


def _normal_reference(bits: Any) -> Array:
    """By Wichura's algorithm AS 241, of the standard library, for the tail's probability."""
    from statistics import NormalDist

    array, quantile = np.asarray(bits), NormalDist().inv_cdf
    x = 2.0 * (_open_unit(array) - 0.5) if array.dtype.itemsize == 8 else (array + 0.5) * 2.0**-31
    tail = (1.0 - np.abs(x)) / 2.0
    sizes = np.array([-quantile(p) for p in tail.ravel().tolist()]).reshape(x.shape)
    return np.asarray(np.copysign(sizes, x)).astype(floating_like(array.dtype))


def _of_bits(name: str, doc: str, reference: Callable[[Any], Array], price: int, exact: bool = True) -> Op:
    return pointwise(
        name,
        doc,
        f"M({name})(a)",
        reference,
        domain=(_BITS,),
        kinds="i",
        result="floating",
        nondiff=True,
        price=price,
        exact=exact,
        parameters=("bits",),
    )


threefry = pointwise(
    "threefry",
    "64 random bits, a function of a key and a count alone: Threefry-2x32 with 20 rounds (Salmon et al., SC 2011), the "
    "first word of each pair in the upper half. Of int32 the same after sign extension, of which the lower word.",
    "M(threefry)(a, b)",
    _threefry,
    domain=(_BITS, _BITS),
    kinds="i",
    nondiff=True,
    price=6,
    parameters=("key", "count"),
)
unit = _of_bits("unit", "A number in [0, 1): the upper 53 bits as multiples of 2^-53; of int32 24 and 2^-24.", _unit, 3)
open_unit = _of_bits(
    "open_unit",
    "A number in (0, 1): the upper 52 bits k as (k + 1/2) 2^-52; of int32 23 and 2^-23.",
    _open_unit,
    3,
)
normal_bits = _of_bits(
    "normal_bits",
    "sqrt(2) erfinv(2 p - 1), a normal number: p are the upper 52 bits k as (k + 1/2) 2^-52, of int32 all 32 bits.",
    _normal_reference,
    12,
    exact=False,
)
