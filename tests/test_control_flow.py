"""Values and derivatives of control flow: against Python, finite differences and the interpreter, in every nesting."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate

Scalar = Callable[[Any], Any]
ONE = np.float64(1.0)


# --- functions, each with the same in Python --


def mixed(x: Any) -> Any:
    """cond in scan in while_loop in cond."""

    def steps(v: Any) -> Any:
        def step(c: Any, k: Any) -> Any:
            c = pg.cond(c > 0.5, lambda c: np.sin(c) * x + k, lambda c: c * c + 0.3 * x, c)
            return c, c

        return pg.scan(step, v, np.array([0.1, 0.2, 0.3]))[0]

    def loop(x: Any) -> Any:
        return pg.while_loop(lambda s: s[1] < 4, lambda s: (steps(s[0]), s[1] + 1), (x, 0))[0]

    return pg.cond(x > 0, loop, lambda x: x * x, x)


def mixed_python(x: Any) -> Any:
    if not x > 0:
        return x * x
    v = x
    for _ in range(4):
        for k in (0.1, 0.2, 0.3):
            v = np.sin(v) * x + k if v > 0.5 else v * v + 0.3 * x
    return v


def nested_whiles(x: Any) -> Any:
    def level(depth: int, v: Any) -> Any:
        if depth == 0:
            return np.sin(v) * x + 0.1 * v
        return pg.while_loop(lambda s: s[1] < 2, lambda s: (level(depth - 1, s[0]), s[1] + 1), (v, 0))[0]

    return level(4, x)


def nested_whiles_python(x: Any) -> Any:
    v = x
    for _ in range(16):
        v = np.sin(v) * x + 0.1 * v
    return v


def nested_scans(x: Any) -> Any:
    def level(depth: int, v: Any) -> Any:
        if depth == 0:
            return np.sin(v) * x + 0.1 * v
        return pg.fori_loop(0, 2, lambda _, v: level(depth - 1, v), v)

    return level(4, x)


def until_large(x: Any) -> Any:
    """The number of steps depends on x, and the carry is an array."""
    start = x * np.array([1.0, 2.0])
    return pg.while_loop(lambda v: np.sum(v * v) < 50.0, lambda v: v * 1.3 + np.sin(v[::-1]), start)[0]


def until_large_python(x: Any) -> Any:
    v = x * np.array([1.0, 2.0])
    while np.sum(v * v) < 50:
        v = v * 1.3 + np.sin(v[::-1])
    return v[0]


def while_in_scan(x: Any) -> Any:
    def step(c: Any, k: Any) -> Any:
        c = pg.while_loop(lambda v: v < k, lambda v: v * 1.5 + x, c)
        return 0.1 * c, c

    c, ys = pg.scan(step, x, np.array([3.0, 1.0, 7.0]))
    return c + np.sum(ys)


def while_in_scan_python(x: Any) -> Any:
    c, total = x, 0.0
    for k in (3.0, 1.0, 7.0):
        while c < k:
            c = c * 1.5 + x
        total, c = total + c, 0.1 * c
    return c + total


def scan_in_while(x: Any) -> Any:
    def body(v: Any) -> Any:
        return pg.scan(lambda c, k: (c * k + 0.1 * x, c), v, np.array([1.1, 1.2]))[0]

    return pg.while_loop(lambda v: v < 9.0, body, x)


def scan_in_while_python(x: Any) -> Any:
    v = x
    while v < 9.0:
        for k in (1.1, 1.2):
            v = v * k + 0.1 * x
    return v


def mapped_switch(x: Any) -> Any:
    """Every branch, and an index beyond both ends; one branch is a loop of its own."""
    grow = lambda v: pg.while_loop(lambda u: u < 5.0, lambda u: u * u + x, v)  # noqa: E731
    found = pg.map(lambda k: pg.switch(k, [lambda v: v * x, np.sin, grow], x), np.arange(-1, 4))
    return found @ np.arange(5.0)


def mapped_switch_python(x: Any) -> Any:
    u = x
    while u < 5:
        u = u * u + x
    return np.array([x * x, x * x, np.sin(x), u, u]) @ np.arange(5.0)


def run_time_bounds(x: Any) -> Any:
    n = np.floor(x * 5).astype("int64")
    return pg.fori_loop(n * 0, n, lambda i, v: v * x + i, 1.0)


def run_time_bounds_python(x: Any) -> Any:
    v = 1.0
    for i in range(int(np.floor(x * 5))):
        v = v * x + i
    return v


def no_steps(x: Any) -> Any:
    return pg.while_loop(lambda v: v < -100, lambda v: v * v * v, x * x)


def linear_loop(x: Any) -> Any:
    """Nothing of the steps is needed backwards but how many they were."""
    return pg.while_loop(lambda v: v < 30.0, lambda v: 2.0 * v, x)


def linear_loop_python(x: Any) -> Any:
    while x < 30.0:
        x = 2.0 * x
    return x


def prefixes(x: Any) -> Any:
    rows = x * np.arange(1.0, 8.0)

    def combine(a: Any, b: Any) -> Any:
        return a[0] * b[0], b[0] * a[1] + b[1]

    _, found = pg.associative_scan(combine, (np.cos(rows), rows))
    return np.sum(found * found)


def prefixes_python(x: Any) -> Any:
    rows, h, total = x * np.arange(1.0, 8.0), 0.0, 0.0
    for r in rows:
        h = np.cos(r) * h + r
        total += h * h
    return total


CASES: list[tuple[Scalar, Scalar, float]] = [
    (mixed, mixed_python, 0.7),
    (mixed, mixed_python, 1.3),
    (mixed, mixed_python, -0.4),
    (nested_whiles, nested_whiles_python, 0.7),
    (nested_scans, nested_whiles_python, 0.7),
    (until_large, until_large_python, 0.3),
    (until_large, until_large_python, 5.0),
    (while_in_scan, while_in_scan_python, 0.31),
    (scan_in_while, scan_in_while_python, 0.83),
    (mapped_switch, mapped_switch_python, 0.83),
    (mapped_switch, mapped_switch_python, 1.9),
    (run_time_bounds, run_time_bounds_python, 0.93),
    (run_time_bounds, run_time_bounds_python, 0.05),
    (no_steps, lambda x: x * x, 0.7),
    (linear_loop, linear_loop_python, 0.7),
    (prefixes, prefixes_python, 0.7),
]


def first_derivative(f: Scalar, x: float) -> Any:
    h = 1e-6
    return (f(x + h) - f(x - h)) / (2 * h)


def second_derivative(f: Scalar, x: float) -> Any:
    h = 1e-4
    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2


def tangent(f: Scalar) -> Scalar:
    return lambda x: pg.jvp(f, (x,), (ONE,))[1]


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGRAPH_CHECK", "1")


@pytest.mark.parametrize(("f", "python", "x"), CASES)
def test_value_and_derivatives(f: Scalar, python: Scalar, x: float) -> None:
    x = np.float64(x)
    graph = pg.trace(f, x)
    for options in ({}, {"fuse": False}, {"optimise": False}):
        assert np.isclose(pg.Executable(graph, **options)(x), python(x), rtol=1e-13)  # type: ignore[attr-defined]
    assert np.isclose(evaluate(graph, x), python(x), rtol=1e-13)
    slope = first_derivative(python, x)
    for derivative in (pg.grad(f), pg.jacfwd(f), pg.jacrev(f), tangent(f)):
        assert np.isclose(derivative(x), slope, rtol=1e-5, atol=1e-6)
        assert np.isclose(evaluate(pg.trace(derivative, x), x), slope, rtol=1e-5, atol=1e-6)
    curvature = second_derivative(python, x)
    for second in (
        pg.grad(pg.grad(f)),
        tangent(pg.grad(f)),
        pg.grad(tangent(f)),
        tangent(tangent(f)),
        pg.jacrev(pg.jacfwd(f)),
    ):
        assert np.isclose(second(x), curvature, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("f", "x"), [(mixed, 0.7), (until_large, 0.3), (while_in_scan, 0.31)])
def test_third_order_agrees_in_all_modes(f: Scalar, x: float) -> None:
    x = np.float64(x)
    found = [d(x) for d in (pg.grad(pg.grad(pg.grad(f))), tangent(tangent(tangent(f))), tangent(pg.grad(tangent(f))))]
    assert np.allclose(found, found[0], rtol=1e-11)


@pytest.mark.sanitize
@pytest.mark.parametrize(("f", "python", "x"), CASES)
def test_kept_evaluation_is_swept_any_number_of_times(f: Scalar, python: Scalar, x: float) -> None:
    exe = pg.compile(pg.trace(f, np.float64(x)), wrt=["x"])
    slope = first_derivative(python, x)
    assert np.isclose(exe.forward(x), python(x), rtol=1e-13)
    for seed in (1.0, 2.0, -1.0):
        (found,) = exe.reverse(seed)
        assert np.isclose(found, seed * slope, rtol=1e-5, atol=1e-6)
        assert np.isclose(exe.jvp(seed), seed * slope, rtol=1e-5, atol=1e-6)
    assert exe(x) == exe.forward(x)


def test_forward_keeps_the_tape() -> None:
    """The reverse segment replays; the loop itself runs once."""
    text = pg.compile(pg.trace(until_large, ONE), wrt=["x"]).disassemble()
    forward, rest = text.split(" reverse:")
    assert forward.count("WHILE") == 1
    assert "WHILE" not in rest
    assert rest.count("REPLAY") == 2


def test_only_the_chosen_branch_runs() -> None:
    """The other one would fail: its index is out of range, its loop never ends."""
    data = np.arange(3.0)

    def f(x: Any, k: Any) -> Any:
        endless = lambda: pg.while_loop(lambda v: (v > 0) | True, lambda v: v, x)  # noqa: E731
        return pg.cond(k < 3, lambda: x * pg.take(data, k), endless)

    assert pg.compile(f)(2.0, np.int64(2)) == 4.0
    ends = pg.compile(lambda x, k: pg.cond(k < 3, lambda: x * pg.take(data, k), lambda: x))
    assert ends(2.0, np.int64(7)) == 2.0
    with pytest.raises(pg.IndexRangeError, match="index -9"):
        ends(2.0, np.int64(-9))


def test_work_made_in_a_branch_stays_in_it() -> None:
    def f(x: Any) -> Any:
        shared = np.cosh(x)
        return pg.cond(x > 0, lambda: shared * np.sinh(x), lambda: shared) + shared

    graph = pg.trace(f, ONE)
    outside = {node.op.name for node in graph.nodes}
    assert "cosh" in outside
    assert "sinh" not in outside


class Pair(NamedTuple):
    a: Any
    b: Any


def test_containers() -> None:
    def f(x: Any, y: Any) -> Any:
        start = {"p": Pair(x, (y, 0)), "n": [x * 2.0]}

        def body(s: Any) -> Any:
            p, (q, k) = s["p"]
            return {"p": Pair(p * 0.5 + q[0], (q + 1.0, k + 1)), "n": [s["n"][0] + p]}

        end = pg.while_loop(lambda s: s["p"].b[1] < 3, body, start)
        return pg.cond(end["n"][0] > 0, lambda s: s, lambda s: start, end)

    found = pg.compile(f)(1.0, np.array([1.0, 2.0]))
    assert isinstance(found["p"], Pair)
    assert found["p"].b[1] == 3
    assert np.array_equal(found["p"].b[0], [4.0, 5.0])
    p, n = 1.0, 2.0
    for k in range(3):
        p, n = p * 0.5 + 1.0 + k, n + p
    assert (found["p"].a, found["n"][0]) == (p, n)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 9, 31])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan_is_cumulative(length: int, reverse: bool) -> None:
    x = np.random.default_rng(length).uniform(0.5, 1.5, (2, length, 3))
    found = pg.associative_scan(np.multiply, x, reverse=reverse, axis=-2)
    wanted = np.cumprod(x[:, ::-1], axis=1)[:, ::-1] if reverse else np.cumprod(x, axis=1)
    assert np.allclose(found, wanted, rtol=1e-14)


def test_fori_loop_with_integers_is_a_scan() -> None:
    assert [n.op.name for n in pg.trace(lambda x: pg.fori_loop(2, 5, lambda i, v: v * i, x), ONE).nodes].count(
        "scan"
    ) == 1
    assert pg.fori_loop(2, 5, lambda i, v: v * i, 1.0) == 24.0
    assert pg.fori_loop(5, 2, lambda i, v: v * i, 7.0) == 7.0


def test_python_numbers_take_the_type_of_the_step() -> None:
    assert pg.while_loop(lambda v: v < 5, lambda v: v + 0.5, 1) == 5.0
    single = pg.while_loop(lambda v: v < 5, lambda v: v + np.float32(0.5), 1.0)
    assert single.dtype == np.float32
    assert pg.cond(True, lambda x: 1, lambda x: x, np.float32(3.0)).dtype == np.float32


@pytest.mark.sanitize
def test_large_carries_alternate_between_two_places() -> None:
    x = np.linspace(0.0, 1.0, 3_000)
    f = pg.compile(lambda x, n: pg.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, np.sin(s[1]) + x), (0, x))[1])
    for n in range(4):
        wanted = x
        for _ in range(n):
            wanted = np.sin(wanted) + x
        assert np.allclose(f(x, np.int64(n)), wanted, rtol=1e-14)


# --- limits --


@pytest.mark.sanitize
def test_limit_of_steps() -> None:
    halved = pg.compile(lambda x: pg.while_loop(lambda v: v > 1.0, lambda v: v * 0.5, x, limit=5))
    assert halved(32.0) == 1.0
    with pytest.raises(pg.LimitError, match=r"still holds after 5 steps") as caught:
        halved(64.0)
    assert "test_control_flow.py" in str(caught.value)
    assert "do: check that the condition becomes false" in str(caught.value)
    assert halved(32.0) == 1.0


@pytest.mark.sanitize
def test_limit_of_the_tape() -> None:
    gradient = pg.grad(lambda x, n: pg.while_loop(lambda s: s[1] < n, lambda s: (np.sin(s[0]), s[1] + 1), (x, 0))[0])
    before = gradient(1.0, np.int64(1_000))
    try:
        pg.set_tape_limit(100_000)
        with pytest.raises(pg.LimitError, match=r"more\s+tape\s+than\s+the\s+limit\s+of\s+100000\s+bytes") as caught:
            gradient(1.0, np.int64(100_000))
        assert "pg.set_tape_limit" in str(caught.value)
        assert gradient(1.0, np.int64(1_000)) == before
    finally:
        pg.set_tape_limit(2**30)
    assert np.isfinite(gradient(1.0, np.int64(100_000)))
    with pytest.raises(pg.SignatureError, match="from 0 to"):
        pg.set_tape_limit(-1)


@pytest.mark.parametrize("choose", [False, True])
def test_jacobians_of_jacobians(choose: bool) -> None:
    """The loop over basis vectors reads the tape of a loop outside, and is itself differentiated in reverse."""

    def f(x: Any) -> Any:
        found = pg.while_loop(lambda v: np.sum(v * v) < 50.0, lambda v: v * 1.3 + np.sin(v[::-1]), x)
        return pg.cond(found[0] > 0, lambda: found * x, lambda: x) if choose else found * x

    x, h = np.array([0.3, 0.7]), 1e-6
    wanted = np.stack([(pg.jacfwd(f)(x + h * e) - pg.jacfwd(f)(x - h * e)) / (2 * h) for e in np.eye(2)], axis=-1)
    for inner in (pg.jacrev, pg.jacfwd):
        for outer in (pg.jacrev, pg.jacfwd):
            assert np.allclose(outer(inner(f))(x), wanted, rtol=1e-6, atol=1e-6)
    total = lambda x: np.sum(pg.jacrev(f)(x) ** 2)  # noqa: E731
    slope = [(total(x + h * e) - total(x - h * e)) / (2 * h) for e in np.eye(2)]
    assert np.allclose(pg.grad(total)(x), slope, rtol=1e-5)
    assert np.allclose(pg.jacfwd(pg.grad(total))(x), pg.jacrev(pg.grad(total))(x), rtol=1e-10)


def test_reverse_through_a_loop_that_reads_the_tape_of_another() -> None:
    def rows(x: Any) -> Any:
        found = pg.while_loop(lambda v: np.sum(v * v) < 50.0, lambda v: v * 1.3 + np.sin(v[::-1]), x)
        return found * x

    def total(x: Any) -> Any:
        """The sum of squares of the Jacobian, row by row in a loop: each step sweeps back over the stack outside."""
        _, found = pg.scan(lambda c, row: (c, pg.vjp(rows, x)[1](row)[0]), 0.0, np.eye(2))
        return np.sum(found**2)

    x, h = np.array([0.3, 0.7]), 1e-6
    wanted = [(total(x + h * e) - total(x - h * e)) / (2 * h) for e in np.eye(2)]
    assert np.allclose(pg.jacfwd(total)(x), wanted, rtol=1e-5)
    assert np.allclose(pg.grad(total)(x), wanted, rtol=1e-5)


# --- running --


@pytest.mark.sanitize
def test_threads_have_tapes_of_their_own() -> None:
    f = pg.compile(lambda x: pg.grad(until_large)(x))
    points = np.linspace(0.05, 2.0, 64)
    wanted = [f(x) for x in points]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(f, points)) == wanted


@pytest.mark.parametrize(("f", "python", "x"), CASES)
def test_graphs_and_executables_pickle(f: Scalar, python: Scalar, x: float) -> None:
    graph = pg.trace(pg.grad(f), np.float64(x))
    again = pickle.loads(pickle.dumps(graph))
    assert again == graph
    exe = pg.compile(graph)
    assert pickle.loads(pickle.dumps(exe))(x) == exe(x)


def test_checks_for_finite_values_reach_into_bodies() -> None:
    f = pg.compile(lambda x: pg.cond(x > 0, lambda x: np.log(x - 1.0), lambda x: x, x), check_finite=True)
    assert f(-1.0) == -1.0
    with pytest.raises(pg.NonFiniteError, match="log"):
        f(1.0)


def test_known_choice_is_taken_when_compiled() -> None:
    graph = pg.trace(lambda x: pg.switch(np.int64(1), [np.sin, np.cos, np.tan], x), ONE)
    assert "BRANCH" not in pg.compile(graph).disassemble()


def test_unused_results_are_dropped() -> None:
    def f(x: Any) -> Any:
        first, _ = pg.cond(x > 0, lambda: (np.sin(x), np.exp(x)), lambda: (x, np.cosh(x)))
        _, second = pg.while_loop(lambda s: s[1] < 9.0, lambda s: (np.tan(s[0]), s[1] * 2.0), (x, x))
        return first + second

    text = pg.compile(pg.trace(f, ONE)).disassemble()
    assert "sin" in text
    for name in ("exp", "cosh", "tan"):
        assert f" {name} " not in text
