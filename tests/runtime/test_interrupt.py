"""Ctrl-C during a long run: seen at once, and nothing is left in an unsound state."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.runtime.clib import library
from pygraph.runtime.clib.duration import bounded, duration
from pygraph.runtime.clib.interrupt import LONG, interruptible
from pygraph.runtime.clib.watch import PERIOD, Watch, is_open, watched

LOOPS = {
    "scan": "pg.scan(lambda c, _: (np.sin(c) + x, None), x * n, None, length=10**10)[0]",
    "while_loop": "pg.while_loop(lambda c: c < 9.0, lambda c: np.sin(c) + x, x * n)",
    "inner while_loop": "pg.map(lambda y: pg.while_loop(lambda c: c < 9.0, np.sin, y * n), x * np.ones(2))",
}
LONG_LOOP = """
import time, numpy as np, pygraph as pg
f = pg.compile(lambda x, n: LOOP)
exe = f.executable(1.0, 1.0)
f(1.0, 10.0) if WARM else None
for run in (lambda: f(1.0, 1.0), lambda: exe(1.0, 1.0), exe.bind(np.ones(()), np.ones(()))):
    try:
        print("running", flush=True)
        run()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
small = pg.compile(lambda x: x + 1.0)
print(small(1.0), flush=True)
"""


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_does_not_end_is_ended_within_a_second(loop: str) -> None:
    text = LONG_LOOP.replace("LOOP", LOOPS[loop]).replace("WARM", str(loop == "while_loop"))
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "running\n"
            time.sleep(0.3)
            start = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert time.perf_counter() - start < 1.0
        assert process.stdout.readline() == "2.0\n"
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def _rotations(x: Any) -> Any:
    return pg.scan(lambda c, _: (np.cos(c), None), x, None, length=3 * 10**7)[0]


@pytest.fixture
def after_a_moment() -> Any:
    """Raises TimeoutError in the main thread, 50 ms from now."""

    def raise_it(*_: Any) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, raise_it)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_a_stopped_executable_stays_usable(after_a_moment: Any) -> None:
    exe = pg.compile(pg.trace(lambda x: (2.0 * x, pg.sum(_rotations(x))), np.ones(8)))
    assert duration(exe.program) > LONG
    kept = pg.compile(pg.trace(lambda x: pg.sum(x**2), np.ones(8)), wrt=["x"])
    kept.forward(np.ones(8))
    after_a_moment()
    with pytest.raises(TimeoutError):
        exe(np.ones(8))
    np.testing.assert_array_equal(kept.reverse()[0], 2 * np.ones(8))
    after_a_moment()
    with pytest.raises(TimeoutError):
        exe(np.zeros(8))


def test_a_long_run_returns_its_value_and_its_failure() -> None:
    def f(x: Any, i: Any) -> Any:
        return pg.scan(lambda c, _: (0.5 * c + x[i], None), 0.0, None, length=3_000_000)[0]

    exe = pg.compile(pg.trace(f, np.ones(3), np.int64(0)))
    assert duration(exe.program) > LONG
    assert exe(np.ones(3), 1) == 2.0
    with pytest.raises(pg.IndexRangeError, match=r"indexing x\[i\]"):
        exe(np.ones(3), 7)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(exe(np.ones(3), 2)))
    thread.start()
    thread.join()
    assert found == [2.0]


def test_short_programs_are_run_directly() -> None:
    exe = pg.compile(pg.trace(lambda x: x + 1.0, 1.0))
    assert exe._built.library.run is library._run
    exe = pg.compile(pg.trace(lambda x: pg.scan(lambda c, u: (np.sin(c) * u, c), 1.0, x), np.ones(500)))
    assert exe._built.library.run is library._run


def test_the_price_of_an_operation_counts() -> None:
    """Steps that take long each need a helper from fewer of them on; between short and long, a run is watched."""

    def way(f: Any, length: int) -> Any:
        exe = pg.compile(pg.trace(lambda x: pg.scan(lambda c, _: (f(c), None), x, None, length=length)[0], 1.0))
        return exe._built.library.run

    def dear(c: Any) -> Any:
        return pg.gammaln(c * c + 1.0) + pg.digamma(c * c + 2.0)

    assert way(lambda c: c + 1.0, 20_000) is library._run
    assert way(dear, 20_000) is library._run
    assert way(dear, 600_000) is library._run_interruptibly
    assert way(lambda c: c + 1.0, 600_000) not in (library._run, library._run_interruptibly)
    assert way(lambda c: c + 1.0, 10**8) is library._run_interruptibly
    many = pg.compile(pg.trace(lambda x: pg.gammaln(x), np.ones(10**7)))
    assert many._built.library.run is library._run_interruptibly


def test_durations_are_planned_by_rows() -> None:
    x = np.ones(1000)
    cheap, dear = (pg.compile(pg.trace(f, x)).program for f in (lambda x: x + x, lambda x: pg.gammaln(x)))
    assert duration(cheap) < 1_000 < 7_000 < duration(dear) < 12_000
    product = pg.compile(pg.trace(lambda a: a @ a, np.ones((100, 100)))).program
    assert 1e5 < duration(product) < 2e5
    assert duration(pg.compile(pg.trace(lambda x: x[np.arange(999, -1, -1) % 7], x)).program) > 1_000
    assert bounded(cheap, 1e6)
    assert not bounded(cheap, 1e3)
    loop = pg.compile(pg.trace(lambda x: pg.while_loop(lambda c: c < 9.0, lambda c: c * 2.0, x), 1.0)).program
    assert not bounded(loop, 1e12)
    assert duration(loop) > 1_000


def test_the_run_is_waited_for_before_the_exception_goes_on(after_a_moment: Any) -> None:
    stops: list[Any] = []
    events: list[str] = []

    def run(context: Any, segment: int) -> int:
        while not stops:
            time.sleep(0.001)
        time.sleep(0.03)
        events.append("ended")
        return 6

    after_a_moment()
    with pytest.raises(TimeoutError):
        interruptible(run, stops.append)("context", 0)
    assert events == ["ended"]
    assert stops[0] == "context"


def _count(x: Any, steps: Any) -> Any:
    return pg.while_loop(lambda c: c[1] > 0, lambda c: (np.cos(c[0]), c[1] - 1), (x, steps))[0]


class Runs:
    """Stands for the C library: each run takes as long as its context says, and can be stopped."""

    def __init__(self) -> None:
        self.here: list[float] = []
        self.helped: list[float] = []
        self.stopped = threading.Event()

    def _run(self, seconds: float) -> int:
        self.stopped.clear()
        return 8 if self.stopped.wait(seconds) else 0

    def run(self, seconds: float, segment: int) -> int:
        self.here.append(seconds)
        return self._run(seconds)

    def help(self, seconds: float, segment: int) -> int:
        self.helped.append(seconds)
        return self._run(seconds)

    def stop(self, seconds: float) -> None:
        self.stopped.set()


def test_what_takes_long_goes_to_the_helper_as_long_as_it_does() -> None:
    runs = Runs()
    watch = Watch(runs.stop)
    run = watched(runs.run, runs.help, watch, 8)
    for _ in range(3):
        assert run(0.0, 0) == 0
    assert run(10 * PERIOD, 0) == 0
    assert (runs.here, runs.helped) == ([0.0, 0.0, 0.0, 10 * PERIOD], [10 * PERIOD])
    assert run(2 * PERIOD, 0) == 0
    assert run(0.0, 0) == 0
    assert run(0.0, 0) == 0
    assert runs.here[4:] == [0.0]
    assert runs.helped[1:] == [2 * PERIOD, 0.0]
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(run(3 * PERIOD, 0)))
    thread.start()
    thread.join()
    assert found == [0]
    assert runs.helped[-1] == 3 * PERIOD, "only the main thread's runs are watched"


def test_the_watch_ends_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pygraph.runtime.clib.watch.PERIOD", 0.002)
    runs = Runs()
    watch = Watch(runs.stop)
    run = watched(runs.run, runs.help, watch, 8)
    for _ in range(2):
        assert run(0.0, 0) == 0
        assert watch.awake
        deadline = time.monotonic() + 10.0
        while watch.awake:
            time.sleep(0.01)
            assert time.monotonic() < deadline
    assert run(0.1, 0) == 0
    assert runs.helped == [0.1]


def test_loops_of_run_time_length_give_the_same_here_and_by_the_helper() -> None:
    exe = pg.compile(pg.trace(_count, 1.0, 1), wrt=["x"])
    for _ in range(2):
        np.testing.assert_allclose(exe(0.5, 5_000_000), 0.7390851332151607)
    np.testing.assert_allclose(exe.forward(0.5, 3), np.cos(np.cos(np.cos(0.5))))
    slope = -np.sin(0.5) * np.sin(np.cos(0.5)) * np.sin(np.cos(np.cos(0.5)))
    np.testing.assert_allclose(exe.reverse()[0], slope)
    np.testing.assert_allclose(exe.forward(0.5, 3_000_000), 0.7390851332151607)
    assert exe.reverse()[0] == 0.0
    np.testing.assert_allclose(exe(0.5, 1), np.cos(0.5))


def test_only_loops_of_run_time_length_are_watched() -> None:
    def ops(f: Any) -> Any:
        return pg.compile(pg.trace(f, 1.0)).program.nodes

    assert not is_open(ops(lambda x: pg.fori_loop(0, 9, lambda i, c: np.sin(c), x)))
    assert is_open(ops(lambda x: pg.while_loop(lambda c: c < 9.0, lambda c: c * 2.0, x)))
    assert is_open(
        ops(lambda x: pg.cond(x > 1.0, lambda x: pg.while_loop(lambda c: c < 9.0, lambda c: c * 2.0, x), np.sin, x))
    )
