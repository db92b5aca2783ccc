"""What an operation that moves or adds elements makes of each of them, found by trying; indices may be numbers too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import GraphError
from ...graph.node import Node
from ...graph.reference import evaluate_nodes
from ...graph.traversal import walk
from ...ops.leaves import input_row as INPUT

Array = npt.NDArray[Any]


class Term(NamedTuple):
    """A factor and the element that it multiplies: the number of an operand, and of its element."""

    operand: int
    element: int
    factor: float


#: For each element of a result what it is a sum of.
Sums = list[list[Term]]


def known(node: Node) -> Array | None:
    """The value of an operand that nothing changes: an index, a condition."""
    if any(part.op is INPUT for part in walk([node])):
        return None
    return np.array(evaluate_nodes([node], {})[node])


def computed(node: Node, arrays: Sequence[Array]) -> Array:
    """The value on arrays; nan where it has none, since an index is out of range."""
    try:
        return np.asarray(node.op.computed(*arrays, **node.attrs))
    except GraphError:
        return np.full(node.shape, np.nan)


def sums(node: Node, values: Mapping[int, Array]) -> Sums:
    """The terms, where all operands that it is not linear in have these values."""
    found: Sums = [[] for _ in range(computed(node, _arrays(node, values)).size)]
    for operand, element in _elements(node, values):
        arrays = _arrays(node, values)
        arrays[operand].flat[element] = 1
        for k, factor in enumerate(computed(node, arrays).flat):
            if factor:
                found[k].append(Term(operand, element, float(factor)))
    return found


def sums_by_index(node: Node, values: Mapping[int, Array], index: int) -> tuple[Sums, list[dict[int, Sums]]] | None:
    """The terms, where operand `index` holds indices that may have any value.

    Returns:
        The terms that do not depend on them; and for each element of the result, by the number of one of the indices,
        the terms for each value of that. None where a term depends on several indices at once.
    """
    most = max((n for x in node.inputs for n in x.shape), default=0)
    like = node.inputs[index]
    first = np.zeros(like.shape, like.dtype)
    arrays = _arrays(node, {**values, index: first})
    choices = [n for n in range(most) if not np.isnan(computed(node, _with(arrays, index, first + n))).any()]
    size = computed(node, arrays).size
    fixed: Sums = [[] for _ in range(size)]
    chosen: list[dict[int, Sums]] = [{} for _ in range(size)]
    for operand, element in _elements(node, {**values, index: first}):
        arrays = _arrays(node, {**values, index: first})
        arrays[operand].flat[element] = 1
        tables = []
        for j in range(first.size):
            rows = []
            for number in choices:
                moved = first.copy()
                moved.flat[j] = number
                rows.append(computed(node, _with(arrays, index, moved)).ravel())
            tables.append(np.array(rows))
        for k in range(size):
            on = [j for j, table in enumerate(tables) if (table[:, k] != table[0, k]).any()]
            if len(on) > 1:
                return None
            if not on:
                if tables[0][0, k]:
                    fixed[k].append(Term(operand, element, float(tables[0][0, k])))
                continue
            rows_of = chosen[k].setdefault(on[0], [[] for _ in choices])
            for row, factor in zip(rows_of, tables[on[0]][:, k], strict=True):
                if factor:
                    row.append(Term(operand, element, float(factor)))
    return fixed, chosen


def _elements(node: Node, values: Mapping[int, Array]) -> Iterator[tuple[int, int]]:
    for operand, x in enumerate(node.inputs):
        if operand not in values:
            for element in range(int(np.prod(x.shape))):
                yield operand, element


def _arrays(node: Node, values: Mapping[int, Array]) -> list[Array]:
    return [values[j] if j in values else np.zeros(x.shape, x.dtype) for j, x in enumerate(node.inputs)]


def _with(arrays: Sequence[Array], index: int, value: Array) -> list[Array]:
    return [value if j == index else x for j, x in enumerate(arrays)]
