"""Compiling leaves nothing for the cyclic collector: what it made meanwhile goes at once."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg


def _looped(x: Any) -> Any:
    carry, ys = pg.scan(lambda c, row: (pg.tanh(c + row), c * row), x[0], x)
    last = pg.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 0.5), (0, carry))[1]
    return np.sum(pg.cond(x[0, 0] > 0.0, pg.sin, pg.cos, last) @ x) + np.sum(ys)


@pytest.mark.parametrize(
    "function",
    [pg.grad(lambda x: np.sum(np.sin(x) @ x)), lambda x: x[0, 0] * x[0, 1] + pg.sin(x[1, 1]), _looped],
    ids=["arrays", "elements", "loops"],
)
def test_compiling_leaves_no_cycles(function: Callable[..., Any]) -> None:
    pg.compile(pg.trace(function, pg.spec((3, 3))), backend="vm")  # what is made once stays
    gc.collect()
    gc.disable()
    try:
        made = pg.compile(pg.trace(function, pg.spec((3, 3))), backend="vm")
        assert gc.collect() == 0
        del made
        assert gc.collect() == 0
    finally:
        gc.enable()
