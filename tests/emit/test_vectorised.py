"""What compilers make of emitted loops: none is left to scalar code that the interpreter runs with vector kernels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from emit.loops import emitted, vectorised
from helpers import COMPILER_MARKS

import pygraph as pg
from benchmarks.chain import cheap, mixed

pytestmark = COMPILER_MARKS

Array = npt.NDArray[Any]
#: Loops of constant length up to this are unrolled, and vectorised as straight code, of which no loop is reported.
UNROLLED = 16


def lstm(width: int) -> tuple[Callable[..., Any], list[Array]]:
    """The gradient of a loop over cells whose gates are vectors, with sums of squares."""

    def loss(w: Any, u: Any, xs: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            h, s = carry
            z = x * w + h * u
            s = pg.sigmoid(z[1]) * s + pg.sigmoid(z[0]) * np.tanh(z[2])
            h = pg.sigmoid(z[3]) * np.tanh(s)
            return (h, s), np.sum(h * h)

        return np.sum(pg.scan(step, (np.zeros(width), np.zeros(width)), xs)[1])

    rng = np.random.default_rng(width)
    return pg.grad(loss, argnums=(0, 1)), [rng.uniform(-1, 1, shape) for shape in ((4, width), (4, width), (9, width))]


def rows(many: int, few: int, streams: int) -> tuple[Callable[..., Any], list[Array]]:
    """Short rows with a sum each, beside many other results."""

    def several(*xs: Any) -> Any:
        value, made = xs[0], []
        for x in xs[1:]:
            value = np.tanh(value * x) + value if len(made) % 4 == 3 else value * x + 0.5 * value
            made.append(value * (1.0 - value))
        return (*made, np.sum(value * value, axis=1))

    rng = np.random.default_rng(many)
    return several, [rng.uniform(-1, 1, (many, few)) for _ in range(streams)]


CASES: dict[str, Callable[[], tuple[Callable[..., Any], list[Array]]]] = {
    "lstm of 14": lambda: lstm(14),
    "lstm of 24": lambda: lstm(24),
    "rows of 12": lambda: rows(200, 12, 12),
    "rows of 40": lambda: rows(50, 40, 12),
    "cheap chain": lambda: (pg.grad(lambda x: cheap(np, x)), [np.linspace(0.1, 2, 3000)]),
    "mixed chain": lambda: (pg.grad(lambda x: mixed(np, x)), [np.linspace(0.1, 2, 3000)]),
}


def innermost(text: str) -> list[tuple[int, str, list[str]]]:
    """The loops without another loop, or a call, in them: their lines, heads and bodies."""
    lines = text.split("\n")
    found = []
    for number, line in enumerate(lines):
        if re.match(r" *for \(intptr_t i\d", line) and line.endswith("{"):
            indent = len(line) - len(line.lstrip())
            body = []
            for inner in lines[number + 1 :]:
                if inner.strip() and len(inner) - len(inner.lstrip()) <= indent:
                    break
                body.append(inner.strip())
            if not any(re.search(r"\bfor \(|pg_(block|rows|accumulate)_", inner) for inner in body):
                found.append((number + 1, line.strip(), body))
    return found


def moves_only(body: list[str]) -> bool:
    """Whether a loop copies or fills, which compilers turn into calls of memcpy and memset."""
    names = dict(re.findall(r"^const \w+ (v\d+) = (\w+\[[^\]]*\]);", "\n".join(body), re.MULTILINE))
    stored = re.findall(r"^\w+\[[^\]]*\] = ([^;]+);", "\n".join(body), re.MULTILINE)
    return len(names) + len(stored) == len(body) and all(x in names or re.fullmatch(r"-?[\d.]+", x) for x in stored)


def is_around(text: str, number: int, done: set[int]) -> bool:
    """Whether the loop around the one at a line is vectorised as a whole."""
    lines = text.split("\n")
    indent = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    for above in range(number - 1, 0, -1):
        line = lines[above - 1]
        if line.strip() and len(line) - len(line.lstrip()) < indent:
            if above in done:
                return True
            indent = len(line) - len(line.lstrip())
            if not indent:
                return False
    return False


@pytest.mark.parametrize("name", CASES)
def test_benchmark_loops_are_vectorised(name: str) -> None:
    function, arrays = CASES[name]()
    text = emitted(pg.compile(function, backend="vm").executable(*arrays).program)
    done = vectorised(text, "gcc")
    assert done
    lines = text.split("\n")
    for number, head, body in innermost(text):
        count = re.fullmatch(r"for \(intptr_t i\d+ = 0; i\d+ < (\d+); i\d+\+\+\) {", head)
        marked = "PG_IVDEP" in lines[number - 2]
        short = marked and count is not None and int(count[1]) <= UNROLLED
        assert number in done or short or moves_only(body) or is_around(text, number, done), "\n".join([head, *body])
