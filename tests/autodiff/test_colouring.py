"""Colourings: few colours where theory says few, valid by an independent check, and every entry recovered."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pygraph.autodiff.jacobians import colouring as colouring_module
from pygraph.autodiff.jacobians.colouring import (
    Colouring,
    colour_both,
    colour_columns,
    colour_rows,
    colour_symmetric,
    colourings,
    recovery,
)
from pygraph.autodiff.jacobians.pattern import Pattern


def banded(n: int, width: int) -> Pattern:
    i = np.arange(n)
    pairs = [(i[max(0, -d) : n - max(0, d)], d) for d in range(-width, width + 1)]
    return Pattern.of_entries(
        np.concatenate([rows for rows, _ in pairs]), np.concatenate([rows + d for rows, d in pairs]), (n, n)
    )


def arrow(n: int, tip: int = 0) -> Pattern:
    i = np.arange(n)
    return Pattern.of_entries(np.concatenate([i, i, 0 * i + tip]), np.concatenate([i, 0 * i + tip, i]), (n, n))


def grid(n: int) -> Pattern:
    at = np.arange(n * n).reshape(n, n)
    pairs = [(at, at), (at[1:], at[:-1]), (at[:-1], at[1:]), (at[:, 1:], at[:, :-1]), (at[:, :-1], at[:, 1:])]
    rows, columns = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))
    return Pattern.of_entries(rows, columns, (n * n, n * n))


def products(matrix: Any, colouring: Colouring) -> Any:
    """All products that a colouring asks for, put end to end, from the dense matrix."""
    seeds = np.arange(colouring.tangents)[:, None] == colouring.column_colours
    back = np.arange(colouring.cotangents)[:, None] == colouring.row_colours
    return np.concatenate([(seeds @ matrix.T).ravel(), (back @ matrix).ravel()])


def check(pattern: Pattern, colouring: Colouring) -> None:
    """The entries of a random matrix come out of the products as they went in."""
    rng = np.random.default_rng(1)
    matrix = rng.uniform(1, 2, pattern.shape) * pattern.dense()
    if colouring.kind == "star":
        matrix = matrix + matrix.T
    found = products(matrix, colouring)[recovery(pattern, colouring)]
    np.testing.assert_array_equal(found, matrix[pattern.rows, pattern.indices])


def check_columns(pattern: Pattern, colouring: Colouring) -> None:
    """No two columns of a colour meet in a row, by looking at all pairs."""
    dense = pattern.dense()
    for row in dense:
        colours = colouring.column_colours[row]
        assert (colours >= 0).all()
        assert len(set(colours.tolist())) == len(colours)
    assert set(colouring.column_colours[dense.any(0)].tolist()) == set(range(colouring.tangents))


def check_star(pattern: Pattern, colours: Any) -> None:
    """Neighbours differ, and every path over four vertices has three colours."""
    near = [set(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(pattern.dense())]
    for b, others in enumerate(near):
        for c in others:
            assert colours[b] != colours[c]
            for a in near[b] - {c}:
                for d in near[c] - {a, b}:
                    assert len({colours[v] for v in (a, b, c, d)}) > 2, (a, b, c, d)


def test_ten_thousand_in_three_colours() -> None:
    pattern = banded(10_000, 1)
    assert colour_columns(pattern).tangents == 3
    assert colour_rows(pattern).cotangents == 3
    assert colour_symmetric(pattern).tangents == 3
    found = colour_both(pattern)
    assert (found.kind, found.tangents, found.cotangents) == ("column", 3, 0)


@pytest.mark.parametrize("width", [0, 1, 2, 5])
def test_a_band_needs_its_width(width: int) -> None:
    pattern = banded(60, width)
    found = colour_columns(pattern)
    assert found.tangents == 2 * width + 1
    check_columns(pattern, found)
    check(pattern, found)


def test_a_grid_needs_five() -> None:
    found = colour_columns(grid(100))
    assert found.tangents == 5
    small = grid(12)
    check_columns(small, colour_columns(small))
    for colouring in [*colourings(small), colour_symmetric(small)]:
        check(small, colouring)


@pytest.mark.parametrize("tip", [0, 37, 99])
def test_an_arrow_is_coloured_in_both_directions(tip: int) -> None:
    pattern = arrow(100, tip)
    assert colour_columns(pattern).tangents == colour_rows(pattern).cotangents == 100
    found = colour_both(pattern)
    assert (found.kind, found.tangents + found.cotangents) == ("bidirectional", 3)
    check(pattern, found)
    star = colour_symmetric(pattern)
    assert (star.kind, star.tangents) == ("star", 2)
    check_star(pattern, star.column_colours)
    check(pattern, star)


def test_an_arrow_of_ten_thousand() -> None:
    found = colour_both(arrow(10_000))
    assert found.tangents + found.cotangents == 3


def test_full_rows_and_columns_among_few_others() -> None:
    """Three full rows, two full columns and a band: 2 columns, 3 band colours and 3 rows."""
    dense = banded(80, 1).dense()
    dense[[3, 30, 60]] = True
    dense[:, [10, 50]] = True
    pattern = Pattern.of_entries(*np.nonzero(dense), dense.shape)
    found = colour_both(pattern)
    assert found.kind == "bidirectional"
    assert (found.tangents, found.cotangents) == (5, 3)
    check(pattern, found)


def test_wide_and_tall_matrices_choose_their_side() -> None:
    wide = Pattern.of_entries(np.repeat([0, 1], 50), np.tile(np.arange(50), 2), (2, 50))
    assert (colour_both(wide).kind, colour_both(wide).cotangents) == ("row", 2)
    assert (colour_both(wide.transposed).kind, colour_both(wide.transposed).tangents) == ("column", 2)


def test_lines_without_entries_take_no_colour() -> None:
    pattern = Pattern.of_entries(np.array([1]), np.array([2]), (3, 4))
    assert colour_columns(pattern).column_colours.tolist() == [-1, -1, 0, -1]
    nothing = Pattern.of_entries(np.zeros(0, int), np.zeros(0, int), (3, 4))
    for found in colourings(nothing):
        assert (found.tangents, found.cotangents, found.cost) == (0, 0, 0)
        assert not len(recovery(nothing, found))


@pytest.mark.parametrize("pairs", [0, 10**9])
@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    density=st.floats(0.02, 0.6),
    full=st.integers(0, 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_patterns(pairs: int, shape: tuple[int, int], density: float, full: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random(shape) < density
    dense[rng.integers(0, shape[0], full)] = True
    dense[:, rng.integers(0, shape[1], full)] = True
    pattern = Pattern.of_entries(*np.nonzero(dense), shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colouring_module, "PAIRS", pairs)
        found = colourings(pattern)
        check_columns(pattern, found[0])
        check_columns(
            pattern.transposed, Colouring("column", found[1].row_colours, np.zeros(0), found[1].cotangents, 0)
        )
        for colouring in found:
            check(pattern, colouring)
        assert colour_both(pattern).cost == min(colouring.cost for colouring in found)
        assert found[0].tangents >= dense.sum(1).max()


@settings(max_examples=80)
@given(n=st.integers(1, 16), density=st.floats(0.02, 0.7), diagonal=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_random_symmetric_patterns(n: int, density: float, diagonal: bool, seed: int) -> None:
    dense = np.random.default_rng(seed).random((n, n)) < density
    dense = (dense | dense.T) & ~np.eye(n, dtype=bool) | (np.eye(n, dtype=bool) if diagonal else False)
    pattern = Pattern.of_entries(*np.nonzero(dense), (n, n))
    found = colour_symmetric(pattern)
    if found.kind == "star":
        check_star(pattern, found.column_colours)
    check(pattern, found)
    assert found.tangents <= colour_columns(pattern).tangents


def test_a_star_colouring_beats_columns_where_mirrors_help() -> None:
    """The Hessian of a sum over all pairs with one hub each: complete bipartite graphs."""
    edges = [(i, j) for i, j in combinations(range(12), 2) if i < 3 <= j]
    rows, columns = np.array(edges).T
    pattern = Pattern.of_entries(rows, columns, (12, 12)).symmetrised()
    assert colour_symmetric(pattern).tangents == 4
    assert colour_columns(pattern).tangents == 9
    check(pattern, colour_symmetric(pattern))
