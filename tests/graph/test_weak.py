"""Python numbers as arguments: promoted in a trace as NumPy promotes them outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg

F32 = np.ones(2, "float32")
I32 = np.arange(1, 3, dtype="int32")

FUNCTIONS: list[Callable[[Any, Any], Any]] = [
    lambda x, s: x * s,
    lambda x, s: s - x,
    lambda x, s: x * (s + 1),
    lambda x, s: x * (2 * s - s / 3 + abs(-s) % 4 // 1),
    lambda x, s: x + s**2,
    lambda x, s: x + (s > 0),
    lambda x, s: x * ((s > 0) + (s >= 1)),
    lambda x, s: x * np.float32(2) * s,
    lambda x, s: x * np.multiply(s, 2),
    lambda x, s: x + np.sin(s + 0.0),
    lambda x, s: np.maximum(x, s),
    lambda x, s: np.where(x > 0, x, s),
    lambda x, s: [x * part for part in divmod(s, 2)],
    lambda x, s: s * 2,
    lambda x, s: (x, [s, s + 1.5]),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "number", [True, 3, 2.5, np.float64(2.5), np.float32(2.5), np.array(2.5), np.int32(3)], ids=repr
)
@pytest.mark.parametrize("x", [F32, I32], ids=["float32", "int32"])
def test_values_and_dtypes_are_those_of_numpy(function: Callable[[Any, Any], Any], number: Any, x: Any) -> None:
    compiled = pg.compile(function)
    leaves = lambda y: [y] if not isinstance(y, (tuple, list)) else [leaf for part in y for leaf in leaves(part)]  # noqa: E731
    expected = [np.asarray(leaf) for leaf in leaves(function(x, number))]
    for _ in range(2):  # the first call traces, the second takes the written path
        for found, wanted in zip(leaves(compiled(x, number)), expected, strict=True):
            assert found.dtype == wanted.dtype
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_each_kind_of_number_has_its_signature() -> None:
    f = pg.compile(lambda x, s: x * s)
    for _ in range(3):
        for number, dtype in [
            (2.0, "float32"),
            (np.float64(2.0), "float64"),
            (np.array(2.0), "float64"),
            (2, "float32"),
        ]:
            assert f(F32, number).dtype == dtype
    assert len(f.executables) == 3
    with pytest.raises(pg.GraphError):
        f(F32, 2**70)


def test_derivatives_have_the_dtype_of_the_number() -> None:
    value, gradient = pg.value_and_grad(lambda x, s: pg.sum(x * s), argnums=(0, 1))(F32, 2.0)
    assert value.dtype == np.float32
    assert gradient[1].dtype == np.float64
    assert gradient[1] == 2.0
    assert gradient[0].dtype == np.float32
    exe = pg.compile(pg.trace(lambda x, s: np.sum(x * s), F32, 2.0), wrt=["s"])
    assert exe.forward(F32, 2.0).dtype == np.float32
    (only,) = exe.reverse()
    assert (only.dtype, only) == (np.float64, 2.0)


def test_integer_to_negative_integer_is_a_float_as_in_python() -> None:
    assert pg.compile(lambda n: n**-1)(2) == 0.5


def test_weak_numbers_in_a_loop() -> None:
    def loop(x: Any, s: float) -> Any:
        return pg.scan(lambda c, _: (c * s, c), x, None, length=3)

    last, stacked = pg.compile(loop)(F32, 2.0)
    assert last.dtype == stacked.dtype == np.float32
    np.testing.assert_array_equal(last, 8 * F32)
    total, _ = pg.compile(lambda xs, start: pg.scan(lambda c, x: (c + x, None), start, xs))(F32, 0)
    assert total.dtype == np.float32


def test_converting_ends_weakness() -> None:
    assert pg.compile(lambda x, s: x * s.astype("float64"))(F32, 2.0).dtype == np.float64


def test_a_weak_expression_inlines_into_a_compiled_function() -> None:
    inner = pg.compile(lambda x, s: x * s)
    assert pg.compile(lambda x, s: inner(x, s + 1))(F32, 2.0).dtype == np.float32


def test_branches_and_loops_of_run_time_length_keep_numbers_weak() -> None:
    def f(x: Any, s: float) -> Any:
        chosen = pg.cond(s > 1.0, lambda x, s: x * s, lambda x, s: x, x, s)
        _, last = pg.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * s), (0, x))
        return chosen, last

    chosen, last = pg.compile(f)(F32, 2.0)
    assert chosen.dtype == last.dtype == np.float32
    np.testing.assert_array_equal(last, 8 * F32)


#: Of a float32 array and a Python number: what control flow makes of the number is still one.
CONTROL: dict[str, Callable[[Any, Any], Any]] = {
    "fori_loop": lambda x, s: pg.fori_loop(0, 2, lambda i, q: q * 0.6, s) * x,
    "fori_loop to a traced bound": lambda x, s: pg.fori_loop(0, pg.astype(x[0], "int64"), lambda i, q: q * 0.6, s) * x,
    "fori_loop from a literal": lambda x, s: pg.fori_loop(0, 2, lambda i, q: q * s * 0.5, 1.0) * x,
    "while_loop": lambda x, s: pg.while_loop(lambda q: q < 10.0, lambda q: q * 2, s) * x,
    "while_loop from a literal": lambda x, s: pg.while_loop(lambda q: q < 10, lambda q: q * 2, 1) * x,
    "scan": lambda x, s: pg.scan(lambda q, _: (q * 0.5, q), s, None, 3)[0] * x,
    "scan from an int that becomes a float": lambda x, s: pg.scan(lambda q, _: (q * 0.5, q), 1, None, 3)[0] * x,
    "scan that widens one number by another": lambda x, s: (
        pg.scan(lambda q, _: ((q[0] * 0.5, q[1] + q[0]), None), (1, s), None, 3)[0][1] * x
    ),
    "scan that hands an array on": lambda x, s: (
        pg.scan(lambda q, y: ((q[1], q[2], q[2] + y), None), (0, s, 0), x)[0][0] * x
    ),
    "cond": lambda x, s: pg.cond(x[0] > 0, lambda q: q * 0.5, lambda q: q, s) * x,
    "cond of literals": lambda x, s: pg.cond(x[0] > 0, lambda: 1.0, lambda: 2) * x,
    "cond of numbers alone": lambda x, s: pg.cond(True, lambda q: q * 2, lambda q: q, 1.5) * x,
    "switch": lambda x, s: pg.switch(pg.astype(x[0], "int64"), [lambda q: q * 2, lambda q: q], s) * x,
    "map": lambda x, s: pg.map(lambda y: y * pg.cond(y > 0, lambda: s, lambda: 1.0), x),
    "associative_scan": lambda x, s: pg.associative_scan(lambda a, b: a * b * s, x),
    "nested": lambda x, s: (
        pg.fori_loop(
            0,
            2,
            lambda i, q: pg.cond(
                q > 1.0, lambda q: q * 0.5, lambda q: pg.while_loop(lambda r: r < 3, lambda r: r * 2, q), q
            ),
            s,
        )
        * x
    ),
}


@pytest.mark.parametrize("name", CONTROL)
def test_numbers_stay_numbers_through_control_flow(name: str) -> None:
    f = CONTROL[name]
    outside = f(F32, 1.5)
    found = pg.compile(f)(F32, 1.5)
    assert found.dtype == outside.dtype == np.float32
    np.testing.assert_allclose(found, outside, rtol=1e-6)
    assert pg.grad(lambda x: pg.sum(f(x, 1.5)))(F32).dtype == np.float32
    if name in ("fori_loop", "while_loop", "cond", "switch", "nested"):
        assert pg.compile(f)(F32, np.float64(1.5)).dtype == f(F32, np.float64(1.5)).dtype == np.float64


def test_a_loop_over_numbers_alone_gives_a_number() -> None:
    assert type(pg.while_loop(lambda v: v < 100.0, lambda v: v * v, 3.0)) is float
    assert type(pg.cond(True, lambda: 1, lambda: 2)) is int
    assert type(pg.fori_loop(0, 3, lambda i, v: v * 2.0, np.float64(1.0))) is np.float64
    assert type(pg.scan(lambda c, x: (c + x, c), 0.0, F32)[0]) is np.float32


def test_a_body_is_called_once_where_its_carry_keeps_its_types() -> None:
    calls = []
    for start in (1.0, np.float64(1.0)):
        pg.scan(lambda c, _: (calls.append(1) or c * 0.5, None), start, None, 3)  # type: ignore[func-returns-value]
        assert len(calls) == 1
        calls.clear()
