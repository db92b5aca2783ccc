"""Rows of the exponential, logarithmic, trigonometric and hyperbolic functions, and those built like them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .common import pointwise
from .expr import Expr
from .row import Op

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "sigmoid",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "tan",
    "tanh",
]

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)
_REAL = (-3.0, 3.0)
_POSITIVE = (0.3, 3.0)
_INSIDE = (-0.9, 0.9)

exp = pointwise(
    "exp",
    "e^x; 0 at -inf, inf at inf and above the overflow threshold.",
    "M(exp)(a)",
    np.exp,
    lambda out, x: out,
    cure="pg.softmax, pg.logsumexp and pg.sigmoid stay finite where the exponentials of their parts do not",
    ulps=(1.0, 1.1),
    domain=(_REAL,),
    price=3,
)
expm1 = pointwise(
    "expm1",
    "e^x - 1 without cancellation near 0; -1 at -inf. The derivative is e^x, not out + 1, which cancels for x << 0.",
    "M(expm1)(a)",
    np.expm1,
    lambda out, x: exp(x),
    ulps=(1.0, 1.7),
    domain=(_REAL,),
    price=4,
)
exp2 = pointwise(
    "exp2",
    "2^x; 0 at -inf, inf at inf.",
    "M(exp2)(a)",
    np.exp2,
    lambda out, x: out * _LN2,
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    price=3,
)
log = pointwise(
    "log",
    "Natural logarithm; -inf at both zeros, nan below.",
    "M(log)(a)",
    np.log,
    lambda out, x: 1.0 / x,
    defined="x > 0",
    cure="pg.log_softmax, pg.logsumexp and pg.xlogy stay finite where the logarithm of their parts does not",
    ulps=(1.0, 1.0),
    domain=(_POSITIVE,),
    price=3,
)
log1p = pointwise(
    "log1p",
    "log(1 + x) without cancellation near 0; -inf at -1, nan below.",
    "M(log1p)(a)",
    np.log1p,
    lambda out, x: 1.0 / (1.0 + x),
    defined="x > -1",
    ulps=(1.0, 1.6),
    domain=((-0.7, 3.0),),
    price=5,
)
log2 = pointwise(
    "log2",
    "Logarithm to base 2; -inf at both zeros, nan below.",
    "M(log2)(a)",
    np.log2,
    lambda out, x: (1.0 / _LN2) / x,
    defined="x > 0",
    ulps=(1.0, 1.0),
    domain=(_POSITIVE,),
    price=4,
)
log10 = pointwise(
    "log10",
    "Logarithm to base 10; -inf at both zeros, nan below.",
    "M(log10)(a)",
    np.log10,
    lambda out, x: (1.0 / _LN10) / x,
    defined="x > 0",
    ulps=(1.0, 1.0),
    domain=(_POSITIVE,),
    price=4,
)
sqrt = pointwise(
    "sqrt",
    "Square root; -0 at -0, nan below; the derivative 0.5 / out is inf at 0.",
    "M(sqrt)(a)",
    np.sqrt,
    lambda out, x: 0.5 / out,
    defined="x >= 0",
    smooth="x > 0",
    cure="the norm of a vector is np.linalg.norm(x), and that of two numbers np.hypot(x, y)",
    domain=(_POSITIVE,),
    price=2,
    exact=True,
)
cbrt = pointwise(
    "cbrt",
    "Cube root, with the sign of x; the derivative 1 / (3 out²) is inf at 0.",
    "M(cbrt)(a)",
    np.cbrt,
    lambda out, x: (1.0 / 3.0) / (out * out),
    smooth="x != 0",
    ulps=(1.0, 1.0),
    domain=(_POSITIVE,),
    price=5,
)
sin = pointwise(
    "sin",
    "Sine of radians; nan at ±inf.",
    "M(sin)(a)",
    np.sin,
    lambda out, x: cos(x),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    fast=("M(sin_ok)(a)", "M(sin_core)(a)"),
    price=3,
)
cos: Op = pointwise(
    "cos",
    "Cosine of radians; nan at ±inf.",
    "M(cos)(a)",
    np.cos,
    lambda out, x: -sin(x),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    fast=("M(cos_ok)(a)", "M(cos_core)(a)"),
    price=3,
)
tan = pointwise(
    "tan",
    "Tangent of radians; nan at ±inf.",
    "M(tan)(a)",
    np.tan,
    lambda out, x: 1.0 + out * out,
    ulps=(1.0, 1.0),
    domain=((-1.2, 1.2),),
    fast=("M(tan_ok)(a)", "M(tan_core)(a)"),
    price=5,
)
arcsin = pointwise(
    "arcsin",
    "Inverse sine in [-π/2, π/2]; nan outside [-1, 1]. The derivative 1 / sqrt((1-x)(1+x)) is inf at ±1.",
    "M(arcsin)(a)",
    np.arcsin,
    lambda out, x: 1.0 / sqrt((1.0 - x) * (1.0 + x)),
    defined="abs(x) <= 1",
    smooth="abs(x) < 1",
    ulps=(0.75, 0.51),
    domain=(_INSIDE,),
    price=12,
)
arccos = pointwise(
    "arccos",
    "Inverse cosine in [0, π]; nan outside [-1, 1]. The derivative -1 / sqrt((1-x)(1+x)) is -inf at ±1.",
    "M(arccos)(a)",
    np.arccos,
    lambda out, x: -1.0 / sqrt((1.0 - x) * (1.0 + x)),
    defined="abs(x) <= 1",
    smooth="abs(x) < 1",
    ulps=(0.75, 0.51),
    domain=(_INSIDE,),
    price=13,
)
arctan = pointwise(
    "arctan",
    "Inverse tangent in [-π/2, π/2]; ±π/2 at ±inf.",
    "M(arctan)(a)",
    np.arctan,
    lambda out, x: 1.0 / (1.0 + x * x),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    price=7,
)


def _over_hypot_squared(numerator: Expr, x: Expr, y: Expr) -> Expr:
    """numerator / (x² + y²) without overflow of the squares."""
    radius = hypot(x, y)
    return numerator / radius / radius


arctan2 = pointwise(
    "arctan2",
    "Angle in [-π, π] of the point (x, y), y being the ordinate; at zeros and infinities as C's atan2. Partials "
    "x / (x² + y²) and -y / (x² + y²), nan at the origin.",
    "M(arctan2)(a, b)",
    np.arctan2,
    lambda out, y, x: _over_hypot_squared(x, x, y),
    lambda out, y, x: _over_hypot_squared(-y, x, y),
    smooth="(x != 0) | (y != 0)",
    ulps=(0.84, 0.51),
    domain=(_REAL, _POSITIVE),
    price=28,
    parameters=("y", "x"),
)
sinh = pointwise(
    "sinh",
    "Hyperbolic sine; ±inf at ±inf.",
    "M(sinh)(a)",
    np.sinh,
    lambda out, x: cosh(x),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    price=5,
)
cosh: Op = pointwise(
    "cosh",
    "Hyperbolic cosine; inf at ±inf.",
    "M(cosh)(a)",
    np.cosh,
    lambda out, x: sinh(x),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    price=5,
)
tanh = pointwise(
    "tanh",
    "Hyperbolic tangent; ±1 at ±inf. The derivative is 1 - out².",
    "M(tanh)(a)",
    np.tanh,
    lambda out, x: 1.0 - out * out,
    ulps=(1.0, 1.5),
    domain=(_REAL,),
    price=6,
)
arcsinh = pointwise(
    "arcsinh",
    "Inverse hyperbolic sine; ±inf at ±inf. The derivative 1 / sqrt(x² + 1) is written with hypot, which can't "
    "overflow.",
    "M(arcsinh)(a)",
    np.arcsinh,
    lambda out, x: 1.0 / hypot(x, 1.0),
    ulps=(1.0, 1.0),
    domain=(_REAL,),
    price=8,
)
arccosh = pointwise(
    "arccosh",
    "Inverse hyperbolic cosine; nan below 1, 0 at 1 with derivative inf.",
    "M(arccosh)(a)",
    np.arccosh,
    lambda out, x: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),
    defined="x >= 1",
    smooth="x > 1",
    ulps=(1.0, 1.0),
    domain=((1.3, 4.0),),
    price=8,
)
arctanh = pointwise(
    "arctanh",
    "Inverse hyperbolic tangent; ±inf at ±1, nan beyond. The derivative is 1 / ((1-x)(1+x)).",
    "M(arctanh)(a)",
    np.arctanh,
    lambda out, x: 1.0 / ((1.0 - x) * (1.0 + x)),
    defined="abs(x) < 1",
    ulps=(1.0, 1.0),
    domain=(_INSIDE,),
    price=6,
)
hypot: Op = pointwise(
    "hypot",
    "sqrt(x² + y²) without overflow; inf when either is infinite, even beside nan. Partials x / out and y / out, nan "
    "at the origin.",
    "M(hypot)(a, b)",
    np.hypot,
    lambda out, x, y: x / out,
    lambda out, x, y: y / out,
    smooth="(x != 0) | (y != 0)",
    ulps=(0.84, 0.51),
    domain=(_REAL, _POSITIVE),
    price=5,
)
logaddexp = pointwise(
    "logaddexp",
    "log(e^x + e^y) as max + log1p(e^-|x-y|); -inf for two -inf. Partials sigmoid(x - y) and sigmoid(y - x), nan for "
    "two equal infinities.",
    "M(logaddexp)(a, b)",
    np.logaddexp,
    lambda out, x, y: sigmoid(x - y),
    lambda out, x, y: sigmoid(y - x),
    ulps=(1.0, 1.0),
    domain=(_REAL, _REAL),
    price=11,
    floor=1.0,
)


def _sigmoid(x: npt.NDArray[Any]) -> Any:
    decay = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1 / (1 + decay), decay / (1 + decay))


sigmoid: Op = pointwise(
    "sigmoid",
    "1 / (1 + e^-x), through e^-|x| so that nothing overflows; 0 at -inf, 1 at inf. The derivative is out (1 - out).",
    "M(sigmoid)(a)",
    _sigmoid,
    lambda out, x: out * (1.0 - out),
    ulps=(1.0, 2.5),
    domain=(_REAL,),
    price=5,
)


def _silu(x: npt.NDArray[Any]) -> Any:
    root = np.exp(-0.5 * np.abs(x))  # e^-|x| may be subnormal where the result is not
    positive = np.greater_equal(x, 0)
    return np.where(positive, x, x * root) * np.where(positive, 1.0, root) / (1 + root * root)


silu_row: Op = pointwise(
    "silu",
    "a / (1 + e^-a), also where sigmoid(a) is subnormal and this is not; nan at -inf. The derivative is sigmoid(a) + "
    "out (1 - sigmoid(a)).",
    "M(silu)(a)",
    _silu,
    lambda out, x: _silu_slope(out, sigmoid(x)),
    ulps=(1.5, 2.7),
    domain=(_REAL,),
    price=9,
)


def _silu_slope(out: Expr, share: Expr) -> Expr:
    return share + out * (1.0 - share)


gaussian: Op = pointwise(
    "gaussian",
    "e^(-b a²), the exponent in twice the precision, so that nothing is lost for large a. Partials -2 a b out and -a² "
    "out.",
    "M(gaussian)(a, b)",
    lambda x, b: np.exp(-np.square(x, dtype=np.float64) * b).astype(np.result_type(x, b)),
    lambda out, x, b: -2.0 * x * b * out,
    lambda out, x, b: -(x * x) * out,
    ulps=(0.75, 0.51),
    domain=(_REAL, _POSITIVE),
    price=5,
)
softplus = pointwise(
    "softplus",
    "log(1 + e^x) as max(x, 0) + log1p(e^-|x|); 0 at -inf, inf at inf. The derivative is sigmoid(x).",
    "M(softplus)(a)",
    lambda x: np.logaddexp(x, 0),
    lambda out, x: sigmoid(x),
    ulps=(1.0, 1.8),
    domain=(_REAL,),
    price=10,
)
