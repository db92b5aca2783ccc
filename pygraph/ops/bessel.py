"""Rows of the modified Bessel functions of the first kind, orders 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .arithmetic import sign
from .common import pointwise
from .comparison import equal, select
from .expr import Expr
from .row import Op

__all__ = ["i0", "i0e", "i1", "i1e"]

Array = npt.NDArray[Any]
_ANGLES = (np.arange(256) + 0.5) * (math.pi / 256)


def _scaled(order: int, a: Array) -> Array:
    """e^-a I(a) for a >= 0: by the mean over angles (DLMF 10.32.3), exact up to rounding; far out by 10.40.1."""
    near = np.minimum(a, 700.0)[..., None]
    mean = np.asarray(np.mean(np.exp(near * (np.cos(_ANGLES) - 1.0)) * np.cos(order * _ANGLES), -1))
    if order:  # which cancels about 0
        mean = np.where(a < 1e-3, 0.5 * a * np.exp(-a) * (1.0 + a * a / 8.0), mean)
    far = np.maximum(a, 700.0)
    total = term = np.ones_like(far)
    for k in range(1, 12):
        term = term * (-(4.0 * order * order - (2 * k - 1) ** 2) / (8.0 * k)) / far
        total = total + term
    return np.where(a < 700.0, mean, total / math.sqrt(2.0 * math.pi) / np.sqrt(far))


def _reference(order: int, is_scaled: bool) -> Callable[[Any], Array]:
    def function(x: Any) -> Array:
        array = np.asarray(x)
        with np.errstate(all="ignore"):
            wide = np.abs(array.astype(np.float64))
            found = _scaled(order, wide)
            if not is_scaled:  # e^|x| alone may be beyond the range
                half = np.exp(np.minimum(wide, 800.0) / 2)
                found = np.where(wide >= 800.0, np.inf, found * half * half)
            return np.asarray((np.copysign(found, array) if order else found).astype(array.dtype))

    return function


def _i1_slope(out: Expr, x: Expr) -> Expr:
    """I_0 - I_1 / x, and 1/2 at 0."""
    zero = equal(x, 0.0)
    return select(zero, 0.5, i0(x) - out / select(zero, 1.0, x))


def _i1e_slope(out: Expr, x: Expr) -> Expr:
    zero = equal(x, 0.0)
    return select(zero, 0.5, i0e(x) - out * (1.0 / select(zero, 1.0, x) + sign(x)))


i0: Op = pointwise(
    "i0",
    "The modified Bessel function I_0(x) of the first kind (DLMF 10.25.2); inf beyond 714. The derivative is i1(x).",
    "M(i0)(a)",
    _reference(0, False),
    lambda out, x: i1(x),
    ulps=(6.0, 0.51),
    domain=((-3.0, 3.0),),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=30,
    floor=8.0,
)
i1: Op = pointwise(
    "i1",
    "The modified Bessel function I_1(x) of the first kind (DLMF 10.25.2); inf of the sign of x beyond 714. The "
    "derivative is i0(x) - out / x, 1/2 at 0.",
    "M(i1)(a)",
    _reference(1, False),
    _i1_slope,
    ulps=(14.0, 0.51),
    domain=((-3.0, 3.0),),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=30,
    floor=8.0,
)
i0e: Op = pointwise(
    "i0e",
    "e^-|x| I_0(x), the exponentially scaled modified Bessel function; 0 at ±inf. The derivative is i1e(x) - sign(x) "
    "out, 0 at 0.",
    "M(i0e)(a)",
    _reference(0, True),
    lambda out, x: i1e(x) - sign(x) * out,
    ulps=(6.0, 0.51),
    domain=((0.3, 9.0),),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=20,
    floor=1.0,
)
i1e: Op = pointwise(
    "i1e",
    "e^-|x| I_1(x), the exponentially scaled modified Bessel function; ±0 at ±inf. The derivative is i0e(x) - out (1 / "
    "x + sign(x)), 1/2 at 0.",
    "M(i1e)(a)",
    _reference(1, True),
    _i1e_slope,
    ulps=(12.0, 0.51),
    domain=((0.3, 9.0),),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=20,
    floor=1.0,
)
