"""`mpiexec -n N python -m benchmarks.train_ranks` prints the seconds of a step of the digits net, 512 rows each."""

from __future__ import annotations

import time

import numpy as np

import pygraph as pg

from . import train_nets

EPOCHS, COPIES, BATCH, REPEATS = 20, 4, 512, 5


def main() -> None:
    """Train several times; the first process prints the shortest time."""
    from mpi4py import MPI

    net = train_nets.perceptron()
    data = tuple(np.concatenate([part] * COPIES) for part in (net.x, net.y))
    steps = EPOCHS * -(-len(data[0]) // BATCH)
    times = []
    for _ in range(REPEATS):
        MPI.COMM_WORLD.Barrier()
        start = time.perf_counter()
        pg.fit(
            net.loss,
            net.params,
            data,
            optimizer=pg.optim.adam(net.rate),
            epochs=EPOCHS,
            batch_size=BATCH,
            progress=False,
            comm=MPI.COMM_WORLD,
            threads=1,
        )
        times.append((time.perf_counter() - start) / steps)
    if MPI.COMM_WORLD.Get_rank() == 0:
        print(min(times))


if __name__ == "__main__":
    main()
