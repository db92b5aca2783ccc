"""Random graphs: C against the reference, optimised and fused or not, on 1 and 4 threads, in all segments.

How tight: the reference is run again several times with every inexact result moved by 8 to 16 ulps at random, and C may
be as far off as rounding alone moves an output in those runs, times SLACK. Where no rounding is involved (integers,
bools, moved elements, arithmetic on exact values) C must agree to the last bit. Elements whose value rounding may turn
over altogether (nan or not, 3 or 4) are left out; the tests check that these are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fuzz.graphs import ROWS, Sample, grow
from helpers import exact_nodes, is_exact, jittered, open_signs, reference, same, shallow, spread_of
from hypothesis import HealthCheck, given, settings, strategies as st

import pygraph as pg
from pygraph.autodiff.joint_graph import joint
from pygraph.graph import Graph
from pygraph.graph.tree import flatten

Array = npt.NDArray[Any]

SLACK = 8.0
RUNS = 5
#: How many graphs a test draws: a few, and with `-m deep` many.
SMALL, LARGE, DERIVED = (
    pytest.mark.parametrize("graphs", shallow([few, many])) for few, many in [(30, 600), (8, 90), (20, 400)]
)
#: So many small graphs use every row.
ENOUGH = 600
SEEDS = st.integers(0, 2**32 - 1)


def options(examples: int) -> settings:
    """Hypothesis draws a seed and a size alone, and shrinks the size: a smaller graph is a part of the larger one."""
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def listed(sample: Sample) -> Iterator[None]:
    """Adds the graph and its arguments to the text of a failure."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{sample}") from error


class Compared:
    """Counts what was compared, over all examples of one test."""

    def __init__(self) -> None:
        self.elements = self.left_out = self.graphs = 0
        self.rows: Counter[str] = Counter()

    def count(self, graph: Graph) -> None:
        self.graphs += 1
        self.rows.update(node.op.name for node in graph.nodes)

    def require(self) -> None:
        """Most elements were compared: of few graphs one alone may lose a tenth."""
        most = (0.03 if self.graphs >= 100 else 0.1) * self.elements
        assert self.left_out <= most, f"{self.left_out} of {self.elements} elements were left out"


@dataclass(frozen=True)
class Expected:
    """The reference's outputs, how far rounding moves each element, and which outputs no rounding touches."""

    values: list[Array]
    spreads: list[Array]
    exact: list[bool]

    def part(self, first: int, end: int | None = None) -> Expected:
        return Expected(self.values[first:end], self.spreads[first:end], self.exact[first:end])


def expected(graph: Graph, arrays: list[Array], seed: int) -> Expected:
    values = reference(graph, arrays)
    rng = np.random.default_rng([seed, 7])
    signs = [1.0, -1.0, *[None] * (RUNS - 2)]  # of nans
    spreads = spread_of([jittered(graph, arrays, rng, nans=sign) for sign in signs], values)
    exact = exact_nodes(graph)
    return Expected(values, spreads, [node in exact for node in graph.outputs])


def run(graph: Graph, arrays: list[Array], **kwargs: Any) -> list[Array]:
    from pygraph.runtime.call.executable import Executable

    return [np.asarray(x) for x in flatten(Executable(graph, **kwargs)(*arrays))[0]]


def compare(found: list[Array], wanted: Expected, what: str, compared: Compared | None = None) -> None:
    """Each element is as near to the reference as rounding explains."""
    assert len(found) == len(wanted.values), f"{what}: {len(found)} outputs, expected {len(wanted.values)}"
    for at, (a, b, spread, exact) in enumerate(zip(found, wanted.values, wanted.spreads, wanted.exact, strict=True)):
        assert (a.shape, a.dtype) == (b.shape, b.dtype), (
            f"{what}, output {at}: {a.dtype}{a.shape} for {b.dtype}{b.shape}"
        )
        known = np.isfinite(spread)
        with np.errstate(all="ignore"):
            apart = np.abs(a.astype(np.float64) - b.astype(np.float64))
            allowed = SLACK * spread
            if b.dtype.kind == "f" and not exact:
                allowed = allowed + 8 * np.finfo(b.dtype).eps * np.abs(b)
            equal = (a == b) | ((a != a) & (b != b))
            pole = (allowed >= np.abs(b)) & ~np.isfinite(a.astype(np.float64))  # rounding may lead across a pole
            wrong = known & ~equal & ~pole & ~(apart <= allowed)
        if compared is not None:
            compared.elements += a.size
            compared.left_out += int(np.count_nonzero(~known))
        if np.any(wrong):
            place = tuple(map(int, np.argwhere(wrong)[0]))
            raise AssertionError(
                f"{what}, output {at}: {np.count_nonzero(wrong)} of {a.size} elements differ, first at {place}: "
                f"{a[place]!r} for {b[place]!r}, {np.broadcast_to(allowed, a.shape)[place]:.3g} allowed"
            )


