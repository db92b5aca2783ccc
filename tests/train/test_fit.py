"""`pg.fit` on arrays: the steps it does, their order, evaluation, the table, and what it refuses."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_helpers import START, Momentum, by_hand, line, line_data, same

import pygraph as pg
from pygraph.train.program_cache import program


def test_the_steps_are_those_of_the_loop_by_hand() -> None:
    x, y = line_data()
    params, history = pg.fit(line, START, (x, y), optimizer=Momentum(0.1), epochs=3, batch_size=5, shuffle=False)
    batches = [(x[i : i + 5], y[i : i + 5]) for i in range(0, 23, 5)]  # the last one has 3 rows
    expected, values = by_hand(START, batches * 3, Momentum(0.1))
    assert float(params["w"]) == pytest.approx(expected["w"], rel=1e-13)
    assert float(params["b"]) == pytest.approx(expected["b"], rel=1e-13)
    np.testing.assert_allclose(history["loss"], np.reshape(values, (3, 5)).sum(1) / 23, rtol=1e-13)
    assert int(history.optimizer_state["count"]) == 15
    assert history["epoch"].tolist() == [1, 2, 3]


def test_every_epoch_has_its_own_order_of_all_rows() -> None:
    rows = np.arange(10.0)

    def loss(w: Any, x: Any) -> Any:  # whose gradient is the row itself
        return np.sum(w * x)

    class Recorder:
        """Keeps every gradient, in the order of the steps."""

        def init(self, params: Any) -> Any:
            return {"seen": np.zeros(20), "at": np.int64(0)}

        def update(self, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
            return params, {"seen": state["seen"].at[state["at"]].set(gradient), "at": state["at"] + 1}

    def seen(seed: int) -> Any:
        _, history = pg.fit(loss, 1.0, rows, optimizer=Recorder(), epochs=2, batch_size=1, seed=seed)
        return history.optimizer_state["seen"]

    first = seen(0)
    assert sorted(first[:10]) == sorted(first[10:]) == rows.tolist()
    assert first[:10].tolist() != first[10:].tolist() != rows.tolist()
    assert seen(0).tolist() == first.tolist() != seen(1).tolist()
    key = pg.random.fold_in(pg.random.key(0), 0)  # the documented stream
    order = pg.random.permutation(pg.random.fold_in(key, 1), 10)
    assert first[10:].tolist() == rows[order].tolist()


def test_bits_do_not_depend_on_threads_nor_on_how_often_python_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(203, 40)), rng.normal(size=(203, 3))
    start = {"w": rng.normal(size=(40, 300)) * 0.1, "v": rng.normal(size=(300, 3)) * 0.1}

    def loss(params: Any, x: Any, y: Any) -> Any:
        return np.mean((np.tanh(x @ params["w"]) @ params["v"] - y) ** 2)

    def trained(threads: int) -> Any:
        params, history = pg.fit(loss, start, (x, y), optimizer=Momentum(0.05), epochs=2, threads=threads)
        return params, history["loss"]

    one = trained(1)
    monkeypatch.setattr("pygraph.train.epoch_steps.PERIOD", 0.0)  # each step is a call of its own
    assert same(one, trained(2))


def test_data_parameters_and_results_keep_their_containers_and_dtypes() -> None:
    Layer = namedtuple("Layer", "w b")
    x = {"left": np.ones((6, 2), np.float32), "right": [np.arange(6, dtype=np.uint8)]}
    start = [Layer(np.zeros(2, np.float32), np.float32(0.5)), {"scale": np.ones(1, np.float32)}]

    def loss(params: Any, batch: Any) -> Any:
        layer, more = params
        assert batch["right"][0].dtype == "int32"
        made = batch["left"] @ layer.w + layer.b * more["scale"]
        return np.mean((made - batch["right"][0].astype(np.float32)) ** 2)

    params, _ = pg.fit(loss, start, x, optimizer=Momentum(0.01), epochs=2, batch_size=4)
    assert isinstance(params, list)
    assert isinstance(params[0], Layer)
    assert all(np.asarray(leaf).dtype == "float32" for leaf in pg.tree_leaves(params))
    assert start[0].w.tolist() == [0, 0]
    assert not np.array_equal(params[0].w, start[0].w)


def test_validation_and_metrics_are_those_of_the_epoch_s_parameters() -> None:
    x, y = line_data()
    held_out = (np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 5.5]))
    seen = []

    def worst(params: Any, x: Any, y: Any) -> Any:
        return np.max(np.abs(params["w"] * x + params["b"] - y))

    params, history = pg.fit(
        line,
        START,
        (x, y),
        optimizer=Momentum(0.1),
        epochs=2,
        validation=held_out,
        metrics={"worst": worst, "rows": lambda params, x, y: len(x)},
        callbacks=[lambda end: seen.append((end.epoch, end.params, len(end.history)))],
    )
    assert history.columns == ("epoch", "loss", "validation_loss", "validation_worst", "validation_rows", "seconds")
    assert [(epoch, n) for epoch, _, n in seen] == [(1, 1), (2, 2)]
    for (_, then, _), row in zip(seen, (history[0], history[1]), strict=True):
        error = np.abs(then["w"] * held_out[0] + then["b"] - held_out[1])
        assert row["validation_loss"] == pytest.approx(np.mean(error**2), rel=1e-13)
        assert row["validation_worst"] == pytest.approx(error.max(), rel=1e-13)
        assert row["validation_rows"] == 3
    assert same(seen[-1][1], params)


def test_evaluation_in_parts_and_metrics_of_the_training_data() -> None:
    x, y = line_data()
    rows = {"rows": lambda params, x, y: len(x), "x": lambda params, x, y: np.mean(x)}
    common = {"optimizer": Momentum(0.1), "metrics": rows, "batch_size": 23}
    _, history = pg.fit(line, START, (x, y), **common, evaluation_batch_size=10)
    assert history["rows"][0] == pytest.approx((10 * 10 + 10 * 10 + 3 * 3) / 23)
    assert history["x"][0] == pytest.approx(np.mean(x), rel=1e-13)


def test_several_losses_are_added_up_and_shown() -> None:
    x, y = line_data()

    def two(params: Any, x: Any, y: Any) -> Any:
        return {"fit": line(params, x, y), "size": 0.1 * params["w"] ** 2}

    apart = {"fit": line, "size": lambda params, x, y: 0.1 * params["w"] ** 2}
    results = [pg.fit(f, START, (x, y), optimizer=Momentum(0.1), validation=(x, y)) for f in (two, apart)]
    assert same(results[0][0], results[1][0])
    for params, history in results:
        assert history.columns[:4] == ("epoch", "loss", "fit", "size")
        assert history.columns[4:7] == ("validation_loss", "validation_fit", "validation_size")
        assert history["loss"][0] == pytest.approx(history["fit"][0] + history["size"][0])
        assert history["validation_size"][0] == pytest.approx(0.1 * params["w"] ** 2)


def test_early_stopping_returns_the_best_parameters() -> None:
    wanted = [3.0, 2.0, 1.0, 1.5, 0.99, 1.2, 1.3, 0.1]  # the column that is watched, epoch by epoch

    def loss(params: Any, x: Any) -> Any:
        return params["t"] * 1.0 + 0.0 * np.sum(x)

    def value(params: Any, x: Any) -> Any:  # t goes down by 1 each epoch, from 8
        return np.asarray(wanted, like=params["t"])[(7.0 - params["t"]).astype(np.int64)]

    arguments: dict[str, Any] = {"data": np.ones(2), "optimizer": Momentum(1.0, 0.0), "metrics": {"value": value}}
    rule = pg.train.EarlyStopping(2, "value", min_delta=0.05)
    params, history = pg.fit(loss, {"t": 8.0}, epochs=8, early_stopping=rule, **arguments)
    assert history["value"].tolist() == wanted[:5]
    assert (history.best_epoch, float(params["t"])) == (3, 5.0)
    assert history.stopped == "value has not improved since epoch 3"
    rule = pg.train.EarlyStopping(3, "value", mode="max")
    params, history = pg.fit(loss, {"t": 8.0}, epochs=8, early_stopping=rule, **arguments)
    assert (history.best_epoch, float(params["t"]), len(history)) == (1, 7.0, 4)


def test_a_callback_ends_the_training() -> None:
    def stop(end: pg.train.EpochEnd) -> bool:
        return end.epoch == 2

    _, history = pg.fit(line, START, line_data(), optimizer=Momentum(0.1), epochs=5, callbacks=[stop])
    assert len(history) == 2
    assert "callback" in history.stopped


def test_gradients_are_clipped_by_value_and_by_norm() -> None:
    x = np.array([[3.0, 4.0], [3.0, 4.0]])

    def step(**limits: float) -> list[float]:
        start = np.zeros(2)
        arguments: dict[str, Any] = {"optimizer": Momentum(1.0), "batch_size": None}
        params, _ = pg.fit(lambda w, x: np.mean(x @ w), start, x, **arguments, **limits)
        return [float(p) for p in -params]

    assert step() == [3, 4]
    assert step(clip_value=3.5) == [3, 3.5]
    assert step(clip_norm=2.5) == [1.5, 2]
    assert step(clip_norm=10.0) == [3, 4]
    assert step(clip_value=3.0, clip_norm=3.0) == pytest.approx([3 / 2**0.5, 3 / 2**0.5])


def test_weights_of_rows_and_classes_reach_the_loss() -> None:
    x, y = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0, 1, 1, 1])

    def loss(w: Any, x: Any, y: Any, *, weights: Any = None) -> Any:
        return np.sum(w * x if weights is None else w * x * weights)

    def slope(**given: Any) -> float:
        params, _ = pg.fit(loss, 0.0, (x, y), optimizer=Momentum(1.0), batch_size=4, validation=(x, y), **given)
        return -float(params)

    assert slope() == 15
    assert slope(sample_weight=[1, 0, 0, 0.5]) == 5
    assert slope(class_weight={0: 10, 1: 1}) == 24
    assert slope(class_weight=[0.5, 2]) == 28.5
    assert slope(class_weight="balanced") == pytest.approx(2 * 1 + 14 * 2 / 3)
    assert slope(class_weight=[1, 2], sample_weight=[1, 1, 1, 0]) == 13


def test_the_key_is_another_one_in_each_step_and_the_same_for_a_seed() -> None:
    def loss(w: Any, x: Any, key: Any) -> Any:
        return w * pg.random.uniform(key, ())

    def total(seed: int, batch_size: int) -> float:
        params, _ = pg.fit(loss, 0.0, np.ones(4), optimizer=Momentum(1.0, 0.0), batch_size=batch_size, seed=seed)
        return -float(params)

    noise = pg.random.fold_in(pg.random.key(7), 1)
    drawn = [float(pg.random.uniform(pg.random.fold_in(noise, step), ())) for step in range(4)]
    assert total(7, 1) == pytest.approx(sum(drawn), rel=1e-14)
    assert total(7, 4) == drawn[0]


def test_one_trace_serves_all_epochs() -> None:
    traced = []

    def loss(params: Any, x: Any, y: Any) -> Any:
        traced.append(1)
        return line(params, x, y)

    pg.fit(loss, START, line_data(), optimizer=Momentum(0.1), epochs=2, batch_size=5)
    two = len(traced)
    traced.clear()
    pg.fit(loss, START, line_data(), optimizer=Momentum(0.1), epochs=9, batch_size=5)
    assert len(traced) == two


def test_the_table(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    _, history = pg.fit(
        line, START, line_data(), optimizer=Momentum(0.1), epochs=50, metrics={"w": lambda p, *_: p["w"]}
    )
    lines = str(history).splitlines()
    assert len({len(text) for text in lines if "…" not in text}) == 1
    assert lines[0].split() == ["epoch", "loss", "w", "seconds"]
    assert "10 epochs more" in lines[21]
    assert "50 epochs" in repr(history)
    figure = history.plot(tmp_path / "history.png")
    assert [axis.get_legend_handles_labels()[1] for axis in figure.axes] == [["loss"], ["w"]]
    assert (tmp_path / "history.png").stat().st_size > 1000
    with pytest.raises(pg.SignatureError, match="the columns are epoch, loss, w, seconds"):
        history["accuracy"]
    with pytest.raises(pg.IndexRangeError, match="row 50"):
        history[50]


def test_the_bar_shows_rows_and_values(capfd: pytest.CaptureFixture[str]) -> None:
    pg.fit(
        line, START, line_data(), optimizer=Momentum(0.1), epochs=2, progress=True, metrics={"w": lambda p, *_: p["w"]}
    )
    shown = capfd.readouterr().err
    assert "epoch 2/2: 100%" in shown
    assert "46.0/46.0" in shown
    assert "rows/s" in shown
    assert "loss=" in shown
    assert "w=" in shown
    pg.fit(line, START, line_data(), optimizer=Momentum(0.1), progress=False)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"batch_size": 0}, pg.SignatureError, "batch_size is 0"),
        ({"epochs": -1}, pg.SignatureError, "epochs is -1"),
        ({"data": (np.zeros((0, 2)), np.zeros(0))}, pg.ShapeError, "has no rows"),
        ({"data": (np.zeros(3), np.zeros(4))}, pg.ShapeError, r"data\[0\] has 3, data\[1\] has 4"),
        ({"data": (np.zeros(3), 1.0)}, pg.ShapeError, r"data\[1\] is a scalar"),
        ({"data": ()}, pg.ShapeError, "has no array"),
        ({"data": (np.zeros(3), "text")}, pg.DTypeError, "str where an array is needed"),
        ({"data": (np.zeros(3), np.zeros(3, complex))}, pg.DTypeError, "complex128"),
        ({"data": 3}, pg.SignatureError, "int, neither arrays nor batches"),
        ({"loss": lambda p, x, y: p["w"] * x}, pg.ShapeError, r"the loss has shape \(4,\), and is no scalar"),
        ({"loss": {"a": lambda p, x, y: p["w"] * x}}, pg.ShapeError, "loss 'a' has shape"),
        ({"loss": {}}, pg.SignatureError, "dict of losses is empty"),
        ({"loss": 3}, pg.SignatureError, "the loss is int"),
        ({"params": {"w": np.arange(3)}}, pg.DTypeError, "dtype int64"),
        ({"params": {"w": np.nan, "b": 0.0}}, pg.NonFiniteError, "params.w has inf or nan"),
        ({"params": ()}, pg.SignatureError, "no parameters"),
        ({"optimizer": "adam"}, pg.SignatureError, "optimizer has no function 'init'"),
        ({"metrics": [line]}, pg.SignatureError, "metrics are no dict"),
        ({"metrics": {"loss": line}}, pg.SignatureError, "name of a loss and of a metric"),
        ({"metrics": {"m": lambda p, x, y: x}}, pg.ShapeError, "metric 'm' has shape"),
        ({"validation": (np.zeros(3), np.zeros(2))}, pg.ShapeError, r"validation\[1\] has 2"),
        ({"sample_weight": [1.0] * 4}, pg.SignatureError, "no parameter `weights`"),
        ({"state": np.zeros(2)}, pg.SignatureError, "the loss takes none"),
        ({"early_stopping": 0}, pg.SignatureError, "patience is 0"),
        ({"early_stopping": pg.train.EarlyStopping(1, "auc")}, pg.SignatureError, "no column 'auc'"),
        ({"clip_norm": -1.0}, pg.DomainError, "limit"),
    ],
)
def test_what_is_refused(given: dict[str, Any], error: type[Exception], text: str) -> None:
    usual = {"loss": line, "params": START, "data": line_data(4), "optimizer": Momentum(0.1), "batch_size": 4}
    with pytest.raises(error, match=text):
        pg.fit(**(usual | given))


def test_the_programs_of_equal_trainings_are_compiled_once() -> None:
    def scaled(factor: float) -> pg.Executable:
        return program(lambda x: factor * x, {"threads": None, "backend": "auto"}, np.ones(3))

    assert scaled(2.0) is scaled(2.0)
    assert scaled(2.0)(np.ones(3)).tolist() == [2, 2, 2]
    assert scaled(3.0)(np.ones(3)).tolist() == [3, 3, 3]
