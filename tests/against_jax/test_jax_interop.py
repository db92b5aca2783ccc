"""Compiled functions inside JAX's graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install '.[test,jax]'")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy


def energy(p: Any, n: Any) -> Any:
    return np.sum(np.sin(p["a"]) * p["b"] ** 2) * n, n + 1


def same(p: Any, n: Any) -> Any:
    return jnp.sum(jnp.sin(p["a"]) * p["b"] ** 2) * n, n + 1


GIVEN = {"a": np.linspace(-1.0, 1.0, 5), "b": np.full(5, 0.5)}


def test_values_and_gradients_under_jit() -> None:
    f = pg.interop.jax(energy)
    np.testing.assert_allclose(jax.jit(f)(GIVEN, 3)[0], same(GIVEN, 3)[0], rtol=1e-14)
    assert jax.jit(f)(GIVEN, 3)[1].dtype == jnp.int64
    found = jax.jit(jax.grad(lambda p: 2.0 * f(p, 3)[0]))(GIVEN)
    wanted = jax.grad(lambda p: 2.0 * same(p, 3)[0])(GIVEN)
    for name in GIVEN:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-14)


def test_second_derivatives_and_batches() -> None:
    f = pg.interop.jax(pg.compile(lambda x: np.sum(np.exp(x) * x)))

    def plain(x: Any) -> Any:
        return jnp.sum(jnp.exp(x) * x)

    x = jnp.asarray([0.5, -1.0, 2.0])
    np.testing.assert_allclose(jax.jacrev(jax.grad(f))(x), jax.hessian(plain)(x), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jax.vmap(f)(jnp.stack([x, 2 * x])), jax.vmap(plain)(jnp.stack([x, 2 * x])), rtol=1e-14)


def test_arrays_are_arguments_of_compiled_functions() -> None:
    np.testing.assert_array_equal(pg.compile(lambda x: x * x)(jnp.asarray([1.0, 2.0])), [1.0, 4.0])
    np.testing.assert_array_equal(jnp.asarray(pg.grad(lambda x: np.sum(x**3))(jnp.ones(2))), [3.0, 3.0])
