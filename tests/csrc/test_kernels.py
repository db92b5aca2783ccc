"""LOOP and its kernels at every instruction set: against NumPy, and with equal bits at each of them.

PYGRAPH_ISA is read once a process, so each instruction set runs in a process of its own: this file is also the program
that they run, which prints a digest of each result.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]
Case = tuple[
    str, list[Array], list[Array]
]  # its name, what C gave, what NumPy gives (none where only bits are compared)

LENGTHS = (1, 2, 3, 7, 8, 15, 16, 17, 31, 63, 64, 65, 127, 255, 256, 1000, 1023, 1024, 1025, 2049)
FLOATS = ("float64", "float32")


def run(inputs: list[Any], outputs: Any, arrays: list[Array], **options: Any) -> list[Array]:
    from pygraph.graph import Graph
    from pygraph.graph.tree import flatten
    from pygraph.runtime.call.executable import Executable

    return [np.asarray(x) for x in flatten(Executable(Graph(inputs, outputs), **options)(*arrays))[0]]


def maps() -> Iterator[Case]:
    """Elementwise loops: lengths near those of vectors and blocks, operands of a single element, results in place."""
    from pygraph.graph import var
    from pygraph.ops import where

    for dtype in (*FLOATS, "int64", "int32"):
        for n in LENGTHS:
            rng = np.random.default_rng(n)
            a, b = ((rng.uniform(-9, 9, n)).astype(dtype) for _ in range(2))
            s = np.array(3, dtype)
            x, y, z = var("x", (n,), dtype), var("y", (n,), dtype), var("z", (), dtype)
            found = run([x, y, z], (x + y, x * z, z - x, where(x < y, x, z), where(x < y, z, y)), [a, b, s])
            wanted = [a + b, a * s, s - a, np.where(a < b, a, s), np.where(a < b, s, b)]
            yield f"forms of {n} {dtype}", found, wanted
            found = run([x, y, z], ((x + y) * z - (x * y - z)) * (x - y), [a, b, s], fuse=False)
            yield f"in place, {n} {dtype}", found, [((a + b) * s - (a * b - s)) * (a - b)]


def strided() -> Iterator[Case]:
    """Loads from turned, transposed, spread and stepped arrays; stores to parts of an array."""
    from pygraph.graph import var
    from pygraph.ops import broadcast_to, concatenate, transpose

    for dtype in (*FLOATS, "int32", "bool"):
        for shape in ((3, 5), (17, 33), (64, 64), (65, 130), (2, 1100), (131, 257)):
            rng = np.random.default_rng(shape)
            a = (rng.uniform(-2, 2, shape) * 3).astype(dtype)
            b = (rng.uniform(-2, 2, shape[1]) * 3).astype(dtype)
            x, row = var("x", shape, dtype), var("row", (shape[1],), dtype)
            outputs = (
                x[::-1, ::-2] == x[::-1, ::-2],
                transpose(x),
                x[1:, ::3],
                concatenate([x, x[::-1]], 1),
                broadcast_to(row, shape),
            )
            copies = (
                a[::-1, ::-2] == a[::-1, ::-2],
                a.T,
                a[1:, ::3],
                np.concatenate([a, a[::-1]], 1),
                np.broadcast_to(b, shape),
            )
            yield f"strides of {shape} {dtype}", run([x, row], outputs, [a, b]), list(copies)
            if dtype != "bool":
                found = run([x, row], (transpose(x) + transpose(x), x[::-1] + row, x[:, ::-1] * row[::-1]), [a, b])
                yield f"operations on views of {shape} {dtype}", found, [a.T + a.T, a[::-1] + b, a[:, ::-1] * b[::-1]]


def short_rows() -> Iterator[Case]:
    """Rows of few elements that are repeated, stepped and turned, over the ends of blocks."""
    from pygraph.graph import var

    for dtype in (*FLOATS, "int32", "bool"):
        for n in (1, 3, 31, 33):
            rng = np.random.default_rng(n)
            a, b = ((rng.uniform(-2, 2, (size, 2 * n)) * 3).astype(dtype) for size in (23, 29))
            x, y = var("x", a.shape, dtype), var("y", b.shape, dtype)
            found = run([x, y], (x[:, None, ::2] == y[None, :, n:], x[:, None, :n] >= y[None, ::-1, ::-2]), [a, b])
            wanted = [a[:, None, ::2] == b[None, :, n:], a[:, None, :n] >= b[None, ::-1, ::-2]]
            yield f"rows of {n} {dtype}", found, wanted


def reductions() -> Iterator[Case]:
    """Sums, products and extremes over rows, columns and all, fused with what they reduce; several in one loop."""
    from pygraph.graph import var
    from pygraph.ops import max, min, sum
    from pygraph.ops.row import lookup

    for dtype in (*FLOATS, "int64", "int32"):
        for shape in (
            (1, 1),
            (3, 7),
            (7, 3),
            (1, 1025),
            (1025, 1),
            (64, 65),
            (300, 200),
            (2, 40_000),
            (40_000, 2),
            (5, 1, 33),
        ):
            rng = np.random.default_rng(shape)
            a = rng.integers(-4, 5, shape).astype(dtype)  # sums of small whole numbers are exact in any order
            x = var("x", shape, dtype)
            row = lookup("reduce_sum")
            outputs, wanted = [], []
            for axis in (*range(len(shape)), None):
                axes = tuple(range(len(shape))) if axis is None else (axis,)
                outputs += [row(x * x + x, axes=axes), max(x, axis=axis), min(x * x, axis=axis)]
                wanted += [np.sum(a * a + a, axis=axes, dtype=a.dtype), np.max(a, axis=axes), np.min(a * a, axis=axes)]
            yield f"reductions of {shape} {dtype}", run([x], tuple(outputs), [a]), [np.asarray(w) for w in wanted]
            signs = np.where(a > 0, 1, -1).astype(dtype)
            found = run([x], lookup("reduce_prod")(x, axes=(0,)), [signs])
            yield f"products of {shape} {dtype}", found, [np.prod(signs, axis=0, dtype=a.dtype)]
    for n in LENGTHS:
        a = np.random.default_rng(n).uniform(size=(3, n)) < 0.9
        x = var("x", (3, n), "bool")
        yield (
            f"any and all of {n}",
            run([x], (max(x, axis=1), min(x, axis=1), sum(x)), [a]),
            [
                np.asarray(a.any(axis=1)),
                np.asarray(a.all(axis=1)),
                np.asarray(np.sum(a)),
            ],
        )


def extremes() -> Iterator[Case]:
    """The largest and smallest of rows with nan, infinities and zeros of both signs anywhere in them."""
    from pygraph.graph import var
    from pygraph.ops import max, min

    for dtype in FLOATS:
        for n in (1, 7, 15, 16, 17, 64, 255, 1025):
            rng = np.random.default_rng(n)
            a = rng.normal(size=(12, n)).astype(dtype)
            for row in range(10):
                a[row, rng.integers(n)] = (np.nan, np.inf, -np.inf, 0.0, -0.0)[row % 5]
            a[8] = np.where(rng.uniform(size=n) < 0.5, 0.0, -0.0)
            a[9] = (np.nan, -np.inf)[n % 2]
            x = var("x", (12, n), dtype)
            found = run([x], (max(x, axis=1), min(x, axis=1), max(x), min(-x, axis=1), max(x, axis=0)), [a])
            wanted = (a.max(axis=1), a.min(axis=1), a.max(), (-a).min(axis=1), a.max(axis=0))
            yield f"extremes of rows of {n} {dtype}", found, [np.asarray(w) for w in wanted]


def sums() -> Iterator[Case]:
    """Sums and products of rounded numbers: the order in which they are combined is the same everywhere."""
    from pygraph.graph import var
    from pygraph.ops import mean, square, sum
    from pygraph.ops.row import lookup

    for dtype in FLOATS:
        for shape in ((1,), (17,), (1025,), (100_003,), (70, 33), (33, 70), (3, 40_001), (40_001, 3)):
            a = np.random.default_rng(shape).uniform(0.1, 9, shape).astype(dtype)
            x = var("x", shape, dtype)
            last = (len(shape) - 1,)
            outputs = (sum(x), mean(square(x), axis=0), sum(x / 3.0, axis=-1), lookup("reduce_prod")(x, axes=last))
            yield f"sums of {shape} {dtype}", run([x], outputs, [a]), []


def functions() -> Iterator[Case]:
    """Functions without an exact result: the same bits wherever a product and a sum can be rounded once (FMA)."""
    from pygraph.graph import var
    from pygraph.ops import erf, exp, expm1, log, log1p, sigmoid, silu, sin, softmax, softplus, tanh

    for dtype in FLOATS:
        for shape in ((1,), (17,), (1025,), (20_003,), (70, 33)):
            a = np.random.default_rng(shape).uniform(0.1, 9, shape).astype(dtype)
            x = var("x", shape, dtype)
            yield f"functions of {shape} {dtype}", run([x], (exp(x), sin(x), log(x), tanh(x), softmax(x)), [a]), []
            others = (expm1(-x), log1p(x), sigmoid(x), silu(-x), softplus(x), erf(x * 0.3), x ** (x - 4.0))
            yield f"functions of {shape} {dtype}, others", run([x], others, [a]), []
        n = var("n", (9,), dtype)
        special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-40, 3.0], dtype)
        yield f"functions of special values, {dtype}", run([n], (exp(n), sin(n), tanh(n)), [special]), []
        found = run([n], (expm1(n), log1p(n), sigmoid(n), silu(n), softplus(n), erf(n), n**n), [special])
        yield f"functions of special values, {dtype}, others", found, []


def everything() -> Iterator[Case]:
    yield from maps()
    yield from strided()
    yield from short_rows()
    yield from reductions()
    yield from extremes()
    yield from sums()
    yield from functions()


def main() -> None:
    """Check every case against NumPy; print the instruction set and a digest of each case's bits."""
    from pygraph.runtime.clib import library

    digests = {}
    for name, found, wanted in everything():
        for at, (a, b) in enumerate(zip(found, wanted, strict=False)):
            assert (a.shape, a.dtype) == (b.shape, b.dtype), (
                f"{name}, output {at}: {a.dtype}{a.shape}, not {b.dtype}{b.shape}"
            )
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), f"{name}, output {at}: {a} for {b}"
        found = [np.where(x != x, np.nan, x).astype(x.dtype) if x.dtype.kind == "f" else x for x in found]
        digests[name] = hashlib.sha256(b"".join(x.tobytes() for x in found)).hexdigest()
    print(json.dumps({"isa": library.isa(), "digests": digests}))


