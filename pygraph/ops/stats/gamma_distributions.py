"""Distributions of the gamma and the beta function: beta, gamma, t."""

from __future__ import annotations

from typing import Any

from ..arithmetic import add, divide, multiply, negative, square, subtract
from ..common import explained
from ..comparison import greater_equal, isnan_row, less_equal, logical_and_row, logical_or_row
from ..entropies import xlog1py, xlogy
from ..special import betaln, gammaln
from ..transcendental import log, log1p
from .standard_variables import log_density, standardised, supported


class gamma:
    """The gamma distribution of shape `a`, from `loc` on."""

    @staticmethod
    @explained
    def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; -inf below `loc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.gamma.logpdf(np.array([-1.0, 1.0]), 2.0)
            array([-inf,  -1.])
        """
        y, scale, a = standardised(x, loc, scale, a)
        inside = logical_or_row(greater_equal(y, 0.0), isnan_row(y))
        y = supported(inside, y, 1.0)
        return log_density(subtract(subtract(xlogy(subtract(a, 1.0), y), y), gammaln(a)), scale, inside)


class beta:
    """The beta distribution of shapes `a` and `b`, from `loc` to loc + scale."""

    @staticmethod
    @explained
    def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; -inf outside.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.beta.logpdf(np.array([0.5, 2.0]), 2.0, 3.0).round(6)
            array([0.405465,     -inf])
        """
        y, scale, a, b = standardised(x, loc, scale, a, b)
        inside = logical_and_row(greater_equal(y, 0.0), less_equal(y, 1.0))
        inside = logical_or_row(inside, isnan_row(y))
        y = supported(inside, y, 0.5)
        value = add(xlog1py(subtract(b, 1.0), negative(y)), xlogy(subtract(a, 1.0), y))
        return log_density(subtract(value, betaln(a, b)), scale, inside)


class t:
    """Student's distribution with `df` degrees of freedom."""

    @staticmethod
    @explained
    def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; `df` has to be finite.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.t.logpdf(np.array([0.0, 1.0]), 3.0).round(6)
            array([-1.000889, -1.576253])
        """
        y, scale, df = standardised(x, loc, scale, df)
        value = negative(add(betaln(multiply(0.5, df), 0.5), multiply(0.5, log(df))))
        tail = multiply(multiply(0.5, add(df, 1.0)), log1p(divide(square(y), df)))
        return log_density(subtract(value, tail), scale)
