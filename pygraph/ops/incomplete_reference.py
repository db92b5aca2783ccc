"""NumPy definitions of the incomplete gamma and beta functions, by numerical integration."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .special_reference import stirling_rest

__all__ = ["beta_density", "betainc", "betaincc", "gamma_density", "gammainc", "gammaincc", "stdtr"]

Array = npt.NDArray[Any]
#: Points and weights of the trapezoidal rule for an integral from 0 to inf, in s = scale e^(x - e^-x)
#: (Takahasi and Mori, 1974).
_PLACES = np.arange(-72, 73) / 16.0
_POINTS = np.exp(_PLACES - np.exp(-_PLACES))
_WEIGHTS = _POINTS * (1.0 + np.exp(-_PLACES)) / 16.0


def _guarded(function: Callable[..., float], *operands: float) -> float:
    try:
        return function(*operands)
    except OverflowError:  # of Python's functions, beyond the largest double
        return math.inf


def _each(function: Callable[[float, float], float], a: Any, x: Any) -> Array:
    dtype = np.result_type(a, x)
    first, second = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    pairs = zip(first.ravel().tolist(), second.ravel().tolist(), strict=True)
    with np.errstate(all="ignore"):
        values = [math.nan if math.isnan(p) or math.isnan(q) else _guarded(function, p, q) for p, q in pairs]
        return np.array(values, np.float64).reshape(first.shape).astype(dtype)


def _expm1_rest(t: Array) -> Array:
    """e^t - 1 - t."""
    small = np.where(np.abs(t) < 0.5, t, 0.0)
    series = sum(small**k / math.factorial(k) for k in range(2, 18))
    return np.where(np.abs(t) < 0.5, series, np.expm1(t) - t)


def _excess(ratio: float, f: float) -> float:
    """f - log(ratio) for ratio = 1 + f."""
    if abs(f) < 0.1:
        return sum((-f) ** k / k for k in range(2, 22))
    return f - math.log(ratio)


def _factor(a: float, x: float) -> float:
    """x^a e^-x / Gamma(a)."""
    if a < 10.0:
        return math.exp(a * math.log(x) - x - math.lgamma(a)) if x < 1e6 else 0.0
    if not 1e-40 < x / a < 100.0:
        return 0.0
    return math.exp(-a * _excess(x / a, (x - a) / a) - stirling_rest(a)) * math.sqrt(a / (2.0 * math.pi))


def _integral(a: float, x: float, upper: bool) -> float:
    """The part of the distribution below or above x as an integral over the distance s from log x."""
    scale = 1.0 / math.sqrt((x - a) ** 2 + x + 1.0) if abs(x - a) < 1e150 else 1.0 / abs(x - a)
    s = scale * _POINTS
    t = s if upper else -s
    return _factor(a, x) * scale * float(np.sum(np.exp(t * (a - x) - x * _expm1_rest(t)) * _WEIGHTS))


def _series(a: float, x: float) -> tuple[float, float]:
    """x^a / Gamma(a + 1) and 1 + a S with S the sum of (-x)^k / (k! (a + k)), whose product is P."""
    term, rest = 1.0, 0.0
    for k in range(1, 40):
        term *= -x / k
        rest += term / (a + k)
    return a * math.log(x) - math.lgamma(a + 1.0), a * rest


def _shares(a: float, x: float) -> tuple[float, float]:
    """P and Q."""
    if a < 0.0 or x < 0.0 or a == x == 0.0 or a == x == math.inf:
        return math.nan, math.nan
    if x == 0.0 or a == math.inf:
        return 0.0, 1.0
    if a == 0.0 or x == math.inf:
        return 1.0, 0.0
    if x <= 1.0:
        exponent, rest = _series(a, x)
        rise = math.expm1(exponent)
        lower = math.exp(exponent) * (1.0 + rest)
        return lower, -(rise + (1.0 + rise) * rest) if lower > 0.3 else 1.0 - lower
    if x > a:
        above = _integral(a, x, True)
        return 1.0 - above, above
    below = _integral(a, x, False)
    return below, 1.0 - below


def gammainc(a: Any, x: Any) -> Array:
    """P(a, x), the regularised lower incomplete gamma function (DLMF 8.2.4)."""
    return _each(lambda a, x: _shares(a, x)[0], a, x)


def gammaincc(a: Any, x: Any) -> Array:
    """Q(a, x) = 1 - P(a, x)."""
    return _each(lambda a, x: _shares(a, x)[1], a, x)


def _density(a: float, x: float) -> float:
    if a < 0.0 or x < 0.0 or (a == x and a in (0.0, math.inf)):
        return math.nan
    if a == 0.0 or math.inf in (a, x):
        return 0.0
    if x == 0.0:
        return math.inf if a < 1.0 else 1.0 if a == 1.0 else 0.0
    if a >= 10.0:
        return _factor(a, x) / x
    return math.exp((a - 1.0) * math.log(x) - x - math.lgamma(a)) if x < 1e6 else 0.0


def gamma_density(a: Any, x: Any) -> Array:
    """x^(a - 1) e^-x / Gamma(a), the derivative of P(a, x) in x."""
    return _each(_density, a, x)


def _log1p_rest(u: Array) -> Array:
    """u - log(1 + u)."""
    small = np.where(np.abs(u) < 0.1, u, 0.0)
    series = sum((-small) ** k / k for k in range(2, 22))
    return np.where(np.abs(u) < 0.1, series, u - np.log1p(u))


def _beta_factor(a: float, b: float, x: float, y: float) -> tuple[float, float]:
    """E and F with F e^E = x^a y^b / B(a, b) for y = 1 - x, where a or b is large by Stirling's series."""
    if a > b:
        a, b, x, y = b, a, y, x
    n, d = a + b, x * b - y * a
    if b < 10.0:
        return a * math.log(x) + b * math.log(y) - math.lgamma(a) - math.lgamma(b) + math.lgamma(n), 1.0
    rest = stirling_rest(n) - stirling_rest(b) - b * _excess(y * n / b, -d / b)
    if a < 10.0:
        return a * math.log(x * n) - x * n - math.lgamma(a) + rest, math.sqrt(b / n)
    return rest - stirling_rest(a) - a * _excess(x * n / a, d / a), math.sqrt(a * (b / n) / (2.0 * math.pi))


