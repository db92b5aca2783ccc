"""Distributions of the gamma and the beta function: beta, gamma, t."""

from __future__ import annotations

from typing import Any

from ..arithmetic import add, divide, multiply, negative, square, subtract
from ..common import explained
from ..comparison import (
    greater,
    greater_equal,
    isnan_row,
    less,
    less_equal,
    logical_and_row,
    logical_or_row,
    select,
)
from ..entropies import xlog1py, xlogy
from ..incomplete import betainc, gammainc, stdtr
from ..special import betaln, gammaln
from ..transcendental import log, log1p
from .standard_variables import log_density, probability, standardised, supported


def _positive(shape: Any) -> Any:
    """A shape parameter, or 1 where it is none, so that nan and nothing else comes of it."""
    return select(greater(shape, 0.0), shape, 1.0)


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

    @staticmethod
    @explained
    def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`, by `pg.gammainc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.gamma.cdf(np.array([-1.0, 1.0]), 2.0).round(6)
            array([0.      , 0.264241])
        """
        y, scale, a = standardised(x, loc, scale, a)
        inside = logical_or_row(greater(y, 0.0), isnan_row(y))
        value = gammainc(_positive(a), supported(inside, y, 1.0))
        return probability(select(inside, value, 0.0), scale, a)


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

    @staticmethod
    @explained
    def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`, by `pg.betainc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.beta.cdf(np.array([0.5, 2.0]), 2.0, 3.0)
            array([0.6875, 1.    ])
        """
        y, scale, a, b = standardised(x, loc, scale, a, b)
        inside = logical_and_row(greater(y, 0.0), less(y, 1.0))
        inside = logical_or_row(inside, isnan_row(y))
        value = betainc(_positive(a), _positive(b), supported(inside, y, 0.5))
        return probability(select(inside, value, select(greater(y, 0.5), 1.0, 0.0)), scale, a, b)


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

    @staticmethod
    @explained
    def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`, by `pg.stdtr`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.t.cdf(np.array([0.0, 1.0]), 3.0).round(6)
            array([0.5     , 0.804499])
        """
        y, scale, df = standardised(x, loc, scale, df)
        return probability(stdtr(df, y), scale)
