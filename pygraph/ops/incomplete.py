"""Rows of the regularised incomplete gamma functions, P(a, x) and Q(a, x), and beta functions, I_x(a, b)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arithmetic import square
from .common import pointwise, pointwise_shape
from .comparison import astype, greater, less, logical_and_row, select
from .expr import Expr
from .incomplete_reference import (
    beta_density as _beta_density,
    betainc as _betainc,
    betaincc as _betaincc,
    gamma_density as _gamma_density,
    gammainc as _gammainc,
    gammaincc as _gammaincc,
    stdtr as _stdtr,
)
from .random_draws import log_gamma_slope
from .row import Family, Op, register
from .special import betaln, digamma
from .transcendental import exp, log, log1p, sqrt

__all__ = ["betainc", "betaincc", "gammainc", "gammaincc", "stdtr"]


def _slope_in_a(a: Expr, x: Expr) -> Expr:
    """dP/da = -x dP/dx log_gamma_slope(a, log x); 0 at both ends of the distribution, where x is 0 or inf."""
    inside = logical_and_row(greater(x, 0.0), less(x, float("inf")))
    at = select(inside, x, 1.0)
    return select(inside, -(at * gamma_density(a, at) * log_gamma_slope(a, log(at))), 0.0)


gamma_density: Op = pointwise(
    "gamma_density",
    "x^(a - 1) e^-x / Γ(a), the density of the gamma distribution; at 0 it is inf for a < 1 and 1 for a = 1. Partials "
    "out (log x - digamma(a)) and out ((a - 1) / x - 1).",
    "M(gamma_density)(a, b)",
    _gamma_density,
    lambda out, a, x: out * (log(x) - digamma(a)),
    lambda out, a, x: out * ((a - 1.0) / x - 1.0),
    defined="(a >= 0) & (x > 0) | (a >= 1) & (x == 0)",
    smooth="(a > 0) & (x > 0)",
    domain=((0.3, 6.0), (0.2, 8.0)),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=90,
    floor=8.0,
    parameters=("a", "x"),
)
gammainc: Op = pointwise(
    "gammainc",
    "The regularised lower incomplete gamma function P(a, x) (DLMF 8.2.4), as scipy.special.gammainc: nan for negative "
    "operands, at (0, 0) and at (inf, inf). The derivative in x is x^(a - 1) e^-x / Γ(a), that in a by quadrature "
    "(implicit differentiation: Figurnov, Mohamed and Mnih, 2018).",
    "M(gammainc)(a, b)",
    _gammainc,
    lambda out, a, x: _slope_in_a(a, x),
    lambda out, a, x: gamma_density(a, x),
    defined="(a >= 0) & (x >= 0) & ((a > 0) | (x > 0))",
    smooth="(a > 0) & (x > 0) | (a >= 1) & (x == 0)",
    ulps=(12.0, 0.51),
    domain=((0.3, 6.0), (0.2, 8.0)),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=180,
    floor=8.0,
    parameters=("a", "x"),
)
gammaincc: Op = pointwise(
    "gammaincc",
    "The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x) (DLMF 8.2.4), without cancellation where it "
    "is small, as scipy.special.gammaincc: nan for negative operands, at (0, 0) and at (inf, inf). Its derivatives are "
    "those of gammainc with the other sign.",
    "M(gammaincc)(a, b)",
    _gammaincc,
    lambda out, a, x: -_slope_in_a(a, x),
    lambda out, a, x: -gamma_density(a, x),
    defined="(a >= 0) & (x >= 0) & ((a > 0) | (x > 0))",
    smooth="(a > 0) & (x > 0) | (a >= 1) & (x == 0)",
    ulps=(14.0, 0.51),
    domain=((0.3, 6.0), (0.2, 8.0)),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=180,
    floor=8.0,
    parameters=("a", "x"),
)


def _by_differences(function: Callable[[Expr], Expr], at: Expr, like: Expr) -> Expr:
    """A derivative by quotients of differences at six points, in float64: good to about nine digits."""
    wide = astype(at, np.float64)
    step = 0.03 * wide / sqrt(1.0 + wide)

    def difference(k: int) -> Expr:
        return function(wide + k * step) - function(wide - k * step)

    found: Expr = (45.0 * difference(1) - 9.0 * difference(2) + difference(3)) / (60.0 * step)
    narrow: Expr = astype(found, like.dtype)
    return narrow


def _wide(x: Expr) -> Expr:
    found: Expr = astype(x, np.float64)
    return found


def _of_three(
    name: str,
    doc: str,
    reference: Any,
    in_x: Any,
    in_shapes: Any,
    price: int,
    defined: str,
    smooth: str,
    ulps: tuple[float, float] | None = None,
) -> Op:
    """A row of (a, b, x)."""
    in_a, in_b = in_shapes
    return register(
        Op(
            name,
            Family.ELEMENTWISE,
            3,
            doc,
            parameters=("a", "b", "x"),
            kinds="f",
            shape=pointwise_shape,
            reference=reference,
            partials=(in_a, in_b, in_x),
            c=f"M({name})(a, b, c)",
            defined=defined,
            smooth=smooth,
            ulps=ulps,
            domain=((0.6, 5.0), (0.6, 5.0), (0.08, 0.9)),
            edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
            price=price,
            floor=16.0,
        )
    )


#: Where the density of the beta distribution is not infinite at an end.
_NO_POLE = "((x > 0) | (a >= 1)) & ((x < 1) | (b >= 1))"
_SHARES = "(a >= 0) & (b >= 0) & ((a > 0) | (b > 0)) & (x >= 0) & (x <= 1)"
_SLOPES = f"(a > 0) & (b > 0) & (x >= 0) & (x <= 1) & {_NO_POLE}"

beta_density: Op = _of_three(
    "beta_density",
    "x^(a - 1) (1 - x)^(b - 1) / B(a, b), the density of the beta distribution; at an end inf where its power is below "
    "0. Partials out (log x - digamma(a) + digamma(a + b)), the like for b, and out ((a - 1) / x - (b - 1) / (1 - x)).",
    _beta_density,
    lambda out, a, b, x: out * ((a - 1.0) / x - (b - 1.0) / (1.0 - x)),
    (
        lambda out, a, b, x: out * (log(x) - digamma(a) + digamma(a + b)),
        lambda out, a, b, x: out * (log1p(-x) - digamma(b) + digamma(a + b)),
    ),
    120,
    _SLOPES,
    "(a > 0) & (b > 0) & (x > 0) & (x < 1)",
)
betainc: Op = _of_three(
    "betainc",
    "The regularised incomplete beta function I_x(a, b) (DLMF 8.17.2), as scipy.special.betainc: nan for negative a "
    "and b and for x outside of [0, 1]. The derivative in x is x^(a - 1) (1 - x)^(b - 1) / B(a, b); those "
    "in a and b are by differences, good to about nine digits.",
    _betainc,
    lambda out, a, b, x: beta_density(a, b, x),
    (
        lambda out, a, b, x: _by_differences(lambda a: betainc(a, _wide(b), _wide(x)), a, out),
        lambda out, a, b, x: _by_differences(lambda b: betainc(_wide(a), b, _wide(x)), b, out),
    ),
    200,
    _SHARES,
    _SLOPES,
    (48.0, 0.51),
)
betaincc: Op = _of_three(
    "betaincc",
    "1 - I_x(a, b), the complement of betainc without cancellation where it is small, as scipy.special.betaincc. Its "
    "derivatives are those of betainc with the other sign.",
    _betaincc,
    lambda out, a, b, x: -beta_density(a, b, x),
    (
        lambda out, a, b, x: _by_differences(lambda a: betaincc(a, _wide(b), _wide(x)), a, out),
        lambda out, a, b, x: _by_differences(lambda b: betaincc(_wide(a), b, _wide(x)), b, out),
    ),
    200,
    _SHARES,
    _SLOPES,
)


def _t_density(out: Expr, df: Expr, t: Expr) -> Expr:
    return exp(-0.5 * (df + 1.0) * log1p(square(t) / df) - betaln(0.5 * df, 0.5) - 0.5 * log(df))


stdtr: Op = pointwise(
    "stdtr",
    "The probability that Student's t with df degrees of freedom is at most t, as scipy.special.stdtr: nan where df is "
    "not positive. The derivative in t is the density, that in df by differences.",
    "M(stdtr)(a, b)",
    _stdtr,
    lambda out, df, t: _by_differences(lambda df: stdtr(df, _wide(t)), df, out),
    _t_density,
    defined="df > 0",
    domain=((0.6, 9.0), (-4.0, 4.0)),
    edges=False,  # tests/ops/test_incomplete_functions.py compares them with SciPy's
    price=250,
    floor=8.0,
    parameters=("df", "t"),
)
