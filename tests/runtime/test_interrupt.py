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
from pygraph.runtime import library
from pygraph.runtime.interrupt import LONG, interruptible

LONG_LOOP = """
import time, numpy as np, pygraph as pg
f = pg.compile(lambda x, n: pg.scan(lambda c, _: (np.sin(c) + x, None), x * n, None, length=10**10)[0])
exe = f.executable(1.0, 1.0)
for run in (lambda: f(1.0, 1.0), lambda: exe(1.0, 1.0), exe.bind(np.ones(()), np.ones(()))):
    try:
        print("running", flush=True)
        run()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
small = pg.compile(lambda x: x + 1.0)
print(small(1.0), flush=True)
"""


def test_a_loop_of_ten_thousand_million_steps_ends_within_a_second() -> None:
    process = subprocess.Popen([sys.executable, "-c", LONG_LOOP], stdout=subprocess.PIPE, text=True)
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
    assert exe.program.flops > LONG
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
        return pg.scan(lambda c, _: (0.5 * c + x[i], None), 0.0, None, length=LONG // 2 + 1)[0]

    exe = pg.compile(pg.trace(f, np.ones(3), np.int64(0)))
    assert exe.program.flops > LONG
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
