"""Functions made of the gamma function: beta, binom, comb, factorial, loggamma, multigammaln, psi."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DomainError, UnsupportedError
from ..arithmetic import absolute, add, divide, floor, multiply, round_row, subtract
from ..common import explained
from ..comparison import (
    astype,
    equal,
    floating,
    floats,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and_row,
    select,
    stop_gradient,
)
from ..special import betaln, digamma, gamma, gammaln
from ..transcendental import exp


@explained
def psi(x: Any) -> Any:
    """The derivative of log Γ, as `digamma`.

    Example:
        >>> pg.psi(np.array([1.0])).round(6)
        array([-0.577216])
    """
    return digamma(floating(x))


@explained
def loggamma(x: Any) -> Any:
    """log Γ(x) for x >= 0; nan below, where Γ has complex logarithms. inf at 0 and inf.

    Example:
        >>> pg.loggamma(np.array([0.5, -0.5])).round(6)
        array([0.572365,      nan])
    """
    x = floating(x)
    return select(less(x, 0.0), x.dtype.type(np.nan), gammaln(x))


def _sign(x: Any) -> Any:
    """The sign of Γ(x): that of (-1)^floor(x) below zero, else 1."""
    half = multiply(floor(x), 0.5)
    return select(logical_and_row(less(x, 0.0), greater(half, floor(half))), -1.0, 1.0)


@explained
def beta(a: Any, b: Any) -> Any:
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b) (DLMF 5.12.1), by `betaln`; inf or nan where one of them has a pole.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.beta(np.array([1.0, 2.0]), 3.0).round(6)
        array([0.333333, 0.083333])
    """
    a, b = floats(a, b)
    dtype = a.dtype
    a, b = astype(a, np.float64), astype(b, np.float64)
    signs = multiply(multiply(_sign(a), _sign(b)), _sign(add(a, b)))
    return astype(multiply(signs, exp(betaln(a, b))), dtype)


@explained
def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function: d (d - 1) / 4 log π + Σ log Γ(a - j / 2), j = 0 … d - 1.

    Args:
        a: more than (d - 1) / 2; elsewhere the result has no meaning.
        d: the dimension, known when recording.

    Raises:
        DomainError: a dimension that is no positive int.

    Example:
        >>> pg.multigammaln(np.array([2.5]), 2).round(6)
        array([0.857048])
    """
    if not np.issubdtype(type(d), np.integer) or d < 1:
        raise DomainError(f"the dimension is {d}", "give a positive int")
    a = floating(a)
    total = gammaln(a)
    for j in range(1, int(d)):
        total = add(total, gammaln(subtract(a, 0.5 * j)))
    return add(total, d * (d - 1) * 0.25 * math.log(math.pi))


@explained
def factorial(n: Any, exact: bool = False) -> Any:
    """n! = Γ(n + 1), 0 for n < 0; of numbers that are not whole the gamma function's value. float64 for integers.

    Raises:
        UnsupportedError: with `exact`.

    Example:
        >>> pg.factorial(np.array([0, 3, 5]))
        array([  1.,   6., 120.])
    """
    if exact:
        raise UnsupportedError("exact=True", "leave it out: results are floating")
    n = floating(n)
    below = less(n, 0.0)
    return select(below, n.dtype.type(0.0), gamma(add(select(below, n.dtype.type(0.0), n), 1.0)))


@explained
def binom(n: Any, k: Any) -> Any:
    """The binomial coefficient Γ(n + 1) / (Γ(k + 1) Γ(n - k + 1)); whole where the operands are, up to 2^53.

    nan where `n` is a negative integer. The derivative is nan where `k` is a whole number below 0 or beyond a whole
    `n`, where the value is 0.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.binom(np.array([5.0, 5.5]), 2.0)
        array([10.   , 12.375])
    """
    n, k = floats(n, k)
    dtype = n.dtype
    n, k = astype(n, np.float64), astype(k, np.float64)
    value = divide(1.0, multiply(add(n, 1.0), beta(add(1.0, subtract(n, k)), add(k, 1.0))))
    whole = logical_and_row(equal(n, floor(n)), equal(k, floor(k)))
    small = logical_and_row(whole, less(absolute(value), 2.0**53))
    rounded = add(value, stop_gradient(subtract(round_row(value), value)))
    undefined = logical_and_row(less(n, 0.0), equal(n, floor(n)))
    return astype(select(undefined, np.nan, select(small, rounded, value)), dtype)


@explained
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """The number of ways to choose `k` of `N` things, `binom(N, k)`; 0 where `k` is negative or more than `N`.

    Args:
        N: the number of things.
        k: how many are chosen.
        exact: not supported.
        repetition: whether a thing can be chosen several times.

    Raises:
        ShapeError: shapes that do not broadcast; UnsupportedError: with `exact`.

    Example:
        >>> pg.comb(np.array([5, 2]), 3)
        array([10.,  0.])
    """
    if exact:
        raise UnsupportedError("exact=True", "leave it out: results are floating")
    N, k = floats(N, k)
    if repetition:
        return comb(subtract(add(N, k), 1.0), k)
    possible = logical_and_row(less_equal(k, N), logical_and_row(greater_equal(N, 0.0), greater_equal(k, 0.0)))
    value = binom(select(possible, N, 1.0), select(possible, k, 1.0))
    return select(possible, value, value.dtype.type(0.0))
