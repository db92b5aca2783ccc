"""Clipping, chains and averages of parameters."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import pygraph as pg

GRADS = {"w": np.array([3.0, 0.0], np.float32), "b": [np.array(-4.0), np.zeros(0)]}


def test_clipping_by_norm() -> None:
    found = pg.optim.clip_by_norm(1.0)(GRADS)
    np.testing.assert_allclose(found["w"], [0.6, 0.0], rtol=1e-7)
    np.testing.assert_allclose(found["b"][0], -0.8, rtol=1e-15)
    assert found["w"].dtype == np.float32
    assert found["b"][1].shape == (0,)
    within = pg.optim.clip_by_norm(5.0)(GRADS)
    np.testing.assert_array_equal(within["w"], GRADS["w"])
    np.testing.assert_array_equal(pg.optim.clip_by_norm(1.0)(np.zeros(3)), np.zeros(3))
    assert pg.optim.clip_by_norm(1.0)(()) == ()
    np.testing.assert_allclose(pg.optim.global_norm(GRADS), 5.0, rtol=1e-15)


def test_norms_at_the_ends_of_a_dtype() -> None:
    large = np.array([3e38, 0.0], np.float32)  # its square is beyond float32
    np.testing.assert_allclose(pg.optim.clip_by_norm(2.0)(large), [2.0, 0.0], rtol=1e-6)
    for x in (np.inf, np.nan):
        assert np.isnan(pg.optim.clip_by_norm(1.0)(np.array([x, 1.0]))).all()
    tiny = np.array([5e-324, 0.0])
    np.testing.assert_array_equal(pg.optim.clip_by_norm(1.0)(tiny), tiny)


def test_clipping_by_value() -> None:
    found = pg.optim.clip_by_value(0.5)({"w": np.array([-np.inf, -0.5, 0.25, 7.0, np.nan]), "v": np.float32(3.0)})
    np.testing.assert_array_equal(found["w"], [-0.5, -0.5, 0.25, 0.5, np.nan])
    assert found["v"] == np.float32(0.5)


def test_a_chain_in_its_order() -> None:
    opt = pg.optim.chain(
        pg.optim.clip_by_value(3.0), lambda g: pg.tree_map(lambda x: 2 * x, g), pg.optim.sgd(0.5), pg.optim.ema(0.5)
    )
    p = np.array([1.0, 1.0])
    after, state = opt.update(np.array([10.0, 1.0]), opt.init(p), p)
    np.testing.assert_array_equal(after, [-2.0, 0.0])
    np.testing.assert_array_equal(opt.parts[-1].average(state[-1]), [-0.5, 0.5])
    assert state[:2] == ((), ())


def test_a_chain_in_a_scan_is_that_on_arrays() -> None:
    opt = pg.optim.chain(pg.optim.clip_by_norm(0.1), pg.optim.adam(0.1), pg.optim.ema(0.9, bias_correction=True))
    start = {"w": np.array([1.0, -2.0]), "b": np.float32(0.5)}
    params, state = start, opt.init(start)
    for _ in range(4):
        params, state = opt.update(params, state, params)

    def step(carry: Any, _: None) -> tuple[Any, None]:
        return opt.update(carry[0], carry[1], carry[0]), None

    traced = pg.scan(step, (start, opt.init(start)), length=4)[0]
    for x, y in zip(pg.tree_leaves(traced), pg.tree_leaves((params, state)), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-7 if x.dtype == np.float32 else 1e-14)


def test_a_chain_pickles_and_can_be_read() -> None:
    opt = pg.optim.chain(pg.optim.clip_by_norm(0.1), pg.optim.adam(0.1))
    assert pickle.loads(pickle.dumps(opt)) == opt
    assert hash(pickle.loads(pickle.dumps(opt))) == hash(opt)
    assert eval(repr(opt), vars(pg.optim).copy()) == opt
    assert pg.optim.chain(pg.optim.chain(pg.optim.clip_by_norm(0.1), pg.optim.sgd()), pg.optim.ema(0.9)).parts[0] != opt
    assert not opt.needs_value


@pytest.mark.parametrize("corrected", [False, True])
def test_an_average_is_its_definition(corrected: bool) -> None:
    rng = np.random.default_rng(0)
    values, decay = rng.normal(size=(6, 3)), 0.8
    mean = pg.optim.ema(decay, corrected)
    state = mean.init({"w": values[0]})
    np.testing.assert_array_equal(mean.average(state)["w"], values[0])
    for t in range(1, 6):
        state = mean.update(state, {"w": values[t]})
        weights = (1 - decay) * decay ** np.arange(t - 1, -1, -1)
        expected = weights @ values[1 : t + 1] + (0.0 if corrected else decay**t * values[0])
        if corrected:
            expected = expected / (1 - decay**t)
        np.testing.assert_allclose(mean.average(state)["w"], expected, rtol=1e-13)
    assert state["step"] == 5


def test_the_first_average_is_a_copy_in_the_dtype_of_the_parameters() -> None:
    p = np.ones(3, np.float32)
    mean = pg.optim.ema(0.5)
    state = mean.init(p)
    p[:] = 7.0
    assert (mean.average(state) == 1.0).all()
    after = mean.average(mean.update(state, p))
    assert after.dtype == np.float32
    assert (after == 4.0).all()
    assert pickle.loads(pickle.dumps(mean)) == mean


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: pg.optim.clip_by_norm(0.0), pg.DomainError, r"clip_by_norm: limit is 0.0.*above 0"),
        (lambda: pg.optim.clip_by_value(None), pg.SignatureError, "limit is None, not a number"),
        (lambda: pg.optim.clip_by_norm(1.0)([np.arange(3)]), pg.DTypeError, r"\[0\] is no parameter"),
        (lambda: pg.optim.chain(), pg.SignatureError, "0 of the 0 parts are optimisers"),
        (lambda: pg.optim.chain(pg.optim.sgd(), pg.optim.sgd()), pg.SignatureError, "2 of the 2 parts"),
        (lambda: pg.optim.chain(pg.optim.ema(0.5), pg.optim.sgd()), pg.SignatureError, "can't stand before"),
        (lambda: pg.optim.chain(pg.optim.sgd(), pg.optim.clip_by_norm(1.0)), pg.SignatureError, "can't stand after"),
        (lambda: pg.optim.chain(pg.optim.clip_by_norm(1.0), pg.optim.lbfgs()), pg.SignatureError, "its line search"),
        (lambda: pg.optim.chain(pg.optim.sgd()).update(1.0, {}, 1.0), pg.GraphError, "not a tuple of 1"),
        (lambda: pg.optim.ema(1.0), pg.DomainError, "decay is 1.0"),
        (lambda: pg.optim.ema(0.5).update({}, 1.0), pg.GraphError, r"the state has \[\]"),
        (lambda: pg.optim.ema(0.5).update(pg.optim.ema(0.5).init(1.0), np.ones(2)), pg.ShapeError, "has shape"),
        (lambda: pg.optim.ema(0.5).init(np.arange(3)), pg.DTypeError, "params is no parameter"),
    ],
)
def test_mistakes(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=f"(?s){text}"):
        call()
