"""Public functions against NumPy: on arrays, and recorded and run in C; arguments, promotion and errors as NumPy's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers import assert_close, run_flat
from mpmath import mp
from samples import array, edge_values, rng_for

import pygraph as pg
from pygraph import ops
from pygraph.errors import DTypeError, ShapeError, UnsupportedError
from pygraph.graph import Graph, var, walk
from pygraph.ops.dtypes import DTYPES

Function = Callable[..., Any]


def check(function: Function, numpy: Function, arrays: list[Any], ulps: float = 8.0) -> None:
    """A function of arrays has NumPy's value, dtype and shape: called on arrays, and recorded and run in C."""
    with np.errstate(all="ignore"):
        wanted = np.asarray(numpy(*arrays))
    variables = [var(f"x{i}", x.shape, x.dtype) for i, x in enumerate(arrays)]
    what = f"on {[f'{x.dtype}{x.shape}' for x in arrays]}"
    assert_close(np.asarray(function(*arrays)), wanted, ulps, f"{what}, eagerly", 1.0, signs=False)
    assert_close(run_flat(Graph(variables, function(*variables)), arrays)[0], wanted, ulps, f"{what}, in C", 1.0, False)


# --- promotion -------------------------------------------------------------------------------------------------------

BINARY = ("add", "multiply", "divide", "maximum", "minimum", "equal", "less", "greater_equal", "logical_and")


@pytest.mark.parametrize("name", BINARY)
def test_promotion_of_every_pair(name: str) -> None:
    for left, right in itertools.product(DTYPES, repeat=2):
        rng = rng_for(name, left, right)
        arrays = [array(rng, (7,), left), array(rng, (7,), right, 1.0, 3.0)]
        check(getattr(ops, name), getattr(np, name), arrays)


@pytest.mark.parametrize("name", ["add", "multiply", "divide", "power", "maximum", "less"])
@pytest.mark.parametrize("number", [True, 2, 2.5], ids=repr)
def test_python_numbers_are_weak(name: str, number: Any) -> None:
    for dtype in DTYPES:
        x = array(rng_for(name, dtype), (5,), dtype, 1.0, 3.0)
        wanted = np.asarray(getattr(np, name)(x, number))
        if name == "power" and wanted.dtype == np.int8:  # as int32
            check(lambda a: ops.power(a, number), lambda a: np.power(a.astype("int32"), np.int32(number)), [x])
        elif wanted.dtype not in DTYPES:
            with pytest.raises((DTypeError, UnsupportedError)):
                getattr(ops, name)(var("x", (5,), dtype), number)
        else:
            check(lambda a: getattr(ops, name)(a, number), lambda a: getattr(np, name)(a, number), [x])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 0.5, -1.0, 1.7])
def test_constant_powers(dtype: str, exponent: float) -> None:
    x = array(rng_for(dtype), (9,), np.dtype(dtype), 1.0, 4.0)
    check(lambda a: a**exponent, lambda a: a**exponent, [x])


