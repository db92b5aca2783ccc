"""Operands for every row of the op table: by dtype and domain for pointwise rows, by name for all others."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pygraph.graph import Graph, scan, var
from pygraph.ops.dtypes import DTYPES, KINDS
from pygraph.ops.kernel import TYPES
from pygraph.ops.row import TABLE, Family, Op

Array = npt.NDArray[Any]
FLOATS = tuple(dtype for dtype in DTYPES if KINDS[dtype] == "f")
F64 = np.dtype("float64")
BOOL = np.dtype("bool")


@dataclass(frozen=True, eq=False)
class Case:
    """One application of a row: its operands, its attributes, and what to call it in a message."""

    op: Op
    operands: tuple[Array, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        types = ", ".join(f"{x.dtype}{list(x.shape)}" for x in self.operands)
        attrs = "".join(f", {key}={value}" for key, value in self.attrs.items() if not isinstance(value, Graph))
        return f"{self.op.name}({types}{attrs})"


def rows() -> list[str]:
    """The names of all rows that compute something from arrays, in the order of the table."""
    return [name for name, op in TABLE.items() if op.family is not Family.LEAF and name != "replay"]  # that has stacks


def quick(names: list[str]) -> list[Any]:
    """Names of rows; those whose every element takes long are for the deep run."""
    return [pytest.param(name, marks=pytest.mark.deep) if TABLE[name].price >= 100 else name for name in names]


def rng_for(*key: object) -> np.random.Generator:
    """A generator that depends on `key` alone."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def array(
    rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype[Any], low: float = -3.0, high: float = 3.0
) -> Array:
    """Random elements of one dtype in an interval."""
    shape = tuple(shape)
    match KINDS[dtype]:
        case "b":
            return np.asarray(rng.random(shape) < 0.5)
        case "i":
            return rng.integers(int(np.floor(low)), int(np.ceil(high)) + 1, shape).astype(dtype)
    return np.asarray(rng.uniform(low, high, shape)).astype(dtype)


# --- pointwise rows --------------------------------------------------------------------------------------------------

#: Operand shapes of pointwise rows, repeated as needed: first the usual ones, then lengths around those of blocks.
SHAPES = ((), (1,), (5,), (0,), (3, 4), (2, 0, 3))
LENGTHS = (63, 64, 65, 1000, 1025)
#: Shapes that broadcast, for rows with two or three operands.
BROADCASTS = (
    ((3, 1), (1, 4), ()),
    ((), (5,), (5,)),
    ((5,), (), (1,)),
    ((2, 3, 4), (4,), (3, 1)),
    ((1,), (2, 0), ()),
    ((4, 1), (2, 1, 3), (3,)),
)


#: Constant exponents that are multiplied out.
EXPONENTS = (3.0, 2.5, -0.5, -3.0, 16.0, -1.5)


def operand_dtypes(op: Op, dtype: np.dtype[Any]) -> tuple[np.dtype[Any], ...]:
    """The dtypes of a pointwise row's operands when those that are promoted have `dtype`."""
    assert op.arity is not None
    return tuple(BOOL if i in op.differs else dtype for i in range(op.arity))


def pointwise_dtypes(op: Op) -> list[np.dtype[Any]]:
    """The dtypes a pointwise row accepts."""
    return [dtype for dtype in DTYPES if KINDS[dtype] in op.kinds]


def _pointwise_attrs(op: Op) -> list[dict[str, Any]]:
    """The attributes of a pointwise row, of which most have none."""
    match op.name:
        case "convert":
            return [{"dtype": dtype} for dtype in DTYPES]
        case "constant_power":
            return [{"exponent": exponent} for exponent in EXPONENTS]
    return [{}]


def _pointwise_operands(
    op: Op, dtype: np.dtype[Any], shapes: Sequence[Sequence[int]], seed: object
) -> tuple[Array, ...]:
    rng = rng_for(op.name, dtype.name, tuple(map(tuple, shapes)), seed)
    dtypes = operand_dtypes(op, dtype)
    return tuple(array(rng, s, d, *interval) for s, d, interval in zip(shapes, dtypes, op.domain, strict=True))


