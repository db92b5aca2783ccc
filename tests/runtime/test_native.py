"""The native tier: when it is built, how calls move to it, and that nothing but the clock can tell."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import needs_compiler

import pygraph as pg
from pygraph.emit.toolchain import compiler
from pygraph.lower.program import Segment
from pygraph.runtime.call.executable import Executable
from pygraph.runtime.clib.library import Library, Payoff
from pygraph.runtime.native import tiering
from pygraph.runtime.native.payoff import payoff, rough


@pytest.fixture(autouse=True)
def no_orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No environment's orders but those of a test, and nothing pending after it."""
    monkeypatch.delenv("PYGRAPH_BACKEND", raising=False)
    yield
    assert tiering.wait(60.0)


def swing(x: Any, n: Any) -> Any:
    """Some scalars and a loop."""
    y = pg.scan(lambda c, _: (np.sin(c) * 0.5 + x, c * x), x * n, None, length=37)
    return y[0] * n + x, pg.sum(y[1][3:] * n)


def compiled(backend: str, **options: Any) -> Executable:
    return pg.compile(pg.trace(swing, 1.0, 1.0), wrt=[0, 1], backend=backend, **options)


def library(exe: Executable) -> Library:
    return exe._built.library


def watched(exe: Executable, gain: int, price: int, pays: Callable[[Library], None] = tiering.request) -> None:
    """Ask to be told as `payoff` would after its look."""
    library(exe).payoff = Payoff((gain,) * 3, price)
    library(exe).watch([gain] * 3, price, pays)


def all_sweeps(exe: Executable, x: float, n: float) -> list[Any]:
    return [exe.forward(x, n), exe.reverse((1.0, 2.0)), exe.jvp(1.0, -3.0), exe(x, n)]


@pytest.mark.sanitize
@needs_compiler
def test_all_sweeps_have_equal_bits() -> None:
    one, two = compiled("vm"), compiled("native")
    assert (one.stats.backend, two.stats.backend) == ("vm", "native")
    rng = np.random.default_rng(0)
    for x, n in rng.normal(0.0, 3.0, (20, 2)):
        assert str(all_sweeps(one, x, n)) == str(all_sweeps(two, x, n))  # repr: every bit, and signs of zeros
    bound = two.bind(np.array(1.5), np.array(2.0))
    assert str(bound()) == str(one(1.5, 2.0))


@pytest.mark.sanitize
@needs_compiler
def test_forward_in_one_tier_and_reverse_in_the_other() -> None:
    expected = all_sweeps(compiled("vm"), 0.3, 1.7)
    exe = compiled("vm")
    value = exe.forward(0.3, 1.7)
    tiering.build(library(exe))
    assert exe.stats.backend == "native"
    assert str([value, exe.reverse((1.0, 2.0)), exe.jvp(1.0, -3.0), exe(0.3, 1.7)]) == str(expected)


@pytest.mark.sanitize
@needs_compiler
def test_the_tier_changes_under_many_threads() -> None:
    exe, seen = compiled("auto"), compiled("vm")
    points = np.random.default_rng(1).normal(0.0, 2.0, (32, 2))
    expected = [str(all_sweeps(seen, *point)) for point in points]
    wrong: list[Any] = []
    end = threading.Event()

    def work(start: int) -> None:
        i = start
        while not end.is_set() or i < start + 200:
            k = i % len(points)
            if str(all_sweeps(exe, *points[k])) != expected[k]:
                wrong.append(k)
            i += 1

    watched(exe, 0, 50)  # no run gains anything yet
    threads = [threading.Thread(target=work, args=(7 * t,)) for t in range(8)]
    try:
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert exe.stats.backend == "vm"
        watched(exe, 1, 50)
        deadline = time.monotonic() + 60.0
        while not library(exe).is_native and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert exe.stats.backend == "native"
    assert not wrong


@needs_compiler
def test_the_run_that_brings_the_sum_to_the_price_asks_once() -> None:
    exe, asked = compiled("vm"), list[Library]()
    watched(exe, 100, 1000, asked.append)
    for _ in range(9):
        exe(1.0, 1.0)
    assert not asked
    values = [exe(1.0, 1.0) for _ in range(30)]
    assert asked == [library(exe)]
    assert len(set(map(str, values))) == 1


