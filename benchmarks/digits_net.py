"""A whole training on the digits: a net of 64-128-10 units, 20 epochs of batches of 32 rows, by Adam."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .harness import Case, Contender, Figure, Report, Target, peer, print_table, run_case

Array = npt.NDArray[Any]

EPOCHS, BATCH, RATE, ROWS = 20, 32, 1e-3, 1437
#: pg.fit may take this times PyTorch's loop, and this times scikit-learn's.
LIMIT_TORCH = 0.05
LIMIT_SKLEARN = 0.1


def start() -> dict[str, Array]:
    """The same first parameters for all."""
    rng = np.random.default_rng(0)
    return {
        "w": rng.uniform(-1, 1, (64, 128)) / 8,
        "b": rng.uniform(-1, 1, 128) / 8,
        "v": rng.uniform(-1, 1, (128, 10)) / np.sqrt(128),
        "c": rng.uniform(-1, 1, 10) / np.sqrt(128),
    }


def loss(params: Any, x: Any, y: Any) -> Any:
    """The mean cross-entropy of the net."""
    hidden = pg.relu(x @ params["w"] + params["b"])
    return pg.losses.softmax_cross_entropy(hidden @ params["v"] + params["c"], y)


def _fit(x: Array, y: Array) -> Any:
    return pg.fit(
        loss,
        start(),
        data=(x, y),
        optimizer=pg.optim.adam(RATE),
        epochs=EPOCHS,
        batch_size=BATCH,
        shuffle=False,
        progress=False,
    )


def _answer(result: Any) -> list[Any]:
    """The loss of each epoch."""
    return [result[1]["loss"]]


def _torch(torch: Any, x: Array, y: Array) -> Contender:
    """The loop that PyTorch's users write, on one thread: with more this net is slower."""
    torch.set_num_threads(1)
    inputs, labels = torch.tensor(x), torch.tensor(y)

    def train() -> tuple[Any, dict[str, Array]]:
        params = {name: torch.tensor(value, requires_grad=True) for name, value in start().items()}
        optimizer = torch.optim.Adam(params.values(), lr=RATE)
        criterion = torch.nn.CrossEntropyLoss()
        losses = []
        for _ in range(EPOCHS):
            total = 0.0
            for first in range(0, ROWS, BATCH):
                batch, target = inputs[first : first + BATCH], labels[first : first + BATCH]
                optimizer.zero_grad()
                hidden = torch.relu(batch @ params["w"] + params["b"])
                value = criterion(hidden @ params["v"] + params["c"], target)
                value.backward()
                optimizer.step()
                total += value.item() * len(batch)
            losses.append(total / ROWS)
        return params, {"loss": np.array(losses)}

    return Contender("PyTorch eager", train, _answer)


def _sklearn(x: Array, y: Array) -> float:
    """scikit-learn's own loss after as many epochs; its first parameters and its order of rows are others."""
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        net = MLPClassifier((128,), batch_size=BATCH, max_iter=EPOCHS, alpha=0.0, n_iter_no_change=EPOCHS)
        return float(net.fit(x, y).loss_)


def _seconds(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def add_to(report: Report, rounds: int | None) -> None:
    """Measure, print the table, and add it to the report of `training`."""
    datasets = peer("sklearn.datasets", report.left_out)
    if datasets is None:
        return
    digits = datasets.load_digits()
    x, y = digits.data[:ROWS] / 16.0, digits.target[:ROWS]
    contenders = [Contender("pygraph fit", lambda: _fit(x, y), _answer)]
    if torch := peer("torch", report.left_out):
        contenders.append(_torch(torch, x, y))
    targets = [Target("pygraph fit", "PyTorch eager", LIMIT_TORCH)]
    steps = EPOCHS * -(-ROWS // BATCH)
    title = f"digits, 64-128-10 units, {steps} steps of {BATCH} rows, compiled before"
    report.tables.append(run_case(Case(title, contenders, "pygraph fit", targets, 5, 1e-6), rounds))
    print_table(report.tables[-1])
    pairs = [(_seconds(lambda: _fit(x, y)), _seconds(lambda: _sklearn(x, y))) for _ in range(rounds or 5)]
    ratio = float(np.median([own / other for own, other in pairs]))
    report.figures.append(Figure("digits: pygraph fit / scikit-learn MLPClassifier", ratio, "", LIMIT_SKLEARN))
    report.figures.append(Figure("digits: last loss, pygraph", float(_fit(x, y)[1]["loss"][-1]), ""))
    report.figures.append(Figure("digits: last loss, scikit-learn", _sklearn(x, y), ""))
