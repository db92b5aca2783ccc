"""Programs grow linearly with their graphs: counts, not times."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from programs import derived, opcodes

from pygraph.graph import Graph, var
from pygraph.lower import Program, lower
from pygraph.ops import exp, matmul, sin, sum, tanh


def scalars(count: int) -> Graph:
    x, y = var("x"), var("y")
    z = x
    for _ in range(count // 2):
        z = sin(z) * y
    return Graph([x, y], z)


def arrays(count: int) -> Graph:
    x = y = var("x", (3, 3))
    for i in range(count // 2):
        y = tanh(y) if i % 2 else matmul(y, x)
    return Graph([x], sum(y))


def wide(count: int) -> Graph:
    x = var("x", (7,))
    return Graph([x], sum(exp(x)) + sum_of_parts(x, count))


def sum_of_parts(x: object, count: int) -> object:
    total = 0.0
    for i in range(count // 4):
        total = total + sum(sin(x * float(i)))  # type: ignore[operator]
    return total


def size(program: Program) -> tuple[int, int, int]:
    return len(program.words), program.micro_operations, program.instructions


@pytest.mark.parametrize("make", [scalars, arrays, wide])
def test_words_grow_linearly(make: Callable[[int], Graph]) -> None:
    small, large = (size(lower(make(n))) for n in (1000, 4000))
    for a, b in zip(small, large, strict=True):
        assert b <= 4.2 * a + 50


@pytest.mark.parametrize("make", [scalars, arrays])
def test_derivatives_grow_linearly(make: Callable[[int], Graph]) -> None:
    sizes = []
    for n in (300, 1200):
        whole, segments, groups = derived(make(n))
        sizes.append(size(lower(whole, segments, groups)))
    for a, b in zip(*sizes, strict=True):
        assert b <= 4.2 * a + 50


@pytest.mark.parametrize("count", [5_000, pytest.param(20_000, marks=pytest.mark.deep)])
def test_many_scalar_operations(count: int) -> None:
    """One instruction, in an arena of a few cells."""
    program = lower(scalars(count))
    assert opcodes(program) == {"SCALAR": 1}
    assert program.micro_operations == count
    assert program.arena_bytes <= 64, "a chain needs two or three cells"


@pytest.mark.parametrize("count", [800, pytest.param(3_000, marks=pytest.mark.deep)])
def test_derivatives_of_many_scalar_operations(count: int) -> None:
    """Forward, reverse and tangent: one instruction each, and at most eight operations for one of the graph."""
    whole, segments, groups = derived(scalars(count))
    program = lower(whole, segments, groups)
    assert opcodes(program) == {"SCALAR": 3}
    assert program.micro_operations <= 8 * count
    assert program.arena_bytes <= 3 * 8 * count
