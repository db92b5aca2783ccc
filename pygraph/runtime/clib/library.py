"""The interface to the C library: loads Programs, makes contexts, and turns status codes into exceptions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import GraphError, NonFiniteError, ProgramError
from ...lower.format import CHECKSUM_WORD, Status
from ...lower.program import Program
from ...ops.control import STEPS, TAPE
from ...ops.indexing import OUT_OF_RANGE
from ...ops.kernel import Failure
from ...ops.row import lookup
from .duration import bounded, duration
from .interrupt import LONG, SHORT, interruptible
from .watch import Watch, is_open, watched

try:
    from .._core import ffi, lib
except ImportError as error:  # pragma: no cover - only in a broken installation
    raise ImportError(
        f"pygraph's C library can't be loaded ({error}); install pygraph again with `pip install .` or from a wheel"
    ) from error

_run = lib.pg_context_run
_run_interruptibly = interruptible(lib.pg_context_run, lib.pg_context_stop)
_watch = Watch(lib.pg_context_stop)
#: bind(context, slot, address) points an input or output slot at memory that the caller keeps alive.
bind = lib.pg_context_bind
#: address(array) -> the memory of a C-contiguous array; the result keeps the array's buffer.
address = ffi.from_buffer


def same_bytes(first: Any, second: Any) -> bool:
    """Whether two C-contiguous arrays of one size have equal bytes."""
    return bool(ffi.buffer(ffi.from_buffer(first)) == ffi.buffer(ffi.from_buffer(second)))


def isa() -> str:
    """The instruction set in use: "baseline", "avx2", "avx512" or "neon"."""
    return str(ffi.string(lib.pg_isa()).decode())


def _check_isa() -> None:
    """Warn when PYGRAPH_ISA asks for what this library or machine does not have."""
    wanted = os.environ.get("PYGRAPH_ISA")
    if wanted and wanted != isa():
        warnings.warn(
            f"PYGRAPH_ISA={wanted} is not available here, {isa()!r} is used; the levels are baseline, avx2 and avx512 "
            "on x86, baseline and neon on ARM",
            RuntimeWarning,
            stacklevel=2,
        )


_check_isa()


def table_hash() -> int:
    """The hash of the op table that the library was compiled from."""
    return int(lib.pg_table_hash())


def clock_cost() -> int:
    """The nanoseconds that looking at the clock adds to the time of each instruction."""
    return int(lib.pg_clock_cost())


def set_pool_threads(n: int) -> None:
    """Set the size of the worker pool that all contexts share."""
    lib.pg_set_threads(n)


def pool_threads() -> int:
    """The size of the shared worker pool."""
    return int(lib.pg_get_threads())


def set_tape_limit(nbytes: int) -> None:
    """Set how many bytes of tape one context may use."""
    lib.pg_set_tape_limit(nbytes)


def sealed(program: Program) -> npt.NDArray[np.int64]:
    """The words of `program` with their checksum filled in."""
    words: npt.NDArray[np.int64] = program.words.copy()
    checksum = lib.pg_checksum(_words(words), len(words), _bytes(program.constants), len(program.constants))
    words[CHECKSUM_WORD] = np.uint64(checksum).astype(np.int64)
    return words


def _way_to_run(program: Program) -> Callable[[Any, int], int]:
    """How runs of `program` go: where they are called, or so that signals are handled if they take long."""
    unsure = is_open(program.nodes)
    if not unsure and not bounded(program, SHORT):
        planned = duration(program)
        if planned > LONG:
            return _run_interruptibly
        unsure = planned > SHORT
    return watched(_run, _run_interruptibly, _watch, Status.INTERRUPTED) if unsure else _run


@dataclass(frozen=True, slots=True)
class Payoff:
    """What native code of a Program is estimated to gain and cost.

    Attributes:
        gains: by a run of each segment, in ns.
        price: of the build, in ns.
    """

    gains: tuple[int, ...]
    price: int


class Library:
    """A Program that the C library has verified and translated; its constants are read where `program` has them.

    Attributes:
        program: as it was given.
        title: names the graph in error texts.
        run: run(context, segment) -> status, which goes to `settle` where it is not 0; releases the GIL. A short
            Program's allocates nothing; a long one's lets the main thread handle signals meanwhile.
        payoff: what native code is estimated to gain and cost; None until that was asked for.
        native_seconds, native_cache_hit: what having native code took, and whether it was in the cache; None without.
    """

    __slots__ = (
        "__weakref__",
        "_pays",
        "native_cache_hit",
        "native_seconds",
        "payoff",
        "pointer",
        "program",
        "run",
        "title",
    )

    def __init__(self, program: Program, title: str) -> None:
        """Load `program`.

        Raises:
            ProgramError: the loader refuses the Program.
            MemoryError: there is not enough memory for it.
        """
        self.program, self.title = program, title
        self.payoff: Payoff | None = None
        self.native_seconds: float | None = None
        self.native_cache_hit: bool | None = None
        self._pays: Callable[[Library], None] | None = None
        words, record = sealed(program), ffi.new("pg_error *")
        pointer = lib.pg_program_load(
            _words(words), len(words), _bytes(program.constants), len(program.constants), record
        )
        if pointer == ffi.NULL:
            raise self._exception(record)
        self.pointer = ffi.gc(pointer, lib.pg_program_free)
        self.run = _way_to_run(program)  # which reads the words that have been verified

    def context(self, threads: int, check_finite: bool) -> Any:
        """A new context (all the memory of one call), which reads the constants of `program`: keep this or that alive.

        Raises:
            MemoryError: there is not enough memory for the arena.
        """
        record = ffi.new("pg_error *")
        pointer = lib.pg_context_new(self.pointer, threads, int(check_finite), record)
        if pointer == ffi.NULL:
            raise self._exception(record)
        return ffi.gc(pointer, lib.pg_context_free)

    def time(self, context: Any, clock: npt.NDArray[np.int64] | None) -> None:
        """Let runs of `context` add to `clock` what each instruction takes, until it is told None.

        Args:
            clock: for each instruction, the bodies one after another, its nanoseconds and how often it ran; kept alive
                by the caller.
        """
        lib.pg_context_time(context, ffi.NULL if clock is None else ffi.from_buffer("int64_t[]", clock))

    def settle(self, context: Any) -> None:
        """What a `run` on `context` that did not return 0 asks for: an exception, or native code after a good run."""
        record = lib.pg_context_error(context)
        if record.status != Status.OK:
            raise self._exception(record)
        assert self._pays is not None  # only a Program that is watched says so
        self._pays(self)

    @property
    def is_native(self) -> bool:
        """Whether runs that begin now use native code."""
        return bool(lib.pg_program_is_native(self.pointer))

    def load_native(self, path: Path) -> None:
        """Use the shared library at `path` from the next runs on; it must come from this Program's own text.

        Raises:
            ProgramError: it can't be loaded, or is made for another version.
        """
        record = ffi.new("pg_error *")
        if lib.pg_program_load_native(self.pointer, os.fsencode(path), record):
            said = ffi.string(record.text).decode(errors="replace")
            problem = f"native code was refused: {said}"
            raise ProgramError(problem, NATIVE_ADVICE, stage="loading", subject=self.title)

    def watch(self, gains: Sequence[int], price: int, pays: Callable[[Library], None]) -> None:
        """Have one run return PAYS, once the gains of a context's runs, by segment, sum up to `price`.

        Args:
            pays: called with this Program when such a run is settled.
        """
        self._pays = pays
        lib.pg_program_watch(self.pointer, list(gains), len(gains), price)

    def _exception(self, record: Any) -> Exception:
        said = ffi.string(record.text).decode(errors="replace")
        status, node = int(record.status), int(record.node)
        if status == Status.MEMORY:
            return MemoryError(f"{self.title}: {said or 'out of memory'}")
        if status == Status.PROGRAM:
            place = f" (body {record.body}, instruction {record.instruction})" if record.instruction >= 0 else ""
            problem = f"the C loader refused the Program: {said}{place}"
            return ProgramError(problem, "lower the graph again", stage="loading", subject=self.title)
        nodes = self.program.nodes
        info = nodes[node] if 0 <= node < len(nodes) else None
        line = info.line if info is not None else None
        op = lookup(info.op) if info is not None else None
        called = op.title or op.name if op is not None else ""
        subject = f"{self.title}, {called} : {info.type_text}" if info is not None else self.title
        failure = FAILURES.get(status)
        if op is not None and op.kernel is not None and status >= Status.FAILURE:
            failure = op.kernel.failures[status - Status.FAILURE]
        if failure is not None:
            return failure.raised(record.detail, subject, line)
        return GraphError(f"{said} (status {status})", "report this error", stage="running", subject=subject, line=line)


def failed_node(context: Any) -> int:
    """The number of the node whose instruction failed in the last run of `context`; -1 for none."""
    return int(lib.pg_context_error(context).node)


NATIVE_ADVICE = "name a folder that programs may be run from in PYGRAPH_CACHE, or use backend='vm'"
#: What fails in other instructions than kernels, by status.
FAILURES: Mapping[int, Failure] = {
    Status[failure.status]: failure
    for failure in (
        OUT_OF_RANGE,
        STEPS,
        TAPE,
        Failure(
            NonFiniteError,
            "this is the first operation that made inf or nan",
            "guard the operation with pg.where, or compile without check_finite=True",
            "NONFINITE",
        ),
    )
}


def staging(context: Any, slot: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The memory that `context` itself has for an input or output slot, as an array; must not outlive the context."""
    count = prod(shape)
    if count == 0:
        return np.empty(shape, dtype)
    memory = lib.pg_context_slot(context, slot)
    if memory == ffi.NULL:
        problem = "it has no staging memory: the C library and pygraph differ in PG_STAGE_BYTES"
        raise ProgramError(problem, "install pygraph again", stage="calling", subject=f"slot {slot}")
    view: npt.NDArray[Any] = np.ndarray(shape, dtype, buffer=ffi.buffer(memory, count * dtype.itemsize))
    return view


def _words(words: npt.NDArray[np.int64]) -> Any:
    return ffi.from_buffer("int64_t[]", words)


def _bytes(constants: memoryview) -> Any:
    return ffi.from_buffer("uint8_t[]", constants)
