"""Distributions of whole numbers: binom, poisson."""

from __future__ import annotations

import math
from typing import Any

from ..arithmetic import add, floor, negative, subtract
from ..common import explained
from ..comparison import (
    equal,
    floats,
    greater_equal,
    isnan_row,
    less,
    less_equal,
    logical_and_row,
    logical_or_row,
    select,
)
from ..entropies import xlog1py, xlogy
from ..incomplete import betaincc, gammaincc
from ..special import betaln, gammaln
from ..transcendental import log
from .standard_variables import supported


class poisson:
    """The Poisson distribution of mean `mu`, moved by `loc`."""

    @staticmethod
    @explained
    def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
        """The logarithm of the probability of `k`; -inf where it is not whole, or below `loc`; nan for negative `mu`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.poisson.logpmf(np.array([0, 2]), 3.0).round(6)
            array([-3.      , -1.495923])
        """
        k, mu, loc = floats(k, mu, loc)
        k = subtract(k, loc)
        inside = logical_or_row(logical_and_row(greater_equal(k, 0.0), equal(k, floor(k))), isnan_row(k))
        k = supported(inside, k, 0.0)
        value = subtract(subtract(xlogy(k, mu), gammaln(add(k, 1.0))), mu)
        return select(greater_equal(mu, 0.0), select(inside, value, -math.inf), math.nan)

    @staticmethod
    @explained
    def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
        """The probability of numbers up to `k`, by `pg.gammaincc`; nan for negative `mu`.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.poisson.cdf(np.array([-1, 0, 2]), 3.0).round(6)
            array([0.      , 0.049787, 0.42319 ])
        """
        k, mu, loc = floats(k, mu, loc)
        k = floor(subtract(k, loc))
        inside = logical_or_row(greater_equal(k, 0.0), isnan_row(k))
        right = greater_equal(mu, 0.0)
        value = gammaincc(add(supported(inside, k, 0.0), 1.0), select(right, mu, 1.0))
        return select(right, select(inside, value, 0.0), math.nan)


class binom:
    """The number of successes in `n` trials of probability `p`, moved by `loc`."""

    @staticmethod
    @explained
    def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
        """The logarithm of the probability of `k`; -inf where it is not whole, below `loc` or above loc + n.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.binom.logpmf(np.array([0, 2, 5]), 4, 0.5).round(6)
            array([-2.772589, -0.980829,      -inf])
        """
        k, n, p, loc = floats(k, n, p, loc)
        k = subtract(k, loc)
        inside = logical_and_row(logical_and_row(greater_equal(k, 0.0), less_equal(k, n)), equal(k, floor(k)))
        inside = logical_or_row(inside, isnan_row(k))
        k = supported(inside, k, 0.0)
        rest = subtract(n, k)
        ways = negative(add(log(add(n, 1.0)), betaln(add(rest, 1.0), add(k, 1.0))))
        value = add(add(ways, xlogy(k, p)), xlog1py(rest, negative(p)))
        right = logical_and_row(greater_equal(p, 0.0), less_equal(p, 1.0))
        return select(right, select(inside, value, -math.inf), math.nan)

    @staticmethod
    @explained
    def cdf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
        """The probability of numbers up to `k`, by `pg.betaincc`; nan where `p` is not from 0 to 1.

        Raises:
            ShapeError: shapes that do not broadcast.

        Example:
            >>> pg.stats.binom.cdf(np.array([-1, 0, 2, 4]), 4, 0.5)
            array([0.    , 0.0625, 0.6875, 1.    ])
        """
        k, n, p, loc = floats(k, n, p, loc)
        k = floor(subtract(k, loc))
        inside = logical_or_row(logical_and_row(greater_equal(k, 0.0), less(k, n)), isnan_row(k))
        right = logical_and_row(greater_equal(p, 0.0), less_equal(p, 1.0))
        beyond = select(less(k, 0.0), 0.0, 1.0)
        k = supported(inside, k, 0.0)
        value = betaincc(add(k, 1.0), select(less(k, n), subtract(n, k), 1.0), select(right, p, 0.5))
        right = logical_and_row(right, greater_equal(n, 0.0))
        return select(right, select(inside, value, beyond), math.nan)
