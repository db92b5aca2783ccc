"""The clock of instructions: how long each one of a Program takes, in the interpreter or in native code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...concurrency import ensure_imported
from ...errors import ProgramError
from ...lower.decode import decode
from ...lower.program import Program, Segment
from ..clib.context import Context, contiguous
from ..clib.library import Library, clock_cost, isa
from ..native.tiering import build
from .kept import ports_of

Array = npt.NDArray[Any]

#: Of each segment so many runs at most are timed one by one; the median of each instruction counts.
_MOST, _LEAST = 200, 3
#: Runs without the clock are timed together for so many nanoseconds at least: what Python does between counts little.
_SAMPLE = 50_000


@dataclass(frozen=True, slots=True)
class Timing:
    """What the runs of one segment took.

    Attributes:
        segment: which one.
        whole: nanoseconds of a run as it is without the clock, with the call from Python.
        clocked: of a run in which each instruction is timed.
        nanoseconds: of each instruction, the bodies one after another: the median of a run, with what the bodies that
            it runs take, without what the clock adds.
        least: the same of its fastest run.
        counts: how often each runs in a run of the segment.
        repeats: how many runs were timed.
    """

    segment: Segment
    whole: float
    clocked: float
    nanoseconds: npt.NDArray[np.float64]
    least: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    repeats: int


def timings(
    program: Program,
    title: str,
    inputs: dict[Segment, Sequence[Array]],
    threads: int,
    native: bool,
    seconds: float,
    plain: bool = True,
) -> list[Timing]:
    """Run the segments that `inputs` has, in their order, and time their instructions.

    Args:
        program: a Program that the library has accepted before.
        title: names it in errors.
        inputs: the arrays of each segment.
        threads: of a run.
        native: in native code, which is emitted and built for it; else in the interpreter.
        seconds: about how long all runs may take.
        plain: run without the clock too; else `whole` is the same as `clocked`.

    Raises:
        BackendError: there is no native code.
        IndexRangeError: as a call does, and what else a run may raise.
    """
    clocked = Library(program, title)
    libraries = [clocked, Library(program, title)] if plain else [clocked]
    if native:
        _load_timed(clocked, program)
        for library in libraries[1:]:
            build(library)
    contexts = [Context(library, program, threads, False) for library in libraries]
    held = {segment: contiguous(arrays) for segment, arrays in inputs.items()}
    found = []
    for segment, arrays in held.items():
        ports, outputs = ports_of(program, segment)
        for context in contexts:
            for i, array in zip(ports, arrays, strict=True):
                context.load(i, array)
            for i in outputs:
                context.prepare(i)
            context.run(segment)
        each = seconds / len(held) / len(contexts)
        whole = _whole(contexts[1], segment, each) if plain else None
        found.append(_timed(contexts[0], clocked, program, segment, each, whole))
    return found


def _load_timed(library: Library, program: Program) -> None:
    ensure_imported("pygraph.emit.native_source", "pygraph.emit.toolchain.cache")
    from ...emit.native_source import native_source
    from ...emit.toolchain.cache import native_library

    text = native_source(program, timed=True)
    try:
        library.load_native(native_library(text, isa()).path)
    except ProgramError:  # on a file system that nothing may be run from
        library.load_native(native_library(text, isa(), private=True).path)


def _whole(context: Context, segment: Segment, seconds: float) -> float:
    """The median nanoseconds of a run."""
    begin = time.perf_counter_ns()
    context.run(segment)
    batch = max(1, _SAMPLE // max(time.perf_counter_ns() - begin, 1))
    samples: list[float] = []
    end = time.perf_counter_ns() + seconds * 1e9
    while len(samples) < _LEAST or (len(samples) < _MOST and time.perf_counter_ns() < end):
        begin = time.perf_counter_ns()
        for _ in range(batch):
            context.run(segment)
        samples.append((time.perf_counter_ns() - begin) / batch)
    return float(np.median(samples))


def _timed(
    context: Context, library: Library, program: Program, segment: Segment, seconds: float, whole: float | None
) -> Timing:
    clock = np.zeros((max(program.instructions, 1), 2), np.int64)
    samples: list[npt.NDArray[np.int64]] = []
    spans: list[int] = []
    library.time(context.pointer, clock)
    try:
        end = time.perf_counter_ns() + seconds * 1e9
        while len(samples) < _LEAST or (len(samples) < _MOST and time.perf_counter_ns() < end):
            clock[:] = 0
            begin = time.perf_counter_ns()
            context.run(segment)
            spans.append(time.perf_counter_ns() - begin)
            samples.append(clock.copy())
    finally:
        library.time(context.pointer, None)
    counts = samples[-1][:, 1].copy()
    taken = np.stack([sample[:, 0] for sample in samples])
    added = clock_cost() * _looks(program, counts)
    net, least = (np.maximum(found - added, 0.0) for found in (np.median(taken, axis=0), taken.min(axis=0)))
    span = float(np.median(spans))
    return Timing(segment, span if whole is None else whole, span, net, least, counts, len(samples))


def _looks(program: Program, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often the clock was looked at while each instruction ran: once for itself, and in the bodies that it runs."""
    bodies = decode(program)
    before = first_instructions(program)
    looks = counts.copy()
    for body in reversed(bodies):
        for instruction in (one for segment in body.segments for one in segment):
            at = before[body.number] + instruction.index
            for inner in bodies_run(instruction):
                begin, end = before[inner], before[inner + 1]
                if end > begin:
                    looks[at] += int(looks[begin:end].sum()) + int(counts[begin])
    return looks


def first_instructions(program: Program) -> list[int]:
    """The number of the first instruction of each body among all, and last how many there are."""
    found = [0]
    for body in decode(program):
        found.append(found[-1] + sum(map(len, body.segments)))
    return found


def bodies_run(instruction: Any) -> tuple[int, ...]:
    """The numbers of the bodies that an instruction runs."""
    if hasattr(instruction, "bodies"):
        return tuple(instruction.bodies)
    if hasattr(instruction, "condition"):
        return (instruction.body, instruction.condition)
    return (instruction.body,) if hasattr(instruction, "body") else ()
