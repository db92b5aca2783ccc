"""The text of every error that a call, a compilation or a run may raise; and that a bad call changes nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg


@pytest.fixture(scope="module")
def exe() -> Any:
    w, x, y = pg.var("w", (3,)), pg.var("x", (4, 3)), pg.var("y", (4,), "int64")
    return pg.compile(pg.Graph([w, x, y], np.sum(x @ w - y), name="neuron"), wrt=["w"])


W, X, Y = np.ones(3), np.ones((4, 3)), np.zeros(4, "int64")
CALL = "do: call it as neuron(w: float64[3], x: float64[4, 3], y: int64[4])"


@pytest.mark.parametrize(
    ("call", "texts"),
    [
        (lambda exe: exe(W, X), ["calling neuron: 3 arguments expected, 2 given: 'y' missing", CALL]),
        (lambda exe: exe(), ["3 arguments expected, 0 given: 'w', 'x', 'y' missing"]),
        (lambda exe: exe(W, X, Y, Y), ["3 arguments expected, 4 given", CALL]),
        (lambda exe: exe(W, X, yy=Y), ["there is no argument 'yy'", "did you mean 'y'? call it as neuron"]),
        (lambda exe: exe(W, X, Y, y=Y), ["argument 'y' is given twice", "by position or by name"]),
        (
            lambda exe: exe(W.astype("float32"), X, Y),
            ["argument 'w' (1 of 3, float64[3]) must have dtype float64, not float32", ".astype('float64')"],
        ),
        (
            lambda exe: exe(W, X, Y.astype(float)),
            ["argument 'y' (3 of 3, int64[4]) must have dtype int64, not float64"],
        ),
        (lambda exe: exe(W.astype(">f8"), X, Y), ["not float64 of the other\n    byte order"]),
        (lambda exe: exe(W.astype("float16"), X, Y), ["must have dtype float64, not float16\n"]),
        (lambda exe: exe(np.ones(4), X, Y), ["must have shape (3,), not (4,)", "or compile for shape (4,)"]),
        (lambda exe: exe(W, X.T, Y), ["must have shape (4, 3), not (3, 4)", "reshape it"]),
        (lambda exe: exe(W[:, None], X, Y), ["must have shape (3,), not (3, 1)"]),
        (lambda exe: exe(1.0, X, Y), ["must have shape (3,), not ()"]),
        (lambda exe: exe([1.0, [2.0], 3.0], X, Y), ["argument 'w' (1 of 3, float64[3]) is not like an array"]),
        (lambda exe: exe("abc", X, Y), ["can't be of dtype <U3", "give an array of dtype float64"]),
        (lambda exe: exe(object(), X, Y), ["can't be a object"]),
        (lambda exe: exe(W + 0j, X, Y), ["can't be of dtype complex128"]),
        (lambda exe: exe(np.ma.array(W), X, Y), ["is a masked array", "x.filled(value)"]),
        (lambda exe: exe.bind(pg.var("w", (3,)), X, Y), ["is an expression, <w : float64[3]>"]),
        (lambda exe: exe(W, X, [0, 1, 2, 2.5]), ["can't be [0, 1, 2, 2.5], which is float64", "round or convert"]),
        (lambda exe: exe(W, X, [0, 1, 2, 2**63]), ["argument 'y'", "9223372036854775808], which is\n    float64"]),
        (lambda exe: exe(W, X, Y, out=1.0), ["out is a float", "NumPy array"]),
        (lambda exe: exe(W, X, Y, out=(np.zeros(()),)), ["out must have the form of the output, *, not (*,)"]),
        (lambda exe: exe(W, X, Y, out=np.zeros(2)), ["out must be float64, not float64[2]", "np.empty((), 'float64')"]),
        (lambda exe: exe(W, X, Y, out=np.zeros((), "float32")), ["out must be float64, not float32"]),
        (
            lambda exe: exe.bind([1.0, 2.0, 3.0], X, Y),
            ["calling neuron.bind: argument 'w' is a list, and can't be bound", "do: give np.array(w, 'float64')"],
        ),
        (
            lambda exe: exe.bind(np.ones(6)[::2], X, Y),
            ["argument 'w' is not C-contiguous and aligned", "do: give np.ascontiguousarray(w)"],
        ),
        (lambda exe: exe.bind(W, X), ["'y' missing"]),
    ],
)
def test_signature_errors(exe: Any, call: Callable[[Any], Any], texts: list[str]) -> None:
    before = exe.forward(W, X, Y), exe.reverse()
    with pytest.raises(pg.SignatureError) as caught:
        call(exe)
    said = str(caught.value)
    for text in texts:
        assert text in said
    assert re.search(r"at: test_errors\.py:\d+: ", said), "the user's line is named"
    assert isinstance(caught.value, TypeError)
    np.testing.assert_array_equal(exe.reverse()[0], before[1][0])
    assert exe(W, X, Y) == before[0]


def _message(kind: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_seeds_and_tangents_that_do_not_fit(exe: Any) -> None:
    exe.forward(W, X, Y)
    assert "argument 'seed' (1 of 1, float64) must have shape ()" in _message(
        pg.SignatureError, lambda: exe.reverse(np.ones(2))
    )
    assert "calling neuron.jvp: 1 argument expected, 0 given: 'd_w' missing" in _message(pg.SignatureError, exe.jvp)
    assert "argument 'd_w' (1 of 1, float64[3])" in _message(pg.SignatureError, lambda: exe.jvp(np.ones(2)))


def test_a_vector_output_has_no_default_seed() -> None:
    x = pg.var("x", (3,))
    exe = pg.compile(pg.Graph([x], x * x, name="squares"), wrt=["x"])
    exe.forward(W)
    said = _message(pg.SignatureError, exe.reverse)
    assert "only a single floating scalar output has a default seed" in said
    assert "squares.reverse(seed: float64[3])" in said


def test_state_errors(exe: Any) -> None:
    plain = pg.compile(exe.graph)
    for call in (lambda: plain.forward(W, X, Y), plain.reverse, lambda: plain.jvp(W)):
        assert 'compile(graph, wrt=["w"])' in _message(pg.StateError, call)
    fresh = pg.compile(exe.graph, wrt=["w"])
    for method in (fresh.reverse, lambda: fresh.jvp(W)):
        assert "nothing is kept in this thread\n" in _message(pg.StateError, method)
    assert issubclass(pg.StateError, RuntimeError)


def test_wrt_that_names_no_input_or_no_float(exe: Any) -> None:
    graph = exe.graph
    assert "wrt names 'q', which is not an input" in _message(pg.SignatureError, lambda: pg.compile(graph, wrt=["q"]))
    assert "the inputs are 'w', 'x', 'y'" in _message(pg.SignatureError, lambda: pg.compile(graph, wrt=[3]))
    assert "wrt names 'w' twice" in _message(pg.SignatureError, lambda: pg.compile(graph, wrt=["w", 0]))
    assert "wrt names 'y', which is not floating" in _message(pg.DTypeError, lambda: pg.compile(graph, wrt="y"))
    assert "wrt is for graphs" in _message(pg.SignatureError, lambda: pg.compile(np.sin, wrt=["x"]))


def test_compile_refuses_what_it_does_not_know(exe: Any) -> None:
    said = _message(pg.BackendError, lambda: pg.compile(exe.graph, backend="gpu"))
    assert "backend 'gpu' is none of 'auto', 'vm', 'native'" in said
    assert 'use backend="auto"' in said
    assert "an int can't be compiled" in _message(pg.SignatureError, lambda: pg.compile(3))
    for threads in (0, -1, 1.5, True):
        assert "threads must be a positive integer" in _message(
            pg.SignatureError, lambda threads=threads: pg.compile(exe.graph, threads=threads)
        )
    assert "threads must be a positive integer" in _message(pg.SignatureError, lambda: pg.set_threads(0))
    assert "cache_size must be a positive integer" in _message(
        pg.SignatureError, lambda: pg.compile(np.sin, cache_size=0)
    )


def test_an_index_out_of_range_names_index_axis_and_line() -> None:
    x, i = pg.var("x", (3,)), pg.var("i", (2,), "int64")
    picked = x[i]  # the user's line
    exe = pg.compile(pg.Graph([x, i], picked, name="pick"))
    np.testing.assert_array_equal(exe(np.arange(3.0), np.array([-1, 0])), [2.0, 0.0])
    for bad in (3, -4):
        said = _message(pg.IndexRangeError, lambda bad=bad: exe(np.arange(3.0), np.array([0, bad])))
        assert "running pick, " in said
        assert f"index {bad} is out of range for an axis of length 3" in said
        assert "picked = x[i]  # the user's line" in said
        np.testing.assert_array_equal(exe(np.arange(3.0), np.array([1, 1])), [1.0, 1.0])
    assert issubclass(pg.IndexRangeError, IndexError)


def test_the_first_operation_that_makes_inf_or_nan_is_named() -> None:
    x = pg.var("x", (3,))
    root = np.sqrt(x)
    inverse = 1.0 / root  # the user's line
    exe = pg.compile(pg.Graph([x], np.sum(np.exp(inverse) - inverse), name="poles"), check_finite=True)
    assert np.isfinite(exe(np.ones(3)))
    said = _message(pg.NonFiniteError, lambda: exe(np.array([1.0, 0.0, 1.0])))
    assert re.search(r"running poles, (divide|reciprocal) : float64\[3\]", said)
    assert "inverse = 1.0 / root  # the user's line" in said
    said = _message(pg.NonFiniteError, lambda: exe(np.array([1.0, np.nan, 1.0])))
    assert "running poles, input 'x' : float64[3]: the argument already holds inf or nan" in said
    assert np.isfinite(exe(np.ones(3)))
    assert issubclass(pg.NonFiniteError, FloatingPointError)


def test_gradients_are_checked_for_finiteness_too() -> None:
    x = pg.var("x")
    exe = pg.compile(pg.Graph([x], np.sqrt(x), name="root"), wrt=["x"], check_finite=True)
    assert exe.forward(0.0) == 0.0
    assert "running root" in _message(pg.NonFiniteError, exe.reverse)
    exe.forward(4.0)
    assert exe.reverse() == (0.25,)


def test_indices_into_rows_of_no_elements() -> None:
    x, i = pg.var("x", (3, 0)), pg.var("i", (2,), "int64")
    exe = pg.compile(pg.Graph([x, i], pg.take(x, i, axis=0)))
    assert exe(np.zeros((3, 0)), np.array([2, -3])).shape == (2, 0)
    said = _message(pg.IndexRangeError, lambda: exe(np.zeros((3, 0)), np.array([0, 3])))
    assert "index 3 is out of range for an axis of length 3" in said


def test_taking_nothing_from_any_number_of_rows_takes_no_time() -> None:
    rows = 2**40
    for shape, n in (((rows, 0), 0), ((rows, 3, 0), 2)):
        x, i = pg.var("x", shape), pg.var("i", (n,), "int64")
        exe = pg.compile(pg.Graph([x, i], pg.take(x, i, axis=1)))
        assert exe(np.zeros(shape), np.arange(n)).shape == (rows, n, *shape[2:])


def test_a_corrupted_program_is_refused() -> None:
    import dataclasses

    from pygraph.runtime.clib.library import Library

    x = pg.var("x", (3,))
    program = pg.compile(pg.Graph([x], x + 1.0)).program
    for position, value in ((0, 1), (1, 12345), (3, 99), (6, -8)):
        words = program.words.copy()
        words[position] = value
        said = _message(
            pg.ProgramError, lambda words=words: Library(dataclasses.replace(program, words=words), "broken")
        )
        assert "broken: the C loader refused the Program: " in said


def test_containers_of_another_form() -> None:
    exe = pg.compile(pg.trace(lambda params, x: params["w"] * x + params["b"][0], {"w": 1.0, "b": (2.0,)}, 3.0))
    for bad in ({"w": 1.0}, {"w": 1.0, "b": 2.0}, 5.0, {"w": 1.0, "b": (2.0,), "c": 3.0}):
        said = _message(pg.SignatureError, lambda bad=bad: exe(bad, 3.0))
        assert "argument 'params' must have the form {'b': (*,), 'w': *}, not " in said
        assert "do: give params.b[0], params.w" in said
    said = _message(pg.SignatureError, lambda: exe({"w": np.ones(2), "b": (2.0,)}, 3.0))
    assert "argument 'params.w' (2 of 3, float64) must have shape ()" in said


def test_out_that_can_not_be_written() -> None:
    x = pg.var("x", (4,))
    exe = pg.compile(pg.Graph([x], (x * 2.0, x * 3.0), name="two"))
    data, one, two = np.ones(4), np.zeros(8), np.zeros(4)
    two.flags.writeable = False
    assert "array 1 of 2, is not writeable, C-contiguous" in _message(
        pg.SignatureError, lambda: exe(data, out=(one[::2], one[4:]))
    )
    assert "array 2 of 2, is not writeable" in _message(pg.SignatureError, lambda: exe(data, out=(one[:4], two)))
    assert "shares memory with another array of out" in _message(
        pg.SignatureError, lambda: exe(data, out=(one[:4], one[2:6]))
    )
    np.testing.assert_array_equal(one, np.zeros(8))


def test_settings_that_mean_nothing_are_warned_of() -> None:
    code = "import pygraph as pg; x = pg.var('x'); pg.compile(pg.Graph([x], x + 1.0))"
    environment = {**os.environ, "PYGRAPH_ISA": "junk", "PYGRAPH_DEBUG": "x"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "PYGRAPH_ISA=junk is not available here" in done.stderr
    assert "PYGRAPH_DEBUG=x is not a level" in done.stderr


def test_a_seed_of_another_shape_is_not_blamed_on_the_graph() -> None:
    x = pg.var("x", (3,))
    exe = pg.compile(pg.Graph([x], x * x), wrt=["x"])
    exe.forward(np.ones(3))
    with pytest.raises(pg.SignatureError, match=r"give that shape$"):
        exe.reverse(np.ones(2))
    with pytest.raises(pg.SignatureError, match=r"give that shape$"):
        exe.jvp(np.ones(4))


def test_a_product_of_one_term_has_the_sign_of_a_sum() -> None:
    for n in (1, 3):
        found = pg.compile(np.matmul)(np.array([[-1.0]]), np.zeros((1, n)))
        assert not np.signbit(found).any()
