"""`pg.jacobian` and `pg.hessian` of expressions and graphs."""

from __future__ import annotations

import numpy as np
import pytest

import pygraph as pg

A, B = np.array([1.0, 2.0]), 3.0


def test_jacobians_of_expressions_are_expressions() -> None:
    x, y = pg.var("x", (2,)), pg.var("y")
    cubes = np.sum(x**3) * y
    found = pg.compile(pg.Graph([x, y], pg.jacobian({"c": cubes, "p": x * y}, [x, y])))(A, B)
    np.testing.assert_array_equal(found["c"][0], 3 * A**2 * B)
    assert found["c"][1] == np.sum(A**3)
    np.testing.assert_array_equal(found["p"][0], B * np.eye(2))
    np.testing.assert_array_equal(found["p"][1], A)
    twice = pg.compile(pg.Graph([x, y], pg.hessian(cubes, x)))(A, B)
    np.testing.assert_allclose(twice, np.diag(6 * A * B), rtol=1e-15)


def test_jacobians_of_graphs_are_graphs() -> None:
    graph = pg.trace(lambda x, p: {"q": x * p["y"]}, A, {"y": B, "n": 1})
    both = pg.jacobian(graph)
    assert isinstance(both, pg.Graph)
    assert both.names == graph.names
    by_x, by_y = pg.compile(both)(A, {"y": B, "n": 1})["q"]
    np.testing.assert_array_equal(by_x, B * np.eye(2))
    np.testing.assert_array_equal(by_y, A)
    np.testing.assert_array_equal(pg.compile(pg.jacobian(graph, wrt="p.y"))(A, {"y": B, "n": 1})["q"], A)
    one = pg.jacobian(graph, wrt=graph.inputs[0])
    np.testing.assert_array_equal(pg.compile(one)(A, {"y": B, "n": 1})["q"], B * np.eye(2))


def test_what_can_not_be_differentiated() -> None:
    x, n = pg.var("x", (2,)), pg.var("n", (), "int64")
    for wrt in (0, n, 2.0 * x, [x, 1]):
        with pytest.raises(pg.SignatureError, match="not a floating variable"):
            pg.jacobian(x * n, wrt)
    with pytest.raises(pg.SignatureError, match="'z', which is no input"):
        pg.jacobian(pg.Graph([x], x), wrt="z")
    with pytest.raises(pg.SignatureError, match="wrt is for graphs"):
        pg.jacobian(lambda x: x, wrt="x")
    with pytest.raises(pg.SignatureError, match="2 variables"):
        pg.hessian(x * 1.0, [x, pg.var("y")])
