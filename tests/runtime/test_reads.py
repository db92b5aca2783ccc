"""Transformations called on arrays see what their function sees at each call; what can't have changed is not traced."""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
import math
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import pygraph as pg
from pygraph.runtime.functions.reachable import reads_of

K: Any = 1.0
WEIGHTS = np.array([1.0, 1.0])
TABLE: dict[str, Any] = {"scale": 1.0, "deep": {"list": [1.0]}}
SPACE = types.ModuleType("settings")
SPACE.scale = 1.0  # type: ignore[attr-defined]


def helper(x: Any) -> Any:
    return x * K


def with_default(x: Any, k: list[float] = [1.0]) -> Any:  # noqa: B006
    return x * k[0]


class Model:
    factor = 1.0

    def __init__(self) -> None:
        self.k, self.parts = 1.0, [1.0]

    def __call__(self, x: Any) -> Any:
        return x * self.k

    def method(self, x: Any) -> Any:
        return self.inner(x) * self.parts[0]

    def inner(self, x: Any) -> Any:
        return x * self.k * self.factor

    @property
    def value(self) -> float:
        return self.k

    @staticmethod
    def fixed(x: Any) -> Any:
        return x * K


class Derived(Model):
    pass


class Slotted:
    __slots__ = ("k",)

    def __init__(self) -> None:
        self.k = 1.0


@dataclasses.dataclass
class Layer:
    w: Any
    scale: float = dataclasses.field(default=1.0, metadata={"static": True})

    def apply(self, x: Any) -> Any:
        return x * self.w * K


class Pair(NamedTuple):
    a: Any
    b: Any

    def total(self) -> Any:
        return self.a * K + self.b


def cell_case() -> tuple[Callable[..., Any], Callable[[float], None]]:
    k = 1.0

    def change(value: float) -> None:
        nonlocal k
        k = value

    return lambda x: x * k, change


def set_item(target: Any, key: Any) -> Callable[[float], None]:
    return lambda value: target.__setitem__(key, value)


def set_attribute(target: Any, name: str) -> Callable[[float], None]:
    return lambda value: setattr(target, name, value)


def set_global(value: float) -> None:
    global K
    K = value


def cases() -> dict[str, tuple[Callable[..., Any], Callable[[float], None]]]:
    """Functions of x that are x times something, with what sets that; it is 1 at first."""
    set_global(1.0)
    WEIGHTS[:] = 1.0
    TABLE.update(scale=1.0, deep={"list": [1.0]})
    SPACE.scale, Model.factor = 1.0, 1.0  # type: ignore[attr-defined]
    Derived.factor = 1.0
    with_default.__defaults__[0][0] = 1.0  # type: ignore[index]
    k, array, model, slotted, derived = [1.0], np.ones(3), Model(), Slotted(), Derived()
    zero_d, view, column, box = np.array(1.0), np.ones(6)[::2], np.ones((3, 2), order="F"), np.ones(1)
    nested = {"a": (1.0, {"b": k})}
    partial = functools.partial(lambda k, x: x * k[0], k)
    partial_by_name = functools.partial(lambda x, k: x * k[0], k=k)
    ordered, wide, frozen = collections.OrderedDict(a=1.0), np.ones(20_000), np.ones(2)
    frozen_view = frozen[:]
    frozen_view.flags.writeable = False
    space = types.SimpleNamespace(k=1.0)

    def wrapped(x: Any) -> Any:
        return helper(x)

    functools.update_wrapper(wrapped, helper)
    inner = pg.grad(lambda x: x * x * k[0] * 0.5)
    rule = pg.custom_derivative(lambda x: x * 1.0, jvp=lambda p, t: (p[0], t[0] * k[0]))
    return {
        "a list in a cell": (lambda x: x * k[0], set_item(k, 0)),
        "a cell": cell_case(),
        "a global": (lambda x: x * K, set_global),
        "a global of a function that is called": (lambda x: helper(x), set_global),
        "a global of a function that is handed on": (
            lambda x: pg.fori_loop(0, 1, lambda i, c: helper(c), x),
            set_global,
        ),
        "a wrapped function": (wrapped, set_global),
        "a global array written in place": (lambda x: x * WEIGHTS[0], set_item(WEIGHTS, 0)),
        "an array written in place": (lambda x: x * array[1], set_item(array, 1)),
        "an array of no dimension": (lambda x: x * zero_d, set_item(zero_d, ())),
        "a view": (lambda x: x * view[1], set_item(view, 1)),
        "a Fortran array": (lambda x: x * column[2, 1], set_item(column, (2, 1))),
        "an array of one element": (lambda x: x * box[0], set_item(box, 0)),
        "a large array": (lambda x: x * pg.sum(wide[-1:]), set_item(wide, -1)),
        "what a read-only view looks at": (lambda x: x * frozen_view[0], set_item(frozen, 0)),
        "a default": (with_default, set_item(with_default.__defaults__[0], 0)),  # type: ignore[index]
        "a dict": (lambda x: x * TABLE["scale"], set_item(TABLE, "scale")),
        "a list in dicts": (lambda x: x * TABLE["deep"]["list"][0], set_item(TABLE["deep"]["list"], 0)),
        "containers in containers": (lambda x: x * nested["a"][1]["b"][0], set_item(k, 0)),  # type: ignore[index]
        "an ordered dict": (lambda x: x * ordered["a"], set_item(ordered, "a")),
        "a partial": (partial, set_item(k, 0)),
        "a partial by name": (partial_by_name, set_item(k, 0)),
        "an attribute": (lambda x: x * model.k, set_attribute(model, "k")),
        "an attribute by a property": (lambda x: x * model.value, set_attribute(model, "k")),
        "an attribute by its name": (lambda x: x * getattr(model, "k"), set_attribute(model, "k")),  # noqa: B009
        "an object that is called": (model, set_attribute(model, "k")),
        "a bound method": (model.method, set_attribute(model, "k")),
        "a list of a bound method": (model.method, set_item(model.parts, 0)),
        "a static method": (Model.fixed, set_global),
        "an attribute of a class": (lambda x: model.inner(x), set_attribute(Model, "factor")),
        "an attribute of a base": (lambda x: derived.inner(x), set_attribute(Derived, "factor")),
        "an attribute before that of the class": (lambda x: model.inner(x), set_attribute(model, "factor")),
        "a slot": (lambda x: x * slotted.k, set_attribute(slotted, "k")),
        "a namespace": (lambda x: x * space.k, set_attribute(space, "k")),
        "a module's attribute": (lambda x: x * SPACE.scale, set_attribute(SPACE, "scale")),
        "a method of an argument": (lambda x: Layer(x).apply(1.0), set_global),
        "a method of a tuple": (lambda x: Pair(x, 0.0).total(), set_global),
        "another transformation": (lambda x: inner(x), set_item(k, 0)),
        "a compiled function": (pg.compile(lambda x: x * k[0]), set_item(k, 0)),
        "a rule": (rule, set_item(k, 0)),
    }