def sums(graph: Graph) -> bool:
    """Whether the graph adds or multiplies floats in an order that fusion may change."""
    return any(
        not node.op.pointwise and not is_exact(node.op, dtype) for node in graph.nodes for _, dtype in node.types
    )


def check_values(sample: Sample, seed: int, compared: Compared | None = None) -> None:
    """Every way to compile a graph gives what the reference gives."""
    graph, arrays = sample.graph, sample.arrays
    copies = [x.copy() for x in arrays]
    wanted = expected(graph, arrays, seed)
    plain = run(graph, arrays)
    compare(plain, wanted, "optimised and fused", compared)
    for optimise in (True, False):
        fused = run(graph, arrays, optimise=optimise) if not optimise else plain
        single = run(graph, arrays, fuse=False, optimise=optimise)
        compare(fused, wanted, f"optimise={optimise}")
        compare(single, wanted, f"fuse=False, optimise={optimise}")
        if not sums(graph):
            equal = [same(a, b) for a, b in zip(single, fused, strict=True)]
            left = [] if all(equal) else open_signs(graph, arrays, np.random.default_rng([seed, 9]))
            for at, mask in enumerate(left):
                a, b = single[at][~mask], fused[at][~mask]
                assert same(a, b), f"output {at}: fusion changes its bits, with optimise={optimise}"
    assert all(same(a, b) for a, b in zip(arrays, copies, strict=True)), "the call wrote to its arguments"


def check_threads(sample: Sample) -> None:
    """The bits of a result do not depend on the number of threads."""
    single, several = (run(sample.graph, sample.arrays, threads=threads) for threads in (1, 4))
    for at, (a, b) in enumerate(zip(several, single, strict=True)):
        assert same(a, b), f"output {at} depends on the number of threads"


def inner(left: list[Array], right: list[Array]) -> float:
    return float(sum(np.sum(a.astype(np.float64) * b) for a, b in zip(left, right, strict=True)))


def check_derivatives(sample: Sample, seed: int, compared: Compared | None = None) -> None:
    """forward, reverse and jvp equal the reference of the joint graph; the two modes are each other's adjoint."""
    from pygraph.runtime.call.executable import Executable

    graph, arrays = sample.graph, sample.arrays
    wrt = [i for i, node in enumerate(graph.inputs) if node.dtype.kind == "f"]
    whole = joint(graph, wrt)
    rng = np.random.default_rng([seed, 8])
    extra = [rng.uniform(-1, 1, node.shape).astype(node.dtype) for node in whole.graph.inputs[len(arrays) :]]
    seeds, tangents = extra[: whole.groups[1]], extra[whole.groups[1] :]
    wanted = expected(whole.graph, [*arrays, *extra], seed)
    first, second = whole.segments[0], whole.segments[0] + whole.segments[1]
    spreads = wanted.spreads
    exe = Executable(graph, wrt=[graph.inputs[i] for i in wrt])
    values = [np.asarray(x) for x in flatten(exe.forward(*arrays))[0]]
    compare(values, wanted.part(0, first), "forward", compared)
    gradients: list[Array] = []
    for _ in range(2):  # a second sweep over the same intermediates gives the same
        if seeds:
            cotangents = iter(seeds)
            seed_tree = tuple(next(cotangents) if y.dtype.kind == "f" else None for y in graph.outputs)
            gradients = [np.asarray(x) for x in exe.reverse(seed_tree)]
            compare(gradients, wanted.part(first, second), "reverse", compared)
        moved = [np.asarray(x) for x in flatten(exe.jvp(*tangents))[0]]
        compare(moved, wanted.part(second), "jvp", compared)
        compared = None
    if not seeds or not all(np.all(np.isfinite(x)) for x in (*gradients, *moved, *spreads)):
        return
    slack = sum(float(np.sum(s * np.abs(v))) for s, v in zip(spreads[second:], seeds, strict=True))
    slack += sum(float(np.sum(s * np.abs(t))) for s, t in zip(spreads[first:second], tangents, strict=True))
    products = sum(float(np.sum(np.abs(v.astype(np.float64) * m))) for v, m in zip(seeds, moved, strict=True))
    products += sum(float(np.sum(np.abs(g.astype(np.float64) * t))) for g, t in zip(gradients, tangents, strict=True))
    narrow = any(node.dtype == np.float32 for node in whole.graph.nodes if node.results is None)
    allowed = 8 * SLACK * slack + (1e-5 if narrow else 1e-12) * products  # five samples may miss the worst rounding
    left, right = inner(seeds, moved), inner(gradients, tangents)
    assert abs(left - right) <= allowed, f"adjoint identity: {left!r} and {right!r}, {allowed:.3g} allowed"


