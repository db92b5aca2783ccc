"""The verifier finds what does not keep to the specification, and errors know the user's line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pygraph.errors import VerificationError
from pygraph.graph import Graph, Node, SourceLine, attributed, check_enabled, scan, var, verify
from pygraph.graph.construction import make
from pygraph.graph.node import new_node, type_of
from pygraph.graph.source import here, type_text
from pygraph.ops.row import Op, lookup


def forged(like: Node, **changes: Any) -> Node:
    """A node that `make` would not make."""
    fields = {name: getattr(like, name) for name in ("op", "inputs", "attrs", "types", "line")}
    if "shape" in changes or "dtype" in changes:
        ((shape, dtype),) = like.types
        changes["types"] = ((changes.pop("shape", shape), changes.pop("dtype", dtype)),)
    fields.update(changes)
    types = fields.pop("types")
    return new_node(**fields, items=(), type=types if like.results is not None else type_of(*types[0]))


def problem(node: Node, stage: str = "traced") -> str:
    inputs = [x for x in node.inputs if x.op.name == "input"]
    with pytest.raises(VerificationError) as error:
        verify(Graph.from_parts(inputs, [node], name="g"), stage)
    assert "\n  at: test_" in str(error.value)
    return error.value.headline


def test_good_graphs_pass() -> None:
    x = var("x", 3)
    last, _ = scan(lambda c, y: (c + y, None), 0.0, x)
    for stage in ("traced", "differentiated", "optimised"):
        Graph([x], [last, np.sin(x), x.sum(), 1.0]).verify(stage)


def test_wrong_types_are_found() -> None:
    x = var("x", 3)
    good = np.sin(x)
    text = problem(forged(good, shape=(4,)))
    assert "traced graph 'g': sin, node 1 (float64[4])" in text
    assert "the node says float64[4], its operands give float64[3]" in text
    assert "optimised graph" in problem(forged(good, dtype=np.dtype("float32")), "optimised")
    assert "dtype int8" in problem(forged(good, dtype=np.dtype("int8")))
    assert "unequal dtypes float64 and int64" in problem(forged(x + x, inputs=(x, var("y", 3, "int64"))))
    assert "2 operands given" in problem(forged(good, inputs=(x, var("y", 3))))


def test_wrong_leaves_and_attrs_are_found() -> None:
    x = var("x", 3)
    assert "attrs ['name']" in problem(forged(np.sin(x), inputs=(forged(x, attrs={"name": "x"}),)))
    weak = forged(x, attrs={**x.attrs, "weak": True})
    assert "attrs" in problem(forged(np.sin(x), inputs=(weak,)))
    assert "cannot be hashed" in problem(forged(x.sum(), attrs={"axes": [0]}))
    constant = (x + 1.0).inputs[1]
    assert "attr value is an int" in problem(forged(constant, shape=(3,), attrs={"value": 3}))


def test_ops_outside_the_table_are_found() -> None:
    x = var("x", 3)
    sine = lookup("sin")
    copy = Op("sin", sine.family, 1, "", shape=sine.shape)
    assert "the op is not in the table" in problem(forged(np.sin(x), op=copy))


def test_free_variables_are_for_traces_only() -> None:
    x, y = var("x"), var("y")
    graph = Graph.from_parts([x], [x * y])
    graph.verify("traced")
    with pytest.raises(VerificationError, match=r"variable 'y' is not an input of the\s+graph"):
        graph.verify("differentiated")


def test_bodies_are_verified() -> None:
    x, w = var("x", 3), var("w")
    last, _ = scan(lambda c, y: (c + y, None), 0.0, x)
    node = last.inputs[0]
    body = node.attrs["body"]
    bad = Graph.from_parts(body.inputs, [body.outputs[0] + w])
    loop = make(node.op, node.inputs, {**node.attrs, "body": bad})
    with pytest.raises(VerificationError, match="free variables 'w'"):
        Graph([x], make(lookup("output"), (loop,), {"index": 0})).verify()


def test_operands_with_several_results_are_found() -> None:
    x = var("x", 3)
    last, _ = scan(lambda c, y: (c + y, None), 0.0, x)
    assert "an operand has several results" in problem(forged(last + 1.0, inputs=(last.inputs[0], last)))
    text = problem(forged(last, attrs={"index": 5}))
    assert "has no result 5" in text


def test_check_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, wanted in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("PYGRAPH_CHECK", value)
        assert check_enabled() is wanted
    monkeypatch.delenv("PYGRAPH_CHECK")
    assert not check_enabled()


def test_where_is_the_users_line() -> None:
    x = var("x")
    y = np.sin(x) + 1.0
    line = y.line
    assert line is not None
    assert line.file == __file__
    assert line.code == "y = np.sin(x) + 1.0"
    assert str(line) == f"test_verify.py:{line.number}: y = np.sin(x) + 1.0"
    assert y.inputs[0].line is line
    assert str(SourceLine("nowhere.py", 3)) == "nowhere.py:3"


def test_where_can_be_given() -> None:
    place = SourceLine("train.py", 12, "y * x")
    x = var("x")
    with attributed(place):
        y = x * 3.0
        assert here() is place
    assert y.line is place
    assert (x * 4.0).line is not place
    assert str(Graph([x], y)).splitlines()[1] == "  %0 = multiply(x, 3.0) : float64   # train.py:12  y * x"


def test_type_text() -> None:
    assert type_text((), "float32") == "float32"
    assert type_text((2, 3), bool) == "bool[2, 3]"


def test_attributed_blocks_nest_and_end() -> None:
    outer, inner = SourceLine("a.py", 1), SourceLine("b.py", 2)
    with attributed(outer):
        with pytest.raises(ZeroDivisionError), attributed(inner):
            raise ZeroDivisionError(str(here()))
        assert here() is outer
        with attributed(inner):
            assert here() is inner
    assert here() not in (outer, inner)
