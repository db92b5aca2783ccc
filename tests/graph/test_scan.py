"""Recording loops: what scan closes over, the types of its carry, and the text of its errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from pygraph.errors import DTypeError, GraphError, ShapeError, TracedBoolError, UnsupportedError
from pygraph.graph import Graph, Node, scan, trace, var
from pygraph.graph.record_scan import close_over
from pygraph.graph.reference import evaluate


class State(NamedTuple):
    position: Any
    speed: Any


def loop_of(node: Node) -> Node:
    assert node.op.name == "output"
    return node.inputs[0]


def test_running_sum() -> None:
    xs = var("xs", 5)
    total, sums = scan(lambda c, x: (c + x, c + x), 0.0, xs)
    graph = Graph([xs], (total, sums))
    graph.verify("optimised")
    a = np.arange(5.0)
    result = evaluate(graph, a)
    assert result[0] == a.sum()
    assert result[1].tolist() == np.cumsum(a).tolist()


def test_reverse_and_containers() -> None:
    xs = {"a": var("a", (4, 2)), "b": var("b", 4)}

    def step(state: State, x: dict[str, Any]) -> tuple[State, list[Any]]:
        return State(state.position + x["a"], state.speed * x["b"]), [state.position.sum(), None]

    last, (positions, nothing) = scan(step, State(np.zeros(2), 1.0), xs, reverse=True)
    assert isinstance(last, State)
    assert nothing is None
    assert positions.shape == (4,)
    a, b = np.arange(8.0).reshape(4, 2), np.arange(1.0, 5.0)
    position, speed, stacked = evaluate(Graph(list(xs.values()), (*last, positions)), a, b)
    assert position.tolist() == a.sum(0).tolist()
    assert speed == 24.0
    assert stacked.tolist() == [a[i + 1 :].sum() for i in range(4)]


def test_length_alone() -> None:
    last, ys = scan(lambda c, _: (2.0 * c, None), 1.0, None, length=10)
    assert ys is None
    assert evaluate(Graph([], last)) == 1024.0


def test_no_steps() -> None:
    xs = var("xs", (0, 3))
    last, ys = scan(lambda c, x: (c + x.sum(), x), np.float64(7.0), xs)
    result = evaluate(Graph([xs], (last, ys)), np.zeros((0, 3)))
    assert result[0] == 7.0
    assert result[1].shape == (0, 3)


def test_invariant_expressions_become_consts() -> None:
    w, v, xs = var("w", (3, 3)), var("v", 3), var("xs", (4, 3))

    def step(c: Any, x: Any) -> tuple[Any, Any]:
        gate = np.tanh(w @ v)  # does not change from step to step
        return c * gate + x * 2.0 + np.array([1.0, 2.0, 3.0]), c.sum()

    last, _ = scan(step, np.zeros(3), xs)
    node = loop_of(last)
    body = node.attrs["body"]
    assert node.attrs["n_consts"] == 1
    assert node.inputs[0].op.name == "tanh"
    assert body.free == ()
    assert sorted(n.op.name for n in body.nodes if n.op.name == "constant") == ["constant"] * 2
    assert "tanh" not in {n.op.name for n in body.nodes}


def test_closed_over_variables_keep_their_names() -> None:
    x, xs = var("x"), var("xs", 2)
    last, _ = scan(lambda c, x_: (c * x + x_, None), 0.0, xs)
    assert loop_of(last).attrs["body"].names == ("x", "c", "x_")
    last, _ = scan(lambda x_, c: (x_ * x + c, None), 0.0, xs)
    assert loop_of(last).attrs["body"].names == ("x", "x_", "c")
    last, _ = scan(lambda c, x: (c + x + outer, None), 0.0, xs) if (outer := x) is not None else (None, None)
    assert loop_of(last).attrs["body"].names == ("x_", "c", "x")


def test_a_body_that_does_not_use_its_inputs() -> None:
    w, xs = var("w", 2), var("xs", 3)
    last, ys = scan(lambda c, x: (w, np.sin(w)), np.zeros(2), xs)
    result = evaluate(Graph([w, xs], (last, ys)), np.array([0.0, 1.0]), np.zeros(3))
    assert result[0].tolist() == [0.0, 1.0]
    assert result[1].shape == (3, 2)


def test_broadcasts_stay_inside() -> None:
    w, x = var("w"), var("x", 3)
    outputs, variables, consts = close_over([np.broadcast_to(np.sin(w), (3,)) * x, np.broadcast_to(2.0, (3,)) + x], [x])
    assert [node.op.name for node in consts] == ["sin"]
    assert [node.shape for node in variables] == [()]
    assert {node.op.name for node in outputs[0].inputs} == {"broadcast_to", "input"}


def test_loops_in_loops() -> None:
    w, xs = var("w"), var("xs", (3, 4))

    def row(c: Any, x: Any) -> tuple[Any, Any]:
        inner, _ = scan(lambda d, y: (d + w * y * c, None), 0.0, x)
        return c + inner, inner

    last, ys = scan(row, 1.0, xs)
    graph = Graph([w, xs], (last, ys))
    graph.verify("optimised")
    a = np.arange(12.0).reshape(3, 4) / 10
    c, wanted = 1.0, []
    for line in a:
        wanted.append(sum(2.0 * y * c for y in line))
        c += wanted[-1]
    result = evaluate(graph, 2.0, a)
    np.testing.assert_allclose(result[0], c)
    np.testing.assert_allclose(result[1], wanted)


@pytest.mark.parametrize(
    ("init", "dtype", "wanted"),
    [
        (0, "float64", "float64"),
        (0.0, "float64", "float64"),
        (0, "float32", "float32"),
        (0.0, "float32", "float32"),
        (0, "int32", "int32"),
        (0, "int64", "int64"),
        (False, "float32", "float32"),
        (0.5, "int64", "float64"),
    ],
)
def test_a_number_takes_the_dtype_of_the_body(init: Any, dtype: str, wanted: str) -> None:
    last, ys = scan(lambda c, x: (c + x, c), init, var("xs", 3, dtype))
    assert last.dtype == wanted
    assert ys.dtype == wanted
    assert all("weak" not in node.attrs for node in loop_of(last).attrs["body"].nodes)


def test_numbers_from_the_body_fit_the_carry() -> None:
    last, _ = scan(lambda c, x: (0, None), np.float32(1.0), var("xs", 3))
    assert last.dtype == np.float32
    with pytest.raises(DTypeError, match="goes in as int64 and comes out of the body as float64"):
        scan(lambda c, x: (0.5, None), np.int64(1), var("xs", 3))


def test_tracing_a_loop_on_arrays_gives_nodes() -> None:
    last, ys = scan(lambda c, x: (c + x, c), 0.0, np.arange(3.0))
    assert isinstance(last, Node)
    assert isinstance(ys, Node)
    graph = trace(lambda xs: scan(lambda c, x: (c + x, c), 0.0, xs), np.arange(3.0))
    assert repr(graph.output_tree) == "(*, *)"


# --- errors


def test_lengths_that_differ() -> None:
    xs = {"a": var("a", 3), "b": var("b", (4, 2))}
    with pytest.raises(ShapeError, match=r"x.a has length 3, x.b has length 4"):
        scan(lambda c, x: (c, None), 0.0, xs)
    with pytest.raises(ShapeError, match=r"length has length 5, x has length 3"):
        scan(lambda c, x: (c, None), 0.0, xs["a"], length=5)
    with pytest.raises(ShapeError, match=r"xs has no array and length is not given[\s\S]*length=n"):
        scan(lambda c, x: (c, None), 0.0)
    with pytest.raises(ShapeError, match=r"x is a scalar"):
        scan(lambda c, x: (c, None), 0.0, 1.0)
    with pytest.raises(ShapeError, match="length is -1"):
        scan(lambda c, x: (c, None), 0.0, length=-1)
    with pytest.raises(ShapeError, match=r"length is 2\.5"):
        scan(lambda c, x: (c, None), 0.0, length=2.5)  # type: ignore[arg-type]


def test_a_carry_that_changes_its_shape() -> None:
    xs = var("xs", (4, 3))

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        grown = carry["h"] + x
        return {"h": grown, "n": carry["n"] + 1}, None

    with pytest.raises(ShapeError) as error:
        scan(step, {"h": 0.0, "n": 0}, xs)
    assert "carry 'carry.h' goes in as float64 and comes out of the body as float64[3]" in error.value.problem
    assert 'grown = carry["h"] + x' in str(error.value)
    assert "return 'carry.h' with shape ()" in error.value.advice


def test_a_carry_that_changes_its_dtype() -> None:
    xs = var("xs", 3)
    with pytest.raises(DTypeError) as error:
        scan(lambda c, x: (c * x, None), np.float32(0.0), xs)
    text = str(error.value)
    assert "carry 'c' goes in as float32 and comes out of the body as float64" in text
    assert ".astype('float32') in the body" in text
    assert "test_scan.py:" in text


def test_a_carry_that_changes_its_container() -> None:
    with pytest.raises(GraphError, match=r"goes in as \(\*, \*\) and comes out of the body as \*"):
        scan(lambda c, x: (c[0], None), (1.0, 2.0), var("xs", 3))


def test_a_body_that_returns_no_pair() -> None:
    def step(c: Any, x: Any) -> Any:
        return c + x

    with pytest.raises(
        GraphError,
        match=r"the body 'step' returned one expression of type float64, not a pair",
    ):
        scan(step, 0.0, var("xs", 3))


def test_python_control_flow_in_a_body() -> None:
    with pytest.raises(TracedBoolError, match=r"pg.where"):
        scan(lambda c, x: (c if x > 0 else -c, None), 0.0, var("xs", 3))


def test_leaves_of_other_types() -> None:
    with pytest.raises(DTypeError, match=r"argument c\.name is a str, which is not an array"):
        scan(lambda c, x: (c, None), {"name": "text"}, var("xs", 3))
    with pytest.raises(GraphError, match="returned a str"):
        scan(lambda c, x: (c, "text"), 0.0, var("xs", 3))
    with pytest.raises(UnsupportedError, match="expressions cannot be changed in place"):
        scan(lambda c, x: (c.__setitem__(0, x), None), np.zeros(3), var("xs", 3))
