"""What the tests of several packages share: graphs evaluated in three ways, arrays compared in ulps, C compilers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from pygraph.autodiff import batch
from pygraph.graph import Graph, Node, make, var
from pygraph.graph.construction import outputs_of
from pygraph.graph.reference import evaluate_flat
from pygraph.ops import table as _table  # noqa: F401  (registers every row)
from pygraph.ops.dtypes import KINDS
from pygraph.ops.leaves import constant_row as CONSTANT, output_row as OUTPUT
from pygraph.ops.row import Family, Op

Array = npt.NDArray[Any]

#: The C compilers of this machine, by the names under which one is asked for, the preferred one first.
COMPILERS: tuple[str, ...] = tuple(
    name
    for name in (os.environ.get("PYGRAPH_CC"), os.environ.get("CC"), "cc", "gcc", "clang")
    if name and shutil.which(name)
)
#: For `pytestmark` of a module whose tests all run a C compiler.
COMPILER_MARKS = [pytest.mark.compiler, pytest.mark.skipif(not COMPILERS, reason="no C compiler")]
Test = TypeVar("Test", bound=Callable[..., Any])


def needs_compiler(test: Test) -> Test:
    """Marks a test that runs a C compiler: `compiler`, and skipped where there is none."""
    for mark in COMPILER_MARKS:
        test = mark(test)
    return test


def shallow(values: Sequence[Any], count: int = 1) -> list[Any]:
    """For `parametrize`: the first `count` of `values`, and the others with `-m deep`; a tuple is several arguments."""
    rest = [value if isinstance(value, tuple) else (value,) for value in values[count:]]
    return [*values[:count], *(pytest.param(*value, marks=pytest.mark.deep) for value in rest)]


def is_exact(op: Op, dtype: np.dtype[Any]) -> bool:
    """Whether a row's result is fixed to the last bit by its operands: C and NumPy must then agree exactly."""
    return op.exact or op.family is Family.LEAF or KINDS[dtype] != "f"


def apply_row(op: Op, operands: Sequence[Node], attrs: Mapping[str, Any]) -> list[Node]:
    """The results of a row on nodes that need no promotion."""
    node = make(op, tuple(operands), dict(attrs))
    return [node] if node.results is None else list(outputs_of(node))


def row_graph(op: Op, operands: Sequence[Array], attrs: Mapping[str, Any]) -> Graph:
    """A graph of one row over variables typed like `operands`."""
    variables = [var(f"x{i}", x.shape, x.dtype) for i, x in enumerate(operands)]
    return Graph(variables, tuple(apply_row(op, variables, attrs)), name=op.name)


def run_flat(graph: Graph, arrays: Sequence[Array], **options: Any) -> list[Array]:
    """The flat outputs of a graph in C; options are those of `Executable`."""
    from pygraph.graph.tree import flatten
    from pygraph.runtime.call.executable import Executable

    return [np.asarray(x) for x in flatten(Executable(graph, **options)(*arrays))[0]]


def same(actual: Any, expected: Any, signs: bool = True) -> bool:
    """Whether two arrays have one shape, one dtype and equal elements: nan equals nan, and -0 only -0 if `signs`."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if (actual.shape, actual.dtype) != (expected.shape, expected.dtype):
        return False
    if not np.array_equal(actual, expected, equal_nan=actual.dtype.kind == "f"):
        return False
    if signs and actual.dtype.kind == "f":
        numbers = ~np.isnan(actual)
        return np.array_equal(np.signbit(actual[numbers]), np.signbit(expected[numbers]))
    return True


def distance(actual: Any, expected: Any, floor: Any = 0.0) -> Array:
    """How far elements are apart, in ulps of `expected`, or of `floor` where that is larger; 0 for equal nans too."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    with np.errstate(all="ignore"):
        unit = np.spacing(np.maximum(np.abs(expected), np.asarray(floor, expected.dtype)))
        apart = np.abs(actual.astype(np.float64) - expected.astype(np.float64)) / unit.astype(np.float64)
    equal = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    apart = np.where(equal, 0.0, apart)
    return np.where(np.isnan(apart), np.inf, apart)


