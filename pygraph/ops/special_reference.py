"""NumPy definitions of the error function and the gamma family, which NumPy itself lacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: The Bernoulli numbers B₂, B₄, …, B₂₄.
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730,
    7 / 6, -3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730,
)  # fmt: skip
_SHIFT = 16  # the recurrences climb to here, where the asymptotic series have converged to the last bit


def _each(function: Callable[[float], float], x: Any) -> Array:
    """`function` of every element in double precision, in the dtype of `x`."""
    array = np.asarray(x)
    values = [function(value) for value in array.ravel().tolist()]
    return np.array(values, dtype=array.dtype).reshape(array.shape)


def erf(x: Any) -> Array:
    """The error function, through `math.erf`."""
    return _each(math.erf, x)


def erfc(x: Any) -> Array:
    """The complementary error function, through `math.erfc`."""
    return _each(math.erfc, x)


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):  # a pole; beyond the largest double
        return math.inf


def gammaln(x: Any) -> Array:
    """The logarithm of |Γ(x)|, through `math.lgamma`; inf at the poles."""
    return _each(_lgamma, x)


def digamma(x: Any) -> Array:
    """ψ(x): reflection below zero (DLMF 5.5.4), recurrence up to 16 (5.5.2), then the asymptotic series (5.11.2)."""
    given = np.asarray(x)
    x = given.astype(np.float64)
    with np.errstate(all="ignore"):
        t = np.where(x < 0, 1.0 - x, x)
        result = np.zeros_like(t)
        for _ in range(_SHIFT):
            low = t < _SHIFT
            result -= np.where(low, 1.0 / np.where(low, t, 1.0), 0.0)
            t = np.where(low, t + 1.0, t)
        series = np.zeros_like(t)
        for k, bernoulli in reversed(list(enumerate(_BERNOULLI[:8], 1))):
            series = (series + bernoulli / (2 * k)) / (t * t)
        result += np.log(t) - 0.5 / t - series
        result = np.where(x < 0, result - np.pi * _cotangent_of_pi(x), result)
    result[np.isneginf(x) | ((x < 0) & (x == np.rint(x)))] = np.nan
    return np.asarray(result, given.dtype)


def _scaled_zeta(s: float, x: Array) -> Array:
    """x^s ζ(s, x), the sum of (1 + k/x)^-s, for s > 1 and x > 0 by Euler–Maclaurin (DLMF 25.11.5, N = 16 terms)."""
    total = np.zeros_like(x)
    for k in range(_SHIFT):
        total += (1.0 + k / x) ** -s
    t = x + _SHIFT
    scale = (t / x) ** -s
    total += scale * (t / (s - 1.0) + 0.5)
    factor = scale * s / t / 2.0  # s (s+1) … (s+2j-2) t^(1-2j) / (2j)!, at j = 1
    for j, bernoulli in enumerate(_BERNOULLI, 1):
        total += bernoulli * factor
        factor = factor * ((s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2))) / (t * t)
    return total


def _pole(n: int, x: Array) -> Array:
    """n! / x^(n+1), as a product that leaves the range only where the result does."""
    result = 1.0 / x
    for j in range(1, n + 1):
        result = result * (j / x)
    return result


def _cotangent_of_pi(x: Array) -> Array:
    """cot(πx), exactly 0 where x is half an odd integer."""
    rest = x - np.rint(x)
    near_pole = np.abs(rest) < 0.25
    tangent = np.tan(np.pi * np.where(near_pole, rest, 0.5 - np.abs(rest)))
    return np.where(near_pole, 1.0 / tangent, np.copysign(tangent, rest))


def _cotangent_derivative(n: int, x: Array) -> Array:
    """The derivative of order n of π cot(πx), by P ← -(1 + c²) P′ on polynomials in c = cot."""
    coefficients = np.array([0.0, 1.0])
    for _ in range(n):
        slope = coefficients[1:] * np.arange(1, len(coefficients))
        coefficients = np.zeros(len(slope) + 2)
        coefficients[: len(slope)] -= slope
        coefficients[2:] -= slope
    cotangent = _cotangent_of_pi(x)
    total = np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        total = total * cotangent + coefficient
    return np.asarray(total * np.pi ** (n + 1))


def _polygamma_of_order(n: int, x: Array) -> Array:
    """ψ⁽ⁿ⁾(x) for n >= 1, below zero by the reflection formula (DLMF 5.15.6)."""
    sign = -1.0 if n % 2 == 0 else 1.0
    at = np.where(x < 0, 1.0 - x, x)
    far = at > 1e100  # (n-1)! / x^n, of which the product below would lose all
    positive = sign * np.where(far, math.gamma(n) * at ** -float(n), _pole(n, at) * _scaled_zeta(n + 1.0, at))
    result = np.where(x < 0, -sign * positive - _cotangent_derivative(n, x), positive)
    result = np.where(np.abs(x) < 1e-18, sign * _pole(n, x), result)
    odd = n % 2 == 1
    result = np.where((x < 0) & (x == np.rint(x)), np.inf if odd else np.nan, result)
    result = np.where(x == 0, np.inf if odd else np.copysign(np.inf, -x), result)
    return np.where(np.isneginf(x), np.nan, result)


def polygamma(n: Any, x: Any) -> Array:
    """ψ⁽ⁿ⁾(x), broadcast; nan where n is negative, not whole or above 169."""
    dtype = np.result_type(n, x)
    orders, points = np.broadcast_arrays(np.asarray(n, np.float64), np.asarray(x, np.float64))
    result = np.full(points.shape, np.nan)
    with np.errstate(all="ignore"):
        for order in np.unique(orders[np.isfinite(orders)]):
            if order >= 0 and order == np.rint(order) and order <= 169:
                here = orders == order
                at = points[here]
                result[here] = digamma(at) if order == 0 else _polygamma_of_order(int(order), at)
    return result.astype(dtype)


def _erfinv(y: float) -> float:
    if not abs(y) < 1.0:
        return math.copysign(math.inf, y) if abs(y) == 1.0 else math.nan
    if abs(y) > 0.5:
        return math.copysign(_erfcinv(1.0 - abs(y)), y)
    x = y * _HALF_ROOT_PI
    for _ in range(6):  # Newton's steps
        x -= (math.erf(x) - y) * _HALF_ROOT_PI * math.exp(x * x)
    return x


def _erfcinv(y: float) -> float:
    if not 0.0 < y < 2.0:
        return math.inf if y == 0.0 else -math.inf if y == 2.0 else math.nan
    if y > 0.5:
        return _erfinv(1.0 - y) if y <= 1.5 else -_erfcinv(2.0 - y)
    x = math.sqrt(-math.log(y))
    for _ in range(60):  # Newton's steps for log erfc, which is concave: from the right they come down to the solution
        value = _erfcx(x)
        step = (math.log(value) - math.log(y) - x * x) * _HALF_ROOT_PI * value
        x += step
        if abs(step) < 1e-15 * x:
            break
    return x


_HALF_ROOT_PI = 0.5 * math.sqrt(math.pi)


def erfinv(x: Any) -> Array:
    """The inverse of erf, by Newton's method."""
    return _each(_erfinv, x)


