"""Convolutions and pooling: values against plain sums and SciPy, derivatives, batches, edges and errors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.signal

import pygraph as pg

Array = npt.NDArray[Any]
RNG = np.random.default_rng(23)


def by_sums(x: Array, kernel: Array, stride: int, pad: int, expansion: int, dilation: int, groups: int) -> Array:
    """A convolution as it is defined, of a padded and dilated input."""
    ndim = x.ndim - 2
    wide = np.zeros((len(x), *((n - 1) * expansion + 1 + 2 * pad for n in x.shape[1:-1]), x.shape[-1]), x.dtype)
    wide[(slice(None), *(slice(pad, n - pad, expansion) for n in wide.shape[1:-1]))] = x
    sizes = [
        (n - (k - 1) * dilation - 1) // stride + 1 for n, k in zip(wide.shape[1:], kernel.shape[:ndim], strict=False)
    ]
    out = np.zeros((len(x), *sizes, kernel.shape[-1]), x.dtype)
    own, each = kernel.shape[-1] // groups, kernel.shape[-2]
    for at in itertools.product(*map(range, sizes)):
        for tap in itertools.product(*map(range, kernel.shape[:ndim])):
            place = tuple(o * stride + t * dilation for o, t in zip(at, tap, strict=True))
            for g in range(groups):
                read = wide[(slice(None), *place, slice(g * each, (g + 1) * each))]
                out[(slice(None), *at, slice(g * own, (g + 1) * own))] += read @ kernel[tap][:, g * own : (g + 1) * own]
    return out


#: Axes, taps; channels, groups, features; stride, padding, expansion, dilation.
CASES: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, int, int], tuple[int, int, int, int]]] = [
    ((14,), (3,), (1, 1, 40), (1, 1, 1, 1)),
    ((9,), (4,), (3, 1, 7), (2, 2, 1, 1)),
    ((3,), (2,), (4, 2, 2), (5, 7, 1, 1)),
    ((8, 8), (3, 3), (2, 1, 16), (1, 0, 1, 1)),
    ((8, 8), (3, 3), (16, 1, 3), (1, 1, 1, 1)),
    ((5, 7), (2, 3), (6, 6, 6), (1, 1, 1, 2)),
    ((5, 7), (2, 3), (4, 2, 10), (2, 3, 3, 1)),
    ((4, 3), (3, 2), (1, 1, 1), (1, 2, 2, 3)),
    ((1, 1), (1, 1), (1, 1, 1), (1, 0, 1, 1)),
    ((4, 3, 5), (2, 3, 1), (2, 1, 9), (1, 1, 1, 1)),
    ((3, 4, 3), (2, 1, 3), (2, 2, 4), (2, 1, 2, 1)),
]


def operands(dtype: Any, batch: int = 2) -> list[tuple[Array, Array]]:
    return [
        (RNG.integers(-4, 5, (batch, *axes, c)).astype(dtype), RNG.integers(-4, 5, (*taps, c // g, o)).astype(dtype))
        for axes, taps, (c, g, o), _ in CASES
    ]


def convolved(pairs: Any) -> list[Any]:
    return [
        pg.conv(x, y, stride, pad, expansion, dilation, g)
        for (x, y), (_, _, (_, g, _), (stride, pad, expansion, dilation)) in zip(pairs, CASES, strict=True)
    ]


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_values(dtype: str) -> None:
    """Sums of small integers, exact in every dtype."""
    pairs = operands(dtype)
    found = pg.compile(convolved)(pairs)
    for got, (x, y), (_, _, (_, g, _), (stride, pad, expansion, dilation)) in zip(found, pairs, CASES, strict=True):
        wanted = by_sums(x, y, stride, pad, expansion, dilation, g)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, wanted)
    for got, eager in zip(found, convolved(pairs), strict=True):
        np.testing.assert_array_equal(got, eager)


@pytest.mark.sanitize
def test_derivatives_are_the_transpose() -> None:
    """⟨conv(x, y), z⟩ is linear in each: with its gradients it is x · x̄, and y · ȳ; exact for small integers."""
    pairs = operands("float64", batch=3)
    weights = [RNG.integers(-3, 4, z.shape).astype(float) for z in convolved(pairs)]

    def inner(pairs: Any) -> Any:
        return sum(pg.sum(z * w) for z, w in zip(convolved(pairs), weights, strict=True))

    for (x, y), (by_x, by_y), z, w in zip(
        pairs, pg.compile(pg.grad(inner))(pairs), convolved(pairs), weights, strict=True
    ):
        assert np.sum(x * by_x) == np.sum(y * by_y) == np.sum(z * w)


def test_second_order() -> None:
    """In both modes, with the filter's derivative among what is differentiated."""
    x, y = RNG.normal(size=(2, 4, 3, 2)), RNG.normal(size=(2, 2, 1, 4))

    def f(x: Any, y: Any) -> list[Any]:
        z = np.tanh(pg.conv(x, y, (1, 2), ((1, 0), (0, 2)), (2, 1), (1, 2), 2))
        return [pg.conv_transpose(z, y.reshape(1, 2, 4, 2), 2), pg.avg_pool(z, 2, 1, "SAME")]

    pg.check_grads(f, (x, y), order=2)


