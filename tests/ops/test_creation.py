"""Functions that create arrays, diagonals and triangles against NumPy: eager, recorded in both tiers, derivatives."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import COMPILER_MARKS

import pygraph as pg
from pygraph.graph import Graph, Node, var
from pygraph.graph.reference import evaluate_flat
from pygraph.graph.tree import flatten
from pygraph.runtime.call.executable import Executable

Made = Callable[[Any], Any]
DTYPES = ("float64", "float32", "int64", "int32", "bool")


def same(found: Any, wanted: Any, what: str, ulps: int = 0) -> None:
    """Equal containers, shapes, dtypes and elements, these up to `ulps`."""
    several = isinstance(wanted, tuple)
    assert isinstance(found, tuple) == several, what
    for one, other in zip(found if several else [found], wanted if several else [wanted], strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype), what
        if ulps:
            np.testing.assert_array_max_ulp(one, other, ulps)
        else:
            np.testing.assert_array_equal(one, other, what)


#: Calls of functions that take no arrays, in terms of a namespace: np or pg.
NEW: dict[str, Made] = {
    "zeros": lambda m: (m.zeros(3), m.zeros((2, 0)), m.zeros(()), m.zeros((2, 3), int), m.zeros([2], dtype="bool")),
    "ones": lambda m: (m.ones(3), m.ones((2, 0), "float32"), m.ones((2, 1, 2), "int32")),
    "full": lambda m: (
        m.full(3, 2),
        m.full((2, 2), 1.5, "float32"),
        m.full((2, 3), [1, 2, 3]),
        m.full((), True),
        m.full(2, 2.7, "int64"),
    ),
    "eye": lambda m: (
        m.eye(3),
        m.eye(2, 3, 1),
        m.eye(3, 2, -1, "int32"),
        m.eye(2, k=5),
        m.eye(0),
        m.eye(1, dtype=bool),
    ),
    "identity": lambda m: (m.identity(3), m.identity(2, "float32"), m.identity(0)),
    "tri": lambda m: (m.tri(3), m.tri(2, 4, 1), m.tri(4, 2, -2, "int64"), m.tri(3, k=-9), m.tri(3, k=9), m.tri(0, 2)),
    "arange": lambda m: (m.arange(5), m.arange(2, 9, 3), m.arange(1.0, 2.0, 0.3), m.arange(3, dtype="float32")),
    "linspace": lambda m: (
        m.linspace(0.0, 1.0),
        m.linspace(1, 9, 5),
        m.linspace(2.0, -3.0, 7, endpoint=False),
        m.linspace(0.0, 1.0, 0),
        m.linspace(3.0, 4.0, 1),
        m.linspace(3.0, 4.0, 1, endpoint=False),
        m.linspace(0.1, 0.7, 13, dtype="float32"),
        m.linspace(-5, 5, 11, dtype="int64"),
        m.linspace(-1.3, 2.5, 4, dtype="int32"),
        m.linspace(0.0, 5e-324, 4),
        m.linspace(2.0, 2.0, 3),
        m.linspace([0.0, 1.0], [2.0, 5.0], 4),
        m.linspace([0.0, 0.0], [5e-324, 5.0], 4),
        m.linspace([[0.0], [1.0]], [2.0, 5.0, 6.0], 4, axis=1),
        m.linspace([0.0, 1.0], 3.0, 4, axis=-1),
        m.linspace(np.float32(0.1), np.float32(0.9), 7),
        m.linspace(0.0, np.inf, 3),
        *m.linspace(0.0, 1.0, 5, retstep=True),
        *m.linspace(0.0, 1.0, 1, retstep=True),
        *m.linspace([0.0, 1.0], 2.0, 3, retstep=True),
    ),
    "indices": lambda m: (m.indices((2, 3)), m.indices((2,), "float64"), m.indices((2, 0)), m.indices((3, 2, 2))),
    "sparse indices": lambda m: m.indices((2, 3), sparse=True),
    "no indices": lambda m: m.indices((3, 2), "int32", True),
}
#: The same for functions whose values NumPy and C round differently.
ROUNDED: dict[str, Made] = {
    "logspace": lambda m: (
        m.logspace(0.0, 2.0, 5),
        m.logspace(1, 3, 4, base=2),
        m.logspace(0.0, 1.0, 3, endpoint=False, dtype="float32"),
        m.logspace(0.0, 1.0, 4, base=np.array([2.0, 3.0])),
        m.logspace([0.0, 1.0], 2.0, 4, axis=1),
        m.logspace(0.0, 1.0, 0),
    ),
    "geomspace": lambda m: (
        m.geomspace(1.0, 1000.0, 4),
        m.geomspace(1, 256, 9, dtype="float32"),
        m.geomspace(-2.0, -32.0, 5),
        m.geomspace(3.0, 7.0, 6, endpoint=False),
        m.geomspace([1.0, 2.0], [8.0, 3.0], 4, axis=1),
        m.geomspace(1.0, 2.0, 1),
        m.geomspace(1.0, 2.0, 0),
    ),
}


@pytest.mark.parametrize("name", [*NEW, *ROUNDED])
@pytest.mark.parametrize("backend", ["vm", pytest.param("native", marks=COMPILER_MARKS)])
def test_new_arrays(name: str, backend: str) -> None:
    make, ulps = (NEW[name], 0) if name in NEW else (ROUNDED[name], 4)
    with np.errstate(all="ignore"):
        wanted = make(np)
        same(make(pg), wanted, f"{name}, eager", ulps)
    same(pg.compile(lambda: make(pg), backend=backend)(), wanted, f"{name}, recorded", ulps)


@pytest.mark.parametrize("name", NEW)
def test_they_take_no_constants(name: str) -> None:
    """But for the arrays that are given, of a few elements here."""
    exe = pg.compile(pg.trace(lambda: NEW[name](pg)), backend="vm")
    arrays = [node.attrs["value"].value for node in exe.graph.nodes if node.op.name == "constant"]
    assert max([x.size for x in arrays], default=0) <= 6


def vectors(dtype: str) -> list[Any]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(n) * 3).astype(dtype) for n in (3, 1, 0, 5)]


def matrices(dtype: str) -> list[Any]:
    rng = np.random.default_rng(1)
    return [(rng.standard_normal(s) * 3).astype(dtype) for s in ((3, 3), (2, 4), (4, 2), (1, 1), (0, 3), (2, 0))]


def cases() -> dict[str, tuple[Made, list[Callable[[str], list[Any]]]]]:
    """By name: the function in terms of np or pg and an array, and the arrays that it takes."""
    found: dict[str, Any] = {}
    for k in (-4, -1, 0, 1, 2, 5):
        found[f"diag {k}"] = (lambda m, x, k=k: m.diag(x, k), [vectors, matrices])
        found[f"diagonal {k}"] = (lambda m, x, k=k: m.diagonal(x, k), [matrices])
        found[f"tril {k}"] = (lambda m, x, k=k: m.tril(x, k), [matrices, vectors])
        found[f"triu {k}"] = (lambda m, x, k=k: m.triu(x, k), [matrices, vectors])
    stacked = lambda dtype: [np.stack([x, x[::-1]]) for x in matrices(dtype)]  # noqa: E731
    return {
        **found,
        "diagflat": (lambda m, x: m.diagflat(x[:, :2], 1), [lambda d: matrices(d)[:3]]),
        "diagonal of other axes": (lambda m, x: m.diagonal(x, 1, 2, 0), [stacked]),
        "diagonal of the last axes": (lambda m, x: m.diagonal(x, -1, axis1=-2, axis2=-1), [stacked]),
        "tril of several": (lambda m, x: (m.tril(x), m.triu(x, 1)), [stacked]),
        "vander": (lambda m, x: (m.vander(x), m.vander(x, 4), m.vander(x, 3, True), m.vander(x, N=1)), [vectors]),
        "no powers": (lambda m, x: m.vander(x, 0), [vectors]),
        "meshgrid": (lambda m, x: m.meshgrid(x, x[:2], x[::-1]), [vectors]),
        "meshgrid ij": (lambda m, x: m.meshgrid(x, x[:2], indexing="ij"), [vectors]),
        "sparse meshgrid": (lambda m, x: m.meshgrid(x, x[:2], sparse=True), [vectors]),
        "meshgrid of one": (lambda m, x: m.meshgrid(x), [vectors]),
    }


CASES = cases()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_of_arrays(name: str, dtype: str) -> None:
    """As pg.f and as np.f on an expression."""
    call, made = CASES[name]
    for x in (x for make in made for x in make(dtype)):
        wanted = call(np, x)
        what = f"{name} of {x.dtype}{x.shape}"
        same(call(pg, x), wanted, f"{what}, eager")
        for module in (pg, np):
            v = var("x", x.shape, dtype)
            outputs = call(module, v)
            graph = Graph([v], outputs)
            same(tuple(evaluate_flat(graph, [x])), tuple(flatten(wanted)[0]), f"{what}, reference")
            same(tuple(flatten(Executable(graph, backend="vm")(x))[0]), tuple(flatten(wanted)[0]), f"{what}, in C")


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
def test_ranges_of_expressions(name: str) -> None:
    a, b = np.array([1.0, 0.5]), np.array([[3.0], [8.0]])
    for options in ({}, {"endpoint": False}, {"axis": -1, "num": 3}, {"num": 1}, {"dtype": "float32"}):
        for module in (pg, np):
            call = lambda x, y, m=module, o=options: getattr(m, name)(x, y, **{"num": 6, **o})  # type: ignore[misc]  # noqa: E731
            wanted = getattr(np, name)(a, b, **{"num": 6, **options})
            same(pg.compile(call, backend="vm")(a, b), wanted, name, 0 if name == "linspace" else 4)
    if name != "geomspace":
        x32 = np.float32(0.25)
        same(pg.compile(lambda x: getattr(pg, name)(x, 1.0, 5))(x32), getattr(np, name)(x32, 1.0, 5), name, 4)
        assert pg.compile(lambda i: getattr(pg, name)(i, 5, 3))(np.int32(2)).dtype == np.float64


DIFFERENTIABLE: dict[str, Callable[..., Any]] = {
    "linspace": lambda x: pg.linspace(x[0], x[1:], 4, axis=1),
    "linspace without an end": lambda x: pg.linspace(x, 2.0, 4, endpoint=False),
    "logspace": lambda x: pg.logspace(x[0], x[1], 4, base=2.0),
    "geomspace": lambda x: pg.geomspace(x[0], x[1:], 4),
    "diag": lambda x: pg.diag(x, -1) * pg.diag(np.outer(np.ones(3), np.ones(3)) * x, 1)[0],
    "diagonal": lambda x: pg.diagonal(x[:, None] * x**2, 1) ** 2,
    "triangles": lambda x: pg.tril(x[:, None] * x) + pg.triu(x[:, None] ** 2 * x, 1),
    "vander": lambda x: pg.vander(x, 4),
    "meshgrid": lambda x: pg.meshgrid(x, x**2)[0] * pg.meshgrid(x, x**2)[1],
    "full": lambda x: pg.full((2, 3), x**2),
    "eye": lambda x: pg.eye(3) * x**3 + pg.tri(3) * x,
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives(name: str) -> None:
    f = DIFFERENTIABLE[name]
    x = np.array([0.7, 1.3, 2.1])
    pg.check_grads(f, (x,), order=2)
    batch = np.stack([x, x + 0.3])
    np.testing.assert_allclose(pg.vmap(f)(batch), np.stack([pg.compile(f)(row) for row in batch]), rtol=1e-14)


def test_one_hot() -> None:
    x = np.array([[0, 2, -1], [3, 1, 7]])
    for dtype, axis in product(("float64", "int32", "bool"), (-1, 0, 1)):
        wanted = np.moveaxis((x[..., None] == np.arange(4)).astype(dtype), -1, axis)
        same(pg.one_hot(x, 4, dtype, axis), wanted, "eager")
        for given in (x, x.astype("int32")):
            same(pg.compile(lambda i, d=dtype, a=axis: pg.one_hot(i, 4, d, a))(given), wanted, "recorded")  # type: ignore[misc]
    assert pg.one_hot(np.int64(1), 3).tolist() == [0.0, 1.0, 0.0]
    assert pg.one_hot(x, 0).shape == (2, 3, 0)
    exe = pg.compile(pg.trace(lambda i: pg.one_hot(i, 1000), np.arange(5)), backend="vm")
    assert exe.stats.constant_bytes == 0
    np.testing.assert_array_equal(pg.vmap(lambda i: pg.one_hot(i, 4))(x[0]), pg.one_hot(x[0], 4))


LIKE: list[Callable[[Any, Any], Any]] = [
    lambda m, x: m.zeros(3, like=x),
    lambda m, x: m.ones((2, 2), "int32", like=x),
    lambda m, x: m.ones(3, order="C", like=x) if m is np else m.ones(3, like=x),
    lambda m, x: m.empty(0, like=x),
    lambda m, x: m.full((2,), 7, like=x),
    lambda m, x: m.full((2,), 7.5, dtype="float32", like=x),
    lambda m, x: m.eye(2, 3, k=1, like=x),
    lambda m, x: m.identity(2, like=x),
    lambda m, x: m.tri(3, like=x),
    lambda m, x: m.arange(2, 9, 3, like=x),
    lambda m, x: m.arange(4.0, like=x),
    lambda m, x: m.array([1, 2], like=x),
    lambda m, x: m.asarray([1.0], "float32", like=x),
]


@pytest.mark.parametrize("number", range(len(LIKE)))
def test_like_an_expression(number: int) -> None:
    """NEP 35, and the keyword of pg's own."""
    call, x = LIKE[number], var("x", (2,))
    made = [call(pg, x), call(np, x)]
    assert all(isinstance(node, Node) for node in made)
    for found in (*evaluate_flat(Graph([], made), []), call(pg, np.zeros(3))):
        same(found, call(np, None), "like")


