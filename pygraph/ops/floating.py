"""Rows of the parts of floating numbers: sign, exponent, neighbours, remainder towards zero; and what scales by 2^n."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .arithmetic import negative, sign, trunc
from .common import pointwise
from .row import Op

__all__ = ["copysign", "fmod", "nextafter"]

_REAL = (-3.0, 3.0)
_POSITIVE = (0.3, 3.0)

copysign: Op = pointwise(
    "copysign",
    "|x| with the sign of y, also of a zero or nan. The derivative in x is sign(x) with the sign of y, 0 at 0; in y "
    "there is none.",
    "M(copysign)(a, b)",
    np.copysign,
    lambda out, x, y: sign(x) * copysign(1.0, y),
    None,
    domain=(_POSITIVE, _REAL),
    exact=True,
    to_float="ib",
)
nextafter = pointwise(
    "nextafter",
    "The number next to x towards y; y where they are equal. The derivative in x is 1, in y there is none.",
    "M(nextafter)(a, b)",
    np.nextafter,
    lambda out, x, y: 1,
    None,
    domain=((-3.0, -1.0), (1.0, 3.0)),
    price=3,
    exact=True,
    to_float="ib",
)
fmod = pointwise(
    "fmod",
    "x - trunc(x / y) y, exactly, with the sign of x (C's fmod). Floats: fmod(x, 0) and fmod(inf, x) are nan, fmod(x, "
    "inf) is x; integers: fmod(x, 0) is 0. Partials 1 and -trunc(x / y), taken as if smooth at the jumps.",
    "M(fmod)(a, b)",
    np.fmod,
    lambda out, x, y: 1,
    lambda out, x, y: negative(trunc(x / y)),
    defined="y != 0",
    domain=((2.1, 2.9), (0.8, 0.95)),
    kinds="fi",
    price=9,
    exact=True,
)


def _scaled(x: npt.NDArray[Any], n: npt.NDArray[Any]) -> npt.NDArray[Any]:
    scaled = np.ldexp(x, np.clip(np.nan_to_num(n), -4000, 4000).astype(np.int32))
    return np.where(np.isnan(n), n, scaled)


scalbn_row: Op = pointwise(
    "scalbn",
    "a 2^b for a whole number b, or its integer part, in one rounding; the derivative in a is 2^b, in b there is none.",
    "M(scalbn)(a, b)",
    _scaled,
    lambda out, x, n: scalbn_row(1.0, n),
    None,
    domain=(_REAL, (2.0, 2.0)),
    price=4,
    exact=True,
    to_float="ib",
)
exponent_row = pointwise(
    "exponent",
    "The exponent n of a = m 2^n with 0.5 <= |m| < 1, as a floating number; 0 for 0, inf and nan.",
    "M(exponent)(a)",
    lambda x: np.frexp(x)[1].astype(x.dtype),
    domain=(_REAL,),
    nondiff=True,
    price=2,
    exact=True,
)