def test_a_large_batch_is_cut_into_parts() -> None:
    x, y = RNG.normal(size=(24, 10, 10, 8)), RNG.normal(size=(3, 3, 8, 16))
    gradient = pg.compile(pg.grad(lambda y: pg.sum(pg.conv(x, y) ** 2)))(y)
    z = pg.conv(x, y)
    wanted = [
        np.einsum("nhwi,nhwo->io", x[:, a : a + 8, b : b + 8], 2 * z) for a, b in itertools.product(range(3), range(3))
    ]
    np.testing.assert_allclose(gradient.reshape(9, 8, 16), wanted, rtol=1e-11)


def test_scipy() -> None:
    x, y = RNG.normal(size=(9, 6)), RNG.normal(size=(3, 2))
    for padding, mode in (("VALID", "valid"), (((2, 2), (1, 1)), "full")):
        found = pg.compile(lambda x, y, p=padding: pg.conv(x[None, ..., None], y[..., None, None], padding=p))(x, y)
        np.testing.assert_allclose(found[0, ..., 0], scipy.signal.correlate(x, y, mode), rtol=1e-12, atol=1e-13)


def test_the_transpose_of_a_convolution() -> None:
    """conv_transpose with the kernel transposed, and the padding that undoes a convolution's."""
    x, y, z = RNG.normal(size=(1, 9, 7, 3)), RNG.normal(size=(3, 3, 3, 5)), RNG.normal(size=(1, 4, 3, 5))
    (back,) = pg.vjp(lambda x: pg.conv(x, y, 2), x)[1](z)
    found = pg.conv_transpose(z, y, 2, "VALID", transpose_kernel=True)
    np.testing.assert_allclose(found, back, rtol=1e-12, atol=1e-13)


def test_layouts_and_batches() -> None:
    x, y = RNG.normal(size=(3, 2, 6, 5, 4)), RNG.normal(size=(3, 3, 2, 4, 6))

    def f(x: Any, y: Any) -> tuple[Any, ...]:
        first = pg.conv(np.moveaxis(x, -1, 1), np.transpose(y, (3, 2, 0, 1)), 2, "SAME", layout="NCHW")
        return np.moveaxis(first, 1, -1), pg.max_pool(x, 2, (1, 2)), pg.grad(lambda y: pg.sum(pg.conv(x, y) ** 3))(y)

    y = np.moveaxis(y, 2, 0)[0]  # (3, 3, 4, 6)
    y = np.stack([y, -y, 2 * y])
    mapped = pg.vmap(f)(x, y)
    by_kernel = pg.vmap(lambda y: pg.conv(x[0], y, 2, "SAME"))(y)
    for at in range(3):
        for got, one in zip(mapped, f(x[at], y[at]), strict=True):
            np.testing.assert_allclose(got[at], one, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(by_kernel[at], pg.conv(x[0], y[at], 2, "SAME"), rtol=1e-11, atol=1e-12)


def test_ties_share_a_derivative() -> None:
    x = np.array([1.0, 2.0, 2.0, 2.0, 0.0]).reshape(1, 5, 1)
    for window, wanted in ((4, [0, 2 / 3, 2 / 3, 2 / 3, 0]), (5, [0, 1 / 3, 1 / 3, 1 / 3, 0])):
        gradient = pg.grad(lambda x, k=window: pg.sum(pg.max_pool(x, k)))(x)
        np.testing.assert_allclose(gradient.ravel(), wanted, rtol=1e-15)


def test_edges() -> None:
    one = np.ones((1, 1, 1, 1))
    assert pg.compile(pg.conv)(np.ones((0, 4, 4, 1)), one).shape == (0, 4, 4, 1)
    assert pg.conv(np.ones((2, 1, 1, 1)), np.ones((3, 3, 1, 2))).shape == (2, 0, 0, 2)
    assert pg.conv(np.ones((2, 3, 3, 0)), np.ones((2, 2, 0, 2))).tolist() == np.zeros((2, 2, 2, 2)).tolist()
    assert pg.grad(lambda y: pg.sum(pg.conv(np.ones((0, 4, 4, 1)), y)))(one) == 0
    assert pg.max_pool(np.ones((1, 2, 1)), 2, 5, ((4, 3),)).ravel().tolist() == [-np.inf, 1.0]
    assert np.isnan(pg.avg_pool(np.ones((1, 2, 1)), 2, 5, ((4, 3),), False)).ravel().tolist() == [True, False]
    assert pg.conv(np.array([np.inf, 1.0, 2.0]).reshape(1, 3, 1), np.ones((2, 1, 1)))[0, 1, 0] == 3.0


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda x: pg.conv(x, np.ones((3, 3, 2, 4))), "4 channels and a kernel of 2"),
        (lambda x: pg.conv(x, np.ones((3, 2, 4))), "operands of 4 and 3 dimensions"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), strides=0), "strides is 0"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), padding="FULL"), "padding 'FULL'"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), padding=((1, 2),)), "for 2 axes"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), padding="SAME", input_dilation=2), "with an input dilation"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), layout="NWC"), "layout 'NWC'"),
        (lambda x: pg.conv(x, np.ones((3, 3, 4, 2)), kernel_dilation=2**40), "more than 2"),
        (lambda x: pg.max_pool(x, (2, 2, 2)), "window_shape"),
        (lambda x: pg.max_pool(x, 2, padding=-1), "padding"),
        (lambda x: pg.avg_pool(x[0, 0], 2), "an operand of 2 dimensions"),
    ],
)
def test_errors(call: Any, problem: str) -> None:
    with pytest.raises(pg.GraphError, match=problem):
        call(np.ones((2, 5, 5, 4)))