def test_like_an_expression_of_expressions() -> None:
    x = var("x", (2,))
    for made in (np.array([x[0], 2.0], like=x), pg.array([x[0], 2.0], like=x), np.asarray(x, like=x)):
        assert isinstance(made, Node)
        assert evaluate_flat(Graph([x], made), [np.array([5.0, 2.0])])[0].tolist() == [5.0, 2.0]


def test_refused() -> None:
    x, m, a = var("x", (3,)), var("m", (2, 2)), var("a", (2, 2, 2))
    refused: list[tuple[Callable[[], Any], type, str]] = [
        (lambda: pg.zeros((2, -1)), pg.ShapeError, "negative"),
        (lambda: pg.eye(-1), pg.ShapeError, "negative"),
        (lambda: pg.ones(2, "complex128"), pg.DTypeError, "complex128"),
        (lambda: pg.full((2,), [1, 2, 3], like=x), pg.ShapeError, "broadcast"),
        (lambda: pg.diag(a), pg.ShapeError, "neither a vector nor a matrix"),
        (lambda: pg.diag(np.zeros((2, 2, 2))), pg.ShapeError, "neither a vector nor a matrix"),
        (lambda: pg.diagonal(x), pg.ShapeError, "no diagonal"),
        (lambda: pg.diagonal(a, 0, 1, 1), pg.ShapeError, "twice"),
        (lambda: pg.tril(var("s")), pg.ShapeError, "scalar"),
        (lambda: pg.vander(m), pg.ShapeError, "not a vector"),
        (lambda: pg.vander(x, -1), pg.ShapeError, "negative"),
        (lambda: pg.meshgrid(x, m), pg.ShapeError, "vectors needed"),
        (lambda: pg.meshgrid(x, indexing="yx"), ValueError, "'xy' or 'ij'"),
        (lambda: pg.linspace(x, 1.0, -1), pg.ShapeError, "number of elements"),
        (lambda: pg.linspace(x, np.zeros(2)), pg.ShapeError, "broadcast"),
        (lambda: pg.linspace(x, 1.0, axis=2), pg.ShapeError, "out of range"),
        (lambda: pg.geomspace(x, 0.0), ValueError, "can't include 0"),
        (lambda: pg.one_hot(x, 3), pg.DTypeError, "integers"),
        (lambda: pg.one_hot(np.array([0.5]), 3), pg.DTypeError, "integers"),
        (lambda: np.zeros(3, order="F", like=x), pg.UnsupportedError, "'order'"),
    ]
    for call, error, said in refused:
        with pytest.raises(error, match=said):
            call()
