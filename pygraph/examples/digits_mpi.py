"""Handwritten digits, learned by several processes together: each takes its share of every batch.

`mpiexec -n 4 python -m pygraph.examples.digits_mpi` prints the report; one process, without mpiexec, learns the same,
to the last bit. Needs MPI: `pip install 'pygraph-ad[mpi]'`.
"""

from __future__ import annotations

import time
import zlib
from typing import Any

import numpy as np

import pygraph as pg

from .digits import perceptron
from .handwriting import training_and_test

BATCH_SIZE = 64
EPOCHS = 50


def train(comm: Any, epochs: int = EPOCHS, seed: int = 0) -> tuple[Any, Any]:
    """Train the perceptron of `digits`; the parameters and the table of epochs, the same in all processes.

    Args:
        comm: a communicator of mpi4py, or None for this process alone.
        epochs: how often the training images are gone through.
        seed: of the first parameters, and of the order of the images.
    """
    model = perceptron()
    (images, digits), test = training_and_test()
    params, _ = model.init(pg.random.key(seed), (8, 8))

    def loss(params: Any, x: Any, y: Any) -> Any:
        return pg.losses.softmax_cross_entropy(model(params, x), y)

    def accuracy(params: Any, x: Any, y: Any) -> Any:
        return pg.metrics.accuracy(model(params, x), y)

    steps = epochs * -(-len(digits) // BATCH_SIZE)
    trained: tuple[Any, Any] = pg.fit(
        loss,
        params,
        data=(images, digits),
        optimizer=pg.optim.adam(pg.optim.cosine(3e-3, steps)),
        epochs=epochs,
        batch_size=BATCH_SIZE,
        validation=test,
        metrics={"accuracy": accuracy},
        seed=seed,
        comm=comm,
        deterministic=True,  # the same bits for any number of processes; without it training is faster
    )
    return trained


def checksum(params: Any) -> str:
    """Eight digits that tell whether parameters are the same to the last bit."""
    return f"{zlib.crc32(b''.join(np.asarray(leaf).tobytes() for leaf in pg.tree_leaves(params))):08x}"


def main() -> None:
    """Train in all processes of MPI; the first one prints the report."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    began = time.perf_counter()
    params, history = train(comm)
    seconds = time.perf_counter() - began
    sums: Any = comm.gather(checksum(params))
    if comm.Get_rank() == 0:
        print(f"{comm.Get_size()} processes, {len(history)} epochs in {seconds:.2f} s")
        print(f"loss {history['loss'][-1]:.4f}, read rightly {history['validation_accuracy'][-1]:.2%}")
        print("the parameters of each process:", *sums)


if __name__ == "__main__":
    main()
