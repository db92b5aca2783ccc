"""`x.at[i]` against NumPy's assignments and ufunc.at: values, equal places, modes, derivatives, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.lower import lower

A = np.arange(12.0).reshape(3, 4) + 1.0
KEYS: dict[str, Any] = {
    "an element": (1, 2),
    "a row": -1,
    "a column": (slice(None), 3),
    "a rectangle": (slice(1, None), slice(None, None, 2)),
    "backwards": (slice(None, None, -1), slice(3, 0, -2)),
    "all": ...,
    "nothing": slice(2, 2),
    "a new axis": (0, None, slice(1, 3)),
    "an index": np.array([2, 0]),
    "equal places": (np.array([0, 1, 0, 0]), np.array([1, 2, 1, 3])),
    "a mask": A % 5 < 2,
}
UFUNCS = {
    "add": np.add,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


def values_for(key: Any) -> np.ndarray[Any, Any]:
    places = A[key]
    return np.linspace(0.5, 9.5, places.size).reshape(places.shape)


def wanted(how: str, key: Any) -> np.ndarray[Any, Any]:
    result = A.copy()
    if how == "set":
        result[key] = values_for(key)
    else:
        UFUNCS[how].at(result, key, values_for(key))
    return result


def test_updates_are_numpys() -> None:
    cases = [(how, key) for how in ("set", *UFUNCS) for key in KEYS.values()]
    values = [values_for(key) for _, key in cases]

    def f(x: Any, values: Any) -> Any:
        return [getattr(x.at[key], how)(v) for (how, key), v in zip(cases, values, strict=True)]

    for (how, key), found in zip(cases, pg.compile(f)(A, values), strict=True):
        np.testing.assert_allclose(found, wanted(how, key), rtol=1e-13, err_msg=f"{how} at {key}")
    for how, key in cases:
        found = pg.index_update(A, key, values_for(key), how)
        np.testing.assert_allclose(found, wanted(how, key), rtol=1e-13)

    def smooth(x: Any, values: Any) -> Any:
        return [np.log1p(y) for y in f(x, values)]

    pg.check_grads(lambda x, values: smooth(x, values)[::3], (A / 3.0, values), order=1)
    pg.check_grads(lambda x, values: smooth(x, values)[::15], (A / 3.0, values), order=2)


@pytest.mark.parametrize("how", ["add", "multiply", "divide", "min", "max"])
def test_equal_places_that_are_known_at_run_time_alone(how: str) -> None:
    x, i, v = np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2, -1]), np.array([0.5, 4.0, 2.5, 7.0])
    result = x.copy()
    UFUNCS[how].at(result, i, v)
    np.testing.assert_allclose(pg.compile(lambda x, i, v: getattr(x.at[i], how)(v))(x, i, v), result)
    np.testing.assert_allclose(
        pg.compile(lambda x, i, v: getattr(x.at[i[0]], how)(v[0]))(x, i, v)[:2], x[:2], err_msg="one place"
    )
    pg.check_grads(lambda x, i, v: getattr(x.at[i], how)(v), (x, i, v), order=2)


def test_powers_in_turn_need_a_known_index() -> None:
    with pytest.raises(pg.UnsupportedError, match="known at run time alone"):
        pg.trace(lambda x, i: x.at[i].power(2.0), A[0], np.array([1, 1]))
    assert pg.compile(lambda x, i: x.at[i].power(2.0))(A[0], 2)[2] == 9.0


def test_a_mask_that_is_an_expression() -> None:
    for how in ("set", *UFUNCS):
        result = A.copy()
        if how == "set":
            result[A > 4.0] = 2.0
        else:
            UFUNCS[how].at(result, A > 4.0, 2.0)
        np.testing.assert_allclose(pg.compile(lambda x, how=how: getattr(x.at[x > 4.0], how)(2.0))(A), result)


def test_places_are_read_by_mode_and_applied_to() -> None:
    def f(x: Any, i: Any) -> Any:
        at = x.at[i]
        return at.get(), at.get(mode="clip"), at.get(mode="wrap"), at.get(mode="fill"), at.get("fill", 0.0)

    x = np.array([1.0, 2.0, 3.0])
    plain, clip, wrap, fill, zero = pg.compile(lambda x, i, j: (f(x, i)[0], *f(x, j)[1:]))(
        x, np.array([-1, 0]), np.array([-4, -1, 3])
    )
    assert plain.tolist() == [3.0, 1.0]
    assert clip.tolist() == [1.0, 3.0, 3.0]
    assert wrap.tolist() == [3.0, 3.0, 1.0]
    np.testing.assert_array_equal(fill, [np.nan, 3.0, np.nan])
    assert zero.tolist() == [0.0, 3.0, 0.0]
    applied = pg.compile(lambda x: x.at[::2].apply(np.square))(x)
    assert applied.tolist() == [1.0, 2.0, 9.0]
    ints = pg.compile(lambda i: i.at[np.array([0, 9])].get("fill"))(np.array([4, 5]))
    assert ints.tolist() == [4, np.iinfo(np.int64).min]


def test_errors() -> None:
    x = pg.var("x", (3,))
    for text, make in {
        "an index is missing": lambda: x.at.multiply(2.0),
        "there is no .subtract": lambda: x.at[0].subtract(1.0),
        "mode 'near'": lambda: x.at[np.array([0])].get(mode="near"),
        "quotients do not fit in int64": lambda: x.astype("int64").at[0].divide(2),
        "values of shape": lambda: x.at[:2].set(np.ones(3)),
    }.items():
        with pytest.raises(pg.GraphError, match=text):
            make()
    with pytest.raises(pg.IndexRangeError, match="index 3 is out of range for axis 0 of size 3"):
        x.at[3].set(1.0)


def test_a_run_time_index_out_of_range_leaves_outputs_as_they_were() -> None:
    f = pg.compile(lambda x, i: (x * 2.0, x.at[i].set(0.0), x[i])).executable(A[0], 1)
    out = np.full(4, 7.0), np.full(4, 7.0), np.full((), 7.0)
    f(A[0], 1, out=out)
    before = [x.copy() for x in out]
    with pytest.raises(IndexError):
        f(A[0] + 1.0, 4, out=out)
    for x, y in zip(out, before, strict=True):
        np.testing.assert_array_equal(x, y)


def test_a_slice_is_replaced_in_place() -> None:
    """A chain of updates copies its array once, whatever it holds."""

    def f(x: Any) -> Any:
        y = np.sin(x)
        for k in range(8):
            y = y.at[k : 2 * k + 1].set(y[k] * 2.0)
        return y

    graph = pg.trace(f, np.ones(64))
    assert lower(graph).arena_bytes < 64 * 8 + 1024
    y = np.sin(np.ones(64))
    for k in range(8):
        y[k : 2 * k + 1] = y[k] * 2.0
    np.testing.assert_allclose(pg.compile(f)(np.ones(64)), y)