def _beta_below(a: float, b: float, x: float, y: float) -> float:
    """I_x(a, b) for y = 1 - x by DLMF 8.17.8, or as an integral over the distance s from the logarithm of x / y."""
    n = a + b
    if min(x, y) <= 0.0:
        return 0.0
    exponent, rest = _beta_factor(a, b, x, y)
    factor = math.exp(exponent) * rest
    if x < 0.9 and n < 1e4:  # a series of positive terms
        k = np.arange(2000.0)
        return factor / a * (1.0 + float(np.sum(np.cumprod(x * ((n + k) / (a + 1.0 + k))))))
    d = x * b - y * a
    scale = 1.0 / math.hypot(d, math.sqrt(n * x * y))
    s = scale * _POINTS
    t, share, rise = (s, y, b * s) if x > 0.5 else (-s, x, -a * s)
    u = share * np.expm1(t)  # both sides of the middle differ little near it, and by logarithms far from it
    near = d * s - n * share * _expm1_rest(t) + n * _log1p_rest(u)
    powers = np.where(np.abs(u) < 0.1, near, rise - n * np.log1p(u))
    return factor * scale * float(np.sum(np.exp(powers) * _WEIGHTS))


def _beta_shares(a: float, b: float, x: float) -> tuple[float, float]:
    """I and 1 - I."""
    if min(a, b) < 0.0 or not 0.0 <= x <= 1.0 or (a == b and a in (0.0, math.inf)):
        return math.nan, math.nan
    if a == 0.0 or b == math.inf:
        return (1.0, 0.0) if x > 0.0 else (0.0, 1.0)
    if b == 0.0 or a == math.inf:
        return (0.0, 1.0) if x < 1.0 else (1.0, 0.0)
    if x in (0.0, 1.0):
        return x, 1.0 - x
    if x * (a + b) > a:
        above = _beta_below(b, a, 1.0 - x, x)
        return 1.0 - above, above
    below = _beta_below(a, b, x, 1.0 - x)
    return below, 1.0 - below


def _beta_density(a: float, b: float, x: float) -> float:
    if not (0.0 < a < math.inf and 0.0 < b < math.inf and 0.0 <= x <= 1.0):
        return math.nan
    if x in (0.0, 1.0):
        near, other = (a, b) if x == 0.0 else (b, a)
        return math.inf if near < 1.0 else other if near == 1.0 else 0.0
    exponent, rest = _beta_factor(a, b, x, 1.0 - x)
    return math.exp(exponent - math.log(x) - math.log1p(-x)) * rest


def _each_of_three(function: Callable[[float, float, float], float], a: Any, b: Any, x: Any) -> Array:
    dtype = np.result_type(a, b, x)
    arrays = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (a, b, x)))
    with np.errstate(all="ignore"):
        values = [
            sum(v) if math.isnan(sum(v)) else _guarded(function, *v)
            for v in zip(*(y.ravel().tolist() for y in arrays), strict=True)
        ]
        return np.array(values, np.float64).reshape(arrays[0].shape).astype(dtype)


def betainc(a: Any, b: Any, x: Any) -> Array:
    """I_x(a, b), the regularised incomplete beta function (DLMF 8.17.2)."""
    return _each_of_three(lambda a, b, x: _beta_shares(a, b, x)[0], a, b, x)


def betaincc(a: Any, b: Any, x: Any) -> Array:
    """1 - I_x(a, b)."""
    return _each_of_three(lambda a, b, x: _beta_shares(a, b, x)[1], a, b, x)


def beta_density(a: Any, b: Any, x: Any) -> Array:
    """x^(a - 1) (1 - x)^(b - 1) / B(a, b), the derivative of I_x(a, b) in x."""
    return _each_of_three(_beta_density, a, b, x)


def _stdtr(df: float, t: float) -> float:
    if not df > 0.0:
        return math.nan
    if df == math.inf or abs(t) == math.inf:
        return 0.5 * math.erfc(-t * math.sqrt(0.5))
    square = t * t
    if df > 1e3:
        far = _t_tail(df, square) if math.isfinite(square) else 0.0
    else:
        far = _beta_shares(0.5, 0.5 * df, square / (df + square))[1] if square < df else _far_beta(df, square)
    return 0.5 * far if t < 0.0 else 1.0 - 0.5 * far


def _far_beta(df: float, square: float) -> float:
    return _beta_shares(0.5 * df, 0.5, df / (df + square))[0] if math.isfinite(square) else 0.0


def _t_tail(df: float, square: float) -> float:
    """The probability beyond +-t, as an integral of the density over s from |t| on."""
    t = math.sqrt(square)
    scale = 1.0 / (1.0 + t)
    s = t + scale * _POINTS
    constant = -0.5 * math.log(2.0 * math.pi) - 0.25 / df + 1.0 / (24.0 * df**3) if df < 1e90 else -0.9189385332046727
    return 2.0 * scale * float(np.sum(np.exp(constant - 0.5 * (df + 1.0) * np.log1p(s * (s / df))) * _WEIGHTS))


def stdtr(df: Any, t: Any) -> Array:
    """The distribution function of Student's t."""
    return _each(_stdtr, df, t)
