"""How work is cut: by `lower` alone, as words that C follows and refuses where they are damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import needs_compiler
from programs import instructions, word_of

from pygraph.errors import ProgramError
from pygraph.graph import Graph, var
from pygraph.lower import Program, cuts, lower
from pygraph.lower.cuts import Cut, map_cut, panels, reduction_cut
from pygraph.lower.format import MAX_PARTIALS
from pygraph.lower.instructions import Loop, Matmul
from pygraph.ops import matmul, sin, sum
from pygraph.runtime.call.executable import Executable
from pygraph.runtime.clib.library import Library

SIZES = (0, 1, 2, 15, 16, 31, 32, 33, 100, 513, 4096, 32_768, 100_000, 3_000_000)


@pytest.mark.parametrize("block", [128, 512])
def test_a_task_is_within_its_space(block: int) -> None:
    for outer in SIZES:
        cut = map_cut(outer, 3, block)
        assert cut == Cut(min(max(outer, 1), cuts.CHUNK), 1, 1)
        for rows in SIZES:
            for inner in SIZES:
                cut = reduction_cut(outer, rows, inner, block)
                for each, size in zip(cut, (outer, rows, inner), strict=True):
                    assert 1 <= each <= max(size, 1)
                whole = cut.rows >= rows and cut.inner >= inner
                assert whole or cut.outer == 1
                assert cut.inner >= inner or cut.inner % block == 0
                assert cut.partials(rows) <= MAX_PARTIALS
                assert cut.partials(rows) * cuts.MIN_ROWS_PER_PARTIAL <= max(rows, cuts.MIN_ROWS_PER_PARTIAL) + 16 * 64
                if rows * inner <= cuts.CHUNK:
                    assert whole, "its bits would depend on more than the order of its rows"


def test_long_maps_have_short_tasks() -> None:
    assert map_cut(10**6, 16, 512).outer == cuts.CHUNK
    assert map_cut(10**6, 160, 512).outer == 3072
    assert map_cut(10**6, 10**6, 512).outer == 512


@pytest.mark.parametrize(
    ("batch", "m", "n", "k"), [(1, 5000, 64, 64), (7, 600_000, 1, 2), (500, 8, 8, 8), (3, 0, 1, 1)]
)
def test_panels_are_rows_or_whole_products(batch: int, m: int, n: int, k: int) -> None:
    cut = panels(batch, m, n, k)
    assert 1 <= cut.rows <= max(m, 1)
    assert 1 <= cut.products <= batch
    assert cut.rows >= m or cut.products == 1
    covered = cut.tasks(batch, m, n) * cut.rows * cut.products
    assert covered >= batch * m
    assert covered < batch * m + batch * cut.rows + cut.products * max(m, 1)


def reductions() -> tuple[Graph, tuple[np.ndarray, ...]]:
    x, y, w = var("x", (1931, 37)), var("y", (3, 811, 5)), var("w", (37, 41))
    graph = Graph(
        [x, y, w],
        (
            sum(sin(x), axis=0),
            sum(sin(y), axis=1),
            sum(x * 3.0),
            sin(y),
            matmul(x, w),
            y.T @ y.T.swapaxes(1, 2),
        ),
    )
    return graph, tuple(np.random.default_rng(5).standard_normal(v.shape) for v in (x, y, w))


@pytest.mark.sanitize
def test_c_follows_any_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other cuts make other tasks and partial results, and values that differ by rounding alone."""
    monkeypatch.delenv("PYGRAPH_BACKEND", raising=False)
    graph, arrays = reductions()
    expected = Executable(graph, backend="vm")(*arrays)
    for chunk, rows in ((500, 1), (3000, 2)):
        monkeypatch.setattr(cuts, "CHUNK", chunk)
        monkeypatch.setattr(cuts, "MIN_ROWS_PER_PARTIAL", rows)
        monkeypatch.setattr(cuts, "PANEL_ROWS", 10)
        monkeypatch.setattr(cuts, "PANEL_WORK", chunk * 100)
        program = lower(graph)
        cut = [one for one in instructions(program) if isinstance(one, Loop | Matmul)]
        assert all(one.tasks > 1 for one in cut)
        assert any(isinstance(one, Loop) and one.scratch >= 0 for one in cut)
        for threads in (1, 3):
            found = Executable(graph, backend="vm", threads=threads)(*arrays)
            for ours, theirs in zip(found, expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        assert any((ours != theirs).any() for ours, theirs in zip(found, expected, strict=True))


@needs_compiler
def test_emitted_c_follows_any_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYGRAPH_BACKEND", raising=False)
    graph, arrays = reductions()
    monkeypatch.setattr(cuts, "CHUNK", 700)
    monkeypatch.setattr(cuts, "MIN_ROWS_PER_PARTIAL", 3)
    monkeypatch.setattr(cuts, "PANEL_ROWS", 20)
    monkeypatch.setattr(cuts, "PANEL_WORK", 40_000)
    vm, native = (Executable(graph, backend=backend, threads=2)(*arrays) for backend in ("vm", "native"))
    for ours, theirs in zip(vm, native, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def damaged(program: Program, words: dict[tuple[str, int], int]) -> Program:
    """A Program with other words in its last instruction: by field, and by the word of it."""
    changed = program.words.copy()
    for (field, at), value in words.items():
        changed[word_of(program, field, at)] = value
    return replace(program, words=changed)


x, y = var("x", (1000, 700)), var("y", (4, 40, 5))
OUTER, ROWS, INNER, PRODUCTS = ("cut", 0), ("cut", 1), ("cut", 2), ("cut", 1)


@pytest.mark.parametrize(
    ("graph", "words", "said"),
    [
        (Graph([y], sin(y)), {OUTER: 0}, "cut outer can't be 0"),
        (Graph([y], sin(y)), {OUTER: 801}, "801 of 800 indices can't be a task"),
        (Graph([y], sin(y)), {ROWS: 2}, "2 of 1 indices can't be a task"),
        (Graph([y], sin(y)), {("space", 0): 400, ("space", 1): 2}, "is not a view of its 800 elements"),
        (Graph([y], sum(y, axis=1)), {OUTER: 2, ROWS: 39}, "several outer indices and not all of each"),
        (Graph([x], sum(x, axis=0)), {ROWS: -1}, "cut rows can't be -1"),
        (Graph([x], sum(x, axis=0)), {ROWS: 15}, "67 partial results of one are too many"),
        (Graph([x], sum(x, axis=0)), {ROWS: 20}, "lie outside slot"),
        (Graph([x], sum(x, axis=0)), {INNER: 600}, "no whole blocks"),
        (Graph([y], matmul(y, y.swapaxes(1, 2))), {OUTER: 0}, "cut rows can't be 0"),
        (Graph([y], matmul(y, y.swapaxes(1, 2))), {PRODUCTS: 5}, "40 of 40 rows of 5 products can't be a task"),
        (Graph([y], matmul(y, y.swapaxes(1, 2))), {OUTER: 39}, "39 of 40 rows of 4 products can't be a task"),
    ],
)
def test_damaged_cuts_are_refused(graph: Graph, words: dict[tuple[str, int], int], said: str) -> None:
    program = lower(graph)
    Library(program, "as it is")
    with pytest.raises(ProgramError, match=said.replace(" ", r"\s+")):
        Library(damaged(program, words), "damaged")
