"""What this machine can do, measured by Programs of our own: bytes, additions, products and instructions a second."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np

from ...graph.construction import var
from ...graph.graph import Graph
from ...graph.node import Node
from ...lower.lowering import lower
from ...lower.program import Segment
from ...runtime.call.timing import Timing, timings

#: Sizes of arrays that are copied: what fits in the caches, and what does not.
_SIZES = (1 << 14, 1 << 17, 1 << 20, 1 << 23, 1 << 26)
_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Machine:
    """Figures of one tier and number of threads.

    Attributes:
        copies: for sizes of arrays, the bytes read and written per nanosecond when they are copied.
        addition: nanoseconds of an addition in a loop over arrays that are in the cache.
        scalar: of an operation between scalars, with its dispatch.
        instruction: of an instruction with next to nothing to do.
        product: of a product of two small matrices, of which nearly all is the way to the library that computes it.
        products: floating-point operations per nanosecond in a product of matrices.
    """

    copies: tuple[tuple[int, float], ...]
    addition: float
    scalar: float
    instruction: float
    product: float
    products: float

    def bytes_per_nanosecond(self, nbytes: float) -> float:
        """How fast so many bytes are moved: by the cache that holds them, or by memory."""
        for size, rate in self.copies:
            if nbytes <= 2 * size:
                return rate
        return self.copies[-1][1]

    def __str__(self) -> str:
        near, far = self.copies[0][1], self.copies[-1][1]
        return (
            f"{far:.1f} GB/s from memory, {near:.1f} GB/s from the cache, "
            f"{self.products:.3g} Gflop/s in products, {1 / self.addition:.3g} G additions/s, "
            f"{self.scalar:.3g} ns a scalar, {self.instruction:.3g} ns an instruction"
        )


@functools.cache
def machine(threads: int, native: bool) -> Machine:
    """The figures, measured once for each tier and number of threads.

    Raises:
        BackendError: `native`, and there is no native code.
    """
    x = var("x", (4096,))
    once = _loop(x, 2, threads, native)
    many = _loop(x, 18, threads, native)
    scalar = var("x")
    chain = scalar
    for i in range(64):
        chain = chain * 1.0009765625 + float(i)
    scalars = _run(Graph([scalar], chain), np.zeros(()), threads, native)
    small = var("x", (16,))
    steps = small
    for i in range(12):
        steps = steps + float(i + 1)
    apart = _run(Graph([small], steps), np.zeros(16), threads, native, fuse=False)
    square = var("x", (256, 256))
    product = _run(Graph([square], square @ square), np.ones((256, 256)), threads, native)
    tiny = var("x", (2, 2))
    least = _run(Graph([tiny], tiny @ tiny), np.ones((2, 2)), threads, native)
    rates = [_copied(size) for size in _SIZES]
    return Machine(
        tuple((size, max(rates[i:])) for i, size in enumerate(_SIZES)),  # what is smaller is no slower
        max((_taken(many) - _taken(once)) / (32 * 4096), 1e-4),
        max(_taken(scalars) / 128, 1e-3),
        max(float(np.median(apart.least[apart.counts > 0])), 1.0),
        max(_taken(least), 1.0),
        2.0 * 256**3 / max(_taken(product), 1.0),
    )


def _loop(x: Node, steps: int, threads: int, native: bool) -> Timing:
    chain = x
    for i in range(steps):
        chain = chain * 1.0009765625 + float(i)
    return _run(Graph([x], chain), np.zeros(x.shape), threads, native)


def _run(
    graph: Graph,
    value: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    threads: int,
    native: bool,
    fuse: bool = True,
) -> Timing:
    program = lower(graph, fuse=fuse)
    (found,) = timings(program, "calibration", {Segment.FORWARD: [value]}, threads, native, _SECONDS, plain=False)
    return found


def _taken(timing: Timing) -> float:
    return float(timing.least.sum())


def _copied(size: int) -> float:
    source, target = np.zeros(size // 8), np.zeros(size // 8)
    repeats = max(1, (1 << 22) // size)
    best = float("inf")
    for _ in range(9):
        begin = time.perf_counter_ns()
        for _ in range(repeats):
            np.copyto(target, source)
        best = min(best, (time.perf_counter_ns() - begin) / repeats)
    return 2.0 * size / max(best, 1.0)
