"""Calling an Executable: every kind of argument and output, and `out=`."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.lower.format import STAGE_BYTES
from pygraph.runtime.call.callpath import MAX_PORTS

SMALL = 5
LARGE = STAGE_BYTES // 8 + 3  # float64 elements that are bound instead of copied
DTYPES = ["float64", "float32", "int64", "int32", "bool"]


def affine(n: int) -> Any:
    """y = 2 x + 1 over float64[n]."""
    x = pg.var("x", (n,))
    return pg.compile(pg.Graph([x], 2.0 * x + 1.0, name="affine"))


@pytest.mark.parametrize("n", [0, 1, SMALL, STAGE_BYTES // 8, STAGE_BYTES // 8 + 1, LARGE])
def test_sizes_below_and_above_the_staging_limit(n: int) -> None:
    data = np.arange(float(n))
    result = affine(n)(data)
    np.testing.assert_array_equal(result, 2.0 * data + 1.0)
    assert type(result) is np.ndarray
    assert result.flags.owndata


@pytest.mark.parametrize("n", [SMALL, LARGE])
def test_outputs_are_new_arrays_at_every_call(n: int) -> None:
    exe = affine(n)
    first = exe(np.zeros(n))
    second = exe(np.ones(n))
    assert not np.may_share_memory(first, second)
    np.testing.assert_array_equal(first, np.ones(n))
    np.testing.assert_array_equal(second, np.full(n, 3.0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scalars_come_back_as_numpy_scalars(dtype: str) -> None:
    x = pg.var("x", (), dtype)
    exe = pg.compile(pg.Graph([x], pg.where(x == x, x, x)))
    for value in (np.dtype(dtype).type(1), np.array(1, dtype)):
        result = exe(value)
        assert type(result) is np.dtype(dtype).type
        assert result == 1


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("float64", 2.5, 2.5),
        ("float64", 2, 2.0),
        ("float64", True, 1.0),
        ("float64", np.float32(0.5), 0.5),
        ("float64", np.int32(3), 3.0),
        ("float32", 0.5, 0.5),
        ("int64", 7, 7),
        ("int64", True, 1),
        ("int64", -(2**63), -(2**63)),
        ("int64", np.uint8(9), 9),
        ("int32", -5, -5),
        ("bool", True, True),
        ("bool", np.True_, True),
    ],
)
def test_numbers_that_keep_their_kind_are_converted(dtype: str, value: Any, expected: Any) -> None:
    x = pg.var("x", (), dtype)
    result = pg.compile(pg.Graph([x], pg.where(x == x, x, x)))(value)
    assert result == expected
    assert result.dtype == dtype


def test_lists_are_converted() -> None:
    exe = affine(3)
    np.testing.assert_array_equal(exe([1, 2.0, True]), [3.0, 5.0, 3.0])
    np.testing.assert_array_equal(affine(0)([]), [])


def _unaligned(data: np.ndarray) -> np.ndarray:
    raw = np.zeros(data.nbytes + 1, np.uint8)
    view = raw[1:].view(data.dtype)
    view[...] = data
    assert not view.flags.aligned
    return view


def _read_only(data: np.ndarray) -> np.ndarray:
    copy = data.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("n", [SMALL, LARGE])
@pytest.mark.parametrize(
    "view",
    [
        lambda data: data[::-1][::-1],
        lambda data: np.repeat(data, 2)[::2],
        lambda data: data[::-1].copy()[::-1],
        lambda data: np.stack([data, data], axis=1)[:, 1],
        _unaligned,
        _read_only,
        lambda data: data.view(type("Mine", (np.ndarray,), {})),
        lambda data: np.asfortranarray(data),
    ],
    ids=["same", "strided", "reversed", "column", "unaligned", "read-only", "subclass", "fortran"],
)
def test_arrays_of_any_layout(view: Callable[[np.ndarray], np.ndarray], n: int) -> None:
    data = np.arange(float(n))
    before = data.copy()
    np.testing.assert_array_equal(affine(n)(view(data)), 2.0 * before + 1.0)
    np.testing.assert_array_equal(data, before)


@pytest.mark.parametrize("shape", [(3, 4), (70, 50)])
def test_transposed_matrices(shape: tuple[int, int]) -> None:
    x = pg.var("x", shape)
    exe = pg.compile(pg.Graph([x], (x * 2.0, x.sum())))
    data = np.arange(float(np.prod(shape))).reshape(shape[::-1]).T
    doubled, total = exe(data)
    np.testing.assert_array_equal(doubled, 2.0 * data)
    np.testing.assert_allclose(total, data.sum())


def test_the_same_array_twice_and_an_output_that_is_an_input() -> None:
    for n in (SMALL, LARGE):
        x, y = pg.var("x", (n,)), pg.var("y", (n,))
        exe = pg.compile(pg.Graph([x, y], (x, x + y, x)))
        data = np.arange(float(n))
        first, total, again = exe(data, data)
        np.testing.assert_array_equal(first, data)
        np.testing.assert_array_equal(again, data)
        np.testing.assert_array_equal(total, 2.0 * data)
        first[...] = -1.0
        np.testing.assert_array_equal(data, np.arange(float(n)))
        np.testing.assert_array_equal(again, data)


def test_arguments_by_name_in_any_order() -> None:
    x, y = pg.var("x"), pg.var("y")
    exe = pg.compile(pg.Graph([x, y], x - y))
    assert exe(5.0, 3.0) == exe(5.0, y=3.0) == exe(y=3.0, x=5.0) == 2.0


def test_an_input_called_out_or_self_is_an_argument() -> None:
    out, self_ = pg.var("out"), pg.var("self")
    exe = pg.compile(pg.Graph([out, self_], out - self_))
    assert exe(out=5.0, self=3.0) == 2.0


def test_containers_as_arguments_and_results() -> None:
    def model(params: Any, x: Any) -> Any:
        return {"y": params["w"] * x + params["b"], "parts": [params["w"], (x.sum(),)], "none": None}

    params = {"b": 1.0, "w": np.array([1.0, 2.0])}
    x = np.array([3.0, 4.0])
    exe = pg.compile(pg.trace(model, params, x))
    for result in (exe(params, x), exe(x=x, params=params)):
        np.testing.assert_array_equal(result["y"], [4.0, 9.0])
        np.testing.assert_array_equal(result["parts"][0], params["w"])
        assert result["parts"][1] == (7.0,)
        assert result["none"] is None


class Layer(NamedTuple):
    w: Any
    b: Any


@dataclass
class Model:
    layers: list[Layer]
    scale: Any
    nothing: Any = None
    kind: str = field(default="tanh", metadata={"static": True})


def test_every_container_is_taken_apart_and_built_by_the_written_call_path() -> None:
    def f(model: Any, extra: Any, x: Any) -> Any:
        first, second = model.layers
        y = np.tanh(x * first.w + first.b) * second.w + second.b + extra["k"][0]
        made = Model([Layer(y, y.sum())], model.scale * 2.0)
        return made, OrderedDict(b=y, a=extra["k"][1]), [], (), {"z": None, 3: [y]}

    def argument(value: float) -> tuple[Any, Any, Any]:
        layers = [Layer(np.full(2, value), value), Layer(np.ones(2), 0.5)]
        return Model(layers, value), OrderedDict(k=(value, 2.0), none=None), np.arange(2.0)

    exe = pg.compile(pg.trace(f, *argument(1.0)))
    calls = []

    def general(*args: Any, **named: Any) -> str:
        calls.append(args)
        return "general"

    call = exe.fast_call(general)
    for value in (1.0, 3.0):
        model, ordered, empty, nothing, mapping = call(*argument(value))
        y = np.tanh(np.arange(2.0) * value + value) + 0.5 + value
        np.testing.assert_allclose(model.layers[0].w, y)
        assert type(model) is Model
        assert (model.scale, model.nothing, model.kind) == (2.0 * value, None, "tanh")
        assert list(ordered) == ["b", "a"]
        assert ordered["a"] == 2.0
        assert (empty, nothing, mapping["z"]) == ([], (), None)
        np.testing.assert_allclose(mapping[3][0], y)
    assert not calls
    for change in (
        lambda m, e, x: (m, dict(e), x),
        lambda m, e, x: (m, OrderedDict(k=e["k"]), x),
        lambda m, e, x: (m, OrderedDict(k=list(e["k"]), none=None), x),
        lambda m, e, x: (m, OrderedDict(k=e["k"], none=1.0), x),
        lambda m, e, x: (m, OrderedDict(k=e["k"], other=None), x),
        lambda m, e, x: (Model(tuple(m.layers), 1.0), e, x),
        lambda m, e, x: (Model(m.layers, 1.0, kind="relu"), e, x),
        lambda m, e, x: (Model(m.layers, np.ones(1)), e, x),
        lambda m, e, x: (Model([tuple(layer) for layer in m.layers], 1.0), e, x),
        lambda m, e, x: (m, e),
        lambda m, e, x: (m, e, x, x),
        lambda m, e, x: (m, e, [0.0, 1.0]),
    ):
        assert call(*change(*argument(1.0))) == "general"
    assert len(calls) == 12


def test_arrays_that_were_pickled_are_taken_by_the_written_call_path() -> None:
    def refused(*args: Any) -> None:
        raise AssertionError("the written call path did not take them")

    large = np.ones(STAGE_BYTES)
    exe = pg.compile(pg.trace(lambda x, y, z: (x * 2.0, y + 1.0, np.sum(z)), np.arange(3.0), np.array(1.0), large))
    again = pickle.loads(pickle.dumps((np.arange(3.0), np.array(1.0), large)))
    assert again[0].dtype is not np.dtype(float)  # an equal dtype, which is another object
    x, y, z = exe.fast_call(refused)(*again)
    assert (x.tolist(), y, z) == ([0.0, 2.0, 4.0], 2.0, STAGE_BYTES)
    swapped = np.arange(3.0).astype(">f8")
    with pytest.raises(AssertionError, match="did not take"):
        exe.fast_call(refused)(swapped, *again[1:])


def test_graphs_without_inputs_or_outputs() -> None:
    assert pg.compile(pg.Graph([], np.float64(3.0)))() == 3.0
    x = pg.var("x", (2,))
    assert pg.compile(pg.Graph([x], ()))(np.zeros(2)) == ()
    np.testing.assert_array_equal(pg.compile(pg.Graph([x], [np.ones(2), 4]))(np.zeros(2))[0], np.ones(2))


def test_more_ports_than_the_written_call_path_takes() -> None:
    xs = [pg.var(f"x{i}", (2,)) for i in range(MAX_PORTS + 5)]
    exe = pg.compile(pg.Graph(xs, [2.0 * x for x in xs]))
    data = [np.full(2, float(i)) for i in range(len(xs))]
    for i, result in enumerate(exe(*data)):
        np.testing.assert_array_equal(result, np.full(2, 2.0 * i))


@pytest.mark.parametrize("n", [SMALL, LARGE])
def test_out_takes_the_result(n: int) -> None:
    exe, data, out = affine(n), np.arange(float(n)), np.full(n, np.nan)
    assert exe(data, out=out) is out
    np.testing.assert_array_equal(out, 2.0 * data + 1.0)


@pytest.mark.parametrize("n", [SMALL, LARGE])
def test_out_may_be_an_input(n: int) -> None:
    x, y = pg.var("x", (n,)), pg.var("y", (n,))
    exe = pg.compile(pg.Graph([x, y], (y[::-1] + x, x * 2.0)))
    a, b = np.arange(float(n)), np.arange(float(n)) ** 2
    expected = b[::-1] + a, a * 2.0
    exe(a, b, out=(b, a))
    np.testing.assert_array_equal(b, expected[0])
    np.testing.assert_array_equal(a, expected[1])


def test_out_may_overlap_an_input_partly() -> None:
    base = np.arange(float(LARGE + 1))
    expected = 2.0 * base[:-1] + 1.0
    affine(LARGE)(base[:-1], out=base[1:])
    np.testing.assert_array_equal(base[1:], expected)


def test_out_in_the_output_tree() -> None:
    x = pg.var("x", (3,))
    exe = pg.compile(pg.Graph([x], {"a": x.sum(), "b": [x * 2.0]}))
    out = {"a": np.zeros(()), "b": [np.zeros(3)]}
    assert exe(np.ones(3), out=out) is out
    assert out["a"] == 3.0
    np.testing.assert_array_equal(out["b"][0], np.full(3, 2.0))


def test_out_of_integers_and_bools() -> None:
    x = pg.var("x", (4,), "int32")
    exe = pg.compile(pg.Graph([x], (x * 2, x > 1)))
    out = (np.zeros(4, "int32"), np.zeros(4, bool))
    exe(np.arange(4, dtype="int32"), out=out)
    np.testing.assert_array_equal(out[0], [0, 2, 4, 6])
    np.testing.assert_array_equal(out[1], [False, False, True, True])


@pytest.mark.parametrize("n", [SMALL, LARGE])
def test_a_run_that_fails_leaves_out_as_it_was(n: int) -> None:
    x, i = pg.var("x", (n,)), pg.var("i", (n,), "int64")
    exe = pg.compile(pg.Graph([x, i], (x * 3.0, x[i])))
    out = (np.full(n, -1.0), np.full(n, -1.0))
    with pytest.raises(pg.IndexRangeError):
        exe(np.ones(n), np.full(n, n), out=out)
    np.testing.assert_array_equal(out, np.full((2, n), -1.0))
    exe(np.ones(n), np.zeros(n, "int64"), out=out)
    np.testing.assert_array_equal(out[0], np.full(n, 3.0))
    np.testing.assert_array_equal(out[1], np.ones(n))


def test_an_executable_may_be_called_while_it_is_called() -> None:
    """A finaliser or signal handler may call the same Executable between two steps of a call."""
    exe = affine(SMALL)
    inner: list[np.ndarray] = []

    class Calls(np.ndarray):
        def __array_finalize__(self, obj: Any) -> None:
            if len(inner) < 3:
                inner.append(exe(np.full(SMALL, 5.0)))

    outer = exe(np.arange(float(SMALL)).view(Calls))
    np.testing.assert_array_equal(outer, 2.0 * np.arange(float(SMALL)) + 1.0)
    assert inner
    for result in inner:
        np.testing.assert_array_equal(result, np.full(SMALL, 11.0))
