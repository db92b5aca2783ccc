"""Every shape that a function is given, and every shape that arrives at the graph, is one that an array can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.construction import make
from pygraph.ops import limits
from pygraph.ops.row import lookup

NEGATIVE: dict[str, Callable[[Any], Any]] = {
    "broadcast_to of NumPy": lambda x: np.broadcast_to(x, (-5,)),
    "broadcast_to, one size": lambda x: pg.broadcast_to(x, -5),
    "broadcast_to, beside an empty axis": lambda x: pg.broadcast_to(x, (0, -5)),
    "full": lambda x: pg.full((2, -1), x),
    "reshape": lambda x: pg.reshape(x, (-2,)),
    "reshape beside an inferred size": lambda x: pg.reshape(x, (-3, -1)),
    "the method": lambda x: x.reshape(-2, -2),
    "spec": lambda x: pg.spec((-1,)),
    "var": lambda x: pg.var("v", (3, -1)),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_negative_size_is_refused_as_by_numpy(name: str) -> None:
    f = NEGATIVE[name]
    with pytest.raises(pg.ShapeError, match=r"negative size|cannot become"):
        pg.grad(lambda x: pg.sum(f(x)))(2.0)
    with pytest.raises(ValueError):
        f(np.array(2.0))


def test_a_negative_size_in_a_graph_is_refused_by_the_row() -> None:
    x = pg.var("x", (1,))
    for op, attrs in (
        ("broadcast_to", {"shape": (-5,)}),
        ("reshape", {"shape": (-1, -1)}),
        ("slice", {"starts": (0,), "steps": (1,), "shape": (-1,)}),
        ("unslice", {"starts": (0,), "steps": (1,), "shape": (-1,)}),
        ("input", {"name": "y", "uid": 0, "shape": (-1,), "dtype": np.dtype("float64")}),
    ):
        with pytest.raises(pg.ShapeError):
            make(lookup(op), () if op == "input" else (x,), attrs)
    with pytest.raises(pg.ShapeError, match="length is -1"):
        pg.scan(lambda c, _: (c, None), x, None, length=-1)


def test_what_no_array_can_have_is_refused_when_traced() -> None:
    x = pg.var("x")
    elements = r"has 2\*\*57 elements or more"
    for shape, text in (
        ((2**59,), elements),
        ((2**30, 2**30), elements),
        ((1,) * 65, r"\(1, 1, .*… has 65\s+axes"),
        ((0, 2**60), elements),
    ):
        with pytest.raises(pg.ShapeError, match=text):
            pg.broadcast_to(x, shape)
        with pytest.raises(pg.ShapeError, match=text):
            pg.var("y", shape)
    assert pg.broadcast_to(x, (limits.MAX_ELEMENTS,)).shape == (limits.MAX_ELEMENTS,)
    pg.compile(lambda x: pg.sum(pg.broadcast_to(x, (limits.MAX_ELEMENTS,)))).executable(1.0)  # the loader agrees


def test_results_and_arguments_too_large_to_run_are_refused_by_name() -> None:
    with pytest.raises(pg.GraphError, match=r"float64\[1125899906842624\], 9.01e\+15 bytes"):
        pg.compile(lambda x: pg.broadcast_to(x, (2**50,))).executable(1.0)
    x = pg.var("wide", (2**50,))
    with pytest.raises(pg.GraphError, match="'wide' is float64"):
        pg.compile(pg.Graph([x], pg.sum(x)))


def nested(depth: int) -> Callable[[Any], Any]:
    """`depth` scans of two steps, one in the body of the other."""

    def body(c: Any) -> Any:
        return np.sin(c)

    for _ in range(depth):

        def body(c: Any, inner: Callable[[Any], Any] = body) -> Any:  # type: ignore[misc]
            return pg.scan(lambda c, _: (inner(c), None), c, None, 2)[0]

    return body


def test_loops_too_long_or_too_deep_are_refused_when_traced() -> None:
    for end in (2**62, 2**64, 2**40 + 1):
        with pytest.raises(pg.GraphError, match=r"tracing scan: a loop of \d+ steps"):
            pg.fori_loop(0, end, lambda i, c: c * 2.0, pg.var("x"))
    pg.compile(nested(limits.MAX_DEPTH)).executable(1.0)
    with pytest.raises(pg.GraphError, match="nested deeper than 64"):
        nested(limits.MAX_DEPTH + 1)(pg.var("x"))
    with pytest.raises(pg.GraphError, match="nested deeper than 64"):
        pg.cond(pg.var("p", (), "bool"), nested(limits.MAX_DEPTH), lambda x: x, pg.var("x"))
    with pytest.raises(pg.GraphError, match="nested deeper than 64"):
        pg.while_loop(lambda x: x < 3.0, nested(limits.MAX_DEPTH), pg.var("x"))


def test_matrices_that_blas_can_not_count_are_refused_when_traced() -> None:
    x, w = pg.var("x"), np.ones((2, 1))
    wide = pg.broadcast_to(x, (limits.MAX_MATRIX + 1, 2))
    for product in (lambda: wide @ w, lambda: w.T @ wide.T, lambda: pg.dot(wide, w)):
        with pytest.raises(pg.ShapeError, match=r"a product of matrices of .*2147483648"):
            product()
    assert (pg.broadcast_to(x, (limits.MAX_MATRIX, 2)) @ w).shape == (limits.MAX_MATRIX, 1)


def test_a_batch_is_one_product_only_where_blas_can_count_its_rows() -> None:
    def f(w: Any, x: Any) -> Any:
        return np.sum(pg.broadcast_to(x, (2**20, 2**12, 2)) @ w)

    w, x, ws, xs = np.ones((2, 1)), np.ones(()), np.ones((3, 2, 1)), np.ones(3)
    for g, args in (
        (f, (w, x)),
        (pg.grad(f), (w, x)),
        (pg.vmap(f, (0, None)), (ws, x)),
        (pg.vmap(f, (None, 0)), (w, xs)),
    ):
        pg.compile(g).executable(*args)  # the loader agrees
