"""Operators and methods against NumPy: promotion over all dtypes, shapes, values."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph import ops
from pygraph.errors import DTypeError, ShapeError, TracedBoolError, TracedValueError, UnsupportedError
from pygraph.graph import Graph, Node, as_node, constant, var
from pygraph.graph.promotion import record
from pygraph.graph.reference import evaluate
from pygraph.ops.dtypes import DTYPES

NAMES = [dtype.name for dtype in DTYPES]
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "hypot": np.hypot,
    "arctan2": np.arctan2,
}
WEAK = [2, -3, 2.5, True]


def sample(dtype: str, shape: tuple[int, ...] = (4,)) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(7)
    values = rng.integers(1, 9, shape)
    return (values > 4) if dtype == "bool" else (values * (0.25 if dtype.startswith("f") else 1)).astype(dtype)


def run(outputs: Any, *pairs: tuple[Node, Any]) -> Any:
    return evaluate(Graph([node for node, _ in pairs], outputs), *(value for _, value in pairs))


def expected(f: Callable[..., Any], *operands: Any) -> Any:
    """NumPy's result, or None where it refuses or gives a dtype that graphs do not have."""
    try:
        with np.errstate(all="ignore"):
            result = f(*operands)
    except TypeError:
        return None
    return result if result.dtype in DTYPES else None


def agree(f: Callable[..., Any], nodes: tuple[Any, ...], values: tuple[Any, ...], symbol: str) -> None:
    wanted = expected(f, *values)
    if wanted is None:
        with pytest.raises((DTypeError, UnsupportedError), match=r"tracing|use"):
            f(*nodes)
        return
    result = f(*nodes)
    assert isinstance(result, Node)
    assert (result.shape, result.dtype) == (wanted.shape, wanted.dtype)
    pairs = [(node, value) for node, value in zip(nodes, values, strict=True) if isinstance(node, Node)]
    np.testing.assert_allclose(run(result, *pairs), wanted, rtol=1e-6)


@pytest.mark.parametrize("symbol", ARITHMETIC)
@pytest.mark.parametrize("left", NAMES)
@pytest.mark.parametrize("right", NAMES)
def test_two_expressions_are_promoted_as_in_numpy(symbol: str, left: str, right: str) -> None:
    a, b = sample(left), sample(right, (3, 4))
    agree(ARITHMETIC[symbol], (var("a", a.shape, left), var("b", b.shape, right)), (a, b), symbol)


@pytest.mark.parametrize("symbol", ARITHMETIC)
@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("number", WEAK)
def test_python_numbers_are_weak(symbol: str, dtype: str, number: Any) -> None:
    a = sample(dtype)
    node = var("a", a.shape, dtype)
    f = ARITHMETIC[symbol]
    agree(f, (node, number), (a, number), symbol)
    agree(f, (number, node), (number, a), symbol)


@pytest.mark.parametrize("symbol", ["+", "/", "<", "//", "maximum"])
@pytest.mark.parametrize("left", NAMES)
@pytest.mark.parametrize("right", NAMES)
def test_numpy_scalars_and_arrays_are_strong(symbol: str, left: str, right: str) -> None:
    a, b = sample(left), sample(right)
    node = var("a", a.shape, left)
    f = ARITHMETIC[symbol]
    agree(f, (node, b), (a, b), symbol)
    agree(f, (b, node), (b, a), symbol)
    agree(f, (node, b[0]), (a, b[0]), symbol)
    agree(f, (b[0], node), (b[0], a), symbol)


UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": operator.abs,
    "~": operator.invert,
    "sin": np.sin,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "sign": np.sign,
    "square": np.square,
    "floor": np.floor,
    "trunc": np.trunc,
    "rint": np.rint,
    "isnan": np.isnan,
    "logical_not": np.logical_not,
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "std": np.std,
    "max": np.max,
    "any": np.any,
    "all": np.all,
}


@pytest.mark.parametrize("name", [name for name in UNARY if name not in ("pos", "~", "floor", "trunc", "isnan")])
@pytest.mark.parametrize("dtype", NAMES)
def test_functions_of_one_operand_are_typed_as_in_numpy(name: str, dtype: str) -> None:
    a = sample(dtype)
    agree(UNARY[name], (var("a", a.shape, dtype),), (a,), name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["floor", "trunc", "isnan"])
def test_rounding_and_tests_of_floats(name: str, dtype: str) -> None:
    a = sample(dtype)
    agree(UNARY[name], (var("a", a.shape, dtype),), (a,), name)


def test_plus_is_the_expression_itself() -> None:
    x = var("x", 3)
    assert +x is x
    assert np.positive(x) is x