def test_contexts_that_are_freed_hand_on_what_they_lost() -> None:
    exe, asked = compiled("vm"), list[Library]()
    watched(exe, 100, 1000, asked.append)
    for _ in range(12):
        exe.keep(1.0, 1.0)
    assert len(asked) == 1


@needs_compiler
def test_what_the_cache_has_is_loaded_at_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PYGRAPH_CACHE", str(tmp_path))
    for expected in ("vm", "native"):
        exe = compiled("auto")
        library(exe).watch([10**8] * 3, 10**8, tiering.request)  # as if it ran for long; the look finds it cheap
        exe(1.0, 1.0)
        assert tiering.wait(60.0)
        assert exe.stats.backend == expected
        compiled("native")
    assert exe.stats.native_cache_hit


@needs_compiler
def test_a_program_that_pays_is_built_in_the_background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PYGRAPH_CACHE", str(tmp_path))
    exe = compiled("auto")
    library(exe).watch([10**8] * 3, 10**8, tiering.request)  # as if it ran for long
    exe(1.0, 1.0)
    assert tiering.wait(60.0)
    assert library(exe).payoff == payoff(exe.program)
    assert exe.stats.backend == "vm"  # the look found it cheap
    exe = compiled("auto")
    library(exe).watch([10**8] * 3, 10**8, tiering.request)
    library(exe).payoff = Payoff((1, 1, 1), 10)
    exe(1.0, 1.0)
    assert tiering.wait(60.0)
    stats = exe.stats
    assert stats.backend == "native"
    assert stats.native_seconds is not None
    assert stats.native_seconds > 0.0
    assert stats.native_cache_hit is not None
    lines = str(stats).splitlines()
    assert any(line.startswith("native cache hit ") and line.endswith(("yes", "no")) for line in lines)


@needs_compiler
def test_what_runs_once_but_long_is_built_before_it_has_run() -> None:
    def f(x: Any) -> Any:
        return pg.scan(lambda c, _: (c * 0.5 + x * c, None), x, None, length=10**8)[0]

    exe = pg.compile(pg.trace(f, 1.0))
    assert tiering.wait(60.0)
    assert exe.stats.backend == "native"


def test_the_plan_of_a_gain() -> None:
    x, y = pg.var("x"), pg.var("y", (1000,))

    def planned(graph: pg.Graph) -> Payoff:
        found = payoff(pg.compile(graph, backend="vm").program)
        assert rough(pg.compile(graph, backend="vm").program) >= found.gains[0]
        return found

    scalars = planned(pg.Graph([x], x * x + x * (x - 1.0)))
    assert 20 <= scalars.gains[0] <= 200
    cheap, costly = planned(pg.Graph([y], y * y + y)), planned(pg.Graph([y], np.exp(y)))
    assert cheap.gains[0] > costly.gains[0]
    assert cheap.price < costly.price, "functions are long to compile"
    m = pg.var("m", (1000, 3))
    apart = planned(pg.Graph([m], m.T[0] * m.T[1] + m.T[2]))
    assert apart.price > planned(pg.Graph([y], y * y + y)).price
    loop = planned(pg.trace(lambda x: pg.scan(lambda c, _: (c * x + x, None), x, None, length=1000)[0], 1.0))
    assert 30_000 <= loop.gains[0] <= 300_000
    assert loop.price > 1e7
    whiles = planned(pg.trace(lambda x: pg.while_loop(lambda c: c < 10.0, lambda c: c * x + x, x), 1.0))
    assert whiles.gains[0] > 30_000
    both = planned(pg.trace(lambda x: pg.cond(x > 0.0, lambda x: x * x, lambda x: x - x * x * x, x), 1.0))
    assert both.gains[0] < 1000


@pytest.mark.sanitize
@needs_compiler
def test_errors_are_the_same_in_both_tiers() -> None:
    def index(x: Any, i: Any) -> Any:
        return pg.scan(lambda c, _: (0.5 * c + x[i], None), 0.0, None, length=5)[0]

    def steps(x: Any) -> Any:
        return pg.while_loop(lambda c: c < 100.0, lambda c: c + x, x, limit=7)

    for function, args in ((index, (np.ones(3), np.int64(5))), (steps, (1.0,))):
        said = []
        for backend in ("vm", "native"):
            exe = pg.compile(pg.trace(function, *args), backend=backend)
            with pytest.raises(pg.GraphError) as failed:
                exe(*args)
            record = exe._runner.pool.free[0]
            said.append((type(failed.value), str(failed.value)))
            assert record is not None
        assert said[0] == said[1]


