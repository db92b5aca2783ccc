"""Local arrays of emitted loops: values take turns in them, so that a function needs little stack."""

from __future__ import annotations

import re

import numpy as np

import pygraph as pg
from pygraph.emit.c_program import core


def local_bytes(text: str) -> int:
    """The bytes of all local arrays of doubles in the function that has most of them."""
    functions = text.split("\n}\n")
    return max(8 * sum(map(int, re.findall(r"^ +double \w+\[(\d+)\];", f, re.MULTILINE))) for f in functions)


def test_a_long_chain_of_blocks_needs_two_of_them() -> None:
    x = y = pg.var("x", (5000,))
    for k in range(100):
        y = np.exp(np.sin(y + k * 0.01) * 0.5)
    text = core(pg.compile(pg.Graph([x], y), backend="vm").program, "chain", embed=True, stoppable=False).text
    assert 0 < local_bytes(text) <= 2 * 8 * 512


def test_values_in_use_keep_their_blocks() -> None:
    x = pg.var("x", (5000,))
    waves = [np.sin(x * (k + 1.0)) for k in range(20)]
    total = waves[0]
    for wave in waves[1:]:
        total = np.exp(total * wave)
    text = core(pg.compile(pg.Graph([x], total), backend="vm").program, "waves", embed=True, stoppable=False).text
    assert 8 * 16 <= local_bytes(text) <= 48 * 1024