def assert_close(actual: Any, expected: Any, ulps: float, what: str, floor: Any = 0.0, signs: bool = True) -> None:
    """Equal shape, dtype and elements up to `ulps`; exactly where `ulps` is 0 or the dtype is not floating."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    types = (actual.shape, actual.dtype), (expected.shape, expected.dtype)
    assert types[0] == types[1], f"{what}: {types[0]}, expected {types[1]}"
    if ulps == 0 or actual.dtype.kind != "f":
        assert same(actual, expected, signs), f"{what}: {worst(actual, expected)}"
        return
    apart = distance(actual, expected, floor)
    assert np.all(apart <= ulps), f"{what}: {np.max(apart):.3g} ulps apart, {ulps} allowed; {worst(actual, expected)}"


def worst(actual: Array, expected: Array) -> str:
    """The first and the worst element that differ."""
    if actual.dtype.kind == "f":
        apart = distance(actual, expected)
        signs = (np.signbit(actual) != np.signbit(expected)) & ~np.isnan(actual)
        apart = np.where((apart == 0) & signs, 0.5, apart)
    else:
        apart = np.where(actual == expected, 0.0, 1.0)
    if not apart.size:
        return "no elements"
    count = int(np.count_nonzero(apart))
    at = np.unravel_index(int(np.argmax(apart)), apart.shape)
    place = tuple(map(int, at))
    return f"{count} of {apart.size} elements differ, the worst at {place}: {actual[at]!r} for {expected[at]!r}"


def jittered(
    graph: Graph, arrays: Sequence[Array], rng: np.random.Generator, size: float = 16.0, nans: float | None = None
) -> list[Array]:
    """The reference with every inexact floating result moved at random by about `size` ulps.

    Several runs show how far rounding alone may move each output: what a correct implementation with another order of
    summation, or another last bit in its functions, may differ by. Each nan that an operation makes gets the sign of
    `nans`, or one at random: IEEE 754 leaves it open, and copysign and signbit see it.
    """
    env: dict[Node, Any] = dict(zip(graph.inputs, arrays, strict=True))
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node not in env:
                env[node] = _jittered_node(node, [env[x] for x in node.inputs], rng, size, nans)
    return [np.asarray(env[node]) for node in graph.outputs]


def _jittered_node(node: Node, operands: list[Any], rng: np.random.Generator, size: float, nans: float | None) -> Any:
    op = node.op
    if op is CONSTANT:
        return node.attrs["value"].value
    if op is OUTPUT:
        return operands[0][node.attrs["index"]]
    if op.interpret is not None:
        return tuple(
            op.interpret(lambda body, values: jittered(body, values, rng, size, nans), *operands, **node.attrs)
        )
    compute = op.reference or op.define
    assert compute is not None
    made = compute(*operands, **node.attrs)
    values = [np.asarray(x) for x in (made if node.results is not None else [made])]
    found = []
    for value in values:
        if value.dtype.kind == "f" and np.isnan(value).any():
            signs = rng.choice([-1.0, 1.0], value.shape) if nans is None else nans
            value = np.where(np.isnan(value), np.copysign(np.nan, signs), value).astype(value.dtype)
        if value.dtype.kind != "f" or is_exact(op, value.dtype):
            found.append(value)
            continue
        scale = _rounding_scale(op, operands, node.attrs, value)
        noise = rng.uniform(size / 2, size, value.shape) * rng.choice([-1.0, 1.0], value.shape)
        with np.errstate(all="ignore"):
            moved = value + np.where(np.isfinite(scale), scale * noise * np.finfo(value.dtype).eps, 0.0)
        found.append(np.asarray(moved).astype(value.dtype))
    return tuple(found) if node.results is not None else found[0]


def _rounding_scale(op: Op, operands: Sequence[Any], attrs: Mapping[str, Any], value: Array) -> Any:
    """The size of a row's values that their errors are relative to: of a sum that of its terms, which may cancel."""
    if op.kernel is not None:
        return np.max(np.abs(value), initial=0.0)
    if op.family not in (Family.LINEAR, Family.BILINEAR):
        return np.maximum(np.abs(value), op.floor)
    assert op.reference is not None
    linear = range(len(operands)) if op.linear_in is None else op.linear_in
    terms = op.reference(*(np.abs(x) if i in linear else x for i, x in enumerate(operands)), **attrs)
    count = op.reference(*(np.ones_like(x) if i in linear else x for i, x in enumerate(operands)), **attrs)
    return np.asarray(terms) * (1.0 + np.sqrt(count) / 16.0)


