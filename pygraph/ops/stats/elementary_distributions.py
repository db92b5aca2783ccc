"""Distributions with elementary functions: expon, laplace, logistic, lognorm, norm, uniform."""

from __future__ import annotations

import math
from typing import Any

from ..arithmetic import absolute, add, divide, maximum, minimum, multiply, negative, square, subtract
from ..common import explained
from ..comparison import greater, greater_equal, isnan_row, less_equal, logical_and_row, logical_or_row, select
from ..functions.normal_functions import ndtr
from ..transcendental import exp, expm1, log, sigmoid, softplus
from .standard_variables import log_density, probability, standardised, supported

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class norm:
    """The normal distribution: mean `loc`, standard deviation `scale`."""

    @staticmethod
    @explained
    def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.norm.logpdf(np.array([0.0, 1.0])).round(6)
            array([-0.918939, -1.418939])
        """
        y, scale = standardised(x, loc, scale)
        return log_density(subtract(multiply(-0.5, square(y)), _HALF_LOG_TWO_PI), scale)

    @staticmethod
    @explained
    def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.norm.cdf(np.array([0.0, 1.0])).round(6)
            array([0.5     , 0.841345])
        """
        y, scale = standardised(x, loc, scale)
        return probability(ndtr(y), scale)


class lognorm:
    """The distribution of loc + scale e^(s z), z standard normal."""

    @staticmethod
    @explained
    def logpdf(x: Any, s: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; -inf up to `loc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.lognorm.logpdf(np.array([0.0, 1.0]), 0.5).round(6)
            array([     -inf, -0.225791])
        """
        y, scale, s = standardised(x, loc, scale, s)
        inside = logical_or_row(greater(y, 0.0), isnan_row(y))
        logarithm = log(supported(inside, y, 1.0))
        value = subtract(multiply(-0.5, square(divide(logarithm, s))), add(add(log(s), logarithm), _HALF_LOG_TWO_PI))
        return log_density(value, scale, inside)

    @staticmethod
    @explained
    def cdf(x: Any, s: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.lognorm.cdf(np.array([0.0, 1.0]), 0.5)
            array([0. , 0.5])
        """
        y, scale, s = standardised(x, loc, scale, s)
        inside = logical_or_row(greater(y, 0.0), isnan_row(y))
        return probability(select(inside, ndtr(divide(log(supported(inside, y, 1.0)), s)), 0.0), scale)


class expon:
    """The exponential distribution from `loc` on, of mean loc + scale."""

    @staticmethod
    @explained
    def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; -inf below `loc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.expon.logpdf(np.array([-1.0, 1.0]))
            array([-inf,  -1.])
        """
        y, scale = standardised(x, loc, scale)
        inside = logical_or_row(greater_equal(y, 0.0), isnan_row(y))
        return log_density(negative(supported(inside, y, 0.0)), scale, inside)

    @staticmethod
    @explained
    def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.expon.cdf(np.array([-1.0, 1.0])).round(6)
            array([0.      , 0.632121])
        """
        y, scale = standardised(x, loc, scale)
        inside = logical_or_row(greater_equal(y, 0.0), isnan_row(y))
        return probability(select(inside, negative(expm1(negative(supported(inside, y, 0.0)))), 0.0), scale)


class laplace:
    """The Laplace distribution about `loc`, of density e^(-|x - loc| / scale) / (2 scale)."""

    @staticmethod
    @explained
    def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; its derivative is 0 at `loc`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.laplace.logpdf(np.array([0.0, 1.0])).round(6)
            array([-0.693147, -1.693147])
        """
        y, scale = standardised(x, loc, scale)
        return log_density(subtract(-math.log(2.0), absolute(y)), scale)

    @staticmethod
    @explained
    def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.laplace.cdf(np.array([0.0, -1.0])).round(6)
            array([0.5    , 0.18394])
        """
        y, scale = standardised(x, loc, scale)
        above = greater(y, 0.0)
        half = multiply(0.5, exp(select(above, negative(y), y)))
        return probability(select(above, subtract(1.0, half), half), scale)


class logistic:
    """The logistic distribution about `loc`."""

    @staticmethod
    @explained
    def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.logistic.logpdf(np.array([0.0, 1.0])).round(6)
            array([-1.386294, -1.626523])
        """
        y, scale = standardised(x, loc, scale)
        return log_density(negative(add(softplus(y), softplus(negative(y)))), scale)

    @staticmethod
    @explained
    def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.logistic.cdf(np.array([0.0, 1.0])).round(6)
            array([0.5     , 0.731059])
        """
        y, scale = standardised(x, loc, scale)
        return probability(sigmoid(y), scale)


class uniform:
    """The uniform distribution from `loc` to loc + scale."""

    @staticmethod
    @explained
    def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The logarithm of the density at `x`; -inf outside.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.uniform.logpdf(np.array([0.5, 2.0])).round(6)
            array([  0., -inf])
        """
        y, scale = standardised(x, loc, scale)
        inside = logical_and_row(greater_equal(y, 0.0), less_equal(y, 1.0))
        return log_density(multiply(0.0, y), scale, logical_or_row(inside, isnan_row(y)))

    @staticmethod
    @explained
    def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
        """The probability of values up to `x`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.uniform.cdf(np.array([0.5, 2.0]))
            array([0.5, 1. ])
        """
        y, scale = standardised(x, loc, scale)
        return probability(minimum(maximum(y, 0.0), 1.0), scale)
