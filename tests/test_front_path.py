"""What the way from a call to a graph leaves out, and that nothing is lost by it: variables, signatures, bindings."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.concurrency import Cache, Memo
from pygraph.graph.trace import parameter_names

X = np.array([0.5, -1.5, 2.0])


def square(x: Any) -> Any:
    return np.sum(x * x * x)


def test_a_transformation_differentiates_by_the_variables_of_its_own_trace() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x)
        return square(x)

    graph = pg.grad(f).executable(X)._built.graph
    assert seen[0] is graph.inputs[0]
    seen.clear()
    graph = pg.compile(pg.grad(f)).executable(X)._built.graph
    assert seen[0] is graph.inputs[0]
    seen.clear()
    graph = pg.trace(pg.grad(f), X)
    assert seen[0] is graph.inputs[0]
    seen.clear()
    graph = pg.trace(lambda x: pg.grad(f)(x), X)
    assert seen[0] is not graph.inputs[0], "a function of the user's may know the variables of this trace"


def test_what_is_closed_over_is_constant_all_the_same() -> None:
    assert pg.grad(lambda x: pg.grad(lambda y: y * y * x)(x))(3.0) == 12.0
    assert pg.compile(lambda x: pg.grad(lambda y: y * x)(x))(3.0) == 3.0
    assert pg.compile(pg.grad(lambda x: x * pg.grad(lambda y: x * y)(x)))(3.0) == 6.0
    assert pg.hessian(lambda x: x * pg.grad(lambda y: x * y)(x))(3.0) == 2.0
    assert pg.jvp(lambda x: x * pg.jvp(lambda y: x * y, (x,), (1.0,))[1], (3.0,), (1.0,))[1] == 6.0
    assert pg.vjp(lambda x: pg.vjp(lambda y: y * x, x)[1](x)[0], 3.0)[1](1.0) == (6.0,)


def test_one_array_in_two_places() -> None:
    @dataclass
    class Pair:
        a: Any
        b: Any

    def f(pair: Pair, c: Any) -> Any:
        return np.sum(pair.a * pair.b * c)

    found = pg.grad(f, argnums=(0, 1))(Pair(X, X), X)
    np.testing.assert_array_equal(found[0].a, X * X)
    np.testing.assert_array_equal(found[0].b, X * X)
    np.testing.assert_array_equal(found[1], X * X)
    np.testing.assert_array_equal(pg.grad(f, argnums=1)(Pair(X, 2.0), X), 2.0 * X)
    assert pg.grad(lambda x, n: x**n)(2.0, 3) == 12.0
    assert pg.value_and_grad(lambda x: x * np.float32(2.0))(2.0)[0].dtype == np.float32


def test_a_variable_that_is_kept_is_refused_afterwards() -> None:
    kept = []
    pg.grad(lambda x: kept.append(x) or x * x)(2.0)
    with pytest.raises(pg.GraphError, match=r"whose\s+recording\s+has\s+ended"):
        pg.compile(lambda x: x * kept[0])(1.0)


class Callable_:
    def method(self, a: Any, *rest: Any) -> Any: ...

    def __call__(self, b: Any) -> Any: ...


@functools.wraps(square)
def wrapped(*args: Any, **named: Any) -> Any: ...


def other_signature(*args: Any) -> Any: ...


other_signature.__signature__ = inspect.signature(lambda p, q=1: None)  # type: ignore[attr-defined]


@functools.wraps(other_signature)
def wrapped_twice(*args: Any) -> Any: ...


def loop(x: Any) -> Any: ...


loop.__wrapped__ = loop  # type: ignore[attr-defined]


FUNCTIONS: dict[str, Any] = {
    "plain": square,
    "all_kinds": lambda a, b=1, /, c=2, *rest, d, **named: None,
    "by_name": lambda *, a=1, b=2: None,
    "some_by_name": lambda a, *, b=2: None,
    "wrapped": wrapped,
    "other_signature": other_signature,
    "wrapped_twice": wrapped_twice,
    "partial": functools.partial(lambda a, b, c: None, 1),
    "method": Callable_().method,
    "object": Callable_(),
    "class": Callable_,
    "gradient": pg.grad(square),
    "ufunc": np.sin,
    "builtin": max,
    "wrapper_loop": loop,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_named_as_by_inspect(name: str) -> None:
    f = FUNCTIONS[name]
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for count in range(5):
        names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
        rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "args")
        assert parameter_names(f, count) == names + [f"{rest}{i}" for i in range(count - len(names))]


def test_what_numpy_is_given_is_bound_by_its_names_and_values() -> None:
    x = pg.var("x", (2, 3))
    for _ in range(2):
        assert np.sum(x, 0).shape == np.sum(x, axis=0).shape == np.sum(a=x, axis=0).shape == (3,)
        assert np.sum(x, axis=None).shape == np.sum(x, None, None).shape == ()
        assert np.sum(x, axis=1, keepdims=True).shape == (2, 1)
        assert np.clip(x, 0.0, 1.0).shape == np.clip(x, a_min=0.0, a_max=1.0).shape == (2, 3)
        assert np.sum(x, where=np.zeros((2, 3), bool)).shape == ()
        with pytest.raises(pg.UnsupportedError, match="argument 'out'"):
            np.sum(x, out=np.zeros(()))
        assert np.sum(x, where=True).shape == ()  # type: ignore[call-overload]
        with pytest.raises(TypeError):
            np.sum(x, 0, nonsense=1)  # type: ignore[call-overload]
        assert np.sum(x, dtype="float32").dtype == np.float32
        assert np.sum(x, dtype=None).shape == ()


def test_powers_at_the_border_of_what_is_multiplied_out() -> None:
    x = pg.var("x", (3,))
    assert [(x**y).op.name for y in (2, 2.0, 16, 16.5, -16, 17, 1e300)] == [
        *("square", "square", "constant_power", "power", "constant_power", "power", "power")
    ]
    with np.errstate(over="raise"):
        assert (pg.var("y", (3,), "float32") ** np.float64(1e300)).dtype == np.float64


def test_a_memo_is_emptied_when_it_is_full() -> None:
    memo: Memo[int, int] = Memo(2)
    assert (memo.add(0, 10), memo.add(0, 20), memo.put(1, 30)) == (10, 10, 30)
    assert memo == {0: 10, 1: 30}
    assert memo.put(2, 40) == 40
    assert memo == {2: 40}
    assert memo.put(2, 50) == memo.get(2) == 50


def test_a_cache_keeps_to_both_of_its_limits() -> None:
    cache: Cache[int, int] = Cache(3, 100)
    for i in range(3):
        cache.put(i, i, 10)
    assert cache.values() == [0, 1, 2]
    cache.get(0)
    cache.put(3, 3, 10)
    assert cache.values() == [2, 0, 3]
    cache.put(4, 4, 95)
    assert cache.values() == [4]