@pytest.mark.parametrize("name", list(cases()))
def test_a_change_is_seen(name: str) -> None:
    f, change = cases()[name]
    uses: dict[str, Callable[..., Any]] = {
        "grad": pg.grad(f),
        "value_and_grad": pg.value_and_grad(f),
        "jacfwd": pg.jacfwd(f),
        "vmap": pg.vmap(pg.grad(f)),
        "checkpoint": pg.grad(pg.checkpoint(f)),
        "vjp": lambda x: pg.vjp(f, x)[1](1.0)[0],
    }
    for value in (1.0, 5.0, 5.0, 2.0):
        change(value)
        for use in uses.values():
            for _ in range(2):
                found = use(np.full(2, 3.0)) if use is uses["vmap"] else use(3.0)
                slope = found[1] if use is uses["value_and_grad"] else found
                np.testing.assert_array_equal(slope, np.full(np.shape(slope), value))
    assert reads_of((f,)) is not None


def test_only_compile_freezes() -> None:
    k = [1.0]
    frozen, fresh = pg.compile(pg.grad(lambda x: x * k[0])), pg.grad(lambda x: x * k[0])
    assert frozen(2.0) == fresh(2.0) == 1.0
    k[0] = 5.0
    assert frozen(2.0) == 1.0
    assert fresh(2.0) == 5.0
    assert "constant from the first call" in " ".join(str(pg.compile.__doc__).split())


def test_every_transformation_sees_it() -> None:
    k = [1.0]

    def f(x: Any) -> Any:
        return pg.sum(k[0] * x * x)

    x = np.array([1.0, 2.0])
    made: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
        "grad": (pg.grad(f), lambda g: g / x / 2.0),
        "hessian": (pg.hessian(f), lambda h: np.diag(h) / 2.0),
        "jacobian": (pg.jacobian(lambda x: k[0] * x), np.diag),
        "jacrev": (pg.jacrev(lambda x: k[0] * x), np.diag),
        "sparse_jacobian": (pg.sparse_jacobian(lambda x: k[0] * x), lambda m: m.diagonal()),
        "sparse_hessian": (pg.sparse_hessian(f), lambda m: m.diagonal() / 2.0),
        "vmap": (pg.vmap(lambda x: k[0] * x), lambda y: y / x),
        "checkpoint": (pg.checkpoint(lambda x: k[0] * x), lambda y: y / x),
        "custom_derivative": (pg.custom_derivative(lambda x: k[0] * x, jvp=lambda p, t: (p[0], t[0])), lambda y: y / x),
        "linearize": (lambda x: pg.linearize(f, x)[0], lambda v: v / 5.0),
        "hvp": (lambda x: pg.hvp(f, (x,), (np.ones(2),)), lambda v: v / 2.0),
        "map": (lambda x: pg.map(lambda y: y * k[0], x), lambda y: y / x),
    }
    for value in (1.0, 3.0, 3.0):
        k[0] = value
        for name, (use, read) in made.items():
            np.testing.assert_array_equal(read(use(x)), np.full(np.shape(read(use(x))), value), err_msg=name)


