"""The user's lines of nodes: with the calls that led to them, and the sweep that made them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

import pygraph as pg
from pygraph.graph.source import SourceLine


def dense(x: Any, w: Any) -> Any:
    return np.tanh(x @ w)


def net(x: Any, w: Any) -> Any:
    hidden = dense(x, w)
    return np.sum(dense(hidden, w) ** 2)


def line_of(graph: pg.Graph, op: str) -> SourceLine:
    line = next(node.line for node in graph.nodes if node.op.name == op)
    assert line is not None
    return line


def functions(line: SourceLine) -> list[str]:
    """The functions that were running, without those that trace: of this module, after the test itself."""
    names = [call.function for call in line.calls if call.file == __file__]
    return names[names.index(next(name for name in names if name.startswith("test_"))) + 1 :]


def test_the_calls_that_led_to_a_line_are_known() -> None:
    graph = pg.trace(net, np.ones((2, 2)), np.ones((2, 2)))
    assert functions(line_of(graph, "reduce_sum")) == ["net"]
    both = [node.line for node in graph.nodes if node.op.name == "tanh"]
    assert [functions(line) for line in both if line is not None] == [["net", "dense"]] * 2
    first, second = both
    assert first is not None
    assert second is not None
    assert (first.file, first.number) == (second.file, second.number)
    assert first.caller is not second.caller
    assert first.caller is not None
    assert first.caller.code == "hidden = dense(x, w)"


def test_a_generator_is_called_by_the_line_that_resumes_it() -> None:
    def parts(x: Any) -> Any:
        yield np.sin(x)
        yield np.cos(x)

    def resuming(x: Any) -> Any:
        left = parts(x)
        first = next(left)
        return first + next(left)

    graph = pg.trace(resuming, 1.0)
    callers = [line_of(graph, name).caller for name in ("sin", "cos")]
    assert [line.code for line in callers if line is not None] == ["first = next(left)", "return first + next(left)"]


def test_a_loop_of_calls_has_the_line_of_each_call() -> None:
    def calling(x: Any) -> Any:
        for _ in range(2):
            x = x * 2.0
            x = dense(x, x)
            x = x + 1.0
            x = dense(x, x)
        return x

    graph = pg.trace(calling, np.ones((2, 2)))
    lines = [node.line for node in graph.nodes if node.op.name in ("multiply", "add", "tanh")]
    start = next(line.number for line in lines if line is not None and not line.code.startswith("return"))
    own = [line if line.function.endswith("calling") else line.caller for line in lines if line is not None]
    assert [line.number - start for line in own if line is not None] == [0, 1, 2, 3] * 2


def test_nodes_of_one_line_and_one_call_have_one_line() -> None:
    graph = pg.trace(net, np.ones((2, 2)), np.ones((2, 2)))
    tanh = next(node for node in graph.nodes if node.op.name == "tanh")
    assert tanh.inputs[0].line is tanh.line


def test_recordings_within_one_another() -> None:
    def step(carry: Any, x: Any) -> Any:
        return dense(carry, x), None

    def loop(x: Any, ws: Any) -> Any:
        return pg.scan(step, x, ws)[0]

    graph = pg.trace(loop, np.ones((2, 2)), np.ones((3, 2, 2)))
    (scan,) = [node for node in graph.nodes if node.op.name == "scan"]
    body = scan.attrs["body"]
    names = functions(line_of(body, "tanh"))
    assert [name.rpartition(".")[2] for name in names] == ["loop", "step", "dense"]


def test_derivatives_belong_to_a_sweep_of_the_line() -> None:
    x, w = np.ones((2, 2)), np.ones((2, 2))
    graph = pg.trace(pg.grad(net), x, w)
    sweeps = {node.op.name: node.line.sweep for node in graph.nodes if node.line is not None}
    assert sweeps["tanh"] == ""
    assert sweeps["subtract"] == "reverse"
    tangents = pg.trace(lambda x, w, dx: pg.jvp(lambda x: net(x, w), (x,), (dx,))[1], x, w, x)
    assert {node.line.sweep for node in tangents.nodes if node.line is not None} == {"", "tangent"}
    line = line_of(graph, "tanh")
    assert line.swept("reverse") is line.swept("reverse")
    assert line.swept("reverse").swept("reverse") is line.swept("reverse")
    assert (line.swept("reverse").place, line.swept("reverse").caller) == (line.place, line.caller)


def test_pickled_lines_are_the_same_lines() -> None:
    graph = pg.trace(pg.grad(net), np.ones((2, 2)), np.ones((2, 2)))
    again = pickle.loads(pickle.dumps(graph))
    tanh = line_of(again, "tanh")
    assert functions(tanh) == ["net", "dense"]
    assert tanh.code == "return np.tanh(x @ w)"
    assert pickle.loads(pickle.dumps(tanh)) is pickle.loads(pickle.dumps(tanh))
    assert line_of(again, "subtract").sweep == "reverse"


def test_a_deep_recursion_keeps_the_innermost_calls() -> None:
    def deep(x: Any, left: int) -> Any:
        return deep(x, left - 1) if left else np.sin(x)

    line = line_of(pg.trace(lambda x: deep(x, 100), 1.0), "sin")
    calls = [call for call in line.calls if call.function.endswith("deep")]
    assert len(calls) == 32