def exact_nodes(graph: Graph) -> set[Node]:
    """Nodes whose value the arguments fix to the last bit."""
    exact: set[Node] = set()
    for node in graph.nodes:
        if all(x in exact for x in node.inputs) and node.results is None and is_exact(node.op, node.dtype):
            exact.add(node)
    return exact


def open_signs(graph: Graph, arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
    """Which elements of each output depend on the sign of a nan that an operation makes."""
    first, *others = (jittered(graph, arrays, rng, 0.0, sign) for sign in (1.0, -1.0, None, None))
    found = [np.zeros(value.shape, bool) for value in first]
    for run in others:
        for mask, a, b in zip(found, first, run, strict=True):
            mask |= ~((a == b) | ((a != a) & (b != b)))
            if a.dtype.kind == "f":
                mask |= ~np.isnan(a) & (np.signbit(a) != np.signbit(b))
    return found


def spread_of(runs: Sequence[Sequence[Array]], expected: Sequence[Array]) -> list[Array]:
    """How far the jittered runs move each element of each output; inf where they disagree on nan or an integer."""
    spreads = []
    for at, value in enumerate(expected):
        moved = np.zeros(value.shape)
        for run in runs:
            if value.dtype.kind != "f":
                apart = np.where(run[at] == value, 0.0, np.inf)
            else:
                with np.errstate(all="ignore"):
                    apart = np.abs(run[at].astype(np.float64) - value.astype(np.float64))
                alike = (run[at] == value) | (np.isnan(run[at]) & np.isnan(value))
                apart = np.where(alike, 0.0, np.where(np.isnan(apart), np.inf, apart))
            moved = np.maximum(moved, apart)
        spreads.append(moved)
    return spreads


def reference(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """The flat outputs of a graph by the reference interpreter."""
    return [np.asarray(x) for x in evaluate_flat(graph, arrays)]


def check_batch(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    values: Sequence[Any],
    flags: Sequence[bool],
    size: int,
    ulps: float,
    run: Any,
) -> None:
    """`batch` of expressions against their values for one example after another."""
    wide = [
        var(f"b{k}", (size, *x.shape), x.dtype) if flag else None
        for k, (x, flag) in enumerate(zip(inputs, flags, strict=True))
    ]
    found, has_axis = batch(outputs, inputs, wide, size)
    graph = Graph([x if w is None else w for w, x in zip(wide, inputs, strict=True)], tuple(found))
    graph.verify("differentiated")
    got = run(graph, values)
    one = Graph(inputs, tuple(outputs))
    each = [
        evaluate_flat(one, [v[i] if flag else v for v, flag in zip(values, flags, strict=True)]) for i in range(size)
    ]
    for k, output in enumerate(outputs):
        assert found[k].shape == ((size, *output.shape) if has_axis[k] else output.shape)
        for i in range(size):
            assert_close(got[k][i] if has_axis[k] else got[k], each[i][k], ulps, f"{output!r}, example {i}", floor=1.0)


Transform = Callable[[Array], Array]
#: Arrays of equal values laid out in other ways, which a call must accept.
LAYOUTS: Mapping[str, Transform] = {
    "reversed": lambda x: np.array(x[tuple(slice(None, None, -1) for _ in x.shape)], order="C")[
        tuple(slice(None, None, -1) for _ in x.shape)
    ],
    "fortran": lambda x: np.array(x, order="F"),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "read-only": lambda x: _frozen(x),
    "unaligned": lambda x: _unaligned(x),
}


def _frozen(x: Array) -> Array:
    y = x.copy()
    y.flags.writeable = False
    return y


def _unaligned(x: Array) -> Array:
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    y = buffer[1:].view(x.dtype).reshape(x.shape) if x.size else x
    if x.size:
        y[...] = x
    return y
