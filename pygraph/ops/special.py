"""Rows of the error function and the gamma family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .common import pointwise
from .comparison import greater, select
from .expr import Expr
from .row import Op
from .special_reference import (
    betaln as _betaln,
    digamma as _digamma,
    erf as _erf,
    erfc as _erfc,
    erfcinv as _erfcinv,
    erfcx as _erfcx,
    erfinv as _erfinv,
    gamma as _gamma,
    gammaln as _gammaln,
    polygamma as _polygamma,
)
from .transcendental import gaussian

__all__ = ["betaln", "digamma", "erf", "erfc", "erfcinv", "erfcx", "erfinv", "gamma", "gammaln", "polygamma"]

_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def _gauss(x: Expr) -> Expr:
    """2/√π e^(-x²), the derivative of erf."""
    return _TWO_OVER_ROOT_PI * gaussian(x, 1.0)


erf = pointwise(
    "erf",
    "The error function 2/√π ∫₀ˣ e^(-t²) dt (DLMF 7.2.1); ±1 at ±inf.",
    "M(erf)(a)",
    _erf,
    lambda out, x: _gauss(x),
    ulps=(1.0, 1.3),
    domain=((-3.0, 3.0),),
    price=9,
)
erfc = pointwise(
    "erfc",
    "1 - erf(x) without cancellation for large x (DLMF 7.2.2); 2 at -inf, 0 at inf.",
    "M(erfc)(a)",
    _erfc,
    lambda out, x: -_gauss(x),
    ulps=(1.0, 1.0),
    domain=((-3.0, 3.0),),
    price=12,
)


def _gelu(x: npt.ArrayLike) -> npt.NDArray[Any]:
    wide = np.asarray(x, np.float64)
    return (0.5 * wide * _erfc(wide * -math.sqrt(0.5))).astype(np.asarray(x).dtype)


def _gelu_slope(out: Expr, x: Expr) -> Expr:
    """Φ(x) + x φ(x) (the normal distribution function and its density)."""
    return 0.5 * erfc(x * -math.sqrt(0.5)) + x * (gaussian(x, 0.5) * (1.0 / math.sqrt(2.0 * math.pi)))


gelu_row: Op = pointwise(
    "gelu",
    "a Φ(a), Φ the normal distribution function; nan at -inf. The derivative is Φ(a) + a e^(-a²/2) / √(2π).",
    "M(gelu)(a)",
    _gelu,
    _gelu_slope,
    ulps=(1.5, 0.51),
    domain=((-3.0, 3.0),),
    price=45,
)
gammaln = pointwise(
    "gammaln",
    "log |Γ(x)|; inf at 0, at the negative integers and at ±inf. The derivative is digamma(x).",
    "M(gammaln)(a)",
    _gammaln,
    lambda out, x: digamma(x),
    defined="(x > 0) | (x != floor(x))",
    ulps=(2.0, 1.0),
    domain=((0.4, 4.0),),
    price=25,
    floor=1.0,
)
digamma: Op = pointwise(
    "digamma",
    "ψ(x), the derivative of log Γ(x) (DLMF 5.2.2); ∓inf at ±0, nan at the negative integers and -inf, inf at inf.",
    "M(digamma)(a)",
    _digamma,
    lambda out, x: polygamma(1.0, x),
    defined="(x > 0) | (x != floor(x))",
    ulps=(1.5, 1.0),
    domain=((0.4, 4.0),),
    price=8,
    floor=1.0,
)
polygamma: Op = pointwise(
    "polygamma",
    "The derivative of order n of digamma at x: (-1)^(n+1) n! ζ(n+1, x) (DLMF 5.15, 25.11.12); digamma where n is 0; "
    "nan where n is negative, not whole or above 169, where n! overflows. The derivative in x is polygamma(n + 1, x); "
    "in n there is none.",
    "M(polygamma)(a, b)",
    _polygamma,
    None,
    lambda out, n, x: polygamma(n + 1.0, x),
    defined="(n >= 0) & (n == floor(n)) & ((x > 0) | (x != floor(x)))",
    ulps=(8.0, 1.0),
    domain=((1.0, 1.0), (0.4, 4.0)),
    price=10,
    parameters=("n", "x"),
)


def _inverse_slope(out: Expr) -> Expr:
    """√π/2 e^(out²), the derivative of the inverse of erf."""
    return 0.5 * math.sqrt(math.pi) * gaussian(out, -1.0)


erfinv = pointwise(
    "erfinv",
    "The inverse of erf (Wichura 1988, AS 241): ±inf at ±1, nan outside [-1, 1]. The derivative is √π/2 e^(out²).",
    "M(erfinv)(a)",
    _erfinv,
    lambda out, x: _inverse_slope(out),
    defined="abs(x) < 1",
    ulps=(5.0, 0.51),
    domain=((-0.9, 0.9),),
    price=12,
)
erfcinv = pointwise(
    "erfcinv",
    "The inverse of erfc (Wichura 1988, AS 241): inf at 0, -inf at 2, nan outside [0, 2]. The derivative is -√π/2 "
    "e^(out²).",
    "M(erfcinv)(a)",
    _erfcinv,
    lambda out, x: -_inverse_slope(out),
    defined="(x > 0) & (x < 2)",
    ulps=(6.0, 0.51),
    domain=((0.1, 1.9),),
    price=12,
)
#: (-1)^k (2k - 1)!! / 2^k for k = 1 … 9: the asymptotic series of x √π erfcx(x) in 1 / x², DLMF 7.12.1.
_ERFCX_SERIES = tuple((-1.0) ** k * math.prod(range(1, 2 * k, 2)) / 2.0**k for k in range(1, 10))


def _erfcx_slope(out: Expr, x: Expr) -> Expr:
    """2 x out - 2/√π, which cancels for large x: there its asymptotic series."""
    far = greater(x, 20.0)
    z = 1.0 / (select(far, x, 20.0) * select(far, x, 20.0))
    series: Expr = z * _ERFCX_SERIES[-1]
    for coefficient in reversed(_ERFCX_SERIES[:-1]):
        series = (series + coefficient) * z
    return select(far, _TWO_OVER_ROOT_PI * series, 2.0 * x * out - _TWO_OVER_ROOT_PI)


erfcx = pointwise(
    "erfcx",
    "e^(x²) erfc(x) (DLMF 7.2.3): inf where e^(x²) overflows for x < 0, 0 at inf. The derivative is 2 x out - 2/√π.",
    "M(erfcx)(a)",
    _erfcx,
    _erfcx_slope,
    ulps=(2.0, 0.51),
    domain=((-3.0, 3.0),),
    price=15,
)
gamma = pointwise(
    "gamma",
    "Γ(x) (DLMF 5.2.1): ±inf at ±0, nan at negative integers and -inf, inf where it overflows. The derivative is out "
    "digamma(x).",
    "M(gamma)(a)",
    _gamma,
    lambda out, x: out * digamma(x),
    defined="(x > 0) | (x != floor(x))",
    ulps=(6.0, 0.51),
    domain=((0.4, 4.0),),
    price=35,
)
betaln = pointwise(
    "betaln",
    "log |B(x, y)|, B(x, y) = Γ(x) Γ(y) / Γ(x + y) (DLMF 5.12.1), without cancellation for large positive operands. "
    "Partials digamma(x) - digamma(x + y) and digamma(y) - digamma(x + y).",
    "M(betaln)(a, b)",
    _betaln,
    lambda out, x, y: digamma(x) - digamma(x + y),
    lambda out, x, y: digamma(y) - digamma(x + y),
    defined="(x > 0) & (y > 0)",
    ulps=(8.0, 1.0),
    domain=((0.4, 4.0), (0.4, 4.0)),
    price=60,
    floor=1.0,
)
