"""Gradients of whole models, compiled and run from C: the net of lesson 3, a Gaussian mixture, an arm's dynamics."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import GCC_AND_CLANG, ISA, ONE_AND_BOTH, STRICT, check, make_case, write
from emit.exported_calls import Call, build_and_check
from helpers import COMPILERS, needs_compiler

import pygraph as pg
from benchmarks import robot
from benchmarks.export_models import MODELS
from benchmarks.gmm import log_posterior, make_mixture
from benchmarks.models import arm_dynamics


def net_loss(params: tuple[Any, ...], x: Any, y: Any) -> Any:
    """J = Σ(y − z2)² with z2 = sigmoid(xW1 + b1)W2 + b2."""
    w1, b1, w2, b2 = params
    return np.sum((y - (pg.sigmoid(x @ w1 + b1) @ w2 + b2)) ** 2)


def net_arguments() -> tuple[Any, ...]:
    rng = np.random.default_rng(3)
    params = tuple(rng.normal(size=shape) for shape in ((2, 5), (5,), (5, 2), (2,)))
    return params, rng.normal(size=(8, 2)), rng.normal(size=(8, 2))


def posterior(weights: Any, means: Any, factors: Any, points: Any) -> Any:
    return log_posterior(np, pg.logsumexp, weights, means, factors, points)


def mixture(*sizes: int) -> tuple[Any, ...]:
    made = make_mixture(*sizes)
    return made.weights, made.means, made.factors, made.points


def flat(arguments: tuple[Any, ...]) -> list[Any]:
    return [x for part in arguments for x in (part if isinstance(part, tuple) else (part,))]


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
def test_gradients_of_models(compiler: str, tmp_path: Path) -> None:
    made = []
    for name, function, argnums, given in (
        ("net", net_loss, 0, net_arguments()),
        ("gmm", posterior, (0, 1, 2), mixture(12, 3, 4)),
        ("large_gmm", posterior, (0, 1, 2), mixture()),  # the size of the benchmark
    ):
        made.append(make_case(name, pg.trace(function, *given), flat(given)))
        gradient = pg.trace(pg.value_and_grad(function, argnums), *given)
        made.append(make_case(f"{name}_gradient", gradient, flat(given), derivatives=False))
    assert [case.uses_blas for case in made] == [False, False, False, False, True, True]
    write(tmp_path, made)
    check(tmp_path, made, compiler, ["-O3", *ISA])


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
def test_the_inertia_of_an_arm(compiler: str, tmp_path: Path) -> None:
    given = [np.linspace(-1.0, 1.0, 7)]
    made = [make_case("arm", pg.trace(partial(robot.inertia, pg), *given), given, derivatives=False)]
    write(tmp_path, made)
    check(tmp_path, made, compiler, ["-O1", *ISA])


@needs_compiler
@pytest.mark.deep
@pytest.mark.parametrize("compiler", GCC_AND_CLANG)
def test_the_inertia_and_dynamics_of_an_arm_and_their_derivatives(compiler: str, tmp_path: Path) -> None:
    """Hundreds of loops over one memory, of which no compiler may leave one out."""
    given = list(np.random.default_rng(4).uniform(-1.0, 1.0, (3, 7)))
    dynamics = partial(arm_dynamics, pg)
    made = [
        make_case("arm", pg.trace(partial(robot.inertia, pg), given[0]), given[:1]),
        make_case("dynamics", pg.trace(dynamics, *given), given, derivatives=False),
    ]
    write(tmp_path, made)
    check(tmp_path, made, compiler, ["-O3", *ISA])
    for found, wanted in zip(
        pg.compile(dynamics, backend="native")(*given), pg.compile(dynamics, backend="vm")(*given), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)


@needs_compiler
@pytest.mark.deep
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
@pytest.mark.parametrize("finite", [False, True])
def test_the_models_of_the_benchmark(finite: bool, level: str, compiler: str, tmp_path: Path) -> None:
    functions, runs = {}, []
    for model in MODELS:
        exe = pg.compile(model.recorded(), wrt=[0], backend="vm", assume_finite=finite)
        functions[model.name] = exe
        value = exe.forward(*model.arguments)
        seed, tangent = np.ones_like(value), np.ones_like(model.arguments[0])
        (gradient,), pushed = exe.reverse(seed), exe.jvp(tangent)
        word = f"models_{model.name}"
        calls = [
            Call(f"{word}_values", model.arguments, [value]),
            Call(f"{word}_forward", model.arguments, [value]),
            Call(f"{word}_reverse", [seed], [gradient]),
            Call(f"{word}_jvp", [tangent], [pushed]),
        ]
        runs.append(("MODELS_WORKSPACE_BYTES", calls))
    pg.export_c(tmp_path, "models", functions)
    build_and_check(tmp_path, "models", runs, compiler, [*STRICT, level, *ISA])
