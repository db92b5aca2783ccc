"""The rows that compare, in C: as NumPy's stable functions at all lengths where the method changes, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import row_graph, run_flat, same

import pygraph as pg
from pygraph.ops.dtypes import DTYPES
from pygraph.ops.row import TABLE

Array = npt.NDArray[Any]
LENGTHS = (0, 1, 2, 7, 8, 9, 16, 17, 31, 64, 65, 100, 255, 256, 257, 1000, 3000)


def arrays(dtype: np.dtype[Any]) -> Iterator[Array]:
    """Of one dtype: of special values, with many equal ones, of wide range; sorted, and sorted backwards."""
    rng = np.random.default_rng(3)
    for n in LENGTHS:
        if dtype.kind == "f":
            special = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e30, -1e30]
            yield rng.choice(np.array(special), n).astype(dtype)
            wide = rng.normal(size=n) * 10.0 ** rng.integers(-30, 30, n)
        elif dtype.kind == "i":
            info = np.iinfo(dtype)
            yield rng.choice(np.array([info.min, info.min + 1, -1, 0, 1, info.max]), n)
            wide = rng.integers(info.min, info.max, n)
        else:
            wide = rng.random(n) < 0.5
        wide = wide.astype(dtype)
        yield wide
        if dtype.kind == "f" and n > 2:  # one nan, and a zero of each sign
            yield np.concatenate([wide[: n // 3], np.array([np.nan]), wide[n // 3 :]]).astype(dtype)
            yield np.concatenate([-np.abs(wide[: n // 3]), [-0.0], -np.abs(wide[n // 3 :]), [0.0]]).astype(dtype)
        yield np.sort(wide)
        yield np.sort(wide)[::-1].copy()
        yield rng.integers(0, 3, n).astype(dtype)


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sorted_elements_and_their_order(dtype: np.dtype[Any]) -> None:
    rows = [(TABLE["sort"], np.sort), (TABLE["argsort"], np.argsort)]
    for x in arrays(dtype):
        for row, function in rows:
            (found,) = run_flat(row_graph(row, (x,), {}), (x,))
            assert same(found, function(x, kind="stable")), f"{row.name} of {x.tolist()}"


@pytest.mark.sanitize
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_places(dtype: np.dtype[Any]) -> None:
    for x in arrays(dtype):
        for right in (False, True):
            given = (np.sort(x), x)
            (found,) = run_flat(row_graph(TABLE["searchsorted"], given, {"right": right}), given)
            assert same(found, np.searchsorted(*given, side="right" if right else "left"))
        for name in ("argmax", "argmin") if x.size else ():
            for shape in ((x.size, 1), (x.size, 2) if x.size % 2 == 0 else (1, x.size)):
                given = (np.resize(x, shape),)
                (found,) = run_flat(row_graph(TABLE[name], given, {}), given)
                assert same(found, getattr(np, name)(given[0], axis=0)), f"{name} of {given[0].tolist()}"


def test_equal_elements_keep_their_derivatives() -> None:
    x = np.array([2.0, 1.0, 2.0, 1.0])
    moved = pg.jvp(np.sort, (x,), (np.array([1.0, 2.0, 3.0, 4.0]),))[1]
    np.testing.assert_array_equal(moved, [2.0, 4.0, 1.0, 3.0])
    back = pg.vjp(np.sort, x)[1](np.array([1.0, 2.0, 3.0, 4.0]))[0]
    np.testing.assert_array_equal(back, [3.0, 1.0, 4.0, 2.0])
