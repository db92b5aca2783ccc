"""The reference interpreter: NumPy's own results, loops as Python loops, and checks of what it is given."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate, evaluate_nodes


def test_outputs_come_back_in_the_output_tree() -> None:
    x = pg.var("x", (3,))
    graph = pg.Graph([x], {"double": 2.0 * x, "rest": [np.sum(x), (x > 1.0,)]})
    values = evaluate(graph, np.arange(3.0))
    np.testing.assert_array_equal(values["double"], [0.0, 2.0, 4.0])
    assert values["rest"][0] == 3.0
    np.testing.assert_array_equal(values["rest"][1][0], [False, False, True])


def test_a_loop_is_a_python_loop() -> None:
    x = pg.var("x", (4, 2))
    graph = pg.Graph([x], pg.scan(lambda c, row: (c * 2.0 + row, np.sum(c)), np.zeros(2), x))
    data = np.arange(8.0).reshape(4, 2)
    carry, sums = np.zeros(2), []
    for row in data:
        sums.append(carry.sum())
        carry = carry * 2.0 + row
    final, ys = evaluate(graph, data)
    np.testing.assert_array_equal(final, carry)
    np.testing.assert_array_equal(ys, sums)


def test_a_reverse_loop_and_one_of_no_steps() -> None:
    x = pg.var("x", (3,))
    backwards = pg.Graph([x], pg.scan(lambda c, v: (c + v, c), 0.0, x, reverse=True))
    total, ys = evaluate(backwards, np.array([1.0, 2.0, 4.0]))
    assert total == 7.0
    np.testing.assert_array_equal(ys, [6.0, 4.0, 0.0])
    empty = pg.var("x", (0,))
    nothing = pg.Graph([empty], pg.scan(lambda c, v: (c + v, c), 3.0, empty))
    total, ys = evaluate(nothing, np.empty(0))
    assert total == 3.0
    assert ys.shape == (0,)


def test_special_values_raise_no_warning() -> None:
    x = pg.var("x", (3,))
    values = evaluate(pg.Graph([x], np.log(x) / x), np.array([-1.0, 0.0, np.inf]))
    np.testing.assert_array_equal(values, [np.nan, -np.inf, np.nan])


def test_a_deep_graph_needs_no_recursion() -> None:
    x = pg.var("x")
    y = x
    for _ in range(5000):
        y = y + 1.0
    assert evaluate(pg.Graph([x], y), 0.0) == 5000.0


def test_nodes_can_be_evaluated_into_an_environment() -> None:
    x = pg.var("x")
    y = x * x
    assert evaluate_nodes([y], {x: np.asarray(3.0)})[y] == 9.0


def test_wrong_arguments_are_named() -> None:
    x = pg.var("x", (3,))
    graph = pg.Graph([x], x, name="same")
    with pytest.raises(pg.SignatureError, match=r"same: 1 inputs expected, 0 given"):
        evaluate(graph)
    with pytest.raises(pg.SignatureError, match=r"input 'x' has shape \(3,\), an array of shape \(2,\) was given"):
        evaluate(graph, np.zeros(2))
    with pytest.raises(pg.SignatureError, match="evaluating input 'x': it has no value"):
        evaluate_nodes([x + 1.0], {})
