"""A profile: the time of each instruction, its share, bytes and operations, what bounds it, and the user's line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ...graph.source import SourceLine
from ...lower.decode import decode
from ...lower.program import Program
from ...runtime.call.timing import Timing, bodies_run, first_instructions
from ..drawing.html_page import page, written
from ..number_text import bytes_text, scaled_text
from .flame import chart
from .instruction_work import Work, work_of
from .machine import Machine, machine

_WIDTH = 100
#: Instructions that the table has at most; the rest are counted in a last line.
_SHOWN = 40
#: The most characters of an instruction in it.
_TEXT = 28


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One instruction of a segment, in all its runs within one run of the segment.

    Attributes:
        segment: "forward", "reverse" or "tangent".
        number: the body, and which instruction of it.
        text: what it does.
        nanoseconds: what it takes, without the bodies that it runs.
        share: of the time of its segment.
        runs: how often it runs.
        nbytes, flops: what its runs read and write, and compute.
        bound: "memory", "arithmetic" or "dispatch": the largest of the three times that the machine's figures give.
        explained: that time, in parts of `nanoseconds`; 1 at most.
        lines: the user's lines with their parts of it.
    """

    segment: str
    number: tuple[int, int]
    text: str
    nanoseconds: float
    share: float
    runs: int
    nbytes: int
    flops: float
    bound: str
    explained: float
    lines: tuple[tuple[SourceLine | None, float], ...]

    @property
    def line(self) -> SourceLine | None:
        """The line that has the largest part of it."""
        return self.lines[0][0]


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of a call goes; `str()` is a table of 100 columns, the slowest instructions first.

    Attributes:
        name: of the graph.
        tier: "vm" or "native".
        threads: that a run may use.
        rows: the instructions that ran, in the order of the Program.
        nanoseconds: of each segment, what a run takes without the clock, the call from Python with it.
        clocked: the same with each instruction timed.
        machine: what this machine was measured to do.
    """

    name: str
    tier: str
    threads: int
    rows: tuple[Row, ...]
    nanoseconds: dict[str, float]
    clocked: dict[str, float]
    machine: Machine

    def __str__(self) -> str:
        return "\n".join(_table(self))

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """A page with the chart and the table, without scripts and network; also written to `path` where given.

        In the chart a call of a function is as wide as what its lines take, below what calls it. An instruction that
        several lines share is divided among them by the prices of their operations.
        """
        return written(page(f"profile of {self.name}", self._repr_html_()), path)

    def _repr_html_(self) -> str:
        parts = [(row.segment, line, part * row.nanoseconds, row.text) for row in self.rows for line, part in row.lines]
        return chart(parts, self.name, str(self))


def profiled(program: Program, name: str, measured: Sequence[Timing], threads: int, native: bool) -> Profile:
    """The profile that timings of a Program make."""
    figures = machine(threads, native)
    bodies, before = decode(program), first_instructions(program)
    rows: list[Row] = []
    for timing in measured:
        own = timing.nanoseconds.copy()
        found: list[tuple[int, int, int, Work, int]] = []
        for body in bodies:
            for instruction in (one for segment in body.segments for one in segment):
                at = before[body.number] + instruction.index
                if not timing.counts[at]:
                    continue
                steps = 0
                for inner in bodies_run(instruction):
                    begin, end = before[inner], before[inner + 1]
                    own[at] -= timing.nanoseconds[begin:end].sum()
                    steps += int(timing.counts[begin]) if end > begin else 0
                found.append((body.number, instruction.index, at, work_of(instruction, body, program), steps))
        whole = max(sum(max(float(own[at]), 0.0) for _, _, at, _, _ in found), 1e-9)
        for body_number, index, at, work, steps in found:
            taken, runs = max(float(own[at]), 0.0), int(timing.counts[at])
            bound, explained = _bound(work, taken, runs, steps, figures, native)
            row = Row(
                timing.segment.name.lower(),
                (body_number, index),
                work.text,
                taken,
                taken / whole,
                runs,
                work.nbytes * runs,
                work.flops * runs,
                bound,
                explained,
                work.lines,
            )
            rows.append(row)
    return Profile(
        name,
        "native" if native else "vm",
        threads,
        tuple(rows),
        {timing.segment.name.lower(): timing.whole for timing in measured},
        {timing.segment.name.lower(): timing.clocked for timing in measured},
        figures,
    )


def _bound(work: Work, taken: float, runs: int, steps: int, figures: Machine, native: bool) -> tuple[str, float]:
    """What bounds an instruction, and how much of its time that explains."""
    scalar = work.dispatched > 1 or work.text.startswith("scalar")
    chosen = figures.product * runs if work.product else figures.instruction * (runs + steps)
    if scalar and not native:
        chosen = figures.scalar * work.dispatched * runs
    computed = work.price * runs * (figures.scalar if scalar else figures.addition)
    if scalar and not native:  # of an operation its dispatch is counted above
        computed -= figures.scalar * work.flops * runs
    if work.product:
        computed = work.flops * runs / figures.products
    elif work.kernel:
        computed = work.flops * runs * figures.addition
    moved = work.nbytes * runs / figures.bytes_per_nanosecond(work.nbytes)
    name, most = max((("dispatch", chosen), ("arithmetic", computed), ("memory", moved)), key=lambda pair: pair[1])
    return name, min(most / taken, 1.0) if taken else 1.0


def _table(profile: Profile) -> list[str]:
    said = ", ".join(f"{name} {_time(x)}" for name, x in profile.nanoseconds.items())
    added = sum(profile.clocked.values()) / max(sum(profile.nanoseconds.values()), 1e-9)
    threads = f"{profile.threads} thread{'s' if profile.threads > 1 else ''}"
    lines = [f"profile of {profile.name}: {profile.tier}, {threads}, {said}"[:_WIDTH]]
    lines += _wrapped(f"this machine: {profile.machine}")
    lines.append(f"times are medians of runs; with the clock a run takes {added:.2g} times as long")
    shown = sorted(profile.rows, key=lambda row: -row.nanoseconds)[:_SHOWN]
    cells = {row: _cells(row) for row in shown}
    headings = ("time", "share", "runs", "bytes", "flops", "bound by", "instruction", "the user's line")
    again = any(row.runs > 1 for row in shown)
    columns = [at for at in range(len(headings)) if again or headings[at] != "runs"]
    widths = [max(map(len, column)) for column in zip(headings, *cells.values(), strict=True)]
    for segment in profile.nanoseconds:
        lines += ["", f"{segment}:"]
        for row_cells in (headings, *(cells[row] for row in shown if row.segment == segment)):
            padded = [row_cells[at].rjust(widths[at]) if at < 5 else row_cells[at].ljust(widths[at]) for at in columns]
            text = "  ".join(padded).rstrip()
            lines.append(text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…")
    left = len(profile.rows) - len(shown)
    if left:
        rest = sum(row.nanoseconds for row in profile.rows) - sum(row.nanoseconds for row in shown)
        lines.append(f"… and {left} further instructions, which take {_time(rest)} together")
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    return (
        _time(row.nanoseconds),
        f"{100 * row.share:.1f}%",
        _count(row.runs),
        bytes_text(row.nbytes),
        _count(row.flops),
        f"{row.bound} {100 * row.explained:.0f}%",
        row.text if len(row.text) <= _TEXT else row.text[: _TEXT - 1] + "…",
        _line(row),
    )


def _line(row: Row) -> str:
    line = row.line
    if line is None:
        return ""
    others = len(row.lines) - 1
    more = f" (+{others} line{'s' if others > 1 else ''})" if others else ""
    return f"{line.place}{more}  {line.code}"


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append(" ")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _time(nanoseconds: float) -> str:
    return scaled_text(nanoseconds, (("s", 1e9), ("ms", 1e6), ("µs", 1e3)), " ns")


def _count(n: float) -> str:
    return scaled_text(n, (("G", 1e9), ("M", 1e6), ("k", 1e3)))
