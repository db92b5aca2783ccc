"""Recording control flow: the nodes, how they print, and what bad input gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph import Graph, bodies_of, cond, fori_loop, make, switch, var, while_loop
from pygraph.graph.associative import associative_scan
from pygraph.graph.record_while import map_
from pygraph.ops.row import TABLE

X, V, K = var("x"), var("v", (3,)), var("k", (), "int64")


def test_one_node_with_its_bodies() -> None:
    (out,) = Graph([X], cond(X > 0, np.sin, np.cos, X)).outputs
    node = out.inputs[0]
    assert node.op is TABLE["branch"]
    assert [body.name for body in bodies_of(node)] == ["cos", "sin"]
    (out,) = Graph([X], while_loop(lambda v: v < 3.0, lambda v: v * X, X)).outputs
    assert out.inputs[0].op is TABLE["while_loop"]
    assert len(bodies_of(out.inputs[0])) == 2


def test_bodies_are_printed() -> None:
    start = while_loop(lambda v: v < 3.0, lambda v: v * X, X)
    text = str(Graph([X, K], switch(K, [np.sin, np.cos], start), name="g"))
    for part in ("branch(", "bodies=(sin, cos)", "sin(", "while_loop(", "condition=", "less("):
        assert part in text


def test_verification_looks_into_bodies() -> None:
    graph = Graph([X], while_loop(lambda v: v < 3.0, lambda v: cond(v > 1, lambda v: v * X, lambda v: v + X, v), X))
    graph.verify("optimised")
    stray = var("stray")
    slot = var("slot")
    bad = Graph.from_parts([slot], [slot * stray])
    node = make(TABLE["branch"], (K, X), {"bodies": (bad, bad)})
    with pytest.raises(pg.VerificationError, match="free variables 'stray'"):
        Graph([X, K], make(TABLE["output"], (node,), {"index": 0})).verify()


def test_closures_become_operands() -> None:
    y = np.exp(X)
    (out,) = Graph([X], cond(X > 0, lambda: y * 2.0, lambda: y + X)).outputs
    _, *operands = out.inputs[0].inputs
    assert {x is y or x is X for x in operands} == {True}
    assert all(not body.free for body in bodies_of(out.inputs[0]))


def same(one: Any, two: Any) -> Any:
    return lambda: cond(X > 0, lambda: one, lambda: two)


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (lambda: cond(V > 0, np.sin, np.cos, X), pg.ShapeError, r"the predicate has shape \(3,\)"),
    (lambda: cond(X, np.sin, np.cos, X), pg.DTypeError, "the predicate is float64, not bool"),
    (same(X, (X,)), pg.GraphError, r"false_fun returns \(\*,?\), true_fun returns \*"),
    (same(X, V), pg.ShapeError, r"leaf 'result' is float64\[3\] in false_fun and float64 in true_fun"),
    (same(X, K), pg.DTypeError, "leaf 'result' is int64 in false_fun and float64 in true_fun"),
    (same({"a": X, "b": V}, {"a": X, "b": X}), pg.ShapeError, r"leaf 'result.*b.*' is float64 in false_fun"),
    (lambda: cond(X > 0, lambda: "no", lambda: X), pg.GraphError, "returned a str"),
    (lambda: switch(K, []), pg.GraphError, "there are no branches"),
    (lambda: switch(X, [np.sin], X), pg.DTypeError, "the index is float64, not an integer"),
    (lambda: switch(V.astype("int64"), [np.sin], X), pg.ShapeError, r"the index has shape \(3,\)"),
    (
        lambda: switch(K, [lambda: X, lambda: X, lambda: V]),
        pg.ShapeError,
        r"float64 in branch 0 and float64\[3\] in branch 2",
    ),
    (lambda: while_loop(lambda v: v, lambda v: v, X), pg.DTypeError, "the condition gives float64, not bool"),
    (
        lambda: while_loop(lambda v: v > 0, lambda v: v, V),
        pg.ShapeError,
        r"the condition gives bool\[3\], not one bool",
    ),
    (lambda: while_loop(lambda v: (v > 0, v), lambda v: v, X), pg.GraphError, "the condition returned a tuple"),
    (lambda: while_loop(lambda v: v > 0, lambda v: (v, v), X), pg.GraphError, r"goes in as \* and comes out"),
    (lambda: while_loop(lambda v: v[0] > 0, lambda v: v[:2], V), pg.ShapeError, r"'v' goes in as float64\[3\]"),
    (lambda: while_loop(lambda v: v > 0, lambda v: v * 0.5, K), pg.DTypeError, "'v' goes in as int64"),
    (lambda: while_loop(lambda v: X > 0, lambda v: v, ()), pg.GraphError, "the carry has no array"),
    (lambda: while_loop(lambda v: v > 0, lambda v: v, X, limit=-1), pg.ShapeError, "limit is -1"),
    (lambda: while_loop(lambda v: v > 0, lambda v: v, X, limit=1.5), pg.DTypeError, "limit is 1.5"),  # type: ignore[arg-type]
    (lambda: fori_loop(0.5, 3, lambda i, v: v, X), pg.DTypeError, "lower is 0.5"),
    (lambda: fori_loop(0, X, lambda i, v: v, X), pg.DTypeError, "upper is float64, not an integer"),
    (lambda: fori_loop(0, V.astype("int64"), lambda i, v: v, X), pg.ShapeError, r"upper has shape \(3,\)"),
    (lambda: fori_loop(0, 3, lambda i, v: (v, v), X), pg.GraphError, "the carry goes in"),
    (lambda: map_(np.sin, X), pg.ShapeError, "is a scalar"),
    (lambda: associative_scan(np.add, ()), pg.GraphError, "elems has no array"),
    (lambda: associative_scan(np.add, V, axis=1), pg.ShapeError, "axis 1 is out of range"),
    (lambda: associative_scan(lambda a, b: a, (V, V[:2])), pg.ShapeError, "has length 3"),
    (lambda: associative_scan(lambda a, b: (a, b), V), pg.GraphError, "fn takes"),
    (lambda: associative_scan(lambda a, b: np.sum(a), V), pg.ShapeError, "fn takes float64"),
    (lambda: while_loop(lambda v: v > 0, lambda v: v if v > 1 else v * 2.0, X), pg.TracedBoolError, "pg.cond"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors_name_the_problem_the_line_and_the_fix(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as caught:
        call()
    assert "test_control.py" in str(caught.value)
    assert "\n  do: " in str(caught.value)
