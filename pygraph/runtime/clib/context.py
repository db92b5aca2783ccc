"""Contexts: the memory of one running call, and the pool from which concurrent calls take theirs."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...concurrency import snapshot
from ...errors import NonFiniteError
from ...lower.format import STAGE_BYTES
from ...lower.program import Port, Program
from . import library
from .library import Library

Array = npt.NDArray[Any]


def is_small(port: Port) -> bool:
    """Whether every context has memory of its own for this port, so that a call copies instead of binding."""
    return port.nbytes <= STAGE_BYTES


class Context:
    """The arena of one call, with views of the small inputs and outputs and the addresses of the large ones.

    One thread at a time may use a context. Large ports point at the caller's arrays, which `_held` keeps alive
    until they are replaced.
    """

    __slots__ = (
        *("_given", "_held", "_inputs", "_library", "_outputs", "_ports_in", "_ports_out"),
        *("fast", "pointer", "report"),
    )

    def __init__(self, loaded: Library, program: Program, threads: int, check_finite: bool) -> None:
        self.pointer = loaded.context(threads, check_finite)
        self._library = loaded
        self._ports_in, self._ports_out = program.inputs, program.outputs
        self._inputs = [self._staging(port) for port in program.inputs]
        self._outputs = [self._staging(port) for port in program.outputs]
        self._held: dict[int, Array] = {}  # by slot
        #: what the generated call path unpacks: see call/callpath.py
        self.fast: tuple[Any, ...] = ()
        #: with `check_finite`: makes a report of an error, a node's number and the inputs by their positions
        self.report: Callable[[NonFiniteError, int, dict[int, Array]], NonFiniteError] | None = None
        self._given: dict[int, Array] = {}

    def _staging(self, port: Port) -> Array | None:
        return library.staging(self.pointer, port.slot, port.shape, port.dtype) if is_small(port) else None

    def input_view(self, i: int) -> Array | None:
        """The context's own memory of input `i`, or None where it is bound."""
        return self._inputs[i]

    def output_view(self, i: int) -> Array | None:
        """The context's own memory of output `i`, or None where it is bound."""
        return self._outputs[i]

    def bind(self, port: Port, array: Array) -> None:
        """Point the port's slot at `array`, C-contiguous and aligned, and keep it alive."""
        status = library.bind(self.pointer, port.slot, library.address(array))
        if status:
            self._library.settle(self.pointer)
        self._held[port.slot] = array
        if self.report is not None and port.slot < len(self._ports_in):
            self._given[port.slot] = array

    def load(self, i: int, array: Array) -> None:
        """Give input `i` its value: copied where the context has memory for it, bound otherwise."""
        view = self._inputs[i]
        if view is None:
            self.bind(self._ports_in[i], array)
        else:
            view[...] = array
        if self.report is not None:
            self._given[i] = array.copy()  # the caller's may change before a reverse sweep

    def prepare(self, i: int, out: Array | None = None) -> None:
        """Before a run: give a large output `i` its memory, `out` or a new array."""
        if self._outputs[i] is None:
            port = self._ports_out[i]
            self.bind(port, np.empty(port.shape, port.dtype) if out is None else out)

    def run(self, segment: int) -> None:
        """Run a segment.

        Raises:
            IndexRangeError, NonFiniteError: as the Program's nodes and options say.
        """
        if self._library.run(self.pointer, segment):
            self.settle()

    def settle(self) -> None:
        """What a run that did not return 0 asks for; see `Library.settle`.

        Raises:
            NonFiniteError: with a report, where the context makes one. Others, as there.
        """
        try:
            self._library.settle(self.pointer)
        except NonFiniteError as error:
            if self.report is None:
                raise
            raise self.report(error, library.failed_node(self.pointer), self._given) from None

    def take(self, i: int, out: Array | None = None) -> Any:
        """After a run: the value of output `i`, a NumPy scalar where it is 0-d; written to `out` where given."""
        view = self._outputs[i]
        if view is None:
            return self._held[self._ports_out[i].slot]
        if out is not None:
            out[...] = view
            return out
        return view.copy() if view.ndim else view[()]

    def release(self) -> None:
        """Forget the arrays of the last call."""
        if self._held:
            self._held.clear()


class ContextPool:
    """Contexts that no call is using. `acquire` and `release` are safe from any thread, signal handler or finaliser."""

    __slots__ = ("__weakref__", "free", "make")

    def __init__(self, make: Callable[[], Context]) -> None:
        self.make = make
        self.free: deque[Context] = deque()

    def acquire(self) -> Context:
        """A context for the caller alone; made when all are in use."""
        try:
            return self.free.pop()
        except IndexError:
            return self.make()

    def release(self, context: Context) -> None:
        """Give `context` back."""
        context.release()
        self.free.append(context)


#: Pools whose contexts were made for the default number of threads.
_default_pools: weakref.WeakSet[ContextPool] = weakref.WeakSet()


def follow_default_threads(pool: ContextPool) -> None:
    """Let a change of the default renew the contexts of `pool`."""
    _default_pools.add(pool)


def renew_default_pools(threads: int) -> None:
    """Make `threads` the size of the worker pool, and drop the contexts that were made for another number."""
    library.set_pool_threads(threads)
    for pool in snapshot(_default_pools):
        pool.free.clear()


def contiguous(arrays: Sequence[Array]) -> list[Array]:
    """`arrays`, copied where they are not C-contiguous and aligned."""
    return [a if a.flags.c_contiguous and a.flags.aligned else np.array(a, order="C") for a in arrays]
