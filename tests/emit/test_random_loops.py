"""Random reductions as C, over broadcast and turned arrays, beside maps of the same region: bits equal to the VM's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emit.loops import DISTINCT, Native
from helpers import COMPILER_MARKS, shallow
from optimize.bits import identical

import pygraph as pg
from pygraph.graph.tree import flatten
from pygraph.runtime.call.executable import Executable

pytestmark = COMPILER_MARKS

SIZES = [1, 2, 3, 5, 7, 16, 20, 40, 64, 130, 300, 700]
REDUCTIONS = (np.sum, np.max, np.min, np.prod)


def shape_of(rng: np.random.Generator) -> tuple[int, ...]:
    """One to four axes, of about 30, 3,000 or 90,000 elements where that can be."""
    axes, about = int(rng.integers(1, 5)), int(rng.choice([30, 3_000, 90_000]))
    found = [tuple(int(size) for size in rng.choice(SIZES, axes)) for _ in range(200)]
    return min(found, key=lambda shape: abs(np.log(np.prod(shape) / about)))


def region(rng: np.random.Generator, name: str) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs of a random region that ends in reductions."""
    shape = shape_of(rng)
    dtype = str(rng.choice(["float64", "float32", "int64"]))
    order = rng.permutation(len(shape)) if rng.random() < 0.3 else np.arange(len(shape))
    x = pg.var(f"{name}_x", tuple(shape[axis] for axis in order), dtype)
    y, z = (pg.var(f"{name}_{word}", tuple(n if rng.random() < 0.6 else 1 for n in shape), dtype) for word in "yz")
    value = np.transpose(x, tuple(int(axis) for axis in np.argsort(order))) * y - z
    if dtype != "int64" and rng.random() < 0.3:
        value = np.sin(value) * np.cos(y) + np.exp(-value * value)
    axes = tuple(axis for axis in range(len(shape)) if rng.random() < 0.6) or (0,)
    outputs = [REDUCTIONS[int(rng.integers(len(REDUCTIONS)))](value, axis=axes)]
    if rng.random() < 0.5:
        outputs.append(np.sum(value * value, axis=axes))
    if rng.random() < 0.4:
        outputs.append(value + 1)
    return [x, y, z], outputs


@pytest.mark.parametrize("seed", shallow(range(12), 4))
def test_random_reductions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [region(rng, f"r{k}") for k in range(6)]
    inputs = [x for given, _ in parts for x in given]
    exe = Executable(pg.Graph(inputs, tuple(y for _, made in parts for y in made)))
    arrays = [(rng.standard_normal(x.shape) * 2).astype(x.dtype) for x in inputs]
    native = Native(exe.program, DISTINCT[seed % len(DISTINCT)], "-O2")
    with np.errstate(all="ignore"):
        expected = flatten(exe(*arrays))[0]
    for number, (one, other) in enumerate(zip(native(*arrays), expected, strict=True)):
        assert identical(one, np.asarray(other)), f"output {number}\n{exe.disassemble()}"
