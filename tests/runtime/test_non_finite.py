"""The report of `check_finite=True`: operands, cause, cure, and in sweeps the operation that was differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.errors import COLUMNS

ZERO = np.array([1.0, 0.0])


def report(f: Callable[..., Any], *args: Any) -> pg.NonFiniteError:
    with pytest.raises(pg.NonFiniteError) as caught:
        pg.compile(f, check_finite=True)(*args)
    error = caught.value
    assert max(map(len, str(error).splitlines())) <= COLUMNS
    assert error.line is not None
    assert error.line.file == __file__
    assert "this is the first operation that made inf or nan" in error.problem
    return error


def log(x: Any) -> Any:
    return np.sum(x * np.log(x))


def divide(x: Any, y: Any) -> Any:
    return x / y


def root(x: Any) -> Any:
    y = np.sqrt(x)
    return np.sum(y * y)


def untaken(x: Any) -> Any:
    return np.sum(np.where(x > 0.0, 2.0 * np.log(x), 0.0))


def inverse_sine(x: Any) -> Any:
    return np.arcsin(x)


def in_a_loop(x: Any) -> Any:
    return pg.scan(lambda c, _: (np.log(c), c), x, None, length=4)[0]


def in_a_while_loop(x: Any) -> Any:
    return pg.while_loop(lambda c: c > 0.1, lambda c: np.sqrt(c - 1.0), x)


def in_a_branch(x: Any) -> Any:
    return pg.cond(x > 0.0, lambda x: np.log(x - 1.0), lambda x: x, x)


REPORTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...], tuple[str, ...]]] = {
    "log of 0": (
        log,
        (ZERO,),
        ("log(x) is -inf at [1], where x = 0.0", "finite where x > 0", "np.where(x > 0, x, 1.0)", "pg.logsumexp"),
    ),
    "division by 0": (
        divide,
        (np.ones((2, 2)), ZERO),
        ("x / y is inf at [0, 1], where x = 1.0, y = 0.0", "finite where y != 0", "np.where(y != 0, y, 1.0)"),
    ),
    "0 / 0": (divide, (0.0, 0.0), ("x / y is nan, where x = 0.0, y = 0.0",)),
    "overflow": (
        lambda x: np.exp(x),
        (np.float32(100.0),),
        ("exp(x) is inf", "largest float32 is 3.4e+38", "pg.softmax"),
    ),
    "sum": (
        lambda x: np.sum(x) * 1.0,
        (np.full(3, 1e308),),
        ("x of shape (3,) has values from 1e+308 to 1e+308", "it overflows", "scale the numbers down"),
    ),
    "where": (
        untaken,
        (ZERO,),
        (
            "log(x) is -inf at [1]",
            "the np.where at test_non_finite.py:",
            "does not take it",
            "computes both of its sides",
        ),
    ),
    "constant": (
        lambda x: np.where(x > 0.0, x, -np.inf),
        (ZERO,),
        ("an operand is a constant that is not finite", "a large finite number"),
    ),
    "reverse sweep": (
        pg.grad(root),
        (ZERO,),
        (
            "it is in the reverse sweep, for the derivative of sqrt(x) at x = 0.0",
            "finite where x > 0",
            "np.linalg.norm",
        ),
    ),
    "reverse sweep of what has no value": (
        pg.grad(inverse_sine),
        (1.0,),
        ("reverse sweep, for the derivative of arcsin in this line", "arcsin(x) is finite where abs(x) < 1"),
    ),
    "tangents": (
        lambda x: pg.jvp(root, (x,), (np.ones(2),))[1],
        (ZERO,),
        ("it is in the tangents, for the derivative of",),
    ),
    "batch": (
        pg.vmap(pg.grad(lambda x: np.hypot(x[0], x[1]))),
        (np.array([[1.0, 2.0], [0.0, 0.0]]),),
        ("at [1]", "hypot(x, y) at x = 0.0, y = 0.0", "finite where (x != 0) | (y != 0)"),
    ),
    "loop": (in_a_loop, (2.0,), ("log(x) is nan, where x = -0.366512",)),
    "while_loop": (in_a_while_loop, (3.0,), ("sqrt(x) is nan, where x = -0.356405",)),
    "branch": (in_a_branch, (0.5,), ("log(x) is nan, where x = -0.5",)),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report(name: str) -> None:
    f, args, parts = REPORTS[name]
    error = report(f, *args)
    said = f"{error.problem}\n{error.advice}"
    for part in parts:
        assert part in said


def test_segments_and_bound_calls_report_too() -> None:
    x, s = pg.var("x", (2,)), pg.var("s")
    exe = pg.compile(pg.Graph([x, s], np.sum(np.sqrt(x) * s), name="root"), wrt=["x"], check_finite=True)
    given = np.array([4.0, 0.0])
    exe.forward(given, 2.0)
    given[:] = 1.0  # what forward has seen counts
    for call in (exe.reverse, lambda: exe.jvp(np.ones(2))):  # which share the local derivative
        with pytest.raises(pg.NonFiniteError) as caught:
            call()
        assert "for the derivative of sqrt(x) at x = 0.0" in caught.value.problem
    bound = pg.compile(pg.Graph([x], np.log(x)), check_finite=True).bind(given)
    np.testing.assert_array_equal(bound(), [0.0, 0.0])
    given[1] = -2.0
    with pytest.raises(pg.NonFiniteError, match=r"log\(x\) is nan at\s+\[1\], where x = -2\.0"):
        bound()
    given[1] = 1.0
    np.testing.assert_array_equal(bound(), [0.0, 0.0])


def test_large_arguments_are_reported() -> None:
    x = np.ones(100_000)
    x[77_777] = 0.0
    error = report(lambda x: 1.0 / x, x)
    assert "at [77777]" in error.problem
