"""Masks that are known when recording, in keys that are read and written, against NumPy; and their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 4, 2))
ROWS, MATRIX, WHOLE = np.array([True, False, True]), A[:, :, 0] > 0, A > 0
KEYS: dict[str, Any] = {
    "one axis": ROWS,
    "a list": [True, False, True],
    "two axes": MATRIX,
    "all axes": WHOLE,
    "the second axis": (slice(None), np.array([False, True, True, False])),
    "behind an Ellipsis": (..., np.array([True, False])),
    "before an Ellipsis": (ROWS, ..., 1),
    "with a new axis": (None, ROWS),
    "with a slice of negative step": (ROWS, slice(None, None, -2)),
    "with integers": (ROWS, np.array([1, 3])),
    "with an int": (ROWS, 2),
    "two masks": (ROWS, np.array([True, False, True, False])),
    "apart": (ROWS, slice(None), np.array([True, False])),
    "nothing": np.zeros(3, bool),
    "everything": np.ones((3, 4, 2), bool),
    "True": True,
    "False": np.False_,
    "True with a slice": (True, slice(0, 2)),
    "True behind an Ellipsis": (..., True),
    "True and a mask": (np.True_, ROWS),
    "True apart": (ROWS, slice(None), True),
}


@pytest.mark.parametrize("name", KEYS)
def test_reading_and_writing_as_numpy(name: str) -> None:
    key = KEYS[name]
    wanted = A[key]
    got = pg.compile(lambda x: x[key])(A)
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(pg.index(A, key), wanted)
    for values in (7.0, RNG.normal(size=wanted.shape)):
        put, added = A.copy(), A.copy()
        put[key] = values
        added[key] += values
        both = pg.compile(lambda x, v: (x.at[key].set(v), x.at[key].add(v)))(A, np.asarray(values))
        np.testing.assert_array_equal(both[0], put)
        np.testing.assert_array_equal(both[1], added)
    weights = RNG.normal(size=wanted.shape)
    gradient = np.zeros_like(A)
    gradient[key] = weights
    np.testing.assert_array_equal(pg.grad(lambda x: np.sum(x[key] * weights))(A), gradient)


def test_scalars_and_batches() -> None:
    assert pg.compile(lambda x: x[True])(2.0).shape == (1,)
    assert pg.compile(lambda x: x[False])(2.0).shape == (0,)
    np.testing.assert_array_equal(pg.vmap(lambda x: x[MATRIX])(np.stack([A, -A])), np.stack([A, -A])[:, MATRIX])


def test_a_mask_of_expressions_writes_one_number() -> None:
    def f(x: Any, v: Any) -> Any:
        return x.at[x > 0].set(v), x.at[x[:, :, 0] > 0].add(v)

    put, added = A.copy(), A.copy()
    put[A > 0] = 3.0
    added[MATRIX] += 3.0
    got = pg.compile(f)(A, 3.0)
    np.testing.assert_array_equal(got[0], put)
    np.testing.assert_array_equal(got[1], added)
    pg.check_grads(lambda x, v: f(x, v), (A, 3.0))
    with pytest.raises(pg.UnsupportedError, match="picks"):
        pg.compile(lambda x: x.at[x > 0].set(np.ones((int(WHOLE.sum()),))))(A)


def test_masks_that_do_not_fit() -> None:
    for key in (np.ones(4, bool), np.ones((3, 2), bool), (slice(None), slice(None), slice(None), ROWS)):
        with pytest.raises(IndexError):
            A[key]
        with pytest.raises(pg.ShapeError):
            pg.compile(lambda x, key=key: x[key])(A)
