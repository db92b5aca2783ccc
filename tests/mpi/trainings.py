"""Trainings that ranks do together: `mpiexec -n 2 python trainings.py FOLDER NAME …` writes what each rank found.

Without MPI, `NAME(None)` is the same training by one process.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pygraph as pg

TRAININGS: dict[str, Callable[[Any], Any]] = {}


def training(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    TRAININGS[function.__name__] = function
    return function


def rank_of(comm: Any) -> int:
    return 0 if comm is None else comm.Get_rank()


def bits(tree: Any) -> int:
    return zlib.crc32(b"".join(np.asarray(leaf).tobytes() for leaf in pg.tree_leaves(tree)))


def rows(count: int = 23) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(count, 4)), rng.integers(0, 3, count)


def linear(params: Any, x: Any, y: Any, *, weights: Any = None) -> Any:
    return pg.losses.softmax_cross_entropy(x @ params["w"] + params["b"], y, weights=weights)


def start() -> dict[str, Any]:
    return {"w": np.zeros((4, 3)), "b": np.zeros(3)}


def fitted(comm: Any, loss: Any = linear, data: Any = None, **named: Any) -> tuple[Any, Any]:
    arguments: dict[str, Any] = {"optimizer": pg.optim.sgd(0.1, momentum=0.5), "epochs": 2, "batch_size": 5}
    return pg.fit(loss, start(), rows() if data is None else data, comm=comm, **(arguments | named))


def shown(result: tuple[Any, Any]) -> dict[str, Any]:
    params, history = result
    return {
        "params": [np.asarray(leaf).ravel().tolist() for leaf in pg.tree_leaves(params)],
        "bits": bits((params, history.state, history.optimizer_state)),
        "history": {name: history[name].tolist() for name in history.columns if name != "seconds"},
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
    }


def error_of(comm: Any, *args: Any, **named: Any) -> dict[str, Any]:
    try:
        fitted(comm, *args, **named)
    except Exception as error:
        params = getattr(error, "params", None)
        cause = None if error.__cause__ is None else str(error.__cause__)
        return {"type": type(error).__name__, "text": str(error), "params": bits(params), "cause": cause}
    return {"type": None}


@training
def nets_with_everything(comm: Any) -> Any:
    """float32, running statistics, dropout, weights, clipping, validation in parts, metrics and early stopping."""
    model = pg.nn.sequential(
        pg.nn.linear(4, 8), pg.nn.batch_norm(8), pg.nn.relu, pg.nn.dropout(0.2), pg.nn.linear(8, 3)
    )
    params, state = model.init(pg.random.key(rank_of(comm)), (4,))  # other ones in each rank: those of rank 0 count
    params = pg.tree_map(np.float32, params)

    def loss(params: Any, x: Any, y: Any, *, weights: Any = None, **context: Any) -> Any:
        return pg.losses.softmax_cross_entropy(model(params, x.astype("float32"), **context), y, weights=weights)

    def accuracy(params: Any, x: Any, y: Any, **context: Any) -> Any:
        return pg.metrics.accuracy(model(params, x.astype("float32"), **context), y)

    data = rows(56)
    result = pg.fit(
        loss,
        params,
        data,
        optimizer=pg.optim.adam(1e-2),
        state=state,
        epochs=3,
        batch_size=20,
        validation=data,
        evaluation_batch_size=15,
        metrics={"accuracy": accuracy},
        clip_norm=1.0,
        class_weight="balanced",
        early_stopping=2,
        comm=comm,
        deterministic=True,
    )
    return shown(result)


@training
def uneven_batches(comm: Any) -> Any:
    return shown(fitted(comm, validation=rows(9), evaluation_batch_size=4))


@training
def more_ranks_than_rows(comm: Any) -> Any:
    return shown(fitted(comm, data=rows(3), batch_size=2))


@training
def fewer_parts_than_ranks(comm: Any) -> Any:
    return shown(fitted(comm, deterministic=1))


@training
def several_losses(comm: Any) -> Any:
    """Of which one takes weights; those of many rows are 0, so that a share of a batch may weigh nothing."""
    losses = {
        "fit": linear,
        "size": lambda params, x, y: 0.1 * np.sum(params["w"] ** 2) + np.mean(x[:, 0] * params["b"][0]),
    }
    weights = (np.arange(23) % 4 == 0) * np.arange(1.0, 24.0)
    return shown(fitted(comm, losses, sample_weight=weights, shuffle=False))


@training
def integers_in_the_state(comm: Any) -> Any:
    def loss(params: Any, x: Any, y: Any, state: Any) -> Any:
        found = state.value if isinstance(state, pg.nn.Running) else state
        seen = {"steps": found["steps"] + 1, "mean": np.mean(x, axis=0), "constant": found["constant"]}
        if isinstance(state, pg.nn.Running):
            state.value = seen
        return linear(params, x, y)

    state = {"steps": np.int64(0), "mean": np.zeros(4), "constant": np.array([np.inf, 0.1])}
    _, history = fitted(comm, loss, state=state)
    return {name: np.asarray(leaf).tolist() for name, leaf in history.state.items()}


@training
def arrays_from_a_file(comm: Any) -> Any:
    """Whose elements have to be converted, batch by batch."""
    x, y = rows()
    folder = Path(os.environ["TRAININGS_FOLDER"])
    if rank_of(comm) == 0:
        x.astype(np.float16).tofile(folder / "x.bin")
        y.astype(np.int16).tofile(folder / "y.bin")
    if comm is not None:
        comm.Barrier()
    mapped = np.memmap(folder / "x.bin", np.float16, "r", shape=(23, 4)), np.memmap(folder / "y.bin", np.int16, "r")
    return shown(fitted(comm, lambda p, x, y: linear(p, x.astype("float64"), y), mapped))


@training
def batches_of_each_rank(comm: Any) -> Any:
    """Rank 0 gives rows 0 to 3, then 8 to 10, then 18 to 22; rank 1 rows 4 to 7, then 11 to 17."""
    x, y = rows()
    of_rank = [[range(4), range(8, 11), range(18, 23)], [range(4, 8), range(11, 18)]]
    if comm is None:
        of_rank = [[[*range(8)], [*range(8, 18)], [*range(18, 23)]]]
    mine = [(x[list(places)], y[list(places)]) for places in of_rank[rank_of(comm)]]
    return shown(fitted(comm, data=lambda: mine, validation=lambda: mine))


@training
def labels_out_of_range(comm: Any) -> Any:
    x, y = rows()
    y = y.copy()
    y[9] = 7  # the last row of the second batch
    gathered = lambda p, x, y: -np.mean(pg.take_along_axis(pg.log_softmax(x @ p["w"], axis=1), y[:, None], 1))  # noqa: E731
    return error_of(comm, gathered, (x, y), shuffle=False)


@training
def nan_in_the_data(comm: Any) -> Any:
    x, y = rows()
    x[9, 1] = np.nan
    return error_of(comm, linear, (x, y), shuffle=False)


@training
def a_step_too_large(comm: Any) -> Any:
    return error_of(comm, lambda p, x, y: linear(p, x, y) + 1e300 * p["b"][0], optimizer=pg.optim.sgd(1e300))


@training
def a_file_that_ends_in_one_rank(comm: Any) -> Any:
    def batches() -> Any:
        yield rows(5)
        if rank_of(comm) == 1:
            raise OSError("the disk of rank 1 is full")
        yield rows(5)

    return error_of(comm, linear, batches)


@training
def other_arguments_in_one_rank(comm: Any) -> Any:
    return error_of(comm, epochs=2 + rank_of(comm))


@training
def other_data_in_one_rank(comm: Any) -> Any:
    x, y = rows(24)
    part = slice(rank_of(comm), None, 2)
    return error_of(comm, linear, (x[part], y[part]))


@training
def bad_arguments_in_one_rank(comm: Any) -> Any:
    return error_of(comm, batch_size=5 - 5 * rank_of(comm))


@training
def a_callback_that_fails_in_one_rank(comm: Any) -> Any:
    def callback(end: Any) -> None:
        if rank_of(comm) == 1:
            raise KeyError("only here")

    return error_of(comm, callbacks=[callback])


@training
def a_callback_that_ends_in_one_rank(comm: Any) -> Any:
    return shown(fitted(comm, epochs=5, callbacks=[lambda end: end.epoch == 2 + rank_of(comm)]))


@training
def another_update_in_one_rank(comm: Any) -> Any:
    return error_of(comm, optimizer=pg.optim.sgd(0.1 + 1e-9 * rank_of(comm)))


@training
def an_optimiser_that_fails(comm: Any) -> Any:
    class Failing:
        def init(self, params: Any) -> Any:
            return np.int64(0)

        def update(self, gradients: Any, state: Any, params: Any) -> Any:
            taken = pg.take(params["b"], state)  # the fourth one is not there
            return pg.tree_map(lambda p, g: p - 0.1 * g + 0.0 * taken, params, gradients), state + 1

    return error_of(comm, optimizer=Failing())


@training
def line_searches(comm: Any) -> Any:
    return error_of(comm, optimizer=pg.optim.lbfgs())


@training
def fixed_parts_of_batches(comm: Any) -> Any:
    return error_of(comm, linear, lambda: [rows(5)], deterministic=True)


@training
def ctrl_c(comm: Any) -> Any:
    """Pressed in the last rank."""

    def callback(end: Any) -> None:
        if end.epoch == 2 and rank_of(comm) == comm.Get_size() - 1:
            os.kill(os.getpid(), signal.SIGINT)

    return shown(fitted(comm, epochs=10**9, callbacks=[callback]))


@training
def checkpoints(comm: Any) -> Any:
    """Of a training that ends before the third epoch, and goes on; only rank 0 knows of them."""
    folder = Path(os.environ["TRAININGS_FOLDER"]) / ("alone" if comm is None else f"of {comm.Get_size()}")

    def callback(end: Any) -> None:
        if end.epoch == 2 and rank_of(comm) == 0:
            raise KeyboardInterrupt

    def go(*callbacks: Any) -> Any:
        kept = pg.Checkpointer(folder) if rank_of(comm) == 0 else None
        named: dict[str, Any] = {"checkpoint": kept, "checkpoint_steps": 1, "deterministic": 4}
        return shown(fitted(comm, epochs=4, callbacks=callbacks, **named))

    first = go(callback)
    return [first, go(), shown(fitted(comm, epochs=4, deterministic=4))]


@training
def a_rank_that_is_killed(comm: Any) -> Any:
    def callback(end: Any) -> None:
        if rank_of(comm) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    return shown(fitted(comm, epochs=10**9, callbacks=[callback]))


@training
def a_rank_that_leaves(comm: Any) -> Any:
    def callback(end: Any) -> None:
        if rank_of(comm) == 1:
            raise SystemExit(3)

    return shown(fitted(comm, epochs=10**9, callbacks=[callback]))


if __name__ == "__main__":
    from mpi4py import MPI

    folder, *names = sys.argv[1:]
    os.environ["TRAININGS_FOLDER"] = folder
    found = {name: TRAININGS[name](MPI.COMM_WORLD) for name in names}
    Path(folder, f"rank-{MPI.COMM_WORLD.Get_rank()}.json").write_text(json.dumps(found))
