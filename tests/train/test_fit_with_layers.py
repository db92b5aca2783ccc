"""`pg.fit` with layers, optimisers and checkpoints of pygraph's own: state, keys, clipping, line search, resumption."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_helpers import START, line, line_data, same

import pygraph as pg

Model = namedtuple("Model", "first rest")


def _net() -> tuple[Any, Any, Any]:
    """A net with running statistics and dropout, the loss of its parameters, and its data."""
    nn = pg.nn
    net = nn.sequential(nn.linear(3, 4), nn.batch_norm(4), nn.relu, nn.dropout(0.3), nn.linear(4, 1))

    def loss(params: Any, x: Any, y: Any, **context: Any) -> Any:
        return pg.losses.mse(net(params, x, **context)[:, 0], y)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(17, 3))
    return net.init(pg.random.key(1)), loss, (x, x[:, 0] * x[:, 1])


def test_statistics_and_keys_are_threaded_as_by_hand() -> None:
    (params, state), loss, (x, y) = _net()
    optimizer = pg.optim.adam(0.01)
    found, history = pg.fit(
        loss, params, (x, y), optimizer=optimizer, epochs=2, batch_size=6, state=state, seed=3, validation=(x, y)
    )
    key = pg.random.key(3)
    shuffling, noise = pg.random.fold_in(key, 0), pg.random.fold_in(key, 1)

    def step(params: Any, state: Any, key: Any, x: Any, y: Any) -> Any:
        running = pg.nn.Running(state)
        return loss(params, x, y, state=running, key=key), running.value

    with_gradient = pg.compile(pg.value_and_grad(step, has_aux=True))
    memory, count = optimizer.init(params), 0
    for epoch in range(2):
        order = pg.random.permutation(pg.random.fold_in(shuffling, epoch), 17)
        for rows in np.split(order, [6, 12]):
            (_, state), gradient = with_gradient(params, state, pg.random.fold_in(noise, count), x[rows], y[rows])
            params, memory = optimizer.update(gradient, memory, params)
            count += 1
    for one, other in zip(pg.tree_leaves((found, history.state)), pg.tree_leaves((params, state)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
    # evaluation: no dropout, and the running statistics
    assert history["validation_loss"][-1] == pytest.approx(float(loss(found, x, y, state=history.state)), rel=1e-12)


def test_clipping_by_arguments_is_that_of_a_chain() -> None:
    optim = pg.optim
    arguments: dict[str, Any] = {"data": line_data(), "epochs": 2, "batch_size": 8}
    chained = optim.chain(optim.clip_by_value(1.5), optim.clip_by_norm(0.5), optim.sgd(0.1, momentum=0.9))
    expected, _ = pg.fit(line, START, optimizer=chained, **arguments)
    params, _ = pg.fit(line, START, optimizer=optim.sgd(0.1, momentum=0.9), clip_value=1.5, clip_norm=0.5, **arguments)
    assert same(params, expected)
    with pytest.raises(pg.SignatureError, match="line search"):
        pg.fit(line, START, optimizer=optim.lbfgs(), clip_norm=0.5, **arguments)


def test_an_optimiser_with_a_line_search_evaluates_the_loss_of_the_batch() -> None:
    params, history = pg.fit(line, START, line_data(), optimizer=pg.optim.lbfgs(), batch_size=None, epochs=8)
    assert float(params["w"]) == pytest.approx(2.0, abs=1e-8)
    assert float(params["b"]) == pytest.approx(1.0, abs=1e-8)
    assert (np.diff(history["loss"]) <= 0).all()


def _train(folder: Any, epochs: int) -> tuple[Any, Any]:
    (params, state), loss, data = _net()
    start = Model(params[0], params[1:])
    return pg.fit(
        lambda params, *batch, **context: loss((params.first, *params.rest), *batch, **context),
        start,
        data,
        optimizer=pg.optim.adam(pg.optim.cosine(0.01, 30)),
        epochs=epochs,
        batch_size=6,
        state=state,
        validation=data,
        early_stopping=100,
        checkpoint=None if folder is None else pg.Checkpointer(folder, keep=2),
        checkpoint_steps=1,
    )


def test_training_goes_on_from_files_to_the_same_bits(tmp_path: Path) -> None:
    expected, table = _train(None, 4)
    _train(tmp_path, 2)
    params, history = _train(tmp_path, 4)
    assert isinstance(params, Model)
    assert same((params, history.state, history.optimizer_state), (expected, table.state, table.optimizer_state))
    assert history["validation_loss"].tolist() == table["validation_loss"].tolist()
