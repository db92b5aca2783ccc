"""Graphs: their checks, equality, listing, pickling and tracing."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pygraph.errors import DTypeError, GraphError, ShapeError
from pygraph.graph import Graph, flatten, scan, spec, trace, var
from pygraph.graph.printer import labels
from pygraph.graph.reference import evaluate


class Point(NamedTuple):
    x: Any
    y: Any


# --- construction


def test_inputs_and_outputs() -> None:
    x, y = var("x", 3), var("y", 3)
    graph = Graph([x, y], {"sum": x + y, "both": [x, 2.0, np.ones(2)]}, name="g")
    assert graph.inputs == (x, y)
    assert graph.names == ("x", "y")
    assert len(graph.outputs) == 4
    assert graph.nodes[:2] == (x, y)
    assert graph.free == ()
    assert repr(graph) == "<graph g: 2 inputs, 4 outputs, 5 nodes>"
    both = graph.unflatten([1, 2, 3, 4])
    assert both == {"both": [1, 2, 3], "sum": 4}


def test_unused_inputs_stay() -> None:
    x, y = var("x"), var("y")
    assert Graph([x, y], x).nodes == (x, y)
    assert Graph([], 2.0).outputs[0].op.name == "constant"
    assert Graph(x, x + 1.0).inputs == (x,)  # type: ignore[arg-type]


def test_wrong_inputs_are_refused() -> None:
    x = var("x")
    with pytest.raises(GraphError, match=r"graph 'g': input 1 is <sin : float64>, not a variable[\s\S]*pg.var"):
        Graph([x, np.sin(x)], x, name="g")
    with pytest.raises(GraphError, match=r"input 0 is 1\.0, not a variable"):
        Graph([1.0], x)  # type: ignore[list-item]
    with pytest.raises(GraphError, match="input 'x' is there twice"):
        Graph([x, x], x)
    with pytest.raises(GraphError, match="two inputs have the name 'x'"):
        Graph([x, var("x")], x)


def test_a_missing_input_is_named() -> None:
    x, w = var("x"), var("w")
    with pytest.raises(GraphError) as error:
        Graph([x], x * w, name="g")
    assert "graph 'g': the outputs depend on 'w', not among the inputs (x)" in str(error.value)
    assert "x, w = var" in str(error.value)


def test_wrong_variables_are_refused() -> None:
    with pytest.raises(ShapeError, match="negative size"):
        var("x", (-1,))
    with pytest.raises(ShapeError, match=r"the shape of 'x' is 'abc'[\s\S]*pg.var\('x', \(\), 'abc'\)"):
        var("x", "abc")
    with pytest.raises(DTypeError, match="tracing var: dtype float16 is not supported"):
        var("x", (), "float16")
    with pytest.raises(GraphError, match="is not a name"):
        var("")
    assert var("x", 3).shape == (3,)
    assert var("x", (np.int64(2),)).shape == (2,)


def test_equality_is_by_structure() -> None:
    def build(power: float = 2.0, name: str = "x") -> Graph:
        x = var(name, 3)
        return Graph([x], np.sin(x) * power)

    assert build() == build()
    assert hash(build()) == hash(build())
    assert build() != build(3.0)
    assert build() != build(name="y")
    assert build() != 1


# --- listing


def test_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    x, y = var("x", (100, 3)), var("y", (3,), "float32")
    z = np.tanh(x * 2.5)
    w = z + y
    graph = Graph([x, y], {"w": w.sum(axis=0), "c": np.arange(11, 19)}, name="g")  # equal constants share a line
    line = test_listing.__code__.co_firstlineno
    assert str(graph) == textwrap.dedent(
        f"""\
        graph g(x: float64[100, 3], y: float32[3]):
          %0 = constant([11, 12, ..., 17, 18]) : int64[8]          # test_graph.py:{line + 5}  {_source(line + 5)}
          %1 = multiply(x, 2.5)                : float64[100, 3]   # test_graph.py:{line + 3}  z = np.tanh(x * 2.5)
          %2 = tanh(%1)                        : float64[100, 3]
          %3 = convert(y, dtype=float64)       : float64[3]        # test_graph.py:{line + 4}  w = z + y
          %4 = add(%2, %3)                     : float64[100, 3]
          %5 = reduce_sum(%4, axes=(0,))       : float64[3]        # test_graph.py:{line + 5}  {_source(line + 5)}
          return {{'c': %0, 'w': %5}}"""
    )


def test_a_listing_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    x = var("x", (3,))
    total, _ = scan(
        lambda c, v: (c + np.sin(v) * 2.0, None), 0.0, x
    )  # a comment that is much too long for the terminal
    graph = Graph([x], total)
    for columns in (40, 60, 80, 100, 130):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = str(graph).splitlines()
        assert all(len(line) <= columns for line in lines if "#" in line)
        assert any(line.endswith("…") for line in lines) or columns < 80
        assert sum("test_graph.py:" in line for line in lines) >= (columns > 40) + (columns > 80)
    monkeypatch.setenv("COLUMNS", "300")
    assert "…" not in str(graph)


def test_the_columns_of_a_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    start = var("x", (4,))
    x: Any = start
    for i in range(12):
        x = np.sin(x) * float(i)
    graph = Graph([start], [x.reshape(2, 2) @ np.full((2, 2), 1.5), x])
    lines = [line for line in str(graph).splitlines() if " = " in line]
    assert len({line.index(" = ") for line in lines}) == 1
    assert len({line.index(" : ") for line in lines if "transpose_a" not in line}) == 1
    assert sum("x = np.sin(x) * float(i)" in line for line in lines) == 1  # once for all of its nodes


def test_what_goes_to_a_terminal_is_cut_there(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    x = var("a_name_that_is_rather_long", (3, 3))
    graph = Graph([x], x @ x @ x, name="a_graph_that_has_a_long_name_too")
    whole = str(graph)
    assert max(map(len, whole.splitlines())) > 100
    monkeypatch.setenv("COLUMNS", "70")
    elsewhere = str(graph)
    assert [line for line in elsewhere.splitlines() if len(line) > 70]  # nothing of the graph itself is left out
    monkeypatch.setattr("sys.stdout", Terminal())
    lines = str(graph).splitlines()
    assert max(map(len, lines)) == 70
    assert lines[0].endswith("…")
    monkeypatch.setattr("sys.stdout", None)
    assert str(graph) == elsewhere


def _source(line: int) -> str:
    return Path(__file__).read_text().splitlines()[line - 1].strip()


def test_listing_of_a_loop() -> None:
    w, xs = var("w"), var("xs", 4)

    def step(c: Any, x: Any) -> tuple[Any, Any]:
        return c * w + x, c

    graph = Graph([w, xs], scan(step, np.float64(0.0), xs), name="loop")
    lines = [line.split("   #")[0].rstrip() for line in str(graph).splitlines()]
    assert lines == [
        "graph loop(w: float64, xs: float64[4]):",
        "  %0 = scan(w, 0.0, xs, body=step, length=4, reverse=False, n_consts=1, n_carry=1) : (float64, float64[4])",
        "      step(w: float64, c: float64, x: float64):",
        "        %0 = multiply(c, w) : float64",
        "        %1 = add(%0, x)     : float64",
        "        return (%1, c)",
        "  %1 = output(%0, index=0) : float64",
        "  %2 = output(%0, index=1) : float64[4]",
        "  return (%1, %2)",
    ]


def test_names_in_a_listing_are_distinct() -> None:
    x, other = var("x"), var("x")
    graph = Graph.from_parts([x, other], [x + other])
    assert list(labels(graph).values()) == ["x", "x'", "%0"]
    assert "free x: float64" in str(Graph.from_parts([], [np.sin(x)]))


# --- pickling


def test_graphs_pickle() -> None:
    x = var("x", (3,))

    def step(c: Any, x: Any) -> tuple[Any, Any]:
        return c + x * np.array([1.0, -0.0, np.nan]), None

    total, _ = scan(step, np.zeros(3), np.stack([x, x]))
    graph = Graph([x], Point(total, [np.sin(x)]), name="g")
    loaded = pickle.loads(pickle.dumps(graph))
    assert loaded == graph
    assert (loaded.name, loaded.output_tree) == (graph.name, graph.output_tree)
    assert loaded.inputs[0] is x
    assert loaded.outputs[1] is graph.outputs[1]
    assert str(loaded) == str(graph)
    loaded.verify("optimised")


def test_graphs_with_common_variables_keep_them() -> None:
    x = var("x")
    one, two = pickle.loads(pickle.dumps((Graph([x], x + 1.0), Graph([x], x * 2.0))))
    assert one.inputs[0] is two.inputs[0]


def test_graphs_load_in_another_process(tmp_path: Path) -> None:
    def f(params: Any, x: Any) -> Any:
        return {"y": params["w"] @ x, "n": np.sum(x > 0)}

    graph = trace(f, {"w": np.ones((2, 3))}, spec(3))
    (tmp_path / "graph").write_bytes(pickle.dumps(graph))
    code = textwrap.dedent(
        """
        import pickle, sys
        from pygraph.graph import var
        graph = pickle.load(open(sys.argv[1], "rb"))
        assert all(var("x").attrs["uid"] != node.attrs["uid"] for node in graph.inputs)
        graph.verify("optimised")
        print(graph)
        """
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "graph")],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),  # not what readline, which pytest imports, puts there: the width of lines
    )
    assert run.stderr == ""
    assert run.stdout.strip() == str(graph)


def test_loading_names_an_op_that_is_not_registered() -> None:
    from pygraph.graph.serialize import graph_from_state, state_of

    names, *rest = state_of([np.sin(var("x"))])
    state: Any = (["nowhere" if name == "sin" else name for name in names], *rest)
    with pytest.raises(GraphError, match="op 'nowhere' is not registered here"):
        graph_from_state(state, 0, flatten((0,))[1], None, "g")


# --- tracing


def test_trace_names_inputs_after_parameters() -> None:
    def f(params: Any, x: Any, *rest: Any) -> Any:
        return params["w"] * x + rest[0] + rest[1].y, [params["b"][1]]

    graph = trace(f, {"w": 1.0, "b": [2, True]}, spec((3,), "float32"), np.zeros(3), Point(np.float32(1), np.int32(2)))
    assert graph.names == ("params.b[0]", "params.b[1]", "params.w", "x", "rest0", "rest1.x", "rest1.y")
    types = [(node.shape, node.dtype.name) for node in graph.inputs]
    assert types[:5] == [((), "int64"), ((), "bool"), ((), "float64"), ((3,), "float32"), ((3,), "float64")]
    assert types[5:] == [((), "float32"), ((), "int32")]
    assert graph.name == "f"
    assert repr(graph.input_tree) == "({'b': [*, *], 'w': *}, *, *, Point(x=*, y=*))"
    assert repr(graph.output_tree) == "(*, [*])"
    graph.verify()


def test_trace_of_functions_without_a_signature() -> None:
    assert trace(np.hypot, 1.0, 2.0).names in (("x1", "x2"), ("args0", "args1"))
    assert trace(lambda *args: args[0], 1.0).names == ("args0",)
    assert trace(lambda x: x, spec(())).name == "lambda_"


def test_trace_takes_outputs_as_they_come() -> None:
    graph = trace(lambda x: (x, None, 1, np.ones(2)), 1.0)
    assert repr(graph.output_tree) == "(*, None, *, *)"
    assert [node.dtype.name for node in graph.outputs] == ["float64", "int64", "float64"]
    with pytest.raises(GraphError, match="the function returned a str"):
        trace(lambda x: "text", 1.0)


def test_trace_refuses_other_arguments() -> None:
    def f(params: Any) -> Any:
        return params

    with pytest.raises(DTypeError, match=r"argument params.name is a str, which is not an array"):
        trace(f, {"name": "text"})
    with pytest.raises(DTypeError, match=r"argument params\[0\] is of dtype complex128, which is not supported"):
        trace(f, [np.complex128(1)])


def test_tracing_inside_a_trace_leaves_free_variables() -> None:
    def outer(x: Any) -> Any:
        inner = trace(lambda y: x * y, x)
        assert inner.free == (x,)
        assert "free x: float64" in str(inner)
        with pytest.raises(GraphError, match="depend on 'x'"):
            inner.require_closed()
        return inner.outputs[0]

    with pytest.raises(GraphError, match=r"recording\s+has\s+ended"):
        trace(outer, np.float64(1.0))


def test_a_traced_graph_computes_the_function() -> None:
    def f(point: Point, scale: float) -> Any:
        return {"norm": np.sqrt(point.x**2 + point.y**2) * scale}

    graph = trace(f, Point(1.0, 1.0), 1.0)
    assert evaluate(graph, 3.0, 4.0, 2.0) == {"norm": 10.0}


def test_spec() -> None:
    assert spec(3) == spec((3,), float)
    assert spec(3) != spec(3, "float32")
    assert len({spec(3), spec((3,))}) == 1
    assert repr(spec((2, 3), "int32")) == "spec(int32[2, 3])"
    with pytest.raises(DTypeError):
        spec(3, "uint8")


def test_variables_that_no_array_can_fill_are_refused() -> None:
    with pytest.raises(ShapeError, match="65 axes"):
        var("x", (1,) * 65)
    with pytest.raises(ShapeError, match=r"2\*\*57"):
        var("x", (2**40, 2**30))
    assert var("x", (2**40, 0)).size == 0
    with pytest.raises(ShapeError, match=r"multiply[\s\S]*2\*\*57"):
        var("x", (2**40, 1)) * var("y", (2**30,))
    with pytest.raises(GraphError, match="line breaks"):
        var("a\nb")
    with pytest.raises(DTypeError, match="other byte order"):
        var("x", (), ">f8")