def test_invert() -> None:
    b = var("b", 3, "bool")
    assert (~b).op.name == "logical_not"
    i = var("i", 3, "int64")
    assert run(~i, (i, np.array([0, 5, -7]))).tolist() == [-1, -6, 6]
    with pytest.raises(DTypeError, match=r"tracing invert: invert of floating numbers"):
        ~var("x", 3)


def test_bits_of_numbers_that_stand_for_python_numbers() -> None:
    """In a loop's carry they stay Python numbers, which take an array's type."""
    a = np.array([6, 5], np.int32)

    def steps(a: Any) -> Any:
        return pg.fori_loop(0, 4, lambda i, n: n << 1 ^ ~i & 3 | i >> 1, 5), a & pg.fori_loop(0, 2, lambda i, n: n, 4)

    found, masked = pg.compile(steps)(a)
    wanted = 5
    for i in range(4):
        wanted = wanted << 1 ^ ~i & 3 | i >> 1
    assert found == wanted
    assert masked.dtype == np.int32
    assert masked.tolist() == [4, 4]


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_integer_powers_fail_at_run_time(dtype: str) -> None:
    f = pg.compile(lambda x, n: x**n + 1)
    x, n = np.array([[2], [-3]], dtype), np.array([3, 0, 41], dtype)
    assert f(x, n).tolist() == (x**n + 1).tolist()
    with pytest.raises(pg.DomainError, match=r"running .*power : \w+\[6\]: an integer to the power -2, which"):
        f(x, np.array([1, -2, 0], dtype))
    assert f(x, n).tolist() == (x**n + 1).tolist()
    with pytest.raises(pg.DomainError, match=r"integers to the power array"):
        pg.power(x, np.array([1, -1], dtype))
    with pytest.raises(pg.DomainError, match=r"tracing power: integers to the power -1"):
        var("x", 3, dtype) ** -1
    batched = pg.vmap(lambda x, n: x**n, in_axes=(0, None))
    assert batched(x[:, 0], n).tolist() == (x**n).tolist()


def test_reflected_operators_keep_their_order() -> None:
    x = var("x")
    value = np.float64(3.0)
    for f in (operator.sub, operator.truediv, operator.floordiv, operator.mod, operator.pow, operator.lt):
        for left in (7.0, np.float64(7.0), np.array(7.0)):
            assert run(f(left, x), (x, value)) == f(7.0, 3.0)
    a = np.arange(6.0).reshape(2, 3)
    y = var("y", (3, 2))
    assert run(a @ y, (y, a.T)).tolist() == (a @ a.T).tolist()
    assert run(y @ a, (y, a.T)).tolist() == (a.T @ a).tolist()
    quotient, rest = divmod(x, 2.0)
    assert (run(quotient, (x, value)), run(rest, (x, value))) == (1.0, 1.0)
    quotient, rest = divmod(7.0, x)
    assert (run(quotient, (x, value)), run(rest, (x, value))) == (2.0, 1.0)


def test_power() -> None:
    x = var("x", 3)
    a = np.array([1.0, 2.0, 3.0])
    for exponent in (2, 3, -1, 0.5, 1.5, 0):
        np.testing.assert_allclose(run(x**exponent, (x, a)), a**exponent)
    np.testing.assert_allclose(run(2.0**x, (x, a)), 2.0**a)


def test_rebinding_works_and_leaves_the_operand_alone() -> None:
    x = var("x", 3)
    y = x
    y += 1.0
    y *= 2.0
    assert x.op.name == "input"
    assert run(y, (x, np.arange(3.0))).tolist() == [2.0, 4.0, 6.0]


def test_writing_into_an_array_is_refused() -> None:
    x, a = var("x", 3), np.zeros(3)
    with pytest.raises(UnsupportedError, match=r"argument 'out' of numpy.add .*\n.*\n.*\n  do: .*a = a \+ x"):
        a += x  # type: ignore[misc]


def test_numbers_that_do_not_fit() -> None:
    i = var("i", 3, "int32")
    with pytest.raises(DTypeError, match="5000000000 does not fit in int32"):
        i + 5_000_000_000
    with pytest.raises(DTypeError, match="does not fit in int64"):
        var("j", 3, "int64") + 2**63
    assert (var("x", (), "float64") + 2**70).dtype == np.float64
    with pytest.raises(DTypeError, match="does not fit"):
        var("x") + 10**400
    assert (var("x", (), "float32") * 1e300).inputs[1].attrs["value"].value == np.float32(np.inf)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.float16(1), "dtype float16 is not supported"),
        (1j, "dtype complex128 is not supported"),
        (np.complex64(1), "dtype complex64 is not supported"),
        (np.uint8(1), "dtype uint8 is not supported"),
        ("text", "'text' is not a number"),
        (None, "None is not a number"),
        (object(), "an object is not a number"),
        (math.sin, "a builtin_function_or_method is not a number"),
        (np.array("a"), "a ndarray of dtype <U1 is not a number"),
    ],
)
def test_other_dtypes_are_refused_by_name(value: Any, said: str) -> None:
    x = var("x")
    for f, name in ((operator.add, "add"), (operator.mul, "multiply"), (np.maximum, "maximum")):
        with pytest.raises(DTypeError, match=rf"tracing {name}: {said}\n  operands: float64, [\s\S]*\n  do: "):
            f(x, value)