def pointwise_cases(op: Op, dtype: np.dtype[Any]) -> Iterator[Case]:
    """A pointwise row on operands of `dtype`, in many shapes."""
    assert op.arity is not None
    shapes: list[tuple[tuple[int, ...], ...]] = [(shape,) * op.arity for shape in SHAPES]
    shapes += [((length,),) * op.arity for length in LENGTHS]
    if op.arity > 1:
        shapes += [pair[: op.arity] for pair in BROADCASTS]
        shapes += [((65,),) + ((),) * (op.arity - 1), ((),) * (op.arity - 1) + ((65,),)]
    for attrs in _pointwise_attrs(op):
        for each in shapes:
            yield Case(op, _pointwise_operands(op, dtype, each, 0), attrs)


def edge_values(dtype: np.dtype[Any]) -> list[Any]:
    """Zeros, infinities, nan, subnormals, extremes and a few plain numbers of a dtype."""
    match KINDS[dtype]:
        case "b":
            return [False, True]
        case "i":
            info = np.iinfo(dtype)
            return [0, 1, -1, 2, -2, 7, -7, info.min, info.min + 1, info.max, info.max - 1]
    limits = np.finfo(dtype)
    plain = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 1e-3, 10.0, 88.5, 710.0, 1e5, 1e10, 2.0**24 + 2.0, 2.0**53]
    special = [
        np.inf,
        float(limits.smallest_subnormal),
        float(limits.smallest_subnormal) * 12345,
        float(limits.tiny),
        float(limits.max),
        float(limits.eps),
    ]
    return [np.nan, *(sign * x for x in [*plain, *special] for sign in (1.0, -1.0))]


def edge_case(op: Op, dtype: np.dtype[Any]) -> Case:
    """A pointwise row on all combinations of edge values."""
    values = [np.array(edge_values(d), d) for d in operand_dtypes(op, dtype)]
    grid = np.meshgrid(*values, indexing="ij")
    attrs = _pointwise_attrs(op)[0] if op.name == "constant_power" else {}
    return Case(op, tuple(np.ascontiguousarray(x.reshape(-1)) for x in grid), attrs)


# --- all other rows: parameters by name ------------------------------------------------------------------------------

Maker = Callable[[np.random.Generator, np.dtype[Any]], Iterator[tuple[tuple[Array, ...], dict[str, Any]]]]
#: How to make operands and attributes of rows that have no `samples` of their own.
STRUCTURE: dict[str, tuple[str, Maker]] = {}


def _entry(*names: str, kinds: str = "fib") -> Callable[[Maker], Maker]:
    def add(maker: Maker) -> Maker:
        STRUCTURE.update(dict.fromkeys(names, (kinds, maker)))
        return maker

    return add


