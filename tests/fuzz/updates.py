"""Random loops that update the arrays they carry: elements read before and after, swaps, aliases, branches, nesting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz.graphs import Sample

import pygraph as pg
from pygraph.graph import Graph, Node, cond, fori_loop, scan, var, while_loop
from pygraph.ops import sum as total, take

#: Elements of the vectors, and sides of the matrix.
N, ROWS, COLUMNS = 6, 3, 4
State = list[Any]


class Body:
    """Statements of one step, drawn once: tracing the step more than once gives the same."""

    def __init__(self, seed: int, depth: int) -> None:
        rng = np.random.default_rng(seed)
        self.statements = [_statement(rng, depth) for _ in range(int(rng.integers(1, 5)))]

    def __call__(self, i: Any, state: State) -> State:
        state = list(state)
        for statement in self.statements:
            statement(i, state)
        return state


Statement = Callable[[Any, State], None]


def _index(rng: np.random.Generator, size: int) -> Callable[[Any], Any]:
    """An index into an axis: known or not, one or several, equal ones among them, from the end."""
    k, m = int(rng.integers(size)), int(rng.integers(1, 4))
    return [
        lambda i: (i * m + k) % size,
        lambda i: k,
        lambda i: k - size,
        lambda i: np.array([k, (k + m) % size]),
        lambda i: pg.stack([i % size, (i + m) % size]),
        lambda i: pg.stack([i % size, k]),
        lambda i: slice(k // 2, k // 2 + 2),
    ][int(rng.integers(7))]


def _value(rng: np.random.Generator, which: int) -> Callable[[Any, State], Any]:
    """A number made of elements of a vector of the state."""
    read = _index(rng, N)
    scale = float(np.round(rng.uniform(-0.9, 0.9), 2))
    return [
        lambda i, s: s[which][(i + 1) % N] * scale + 0.5,
        lambda i, s: total(s[which][read(i)]) * scale,
        lambda i, s: total(s[which]) * scale * 0.1,
        lambda i, s: s[which][0] * s[1 - which][N - 1] * scale,
        lambda i, s: s[2][i % ROWS, 1] * scale,
        lambda i, s: scale,
    ][int(rng.integers(6))]


def _statement(rng: np.random.Generator, depth: int) -> Statement:
    which = int(rng.integers(2))
    at, value, other = _index(rng, N), _value(rng, which), _value(rng, 1 - which)
    adds = bool(rng.random() < 0.4)
    row, column = _index(rng, ROWS), int(rng.integers(COLUMNS))
    inner, arms = int(rng.integers(1 << 30)), rng.random(3)

    def put(x: Any, index: Any, v: Any) -> Any:
        return x.at[index].add(v) if adds else x.at[index].set(v)

    def update(i: Any, s: State) -> None:
        s[which] = put(s[which], at(i), value(i, s))

    def update_from_old(i: Any, s: State) -> None:
        old = s[which]
        s[which] = put(old, at(i), value(i, s))
        s[1 - which] = put(s[1 - which], at(i), other(i, s) + old[(i + 2) % N] * 0.25)

    def moved_along(i: Any, s: State) -> None:
        s[which] = put(s[which], slice(1, N), s[which][: N - 1] * 0.5)

    def swap(i: Any, s: State) -> None:
        s[0], s[1] = s[1], put(s[0], at(i), value(i, s))

    def alias(i: Any, s: State) -> None:
        s[1 - which] = s[which]
        s[which] = put(s[which], at(i), value(i, s))

    def whole(i: Any, s: State) -> None:
        s[which] = s[which] * 0.5 + s[1 - which] * 0.25

    def matrix(i: Any, s: State) -> None:
        s[2] = put(s[2], (row(i), column), value(i, s))

    def matrix_row(i: Any, s: State) -> None:
        s[2] = put(s[2], i % ROWS, take(s[2], (i + 1) % ROWS, axis=0) * 0.5)

    def choose(i: Any, s: State) -> None:
        change = [lambda x, v: put(x, i % N, v), lambda x, v: x * 0.5, lambda x, v: put(x * 0.5, i % N, v)]
        keep = [lambda x, v: x, lambda x, v: put(x, (i + 1) % N, v + 1.0), lambda x, v: x * 0.0 + v]
        first, second = change[int(3 * arms[0])], keep[int(3 * arms[1])]
        s[which] = cond(i % 2 == 0 if arms[2] < 0.7 else s[which][0] > 0.1, first, second, s[which], value(i, s))

    def nested(i: Any, s: State) -> None:
        if depth:
            body = Body(inner, depth - 1)
            s[:] = fori_loop(0, 2, lambda j, t: tuple(body(i + j, list(t))), tuple(s))

    choices = [update, update, update_from_old, moved_along, swap, alias, whole, matrix, matrix_row, choose, nested]
    return choices[int(rng.integers(len(choices)))]


def grow_updates(seed: int, prefix: str = "") -> Sample:
    """One loop of a few steps over two vectors and a matrix."""
    rng = np.random.default_rng([seed, 21])
    x, y, m = var(f"{prefix}x", (N,)), var(f"{prefix}y", (N,)), var(f"{prefix}m", (ROWS, COLUMNS))
    body = Body(seed, 1)
    first = [x, x * 0.5, y][int(rng.integers(3))]
    init: State = [first, first if rng.random() < 0.3 else y, m if rng.random() < 0.5 else m * 2.0]
    steps, stacks = int(rng.integers(1, 5)), int(rng.integers(3))

    def step(state: Any, i: Any) -> tuple[Any, Any]:
        made = body(i, list(state))
        return tuple(made), [None, made[0][1], (made[0], made[2][0])][stacks]

    kind = int(rng.integers(3))
    if kind == 0:
        carry, ys = fori_loop(0, steps, lambda i, s: tuple(body(i, list(s))), tuple(init)), None
    elif kind == 1:
        carry, ys = scan(step, tuple(init), np.arange(steps), reverse=bool(rng.random() < 0.5))
    else:
        grown = lambda s: (s[0] + 1, *body(s[0], list(s[1:])))  # noqa: E731
        carry, ys = while_loop(lambda s: s[0] < steps, grown, (0, *init), limit=6)[1:], None
    outputs: list[Node] = [z for z in carry if isinstance(z, Node)]
    outputs += [] if ys is None else [ys] if isinstance(ys, Node) else list(ys)
    if rng.random() < 0.3:
        outputs += [z for z in init if z.op.name != "input"]
    arrays = [rng.uniform(-1, 1, z.shape) for z in (x, y, m)]
    return Sample(Graph([x, y, m], tuple(outputs)), arrays)


def several_updates(seeds: range) -> Sample:
    """Several of them side by side in one graph."""
    samples = [grow_updates(seed, f"s{seed}") for seed in seeds]
    inputs = [x for sample in samples for x in sample.graph.inputs]
    outputs = [y for sample in samples for y in sample.graph.outputs]
    return Sample(Graph(inputs, tuple(outputs)), [x for sample in samples for x in sample.arrays])
