"""Random functions that are singular where they are not read: derivatives against those of each element's own path.

The oracle is forward mode on single elements: a number and its derivatives by the elements of x that it depends on, no
entry where there is no path. So a structural zero takes no part in it, and what it finds finite has to be found.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import COMPILER_MARKS

import pygraph as pg

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Element:
    """A number and its derivative by each element of x that it depends on."""

    value: float
    derivatives: dict[int, float]

    @property
    def finite(self) -> bool:
        return math.isfinite(self.value) and all(map(math.isfinite, self.derivatives.values()))


def _chain(value: float, *terms: tuple[float, Element]) -> Element:
    derivatives: dict[int, float] = {}
    with np.errstate(all="ignore"):
        for partial_, element in terms:
            for key, derivative in element.derivatives.items():
                derivatives[key] = derivatives.get(key, 0.0) + float(np.float64(partial_) * np.float64(derivative))
    return Element(value, derivatives)


#: Functions of one number with their derivatives; those of the first group are infinite or nan at 0.
SINGULAR: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "log": (np.log, lambda x: 1 / x),
    "reciprocal": (lambda x: 1.0 / x, lambda x: -1 / x**2),
    "x log x": (lambda x: x * np.log(x), lambda x: np.log(x) + 1),
    "power": (lambda x: x**0.3, lambda x: 0.3 * x ** np.float64(-0.7)),
    "norm": (lambda x: np.sqrt(x * x), lambda x: x / np.sqrt(x * x)),
    "angle": (lambda x: np.arctan2(x, 2.0 * x), lambda x: 0 * x / x),
}
SMOOTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sine": (np.sin, np.cos),
    "square": (np.square, lambda x: 2 * x),
    "scaled": (lambda x: 1.5 * x, lambda x: 1.5 + 0 * x),
    "shifted": (lambda x: x + 0.25, lambda x: 1.0 + 0 * x),
}
FUNCTIONS = SINGULAR | SMOOTH


def _mapped(name: str, xs: Array) -> Array:
    f, derivative = FUNCTIONS[name]
    found = np.empty(xs.shape, object)
    with np.errstate(all="ignore"):
        for place, x in np.ndenumerate(xs):
            value = np.float64(x.value)
            found[place] = _chain(float(f(value)), (float(derivative(value)), x))
    return found


def _summed(rows: Array) -> Array:
    """The sum along the last axis of an array of elements."""
    found = np.empty(rows.shape[:-1], object)
    for place in np.ndindex(found.shape):
        found[place] = _chain(sum(x.value for x in rows[place]), *((1.0, x) for x in rows[place]))
    return found


def _product(xs: Array, ys: Array) -> Array:
    pairs = zip(xs, ys, strict=True)
    return np.array([_chain(x.value * y.value, (y.value, x), (x.value, y)) for x, y in pairs] + [None])[:-1]


class Exact:
    """The instructions on arrays of elements."""

    @staticmethod
    def apply(name: str, x: Array) -> Array:
        return _mapped(name, x)

    @staticmethod
    def positive(x: Array) -> Array:
        return np.array([e.value > 0.1 for e in x], bool)

    @staticmethod
    def where(mask: Array, x: Array, y: Array) -> Array:
        return np.where(mask, x, y)

    @staticmethod
    def zeros(x: Array) -> Array:
        return np.array([Element(0.0, {}) for _ in x] + [None])[:-1]

    @staticmethod
    def add(x: Array, y: Array) -> Array:
        return _summed(np.stack([x, y], -1))

    multiply = staticmethod(_product)

    @staticmethod
    def row_sums(x: Array, rows: int) -> Array:
        return np.repeat(_summed(np.reshape(x, (rows, -1))), len(x) // rows)

    @staticmethod
    def turned(x: Array, rows: int) -> Array:
        return np.ravel(np.reshape(x, (rows, -1)).T)

    scanned = apply

    @staticmethod
    def accumulated(name: str, x: Array) -> Array:
        carry, found = Element(0.0, {}), []
        for u in x:
            (made,) = _mapped(name, np.array([carry, None])[:1])
            carry = _chain(made.value + u.value, (1.0, made), (1.0, u))
            found.append(carry)
        return np.array([*found, None])[:-1]

    @staticmethod
    def branched(flag: Callable[[Any], Any], name: str, other: str, x: Array) -> Array:
        return _mapped(name if flag([e.value for e in x]) else other, x)

    @staticmethod
    def updated(x: Array, y: Array, index: Array) -> Array:
        found = x.copy()
        found[index] = y[index]
        return found


class Traced:
    """The same on expressions."""

    @staticmethod
    def apply(name: str, x: Any) -> Any:
        return FUNCTIONS[name][0](x)

    @staticmethod
    def positive(x: Any) -> Any:
        return x > 0.1

    where = staticmethod(np.where)
    zeros = staticmethod(lambda x: np.zeros(x.shape))
    add = staticmethod(np.add)
    multiply = staticmethod(np.multiply)

    @staticmethod
    def row_sums(x: Any, rows: int) -> Any:
        sums = np.sum(np.reshape(x, (rows, -1)), axis=1, keepdims=True)
        return np.ravel(np.broadcast_to(sums, (rows, x.shape[0] // rows)))

    @staticmethod
    def turned(x: Any, rows: int) -> Any:
        return np.ravel(np.reshape(x, (rows, -1)).T)

    @staticmethod
    def scanned(name: str, x: Any) -> Any:
        return pg.scan(lambda c, u: (c, FUNCTIONS[name][0](u)), 0.0, x)[1]

    @staticmethod
    def accumulated(name: str, x: Any) -> Any:
        def step(c: Any, u: Any) -> Any:
            c = FUNCTIONS[name][0](c) + u
            return c, c

        return pg.scan(step, 0.0, x)[1]

    @staticmethod
    def branched(flag: Callable[[Any], Any], name: str, other: str, x: Any) -> Any:
        return pg.cond(flag(x), FUNCTIONS[name][0], FUNCTIONS[other][0], x)

    @staticmethod
    def updated(x: Any, y: Any, index: Array) -> Any:
        return x.at[index].set(y[index])


Step = Callable[[Any, list[Any]], Any]


class Program:
    """Random instructions on vectors of six elements, some of them 0; what is not finite is left out at the end.

    Drawn again until some elements on the way are not finite, and some of those at the end are and depend on x.
    """

    def __init__(self, seed: int, length: int = 7) -> None:
        for attempt in range(1000):
            self.random = np.random.default_rng([seed, attempt])
            self.x = np.where(self.random.random(6) < 0.4, 0.0, np.round(self.random.uniform(0.2, 2.0, 6), 3))
            self.steps: list[Step] = [self.step() for _ in range(length)]
            values = self._run(
                Exact, np.array([Element(float(v), {i: 1.0}) for i, v in enumerate(self.x)] + [None])[:-1]
            )
            self.kept = np.array([x.finite for x in values[-1]])
            self.jacobian = np.zeros((6, 6))
            for i, element in enumerate(values[-1]):
                for j, derivative in element.derivatives.items() if self.kept[i] else ():
                    self.jacobian[i, j] = derivative
            met = sum(not x.finite for found in values for x in found)
            if met > 1 and self.kept.sum() > 1 and (self.jacobian != 0).sum() > 3:
                return

    def _run(self, ops: Any, x: Any) -> list[Any]:
        values = [x]
        for step in self.steps:
            values.append(step(ops, values))
        return values

    def __call__(self, x: Any) -> Any:
        return np.where(self.kept, self._run(Traced, x)[-1], 0.0)

    def step(self) -> Step:
        random = self.random
        back, other = int(random.integers(1, 3)), int(random.integers(1, 4))
        singular, smooth = random.choice(list(SINGULAR)), random.choice(list(SMOOTH))
        name = singular if random.random() < 0.6 else smooth
        rows = int(random.choice([1, 2, 3]))
        index = random.permutation(6)[: random.integers(1, 6)]
        mask = random.random(6) < 0.6
        cut = int(random.integers(1, 6))

        def first(values: list[Any]) -> Any:
            return values[-min(back, len(values))]

        def second(values: list[Any]) -> Any:
            return values[-min(other, len(values))]

        def joined(ops: Any, v: list[Any]) -> Any:
            return np.concatenate([first(v)[cut:], second(v)[:cut]])

        def chosen(ops: Any, v: list[Any]) -> Any:
            return ops.where(ops.positive(first(v)), ops.apply(singular, first(v)), second(v))

        kinds: list[Step] = [
            lambda ops, v: ops.apply(name, first(v)),
            lambda ops, v: ops.apply(singular, first(v)),
            chosen,
            lambda ops, v: ops.where(ops.positive(first(v)), ops.zeros(first(v)), second(v)),
            lambda ops, v: ops.where(mask, first(v), second(v)),
            lambda ops, v: ops.add(first(v), second(v)),
            lambda ops, v: ops.multiply(first(v), second(v)),
            lambda ops, v: ops.row_sums(ops.where(mask, first(v), ops.zeros(first(v))), rows),
            lambda ops, v: ops.turned(first(v), 2),
            joined,
            lambda ops, v: first(v)[::-1],
            lambda ops, v: first(v)[np.resize(index, 6)],
            lambda ops, v: ops.updated(first(v), second(v), index),
            lambda ops, v: ops.scanned(name, first(v)),
            lambda ops, v: ops.accumulated(name, first(v)),
            lambda ops, v: ops.branched(lambda x: x[cut] > 0.1, name, smooth, first(v)),
        ]
        return kinds[int(random.integers(len(kinds)))]


def compare(seed: int, backend: str = "vm") -> None:
    program = Program(seed)
    run = partial(pg.compile, backend=backend)
    close = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12, err_msg=f"seed {seed}")
    x, wanted = program.x, program.jacobian
    ct = np.linspace(0.5, 1.5, 6)
    close(run(pg.grad(lambda x: np.sum(ct * program(x))))(x), ct @ wanted)
    close(run(pg.jacrev(program))(x), wanted)
    close(run(pg.jacfwd(program))(x), wanted)
    close(run(pg.jacobian(program))(x), wanted)
    close(run(lambda x, t: pg.jvp(program, (x,), (t,))[1])(x, ct), wanted @ ct)
    close(pg.jacobian(program, sparse=True)(x).toarray(), wanted)
    batch = run(pg.grad(lambda xs: np.sum(ct * pg.vmap(program)(xs))))(np.stack([x, x]))
    close(batch, np.stack([ct @ wanted] * 2))
    # of the second order the two modes have to agree, and with zeros where there is no path
    gradient = pg.grad(lambda x: np.sum(ct * program(x)))
    close(run(pg.jacfwd(gradient))(x), run(pg.jacrev(gradient))(x))


@pytest.mark.parametrize("seed", range(12))
def test_random_functions_that_are_singular_where_they_are_not_read(seed: int) -> None:
    compare(seed)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12, 212))
def test_many_random_functions_that_are_singular_where_they_are_not_read(seed: int) -> None:
    compare(seed)


@COMPILER_MARKS[0]
@COMPILER_MARKS[1]
@pytest.mark.deep
@pytest.mark.parametrize("seed", range(8))
def test_both_tiers_agree_to_the_last_bit(seed: int) -> None:
    program = Program(seed)
    f = lambda x: (pg.jacrev(program)(x), pg.jacfwd(program)(x), pg.jacfwd(pg.grad(lambda x: np.sum(program(x))))(x))  # noqa: E731
    found = [pg.compile(f, backend=backend)(program.x) for backend in ("vm", "native")]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