@SMALL
def test_random_graphs_by_value(graphs: int) -> None:
    compared = Compared()

    @options(graphs)
    @given(count=st.integers(5, 60), seed=SEEDS)
    def check(count: int, seed: int) -> None:
        sample = grow(seed, count)
        compared.count(sample.graph)
        with listed(sample):
            check_values(sample, seed, compared)

    check()
    compared.require()
    assert compared.graphs >= graphs
    missing = set(ROWS) - set(compared.rows)
    assert not missing or graphs < ENOUGH, f"no graph used {sorted(missing)}"


@LARGE
def test_large_random_graphs(graphs: int) -> None:
    """Arrays that cross the size at which work is cut into tasks."""
    compared = Compared()

    @options(graphs)
    @given(count=st.integers(5, 16), seed=SEEDS)
    def check(count: int, seed: int) -> None:
        sample = grow(seed, count, large=True)
        compared.count(sample.graph)
        with listed(sample):
            check_threads(sample)
            if seed % 3 == 0:
                check_values(sample, seed, compared)
            elif seed % 3 == 1:
                check_derivatives(sample, seed, compared)

    check()
    compared.require()
    assert compared.graphs >= graphs


@DERIVED
def test_random_graphs_by_derivative(graphs: int) -> None:
    compared = Compared()

    @options(graphs)
    @given(count=st.integers(5, 40), seed=SEEDS)
    def check(count: int, seed: int) -> None:
        sample = grow(seed, count)
        compared.count(sample.graph)
        with listed(sample):
            check_derivatives(sample, seed, compared)

    check()
    compared.require()
    assert compared.graphs >= graphs


@pytest.mark.sanitize
@pytest.mark.parametrize("seed", shallow(range(40), 20))
def test_fixed_random_graphs(seed: int) -> None:
    """The same checks on fixed graphs: those that the sanitizers watch."""
    sample = grow(seed, 8 + seed)
    with listed(sample):
        check_values(sample, seed)
        check_derivatives(sample, seed)
    several = grow(seed, 10, large=seed % 8 == 0)
    with listed(several):
        check_threads(several)


def test_the_sign_of_a_nan_is_left_open() -> None:
    """IEEE 754 does not say it, so that neither bits nor values may be asked for that depend on it."""
    x, zero = pg.var("x", (2,)), pg.var("zero", (2,))
    graph = Graph([x, zero], [np.copysign(x, np.fmod(zero, zero)), np.copysign(x, zero)])
    arrays = [np.array([1.5, -2.0]), np.array([0.0, 1.0])]  # the second has no nan
    spreads = expected(graph, arrays, 0).spreads
    assert spreads[0].tolist() == [3.0, 0.0]
    assert spreads[1].tolist() == [0.0, 0.0]
    masks = open_signs(graph, arrays, np.random.default_rng(0))
    assert [mask.tolist() for mask in masks] == [[True, False], [False, False]]
