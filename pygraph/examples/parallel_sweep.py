"""A compiled pendulum from many beginnings at once: an Executable pickles, so joblib and Dask map it over processes.

`python -m pygraph.examples.parallel_sweep` prints the report of those that are installed (`pip install joblib dask`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

from .pendulum import energy, last

Array = npt.NDArray[Any]

#: Angles in rad from which the pendulum is let go.
ANGLES = np.linspace(0.1, 3.1, 16)


def executable() -> pg.Executable:
    """The state at the end and its sensitivity to the first state, compiled here, once, for all processes."""

    def end(start: Any) -> tuple[Any, Any]:
        return last(start), pg.jacfwd(last)(start)

    return pg.compile(pg.trace(end, pg.spec((2,))))


def starts(angles: Array) -> list[Array]:
    """First states, at rest."""
    return [np.array([angle, 0.0]) for angle in angles]


def by_joblib(run: pg.Executable, states: Sequence[Array], processes: int = 2) -> list[Any]:
    """`run` of each state, by processes of joblib."""
    from joblib import Parallel, delayed

    return list(Parallel(processes)(delayed(run)(state) for state in states))


def by_dask(run: pg.Executable, states: Sequence[Array], processes: int = 2) -> list[Any]:
    """`run` of each state, by processes of Dask; on a cluster it is `Client(...).map(run, states)`."""
    from dask import compute, delayed

    calls = [delayed(run)(state) for state in states]
    return list(compute(*calls, scheduler="processes", num_workers=processes))


#: The packages, and how each maps.
WAYS: dict[str, Callable[..., list[Any]]] = {"joblib": by_joblib, "dask": by_dask}


def main() -> None:
    """Map with each package that is installed, and print how far the motions spread."""
    run, states = executable(), starts(ANGLES)
    expected = [run(state) for state in states]
    for name, way in WAYS.items():
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed")
            continue
        found = way(run, states)
        same = all(
            np.array_equal(a, b)
            for mine, other in zip(found, expected, strict=True)
            for a, b in zip(mine, other, strict=True)
        )
        print(f"{name}: {len(found)} motions, {'the same bits as here' if same else 'other results than here'}")
    print(f"\n{'angle':>6} {'energy at the end':>18} {'∂angle/∂angle':>14}")
    for angle, (end, sensitivity) in zip(ANGLES[::3], expected[::3], strict=True):
        print(f"{angle:6.2f} {energy(end):18.6f} {sensitivity[0, 0]:14.6f}")


if __name__ == "__main__":
    main()
