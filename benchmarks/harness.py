"""Interleaved timing of contenders, its statistics, and the tables and records made of them."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import repeat
from typing import Any

import numpy as np

import pygraph as pg

#: A sample repeats its contender until it lasts about this long, so that the clock's own cost does not count.
SAMPLE_NS = 2_000_000

#: Distributions whose versions are reported, by import name.
PACKAGES = {"pygraph": "pygraph-ad", "numpy": "numpy", "jax": "jax", "casadi": "casadi"}


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a case.

    Attributes:
        name: as the table shows it.
        run: does the work once; what it returns is compared by `check` and otherwise ignored.
        answer: turns what `run` returned into arrays to compare; None compares it as it is.
        keep: whatever else must stay alive for `run`.
    """

    name: str
    run: Callable[[], Any]
    answer: Callable[[Any], Any] | None = None
    keep: Any = None


@dataclass(frozen=True)
class Target:
    """A limit on the ratio of two contenders' times, the median over rounds."""

    contender: str
    reference: str
    limit: float


@dataclass(frozen=True)
class Figure:
    """A single measured number, with the limit it should stay under, if any."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None without a limit."""
        return None if self.limit is None else self.value < self.limit


@dataclass(frozen=True)
class Case:
    """Contenders that do equal work, and what is expected of them.

    Attributes:
        title: heads the table.
        contenders: in the order of a round.
        base: the contender that the ratio column divides by each other's time.
        targets: those whose contenders are absent are left out with them.
        rounds: how often each is sampled unless the user says.
        tolerance: relative, for the comparison of answers.
    """

    title: str
    contenders: Sequence[Contender]
    base: str
    targets: Sequence[Target] = ()
    rounds: int = 60
    tolerance: float = 1e-10


