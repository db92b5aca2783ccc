"""`pg.fit` on data that is not an array in memory: generators, factories, tensors, files mapped into memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_helpers import START, Momentum, line, line_data, same

import pygraph as pg


def _batches() -> Iterator[tuple[Any, Any]]:
    x, y = line_data()
    for start in range(0, 23, 5):
        yield x[start : start + 5], y[start : start + 5]


class Loader:
    """As a DataLoader of torch: it has a length, can be gone through again, and gives lists of tensors."""

    class Tensor:
        """What NumPy makes an array of."""

        def __init__(self, array: Any) -> None:
            self._array = array

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array(self._array, dtype)

    def __len__(self) -> int:
        return 5

    def __iter__(self) -> Iterator[list[Any]]:
        return ([self.Tensor(x), self.Tensor(y)] for x, y in _batches())


def test_batches_are_trained_on_as_rows_of_arrays_are() -> None:
    rows = {"worst": lambda p, x, y: np.max(np.abs(p["w"] * x - y)), "n": lambda p, x, y: len(x)}
    common: dict[str, Any] = {"optimizer": Momentum(0.1), "epochs": 2, "metrics": rows}
    expected, table = pg.fit(line, START, line_data(), batch_size=5, shuffle=False, evaluation_batch_size=5, **common)
    for data in (_batches, Loader()):
        params, history = pg.fit(line, START, data, **common)
        assert same(params, expected)
        for name in ("loss", "worst", "n"):
            np.testing.assert_allclose(history[name], table[name], rtol=1e-13)
    params, history = pg.fit(line, START, _batches, optimizer=Momentum(0.1), epochs=2, validation=Loader())
    assert same(params, expected)
    assert len(history["validation_loss"]) == 2


def test_a_generator_serves_one_epoch() -> None:
    _, history = pg.fit(line, START, _batches(), optimizer=Momentum(0.1))
    assert len(history) == 1
    with pytest.raises(pg.StateError, match=r"gives its batches once[\s\S]*a function without arguments"):
        pg.fit(line, START, _batches(), optimizer=Momentum(0.1), epochs=2)
    with pytest.raises(pg.StateError, match="validation is a generator"):
        pg.fit(line, START, _batches, optimizer=Momentum(0.1), epochs=2, validation=_batches())
    with pytest.raises(pg.StateError, match="data is a generator"):  # which metrics would need again
        pg.fit(line, START, _batches(), optimizer=Momentum(0.1), metrics={"w": lambda p, x, y: p["w"]})


def test_files_mapped_into_memory_are_read_batch_by_batch(tmp_path: Path) -> None:
    x, y = line_data(40)
    whole = np.round(x * 20).astype(np.int8)
    common: dict[str, Any] = {"optimizer": Momentum(1e-3), "epochs": 2, "batch_size": 7, "seed": 5}
    expected, table = pg.fit(line, START, (whole.astype(np.float64), y), **common)
    for array in (whole, whole.astype(np.float64)):  # the first has to be converted, the second is used as it lies
        path = tmp_path / f"{array.dtype}.npy"
        np.save(path, array)
        mapped = np.load(path, mmap_mode="r")
        params, history = pg.fit(line, START, (mapped, y), validation=(mapped, y), evaluation_batch_size=16, **common)
        np.testing.assert_allclose(params["w"], expected["w"], rtol=1e-12)
        np.testing.assert_allclose(history["loss"], table["loss"], rtol=1e-12)
        assert history["validation_loss"][-1] == pytest.approx(float(line(params, array.astype(float), y)))


def test_what_batches_have_to_be() -> None:
    def wrong(batch: Any) -> Any:
        def batches() -> Iterator[Any]:
            yield next(_batches())
            yield batch

        return batches

    def refused(batch: Any, error: type[Exception], text: str) -> None:
        with pytest.raises(error, match=text) as caught:
            pg.fit(line, START, wrong(batch), optimizer=Momentum(0.1))
        found: Any = caught.value
        assert (found.epoch, found.batch, int(found.optimizer_state["count"])) == (1, 2, 1)
        assert found.params["w"] != START["w"]

    refused((np.zeros(3), np.zeros(2)), pg.ShapeError, "numbers of rows differ: batch 2 of data")
    refused((np.zeros(0), np.zeros(0)), pg.ShapeError, "batch 2 of data has no rows")
    refused((np.zeros(3), ["a"]), pg.DTypeError, "batch 2 of data has str")
    with pytest.raises(pg.ShapeError, match="gave no batch"):
        pg.fit(line, START, lambda: iter(()), optimizer=Momentum(0.1))
    with pytest.raises(pg.SignatureError, match="sample_weight needs arrays"):
        pg.fit(line, START, _batches, optimizer=Momentum(0.1), sample_weight=[1.0])


def test_classes_have_weights_in_batches_too() -> None:
    def loss(w: Any, x: Any, y: Any, weights: Any) -> Any:
        return np.sum(w * x * weights)

    batch = (np.array([1.0, 2.0]), np.array([0, 1]))
    params, _ = pg.fit(loss, 0.0, lambda: [batch], optimizer=Momentum(1.0), class_weight={0: 10.0, 1: 1.0})
    assert float(params) == -12
    with pytest.raises(pg.DomainError, match="labels without a class weight: 1"):
        pg.fit(loss, 0.0, batch, optimizer=Momentum(1.0), class_weight={0: 1.0})
