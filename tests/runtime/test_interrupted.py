"""Forks, signal handlers, threads and finalisers in the middle of anything: nothing hangs, no result is wrong.

Each case runs in a process of its own, which is ended when it hangs.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import needs_compiler

import pygraph as pg
from pygraph.concurrency import Cache, Turn, snapshot
from pygraph.ops.table import rows_text, spelled

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and sends signals")

HEAD = """
import faulthandler, gc, itertools, os, signal, sys, threading, time, warnings
import numpy as np, pygraph as pg
warnings.simplefilter("ignore", DeprecationWarning)  # forks with threads are what is tried here
faulthandler.dump_traceback_later(50.0, exit=True)
serial = itertools.count(2)

def fresh():
    "A new function with its own constant, compiled, run, and differentiated through the shared cache."
    k = float(next(serial))
    f = pg.compile(lambda x: np.sum(np.sin(x) * k))
    assert f(np.ones(3)) == np.sum(np.sin(np.ones(3)) * k)
    assert pg.grad(lambda x: k * x * x)(3.0) == 6.0 * k
    assert pg.scan(lambda c, x: (c + k * x, None), 0.0, np.ones(2))[0] == 2.0 * k

def fork(work, seconds=20):
    "Runs work() in a child; an error or a hang there is one here."
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        faulthandler.register(signal.SIGALRM, chain=True)
        signal.alarm(seconds)
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def run(code: str) -> str:
    text = HEAD + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_children_forked_while_threads_compile() -> None:
    run("""
        shared = pg.compile(lambda x: x * x + 1.0)
        fresh()
        end = threading.Event()
        def work():
            while not end.is_set():
                fresh()
                shared(2.0), shared(np.ones(next(serial) % 50))
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        def child():
            assert gc.isenabled(), "the collector stays off"
            fresh()
            assert shared(3.0) == 10.0 and shared(np.ones(51)).shape == (51,)
            assert not pg.graph.recording.is_recording()
        for _ in range(12):
            fork(child)
        end.set()
        for thread in threads: thread.join()
    """)


def test_children_forked_during_the_first_imports() -> None:
    """A thread that compiles for the first time imports the C library; so does the child."""
    run("""
        thread = threading.Thread(target=fresh)
        thread.start()
        for _ in range(8):
            fork(fresh)
            time.sleep(0.004)
        thread.join()
    """)


def test_a_handler_that_calls_what_it_interrupts() -> None:
    out = run("""
        f = pg.compile(lambda x: np.sum(np.tanh(x) * 2.0))
        g = lambda x: np.sum(x * x)
        value, calls, errors = f(np.ones(4)), [0], []
        sweep = pg.vjp(g, np.ones(4))[1]
        exe = pg.compile(pg.trace(g, np.ones(4)), wrt=[0])
        refused = 0
        def handler(*_):
            global refused
            calls[0] += 1
            try:
                assert f(np.ones(4)) == value
                n = next(serial) % 40
                assert f(np.ones(n)).shape == ()
                assert pg.grad(g)(np.ones(n)).shape == (n,)
                assert exe.forward(np.ones(4)) == 4.0
                assert (exe.reverse()[0] == 2.0).all()
                fresh()
                try:
                    assert (sweep(7.0)[0] == 14.0).all()
                except pg.StateError:
                    refused += 1
            except BaseException as error:
                errors.append(repr(error))
            signal.setitimer(signal.ITIMER_REAL, 0.0007)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0007)
        for i in itertools.count():
            if calls[0] > 25: break
            assert f(np.ones(4)) == value
            assert f(np.ones(i % 40)).shape == ()
            assert (pg.grad(g)(np.ones(i % 40)) == 2.0).all()
            exe.forward(np.full(4, 2.0))
            gradient = exe.reverse()[0]  # of the handler's forward, where that came between
            assert (gradient == 4.0).all() or (gradient == 2.0).all()
            assert (sweep(3.0)[0] == 6.0).all()
            fresh()
            f.clear() if i % 5 == 0 else None
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        assert not errors, errors[:3]
        print(calls[0])
    """)
    assert int(out) > 25


def test_a_handler_that_forks() -> None:
    run("""
        f = pg.compile(lambda x: np.sum(x * 2.0))
        count = [0]
        def handler(*_):
            count[0] += 1
            fork(lambda: (fresh(), f(np.ones(count[0]))))
            if count[0] < 12: signal.setitimer(signal.ITIMER_REAL, 0.003)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.003)
        while count[0] < 12:
            fresh()
            assert f(np.ones(5)) == 10.0
    """)


def test_a_handler_in_the_middle_of_an_import() -> None:
    """It interrupts the import system while that holds its lock, so that no other thread can import for it."""
    run("""
        import _imp
        from pygraph import concurrency
        concurrency._PATIENCE = 40.0  # whoever waits for a lock in vain is here longer than a slow machine computes
        def handler(*_):
            start = time.monotonic()
            fresh()
            fork(fresh)
            took.append(time.monotonic() - start)
        took = []
        signal.signal(signal.SIGALRM, handler)
        _imp.acquire_lock()
        signal.raise_signal(signal.SIGALRM)
        assert _imp.lock_held()
        _imp.release_lock()
        assert took and took[0] < concurrency._PATIENCE, took
        assert not _imp.lock_held()
    """)