@_entry("reshape")
def _reshape(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    pairs = [
        ((2, 3, 4), (4, 6)),
        ((), (1, 1)),
        ((1, 1), ()),
        ((6,), (2, 3)),
        ((0, 3), (3, 0, 2)),
        ((12,), (12,)),
        ((3, 4), (12,)),
    ]
    for shape, wanted in pairs:
        yield (array(rng, shape, dtype),), {"shape": wanted}


@_entry("transpose")
def _transpose(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for shape in ((), (5,), (3, 4), (2, 3, 4), (0, 3), (1, 5, 1), (40, 70)):
        for axes in itertools.permutations(range(len(shape))):
            yield (array(rng, shape, dtype),), {"axes": axes}


@_entry("broadcast_to")
def _broadcast_to(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    pairs = [
        ((), (3, 4)),
        ((1, 3), (2, 3)),
        ((3, 1), (2, 3, 4)),
        ((), ()),
        ((1,), (0,)),
        ((4,), (0, 4)),
        ((1, 1), (33, 65)),
    ]
    for shape, wanted in pairs:
        yield (array(rng, shape, dtype),), {"shape": wanted}


#: (shape of the whole, starts, steps, shape of the part)
_PLACES = (
    ((5,), (1,), (2,), (2,)),
    ((5,), (4,), (-1,), (5,)),
    ((5,), (3,), (-2,), (2,)),
    ((5,), (2,), (1,), (1,)),
    ((5,), (0,), (1,), (0,)),
    ((3, 4), (2, 1), (-1, 2), (3, 2)),
    ((3, 4), (0, 3), (1, -3), (3, 2)),
    ((3, 4), (1, 0), (1, 1), (1, 4)),
    ((2, 3, 4), (1, 0, 3), (-1, 1, -1), (2, 3, 4)),
    ((2, 3, 4), (0, 1, 1), (1, 1, 2), (2, 2, 2)),
    ((0, 3), (0, 0), (1, 1), (0, 2)),
    ((), (), (), ()),
    ((1,), (0,), (1,), (1,)),
    ((2000,), (1999,), (-3,), (600,)),
)


@_entry("slice")
def _slice(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for whole, starts, steps, part in _PLACES:
        yield (array(rng, whole, dtype),), {"starts": starts, "steps": steps, "shape": part}


@_entry("unslice")
def _unslice(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for whole, starts, steps, part in _PLACES:
        yield (array(rng, part, dtype),), {"starts": starts, "steps": steps, "shape": whole}


@_entry("concatenate")
def _concatenate(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    families: list[tuple[list[tuple[int, ...]], int]] = [
        ([(5,)], 0),
        ([(1,), (1,), (1,)], 0),
        ([(2,), (0,), (3,)], 0),
        ([(0,), (0,)], 0),
        ([(2, 3), (1, 3)], 0),
        ([(2, 3), (2, 1), (2, 4)], 1),
        ([(2, 1, 3), (2, 2, 3)], 1),
        ([(2, 2, 1), (2, 2, 5)], 2),
        ([(0, 3), (2, 3)], 0),
        ([(1000,), (65,)], 0),
    ]
    for shapes, axis in families:
        yield tuple(array(rng, shape, dtype) for shape in shapes), {"axis": axis}


#: (shape, axis, index): duplicates, negative entries, indices of any shape, empty ones, a single one.
_PICKS: tuple[tuple[tuple[int, ...], int, Any], ...] = (
    ((5,), 0, [0, 4, -1, -5, 2, 2]),
    ((5,), 0, 3),
    ((5,), 0, [[1, -1], [0, 0]]),
    ((3, 4), 0, [2, 0, -1, 2]),
    ((3, 4), 1, [3, -4, 3]),
    ((2, 3, 4), 1, [[2, 0], [-1, 1], [1, 1]]),
    ((2, 3, 4), 2, [1]),
    ((3, 4), 0, []),
    ((1,), 0, [0, -1, 0]),
    ((0, 3), 1, [1, -1]),
    ((300, 2), 0, list(range(-300, 300, 7))),
)


@_entry("take")
def _take(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for shape, axis, index in _PICKS:
        yield (array(rng, shape, dtype), np.array(index, np.int64)), {"axis": axis}


@_entry("scatter_set")
def _scatter(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for shape, axis, index in _PICKS:
        places = np.array(index, np.int64)
        values = array(rng, (*shape[:axis], *places.shape, *shape[axis + 1 :]), dtype)
        yield (array(rng, shape, dtype), places, values), {"axis": axis}


_entry("scatter_add", kinds="fi")(_scatter)


@_entry("wrap_index", kinds="i")
def _wrap_index(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    if dtype == np.int64:
        for shape in ((), (1,), (5,), (0,), (3, 4), (1025,)):
            yield (np.asarray(rng.integers(-7, 7, shape)),), {"size": 7}


@_entry("strict_index", kinds="i")
def _strict_index(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    if dtype == np.int64:
        for shape in ((), (5,), (0,), (3, 4)):
            yield (np.asarray(rng.integers(0, 7, shape)),), {"size": 7}


#: Shapes of which every subset of axes is reduced, and (shape, axes) that cross the size at which work is cut up:
#: all to one, few long rows, many short ones, several columns, one of several axes between others.
_REDUCED = ((), (1,), (5,), (3, 4), (2, 3, 4), (1, 5, 1), (0, 3), (3, 0, 2), (65, 3), (2, 1030))
_LARGE: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((32768,), (0,)),
    ((32769,), (0,)),
    ((70001,), (0,)),
    ((40, 1700), (0, 1)),
    ((2, 40000), (1,)),
    ((3000, 30), (1,)),
    ((9000, 7), (0,)),
    ((2, 20000, 3), (1,)),
    ((30, 11, 200), (0, 2)),
    ((3, 40000), (0,)),
)


@_entry("reduce_sum", "reduce_prod", kinds="fi")
def _reduce(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for shape in _REDUCED:
        for count in range(len(shape) + 1):
            for axes in itertools.combinations(range(len(shape)), count):
                yield (array(rng, shape, dtype),), {"axes": axes}


_entry("reduce_max", "reduce_min", kinds="fib")(_reduce)

#: (shape of a, shape of b) as stored for the flags (False, False); other flags swap the last two axes.
_PRODUCTS = (
    ((3, 4), (4, 5)),
    ((1, 4), (4, 1)),
    ((1, 4), (4, 5)),
    ((3, 4), (4, 1)),
    ((3, 1), (1, 5)),
    ((1, 1), (1, 1)),
    ((3, 0), (0, 5)),
    ((0, 4), (4, 5)),
    ((3, 4), (4, 0)),
    ((17, 33), (33, 9)),
    ((70, 65), (65, 130)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4), (4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 1, 3, 4), (3, 4, 2)),
    ((1, 3, 4), (5, 4, 2)),
    ((0, 3, 4), (4, 2)),
    ((2, 1, 1, 4), (1, 3, 4, 1)),
)


def _swapped(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2])


@_entry("matmul", kinds="fi")
def _matmul(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for a, b in _PRODUCTS:
        for transpose_a, transpose_b in itertools.product((False, True), repeat=2):
            x = array(rng, _swapped(a) if transpose_a else a, dtype)
            y = array(rng, _swapped(b) if transpose_b else b, dtype)
            yield (x, y), {"transpose_a": transpose_a, "transpose_b": transpose_b}


def _smooth(dtype: np.dtype[Any], x: Any) -> Any:
    """A function of one expression that keeps its dtype and stays small."""
    from pygraph.ops import logical_not, tanh

    match KINDS[dtype]:
        case "f":
            return tanh(x)
        case "i":
            return x % 5
    return logical_not(x)


@_entry("scan")
def _scan(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    for length, reverse, shape in itertools.product((0, 1, 2, 5), (False, True), ((), (3,), (2, 3))):
        steps = max(length, 1)  # a loop of no steps is not recorded
        carry, other, xs = var("carry", shape, dtype), var("other", (), dtype), var("xs", (steps, *shape), dtype)
        weight = var("weight", shape, dtype)

        def step(state: Any, x: Any, weight: Any = weight) -> Any:
            first, second = state
            new = _smooth(dtype, first * weight + x)
            return (new, second * first.reshape(-1)[:1].reshape(())), (new + x, x)

        (last, final), stacked = scan(step, (carry, other), xs, reverse=reverse)
        found = Graph([weight, carry, other, xs], (last, final, stacked))
        (node,) = [n for n in found.nodes if n.op.name == "scan"]
        values = {v: array(rng, v.shape, dtype, -1.0, 1.0) for v in found.inputs}
        values[xs] = values[xs][:length]
        yield tuple(values[v] for v in node.inputs), {**node.attrs, "length": length}


def _control_case(found: Graph, name: str, values: dict[Any, Array]) -> tuple[tuple[Array, ...], dict[str, Any]]:
    (node,) = [n for n in found.nodes if n.op.name == name]
    operands = reference_values(Graph(found.inputs, node.inputs), [values[v] for v in found.inputs])
    return tuple(operands), dict(node.attrs)


def reference_values(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """The outputs of a graph by the interpreter."""
    from pygraph.graph.reference import evaluate_flat

    return evaluate_flat(graph, arrays)


@_entry("branch")
def _branch(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    from pygraph.graph import switch
    from pygraph.graph.record_checkpoint import checkpoint

    for index, shape in itertools.product((-1, 0, 1, 2, 7), ((), (3,), (2, 0))):
        k, x, y = var("k", (), "int64"), var("x", shape, dtype), var("y", (), dtype)

        def first(x: Any, y: Any = y) -> Any:
            return x, x * y

        def second(x: Any, y: Any = y) -> Any:
            return _smooth(dtype, x * y), x

        def third(x: Any, y: Any = y) -> Any:
            return x + y, _smooth(dtype, x)

        found = Graph([k, x, y], switch(k, [first, second, third], x))
        values = {k: np.asarray(index), x: array(rng, shape, dtype, -1.0, 1.0), y: array(rng, (), dtype, -1.0, 1.0)}
        yield _control_case(found, "branch", values)
        once = Graph([x, y], checkpoint(first, [x], {}))
        yield _control_case(once, "branch", {x: values[x], y: values[y]})


@_entry("while_loop")
def _while_loop(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
    from pygraph.graph import while_loop

    for steps, shape in itertools.product((0, 1, 2, 5), ((), (3,), (2, 0))):
        n, x, y = var("n", (), "int64"), var("x", shape, dtype), var("y", shape, dtype)

        def step(carry: Any, y: Any = y) -> Any:
            i, value, other = carry
            return i + 1, _smooth(dtype, value * y + other), value

        found = Graph([n, x, y], while_loop(lambda c, n=n: c[0] < n, step, (0, x, y), limit=10))
        values = {n: np.asarray(steps), x: array(rng, shape, dtype, -1.0, 1.0), y: array(rng, shape, dtype, -1.0, 1.0)}
        yield _control_case(found, "while_loop", values)


def structure_cases(op: Op, dtype: np.dtype[Any]) -> Iterator[Case]:
    """A row that is not pointwise on operands of `dtype`, with the parameters of its entry."""
    kinds, maker = entry(op)
    if KINDS[dtype] in kinds:
        for operands, attrs in maker(rng_for(op.name, dtype.name), dtype):
            yield Case(op, operands, attrs)


#: Values of a signature's names in turn, and the leading axes of each operand in turn.
_SIZES = ((2, 3, 4), (1, 1, 1), (3, 1, 2), (0, 2, 0))
_LEADING: tuple[tuple[tuple[int, ...], ...], ...] = (((), ()), ((5,), (5,)), ((), (3,)), ((2, 1), (3,)), ((0,), ()))


def _by_signature(op: Op) -> Maker:
    """Operands that fit a kernel's signature, alone and in batches that broadcast."""
    assert op.kernel is not None
    kernel, signature = op.kernel, op.kernel.parsed

    def maker(rng: np.random.Generator, dtype: np.dtype[Any]) -> Iterator[tuple[tuple[Array, ...], dict[str, Any]]]:
        for sizes, leading in itertools.product(_SIZES, _LEADING):
            bound = (sizes * len(signature.names))[: len(signature.names)]
            operands = [
                array(rng, (*leading[at % 2], *signature.core(core, bound)), dtype if letter == "T" else TYPES[letter])
                for at, (core, letter) in enumerate(zip(signature.inputs, kernel.letters[0], strict=True))
            ]
            yield tuple(operands), {}

    return maker


def entry(op: Op) -> tuple[str, Maker]:
    """The parameters of a row that is not pointwise; fails for a row that has none."""
    if op.samples is not None:
        return op.kinds, op.samples  # type: ignore[return-value]
    if op.kernel is not None and op.kernel.layout is None:
        return op.kinds, _by_signature(op)
    if op.name not in STRUCTURE:
        raise AssertionError(f"row {op.name!r} has no parameters: give it `samples`")
    return STRUCTURE[op.name]


def accepted(op: Op) -> list[np.dtype[Any]]:
    """The dtypes that a row is tested with."""
    if op.pointwise:
        return pointwise_dtypes(op)
    return [dtype for dtype in DTYPES if next(structure_cases(op, dtype), None) is not None]


def cases(op: Op, dtype: np.dtype[Any]) -> Iterator[Case]:
    """All applications of a row on operands of `dtype`."""
    return pointwise_cases(op, dtype) if op.pointwise else structure_cases(op, dtype)


def large_cases(op: Op, dtype: np.dtype[Any]) -> Iterator[Case]:
    """Reductions that are cut into chunks."""
    rng = rng_for("large", op.name, dtype.name)
    for shape, axes in _LARGE:
        yield Case(op, (array(rng, shape, dtype),), {"axes": axes})


def derivative_cases(op: Op) -> Iterator[Case]:
    """Float64 applications of a row on small operands, away from its kinks, for derivatives."""
    if op.pointwise:
        assert op.arity is not None
        shapes: list[tuple[tuple[int, ...], ...]] = [(shape,) * op.arity for shape in ((), (5,), (2, 3))]
        shapes += [pair[: op.arity] for pair in BROADCASTS[:4]] if op.arity > 1 else []
        for each in shapes:
            operands = _pointwise_operands(op, F64, each, 1)
            yield Case(op, operands, {"dtype": F64} if op.name == "convert" else _pointwise_attrs(op)[-1])
    else:
        for case in structure_cases(op, F64):
            sizes = [x.size for x in case.operands]
            # the largest of no elements is -inf, which finite differences cannot tell a derivative of
            if max(sizes, default=0) <= 200 and not (op.name in ("reduce_max", "reduce_min") and 0 in sizes):
                yield case
