"""`pg.fit` with batches in fixed parts: one process is a rank among others, and here is alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from training_helpers import START, Momentum, line, line_data, same

import pygraph as pg
from pygraph.train.gradient_buffers import GradientBuffers
from pygraph.train.summation_tree import SummationTree, share


def _total(parts: list[Any], size: int) -> list[Any]:
    """What each of so many processes makes of the parts, None where one is empty."""
    trees = [SummationTree(len(parts), size, rank) for rank in range(size)]
    everyone = [GradientBuffers({"a": np.zeros(3), "n": np.int64(0)}, tree.rows) for tree in trees]

    def compute(buffers: GradientBuffers) -> Callable[[int, int], bool]:
        def put(part: int, row: int) -> bool:
            if parts[part] is not None:
                buffers.views[row]["a"][:] = parts[part]
                buffers.views[row]["n"][...] = part
            return parts[part] is not None

        return put

    for tree, buffers in zip(trees, everyone, strict=True):
        for node in tree.mine:
            tree.fill(node, buffers, compute(buffers))
    for here in everyone:  # what MPI does
        for tree, there in zip(trees, everyone, strict=True):
            for mine, other in zip(here.flat, there.flat, strict=True):
                mine[tree.mine.start : tree.mine.stop] = other[tree.mine.start : tree.mine.stop]
    found = []
    for tree, buffers in zip(trees, everyone, strict=True):
        row = tree.combine(buffers, lambda part: parts[part] is None)
        found.append((buffers.views[row]["a"].tolist(), int(buffers.views[row]["n"])))
    return found


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_tree_gives_the_same_bits_for_any_number_of_processes(count: int) -> None:
    parts = list(np.random.default_rng(0).normal(size=(count, 3)) * 10.0 ** np.arange(count)[:, None])
    (expected,) = _total(parts, 1)
    np.testing.assert_allclose(expected[0], np.sum(parts, axis=0), rtol=1e-14)
    assert expected[1] == count - 1
    for size in range(2, 11):
        assert _total(parts, size) == [expected] * size
    for empty in range(count - 1):
        holes: list[Any] = [None if part <= empty else value for part, value in enumerate(parts)]
        (expected,) = _total(holes, 1)
        assert _total(holes, 3) == [expected] * 3


def test_shares_are_as_equal_as_they_can_be() -> None:
    for whole in (0, 1, 7, 8, 20):
        bounds = [share(whole, number, 8) for number in range(8)]
        assert [first for first, _ in bounds[1:]] == [last for _, last in bounds[:-1]]
        assert (bounds[0][0], bounds[-1][1]) == (0, whole)
        sizes = [last - first for first, last in bounds]
        assert max(sizes) - min(sizes) <= 1


def test_the_steps_are_those_of_whole_batches_to_rounding() -> None:
    arguments: dict[str, Any] = {"optimizer": Momentum(0.1), "epochs": 3, "batch_size": 5, "validation": line_data(4)}
    expected, table = pg.fit(line, START, line_data(), **arguments)
    seen: list[Any] = []
    params, history = pg.fit(
        line, START, line_data(), **arguments, deterministic=True, callbacks=[lambda end: seen.append(end.params)]
    )
    assert type(params["w"]) is np.float64
    assert not same(seen[0], seen[1])  # none is written to by later steps
    assert float(params["w"]) == pytest.approx(expected["w"], rel=1e-13)
    for column in ("loss", "validation_loss"):
        np.testing.assert_allclose(history[column], table[column], rtol=1e-12)
    again, _ = pg.fit(line, START, line_data(), **arguments, deterministic=True, threads=1)
    assert same(again, params)


def test_errors_name_the_row_and_have_the_last_good_parameters() -> None:
    x, y = line_data()
    x[12] = np.nan
    arguments: dict[str, Any] = {"optimizer": Momentum(0.1), "batch_size": 5, "shuffle": False, "deterministic": 2}
    with pytest.raises(pg.NonFiniteError, match=r"epoch 1, batch 3: .*row 12 of\s+data\[0\] has nan") as caught:
        pg.fit(line, START, (x, y), **arguments)
    clean, _ = pg.fit(line, START, (x[:10], y[:10]), **arguments)
    assert same(vars(caught.value)["params"], clean)


def test_what_is_refused_in_parts() -> None:
    arguments: dict[str, Any] = {"loss": line, "params": START, "data": line_data(), "optimizer": Momentum(0.1)}
    with pytest.raises(pg.SignatureError, match="deterministic is 0"):
        pg.fit(**arguments, deterministic=0)
    with pytest.raises(pg.SignatureError, match="needs arrays"):
        pg.fit(**(arguments | {"data": lambda: [line_data()]}), deterministic=True)
    with pytest.raises(pg.UnsupportedError, match="line search"):
        pg.fit(**(arguments | {"optimizer": pg.optim.lbfgs()}), deterministic=True)


def test_what_does_not_fill_a_batch_is_left_out() -> None:
    x, y = line_data(21)
    arguments: dict[str, Any] = {"optimizer": Momentum(0.1), "batch_size": 5, "shuffle": False}
    expected, _ = pg.fit(line, START, (x[:20], y[:20]), **arguments)
    for more in ({}, {"deterministic": 1}):
        params, history = pg.fit(line, START, (x, y), **arguments, **more, drop_last=True)
        assert float(params["w"]) == pytest.approx(expected["w"], rel=1e-13)
        assert int(history.optimizer_state["count"]) == 4
    model = pg.nn.batch_norm(1)
    start, state = model.init(pg.random.key(0))

    def loss(params: Any, x: Any, **context: Any) -> Any:
        return np.mean(model(params, x[:, None], **context) ** 2)

    arguments = {"optimizer": Momentum(0.1), "batch_size": 5, "state": state}
    with pytest.raises(pg.ShapeError, match="drop_last=True"):
        pg.fit(loss, start, x, **arguments)
    _, history = pg.fit(loss, start, x, **arguments, drop_last=True)
    assert len(history) == 1