def test_other_byte_orders_are_converted() -> None:
    assert constant(np.arange(3.0).astype(">f8")) is constant(np.arange(3.0))


def test_masked_arrays_and_lists_of_expressions_are_refused() -> None:
    x = var("x", 2)
    with pytest.raises(UnsupportedError, match="masked arrays are not supported"):
        as_node(np.ma.masked_array([1.0, 2.0], [True, False]))
    with pytest.raises(UnsupportedError, match=r"a list of expressions is not an array[\s\S]*np.stack"):
        operator.add(x, [x, x])
    with pytest.raises(ShapeError, match="is not like an array"):
        as_node([[1.0], [1.0, 2.0]])
    assert operator.add(x, [1, 2]).inputs[1].dtype == np.float64


def test_shapes_that_do_not_broadcast() -> None:
    a, b = var("a", (3,)), var("b", (2,), "float32")
    with pytest.raises(ShapeError) as error:
        a + b
    text = str(error.value)
    assert "tracing add: " in text
    assert "(3,) and (2,)" in text
    assert "operands: float64[3], float64[2]" in text
    assert "at: test_operators.py:" in text
    assert ": a + b" in text
    assert "do: " in text


def test_form() -> None:
    x = var("x", (2, 3), "float32")
    assert (x.ndim, x.size, len(x), x.shape, x.dtype) == (2, 6, 2, (2, 3), np.float32)
    assert x.T.shape == (3, 2)
    assert [row.shape for row in x] == [(3,), (3,)]
    first, second = x
    assert first is x[0]
    assert second is x[1]
    with pytest.raises(ShapeError, match="a scalar has no length"):
        len(var("s"))
    with pytest.raises(ShapeError, match="a scalar has no elements"):
        list(var("s"))


METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(axis=1),
    "prod": lambda x: x.prod(axis=(0, 2)),
    "mean": lambda x: x.mean(keepdims=True),
    "var": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: x.std(axis=-1),
    "max": lambda x: x.max(axis=0),
    "min": lambda x: x.min(),
    "any": lambda x: (x > 3).any(axis=1),
    "all": lambda x: (x > 0).all(axis=0, keepdims=True),
    "reshape": lambda x: x.reshape(4, -1),
    "reshape tuple": lambda x: x.reshape((3, 8)),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: x.transpose(),
    "transpose axes": lambda x: x.transpose(2, 0, 1),
    "transpose tuple": lambda x: x.transpose((1, 0, 2)),
    "T": lambda x: x.T,
    "swapaxes": lambda x: x.swapaxes(0, -1),
    "squeeze": lambda x: x[:, :1].squeeze(1),
    "dot": lambda x: x[0].dot(x[1].T),
    "astype": lambda x: x.astype("int32"),
    "clip": lambda x: x.clip(2.0, 4.0),
    "copy": lambda x: x.copy(),
    "round": lambda x: x.round(),
    "index": lambda x: x[1, ..., ::-1],
    "newaxis": lambda x: x[:, None, -1, 1:3],
    "take": lambda x: x[:, np.array([0, 2, -1])],
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_with_numpy(name: str) -> None:
    a = np.random.default_rng(1).uniform(0.5, 5.0, (2, 3, 4))
    x = var("x", a.shape)
    wanted = METHODS[name](a)
    result = METHODS[name](x)
    assert (result.shape, result.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(run(result, (x, a)), wanted)


def test_at() -> None:
    a = np.arange(4.0)
    x = var("x", 4)
    assert run(x.at[1].set(9.0), (x, a)).tolist() == [0.0, 9.0, 2.0, 3.0]
    assert run(x.at[1:3].add(1.0), (x, a)).tolist() == [0.0, 2.0, 3.0, 3.0]
    assert run(x.at[np.array([0, 0])].add(1.0), (x, a)).tolist() == [2.0, 1.0, 2.0, 3.0]
    with pytest.raises(UnsupportedError, match=r"use x = x\.at\[i\]\.set\(v\)"):
        x[0] = 1.0
    with pytest.raises(UnsupportedError, match=r"x\.at\[i\]\.set\(v\)"):
        x[0] += 1.0


def test_astype_to_its_own_dtype_is_itself() -> None:
    x = var("x", 3)
    assert x.astype(float) is x
    with pytest.raises(DTypeError, match="float16"):
        x.astype("float16")


ASKED: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "float": float,
    "int": int,
    "index": operator.index,
    "complex": complex,
    "np.asarray": np.asarray,
    "item": lambda x: x.item(),
    "tolist": lambda x: x.tolist(),
}


