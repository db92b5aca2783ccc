"""What functions take: whatever NumPy can take as an array, static values; and graphs called as functions."""

from __future__ import annotations

import array
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.runtime.functions.reachable import reads_of


class Tensor:
    """What offers its memory by DLPack, as tensors of other libraries do."""

    def __init__(self, values: Any, device: str = "cpu") -> None:
        self.values = np.asarray(values)
        self.device = device

    def __dlpack__(self, **options: Any) -> Any:
        if self.device != "cpu":
            raise BufferError("only memory of the CPU can be exported")
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.values.__dlpack_device__()


class Series:
    """What NumPy takes by `__array__`."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([1.0, 2.0], dtype)


LIKE_ARRAYS = {
    "dlpack": Tensor([1.0, 2.0]),
    "__array__": Series(),
    "memoryview": memoryview(np.array([1.0, 2.0])),
    "array": array.array("d", [1, 2]),
}


@pytest.mark.parametrize("given", LIKE_ARRAYS.values(), ids=LIKE_ARRAYS)
def test_what_is_like_an_array_is_an_argument(given: Any) -> None:
    double = pg.compile(lambda x: x["p"] * 2)
    for _ in range(2):
        np.testing.assert_array_equal(double({"p": given}), [2.0, 4.0])
    np.testing.assert_array_equal(pg.grad(lambda x: (x**2).sum())(given), [2.0, 4.0])
    assert pg.trace(lambda x: x, given).inputs[0].shape == (2,)
    assert len(double.executables) == 1


@pytest.mark.parametrize(
    ("dtype", "wider"),
    [
        *(("float16", "float32"), ("int8", "int32"), ("uint8", "int32")),
        *(("int16", "int32"), ("uint16", "int32"), ("uint32", "int64")),
    ],
)
def test_small_dtypes_become_the_nearest_that_holds_them(dtype: str, wider: str) -> None:
    kind: Any = np.finfo if dtype.startswith("f") else np.iinfo
    given = np.array([kind(dtype).min, 0, kind(dtype).max], dtype)
    same = pg.compile(lambda x: x)
    for found in (same(given), same(given[1]), same(Tensor(given))):
        assert found.dtype == wider
    np.testing.assert_array_equal(same(given), given.astype(wider))


def test_what_is_no_array_is_refused() -> None:
    f = pg.compile(lambda x: x)
    for given in ("text", b"bytes", object(), np.zeros(2, "uint64"), np.zeros(2, complex)):
        with pytest.raises(pg.DTypeError):
            f(given)
    with pytest.raises(pg.DTypeError, match="only memory of the CPU"):
        f(Tensor([1.0], "gpu"))


@pg.compile(static_argnums=1)
def power(x: Any, mode: str, n: int = 2) -> Any:
    return x**2 if mode == "square" else np.exp(x) * n


def test_each_static_value_has_a_signature() -> None:
    power.clear()
    assert power(3.0, "square") == power(3.0, mode="square") == 9.0
    assert power(0.0, "exp") == 2.0
    assert power(0.0, "exp", 3) == 3.0
    assert len(power.executables) == 3
    assert pg.grad(lambda x: power(x, "square"))(3.0) == 6.0
    assert pickle.loads(pickle.dumps(power)) is power


def test_static_values_are_told_apart_by_type_and_content() -> None:
    seen: list[Any] = []

    def f(x: Any, n: Any, *rest: Any, flag: Any = None) -> Any:
        seen.append((n, flag))
        return x * 1.0

    g = pg.compile(f, static_argnums=(1,), static_argnames="flag")
    for n in (1, True, 1.0, 1, "1", (1, 2), (1, 2)):
        g(2.0, n)
    g(2.0, 1, flag=frozenset("a"))
    g(2.0, 1, flag=frozenset("a"))
    assert seen == [(1, None), (True, None), (1.0, None), ("1", None), ((1, 2), None), (1, frozenset("a"))]
    copy = pickle.loads(pickle.dumps(pg.compile(operator.pow, static_argnums=-1)))
    assert copy(2.0, 3) == 8.0


def test_static_arguments_that_do_not_fit() -> None:
    def f(x: Any, n: Any) -> Any:
        return x * n

    with pytest.raises(pg.SignatureError, match="unhashable"):
        pg.compile(f, static_argnums=1)(1.0, [2])
    with pytest.raises(pg.SignatureError, match="static_argnums has 2"):
        pg.compile(f, static_argnums=2)
    with pytest.raises(pg.SignatureError, match="'m', which is no parameter"):
        pg.compile(f, static_argnames=["n", "m"])
    with pytest.raises(pg.SignatureError, match="static_argnums is 'n'"):
        pg.compile(f, static_argnums="n")  # type: ignore[call-overload]


def test_graphs_and_executables_inline_among_expressions() -> None:
    graph = pg.trace(lambda x, d: {"y": x * d["a"]}, np.ones(2), {"a": 1.0})
    executable = pg.compile(graph)
    for f in (graph, executable):
        found = pg.grad(lambda x, f=f: f(np.stack([x, x * x]), {"a": 3})["y"].sum())(2.0)
        assert found == 3.0 + 12.0
    x, z = pg.var("x", (2,)), pg.var("z", (2,))
    total = pg.Graph([x], np.sum(x * x))
    assert pg.compile(pg.Graph([z], total(z + 1.0)))(np.zeros(2)) == 2.0
    np.testing.assert_array_equal(pg.hessian(lambda z: total(z))(np.ones(2)), 2.0 * np.eye(2))


def test_a_graph_is_called_with_its_own_types() -> None:
    x = pg.var("x", (2,))
    total = pg.Graph([x], np.sum(x))
    with pytest.raises(pg.SignatureError, match="called with expressions"):
        total(np.ones(2))
    with pytest.raises(pg.ShapeError, match=r"'x' is float64\[3\], not float64\[2\]"):
        total(pg.var("z", (3,)))
    with pytest.raises(pg.DTypeError, match=r"'x' is int64\[2\], not float64\[2\]"):
        total(pg.var("z", (2,), "int64"))
    with pytest.raises(pg.SignatureError, match="given for"):
        total(x, x)
    n = pg.var("n", (), "int64")
    with pytest.raises(pg.DTypeError, match="'n' is float64, not int64"):
        pg.compile(lambda _: pg.Graph([n], n + 1)(2.5))(1.0)


def test_leaves_as_one_vector() -> None:
    tree = {"w": np.arange(6.0).reshape(2, 3), "n": (np.float32(1.5), None), "k": 3}
    flat, unravel = pg.ravel_pytree(tree)
    assert flat.dtype == np.float64
    again = unravel(flat)
    assert again["n"][0].dtype == np.float32
    assert again["k"].dtype == np.int64
    np.testing.assert_array_equal(again["w"], tree["w"])
    assert pg.tree_leaves(tree)[0] == 3
    slope = pg.grad(lambda v: np.sum(unravel(v)["w"] ** 2))(flat)
    np.testing.assert_array_equal(unravel(slope)["w"], 2 * tree["w"])
    assert not np.shares_memory(again["w"], flat)
    assert type(again["n"][0]) is np.float32
    assert reads_of((unravel,)) is not None
    with pytest.raises(pg.ShapeError, match="the leaves have 8 elements"):
        unravel(flat[1:])
    empty, back = pg.ravel_pytree(())
    assert empty.shape == (0,)
    assert back(empty) == ()


def test_each_leaf_has_a_name() -> None:
    params = {"w": 1.0, "layers": [(2.0, None), {"a b": 3.0, 0: 4.0}]}
    names = dict(zip(pg.tree_names(params, "params"), pg.tree_leaves(params), strict=True))
    assert names == {
        "params.layers[0][0]": 2.0,
        "params.layers[1]['a b']": 3.0,
        "params.layers[1][0]": 4.0,
        "params.w": 1.0,
    }
    assert pg.tree_names(1.0, "x") == ["x"]
    assert pg.tree_names((), "x") == []
