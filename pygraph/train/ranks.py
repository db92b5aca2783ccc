"""The processes that train together: what one of them says to the others, and the errors they all raise together."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

#: Seconds for which a process that raises an error waits for the others to raise theirs, before it ends them.
_PATIENCE = 5.0

Result = TypeVar("Result")


class Ranks:
    """One process alone: all that is agreed on is its own opinion. `MpiRanks` are several.

    Attributes:
        rank: the number of this process, from 0.
        size: how many there are.
        interrupted: whether this process was asked to end by Ctrl-C, where that waits for the end of a step.
    """

    rank, size = 0, 1
    interrupted = False

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        pass

    def threads(self) -> int | None:
        """How many threads are this process's share of the machine; None: all."""
        return None

    def agreed(self, function: Callable[..., Result], *args: Any) -> Result:
        """What the function gives here; where it raises an error in any process, all raise it."""
        return function(*args)

    def first(self, function: Callable[..., Result], *args: Any) -> Result:
        """What the function gives in the first process, which alone calls it."""
        return function(*args)

    def gathered(self, value: Any) -> list[Any]:
        """The values of all processes, in the order of their ranks."""
        return [value]

    def raise_first(self, error: BaseException | None) -> None:
        """Raise the error of the first process that has one, in all; each gives its own, or None."""
        if error is not None:
            raise error

    def add(self, buffer: Array) -> None:
        """Put the sum over all processes into the buffer of each; of integers the largest."""

    def exchange(self, rows: Array, counts: Sequence[int]) -> None:
        """Fill in the rows that other processes have: `counts` says how many each one has, in their order."""

    def check_same(self, what: str, values: Mapping[str, Any]) -> None:
        """Raise an error in all processes unless these values are the same everywhere.

        Raises:
            SignatureError
        """


class MpiRanks(Ranks):
    """The processes of an MPI communicator, from its duplicate, so that messages of the caller's own do not meet ours.

    While it is entered, Ctrl-C is noted in `interrupted`, so that no process leaves a step that the others are in; a
    second one raises KeyboardInterrupt at once. An error in one process that the others do not know of would let them
    wait for ever: it is printed, and ends them all.
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        if not isinstance(comm, MPI.Intracomm) or comm == MPI.COMM_NULL:
            problem = f"comm is {type(comm).__name__}, and no communicator of mpi4py"
            advice = "give one, such as MPI.COMM_WORLD after `from mpi4py import MPI`"
            raise pg.SignatureError(problem, advice, stage="training", subject="fit")
        self._mpi, self._comm, self._end = MPI, comm.Dup(), comm.Dup()
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self._agreed_error: BaseException | None = None
        self._handler: Any = None

    def __enter__(self) -> Ranks:
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self._handler = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        if error is not None and error is not self._agreed_error and not self._all_end():
            text = "".join(traceback.format_exception(kind, error, trace))
            print(f"rank {self.rank} of {self.size} ends the training of all:\n{text}", file=sys.stderr, flush=True)
            self._comm.Abort(1)
        self._comm.Free()
        self._end.Free()

    def _all_end(self) -> bool:
        """Whether all processes raise an error that they did not speak of, within some seconds."""
        request, deadline = self._end.Ibarrier(), time.monotonic() + _PATIENCE
        while not request.Test():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _on_interrupt(self, number: int, frame: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def threads(self) -> int | None:
        """The CPUs that this process may use, divided by the processes that may use them."""
        mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
        neighbours = self._comm.Split_type(self._mpi.COMM_TYPE_SHARED)
        sharing = sum(1 for other in neighbours.allgather(mine) if other & mine)
        neighbours.Free()
        return max(1, len(mine) // sharing)

    def agreed(self, function: Callable[..., Result], *args: Any) -> Result:
        result, error = _attempt(function, *args)
        self.raise_first(error)
        return result  # type: ignore[return-value]  # there is one where there is no error

    def first(self, function: Callable[..., Result], *args: Any) -> Result:
        result, error = _attempt(function, *args) if self.rank == 0 else (None, None)
        self.raise_first(error)
        shared: Result = self._comm.bcast(result)
        return shared

    def gathered(self, value: Any) -> list[Any]:
        found: list[Any] = self._comm.allgather(value)
        return found

    def raise_first(self, error: BaseException | None) -> None:
        found = self._comm.allgather(None if error is None else _portable(error))
        failed = next((rank for rank, each in enumerate(found) if each is not None), None)
        if failed is None:
            return
        self._agreed_error = error or pickle.loads(found[failed])
        assert self._agreed_error is not None
        if error is None and not isinstance(self._agreed_error, KeyboardInterrupt):
            problem = f"rank {failed} of {self.size} raised the error, and all end with it"
            raise self._agreed_error from pg.StateError(problem, stage="training", subject="fit")
        raise self._agreed_error

    def add(self, buffer: Array) -> None:
        operation = self._mpi.MAX if buffer.dtype.kind == "i" else self._mpi.SUM
        self._comm.Allreduce(self._mpi.IN_PLACE, buffer, operation)

    def exchange(self, rows: Array, counts: Sequence[int]) -> None:
        sizes = np.array(counts) * rows.shape[1]
        places = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self._comm.Allgatherv(self._mpi.IN_PLACE, [rows, (sizes, places)])

    def check_same(self, what: str, values: Mapping[str, Any]) -> None:
        found = self.gathered(dict(values))
        for name in values:
            others = [rank for rank in range(self.size) if found[rank].get(name) != found[0].get(name)]
            if others:
                here, there = found[0].get(name), found[others[0]].get(name)
                problem = f"{what} differ: {name} is {here!r} on rank 0 and {there!r} on rank {others[0]}"
                advice = (
                    "give all ranks the same, of which each takes its share; or batches, where each has data of its own"
                )
                raise pg.SignatureError(problem, advice, stage="training", subject="fit")


def ranks_of(comm: Any) -> Ranks:
    """The processes of a communicator; None: this one alone."""
    return Ranks() if comm is None else MpiRanks(comm)


def _attempt(function: Callable[..., Result], *args: Any) -> tuple[Result | None, BaseException | None]:
    try:
        return function(*args), None
    except (Exception, KeyboardInterrupt) as error:
        return None, error


def _portable(error: BaseException) -> bytes:
    """An error as bytes that other processes read: itself, or where it can't be pickled, its text."""
    try:
        text = pickle.dumps(error)
        pickle.loads(text)
    except Exception:
        problem = f"{type(error).__name__}: {error}"
        text = pickle.dumps(pg.StateError(problem, stage="training", subject="fit"))
    return text
