"""What a user reads: the text of errors for mistakes that people make, with the line and the cure, in 100 columns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.special

import pygraph as pg
from pygraph import errors

V = np.array([1.0, 2.0, 3.0])
TABLE = np.arange(5.0)


def branch(x: Any) -> Any:
    if x > 0:
        return x
    return -x


def chain(x: Any) -> Any:
    return 0 < x < 1


def both(x: Any) -> Any:
    return x > 0 and x < 1


def loop(x: Any) -> Any:
    while np.sum(x) > 1:
        x = x / 2
    return x


def asserted(x: Any) -> Any:
    assert x > 0
    return x


def largest(x: Any) -> Any:
    return max(x, 0.0)


def counted(n: Any) -> Any:
    return sum(range(n))


def stored(x: Any) -> Any:
    out = np.zeros(3)
    out[0] = x[0]
    return out


def stored_whole(x: Any) -> Any:
    out = np.zeros(3)
    out[:] = x
    return out


def looked_up(i: Any) -> Any:
    return TABLE[i]


def looked_up_in_a_list(i: Any) -> Any:
    return [1.0, 2.0][i]


def on(f: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    return lambda: pg.compile(f)(*args)


def zero(x: Any) -> Any:
    return np.sum(x**2)


with warnings.catch_warnings():  # it announces that it will go
    warnings.simplefilter("ignore")
    MATRIX = np.matrix([[1.0]])
SPARSE = scipy.sparse.csr_array(np.eye(3))
MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    "if": (
        on(branch, 1.0),
        pg.TracedBoolError,
        ("tracing bool(): <greater : bool>", "if x > 0:", "do: pg.where(c, a, b)"),
    ),
    "chain": (on(chain, 1.0), pg.TracedBoolError, ("do: write a < x < b as (a < x) & (x < b)",)),
    "and": (on(both, 1.0), pg.TracedBoolError, ("do: write a & b for `a and b`",)),
    "while": (on(loop, V), pg.TracedBoolError, ("while np.sum(x) > 1:", "do: pg.while_loop(")),
    "assert": (on(asserted, 1.0), pg.TracedBoolError, ("do: check the result outside", "check_finite=True")),
    "max": (on(largest, 1.0), pg.TracedBoolError, ("do: np.maximum(x, y)",)),
    "range": (on(counted, 3), pg.TracedValueError, ("<n : int64>", "do: pg.fori_loop(0, n, body, start)", "partial")),
    "math": (on(lambda x: math.sin(x), 1.0), pg.TracedValueError, ("do: use np.sin and its like",)),
    "format": (on(lambda x: f"{x:.3f}", 1.0), pg.TracedValueError, ("format(): <x : float64>", "f'{x}' and print(x)")),
    "percent": (on(lambda x: "%.3f" % x, 1.0), pg.TracedValueError, ("float(): <x", "f'{x}' and print(x)")),  # noqa: UP031
    "element": (
        on(stored, V),
        pg.UnsupportedError,
        ("x[i] = v: an expression can't", "out[0] = x[0]", "pg.zeros(shape)"),
    ),
    "elements": (on(stored_whole, V), pg.TracedValueError, ("out[:] = x", "pg.zeros(shape)")),
    "table": (on(looked_up, 2), pg.TracedValueError, ("<i : int64>", "TABLE[i]", "do: pg.asarray(T)[i]")),
    "list": (on(looked_up_in_a_list, 1), pg.TracedValueError, ("do: pg.asarray(values)[i]", "pg.switch(i, functions")),
    "array": (on(lambda x: np.array([x, x]), 1.0), pg.TracedValueError, ("do: pg.array([...])",)),
    "scipy": (
        on(scipy.special.logsumexp, V),
        pg.TracedValueError,
        ("tracing scipy.special.logsumexp: it", "pg.logsumexp(x)"),
    ),
    "expit": (on(scipy.special.expit, V), pg.UnsupportedError, ("scipy.special.expit", "do: write pg.sigmoid(x)")),
    "hvp": (
        lambda: pg.hvp(zero, (V,), (1.0,)),
        pg.ShapeError,
        ("differentiating hvp(zero): a tangent of shape ()", "def zero(x: Any)"),
    ),
    "concatenate": (
        on(lambda x, y: np.concatenate(x, y), V, V),
        pg.ShapeError,
        ("the axis, not an array", "np.concatenate([x, y])"),
    ),
    "stack": (on(lambda x, y: np.stack(x, y), V, V), pg.ShapeError, ("the axis, not an array", "np.stack([x, y])")),
    "cond": (
        on(lambda x: pg.cond(x > 0, x, -x), 1.0),
        pg.SignatureError,
        ("<negative : float64>, not a function", "pg.where(p, x, y)"),
    ),
    "switch": (on(lambda i: pg.switch(i, [1.0, 2.0]), 1), pg.SignatureError, ("branch_0 is 1.0, not a function",)),
    "switch of one function": (
        on(lambda x: pg.switch(0, np.sin, x), np.ones(2)),
        pg.SignatureError,
        ("branches is a function, not a list", "pg.switch(index, [f, g]"),
    ),
    "while_loop": (
        on(lambda x: pg.while_loop(x > 1, x / 2, x), 1.0),
        pg.SignatureError,
        ("cond_fun is <greater", "two functions of the carry"),
    ),
    "fori_loop": (
        on(lambda x: pg.fori_loop(0, 2, x, x), 1.0),
        pg.SignatureError,
        ("body_fun is <x : float64>", "pg.fori_loop(0, n,"),
    ),
    "scan": (on(lambda x: pg.scan(x, 0.0, x), V), pg.SignatureError, ("f is <x : float64[3]>", "returns (carry, y)")),
    "slice": (on(lambda x: x[::0], V), pg.ShapeError, ("a slice's step is 0", "do: give a step of 1 or more")),
    "axis": (
        on(lambda x: np.sum(x, axis=2), V),
        pg.ShapeError,
        ("axis 2 is out of range for an operand with 1 axis", "do: give an axis from -1 to 0"),
    ),
    "axis of a scalar": (
        on(lambda x: np.sum(x, axis=0), 1.0),
        pg.ShapeError,
        ("do: leave axis out: a scalar has none",),
    ),
    "index": (on(lambda x: x[3], V), pg.IndexRangeError, ("index 3 is out of range", "do: give -3 to 2")),
    "mask": (
        on(lambda x: x[x > 1], V),
        pg.UnsupportedError,
        ("<greater : bool[3]> picks", "do: keep the shape: np.where(mask"),
    ),
    "mask of another size": (
        on(lambda x: x[[True, False]], V),
        pg.ShapeError,
        ("a mask of shape (2,) for axes of sizes (3,)",),
    ),
    "list of numbers": (
        lambda: pg.grad(zero)([1.0, 2.0]),
        pg.SignatureError,
        ("a list of 2 numbers", "return np.sum(x**2)", "np.array([...])"),
    ),
    "text": (on(lambda x: x + "a", 1.0), pg.DTypeError, ("tracing add: 'a' is no number", "operands: float64, str")),
    "None": (on(lambda x: x * None, 1.0), pg.DTypeError, ("tracing multiply: None is no number",)),
    "function": (on(lambda x: x * np.sin, 1.0), pg.DTypeError, ("a ufunc is no number", "do: call the function: f(x)")),
    "complex": (on(lambda x: x * 1j, 1.0), pg.DTypeError, ("dtype complex128 is not supported", "x.real and x.imag")),
    "sparse": (on(lambda x: x * SPARSE, V), pg.DTypeError, ("a csr_array takes part in A @ x", "A.toarray()")),
    "matrix": (
        on(lambda x: x * MATRIX, V),
        pg.UnsupportedError,
        ("np.matrix is not supported", "np.asarray(m)"),
    ),
    "matrix as an argument": (on(lambda x: x, MATRIX), pg.DTypeError, ("argument x is a np.matrix",)),
    "variable without a name": (lambda: pg.var((3,)), pg.SignatureError, ("(3,) is no name", "pg.var('x', (3,))")),
    "dtype for a shape": (lambda: pg.var("x", "float32"), pg.ShapeError, ("pg.var('x', (), 'float32')",)),
    "limit": (lambda: pg.set_tape_limit(-1), pg.SignatureError, ("set_tape_limit: a limit is an integer from 0", "-1")),
    "threads": (
        lambda: pg.set_threads(2**63),
        pg.SignatureError,
        ("threads must be a positive integer, not 922", "give 1 to 256"),
    ),
    "at": (
        on(lambda x: np.zeros((3, 3)).at[0].set(x), 1.0),
        pg.UnsupportedError,
        ("a NumPy array has no .at", "do: begin with an expression: pg.zeros(shape)"),
    ),
    "method": (on(lambda x: x.argmax(), V), pg.UnsupportedError, ("expressions have no .argmax", "do: write np.min(")),
    "method that is a function": (on(lambda x: x.take([0]), V), AttributeError, ("do: write np.take(x, ...)",)),
    "shape": (on(lambda n: np.zeros(n), 3), pg.TracedValueError, ("index(): <n : int64>", "do: give ints: keep what")),
    "random": (
        on(lambda x: np.random.default_rng(0).permutation(x), V),
        pg.TracedValueError,
        ("do: draw random numbers outside",),
    ),
    "converted": (on(lambda x: np.float64(x), 1.0), pg.TracedValueError, ("do: x.astype('float64') converts",)),
    "multiplied": (on(lambda x: x.at[0].mul(2.0), V), pg.UnsupportedError, ("there is no .mul", "x[i] * v")),
    "float index": (on(lambda x: x[1.5], V), pg.DTypeError, ("must be an integer, not float64", "i.astype('int64')")),
    "argnums": (lambda: pg.grad(zero, argnums=1)(V), pg.SignatureError, ("argnums=1, with 1 argument", "do: give 0")),
    "sort": (on(np.sort, V), pg.UnsupportedError, ("pygraph does not sort", "x[order]")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_text_of_a_mistake(name: str) -> None:
    call, kind, parts = MISTAKES[name]
    with pytest.raises(kind) as caught:
        call()
    said = str(caught.value)
    for part in parts:
        assert part in said.replace("\n      ", " ").replace("\n    ", " ")
    assert isinstance(caught.value, pg.GraphError)
    assert "\n  at: test_texts.py:" in said, "the user's line is named"
    assert "\n  do: " in said
    assert max(map(len, said.splitlines())) <= errors.COLUMNS


def test_an_error_of_the_users_own_stays() -> None:
    def own(x: Any) -> Any:
        try:
            float(x)
        except TypeError:
            raise ValueError("mine") from None
        return x

    with pytest.raises(ValueError, match=r"^mine$"):
        pg.compile(own)(1.0)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pg.compile(lambda x: x.nothing)(1.0)
    assert not pg.compile(lambda x: x * hasattr(x, "argmax"))(1.0)


def test_a_print_shows_the_expression() -> None:
    x = pg.var("x", (3,))
    assert f"{x}|{x:25}|{x:>22}" == "<x : float64[3]>|<x : float64[3]>         |      <x : float64[3]>"


def test_a_text_is_wrapped_between_words_and_its_line_cut() -> None:
    said = str(pg.GraphError("word " * 50 + "<x : float64[3, 3]>"))
    assert max(map(len, said.splitlines())) <= errors.COLUMNS
    assert "<x : float64[3, 3]>" in said
    with pytest.raises(pg.ShapeError) as caught:
        pg.var("x", (3,)) + pg.var("y", (4,))  # a comment that makes this line longer than what a text has room for
    assert max(map(len, str(caught.value).splitlines())) == errors.COLUMNS
    assert "…" in str(caught.value)
