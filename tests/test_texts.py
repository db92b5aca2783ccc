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


def deleted(x: Any) -> Any:
    del x[0]
    return x


def nested_loops(depth: int) -> Callable[[Any], Any]:
    """A function with loops of two steps in each other."""
    if depth == 0:
        return np.sin
    inner = nested_loops(depth - 1)
    return lambda x: pg.scan(lambda carry, _: (inner(carry), None), x, None, length=2)[0]


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
    "math": (on(lambda x: math.sin(x), 1.0), pg.TracedValueError, ("np.sin for math.sin",)),
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
    "j0": (on(scipy.special.j0, V), pg.UnsupportedError, ("scipy.special.j0", "do: compute it outside")),
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
        ("branches is a ufunc, not a list", "pg.switch(index, [f, g]"),
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
    "text": (on(lambda x: x + "a", 1.0), pg.DTypeError, ("tracing add: 'a' is not a number", "operands: float64, str")),
    "None": (on(lambda x: x * None, 1.0), pg.DTypeError, ("tracing multiply: None is not a number",)),
    "function": (
        on(lambda x: x * np.sin, 1.0),
        pg.DTypeError,
        ("a ufunc is not a number", "do: call the function: f(x)"),
    ),
    "complex": (on(lambda x: x * 1j, 1.0), pg.DTypeError, ("dtype complex128 is not supported", "x.real and x.imag")),
    "sparse": (on(lambda x: x * SPARSE, V), pg.DTypeError, ("a csr_array takes part in A @ x", "A.toarray()")),
    "matrix": (
        on(lambda x: x * MATRIX, V),
        pg.UnsupportedError,
        ("np.matrix is not supported", "np.asarray(m)"),
    ),
    "matrix as an argument": (on(lambda x: x, MATRIX), pg.DTypeError, ("argument x is a np.matrix",)),
    "variable without a name": (lambda: pg.var((3,)), pg.SignatureError, ("(3,) is not the name", "pg.var('x', (3,))")),
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
    "method": (on(lambda x: x.nonzero(), V), pg.UnsupportedError, ("expressions have no .nonzero", "do: its result's")),
    "method that is a function": (on(lambda x: x.sin(), V), AttributeError, ("do: write np.sin(x, ...)",)),
    "shape": (on(lambda n: np.zeros(n), 3), pg.TracedValueError, ("index(): <n : int64>", "do: give ints: keep what")),
    "random": (
        on(lambda x: np.random.default_rng(0).permutation(x), V),
        pg.TracedValueError,
        ("do: draw random numbers outside",),
    ),
    "converted": (on(lambda x: np.float64(x), 1.0), pg.TracedValueError, ("do: x.astype('float64') converts",)),
    "multiplied": (on(lambda x: x.at[0].mul(2.0), V), pg.UnsupportedError, ("there is no .mul", ".multiply")),
    "float index": (on(lambda x: x[1.5], V), pg.DTypeError, ("must be an integer, not float64", "i.astype('int64')")),
    "argnums": (lambda: pg.grad(zero, argnums=1)(V), pg.SignatureError, ("argnums=1, with 1 argument", "do: give 0")),
    # calls that do not fit
    "keyword of a method": (
        on(lambda x: x.sum(dim=0), V),
        pg.SignatureError,
        ("tracing x.sum: got an unexpected keyword argument 'dim'", "do: say axis=; call it as x.sum(axis=None, dtype"),
    ),
    "keyword of a function": (
        on(lambda x: pg.softmax(x, dims=0), V),  # type: ignore[call-arg]
        pg.SignatureError,
        ("unexpected keyword argument 'dims'", "do: say axis=; call it as pg.softmax(x, axis=-1)"),
    ),
    "unknown keyword": (
        on(lambda x: x.clip(low=0), V),
        pg.SignatureError,
        ("unexpected keyword argument 'low'", "do: call it as x.clip(min=None, max=None)"),
    ),
    "argument of NumPy's": (
        on(lambda x: x.clip(0.0, dtype="float32"), V),
        pg.UnsupportedError,
        ("unexpected keyword argument 'dtype'", "do: use .astype(dtype) on the result"),
    ),
    "argument that is missing": (
        on(lambda x: pg.where(x > 0), V),  # type: ignore[call-arg]
        pg.SignatureError,
        ("tracing where: missing a required argument: 'x'", "do: call it as pg.where(condition, x, y)"),
    ),
    "np.where of one argument": (
        on(lambda x: np.where(x > 0), V),
        pg.UnsupportedError,
        ("missing a required argument: 'x'", "do: with one argument its result's shape would depend on values"),
    ),
    "order": (
        on(lambda x: x.reshape(3, 1, order="A"), V),
        pg.UnsupportedError,
        ("order='A'", "give 'C' or 'F': an expression has no order in memory"),
    ),
    "var of torch": (
        lambda: pg.var("x", (3,), requires_grad=True),  # type: ignore[call-overload]
        pg.SignatureError,
        ("unexpected keyword argument 'requires_grad'", "do: call it as pg.var(name, shape=(), dtype='float64')"),
    ),
    "grad without arguments": (
        lambda: pg.grad(zero)(),
        pg.SignatureError,
        ("grad(zero): no argument is given by position", "do: call it with the arguments of zero"),
    ),
    "fori_loop in another order": (
        on(lambda x: pg.fori_loop(lambda i, c: c, 0, 3, x), 1.0),
        pg.SignatureError,
        ("body_fun is 3, not a function", "do: write pg.fori_loop(0, n, lambda i, v: v + i, start)"),
    ),
    "map in another order": (on(lambda x: pg.map(x, np.sin), V), pg.SignatureError, ("f is <x : float64[3]>",)),
    "cond in another order": (
        on(lambda x: pg.cond(lambda v: v, x > 0, lambda v: -v, x), 1.0),
        pg.DTypeError,
        ("tracing cond: a function is not a number",),
    ),
    "switch of a number": (on(lambda x: pg.switch(0, 3, x), 1.0), pg.SignatureError, ("branches is an int, not a",)),
    "compile of a number": (lambda: pg.compile(3), pg.SignatureError, ("an int can't be compiled",)),  # type: ignore[call-overload]
    "in_axes": (
        lambda: pg.vmap(zero, np.eye(9))(V),
        pg.GraphError,
        ("in_axes holds an array of type float64[9, 9] for x",),
    ),
    # names and habits of other libraries
    "numpy()": (on(lambda x: x.numpy(), 1.0), AttributeError, ("expressions have no .numpy", "do: leave it out")),
    "backward": (
        on(lambda x: x.backward(), 1.0),
        AttributeError,
        ("do: derivatives are those of functions: write pg.",),
    ),
    "unsqueeze": (on(lambda x: x.unsqueeze(0), V), AttributeError, ("do: write np.expand_dims(x, axis), or x[None]",)),
    "exp": (on(lambda x: x.exp(), V), AttributeError, ("do: write np.exp(x, ...)",)),
    "view": (on(lambda x: x.view(3, 1), V), AttributeError, ("do: write x.reshape(shape)",)),
    "del": (on(deleted, V), pg.UnsupportedError, ("del x[0]", "do: join what is left: np.concatenate(")),
    "in": (on(lambda x: 1.0 in x, V), pg.TracedBoolError, ("do: np.any(x == v) says whether an element is v",)),
    "key of a dict": (
        on(lambda i: {1: 2.0}[i], 1),
        pg.TracedValueError,
        ("<i : int64> is not a key", "do: pg.switch("),
    ),
    "int as a size": (on(lambda n: np.ones(int(n)), 3), pg.TracedValueError, ("keep what decides shapes",)),
    "shape in a tuple": (on(lambda n: np.zeros((n, 2)), 3), pg.TracedValueError, ("do: give ints: keep what decides",)),
    "size that NumPy asks for": (
        on(lambda n: np.eye(n), 3),
        pg.TracedValueError,
        ("do: give ints: keep what decides",),
    ),
    "index of an array": (on(lambda x: np.ones(3)[x], 1.0), pg.TracedValueError, ("do: pg.asarray(T)[i]",)),
    "full": (
        on(lambda x: np.full(3, x), 1.0),
        pg.TracedValueError,
        ("tracing numpy.full", "do: write pg.full(shape, x)"),
    ),
    "list to a function": (
        on(lambda x: np.sum([x, x]), 1.0),
        pg.TracedValueError,
        ("do: give one expression in place",),
    ),
    "masked array first": (
        on(lambda x: np.ma.array(V, mask=[0, 1, 0]) + x, V),
        pg.UnsupportedError,
        ("masked arrays are not supported", "do: use np.where(mask, x, y) on plain arrays"),
    ),
    "masked array second": (on(lambda x: x + np.ma.array(V), V), pg.UnsupportedError, ("masked arrays are not supp",)),
    "list times a number": (
        on(lambda x: x * 2.0, [1.0, 2.0]),
        pg.SignatureError,
        ("argument 0 is a list of 2 numbers",),
    ),
    "tuple times itself": (on(lambda x: x * x, (1.0, 2.0)), pg.SignatureError, ("argument 0 is a tuple of 2 numbers",)),
    # shapes, dtypes and indices
    "text as an index": (
        on(lambda x: x["a"], V),
        pg.DTypeError,
        ("an index must be an integer, not 'a'", "give ints, sli"),
    ),
    "None in a list": (
        on(lambda x: np.concatenate([x, None]), V),
        pg.DTypeError,
        ("concatenate: None is not a number",),
    ),
    "scalar in a list": (
        on(lambda x: np.concatenate([x, 1.0]), V),
        pg.ShapeError,
        ("scalars have no axis", "np.stack("),
    ),
    "squeeze": (on(lambda x: np.squeeze(x, 0), V), pg.ShapeError, ("has size 3, not 1", "do: leave axis out to drop")),
    "reshape": (
        on(lambda x: x.reshape(2, 2), V),
        pg.ShapeError,
        ("cannot become (2, 2)", "do: give a shape of 3 elements"),
    ),
    "product": (
        on(lambda x, y: x @ y, np.ones((2, 3)), np.ones((2, 3))),
        pg.ShapeError,
        ("differ in the axis that is summed: 3 and 2", "transpose one, x.T"),
    ),
    "large product": (
        on(lambda x: pg.broadcast_to(x, (2**31, 2)) @ np.ones((2, 1)), 1.0),
        pg.ShapeError,
        ("a product of matrices of 2147483648 x 2 and 2 x 1", "2**31 - 1 rows", "(x, (2**31, 2)) @ np.ones("),
    ),
    "shape of a variable": (
        lambda: pg.var("x", (-1,)),
        pg.ShapeError,
        ("tracing var: the shape (-1,) has a negative",),
    ),
    "dtype of a variable": (
        lambda: pg.var("x", (), "flaot"),
        pg.DTypeError,
        ("'flaot' is not a dtype", "do: give float64"),
    ),
    "dtype": (on(lambda x: x.astype("float16"), V), pg.DTypeError, ("tracing astype: dtype float16 is not supported",)),
    "dtype of an argument": (
        on(zero, V.astype("uint64")),
        pg.DTypeError,
        ("tracing zero: argument x is of dtype uint64",),
    ),
    "complex argument": (on(zero, V * 1j), pg.DTypeError, ("graphs are real: give x.real and x.imag apart",)),
    "text as an argument": (
        on(zero, "abc"),
        pg.DTypeError,
        ("calling zero: argument x is a str, which is not an array",),
    ),
    "ddof": (on(lambda x, n: np.var(x, ddof=n), V, 1), pg.DTypeError, ("tracing var: ddof is <n : int64>",)),
    "variable of the same name": (
        lambda: pg.Graph([pg.var("x")], pg.var("x")),
        pg.GraphError,
        ("another variable than the input 'x', of the same name", "do: make each variable once"),
    ),
    "deeply nested loops": (
        lambda: pg.grad(nested_loops(57))(1.0),
        pg.ShapeError,
        ("tracing scan: 2 values of shape (2, 2,", "are more than an array can hold", "pg.checkpoint is around"),
    ),
    "unique": (on(np.unique, V), pg.UnsupportedError, ("its result's shape would depend on values", "np.where(")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_text_of_a_mistake(name: str) -> None:
    call, kind, parts = MISTAKES[name]
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert isinstance(error, pg.GraphError)
    record = [error.headline, f"operands: {', '.join(error.operands)}", str(error.line), f"do: {error.advice}"]
    for part in parts:
        assert part in "\n".join(record)
    assert error.stage
    assert error.subject
    assert error.advice
    assert error.line is not None
    assert error.line.file == __file__
    assert max(map(len, str(error).splitlines())) <= errors.COLUMNS


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
    assert not pg.compile(lambda x: x * hasattr(x, "nonzero"))(1.0)


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