@needs_compiler
def test_a_library_that_is_no_native_code_is_refused(tmp_path: Path) -> None:
    exe = compiled("vm")
    other = compiler.build(compiler.find(), "const unsigned long long pg_native_abi = 7;\n", "baseline", tmp_path)
    for path in (tmp_path / "missing.so", other):
        with pytest.raises(pg.ProgramError, match="native code was refused"):
            library(exe).load_native(path)
    assert exe.stats.backend == "vm"
    exe(1.0, 1.0)


def test_the_backend_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pg.BackendError, match="backend 'gpu' is none of 'auto', 'vm', 'native'"):
        compiled("gpu")
    with pytest.raises(pg.BackendError, match="check_finite=True looks at the result of every operation"):
        compiled("native", check_finite=True)
    with pytest.raises(pg.BackendError, match="backend 3 is none of"):
        pg.compile(swing, backend=3)  # type: ignore[call-overload]
    monkeypatch.setenv("PYGRAPH_BACKEND", "fast")
    with pytest.raises(pg.BackendError, match="PYGRAPH_BACKEND is 'fast'"):
        compiled("auto")


@needs_compiler
def test_the_environment_goes_before_the_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_BACKEND", "native")
    assert compiled("vm").stats.backend == "native"
    assert compiled("auto", check_finite=True).stats.backend == "vm"
    assert pg.compile(swing).executable(1.0, 1.0).stats.backend == "native"
    monkeypatch.setenv("PYGRAPH_BACKEND", "vm")
    assert compiled("native").stats.backend == "vm"


@needs_compiler
def test_compiled_functions_copies_and_pickles_keep_it() -> None:
    exe = compiled("native")
    for other in (copy.copy(exe), copy.deepcopy(exe), pickle.loads(pickle.dumps(exe))):
        assert other.stats.backend == "native"
        assert other._runner.options.backend == "native"
        assert str(other(1.0, 2.0)) == str(exe(1.0, 2.0))
    assert pickle.loads(pickle.dumps(compiled("vm")))._runner.options.backend == "vm"
    function = pg.compile(swing, backend="native")
    assert str(function(1.0, 2.0)) == str(exe(1.0, 2.0))
    (made,) = function.executables
    assert made.stats.backend == "native"
    assert made.stats.native_cache_hit is False or made.stats.native_cache_hit


@needs_compiler
def test_equal_programs_share_what_is_built() -> None:
    first, second = compiled("native"), compiled("native")
    assert second.stats.native_cache_hit
    path = second._built.library
    del first
    assert second(1.0, 1.0) == compiled("vm")(1.0, 1.0)
    assert path.is_native


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only compiler answers, and fails."""
    path = tmp_path / "broken"
    path.write_text('#!/bin/sh\n[ "$1" = --version ] && echo broken 1 && exit\necho "it is too late today"\nexit 4\n')
    path.chmod(0o755)
    monkeypatch.setenv("PYGRAPH_CC", str(path))
    return path


def test_a_failed_build(broken: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(pg.BackendError, match="it is too late today") as failed:
        compiled("native")
    assert "ended with status 4" in str(failed.value)
    assert "use backend='vm'" in str(failed.value)
    exe = compiled("auto")
    with caplog.at_level(logging.DEBUG, "pygraph"):
        watched(exe, 1, 1)
        values = {str(exe(1.0, 1.0)) for _ in range(5)}
        assert tiering.wait(60.0)
        values |= {str(exe(1.0, 1.0)) for _ in range(5)}
    assert len(values) == 1
    assert exe.stats.backend == "vm"
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert "swing stays in the interpreter" in record.getMessage()
    assert "it is too late today" in record.getMessage()


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("PYGRAPH_CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(pg.BackendError, match="no C compiler was found"):
        compiled("native")
    exe = compiled("auto")
    with caplog.at_level(logging.DEBUG, "pygraph"):
        watched(exe, 1, 1)
        exe(1.0, 1.0)
        assert tiering.wait(60.0)
    assert "no C compiler was found" in caplog.text
    assert exe.stats.backend == "vm"
    assert (exe.stats.native_seconds, exe.stats.native_cache_hit) == (None, None)


SLOW = """#!/bin/sh
[ "$1" = --version ] && echo slow 1 && exit
echo $$ >"$MARK"
sleep 60 &
wait
"""
START = """
import os, sys, time, pygraph as pg
from pygraph.runtime.clib.library import Payoff
from pygraph.runtime.native.tiering import request
exe = pg.compile(pg.trace(lambda x: x * 2.0, 1.0))
loaded = exe._built.library
loaded.payoff = Payoff((1,), 1)
loaded.watch([1], 1, request)
exe(1.0)
while not os.path.exists(os.environ["MARK"]) or not open(os.environ["MARK"]).read().endswith("\\n"):
    time.sleep(0.005)
