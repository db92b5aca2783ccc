"""One Executable in many hands: threads, processes, pickles, copies, interrupts; and memory that does not grow."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg

N_THREADS, N_CALLS = 8, 1000


def neuron(n: int, **options: Any) -> Any:
    w, x = pg.var("w", (3,)), pg.var("x", (n, 3))
    return pg.compile(pg.Graph([w, x], np.sum(np.tanh(x @ w)), name="neuron"), wrt=["w"], **options)


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=3), generator.normal(size=(n, 3))


@pytest.mark.parametrize(("n", "calls"), [(5, N_CALLS), (2000, N_CALLS), (40_000, 20)])
def test_eight_threads_call_one_executable(n: int, calls: int) -> None:
    exe = neuron(n)
    data = [sample(n, seed) for seed in range(N_THREADS)]
    expected = [(exe.forward(*args), exe.reverse()[0]) for args in data]
    barrier = threading.Barrier(N_THREADS)
    wrong: list[Any] = []

    def work(k: int) -> None:
        args, (value, gradient) = data[k], expected[k]
        out = np.empty(())
        barrier.wait()
        try:
            for i in range(calls):
                if exe(*args) != value:
                    wrong.append((k, i, "call"))
                if i % 10 == 0:
                    if exe.forward(*args) != value or not np.array_equal(exe.reverse()[0], gradient):
                        wrong.append((k, i, "reverse"))
                    if exe(*args, out=out) != value:
                        wrong.append((k, i, "out"))
        except Exception as error:
            wrong.append((k, error))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:5]


@pytest.mark.parametrize("n", [7, 1000, 200_001])
def test_results_do_not_depend_on_the_number_of_threads(n: int) -> None:
    args = sample(n, 3)
    results = []
    for threads in (1, 2, 3, 8):
        exe = neuron(n, threads=threads)
        assert exe.stats.threads == threads
        results.append((exe.forward(*args), *exe.reverse()[0], exe.jvp(np.ones(3))))
    assert len({tuple(map(float, result)) for result in results}) == 1


def test_the_default_number_of_threads_can_be_set() -> None:
    before = neuron(5).stats.threads
    try:
        exe = neuron(5)
        value = exe(*sample(5, 0))
        for threads in (1, 3, before):
            pg.set_threads(threads)
            assert exe.stats.threads == threads
            assert exe(*sample(5, 0)) == value
    finally:
        pg.set_threads(before)


def test_pickled_copied_and_deep_copied() -> None:
    exe, args = neuron(5, threads=2), sample(5, 0)
    value = exe.forward(*args)
    for twin in (pickle.loads(pickle.dumps(exe)), copy.copy(exe), copy.deepcopy(exe), copy.deepcopy([exe])[0]):
        assert twin is not exe
        with pytest.raises(pg.StateError):
            twin.reverse()
        assert twin(*args) == twin.forward(*args) == value
        np.testing.assert_array_equal(twin.reverse()[0], exe.reverse()[0])
        assert twin.stats.threads == 2
        assert twin.disassemble() == exe.disassemble()


def test_a_pickled_executable_runs_in_a_new_process(tmp_path: Path) -> None:
    exe, args = neuron(50), sample(50, 0)
    (tmp_path / "exe").write_bytes(pickle.dumps((exe, args)))
    code = "import pickle, sys; exe, args = pickle.load(open(sys.argv[1], 'rb')); print(float(exe(*args)).hex())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "exe")], capture_output=True, text=True, check=True, timeout=120
    )
    assert float.fromhex(done.stdout) == exe(*args)


def _in_child(exe: Any, args: Any, sender: Any) -> None:
    sender.send([float(exe(*args)), float(exe.forward(*args)), *map(float, exe.reverse()[0])])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is a POSIX call")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of JAX, where tests/against_jax imported it
@pytest.mark.parametrize("n", [5, 200_001])
def test_a_forked_child_may_call_what_its_parent_called(n: int) -> None:
    exe, args = neuron(n), sample(n, 0)
    expected = [float(exe(*args)), float(exe.forward(*args)), *map(float, exe.reverse()[0])]
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_in_child, args=(exe, args, sender))
        child.start()
        assert receiver.poll(60), "the child hangs"
        assert receiver.recv() == expected
        child.join(60)
        assert child.exitcode == 0
    assert exe(*args) == expected[0]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("n", [10, 100_000])
def test_ctrl_c_ends_a_loop_of_calls(n: int) -> None:
    code = f"""
        import numpy as np, pygraph as pg
        x = pg.var("x", ({n},))
        y = x
        for _ in range(50):
            y = np.sin(y) + x
        exe = pg.compile(pg.Graph([x], y))
        data = np.ones({n})
        exe(data)
        print("ready", flush=True)
        try:
            while True:
                exe(data)
        except KeyboardInterrupt:
            assert exe(data).shape == ({n},)
            print("ended", flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (out, process.returncode) == ("ended\n", 0), err


def _resident() -> int:
    """Resident memory of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _growth(step: Any, warm: int, count: int) -> int:
    """By how many bytes `count` further steps grow the process."""
    for _ in range(warm):
        step()
    gc.collect()
    before = _resident()
    for _ in range(count):
        step()
    gc.collect()
    return _resident() - before


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc/self/statm")


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "allowed"), [(300, 2_000_000), pytest.param(2000, 8_000_000, marks=pytest.mark.deep)]
)
def test_memory_stays_flat_over_many_compilations(count: int, allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_CHECK", "0")
    data = np.ones(50)

    def step() -> None:
        x = pg.var("x", (50,))
        exe = pg.compile(pg.Graph([x], np.sum(np.sin(x) * x)), wrt=["x"])
        exe(data)
        exe.forward(data)
        exe.reverse()

    assert _growth(step, 300, count) < allowed


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("thousands", [100, pytest.param(1000, marks=pytest.mark.deep)])
def test_memory_stays_flat_over_many_calls(thousands: int) -> None:
    x = pg.var("x", (3,))
    exe = pg.compile(pg.Graph([x], np.sum(np.sin(x) * x)), wrt=["x"])
    data = np.ones(3)
    bound = exe.bind(data)

    def step() -> None:
        for _ in range(1000):
            exe(data)

    assert _growth(step, 20, thousands) < 2_000_000

    def others() -> None:
        for _ in range(100):
            bound()
            exe.forward(data)
            exe.reverse()
            exe([1.0, 2.0, 3.0])
            with pytest.raises(pg.SignatureError):
                exe(data, data)

    assert _growth(others, 5, 50) < 2_000_000


@needs_proc
@pytest.mark.slow
def test_memory_of_large_arrays_is_given_back() -> None:
    n = 500_000
    x, i = pg.var("x", (n,)), pg.var("i", (1,), "int64")
    exe = pg.compile(pg.Graph([x, i], (np.sin(x) * x, x[i])), wrt=["x"])
    data = np.ones(n)

    def step() -> None:
        exe(data, np.array([0]))
        exe.forward(data, np.array([0]))
        exe.reverse((data, np.ones(1)))
        with pytest.raises(pg.IndexRangeError):
            exe(data, np.array([n]))

    assert _growth(step, 5, 40) < 3 * data.nbytes
