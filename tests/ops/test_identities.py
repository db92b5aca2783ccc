"""Identities that hold for any operands: of sums, orders, products and convolutions, compiled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import pygraph as pg


def shifted_exponentials(rng: np.random.Generator, n: int) -> Any:
    """log Σ exp(x + c) = c + log Σ exp(x)."""
    x, c = rng.normal(0.0, 50.0, (3, n)), rng.normal(0.0, 500.0)
    return lambda x, c: (pg.logsumexp(x + c, axis=-1), c + pg.logsumexp(x, axis=-1)), (x, c)


def sorted_by_places(rng: np.random.Generator, n: int) -> Any:
    """Sorting is taking in the order of argsort, ties and nan included."""
    x = rng.integers(-3, 4, (3, n)) / np.where(rng.random((3, n)) < 0.1, np.nan, 2.0)
    return lambda x: (np.sort(x, axis=-1), np.take_along_axis(x, np.argsort(x, axis=-1), axis=-1)), (x,)


def sums_by_a_triangle(rng: np.random.Generator, n: int) -> Any:
    """A cumulative sum is the product with a triangle of ones."""
    return lambda x: (np.cumsum(x, axis=0), np.tri(n) @ x), (rng.normal(size=(n, 2)),)


def sums_by_loops(rng: np.random.Generator, n: int) -> Any:
    """einsum is the sum over all indices that the result does not have."""
    a, b, c = rng.normal(size=(2, n)), rng.normal(size=(n, 3)), rng.normal(size=(3, 2))

    def both(a: Any, b: Any, c: Any) -> Any:
        looped = [
            sum(a[i, j] * b[j, k] * c[k, i] for j, k in product(range(n), range(3))) + 0.0 * c[0, i] for i in range(2)
        ]
        return np.einsum("ij,jk,ki->i", a, b, c), np.stack(looped)

    return both, (a, b, c)


def convolution_by_sums(rng: np.random.Generator, n: int) -> Any:
    """A convolution is the sum over all pairs of elements whose places add up."""
    x, y = rng.normal(size=n), rng.normal(size=3)

    def both(x: Any, y: Any) -> Any:
        direct = [sum((x[i] * y[k - i] for i in range(n) if 0 <= k - i < 3), start=0.0 * x[0]) for k in range(n + 2)]
        return np.convolve(x, y), np.stack(direct)

    return both, (x, y)


def convolution_by_polynomials(rng: np.random.Generator, n: int) -> Any:
    """The values of a product of polynomials are the products of their values."""
    x, y, at = rng.normal(size=n), rng.normal(size=4), rng.uniform(-1.0, 1.0, 5)
    return lambda x, y, at: (np.polyval(np.convolve(x, y), at), np.polyval(x, at) * np.polyval(y, at)), (x, y, at)


def determinant_of_a_product(rng: np.random.Generator, n: int) -> Any:
    a, b = rng.normal(size=(2, 2, n, n)) + 2.0 * np.sqrt(n) * np.eye(n)
    return lambda a, b: (np.linalg.det(a @ b), np.linalg.det(a) * np.linalg.det(b)), (a, b)


IDENTITIES: list[Callable[[np.random.Generator, int], Any]] = [
    shifted_exponentials,
    sorted_by_places,
    sums_by_a_triangle,
    sums_by_loops,
    convolution_by_sums,
    convolution_by_polynomials,
    determinant_of_a_product,
]


@pytest.mark.parametrize("identity", IDENTITIES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9))
def test_both_sides_are_equal(identity: Callable[[np.random.Generator, int], Any], seed: int, n: int) -> None:
    function, arguments = identity(np.random.default_rng(seed), n)
    one, other = pg.compile(function, backend="vm")(*arguments)
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * max(1.0, float(np.nanmax(np.abs(one), initial=0.0))))