"""


def slow_build(code: str, tmp_path: Path) -> tuple[str, float]:
    """What `code` prints while something is being built, and how long it took after that."""
    path = tmp_path / "slow"
    path.write_text(SLOW)
    path.chmod(0o755)
    environment = os.environ | {"PYGRAPH_CC": str(path), "MARK": str(tmp_path / "pid")}
    environment |= {"PYGRAPH_CACHE": str(tmp_path / "cache"), "PYGRAPH_BACKEND": ""}
    done = subprocess.run(
        [sys.executable, "-c", f"{START}\nstarted = time.time()\n{code}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    ended = time.time()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    started, *rest = done.stdout.split(maxsplit=1)
    return "".join(rest), ended - float(started)


def test_the_end_of_the_interpreter_ends_a_build(tmp_path: Path) -> None:
    _, seconds = slow_build("print(time.time(), flush=True)", tmp_path)
    assert seconds < 10.0
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()
    assert not list((tmp_path / "cache").glob("build-*"))


def test_a_fork_during_a_build_has_nothing_pending(tmp_path: Path) -> None:
    code = """
print(time.time(), flush=True)
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of os.fork with threads
from pygraph.runtime.native import tiering
pid, cache = int(open(os.environ["MARK"]).read()), os.environ["PYGRAPH_CACHE"]
if os.fork() == 0:
    assert tiering.wait(5.0) and not tiering._queue.pending
    assert exe(3.0) == 6.0 and exe.stats.backend == "vm"  # this asks anew
    sys.exit(0)
status = os.wait()[1]
os.kill(pid, 0)  # the child's end left the build alone, and where it is done
print(status, len(tiering._queue.pending), len(os.listdir(cache)))
"""
    said, _ = slow_build(code, tmp_path)
    assert said.split() == ["0", "1", "1"]


FORKED = """
import faulthandler, os, sys, time
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of os.fork with threads
import pygraph as pg
from pygraph.runtime.native import tiering
assert "pygraph.emit.native_source" not in sys.modules
exe = pg.compile(pg.trace(lambda x: x * 2.0, 1.0), backend="auto")
tiering.request(exe._built.library)
time.sleep(float(sys.argv[1]))
if os.fork() == 0:
    faulthandler.dump_traceback_later(30.0, exit=True)
    import pygraph.emit.toolchain.cache, pygraph.emit.native_source  # not locked for ever
    os._exit(0)
print(os.wait()[1])
"""


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_a_fork_waits_for_imports_of_the_thread(seconds: float) -> None:
    command = [sys.executable, "-c", FORKED, str(seconds)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert said.stdout.split() == ["0"], said.stderr
    assert not said.stderr


INTERRUPTED = """
import numpy as np, pygraph as pg
f = lambda x, n: pg.scan(lambda c, _: (np.sin(c) + x, None), x * n, None, length=10**10)[0]
exe = pg.compile(pg.trace(f, 1.0, 1.0), backend="native")
assert exe.stats.backend == "native"
for run in (lambda: exe(1.0, 1.0), exe.bind(np.ones(()), np.ones(()))):
    try:
        print("running", flush=True)
        run()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
