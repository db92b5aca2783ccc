"""Values and derivatives of some 240 functions against JAX, an implementation that shares nothing with this one."""

from __future__ import annotations

import types
from functools import cache
from typing import Any

import numpy as np
import pytest

# Not "jax": where it is missing, this folder answers to that name.
jnp = pytest.importorskip("jax.numpy", reason="JAX is not installed: pip install '.[test,jax]'")
jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import composites  # noqa: E402, F401  (its functions are added to the cases)
import functions  # noqa: E402, F401
import models  # noqa: E402, F401
from cases import CASES, Case  # noqa: E402

import pygraph as pg  # noqa: E402

Answers = dict[str, Any]
TRANSFORMATIONS = ("value", "jvp", "vjp", "jacobian", "hessian", "vmap")
BATCH = 3


class Namespace(types.SimpleNamespace):
    """The names of several modules, the first that has one, under some of their own."""

    def __init__(self, *modules: Any, **own: Any) -> None:
        super().__init__(modules=modules, **own)

    def __getattr__(self, name: str) -> Any:
        for module in self.modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(f"no namespace has {name}")


def _gelu(x: Any, approximate: str = "none") -> Any:
    return jax.nn.gelu(x, approximate=approximate == "tanh")


def _conv(
    x: Any,
    kernel: Any,
    strides: Any,
    padding: Any = "VALID",
    expansion: Any = None,
    dilation: Any = None,
    groups: int = 1,
) -> Any:
    dimensions = ("NHWC", "HWIO", "NHWC") if x.ndim == 4 else ("NWC", "WIO", "NWC")
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, expansion, dilation, dimensions, groups)


def _max_pool(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, *window, 1), (1, *strides, 1), padding)


def _avg_pool(x: Any, window: Any, strides: Any, padding: Any) -> Any:
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, *window, 1), (1, *strides, 1), padding)
    return total / np.prod(window)


OURS = Namespace(pg, np, var=pg.ops.var)
_LINALG = Namespace(jnp.linalg, jax.scipy.linalg, jax.lax.linalg)
THEIRS = Namespace(
    *(jnp, jax.nn, jax.scipy.special, jax.lax, jax),
    gelu=_gelu,
    linalg=_LINALG,
    conv=_conv,
    segment_sum=jax.ops.segment_sum,
    max_pool=_max_pool,
    avg_pool=_avg_pool,
)


def inputs(case: Case) -> dict[str, Any]:
    """Where the case is evaluated: arguments, tangents, batches of arguments, and cotangents like the result."""
    primals = case.arguments("primals")
    rows = [case.arguments(f"row {i}") for i in range(BATCH)]
    result = jax.eval_shape(lambda *args: case.function(THEIRS, *args), *primals)
    rng = np.random.default_rng(len(case.name))
    return {
        "primals": primals,
        "tangents": jax.tree.map(lambda x: rng.normal(size=x.shape), primals),
        "batches": jax.tree.map(lambda *xs: np.stack(xs), *rows),
        "cotangent": jax.tree.map(lambda x: rng.normal(size=x.shape), result),
    }


def compiled(lowered: Any) -> Any:
    """What is needed once: optimising it costs more than it gives."""
    try:
        return lowered.compile({"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False})
    except jax.errors.JaxRuntimeError:  # XLA's options come and go, and without them it only takes longer
        return lowered.compile()


@cache
def expected(name: str) -> tuple[dict[str, Any], Answers]:
    """What the case is given, and JAX's answers: one compilation for all of them."""
    case = CASES[name]
    given = inputs(case)
    argnums = tuple(range(len(case.places)))

    def f(*args: Any) -> Any:
        return case.function(THEIRS, *args)

    def pulled(primals: Any, cotangent: Any) -> Any:
        if case.reverse:
            return jax.vjp(f, *primals)[1](cotangent)

        def product(*args: Any) -> Any:
            return sum(jnp.sum(v * y) for v, y in zip(*map(jax.tree.leaves, (cotangent, f(*args))), strict=True))

        return jax.jacfwd(product, argnums)(*primals)

    def answers(primals: Any, tangents: Any, batches: Any, cotangent: Any) -> Answers:
        inner = jax.jacrev if case.reverse else jax.jacfwd
        return {
            "value": f(*primals),
            "jvp": jax.jvp(f, primals, tangents),
            "vjp": pulled(primals, cotangent),
            "jacobian": jax.jacfwd(f, argnums)(*primals),
            "hessian": jax.jacfwd(inner(f, argnums), argnums)(*primals),
            "vmap": jax.vmap(f)(*batches),
        }

    return given, jax.tree.map(np.asarray, compiled(jax.jit(answers).lower(**given))(**given))


def actual(case: Case, transformation: str, given: dict[str, Any]) -> Any:
    """pygraph's answer to one question about the case."""
    argnums = tuple(range(len(case.places)))
    primals = given["primals"]

    def f(*args: Any) -> Any:
        return case.function(OURS, *args)

    if transformation == "value":
        return pg.compile(f)(*primals)
    if transformation == "jvp":
        return pg.jvp(f, primals, given["tangents"])
    if transformation == "vjp":
        return pg.vjp(f, *primals)[1](given["cotangent"])
    if transformation == "vmap":
        return pg.vmap(f)(*given["batches"])
    return getattr(pg, transformation)(f, argnums=argnums)(*primals)


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_that_of_jax(name: str, transformation: str) -> None:
    given, answers = expected(name)
    ours, our_form = jax.tree.flatten(actual(CASES[name], transformation, given))
    theirs, their_form = jax.tree.flatten(answers[transformation])
    assert our_form == their_form
    for ours_leaf, theirs_leaf in zip(ours, theirs, strict=True):
        assert ours_leaf.dtype == theirs_leaf.dtype == np.float64
        assert ours_leaf.shape == theirs_leaf.shape
        np.testing.assert_allclose(ours_leaf, theirs_leaf, rtol=1e-10, atol=1e-12)


def test_there_are_enough_functions() -> None:
    assert len(CASES) >= 150
