"""Batching of whole expressions: loops, derivatives, batches of batches, and what the batch does not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import check_batch, run_flat

from pygraph.autodiff import batch, jvp, vjp
from pygraph.errors import ShapeError
from pygraph.graph import scan, var, walk


@pytest.mark.parametrize("size", [0, 1])
def test_batches_of_none_and_one(size: int) -> None:
    x, w, n = var("x", (4,)), var("w", (3, 4)), var("n", (2,), "int64")
    outputs = [np.tanh(w @ x), x[n], x.at[n].add(1.0), np.max(x * x), scan(lambda c, a: (c + a, c * x), 0.0, x)[1]]
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(size, 4)), rng.normal(size=(3, 4)), rng.integers(0, 4, (size, 2))]
    check_batch(outputs, [x, w, n], values, [True, False, True], size, 8, run_flat)


def test_what_the_batch_does_not_reach_is_computed_once() -> None:
    x, w = var("x", (4,)), var("w", (4, 4))
    shared = np.tanh(w @ w)
    outputs, flags = batch([shared @ x, shared], [x], [var("xs", (5, 4))], 5)
    assert flags == [True, False]
    assert outputs[1] is shared
    assert shared in set(walk(outputs[:1]))


def test_a_carry_that_a_step_brings_into_the_batch() -> None:
    """c1 takes the batch from c0, c0 from the const; c2 stays without it."""
    a, xs = var("a"), var("xs", (6,))
    (c0, c1, c2), ys = scan(lambda c, x: ((c[0] * a + x, c[1] + c[0], c[2] + x), (c[1], c[2])), (0.0, 0.0, 0.0), xs)
    outputs = [c0, c1, c2, *ys]
    found, flags = batch(outputs, [a], [var("as", (4,))], 4)
    assert flags == [True, True, False, True, False]
    rng = np.random.default_rng(0)
    check_batch(outputs, [a, xs], [rng.normal(size=4), rng.normal(size=6)], [True, False], 4, 8, run_flat)
    check_batch(outputs, [a, xs], [rng.normal(size=()), rng.normal(size=(4, 6))], [False, True], 4, 8, run_flat)
    assert [node.op.name for node in walk(found)].count("scan") == 1


def test_loops_in_loops() -> None:
    w, x = var("w", (3,)), var("x", (4, 3))

    def outer(c: Any, row: Any) -> Any:
        inner, _ = scan(lambda d, e: (np.sin(d * e + np.sum(w)), None), np.sum(c), row)
        return c + inner, inner

    outputs = [*scan(outer, w, x)]
    rng = np.random.default_rng(0)
    check_batch(outputs, [w, x], [rng.normal(size=(5, 3)), rng.normal(size=(4, 3))], [True, False], 5, 64, run_flat)
    check_batch(outputs, [w, x], [rng.normal(size=(5, 3)), rng.normal(size=(5, 4, 3))], [True, True], 5, 64, run_flat)


def test_batches_of_batches_and_of_derivatives() -> None:
    x, w = var("x", (3,)), var("w", (3, 3))
    y = np.sum(np.tanh(w @ x) ** 2)
    t, s = var("t", (3,)), var("s")
    outputs = [*jvp([y], [x], [t]), *vjp([y], [x, w], [s])]
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)]
    check_batch(outputs, [x, w, t, s], values, [True, False, True, True], 2, 64, run_flat)
    once = var("xs", (4, 3))
    (middle,), _ = batch([y], [x], [once], 4)
    check_batch(
        [middle], [once, w], [rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 3, 3))], [True, True], 5, 64, run_flat
    )


def test_a_batch_of_the_wrong_shape() -> None:
    x = var("x", (3,))
    with pytest.raises(
        ShapeError, match=r"(?s)batching input: a batch of shape \(4, 2\) for 4 values of shape \(3,\).*at: .*do: "
    ):
        batch([x * 2.0], [x], [var("xs", (4, 2))], 4)
