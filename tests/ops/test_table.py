"""Every row of the op table: the reference and C against NumPy, over dtypes, shapes, layouts and edge values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import LAYOUTS, apply_row, assert_close, reference, row_graph, run_flat
from oracles import expected, floor_of, oracle_of, ulps_of
from samples import Case, accepted, array, cases, edge_case, large_cases, pointwise_dtypes, quick, rng_for, rows

from pygraph.errors import IndexRangeError
from pygraph.graph import Graph, Node, make, var
from pygraph.graph.tree import flatten
from pygraph.ops import flip, transpose
from pygraph.ops.row import TABLE, Op
from pygraph.runtime.call.executable import Executable

Array = npt.NDArray[Any]
ALL = rows()
SLOW = [param.values[0] for param in quick(ALL) if not isinstance(param, str)]
POINTWISE = [name for name in ALL if TABLE[name].pointwise]
REDUCTIONS = [name for name in ALL if TABLE[name].combiner]


def everything(op: Op) -> list[Case]:
    return [case for dtype in accepted(op) for case in cases(op, dtype)]


def run_together(chosen: Sequence[Case]) -> Iterator[list[Array]]:
    """The results of cases in C, all in one graph: it is compiled once."""
    variables: list[Node] = []
    outputs: list[Node] = []
    counts = []
    for case in chosen:
        operands = [var(f"x{len(variables) + i}", x.shape, x.dtype) for i, x in enumerate(case.operands)]
        results = apply_row(case.op, operands, case.attrs)
        variables += operands
        outputs += results
        counts.append(len(results))
    found = iter(run_flat(Graph(variables, outputs), [x for case in chosen for x in case.operands]))
    for count in counts:
        yield list(itertools.islice(found, count))


@pytest.mark.parametrize("name", ALL)
def test_row_has_parameters(name: str) -> None:
    op = TABLE[name]
    assert accepted(op), f"row {name} has no case with any dtype"
    if op.interpret is None:
        assert callable(oracle_of(op))
    assert op.doc.endswith(".")


@pytest.mark.sanitize
@pytest.mark.parametrize("name", ALL)
def test_c_and_the_reference_equal_numpy(name: str) -> None:
    chosen = everything(TABLE[name])
    for case, found in zip(chosen, run_together(chosen), strict=True):
        wanted = expected(case)
        for value, right in zip(found, wanted, strict=True):
            assert_close(value, right, ulps_of(case), f"{case} in C", floor_of(case), signs=False)
        if name not in SLOW:
            check_reference(case, wanted)


@pytest.mark.deep
@pytest.mark.parametrize("name", SLOW)
def test_references_that_take_long_equal_numpy(name: str) -> None:
    for case in everything(TABLE[name]):
        check_reference(case, expected(case))


def check_reference(case: Case, wanted: Sequence[Array]) -> None:
    graph = row_graph(case.op, case.operands, case.attrs)
    for node, value, right in zip(graph.outputs, reference(graph, case.operands), wanted, strict=True):
        assert (node.shape, node.dtype) == (right.shape, right.dtype), f"{case}: inferred {node.type_text}"
        assert_close(value, right, ulps_of(case), str(case), floor_of(case), signs=False)


@pytest.mark.parametrize("name", quick(ALL))
def test_layouts_of_arguments(name: str) -> None:
    """Equal values in other layouts give the same bits."""
    op = TABLE[name]
    dtype = accepted(op)[0]
    for case in list(cases(op, dtype))[:30]:
        if not any(x.size > 1 for x in case.operands):
            continue
        run = Executable(row_graph(op, case.operands, case.attrs))
        plain = [x.copy() for x in flatten(run(*case.operands))[0]]
        for layout, change in LAYOUTS.items():
            found = flatten(run(*(change(x) for x in case.operands)))[0]
            for value, right in zip(found, plain, strict=True):
                assert_close(value, right, 0, f"{case}, {layout}")


@pytest.mark.parametrize("name", quick(ALL))
def test_operands_that_are_views(name: str) -> None:
    """Operands turned around or transposed inside the graph give what the plain operands give."""
    op = TABLE[name]
    variables, outputs, arrays, chosen = [], [], [], []
    for case in list(cases(op, accepted(op)[0]))[:30]:
        viewed = []
        for x in case.operands:
            stored = np.array(np.flip(x).T, order="C")
            variables.append(var(f"x{len(variables)}", stored.shape, stored.dtype))
            viewed.append(flip(transpose(variables[-1])))
            arrays.append(stored)
        node = make(op, tuple(viewed), dict(case.attrs))
        if node.results is None:  # else several results: test_scan covers views as operands of loops
            outputs.append(node)
            chosen.append(case)
    for case, value in zip(chosen, run_flat(Graph(variables, outputs), arrays), strict=True):
        (right,) = expected(case)
        assert_close(value, right, ulps_of(case), f"{case}, operands are views", floor_of(case), signs=False)


def edges(name: str) -> Iterator[Case]:
    op = TABLE[name]
    if op.edges:
        for dtype in pointwise_dtypes(op):
            yield edge_case(op, dtype)


#: Where the sign of a zero result is not part of a row's definition, and NumPy's varies with its vector unit.
UNSIGNED_ZERO = frozenset({"maximum", "minimum", "mod", "floor_divide"})


@pytest.mark.parametrize("name", POINTWISE)
def test_reference_at_edge_values(name: str) -> None:
    for case in edges(name):
        (found,) = reference(row_graph(case.op, case.operands, case.attrs), case.operands)
        (wanted,) = expected(case)
        assert_close(found, wanted, ulps_of(case), f"{case}, edge values", floor_of(case), name not in UNSIGNED_ZERO)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", POINTWISE)
def test_c_at_edge_values(name: str) -> None:
    for case in edges(name):
        graph = row_graph(case.op, case.operands, case.attrs)
        (found,) = run_flat(graph, case.operands)
        (wanted,) = reference(graph, case.operands)
        assert_close(found, wanted, ulps_of(case), f"{case}, edge values", floor_of(case), name not in UNSIGNED_ZERO)


@pytest.mark.sanitize
@pytest.mark.parametrize("name", POINTWISE)
def test_scalar_path_equals_block_path(name: str) -> None:
    """A row on 0-d operands gives the bits that it gives inside a block, at any value."""
    op = TABLE[name]
    for dtype in pointwise_dtypes(op):
        case = edge_case(op, dtype) if op.edges else next(c for c in cases(op, dtype) if c.operands[0].shape == (63,))
        rng = rng_for("scalar path", name, dtype.name)
        picked = rng.permutation(case.operands[0].size)[:24]
        operands = [np.ascontiguousarray(x[picked]) for x in case.operands]
        (whole,) = run_flat(row_graph(op, operands, case.attrs), operands)
        scalars = [var(f"x{i}_{k}", (), x.dtype) for k in range(len(picked)) for i, x in enumerate(operands)]
        arity = len(operands)
        outputs = tuple(
            make(op, tuple(scalars[k * arity : (k + 1) * arity]), dict(case.attrs)) for k in range(len(picked))
        )
        single = run_flat(Graph(scalars, outputs), [x[k] for k in range(len(picked)) for x in operands])
        assert_close(np.array(single, whole.dtype), whole, 0, f"{name} on {dtype} scalars")


@pytest.mark.sanitize
@pytest.mark.parametrize("name", REDUCTIONS)
def test_large_reductions(name: str) -> None:
    op = TABLE[name]
    for dtype in accepted(op):
        for case in large_cases(op, dtype):
            operands = case.operands
            if name == "reduce_prod" and dtype.kind == "f":  # keep the product of many elements in range
                operands = tuple((1.0 + x * 1e-4).astype(dtype) for x in operands)
            case = Case(op, operands, case.attrs)
            graph = row_graph(op, operands, case.attrs)
            once = run_flat(graph, operands, threads=1)
            for value, right in zip(once, expected(case), strict=True):
                assert_close(value, right, ulps_of(case), str(case), np.sqrt(operands[0].size), signs=False)
            for value, right in zip(run_flat(graph, operands, threads=4), once, strict=True):
                assert_close(value, right, 0, f"{case} on 4 threads")


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_special_values(name: str) -> None:
    """nan spreads wherever it stands, infinities and signed zeros are those of NumPy."""
    op = TABLE[name]
    for dtype in (np.dtype("float64"), np.dtype("float32")):
        for length in (1, 7, 16, 17, 64, 1025):
            for special in (np.nan, np.inf, -np.inf):
                for place in {0, length // 2, length - 1}:
                    x = array(rng_for(length, place), (length,), dtype, 0.5, 1.5)
                    x[place] = special
                    case = Case(op, (x,), {"axes": (0,)})
                    graph = row_graph(op, case.operands, case.attrs)
                    (found,) = run_flat(graph, case.operands)
                    assert_close(found, expected(case)[0], ulps_of(case), f"{case} with {special} at {place}")


@pytest.mark.sanitize
@pytest.mark.parametrize("name", ["take", "scatter_add", "scatter_set", "wrap_index", "strict_index"])
@pytest.mark.parametrize("bad", [5, -6, 2**62, -(2**63)])
def test_index_out_of_range(name: str, bad: int) -> None:
    op = TABLE[name]
    index = np.array([0, 2 if name == "strict_index" else -5, bad, 4], np.int64)
    x, values = np.arange(5.0), np.arange(4.0)
    operands = {"take": (x, index), "wrap_index": (index,), "strict_index": (index,)}.get(name, (x, index, values))
    attrs: dict[str, Any] = {"size": 5} if len(operands) == 1 else {"axis": 0}
    graph = row_graph(op, operands, attrs)
    for run in (reference, run_flat):
        with pytest.raises(IndexRangeError, match=str(bad)):
            run(graph, operands)
