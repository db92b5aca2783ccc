"""Bound calls: arrays read in place, outputs overwritten in place."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable

import numpy as np
import pytest

import pygraph as pg
from pygraph.lower.format import STAGE_BYTES

SIZES = [1, 4, STAGE_BYTES // 8 + 5]


@pytest.mark.parametrize("n", SIZES)
def test_it_reads_current_contents_and_overwrites_its_outputs(n: int) -> None:
    x, y = pg.var("x", (n,)), pg.var("y", (n,))
    exe = pg.compile(pg.Graph([x, y], (x + y, x.sum())))
    a, b = np.zeros(n), np.ones(n)
    call = exe.bind(a, y=b)
    first, total = call()
    np.testing.assert_array_equal(first, np.ones(n))
    assert total == 0.0
    a[:] = 5.0
    second, total_after = call()
    assert second is first is call.outputs[0]
    np.testing.assert_array_equal(first, np.full(n, 6.0))
    assert (total, total_after) == (0.0, 5.0 * n)
    np.testing.assert_array_equal(exe(a, b)[0], np.full(n, 6.0))


def test_scalars_are_zero_dimensional_arrays_in_and_numpy_scalars_out() -> None:
    x = pg.var("x")
    exe = pg.compile(pg.Graph([x], x * 2.0))
    a = np.array(3.0)
    call = exe.bind(a)
    result = call()
    assert type(result) is np.float64
    a[...] = 4.0
    assert (result, call()) == (6.0, 8.0)


def test_it_writes_to_the_arrays_that_are_given_and_to_no_argument() -> None:
    x, i = pg.var("x", (2, 3)), pg.var("i", (), "int64")
    exe = pg.compile(pg.Graph([x, i], {"double": x * 2.0, "row": x[i], "sum": x.sum()}))
    flat, data, index = np.zeros(12), np.arange(6.0).reshape(2, 3), np.array(1)
    out = {"double": flat[:6].reshape(2, 3), "row": flat[7:10], "sum": flat[11:].reshape(())}
    call = exe.bind(data, index, out=out)
    assert call()["row"] is out["row"]
    assert flat.tolist() == [0, 2, 4, 6, 8, 10, 0, 3, 4, 5, 0, 15]
    index[...] = 2
    with pytest.raises(pg.IndexRangeError):
        call()
    index[...], data[0] = 0, 7.0
    call()
    assert flat.tolist() == [14, 14, 14, 6, 8, 10, 0, 7, 7, 7, 0, 33]
    with pytest.raises(pg.SignatureError, match="shares memory with an argument"):
        exe.bind(data, index, out=out | {"double": data})
    with pytest.raises(pg.SignatureError, match=r"must be float64\[2, 3\]"):
        exe.bind(data, index, out=out | {"double": np.zeros(6)})


def test_a_number_is_bound_to_an_array_of_its_own() -> None:
    x, n = pg.var("x"), pg.var("n", (), "int64")
    for x0, n0 in ((3.0, 2), (np.float64(3.0), np.int64(2)), (np.array(3.0), 2), (3, 2)):
        call = pg.compile(pg.Graph([x, n], x * n)).bind(x0, n0)
        assert call() == 6.0
        call.inputs[0][...] = 5.0
        assert call() == 10.0
    assert np.shape(x0) == ()


def test_it_keeps_its_arrays_alive() -> None:
    n = SIZES[-1]
    x = pg.var("x", (n,))
    call = pg.compile(pg.Graph([x], x * 2.0)).bind(np.full(n, 3.0))
    np.testing.assert_array_equal(call(), np.full(n, 6.0))


def test_empty_and_read_only_arrays() -> None:
    x, y = pg.var("x", (0,)), pg.var("y", (3,))
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    call = pg.compile(pg.Graph([x, y], (x * 2.0, y * 2.0))).bind(np.empty(0), fixed)
    assert call()[0].shape == (0,)
    np.testing.assert_array_equal(call()[1], [0.0, 2.0, 4.0])


def test_a_run_that_fails_leaves_it_usable() -> None:
    x, i = pg.var("x", (3,)), pg.var("i", (1,), "int64")
    index = np.array([7])
    call = pg.compile(pg.Graph([x, i], x[i])).bind(np.arange(3.0), index)
    with pytest.raises(pg.IndexRangeError, match="index 7"):
        call()
    index[0] = 2
    np.testing.assert_array_equal(call(), [2.0])


def test_check_finite_looks_at_the_current_contents() -> None:
    x = pg.var("x", (2,))
    data = np.ones(2)
    call = pg.compile(pg.Graph([x], x * 2.0), check_finite=True).bind(data)
    np.testing.assert_array_equal(call(), [2.0, 2.0])
    data[1] = np.inf
    with pytest.raises(pg.NonFiniteError, match="input 'x'"):
        call()


def test_two_threads_can_not_share_one() -> None:
    x = pg.var("x", (200_000,))
    y = x
    for _ in range(6):
        y = np.sin(y)
    call = pg.compile(pg.Graph([x], y), threads=1).bind(np.ones(200_000))
    expected = call().copy()
    said: list[str] = []

    def work() -> None:
        said.extend(_said_by(call) for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(not text or "this bound call is running" in text for text in said)
    np.testing.assert_array_equal(call(), expected)


def _said_by(call: Callable[[], object]) -> str:
    """The text of the StateError that a call raised, or nothing."""
    try:
        call()
    except pg.StateError as error:
        return str(error)
    return ""


def test_a_bound_call_is_not_copied() -> None:
    x = pg.var("x", (2,))
    bound = pg.compile(pg.Graph([x], 2.0 * x)).bind(np.ones(2))
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(pg.StateError, match="bind again"):
            attempt(bound)
    np.testing.assert_array_equal(bound(), [2.0, 2.0])
