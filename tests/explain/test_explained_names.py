"""Names in explanations: variables, arguments, fields, arrays from outside, calls; and the formulas between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import two_layer_net
from pygraph.explain import Explanation
from pygraph.explain.formulas import latex_name

INPUTS = np.array([[0.2, -0.4], [1.0, 0.3], [0.5, 0.5]])


def dense(h: Any, w: Any, b: Any) -> Any:
    z = h @ w + b
    return np.tanh(z)


def names(explanation: Explanation) -> list[str]:
    return [step.name for step in explanation.steps]


def test_the_net_of_lesson_three_is_shown_in_its_own_names() -> None:
    params = two_layer_net.initial(2, 4, 1)
    targets = np.ones((3, 1))
    found = pg.explain(lambda p: two_layer_net.loss(p, INPUTS, targets), params)
    assert names(found)[4:] == [
        *("INPUTS @ p.W1", "z1", "a1", "a1 @ p.W2", "z2", "targets - z2", "(targets - z2) ** 2", "f")
    ]
    rules = {(edge.node, edge.operand): edge.rule for edge in found.edges}
    assert rules["a1 @ p.W2", "p.W2"] == "a1ᵀ · df/d(a1 @ p.W2)"
    assert rules["a1 @ p.W2", "a1"] == "df/d(a1 @ p.W2) · p.W2ᵀ"
    assert {step.name: step.calls for step in found.steps}["z1"] == ("loss", "net")


def test_every_way_to_hold_a_value_gives_a_name() -> None:
    @dataclass
    class Layer:
        w: Any
        scale: Any

    weights = {"first": np.array([1.0, 2.0]), "second": np.array([3.0, 4.0])}
    layer = Layer(np.array([5.0, 6.0]), 2.0)

    def f(x: Any) -> Any:
        a, b = x * weights["first"], x * weights["second"]
        held = {"c": a * b}
        both = [np.sin(held["c"])]
        d: Any = both[0] * layer.w
        (e := np.cos(d))
        return np.sum(e)

    found = pg.explain(f, np.array([0.1, 0.2]))
    assert names(found) == ["x", "a", "b", "held.c", "both[0]", "d", "e", "f"]
    formulas = [step.formula for step in found.steps]
    assert formulas[1:3] == ["x * weights.first", "x * weights.second"]
    assert formulas[5] == "both[0] * layer.w"


def test_attributes_of_objects_have_names() -> None:
    class Model:
        def __init__(self) -> None:
            self.weights = np.array([[1.0, 2.0], [3.0, 4.0]])

        def loss(self, x: Any) -> Any:
            self.hidden = self.weights @ x
            return np.sum(self.hidden**2)

    found = pg.explain(Model().loss, np.ones(2))
    assert [(step.name, step.formula) for step in found.steps[1:4]] == [
        ("x[:, None]", "x[:, None]"),
        ("self.weights @ x[:, None]", "self.weights @ x[:, None]"),
        ("self.hidden", "(self.weights @ x[:, None])[:, 0]"),
    ]


def test_a_variable_that_is_assigned_again_gets_a_subscript() -> None:
    def f(x: Any) -> Any:
        for _ in range(3):
            x = np.sin(x)
        return x

    found = pg.explain(f, 0.5)
    assert names(found) == ["x", "x₂", "x₃", "x₄"]
    assert [edge.derivative for edge in found.edges] == ["cos(x₃)", "cos(x₂)", "cos(x)"]


def test_long_graphs_are_folded_by_calls_and_each_fold_opens() -> None:
    w, b = np.eye(2), np.zeros(2)

    def block(h: Any) -> Any:
        for _ in range(4):
            h = dense(h, w, b)
        return h

    def f(x: Any) -> Any:
        for _ in range(10):
            x = block(x)
        return np.sum(x)

    found = pg.explain(f, INPUTS)
    folded = str(found)
    assert "▸ block 10" in folded
    assert len(folded.splitlines()) < 60
    opened = found.table(open="block 2")
    assert "▸ dense 3 #2" in opened
    whole = found.table(open="all").splitlines()
    assert "▸" not in "".join(whole)
    assert all(any(line.startswith(step.name) for line in whole) for step in found.steps)
    with pytest.raises(pg.SignatureError, match="there is no fold 'blok'"):
        found.table(open="blok")
    with pytest.raises(pg.SignatureError, match="width is 10"):
        found.table(width=10)


def test_long_graphs_without_calls_are_folded_too() -> None:
    def f(x: Any) -> Any:
        for _ in range(300):
            x = np.sin(x)
        return x

    found = pg.explain(f, 0.5)
    assert "▸ steps" in str(found)
    assert len(str(found).splitlines()) < 100


def test_calls_are_told_apart_and_the_callers_name_counts() -> None:
    w, b = np.eye(2), np.zeros(2)

    def f(x: Any) -> Any:
        first = dense(x, w, b)
        second = dense(first, w, b)
        return np.sum(second)

    found = pg.explain(f, INPUTS)
    assert names(found) == ["x", "x @ w", "z", "first", "first @ w", "z₂", "second", "f"]
    assert [step.calls for step in found.steps][1:] == [("dense",)] * 3 + [("dense 2",)] * 3 + [()]


def test_a_function_that_was_compiled_before_has_names_too() -> None:
    @pg.compile
    def inner(x: Any) -> Any:
        y = np.sin(x)
        z = y * x
        return z + 1.0

    inner(1.0)
    assert names(pg.explain(lambda t: inner(t), 0.5))[:3] == ["t", "y", "z"]


def test_formulas_have_the_parentheses_that_they_need() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        p = a - (b - c)
        q = (a + b) * (a - b)
        r = a / (b * c)
        s = -(a + b)
        t = (a * b) ** 3
        u = (-a) ** 2
        return p + q + r + s + t + u

    found = {step.name: step.formula for step in pg.explain(f, 1.0, 2.0, 3.0).steps}
    assert found["p"] == "a - (b - c)"
    assert found["q"] == "(a + b) * (a - b)"
    assert found["r"] == "a / (b * c)"
    assert found["s"] == "-(a + b)"
    assert found["t"] == "(a * b) ** 3"
    assert found["u"] == "(-a) ** 2"


def test_indices_are_written_as_in_numpy() -> None:
    def f(x: Any) -> Any:
        y = x[1:, ::-1]
        z = x.T
        return np.sum(y) + np.sum(z[0])

    found = {step.name: step.formula for step in pg.explain(f, INPUTS).steps}
    assert found["y"] == "x[1:, ::-1]"
    assert found["z"] == "xᵀ"


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("z", "z"),
        ("z1", "z_{1}"),
        ("x₁₂", "x_{12}"),
        ("sigma", r"\sigma"),
        ("W_2", "W_{2}"),
        ("learning_rate", r"\mathrm{learning\_rate}"),
        ("p.W1", r"\mathrm{p.W1}"),
    ],
)
def test_names_in_latex(name: str, latex: str) -> None:
    assert latex_name(name) == latex


def test_a_tracer_that_was_there_is_put_back() -> None:
    import sys

    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        pg.explain(lambda x: 1 / 0, 1.0)
    assert sys.gettrace() is before
