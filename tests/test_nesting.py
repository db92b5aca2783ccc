"""Derivatives inside of derivatives: the known traps of perturbation confusion, and nests to order 4 in every mix."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg


def d_forward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: pg.jvp(f, (x,), (1.0,))[1]


def d_vjp(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: pg.vjp(f, x)[1](1.0)[0]


def d_batch(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Through a batch of two, of which one is kept."""
    return lambda x: pg.vmap(pg.grad(f))(np.stack([x * 0.0, x]) if not isinstance(x, float) else np.array([0.0, x]))[1]


def d_linear(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: pg.linearize(f, x)[1](1.0)


MODES: dict[str, Callable[..., Any]] = {
    "grad": pg.grad,
    "jvp": d_forward,
    "vjp": d_vjp,
    "jacfwd": pg.jacfwd,
    "jacobian": pg.jacobian,
    "linearize": d_linear,
    "vmap of grad": d_batch,
}
PAIRS = list(itertools.product(MODES, repeat=2))


# --- perturbation confusion ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_siskind_and_pearlmutter(outer: str, inner: str) -> None:
    """d/dx [x · d/dy (x + y)] at x = y = 1 is 1 (Perturbation confusion and referential transparency, 2005)."""
    d, e = MODES[outer], MODES[inner]
    assert float(d(lambda x: x * e(lambda y: x + y)(1.0 + 0.0 * x))(1.0)) == 1.0
    assert float(d(lambda x: x * e(lambda y: x + y)(1.0))(1.0)) == 1.0
    assert float(d(lambda x: x * e(lambda y: x * y)(2.0))(3.0)) == 6.0
    assert float(d(lambda x: e(lambda y: x * y)(x) * x)(3.0)) == 6.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_variable_of_both(outer: str, inner: str) -> None:
    """The inner derivative is taken at the outer variable itself, and of a function that closes over it."""
    d, e = MODES[outer], MODES[inner]
    np.testing.assert_allclose(d(lambda x: e(lambda y: x**2 * y**3)(x))(2.0), 12 * 2.0**3)  # 3x⁴
    np.testing.assert_allclose(d(lambda x: x * e(lambda y: np.sin(x * y))(x))(0.5), differences_of_the_above(0.5))


def differences_of_the_above(x: float) -> float:
    """d/dx [x² cos x²] = 2x cos x² - 2x³ sin x²"""
    return float(2 * x * np.cos(x * x) - 2 * x**3 * np.sin(x * x))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_manzyuk_and_others(outer: str, inner: str) -> None:
    """The amazing bug of Manzyuk et al. (2019): the derivative of a function whose values are functions.

    With s(u) = f ↦ (x ↦ f(x + u)), the derivative of s at 0 is the operator D; applied twice it gives D², and a
    confusion of the two perturbations would give 0.
    """
    d, e = MODES[outer], MODES[inner]

    def shifted_derivative(mode: Callable[..., Any], f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: mode(lambda u: f(x + u))(0.0)

    twice = shifted_derivative(d, shifted_derivative(e, np.exp))
    np.testing.assert_allclose(twice(1.0), np.e, rtol=1e-12)


def test_three_levels_with_one_name() -> None:
    """Variables of one name at each level are told apart."""

    def f(x: Any) -> Any:
        def g(x_: Any, x: Any = x) -> Any:
            return x_ * x * pg.grad(lambda x: x_ * x * x)(x_)

        return pg.grad(g)(x) * x

    # ∂/∂y [y x · 2 y²] at y = x is 6 x³; times x is 6 x⁴; its derivative is 24 x³
    np.testing.assert_allclose(pg.grad(f)(1.5), 24 * 1.5**3)


def test_a_constant_of_the_inner_is_a_variable_of_the_outer_in_loops() -> None:
    def f(x: Any) -> Any:
        def step(c: Any, k: Any) -> Any:
            return c + pg.grad(lambda y: x * y * k)(c), None

        return pg.scan(step, x, np.arange(3.0))[0]  # x + 3x

    assert pg.grad(f)(2.0) == 4.0
    np.testing.assert_allclose(pg.vmap(pg.grad(f))(np.ones(2)), [4.0, 4.0])


# --- order 4 -------------------------------------------------------------------------------------------------------


def smooth(x: Any) -> Any:
    return np.sin(2.0 * x) * np.exp(x)


def fourth(x: float) -> float:
    """sin(2x) eˣ is the imaginary part of e^((1+2i)x)."""
    return float(((1 + 2j) ** 4 * np.exp((1 + 2j) * x)).imag)


QUADRUPLES = [
    ("grad",) * 4,
    ("jvp",) * 4,
    ("vjp",) * 4,
    ("jacfwd",) * 4,
    ("jvp", "vjp", "jvp", "vjp"),
    ("vjp", "jvp", "vjp", "jvp"),
    ("grad", "jacfwd", "linearize", "jacobian"),
    ("vmap of grad", "jvp", "grad", "jacfwd"),
    ("jacfwd", "vmap of grad", "vmap of grad", "linearize"),
    ("linearize", "jacobian", "jvp", "vmap of grad"),
]


@pytest.mark.parametrize("modes", QUADRUPLES)
def test_the_fourth_derivative(modes: tuple[str, ...]) -> None:
    f: Callable[[Any], Any] = smooth
    for mode in modes:
        f = MODES[mode](f)
    np.testing.assert_allclose(f(0.3), fourth(0.3), rtol=1e-11)


@pytest.mark.parametrize("modes", list(itertools.product(("grad", "jvp"), repeat=4)))
def test_the_fourth_derivative_of_a_loop(modes: tuple[str, ...]) -> None:
    """x^(2^3) by three squarings in a loop: 8·7·6·5 x⁴."""
    f: Callable[[Any], Any] = lambda x: pg.scan(lambda c, _: (c * c, None), x, length=3)[0]  # noqa: E731
    for mode in modes:
        f = MODES[mode](f)
    np.testing.assert_allclose(f(1.1), 8 * 7 * 6 * 5 * 1.1**4, rtol=1e-11)


def test_gradient_through_a_loop_of_gradients() -> None:
    """Five steps of gradient descent, differentiated with respect to the step size and the start."""

    def inner(rate: Any, x: Any) -> Any:
        return pg.scan(lambda p, _: (p - rate * pg.grad(lambda q: np.sum(q**4))(p), None), x, length=5)[0]

    def loss(rate: Any, x: Any) -> Any:
        return np.sum(inner(rate, x) ** 2)

    x = np.array([0.5, -0.8])
    pg.check_grads(loss, (0.1, x), order=2)
    rates = np.array([0.05, 0.1])
    each = np.stack([pg.hessian(loss)(rate, x) for rate in rates])
    np.testing.assert_allclose(pg.vmap(pg.hessian(loss), (0, None))(rates, x), each, rtol=1e-10)


def test_batches_of_hessians_and_hessians_of_batches() -> None:
    w = np.random.default_rng(0).normal(size=(3, 3))
    xs = np.random.default_rng(1).normal(size=(4, 3))

    def f(x: Any) -> Any:
        return np.sum(np.tanh(w @ x) ** 2)

    each = np.stack([pg.hessian(f)(x) for x in xs])
    np.testing.assert_allclose(pg.vmap(pg.hessian(f))(xs), each, rtol=1e-11, atol=1e-12)
    whole = pg.hessian(lambda xs: np.sum(pg.vmap(f)(xs)))(xs)
    for i, j in itertools.product(range(4), repeat=2):
        np.testing.assert_allclose(whole[i, :, j], each[i] if i == j else 0.0, rtol=1e-11, atol=1e-12)
    fourth_order = pg.hessian(lambda x: np.sum(pg.hessian(f)(x) ** 2))(xs[0])
    again = pg.jacfwd(pg.jacfwd(lambda x: np.sum(pg.jacrev(pg.jacrev(f))(x) ** 2)))(xs[0])
    np.testing.assert_allclose(fourth_order, again, rtol=1e-9, atol=1e-10)