def erfcinv(x: Any) -> Array:
    """The inverse of erfc, by Newton's method."""
    return _each(_erfcinv, x)


def _erfcx(x: float) -> float:
    if x < -26.7:
        return math.inf
    if x < 5.0:
        high = float(np.float32(x))
        return math.exp(high * high) * math.exp((x - high) * (x + high)) * math.erfc(x)
    rest = x
    for k in range(60, 0, -1):  # Laplace's continued fraction, DLMF 7.9.1
        rest = x + 0.5 * k / rest
    return 1.0 / rest / math.sqrt(math.pi)


def erfcx(x: Any) -> Array:
    """The scaled complementary error function e^(x^2) erfc(x)."""
    return _each(_erfcx, x)


def _gamma(x: float) -> float:
    if x == 0.0:
        return math.copysign(math.inf, x)
    try:
        return math.gamma(x)
    except ValueError:  # a pole
        return math.nan
    except OverflowError:
        return math.copysign(math.inf, x)


def gamma(x: Any) -> Array:
    """The gamma function, through `math.gamma`; nan at negative integers."""
    return _each(_gamma, x)


def stirling_rest(x: float) -> float:
    return sum(b / (2 * k * (2 * k - 1)) * x ** (1 - 2 * k) for k, b in enumerate(_BERNOULLI[:7], 1))


def _betaln(p: float, q: float) -> float:
    a, b = min(p, q), max(p, q)
    if b < 10.0 or p + q < 10.0:
        first, second = _lgamma(p), _lgamma(q)
        return math.inf if first == second == math.inf else first + (second - _lgamma(p + q))
    if b == math.inf:
        return -math.inf
    rest = stirling_rest(b) - stirling_rest(a + b)
    if a < 10.0:
        return _lgamma(a) + (rest + (a - (b - 0.5) * math.log1p(a / b)) - a * math.log(a + b))
    first = stirling_rest(a) + rest + 0.5 * math.log(2.0 * math.pi) - 0.5 * math.log(b)
    return first + (a - 0.5) * math.log(a / b / (1.0 + a / b)) - b * math.log1p(a / b)


def betaln(a: Any, b: Any) -> Array:
    """log |B(a, b)|, where one is large by differences of Stirling's series (DLMF 5.11.1)."""
    dtype = np.result_type(a, b)
    xs, ys = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    values = [
        x + y if math.isnan(x + y) else _betaln(x, y)
        for x, y in zip(xs.ravel().tolist(), ys.ravel().tolist(), strict=True)
    ]
    return np.array(values, dtype).reshape(xs.shape)
