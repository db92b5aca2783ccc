"""assume_finite=True: zeros and ones of constant matrices leave no work; finite results are what they are without."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.graphs import grow

import pygraph as pg
from pygraph.autodiff.jacobians.single_elements import by_elements
from pygraph.graph.uniform import full
from pygraph.optimize import optimize

ANGLES = np.linspace(0.1, 1.0, 4)


def arm(q: Any) -> Any:
    """The end of an arm of four joints, by products of matrices that are mostly zeros and ones."""
    place = np.eye(4)
    for at, (length, lift) in enumerate([(0.1, 0.3), (0.2, 0.0), (0.05, 0.1), (0.0, 0.4)]):
        c, s = np.cos(q[at]), np.sin(q[at])
        zero, one = np.zeros_like(c), np.ones_like(c)
        rows = [[c, zero, s, length * c], [s, zero, -c, length * s], [zero, one, zero, zero + lift], [zero] * 3 + [one]]
        place = place @ np.stack([np.stack(row) for row in rows])
    return place[:3, 3]


def test_the_jacobian_of_an_arm_has_only_the_work_that_is_left() -> None:
    graph = pg.trace(pg.jacobian(arm), ANGLES)
    plain, finite = pg.compile(graph), pg.compile(graph, assume_finite=True)
    assert np.allclose(finite(ANGLES), plain(ANGLES), rtol=1e-14, atol=1e-15)
    assert finite.stats.instructions == 1
    assert finite.stats.flops < plain.stats.flops / 10
    assert pickle.loads(pickle.dumps(finite)).stats.flops == finite.stats.flops
    by_name = pg.compile(pg.jacobian(arm), assume_finite=True)
    assert by_name.executable(ANGLES).stats.flops == finite.stats.flops


def test_both_sweeps_and_loops() -> None:
    def stepped(x: Any, w: Any) -> Any:
        turn = np.stack([np.stack([x[0] * 0.0, w]), np.stack([0.0 - w, x[1] * 0.0])])
        return pg.fori_loop(0, 5, lambda i, y: turn @ (y + 0.0) + x * 0.0 + y, x)

    x, w, seed = np.array([0.5, -0.25]), np.asarray(0.3), np.array([1.0, 2.0])
    graph = pg.trace(stepped, x, w)
    plain, finite = (pg.compile(graph, wrt=[0, 1], assume_finite=assumed) for assumed in (False, True))
    for exe in (plain, finite):
        exe.forward(x, w)
    for wanted, found in zip(plain.reverse(seed), finite.reverse(seed), strict=True):
        assert np.allclose(found, wanted, rtol=1e-13)
    assert np.allclose(finite.jvp(x, w), plain.jvp(x, w), rtol=1e-13)
    assert finite.stats.flops < plain.stats.flops


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rules_of_finite_numbers(dtype: str) -> None:
    x, y = pg.var("x", (3,), dtype), pg.var("y", (3,), dtype)
    zero, nothing = np.zeros((), dtype), full(0, (3,), np.dtype(dtype))
    for given, wanted in (
        (x * zero, nothing),
        (-zero * x, nothing),
        (x + zero, x),
        (zero + x, x),
        (x - -zero, x),
        (zero - x, -x),
        (x - x, nothing),
        (zero / x, nothing),
        (x * np.zeros(3, dtype) + y, y),
    ):
        found = optimize(pg.Graph([x, y], given), assume_finite=True)
        assert found == optimize(pg.Graph([x, y], wanted)), found
        assert optimize(pg.Graph([x, y], given)) != found
    value = pg.compile(pg.Graph([x], x * zero))(np.array([np.inf, 1.0, -1.0], dtype))
    assert np.isnan(value[0]), "without the option IEEE holds"
    assert np.signbit(value[2])


def test_integers_and_large_arrays_stay_as_they_are() -> None:
    x, k = pg.var("x", (100, 100)), pg.var("k", (3,), "int64")
    graph = pg.Graph([x, k], (x @ x, k * 0, np.sort(x, axis=0)))
    assert by_elements(pg.Graph([x], x @ x)) is None
    exe = pg.compile(graph, assume_finite=True)
    values = np.random.default_rng(0).normal(size=(100, 100))
    for found, wanted in zip(exe(values, np.arange(3)), pg.compile(graph)(values, np.arange(3)), strict=True):
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("first", [0, *(pytest.param(k, marks=pytest.mark.deep) for k in range(3, 150, 3))])
def test_random_graphs(first: int) -> None:
    """Where all is finite without the option, results are the same but for rounding and the signs of zeros."""
    compared = 0
    for seed in range(first, first + 3):
        sample = grow(seed, 12)
        try:
            wanted = pg.compile(sample.graph, check_finite=True, backend="vm")(*sample.arrays)
        except pg.NonFiniteError:
            continue
        found = pg.compile(sample.graph, assume_finite=True, backend="vm")(*sample.arrays)
        for one, other in zip(pg.tree_leaves(found), pg.tree_leaves(wanted), strict=True):
            limit = 1e-4 if np.asarray(one).dtype == np.float32 else 1e-9
            assert np.allclose(one, other, rtol=limit, atol=limit), f"seed {seed}: {sample.graph}"
        compared += 1
    assert compared


def test_exports_take_it_too(tmp_path: Path) -> None:
    texts = []
    for compiled, asked in ((False, True), (True, None), (False, None), (True, False)):
        exe = pg.compile(pg.jacobian(arm), assume_finite=compiled).executable(ANGLES)
        texts.append(exe.export_c(tmp_path, "arm", assume_finite=asked)[0].read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]
    assert len(texts[0]) < len(texts[2]) / 1.5


def test_it_excludes_looking_for_what_is_not_finite() -> None:
    with pytest.raises(pg.SignatureError, match="assume_finite=True says"):
        pg.compile(arm, check_finite=True, assume_finite=True)