def test_the_text_of_the_table_interrupted_in_the_middle() -> None:
    """Programs are hashed with it, so what interrupts its making must make the same one."""
    texts = []

    class Interrupted(str):
        def __repr__(self) -> str:
            if not texts:
                texts.append("")
                texts[0] = spelled(table)
            return "x"

    @dataclass
    class Record:
        value: object
        name: str

    table = {"a": (1, 2.5), "b": Record((Interrupted(), True), "c")}
    assert spelled(table) == texts[0] == "(('a',(1,2.5)),('b',Record((x,True),'c')))"
    with pytest.raises(AssertionError, match="the text of a set is not known"):
        spelled([{1}])
    assert rows_text() == rows_text()


def test_threads_are_set_while_others_compile() -> None:
    run("""
        end, errors = threading.Event(), []
        def work():
            try:
                while not end.is_set(): fresh()
            except BaseException as error:
                errors.append(error)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for i in range(2000): pg.set_threads(1 + i % 3)
        end.set()
        for thread in threads: thread.join()
        assert not errors, errors
    """)


def test_finalisers_that_compile() -> None:
    run("""
        class Last:
            def __init__(self): self.me = self
            def __del__(self): fresh()
        gc.set_threshold(50, 2, 2)
        for _ in range(60):
            Last()
            fresh()
        gc.set_threshold(700, 10, 10)
    """)


def test_the_end_of_the_interpreter_may_compile() -> None:
    out = run("""
        import atexit
        atexit.register(lambda: (fresh(), print("compiled")))
        fresh()
    """)
    assert out == "compiled\n"


@needs_compiler
def test_native_builds_beside_forks_and_handlers() -> None:
    """A handler builds while a build is started; children of a process that builds build too."""
    run("""
        def native():
            k = float(next(serial)) + os.getpid() / 2**22
            f = pg.compile(lambda x: np.sum(x * k), backend="native")
            assert f(np.ones(2)) == 2.0 * k and f.executables[0].stats.backend == "native"
        os.environ["PYGRAPH_NATIVE_FLAGS"] = "-O0"
        count = [0]
        def handler(*_):
            count[0] += 1
            if count[0] <= 3:
                native()
                signal.setitimer(signal.ITIMER_REAL, 0.02)
        signal.signal(signal.SIGALRM, handler)
        native()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        thread = threading.Thread(target=lambda: [native() for _ in range(4)])
        thread.start()
        while count[0] <= 3: native()
        for _ in range(3): fork(native)
        thread.join()
    """)


def test_a_cache_keeps_what_was_used_last() -> None:
    cache: Cache[int, str] = Cache(3, 100)
    assert cache.get(1) is None
    for key in (1, 2, 3):
        assert cache.add(key, str(key), 10) == str(key)
    assert cache.get(1) == "1"
    assert cache.add(1, "another", 10) == "1"
    cache.add(4, "4", 10)
    assert (cache.values(), len(cache), cache.nbytes) == (["3", "1", "4"], 3, 30)
    cache.add(5, "5", 1000)
    assert cache.values() == ["5"]
    cache.add(6, "6", 10)
    assert cache.values() == ["6"]
    cache.clear()
    assert (cache.values(), cache.nbytes) == ([], 0)
    assert Cache(0).add("k", "v") == "v"


def test_a_snapshot_of_what_changes_meanwhile() -> None:
    class Changing:
        def __init__(self) -> None:
            self.tries = 0

        def __iter__(self) -> object:
            self.tries += 1
            if self.tries < 3:
                raise RuntimeError("Set changed size during iteration")
            return iter("ab")

    assert snapshot(Changing()) == ["a", "b"]  # type: ignore[arg-type]


def test_a_turn_is_refused_to_what_interrupts_it() -> None:
    turn = Turn(lambda: pg.StateError("busy"))
    with turn:
        with pytest.raises(pg.StateError, match="busy"), turn:
            pass
        with pytest.raises(pg.StateError, match="busy"), turn:
            pass
    with turn:
        pass


def test_a_handler_is_told_why_its_sweep_is_refused() -> None:
    sweep = pg.linearize(lambda x: x * x, 3.0)[1]
    kept = pg.compile(pg.trace(lambda x: x * x, 3.0), wrt=[0]).keep(3.0)[1]
    assert sweep(1.0) == 6.0

    class Interrupting:
        """Stands for a handler between the bytecodes of a sweep: asks again while its tangent is converted."""

        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            with pytest.raises(pg.StateError, match=r"in the middle of another one(.|\n)*evaluate once more"):
                kept.jvp(1.0)
            return np.array(2.0)

    assert kept.jvp(Interrupting()) == 12.0
    assert kept.reverse() == (6.0,)