@pytest.mark.parametrize("asked", ASKED)
def test_an_expression_has_no_value(asked: str) -> None:
    x = var("x")
    with pytest.raises(
        TracedValueError, match=rf"^tracing {re.escape(asked)}\(\): <x : float64> has no value"
    ) as error:
        ASKED[asked](x)
    assert isinstance(error.value, TracedBoolError) is (asked == "bool")
    assert "at: test_operators.py:" in str(error.value)


def branch(x: Any) -> Any:
    if x > 0:
        return x
    return -x


def test_if_and_chains_name_the_line_and_the_cure() -> None:
    x = var("x")
    with pytest.raises(TracedBoolError, match=r"at: test_operators.py:\d+: if x > 0:"):
        branch(x)
    with pytest.raises(TracedBoolError, match=r"write a < x < b as \(a < x\) & \(x < b\)"):
        0 < x < 1  # noqa: B015
    with pytest.raises(TracedBoolError, match=r"np\.any\(x == v\)"):
        x in [1.0]  # noqa: B015


def test_plain_arrays_are_evaluated_at_once() -> None:
    result = record(ops.add, (np.arange(3), 0.5), {})
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [0.5, 1.5, 2.5]
    assert ops.add(np.float32(1), 1).dtype == np.float32
    with pytest.raises(ShapeError, match="operands: float64"):
        ops.add(np.zeros(2), np.zeros(3))


def test_repr_is_short() -> None:
    x = var("x", (100, 3))
    assert repr(x) == "<x : float64[100, 3]>"
    assert repr(np.sin(x)) == "<sin : float64[100, 3]>"
    assert repr(constant(2.0)) == "<2.0 : float64>"
    assert repr(constant(np.arange(100.0))) == "<[0.0, 1.0, ..., 98.0, 99.0] : float64[100]>"


def test_advice_fits_what_was_asked() -> None:
    x, n = pg.var("x"), pg.var("n", (), "int64")
    with pytest.raises(pg.TracedValueError, match=r"np.sin for math.sin"):
        math.sin(x)
    for use in (range, bool, operator.index):
        with pytest.raises(pg.TracedValueError, match=r"functools.partial"):
            use(n)
    with pytest.raises(pg.UnsupportedError, match=r"write x.at\[i\].set\(v\)"):
        x.at.set(2.0)
    with pytest.raises(pg.UnsupportedError, match=r"an index is missing"):
        x.at.add(2.0)
    with pytest.raises(pg.DTypeError, match="bools have no decimals"):
        np.round(pg.var("b", (), "bool"), -1)


def test_methods_that_read_elements_in_an_order() -> None:
    x, values = var("x", (2, 3)), np.arange(6.0).reshape(2, 3)
    for method in (
        lambda a: a.reshape(3, 2, order="F"),
        lambda a: a.reshape((3, -1), order="F"),
        lambda a: a.reshape(3, 2, order="C"),
        lambda a: a.ravel("F"),
        lambda a: a.flatten(order="F"),
        lambda a: np.reshape(a, (6,), order="F"),
    ):
        np.testing.assert_array_equal(evaluate(Graph([x], method(x)), values), method(values))


def test_attributes_that_are_loaded_later_or_missing() -> None:
    x = var("x", (3,))
    assert "__getattr__" not in dir(Node), "with it Python reads every attribute of a node slowly"
    assert {"cumsum", "reshape", "shape"} <= set(dir(x))
    assert not {"softplus", "grad", "tofile"} & set(dir(x))
    assert x.cumsum() is np.cumsum(x)
    assert {"sort", "fill"} <= set(dir(x.copy())) - set(dir(x))
    assert not hasattr(x, "tofile")
    assert not hasattr(Node, "tofile")
    assert not hasattr(Node, "cumsum")
    with pytest.raises(UnsupportedError, match=r"expressions have no .softplus\n(.*\n)*.*write pg.softplus\(x"):
        _ = x.softplus
    with pytest.raises(AttributeError, match="no attribute 'reshpae'"):
        _ = x.reshpae
    several = next(
        node for node in pg.trace(lambda x: pg.fori_loop(0, 3, lambda i, c: c + i, x), 1.0).nodes if node.results
    )
    for name in ("shape", "dtype"):
        with pytest.raises(AttributeError, match=f"has several results, and no {name} of its own"):
            getattr(several, name)
