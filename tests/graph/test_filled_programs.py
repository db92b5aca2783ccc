"""Random programs of writes, reads and views of arrays that are filled, against NumPy on arrays, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.graph.reference import evaluate

Step = Callable[[list[Any], Any], None]
BATCH = 25


class Program:
    """A list of steps, drawn while it runs on NumPy's arrays, and run again on expressions.

    A step takes the arrays so far, of which it may write one or append a view, and the argument. Of all arrays the
    elements are recorded after each step.
    """

    def __init__(self, seed: int, count: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.x = self.rng.uniform(0.5, 2.0, (3, 4))
        self.steps: list[Step] = [self.start()]
        arrays: list[Any] = []
        self.steps[0](arrays, self.x)
        while len(self.steps) < count:
            step = self.draw(arrays)
            try:
                step(arrays, self.x)
            except (ValueError, IndexError):  # read-only, or of a shape that does not fit
                continue
            self.steps.append(step)

    def run(self, x: Any) -> list[Any]:
        arrays: list[Any] = []
        seen: list[Any] = []
        for step in self.steps:
            step(arrays, x)
            seen += [a * 1.0 for a in arrays]
        return seen

    def start(self) -> Step:
        made: list[Callable[[Any], Any]] = [
            lambda x: np.zeros_like(x),
            lambda x: x.copy(),
            lambda x: np.full((2, 3, 2), 0.5, like=x),
            lambda x: np.ones(7, like=x),
            lambda x: np.array([x[0, 0], 2.0, x[1, 1]], like=x),
            lambda x: np.full_like(x, 3.0),
        ]
        chosen = made[self.rng.integers(len(made))]
        return lambda arrays, x: arrays.append(chosen(x))

    def draw(self, arrays: list[Any]) -> Step:
        return (self.view if self.rng.random() < 0.35 and len(arrays) < 6 else self.write)(arrays)

    def key(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
        found: list[Any] = []
        for n in shape[: self.rng.integers(len(shape) + 1)]:
            if n and self.rng.random() < 0.35:
                found.append(int(self.rng.integers(-n, n)))
            else:
                step = int(self.rng.choice([1, 1, 2, -1, -2]))
                a, b = sorted(int(k) for k in self.rng.integers(0, n + 1, 2))
                found.append(slice(a, b, step) if step > 0 else slice(b, a - 1 if a else None, step))
        if self.rng.random() < 0.2:
            found.insert(int(self.rng.integers(len(found) + 1)), None)
        if self.rng.random() < 0.2:
            found.append(...)
        return tuple(found)

    def view(self, arrays: list[Any]) -> Step:
        i = int(self.rng.integers(len(arrays)))
        a = arrays[i]
        key = self.key(a.shape)
        sizes = list(a.shape)
        self.rng.shuffle(sizes)
        axes = tuple(int(k) for k in self.rng.permutation(a.ndim))
        last = int(self.rng.integers(max(a.ndim, 1)))
        made: list[Callable[[Any], Any]] = [
            lambda a: a[key],
            lambda a: a[key],
            lambda a: a.T,
            lambda a: a.transpose(axes),
            lambda a: a.reshape(sizes),
            lambda a: np.reshape(a, -1),
            lambda a: a.ravel(),
            lambda a: np.flip(a, last) if a.ndim else a[...],
            lambda a: np.expand_dims(a, 0),
            lambda a: np.squeeze(a),
            lambda a: np.split(a, [1])[-1] if a.ndim else a[...],
            lambda a: np.broadcast_to(a, (2, *a.shape)),
            lambda a: np.swapaxes(a, 0, -1) if a.ndim else a[...],
            lambda a: np.moveaxis(a, 0, -1) if a.ndim else a[...],
            lambda a: a[::-1][:2] if a.ndim else a[...],
        ]
        chosen = made[self.rng.integers(len(made))]

        def step(arrays: list[Any], x: Any) -> None:
            found = chosen(arrays[i])
            if np.ndim(found) and np.size(found) < 40:  # an element is no view
                arrays.append(found)

        return step

    def write(self, arrays: list[Any]) -> Step:
        i, j = (int(k) for k in self.rng.integers(len(arrays), size=2))
        a, other = arrays[i], arrays[j]
        key = self.key(a.shape)
        places = np.shape(a[key])
        number = float(self.rng.uniform(0.5, 1.5))
        wide = self.rng.uniform(0.5, 1.5, places)
        row = self.rng.uniform(0.5, 1.5, places[-1:])
        mask = self.rng.random(a.shape) < 0.4
        flat = self.rng.integers(0, max(a.size, 1), 3)
        first = self.rng.integers(0, max(len(a) if a.ndim else 1, 1), 2)
        same = np.shape(other) == places

        def assign(value: Callable[[Any, list[Any]], Any]) -> Step:
            def step(arrays: list[Any], x: Any) -> None:
                arrays[i][key] = value(x, arrays)

            return step

        def into(do: Callable[[Any, Any], None]) -> Step:
            return lambda arrays, x: do(arrays[i], x)

        def add(a: Any, x: Any) -> None:
            a[key] += x[0, 1] * 0.1

        def scale(a: Any, x: Any) -> None:
            a[key] *= wide

        def whole(a: Any, x: Any) -> None:
            a -= number

        def masked(a: Any, x: Any) -> None:
            a[mask] = x[1, 0]

        def by_mask(a: Any, x: Any) -> None:
            a[a > 1.2] = 0.7

        def rows(a: Any, x: Any) -> None:
            a[first] = x[2, 3] if a.ndim else number

        made: list[Step] = [
            assign(lambda x, arrays: number),
            assign(lambda x, arrays: np.sin(x[0, 0]) * wide),
            assign(lambda x, arrays: row),
            assign(lambda x, arrays: arrays[j] if same else x[1, 2] * 0.5),
            assign(lambda x, arrays: arrays[i][key] * 0.5),
            assign(lambda x, arrays: arrays[i][key][::-1] if places else x[0, 3]),
            into(add),
            into(scale),
            into(whole),
            into(masked),
            into(by_mask),
            into(rows),
            into(lambda a, x: a.fill(number)),
            into(lambda a, x: np.copyto(a, x[2, 2], where=mask)),
            into(lambda a, x: np.put(a, flat, [number, 2.0])),
            into(lambda a, x: np.putmask(a, mask, wide.ravel()[:2] if wide.size > 1 else number)),
            into(lambda a, x: np.add.at(a, first, x[0, 2])),
            into(lambda a, x: np.multiply(a, 1.5, out=a)),
        ]
        return made[self.rng.integers(len(made))]


def agrees(program: Program) -> bool:
    """Whether all elements are NumPy's after each step; False where pygraph refuses a step."""
    wanted = program.run(program.x)
    try:
        found = evaluate(pg.trace(program.run, program.x), program.x)
    except pg.UnsupportedError:
        return False
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    return True


@pytest.mark.parametrize("first", range(0, 200, BATCH))
def test_programs_do_what_numpy_does(first: int) -> None:
    done = sum(agrees(Program(seed, 12)) for seed in range(first, first + BATCH))
    assert done >= 0.8 * BATCH, "most programs are taken"


@pytest.mark.deep
@pytest.mark.parametrize("first", range(1000, 11000, 500))
def test_many_more_programs(first: int) -> None:
    done = sum(agrees(Program(seed, 25)) for seed in range(first, first + 500))
    assert done >= 0.7 * 500


@pytest.mark.parametrize("first", [0, 4])
def test_programs_compiled_and_their_derivatives(first: int) -> None:
    programs = [p for p in (Program(seed, 10) for seed in range(first, first + 4)) if agrees(p)]
    xs = [p.x for p in programs]

    def run(xs: list[Any]) -> list[list[Any]]:
        return [p.run(x) for p, x in zip(programs, xs, strict=True)]

    for found, wanted in zip(pg.compile(run)(xs), run(xs), strict=True):
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)

    def total(xs: list[Any]) -> Any:
        return sum(np.sum(np.sin(a)) for found in run(xs) for a in found if a.size)

    pg.check_grads(total, (xs,), order=1)
