"""What `pg.fit` says when a step fails, what Ctrl-C leaves, and how training goes on from a checkpoint."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from training_helpers import START, Momentum, line, line_data, same

import pygraph as pg


def _failed(kind: type[pg.GraphError], text: str, *args: Any, **named: Any) -> Any:
    with pytest.raises(kind, match=text) as caught:
        pg.fit(*args, **named)
    return caught.value


def test_nan_in_the_data_is_named_with_its_row() -> None:
    x, y = line_data()
    order = pg.random.permutation(pg.random.fold_in(pg.random.fold_in(pg.random.key(0), 0), 0), 23)
    x[order[12]] = np.nan
    text = rf"training epoch 1, batch 3: .*row {order[12]} of\s+data\[0\] has nan"
    error = _failed(pg.NonFiniteError, text, line, START, (x, y), optimizer=Momentum(0.1), epochs=3, batch_size=5)
    assert (error.epoch, error.batch, len(error.history)) == (1, 3, 0)
    before = [(x[rows], y[rows]) for rows in order[:10].reshape(-1, 5)]
    clean, _ = pg.fit(line, START, lambda: before, optimizer=Momentum(0.1))
    assert same(error.params, clean)
    copied = pickle.loads(pickle.dumps(error))
    assert same(copied.params, clean)
    assert str(copied) == str(error)


def test_labels_out_of_range_are_named_with_the_line() -> None:
    x, y = np.ones((8, 2)), np.array([0, 1, 2, 1, 0, 3, 1, 1])

    def loss(w: Any, x: Any, y: Any) -> Any:
        return -np.mean(pg.take_along_axis(pg.log_softmax(x @ w, axis=1), y[:, None], 1))

    text = r"epoch 1, batch 3: index 3 is out of range [\s\S]*data\[1\] has integers\s+from 0 to 3"
    arguments: dict[str, Any] = {"optimizer": Momentum(0.1), "batch_size": 2, "shuffle": False}
    error = _failed(pg.IndexRangeError, text, loss, np.zeros((2, 3)), (x, y), **arguments)
    assert "take_along_axis" in error.line.code
    assert int(error.optimizer_state["count"]) == 2
    batches = [(x[i : i + 2], y[i : i + 2]) for i in range(0, 8, 2)]
    again = _failed(pg.IndexRangeError, "epoch 1, batch 3", loss, np.zeros((2, 3)), lambda: batches, **arguments)
    assert same(again.params, error.params)


def test_a_loss_that_is_infinite_is_named_with_its_line() -> None:
    def loss(w: Any, x: Any) -> Any:
        size = np.mean(w * x)
        return np.log(size)

    # the gradient of log(w) is 1 / w: from 1 the first step leads to 0
    text = "epoch 2, batch 1: the loss is -inf"
    arguments: dict[str, Any] = {"optimizer": Momentum(1.0, 0.0), "epochs": 5}
    error = _failed(pg.NonFiniteError, text, loss, 1.0, np.ones(3), **arguments)
    assert error.line.code == "return np.log(size)"
    assert float(error.params) == 0.0
    assert error.history["loss"].tolist() == [0.0]


def test_the_parameter_whose_gradient_is_not_finite_is_named() -> None:
    def loss(params: Any, x: Any) -> Any:
        return np.mean(x) * (params["a"] + np.sqrt(params["b"]))

    start = {"a": 1.0, "b": 0.0}
    text = r"epoch 1, batch 1: the gradient of params\.b is not\s+finite"
    error = _failed(pg.NonFiniteError, text, loss, start, np.ones(4), optimizer=Momentum(0.1), epochs=3)
    assert same(error.params, start)
    assert "np.sqrt" in error.line.code


def test_a_step_too_large_is_named() -> None:
    def loss(w: Any, x: Any) -> Any:
        return w * np.mean(x)

    text = "parameters are not finite after this step"
    error = _failed(pg.NonFiniteError, text, loss, 1.0, np.full(2, 1e300), optimizer=Momentum(1e300))
    assert float(error.params) == 1.0


def _counting(params: Any, x: Any) -> Any:
    return params + 0.0 * np.sum(x)


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="no signals here")
def test_ctrl_c_returns_what_was_learned() -> None:
    begun = threading.Event()

    def press() -> None:
        begun.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    params, history = pg.fit(
        _counting,
        0.0,
        np.ones(200),
        optimizer=Momentum(1.0, 0.0),
        batch_size=1,
        epochs=10**7,
        callbacks=[lambda end: begun.set()],
    )
    thread.join()
    steps = int(history.optimizer_state["count"])
    assert steps >= 200
    assert float(params) == -steps  # as many steps as were counted, each of them whole
    assert history.stopped.startswith("interrupted")
    assert len(history) == steps // 200 or steps == 200 * (len(history) + 1)  # or before an epoch's row is written


class Memory:
    """Checkpoints in memory, by the protocol of `pg.Checkpointer`."""

    def __init__(self, end_after: int | None = None) -> None:
        self.saved: list[tuple[int, bytes]] = []
        self.end_after = end_after

    def save(self, step: int, tree: Any) -> str:
        if len(self.saved) == self.end_after:
            raise OSError("the machine goes down")
        assert all(isinstance(leaf, np.ndarray) for leaf in pg.tree_leaves(tree))
        self.saved.append((step, pickle.dumps(tree)))
        return str(step)

    def load(self, step: int | None = None) -> tuple[int, Any] | None:
        if not self.saved:
            return None
        number, held = self.saved[-1]
        return number, pickle.loads(held)


def _noisy(params: Any, x: Any, y: Any, key: Any) -> Any:
    return line(params, x if key is None else x + 0.01 * pg.random.normal(key, x.shape), y)


@pytest.mark.parametrize("saves", [1, 3, 7])
def test_a_training_that_goes_on_is_equal_to_one_that_never_stopped(
    saves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pygraph.train.epoch_steps.PERIOD", 0.0)  # a look at the clock after each step
    arguments: dict[str, Any] = {
        "data": line_data(),
        "optimizer": Momentum(0.02),
        "batch_size": 5,
        "validation": line_data(4),
        "early_stopping": 2,
        "epochs": 4,
        "checkpoint_steps": 2,
    }
    expected, table = pg.fit(_noisy, START, **arguments, checkpoint=Memory())
    broken = Memory(saves)
    with pytest.raises(OSError, match="goes down"):
        pg.fit(_noisy, START, **arguments, checkpoint=broken)
    broken.end_after = None
    params, history = pg.fit(_noisy, START, **arguments, checkpoint=broken, seed=123)  # the seed is the checkpoint's
    assert same(params, expected)
    assert same(history.optimizer_state, table.optimizer_state)
    for name in table.columns[:-1]:
        assert history[name].tolist() == table[name].tolist()
    assert history.best_epoch == table.best_epoch
    again, history = pg.fit(_noisy, START, **arguments, checkpoint=broken)  # nothing is left to do
    assert same(again, expected)
    assert len(history) == len(table)


def test_a_checkpoint_of_another_training_is_refused() -> None:
    kept = Memory()
    arguments: dict[str, Any] = {"data": line_data(), "optimizer": Momentum(0.1), "checkpoint": kept}
    pg.fit(line, START, **arguments)
    with pytest.raises(pg.ShapeError, match=r"params\.b is float64\[\] in the checkpoint, float64\[2\]"):
        pg.fit(lambda p, x, y: p["w"] * np.sum(p["b"]), START | {"b": np.zeros(2)}, **arguments)
    with pytest.raises(pg.SignatureError, match="the metrics that it began with"):
        pg.fit(line, START, **arguments, epochs=2, metrics={"w": lambda p, x, y: p["w"]})


def test_a_save_at_ctrl_c_is_gone_on_from() -> None:
    kept = Memory()

    def interrupt(then: int) -> Callable[[Any], None]:
        def callback(end: Any) -> None:
            if end.epoch == then:
                raise KeyboardInterrupt

        return callback

    arguments: dict[str, Any] = {"data": line_data(), "optimizer": Momentum(0.1), "epochs": 4}
    expected, _ = pg.fit(line, START, **arguments)
    _, history = pg.fit(line, START, **arguments, checkpoint=kept, callbacks=[interrupt(2)])
    assert history.stopped == "interrupted between epochs"
    params, history = pg.fit(line, START, **arguments, checkpoint=kept)
    assert same(params, expected)
    assert history.stopped == ""
