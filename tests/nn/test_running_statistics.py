"""State and keys: threaded by hand, in compiled functions, loops, batches and derivatives."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph import nn

KEY = pg.random.key(3)
MODEL = nn.sequential(nn.linear(3, 4), nn.batch_norm(4), nn.relu, nn.dropout(0.5), nn.linear(4, 1))
PARAMS, STATE = MODEL.init(KEY)
X = np.sin(np.arange(30.0)).reshape(5, 2, 3)


def step(params: Any, state: Any, x: Any, key: Any) -> Any:
    """A step of training: parameters, state, loss."""

    def loss(params: Any) -> Any:
        running = nn.Running(state)
        return pg.mean(MODEL(params, x, state=running, key=key) ** 2), running.value

    (value, new), grads = pg.value_and_grad(loss, has_aux=True)(params)
    return pg.tree_map(lambda p, g: p - 0.1 * g, params, grads), new, value


def test_a_loop_by_hand_and_a_scan_give_the_same() -> None:
    def body(carry: Any, given: Any) -> Any:
        x, at = given
        params, state, value = step(*carry, x, pg.random.fold_in(KEY, at))
        return (params, state), value

    scanned, values = pg.compile(lambda carry, xs: pg.scan(body, carry, xs))((PARAMS, STATE), (X, np.arange(5)))
    once = pg.compile(step)
    params, state = PARAMS, STATE
    for at in range(5):
        params, state, value = once(params, state, X[at], pg.random.fold_in(KEY, at))
        np.testing.assert_allclose(values[at], value, rtol=1e-12)
    for a, b in zip(pg.tree_leaves(scanned), pg.tree_leaves((params, state)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert np.all(STATE[1]["mean"] == 0)  # what was given stays


def test_statistics_of_the_batch_and_running_ones() -> None:
    layer = nn.batch_norm(3, momentum=0.25)
    params, state = layer.init(KEY)
    running = nn.Running(state)
    x = X.reshape(10, 3)
    trained = layer(params, x, state=running)
    np.testing.assert_allclose(trained.mean(0), 0.0, atol=1e-15)
    np.testing.assert_allclose(trained.var(0), 1.0, rtol=1e-4)
    np.testing.assert_allclose(running.value["mean"], 0.25 * x.mean(0), rtol=1e-14)
    np.testing.assert_allclose(running.value["variance"], 0.75 + 0.25 * x.var(0, ddof=1), rtol=1e-14)
    layer(params, x, state=running)  # a second call takes a second step
    np.testing.assert_allclose(running.value["mean"], (0.75 * 0.25 + 0.25) * x.mean(0), rtol=1e-14)
    evaluated = layer(params, x, state=state)
    np.testing.assert_allclose(evaluated, x / np.sqrt(1.0 + 1e-5), rtol=1e-14)
    with pytest.raises(pg.SignatureError, match=r"batch_norm\(3, momentum=0.25\): there are no running"):
        layer(params, x)
    with pytest.raises(pg.ShapeError, match="has 1 numbers for each feature"):
        layer(params, x[:1], state=running)


def test_a_constant_feature_stays_finite() -> None:
    layer = nn.batch_norm(1)
    params, state = layer.init(KEY, dtype="float32")

    def loss(x: Any) -> Any:
        return pg.sum(layer(params, x, state=nn.Running(state)) * np.array([[1.0], [2.0]], np.float32))

    value, grad = pg.value_and_grad(loss)(np.full((2, 1), 1e4, np.float32))
    assert value == 0
    assert np.all(np.isfinite(grad))


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass
class Named:
    a: Any
    b: Any


@pytest.mark.parametrize(
    ("container", "place"),
    [
        ({"a": 1.0, "b": 2.0}, "b"),
        (OrderedDict(a=1.0, b=2.0), "b"),
        ([1.0, 2.0], 1),
        ((1.0, 2.0), 1),
        (Pair(1.0, 2.0), 1),
        (Named(1.0, 2.0), "b"),
    ],
)
def test_a_part_of_a_state_writes_into_the_whole(container: Any, place: Any) -> None:
    before = pg.tree_map(lambda x: x, container)
    running = nn.Running((container, 5.0))
    running[0][place].value = 3.0
    assert running.value == (pg.tree_map(lambda x: 3.0 if x == 2.0 else x, container), 5.0)
    assert type(running.value[0]) is type(container)
    assert container == before
    assert repr(running[0][place]) == "Running(3.0)"


def test_mistakes_with_running() -> None:
    running = nn.Running({"a": np.ones(2)})
    with pytest.raises(pg.SignatureError, match="a Running already"):
        nn.Running(running)
    with pytest.raises(pg.SignatureError, match=r"the state \{'a': '\*'\} has no part 'b'"):
        running["b"]
    with pytest.raises(pg.IndexRangeError, match="has no part 1"):
        nn.Running((np.ones(2),))[1]
    outside = nn.Running(STATE)

    def loss(params: Any) -> Any:
        return pg.sum(MODEL(params, X[0], state=outside))

    def kept(params: Any) -> Any:
        return pg.grad(loss)(params), outside.value

    with pytest.raises(pg.GraphError, match="kept from inside a function whose recording has ended"):
        pg.compile(kept)(PARAMS)
    with pytest.raises(pg.DTypeError, match="argument state is a Running"):
        pg.grad(lambda params, state: pg.sum(MODEL(params, X[0], state=state)))(PARAMS, nn.Running(STATE))


def test_a_model_by_hand_uses_parts_in_training_and_in_evaluation() -> None:
    layers = {"first": nn.batch_norm(3), "second": nn.batch_norm(3)}
    made = {name: layer.init(KEY) for name, layer in layers.items()}
    params, state = ({name: pair[at] for name, pair in made.items()} for at in (0, 1))

    def model(params: Any, x: Any, state: Any) -> Any:
        for name, layer in layers.items():
            x = layer(params[name], x, state=state[name])
        return x

    running = nn.Running(state)
    model(params, X[0], running)
    assert np.all(running.value["first"]["mean"] != 0)
    np.testing.assert_allclose(running.value["second"]["mean"], 0.0, atol=1e-16)
    assert model(params, X[0], running.value).shape == X[0].shape


def test_dropout_keeps_the_mean_and_its_derivative_is_its_mask() -> None:
    layer = nn.dropout(0.25)
    x = np.ones(40_000, np.float32)
    y = layer((), x, key=KEY)
    assert y.dtype == np.float32
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert abs(float(np.mean(y)) - 1.0) < 4 * np.sqrt(1 / 3 / 40_000)  # four deviations of the mean
    assert np.array_equal(layer((), x, key=KEY), y)
    assert not np.array_equal(layer((), x, key=pg.random.fold_in(KEY, 1)), y)
    assert layer((), x) is x
    small = x[:64]
    grad = pg.grad(lambda x: pg.sum(layer((), x, key=KEY)))(small)
    assert np.array_equal(grad, layer((), small, key=KEY))
    assert np.array_equal(nn.dropout(0.0)((), small, key=KEY), small)
    assert np.array_equal(nn.dropout(1.0)((), small, key=KEY), np.zeros(64, np.float32))


def test_layers_have_keys_of_their_own() -> None:
    model = nn.sequential(nn.dropout(0.5), nn.dropout(0.5))
    ones = np.ones((1, 64))
    once = nn.dropout(0.5)((), ones, key=KEY)
    y = model(((), ()), ones, key=KEY)
    assert set(np.unique(y)) == {0.0, 4.0}  # not the same mask twice
    assert np.sum(y != 0) < np.sum(once != 0)
    assert model.needs_key
    assert not nn.sequential(nn.linear(2, 2), nn.relu, nn.dropout(0.0)).needs_key


def test_an_ensemble_by_vmap() -> None:
    keys = pg.random.split(KEY, 3)
    params, state = pg.vmap(MODEL.init)(keys)
    run = pg.vmap(lambda p, s, k: MODEL(p, X[0], state=nn.Running(s), key=k))
    y = run(params, state, keys)
    for at in range(3):
        own, its = pg.tree_map(lambda leaf, at=at: leaf[at], (params, state))
        single, _ = MODEL.init(keys[at])
        for a, b in zip(pg.tree_leaves(own), pg.tree_leaves(single), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-16)
        expected = MODEL(own, X[0], state=nn.Running(its), key=keys[at])
        np.testing.assert_allclose(y[at], expected, rtol=1e-10, atol=1e-12)


def test_a_state_of_layers_without_any_is_empty() -> None:
    model = nn.sequential(nn.linear(3, 2), nn.relu)
    params, state = model.init(KEY)
    assert state == ()
    running = nn.Running(state)
    model(params, X[0], state=running)
    assert running.value == ()
    block = nn.residual(nn.linear(3, 3), shortcut=nn.batch_norm(3))
    params, state = block.init(KEY)
    assert state[0] == ()
    assert set(state[1]) == {"mean", "variance"}
    running = nn.Running(state)
    block(params, X[0], state=running)
    assert np.all(running.value[1]["mean"] != 0)