#: Multiples of 1/2, which are multiplied out, those beyond them, others, and special ones.
EXPONENTS = [*(k / 2 for k in range(-9, 10)), 16.0, -16.0, 15.5, 17.0, -17.0, 0.3, -2.3, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_powers_at_edges(dtype: str) -> None:
    """Signed zeros, infinities and nan of every exponent are NumPy's, constant or an operand."""
    x = np.array(edge_values(np.dtype(dtype)), dtype)
    v, y = var("x", x.shape, dtype), var("y", (), dtype)
    found = run_flat(Graph([v], tuple(v**exponent for exponent in EXPONENTS)), [x])
    for exponent, constant in zip(EXPONENTS, found, strict=True):
        operand = run_flat(Graph([v, y], v**y), [x, np.array(exponent, dtype)])[0]
        with np.errstate(all="ignore"):
            wanted = np.power(x, np.full(x.shape, exponent, dtype))  # a full array: of one number NumPy takes a root
            root = np.sqrt(x)
        assert_close(operand, wanted, 8.0, f"** {exponent}, an operand")
        assert_close(constant, root if exponent == 0.5 else wanted, 40.0, f"** {exponent}")


def test_one_exponent_has_many_spellings() -> None:
    x = var("x", (3,), "float64")
    for exponent in (2, -1, 0.5, 3, -1.5):
        spellings = [exponent, float(exponent), np.float64(exponent), np.array(float(exponent)), np.float32(exponent)]
        if exponent == int(exponent):
            spellings += [np.int64(exponent), np.int32(exponent)]
        assert all(x**spelling is x**exponent for spelling in spellings), exponent
    narrow = var("x", (3,), "float32")
    for exponent in (2, 2.0, np.float32(2), np.float64(2), np.int64(2), np.array(2.0), np.array(2)):
        assert (narrow**exponent).dtype == (np.ones(3, "float32") ** exponent).dtype


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_error_of_powers_by_products(dtype: str) -> None:
    """What the row states, against 200 bits."""
    x = np.exp(rng_for("products").uniform(-2, 2, 400)).astype(dtype)
    v = var("x", x.shape, dtype)
    exponents = [k / 2 for k in range(-32, 33) if k not in (0, 1)]
    unit = float(np.finfo(dtype).eps) / 2
    for exponent, found in zip(exponents, run_flat(Graph([v], tuple(v**e for e in exponents)), [x]), strict=True):
        stated = exponent + 1 if exponent > 0 else 2 * -exponent + 1
        with mp.workprec(200):
            errors = [
                abs(mp.mpf(float(got)) / mp.power(mp.mpf(float(base)), exponent) - 1)
                for got, base in zip(found, x, strict=True)
            ]
            assert max(errors) <= stated * unit * 1.01, exponent


def test_derivatives_of_powers_are_products() -> None:
    """No general power is left in any derivative of a power with a constant multiple of 1/2, and none is nan at 0."""
    at = np.array([0.0, 1.0, 2.0])
    for exponent in (3, 4.0, -3, 1.5, 2.5, -0.5):
        f: Function = lambda x, exponent=exponent: np.sum(x**exponent)  # noqa: E731
        for order in range(3):
            graph = pg.trace(f, at)
            assert "power" not in {node.op.name for node in walk(graph.outputs)}
            with np.errstate(all="ignore"):
                factor = np.prod([exponent - k for k in range(order)])
                wanted = np.sum(factor * at ** (exponent - order))
            np.testing.assert_allclose(pg.compile(f)(at), wanted, rtol=1e-14)
            slope = pg.grad(f)
            f = lambda x, slope=slope: np.sum(slope(x))  # noqa: E731


# --- reductions ------------------------------------------------------------------------------------------------------

REDUCTIONS = ("sum", "prod", "max", "min", "mean", "var", "std", "any", "all")
AXES = (None, 0, 1, -1, (0, 2), (1,), (0, 1, 2), ())


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name: str, keepdims: bool) -> None:
    for dtype in DTYPES:
        if dtype == np.bool_ and name in ("max", "min", "prod"):
            continue
        x = array(rng_for(name, dtype), (2, 3, 4), dtype)
        for axis in AXES:
            check(
                lambda a, axis=axis: getattr(ops, name)(a, axis=axis, keepdims=keepdims),
                lambda a, axis=axis: getattr(np, name)(a, axis=axis, keepdims=keepdims),
                [x],
                20.0,
            )


@pytest.mark.parametrize("name", ["sum", "prod", "any", "all"])
def test_reductions_of_nothing(name: str) -> None:
    x = np.zeros((0, 3))
    for axis in (None, 0, 1):
        check(
            lambda a, axis=axis: getattr(ops, name)(a, axis=axis),
            lambda a, axis=axis: getattr(np, name)(a, axis=axis),
            [x],
        )


@pytest.mark.parametrize("name", ["max", "min"])
def test_nothing_has_no_extreme(name: str) -> None:
    with pytest.raises(ShapeError, match="no elements"):
        getattr(ops, name)(var("x", (0, 3)), axis=0)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_axes_are_checked(name: str) -> None:
    x = var("x", (2, 3))
    for axis in (2, -3, (0, 0), (1, -1)):
        with pytest.raises(ShapeError, match="axis"):
            getattr(ops, name)(x, axis=axis)