@dataclass
class Report:
    """What one workload found, ready to be printed or stored."""

    workload: str
    tables: list[dict[str, Any]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        figures = [{**asdict(figure), "met": figure.met} for figure in self.figures]
        return {**asdict(self), "figures": figures}

    def verdicts(self) -> Iterator[bool]:
        """Whether each target that was measured is met."""
        for table in self.tables:
            yield from (target["met"] for target in table["targets"])
        yield from (figure.met for figure in self.figures if figure.met is not None)


def peer(module: str, left_out: list[str]) -> Any:
    """The module of a peer, or None with its name added to `left_out` when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        reason = "not installed" if isinstance(error, ModuleNotFoundError) and error.name == module else str(error)
        left_out.append(f"{module} ({reason})")
        return None


def native(function: Callable[..., Any], left_out: list[str], *args: Any, **options: Any) -> Any:
    """`pg.compile(function, backend="native")`, called once; None, with the reason in `left_out`, where it can't be."""
    try:
        compiled = pg.compile(function, backend="native", **options)
        compiled(*args)
    except pg.BackendError as error:
        reason = f"pygraph native ({str(error).splitlines()[0]})"
        if reason not in left_out:
            left_out.append(reason)
        return None
    return compiled


def check(case: Case) -> None:
    """Run every contender once and compare its answers with the first one's.

    Raises:
        AssertionError: names the contender and what differs.
    """
    expected: list[Any] | None = None
    for contender in case.contenders:
        result = contender.run()
        arrays = [np.array(part, np.float64) for part in (contender.answer(result) if contender.answer else result)]
        if expected is None:
            expected = arrays
            continue
        if len(arrays) != len(expected):
            raise AssertionError(f"{case.title}: {contender.name} gives {len(arrays)} results, not {len(expected)}")
        for found, wanted in zip(arrays, expected, strict=True):
            scale = float(np.max(np.abs(wanted), initial=0.0))
            np.testing.assert_allclose(
                found,
                wanted,
                rtol=case.tolerance,
                atol=case.tolerance * scale,
                err_msg=f"{case.title}: {contender.name} and {case.contenders[0].name} differ",
            )


@contextmanager
def _without_collection() -> Iterator[None]:
    """The cyclic collector pauses in other people's time otherwise."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def sample(run: Callable[[], Any], repetitions: int) -> float:
    """Nanoseconds of one call, the mean over `repetitions` of them."""
    start = time.perf_counter_ns()
    for _ in repeat(None, repetitions):
        run()
    return (time.perf_counter_ns() - start) / repetitions


def _repetitions(run: Callable[[], Any]) -> int:
    """How many calls make a sample of about SAMPLE_NS; also warms the contender up."""
    count = 1
    while True:
        spent = sample(run, count) * count
        if spent >= SAMPLE_NS / 4 or count >= 1_000_000:
            return max(1, round(count * SAMPLE_NS / max(spent, 1.0)))
        count *= 4


def measure(case: Case, rounds: int) -> dict[str, list[float]]:
    """Nanoseconds a call by contender, one entry per round: A B C, then B C A, C A B …

    Each round starts one further, so that no contender always runs where the scheduler, or the one before it, leaves
    the machine in a worse state.
    """
    repetitions = {contender.name: _repetitions(contender.run) for contender in case.contenders}
    times: dict[str, list[float]] = {contender.name: [] for contender in case.contenders}
    with _without_collection():
        for i in range(rounds):
            first = i % len(case.contenders)
            for contender in (*case.contenders[first:], *case.contenders[:first]):
                times[contender.name].append(sample(contender.run, repetitions[contender.name]))
    return times


def ratio(times: Mapping[str, Sequence[float]], contender: str, reference: str) -> float:
    """The median over rounds of the two contenders' times in the same round, divided."""
    return statistics.median(a / b for a, b in zip(times[contender], times[reference], strict=True))


def run_case(case: Case, rounds: int | None) -> dict[str, Any]:
    """Check a case's answers, measure it, and give its table as plain data."""
    check(case)
    rounds = rounds or case.rounds
    times = measure(case, rounds)
    rows = [
        {
            "name": name,
            "best_ns": min(series),
            "median_ns": statistics.median(series),
            "base_ratio": ratio(times, case.base, name),
        }
        for name, series in times.items()
    ]
    targets = []
    for target in case.targets:
        if target.contender in times and target.reference in times:
            found = ratio(times, target.contender, target.reference)
            best = min(times[target.contender]) / min(times[target.reference])
            targets.append({**asdict(target), "ratio": found, "best_ratio": best, "met": found < target.limit})
    return {"title": case.title, "base": case.base, "rounds": rounds, "rows": rows, "targets": targets}


def duration(ns: float) -> str:
    """A time as people write it: `812 ns`, `4.21 µs`, `1.60 s`."""
    value, unit = ns, "ns"
    for larger in ("µs", "ms", "s"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of text as lines, the first column to the left, the others to the right."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for name, *others in table:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  " + "   ".join([name.ljust(widths[0]), *cells])


def _verdict(met: bool | None) -> str:
    return "" if met is None else "met" if met else "MISSED"


def print_table(table: Mapping[str, Any]) -> None:
    """One case: a line a contender, then a line a target."""
    print(f"\n{table['title']}   ({table['rounds']} interleaved rounds)")
    rows = [("", "best", "median", f"{table['base']} / it")]
    rows += [
        (row["name"], duration(row["best_ns"]), duration(row["median_ns"]), f"{row['base_ratio']:.3f}")
        for row in table["rows"]
    ]
    print("\n".join(_aligned(rows)))
    targets = [
        (
            f"{target['contender']} / {target['reference']}",
            f"{target['ratio']:.3f}",
            f"of best times {target['best_ratio']:.3f}",
            f"target < {target['limit']:g}",
            _verdict(target["met"]),
        )
        for target in table["targets"]
    ]
    if targets:
        print("\n".join(_aligned(targets)))


def print_rest(report: Report) -> None:
    """What follows a workload's tables: figures, notes, and the peers that were left out."""
    if report.figures:
        print()
        rows = [
            (
                figure.name,
                f"{figure.value:.4g} {figure.unit}".rstrip(),
                "" if figure.limit is None else f"target < {figure.limit:g}",
                _verdict(figure.met),
            )
            for figure in report.figures
        ]
        print("\n".join(_aligned(rows)))
    for note in report.notes:
        print(f"  note: {note}")
    for name in report.left_out:
        print(f"  left out: {name}")


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def machine() -> dict[str, Any]:
    """The machine and the versions that the figures belong to."""
    versions = {"python": platform.python_version()}
    versions |= {name: _version(distribution) for name, distribution in PACKAGES.items()}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": cores,
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions,
    }


def print_machine(found: Mapping[str, Any]) -> None:
    """The machine in two lines, and a warning when it is busy."""
    print(f"{found['cpu']}, {found['cores']} cores, {found['system']}, load at the start {found['load']}")
    print(", ".join(f"{name} {version}" for name, version in found["versions"].items()))
    if found["load"] > 0.5 * found["cores"]:
        print("the machine is busy with other work: expect noise, and trust best times more than medians")
