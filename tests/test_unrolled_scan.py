"""A scan whose body has several steps gives what one step a turn gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg

X = np.linspace(-1.0, 1.0, 7)


def step(carry: Any, x: Any) -> tuple[Any, Any]:
    total, count = carry
    total = 0.5 * total + np.sin(x["a"]) * x["b"]
    return (total, count + 1), {"sum": total, "twice": (2 * count,)}


def run(x: Any, **how: Any) -> Any:
    return pg.scan(step, (0.0, 0), {"a": x, "b": x * x}, **how)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, 2, 3, 6, 7, 50, True, False])
def test_an_unrolled_scan_gives_the_same(unroll: int | bool, reverse: bool) -> None:
    wanted = pg.tree_leaves(run(X, reverse=reverse))
    found = pg.tree_leaves(run(X, reverse=reverse, unroll=unroll))
    for a, b in zip(found, wanted, strict=True):
        assert (np.shape(a), np.asarray(a).dtype) == (np.shape(b), np.asarray(b).dtype)
        np.testing.assert_allclose(a, b, rtol=1e-15)

    def loss(x: Any, **how: Any) -> Any:
        (total, _), ys = run(x, reverse=reverse, **how)
        return total + np.sum(ys["sum"] ** 2)

    np.testing.assert_allclose(
        pg.grad(lambda x: loss(x, unroll=unroll))(X), pg.grad(lambda x: loss(x))(X), rtol=1e-14, atol=1e-15
    )


def test_loops_have_fewer_turns() -> None:
    def text(unroll: int | bool) -> str:
        return str(pg.trace(lambda x: run(x, unroll=unroll), X))

    assert "length=7" in text(1)
    assert "length=2" in text(3)
    assert "length=" not in text(True)


def test_scans_without_steps_or_with_none_left() -> None:
    carry, ys = pg.scan(lambda c, x: (c + x, c), 1.0, np.zeros(0), unroll=4)
    assert carry == 1.0
    assert ys.shape == (0,)
    carry, ys = pg.scan(lambda c, _: (2.0 * c, c), 1.0, length=5, unroll=2)
    assert carry == 32.0
    np.testing.assert_array_equal(ys, [1, 2, 4, 8, 16])


def test_what_unroll_can_be() -> None:
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(pg.SignatureError, match="unroll is"):
            pg.scan(lambda c, x: (c, x), 0.0, X, unroll=wrong)  # type: ignore[arg-type]
    with pytest.raises(pg.GraphError, match="the carry goes in as"):
        pg.scan(lambda c, x: ((c, c), x), 0.0, X, unroll=True)
