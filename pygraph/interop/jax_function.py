"""`pg.interop.jax`: a function that runs in C inside JAX's graphs, with reverse-mode derivatives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..graph.tree import flatten, unflatten
from .border import Flat, Signatures


def jax(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays of JAX that computes `f`, under `jax.jit`, `vmap` and reverse-mode derivatives of any order.

    Args:
        f: a function of arrays, or what `pg.compile` made of one.

    Returns:
        A function of arrays in the containers that `f` takes; the results are JAX's arrays.

    Raises:
        ImportError: JAX is not installed.

    Example:
        >>> import jax  # doctest: +SKIP
        >>> square = pg.interop.jax(lambda x: np.sum(x**2))  # doctest: +SKIP
        >>> jax.jit(jax.grad(square))(jax.numpy.ones(2))  # doctest: +SKIP
        Array([2., 2.], dtype=float32)
    """
    signatures = Signatures(f)

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        from jax import numpy as jnp

        leaves, form = flatten(args)
        arrays = [jnp.asarray(x) for x in leaves]
        flat = signatures.find(form, [(x.shape, x.dtype) for x in arrays])
        return unflatten(flat.results, _function(flat)(*arrays))

    return call


def _function(flat: Flat) -> Callable[..., Any]:
    """A flat function as one of JAX; its pullback is one too, so that orders nest."""
    from jax import ShapeDtypeStruct, custom_vjp, pure_callback

    results = [ShapeDtypeStruct(shape, dtype) for shape, dtype in flat.types]
    floating = [np.dtype(dtype).kind == "f" for _, dtype in flat.types]

    def run(*arrays: Any) -> tuple[Any, ...]:
        found: tuple[Any, ...] = flat.value(*map(np.asarray, arrays))
        return found

    def called(*arrays: Any) -> tuple[Any, ...]:
        return tuple(pure_callback(run, results, *arrays, vmap_method="sequential"))

    def forward(*arrays: Any) -> tuple[Any, Any]:
        return call(*arrays), arrays

    def backward(arrays: Any, cotangents: Any) -> tuple[Any, ...]:
        seeds = [y for y, known in zip(cotangents, floating, strict=True) if known]
        found = iter(_function(flat.pullback())(*arrays, *seeds))
        return tuple(next(found) if known else None for known in flat.floating)

    call: Any = custom_vjp(called)
    call.defvjp(forward, backward)
    return cast("Callable[..., Any]", call)