print("over", flush=True)
"""


@needs_compiler
def test_ctrl_c_ends_a_native_loop() -> None:
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "running\n"
            time.sleep(0.3)
            started = time.perf_counter()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert time.perf_counter() - started < 5.0
        assert process.stdout.readline() == "over\n"
        assert process.wait(10.0) == 0
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@needs_compiler
def test_segments_without_a_forward_run_and_unbound_memory_fail_as_before() -> None:
    exe = compiled("native")
    with pytest.raises(pg.StateError):
        exe.reverse((1.0, 1.0))
    wide = pg.compile(
        pg.trace(lambda x: pg.scan(lambda c, y: (c + y, None), 0.0, x)[0], np.ones(9000)), backend="native"
    )
    context = wide._runner.pool.make()
    with pytest.raises(pg.GraphError, match="has no memory: bind it first"):
        context.run(Segment.FORWARD)


@needs_compiler
def test_a_budget_builds_what_it_chose_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    build = tiering.build
    monkeypatch.setattr(tiering, "build", lambda library, **options: (built.append(library), build(library, **options)))

    def f(x: Any) -> Any:
        return pg.scan(lambda c, _: (np.sin(c) * x, None), x, None, length=200)[0]

    graph = pg.trace(f, 1.0)
    least = pg.compile(graph, wrt=[0], backend="vm").stats.arena_bytes // 3
    exe = pg.compile(graph, wrt=[0], memory_budget=least, backend="native")
    assert exe.stats.backend == "native"
    function = pg.compile(pg.grad(f), memory_budget=least, backend="native")
    function(1.0)
    assert function.executables[0].stats.backend == "native"
    assert len(built) == 2


@needs_compiler
def test_tasks_of_native_code_run_on_the_pool_with_equal_bits() -> None:
    def f(x: Any, w: Any) -> Any:
        y = np.tanh(x) * x - 0.5
        return pg.sum(y * y), y @ w

    x, w = np.random.default_rng(2).normal(size=(3000, 120)), np.linspace(-1.0, 1.0, 120 * 64).reshape(120, 64)
    graph = pg.trace(f, x, w)
    expected = pg.compile(graph, backend="vm", threads=1)(x, w)
    for threads in (1, 2, 5):
        found = pg.compile(graph, backend="native", threads=threads)(x, w)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@needs_compiler
def test_tapes_grow_and_have_their_limit_in_both_tiers() -> None:
    def f(x: Any, n: Any) -> Any:
        return pg.while_loop(lambda c: c[1] < n, lambda c: (np.sin(c[0]) + x, c[1] + 1.0), (x, 0.0))[0]

    graph = pg.trace(f, 1.0, 1.0)
    vm, code = (pg.compile(graph, wrt=[0], backend=backend) for backend in ("vm", "native"))
    for n in (0.0, 3.0, 5000.0, 700.0):
        assert str((vm.forward(0.3, n), vm.reverse())) == str((code.forward(0.3, n), code.reverse()))
    said = []
    pg.set_tape_limit(50_000)
    try:
        for exe in (vm, code):
            with pytest.raises(pg.LimitError) as failed:
                copy.copy(exe).forward(0.3, 9000.0)
            said.append(str(failed.value))
    finally:
        pg.set_tape_limit(2**30)
    assert said[0] == said[1]


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_the_code_goes_with_the_last_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PYGRAPH_CACHE", str(tmp_path))
    exe = compiled("native")
    bound = exe.bind(np.array(1.0), np.array(2.0))
    expected = str(exe(1.0, 2.0))
    (path,) = tmp_path.rglob("*-*.so")
    maps = Path("/proc/self/maps")
    del exe
    gc.collect()
    assert path.name in maps.read_text()
    path.unlink()  # what is loaded stays
    assert str(bound()) == expected
    del bound
    gc.collect()
    assert path.name not in maps.read_text()


@needs_compiler
def test_loops_may_carry_what_has_no_elements() -> None:
    def f(x: Any, empty: Any) -> Any:
        first = pg.scan(lambda c, _: ((c[0] * 0.5 + x, c[1] * 2.0), None), (x, empty), None, length=5)[0]
        return pg.while_loop(lambda c: c[0] < 50.0, lambda c: (c[0] * 1.5 + x, c[1] * 2.0), first)

    graph, empty = pg.trace(f, 1.0, np.ones((0, 3))), np.ones((0, 3))
    vm, code = (pg.compile(graph, wrt=[0], backend=backend) for backend in ("vm", "native"))
    assert str((vm.forward(1.0, empty), vm.reverse((1.0, empty)))) == str(
        (code.forward(1.0, empty), code.reverse((1.0, empty)))
    )
