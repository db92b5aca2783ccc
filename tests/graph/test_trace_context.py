"""What is in force while functions are traced: of each thread and task its own, and as it was before afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.errors import GraphError
from pygraph.graph.construction import watched
from pygraph.graph.recording import is_recording, recording
from pygraph.graph.source import SourceLine, attributed
from pygraph.graph.trace_context import active, collected, current, entered, note

LINE = SourceLine("user.py", 7)


@contextmanager
def everything() -> Iterator[None]:
    with collected(), watched(), recording([pg.var("x")]), attributed(LINE), entered(plan="a plan"):
        yield


def in_thread(work: Callable[[], Any]) -> Any:
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_nothing_is_in_force_before_and_afterwards() -> None:
    assert active() is None
    with everything():
        context = current()
        assert len(context.recordings) == len(context.watching) == 1
        assert (context.line, context.plan) == (LINE, "a plan")
        assert context.notes is not None
    assert active() is None
    with pytest.raises(ZeroDivisionError), everything():
        raise ZeroDivisionError
    assert active() is None


def test_another_thread_has_nothing_of_it() -> None:
    with everything():
        assert in_thread(active) is None
        assert in_thread(lambda: contextvars.copy_context().run(active)) is None
        copied = contextvars.copy_context()
        assert in_thread(lambda: copied.run(is_recording)), "what runs in a copy of the context takes part"
        assert is_recording()


def test_a_thread_uses_the_variables_of_a_function_where_it_runs_in_a_copy_of_its_context() -> None:
    """Else that function is another one's, and what records a function of its own beside it may not."""

    def own(x: Any) -> Any:
        with recording():
            return pg.grad(lambda y: np.sin(y) * x)(2.0 * x)

    def taking_part(x: Any) -> Any:
        copied = contextvars.copy_context()
        return in_thread(lambda: copied.run(own, x))

    assert pg.compile(taking_part)(0.5) == np.cos(1.0) * 0.5

    def apart(x: Any) -> Any:
        def refused() -> None:
            with pytest.raises(GraphError, match=r"another\s+thread\s+is\s+recording"):
                own(x)

        in_thread(refused)
        return own(x)

    assert pg.compile(apart)(0.5) == np.cos(1.0) * 0.5


def test_tasks_have_their_own_and_what_they_call_in_threads_takes_part() -> None:
    inside = []

    async def recorder() -> None:
        with recording([pg.var("x")]), attributed(LINE):
            for _ in range(3):
                await asyncio.sleep(0)
                inside.append((is_recording(), current().line, await asyncio.to_thread(is_recording)))

    async def caller() -> float:
        total = 0.0
        for k in range(1, 20):
            await asyncio.sleep(0)
            assert active() is None
            total += float(pg.grad(lambda x, k=k: np.sin(x) * k)(0.0))
            total += float(await asyncio.to_thread(pg.compile(lambda x, k=k: x * k), 1.0))
        return total

    async def both() -> float:
        return (await asyncio.gather(recorder(), caller(), recorder()))[1]

    assert asyncio.run(both()) == 2.0 * sum(range(1, 20))
    assert inside == [(True, LINE, True)] * 6


def test_nodes_belong_to_the_line_of_the_function_that_records_them() -> None:
    """Whatever line derivatives are being made for around it."""
    with attributed(LINE):
        outside = np.sin(pg.var("x"))
        with recording():
            inside = np.cos(pg.var("x"))
    assert outside.line is LINE
    assert inside.line is not None
    assert inside.line.file == __file__


def test_notes_are_of_the_innermost_trace_and_of_each_kind_the_last() -> None:
    note("there is nobody to be told")
    with collected() as outer:
        note(1)
        with collected() as inner:
            note(2)
            note(3)
            note("text")
        note(2.0)
    assert (outer.get(int), outer.get(float), outer.get(str)) == (1, 2.0, None)
    assert (inner.get(int), inner.get(float), inner.get(str)) == (3, None, "text")


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_handler_finds_what_it_interrupts_and_leaves_it_as_it_was() -> None:
    found = []

    def handler(*_: Any) -> None:
        k = float(len(found) + 2)
        with everything():
            found.append(len(current().recordings))
        assert pg.grad(lambda x: k * x * x)(3.0) == 6.0 * k

    before = signal.signal(signal.SIGUSR1, handler)
    try:

        def f(x: Any) -> Any:
            context = current()
            y = np.sin(x)
            signal.raise_signal(signal.SIGUSR1)
            assert current() is context
            assert (y.line.file, y.line.number + 3) == (__file__, np.cos(x).line.number)
            return pg.grad(lambda v: np.sin(v) * y)(x)

        assert pg.compile(f)(0.5) == np.cos(0.5) * np.sin(0.5)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found == [2]
    assert active() is None


def test_there_is_one_context_variable_and_no_thread_local_beside_it() -> None:
    """Of tracing; `call/executable.py` keeps evaluations for a thread."""
    package = Path(pg.__file__).parent
    found = {
        (file.relative_to(package).as_posix(), word)
        for file in package.rglob("*.py")
        for word in ("threading.local", "ContextVar(")
        if word in file.read_text()
    }
    assert found == {("runtime/call/executable.py", "threading.local"), ("graph/trace_context.py", "ContextVar(")}