def test_methods_of_arguments_see_it_too() -> None:
    set_global(1.0)
    g = pg.grad(lambda layer, x: layer.apply(x))
    h = pg.grad(lambda pair: pair.total())
    for value in (1.0, 4.0):
        set_global(value)
        assert g(Layer(2.0), 3.0).w == 3.0 * value
        assert h(Pair(2.0, 1.0)).a == value
    set_global(1.0)


def test_what_has_not_changed_is_not_traced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    k, model = [2.0, np.ones(2)], Model()

    def f(x: Any) -> Any:
        return pg.sum(np.sin(x) * helper(x) * model.method(x) * k[0] * k[1])

    g = pg.grad(f)
    g(np.ones(2))
    traces = []
    original = type(g._signatures)._traced
    monkeypatch.setattr(
        type(g._signatures), "_traced", lambda self, *rest: (traces.append(1), original(self, *rest))[1]
    )
    for _ in range(3):
        g(np.ones(2))
    assert not traces
    model.k = 3.0
    g(np.ones(2))
    assert len(traces) == 1
    g(np.ones(2))
    assert len(traces) == 1
    model.k = float("3.0")  # another object of the same value
    g(np.ones(2))
    assert len(traces) == 1


UNKNOWN: dict[str, Callable[[], Callable[..., Any]]] = {
    "a random generator": lambda: (lambda rng: lambda x: x * rng.normal())(np.random.default_rng(0)),
    "NumPy's own": lambda: lambda x: x * np.random.rand(),  # noqa: NPY002
    "a counter": lambda: (lambda count: lambda x: x * float(next(count)))(itertools.count(1)),
    "a generator": lambda: (lambda numbers: lambda x: x * next(numbers))(float(i) for i in range(1, 99)),
    "a list that the function lengthens": lambda: (lambda seen: lambda x: (seen.append(1.0), x * float(len(seen)))[1])(
        []
    ),
    "a function that remembers": lambda: (lambda step: lambda x: x * step())(Count()),
}


class Count:
    n = 0

    def __call__(self) -> float:
        self.n += 1
        return float(self.n)


@pytest.mark.filterwarnings("ignore:NumPy drew random numbers")
@pytest.mark.parametrize("name", UNKNOWN)
def test_what_changes_by_itself_is_traced_at_every_call(name: str) -> None:
    g = pg.grad(UNKNOWN[name]())
    assert len({float(g(2.0)) for _ in range(4)}) == 4


def test_what_can_not_be_told() -> None:
    for function in (
        lambda x: x * eval("K"),
        lambda x: x * globals()["K"],
        lambda x: x * float(np.load("numbers.npy")),
        lambda x: x * helper.__globals__["K"],
        functools.lru_cache(lambda x: x),
        lambda x: x * OBJECTS[0],
    ):
        assert reads_of((function,)) is None


OBJECTS = np.ones(1, object)


def test_usual_functions_can_be_told() -> None:
    def f(x: Any, *rest: Any, flag: bool = True) -> Any:
        parts = [np.sin(x * i) for i in range(3)]
        total = sum(parts) + math.pi + max(len(parts), 1)
        if not flag:
            raise ValueError("no")
        return np.linalg.norm(np.stack([total, x])) + pg.logsumexp(np.stack(parts))

    reads = reads_of((f,))
    assert reads is not None
    assert reads.unchanged()
    assert reads.guard()()


def test_a_builtin_that_is_hidden_later(monkeypatch: pytest.MonkeyPatch) -> None:
    g = pg.grad(lambda x: x * float(abs(-2.0)))
    assert g(3.0) == 2.0
    monkeypatch.setitem(globals(), "abs", lambda x: 7.0)
    assert g(3.0) == 7.0


def test_a_closure_that_becomes_an_expression_and_a_number_again() -> None:
    k: list[Any] = [2.0]
    g = pg.grad(lambda x: x * k[0])

    def outer(w: Any) -> Any:
        k[0] = w
        return g(3.0) * w

    assert g(3.0) == 2.0
    assert pg.grad(outer)(5.0) == 10.0
    k[0] = 4.0
    assert g(3.0) == 4.0


def test_a_function_with_very_many_reads() -> None:
    arrays = [np.full(2, float(i)) for i in range(300)]
    g = pg.grad(lambda x: pg.sum(x * arrays[299]))
    np.testing.assert_array_equal(g(np.ones(2)), [299.0, 299.0])
    arrays[299][1] = 1.0
    np.testing.assert_array_equal(g(np.ones(2)), [299.0, 1.0])


def test_large_arrays_are_not_copied_twice() -> None:
    wide = np.arange(50_000.0)
    g = pg.grad(lambda x: pg.sum(x * wide))
    g(np.ones(50_000))
    (entry,) = g._signatures.entries.values()
    assert entry.reads is not None
    ((_, saved, _, _),) = entry.reads.arrays
    assert any(
        node.op.name == "constant" and node.attrs["value"].value is saved for node in entry.executable.graph.nodes
    )
    wide[-1] = -1.0
    assert g(np.ones(50_000))[-1] == -1.0