@cache
def results(isa: str) -> dict[str, Any]:
    """What `main` printed at an instruction set."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", __file__],
        env={**os.environ, "PYGRAPH_ISA": isa},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"at {isa}: {done.stderr[-3000:]}"
    return dict(json.loads(done.stdout))


def levels() -> list[str]:
    """The instruction sets of this machine, the least one first."""
    return [isa for isa in ("baseline", "neon", "avx2", "avx512") if results(isa)["isa"] == isa]


@pytest.mark.sanitize
def test_kernels_equal_numpy_at_every_instruction_set() -> None:
    """`main` compares; a level that this machine lacks runs the best one below it."""
    assert results("baseline")["isa"] == "baseline"
    for isa in levels():
        assert len(results(isa)["digests"]) > 200


@pytest.mark.sanitize
def test_bits_do_not_depend_on_the_instruction_set() -> None:
    """Only functions differ, in their last bit, between a set with FMA and one without (see csrc/pg_math.h)."""
    found = {isa: results(isa)["digests"] for isa in levels()}
    for first, second in pairwise(found):
        both_fuse = first != "baseline"
        names = [name for name in found[first] if both_fuse or not name.startswith("functions of")]
        different = [name for name in names if found[first][name] != found[second][name]]
        assert not different, f"{second} differs from {first} in {len(different)} cases: {different[:5]}"


def test_an_unknown_instruction_set_is_the_best_one() -> None:
    assert results("no such thing")["isa"] == levels()[-1]


if __name__ == "__main__":
    main()