# --- products --------------------------------------------------------------------------------------------------------

PRODUCTS = (
    ((4,), (4,)),
    ((4,), (4, 5)),
    ((3, 4), (4,)),
    ((3, 4), (4, 5)),
    ((4,), (2, 4, 5)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (6, 4, 2)),
    ((0, 4), (4, 5)),
    ((3, 0), (0,)),
    ((0,), (0,)),
    ((1, 1), (1,)),
)


@pytest.mark.parametrize(("left", "right"), PRODUCTS)
def test_matmul(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    for first, second in itertools.product(DTYPES, repeat=2):
        rng = rng_for(left, right, first, second)
        check(ops.matmul, np.matmul, [array(rng, left, first), array(rng, right, second)], 64.0)


@pytest.mark.parametrize(
    ("left", "right"), [*PRODUCTS[:4], ((), (3,)), ((2, 3), ()), ((2, 3, 4), (5, 4, 6)), ((4,), (5, 4, 6))]
)
def test_dot(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = rng_for(left, right)
    check(ops.dot, np.dot, [array(rng, left, DTYPES[0]), array(rng, right, DTYPES[0])], 64.0)


def test_products_of_turned_operands() -> None:
    """Transposed, reversed and sliced operands, of sizes at which BLAS takes over."""
    rng = rng_for("turned")
    x, y = rng.normal(size=(70, 33)), rng.normal(size=(70, 65))
    check(lambda a, b: a.T @ b, lambda a, b: a.T @ b, [x, y], 500.0)
    check(lambda a, b: a[::-1].T @ b[:, ::2], lambda a, b: a[::-1].T @ b[:, ::2], [x, y], 500.0)
    check(lambda a, b: b.T[:, ::-1] @ a[:, 3:], lambda a, b: b.T[:, ::-1] @ a[:, 3:], [x, y], 500.0)
    check(lambda a, b: (a.T @ b)[5] @ b.T, lambda a, b: (a.T @ b)[5] @ b.T, [x, y], 2000.0)


def test_shapes_of_products_are_checked() -> None:
    with pytest.raises(ShapeError, match="3 and 4"):
        ops.matmul(var("x", (2, 3)), var("y", (4, 5)))
    with pytest.raises(ShapeError, match="scalar"):
        ops.matmul(var("x", ()), var("y", (4, 5)))


# --- shape -----------------------------------------------------------------------------------------------------------

KEYS: tuple[Any, ...] = (
    0,
    -1,
    (1, 2),
    slice(None),
    (slice(1, 3), slice(None, None, -1)),
    (slice(None, None, -2), 1),
    (..., 0),
    (0, ..., slice(1, None)),
    (None, slice(None)),
    (slice(None), None, 2),
    (slice(5, 2),),
    ([2, 0, -1],),
    (slice(None), [0, 3, 3]),
    ([0, 1], [2, -1]),
    (np.array([[0, 1], [2, 0]]),),
    (1, [0, 2]),
    (slice(2, 0, -1), 1, None),
)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing(key: Any) -> None:
    for shape in ((3, 4), (3, 4, 2)):
        check(lambda a: a[key], lambda a: a[key], [array(rng_for(shape), shape, DTYPES[0])])


SHAPING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("reshape", {"shape": (-1, 6)}),
    ("reshape", {"shape": 24}),
    ("reshape", {"shape": (4, -1, 2), "order": "F"}),
    ("ravel", {}),
    ("ravel", {"order": "F"}),
    ("transpose", {}),
    ("transpose", {"axes": (1, -1, 0)}),
    ("moveaxis", {"source": 0, "destination": -1}),
    ("moveaxis", {"source": (0, 1), "destination": (2, 0)}),
    ("swapaxes", {"axis1": 0, "axis2": -1}),
    ("expand_dims", {"axis": (0, -1)}),
    ("squeeze", {}),
    ("broadcast_to", {"shape": (5, 2, 3, 4)}),
    ("flip", {}),
    ("flip", {"axis": (0, 2)}),
    ("clip", {"a_min": -1, "a_max": 1.5}),
    ("round", {"decimals": 1}),
    ("take", {"indices": [3, -1, 0]}),
    ("take", {"indices": [[1, 1], [0, -1]], "axis": 1}),
)


@pytest.mark.parametrize(("name", "arguments"), SHAPING)
def test_shaping(name: str, arguments: dict[str, Any]) -> None:
    """The same name and arguments as NumPy's; by keyword, which some NumPy versions do not take."""
    x = array(rng_for(name), (2, 3, 4), DTYPES[0])
    values = list(arguments.values())
    check(lambda a: getattr(ops, name)(a, **arguments), lambda a: getattr(np, name)(a, *values), [x])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joining(axis: int) -> None:
    rng = rng_for("joining")
    arrays = [array(rng, (2, 3), dtype) for dtype in (DTYPES[0], DTYPES[3], DTYPES[4])]
    check(lambda *xs: ops.concatenate(xs, axis), lambda *xs: np.concatenate(xs, axis), arrays)
    check(lambda *xs: ops.stack(xs, axis), lambda *xs: np.stack(xs, axis), arrays)


# --- statistics and activations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_softmax_and_its_kin(axis: Any) -> None:
    import scipy.special

    for scale in (1.0, 300.0):
        x = rng_for("softmax").normal(size=(3, 4)) * scale
        for name in ("softmax", "log_softmax", "logsumexp"):
            theirs, ours = getattr(scipy.special, name), getattr(ops, name)
            check(lambda a, f=ours: f(a, axis=axis), lambda a, f=theirs: f(a, axis=axis), [x], 500.0)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_softmax_and_its_kin_over_nothing(axis: Any) -> None:
    """The sum of no exponentials is 0, its logarithm -inf; shares of nothing are no shares."""
    x = np.zeros((0, 3))
    for dtype in ("float64", "float32"):
        v = var("x", (0, 3), dtype)
        slope = pg.grad(lambda a: np.sum(ops.logsumexp(a, axis)))(v)
        found = run_flat(Graph([v], (ops.logsumexp(v, axis=axis), slope)), [x.astype(dtype)])
        assert found[0].shape == np.sum(x, axis=axis).shape
        assert np.all(found[0] == -np.inf)
        assert found[1].shape == (0, 3)
        for function in (ops.softmax, ops.log_softmax):
            check(lambda a, f=function: f(a, axis=axis), lambda a: a, [x.astype(dtype)])


@pytest.mark.parametrize("x", [2.5, 3, np.float32(2.5), np.int32(3)], ids=repr)
def test_clip_promotes_a_number_as_an_array(x: Any) -> None:
    for low, high in ((np.float32(1), np.float32(2)), (np.int32(1), np.int32(2)), (1.0, 2), (1, None), (None, 2.5)):
        bounds = [b for b in (low, high) if isinstance(b, np.generic)]
        variables = [var(f"b{i}", (), b.dtype) for i, b in enumerate(bounds)]
        given = iter(variables)
        found = ops.clip(x, *(next(given) if isinstance(b, np.generic) else b for b in (low, high)))
        wanted = np.clip(x, low, high)
        assert (np.asarray(found) if not variables else found).dtype == wanted.dtype
        if variables:
            assert run_flat(Graph(variables, found), bounds)[0] == wanted


def test_activations_at_special_values() -> None:
    x = np.array([-np.inf, -1e300, -800.0, -1.0, -0.0, 0.0, 1e-300, 1.0, 800.0, np.inf])
    check(ops.relu, lambda a: np.maximum(a, 0.0), [x])
    check(ops.softplus, lambda a: np.logaddexp(a, 0.0), [x])
    check(ops.elu, lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))), [x])
    check(ops.leaky_relu, lambda a: np.where(a < 0, 0.01 * a, a), [x])
    check(lambda a: ops.where(a > 0, a, -a), lambda a: np.where(a > 0, a, -a), [x])
    for name in ("isfinite", "isinf", "isnan", "sign", "floor", "ceil", "trunc", "rint"):
        check(getattr(ops, name), getattr(np, name), [x])
