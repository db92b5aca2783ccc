"""Recurrent layers and attention: steps, states, directions, masks and their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph import nn

KEY = pg.random.key(5)
X = np.sin(np.arange(24.0)).reshape(2, 4, 3)


@pytest.mark.parametrize("layer", [nn.rnn(3, 2), nn.lstm(3, 2), nn.gru(3, 2)], ids=repr)
def test_steps_one_by_one_are_the_loop(layer: Any) -> None:
    params, _ = layer.init(KEY)
    params = pg.tree_map(lambda p: p + 0.1, params)
    y, last = layer(params, X, return_state=True)
    carry = layer.initial((2,))
    for at in range(4):
        carry, out = layer.step(params, carry, X[:, at])
        np.testing.assert_allclose(y[:, at], out, rtol=1e-13)
    for a, b in zip(pg.tree_leaves(last), pg.tree_leaves(carry), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    half, between = layer(params, X[:, :2], return_state=True)
    rest = layer(params, X[:, 2:], initial=between)
    np.testing.assert_allclose(np.concatenate([half, rest], 1), y, rtol=1e-13)
    with pytest.raises(pg.ShapeError, match=r"x has shape \(2, 4\)"):
        layer.step(params, carry, np.zeros((2, 4)))


def test_directions_lengths_and_sizes() -> None:
    layer = nn.gru(3, 2)
    params, _ = layer.init(KEY)
    forward = layer(params, X)
    backward = nn.gru(3, 2, reverse=True)(params, X[:, ::-1])
    np.testing.assert_allclose(backward[:, ::-1], forward, rtol=1e-14)
    final = nn.gru(3, 2, return_sequences=False)
    np.testing.assert_allclose(final(params, X), forward[:, -1], rtol=1e-14)
    assert layer(params, X[:, :0]).shape == (2, 0, 2)
    np.testing.assert_allclose(final(params, X[:, :0], initial=np.ones((2, 2))), 1.0)
    np.testing.assert_allclose(layer(params, X[:1, :1]), forward[:1, :1], rtol=1e-14)


def test_the_loop_is_one_instruction_and_compiled_once() -> None:
    layer = nn.sequential(nn.lstm(3, 2, return_sequences=False), nn.linear(2, 1))
    params, _ = layer.init(KEY)
    listing = pg.compile(pg.trace(layer, params, X)).disassemble()
    assert listing.count("SCAN body") == 1


def test_the_gates_of_a_recurrent_layer_are_drawn_apart() -> None:
    params, _ = nn.lstm(3, 4).init(KEY)
    for gate in range(4):
        block = params["recurrent"][:, 4 * gate : 4 * gate + 4]
        np.testing.assert_allclose(block.T @ block, np.eye(4), atol=1e-14)
    assert np.array_equal(params["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 4))


def naive(query: Any, key: Any, value: Any, mask: Any) -> Any:
    scores = query @ np.swapaxes(key, -1, -2) / np.sqrt(query.shape[-1])
    weights = np.where(mask, np.exp(scores), 0.0)
    return weights / np.sum(weights, -1, keepdims=True) @ value


def test_attention_with_masks_of_all_ranks() -> None:
    rng = np.random.default_rng(0)
    layer = nn.multi_head_attention(6, 2)
    params, _ = layer.init(KEY)
    x = rng.normal(size=(2, 4, 6))
    full = rng.random((2, 1, 4, 4)) < 0.6
    full[..., 0] = True
    run = pg.compile(lambda x, mask: layer(params, x, mask=mask))
    heads = [np.swapaxes((x @ params[name]["weight"]).reshape(2, 4, 2, 3), 1, 2) for name in ("query", "key", "value")]
    for mask in (full, full[:, 0], full[0, 0], np.broadcast_to(full, (2, 2, 4, 4))):
        wide = mask[:, None] if mask.ndim == 3 else mask
        mixed = np.swapaxes(naive(*heads, wide), 1, 2).reshape(2, 4, 6)
        np.testing.assert_allclose(run(x, mask), mixed @ params["output"]["weight"], rtol=1e-12, atol=1e-14)


def test_later_steps_do_not_change_earlier_results() -> None:
    layer = nn.multi_head_attention(6, 3, causal=True)
    params, _ = layer.init(KEY)
    x = np.sin(np.arange(48.0)).reshape(2, 4, 6)
    other = x.copy()
    other[:, 3] = 9.0
    np.testing.assert_array_equal(layer(params, x)[:, :3], layer(params, other)[:, :3])


def test_a_query_that_may_attend_to_nothing_gets_zeros_and_finite_derivatives() -> None:
    mask = np.array([[False, False], [True, False]])

    def loss(q: Any, k: Any, v: Any, mask: Any) -> Any:
        y = nn.attention(q, k, v, mask=mask)
        return pg.sum(y * y), y

    q, k, v = (np.array([[1.0, 2.0], [3.0, 4.0]]) * scale for scale in (1.0, 300.0, 2.0))
    (_, y), grads = pg.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)(q, k, v, mask)
    assert np.array_equal(y, [[0.0, 0.0], v[0]])
    assert np.array_equal(grads[2], [2.0 * v[0], [0.0, 0.0]])
    assert all(np.array_equal(g, np.zeros((2, 2))) for g in grads[:2])


def test_attention_drops_weights_where_it_has_a_key() -> None:
    layer = nn.multi_head_attention(4, 1, dropout=0.5)
    params, _ = layer.init(KEY)
    x = np.ones((1, 8, 4))
    still = layer(params, x)
    assert np.ptp(still, axis=1).max() < 1e-14
    assert np.ptp(layer(params, x, key=KEY), axis=1).max() > 0.1


def test_positions_are_added_to_the_steps_that_there_are() -> None:
    layer = nn.position_embedding(5)
    params, _ = layer.init(KEY, (4, 3), dtype="float32")
    assert params["weight"].shape == (5, 3)
    assert layer(params, X.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(layer(params, X), X + params["weight"][:4])
    with pytest.raises(pg.ShapeError, match=r"position_embedding\(5\): x has shape \(1, 6, 3\)[\s\S]* 5 steps"):
        layer(params, np.zeros((1, 6, 3)))


def test_a_transformer_block_in_one_program() -> None:
    model = nn.sequential(
        nn.embedding(7, 4),
        nn.position_embedding(5, 4),
        nn.residual(nn.layer_norm(4), nn.multi_head_attention(4, 2, causal=True)),
        nn.residual(nn.layer_norm(4), nn.linear(4, 8), nn.gelu, nn.linear(8, 4)),
        nn.linear(4, 7),
    )
    params, _ = model.init(KEY, dtype="float32")
    tokens = np.array([[1, 2, 3], [6, 0, 5]])

    def loss(params: Any) -> Any:
        logits = pg.log_softmax(model(params, tokens))
        return -pg.mean(logits[..., 0])

    value, grads = pg.value_and_grad(loss)(params)
    assert value.dtype == np.float32
    direction = pg.tree_map(lambda g: g.astype(np.float64), grads)
    wide = pg.tree_map(lambda p: p.astype(np.float64), params)
    size = sum(float(np.sum(g * g)) for g in pg.tree_leaves(direction))
    run = pg.compile(loss)
    ends = [run(pg.tree_map(lambda p, g, t=t: p + t * g, wide, direction)) for t in (1e-4, -1e-4)]
    assert abs((ends[0] - ends[1]) / 2e-4 / size - 1.0) < 1e-4
