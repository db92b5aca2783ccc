"""The end of a function that only moves and adds what was computed: which rows each computed element ends up in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ...graph.construction import as_node
from ...graph.node import Node
from ...ops.dtypes import is_float
from ...ops.indexing import scatter_add as SCATTER_ADD
from ...ops.row import Choice
from ..activity import Activity
from ..known_values import Known
from .data_movement import carriers_of, moved, moves
from .pattern import Index
from .scalarise import LIMIT

#: How often an expression may end up in rows: each time costs as many entries as it has.
TERMS = 16
#: Sums of at most so many elements are computed.
SMALL = 16


@dataclass(frozen=True, eq=False)
class Term:
    """Where the elements of an expression are added, and how often.

    Attributes:
        rows: int64, of the expression's shape; -1 for nowhere.
        factor: what each is multiplied by before; None for 1.
    """

    rows: Index
    factor: Index | None


class Peeled:
    """Outputs as sums of elements of `results`, which are computed before.

    Attributes:
        results: the terms of each expression that has to be differentiated.
        few: whether none ends up in more rows than `TERMS`.
    """

    def __init__(self, outputs: Sequence[Node], activity: Activity, selected: frozenset[Node], known: Known) -> None:
        """`selected` are the nodes that are nothing but chosen elements of the variables."""
        self.results: dict[Node, list[Term]] = {}
        self.few = True
        self._activity, self._selected, self._known = activity, selected, known
        self._moving: dict[Node, bool] = {}
        for node in activity.order:  # operands first, so that none asks for a chain of others
            self._peels(node)
        demanded: dict[Node, list[Term]] = {}
        start = 0
        for output in outputs:
            size = prod(output.shape)
            if is_float(output.dtype) and output in activity.active:
                rows = np.arange(start, start + size).reshape(output.shape)
                _add(demanded.setdefault(output, []), Term(rows, None))
            start += size
        for node in reversed(activity.order):
            terms = demanded.pop(node, None)
            if terms is None:
                continue
            self.few = self.few and len(terms) <= TERMS
            if not self.few or not self._peels(node):
                self.results[node] = terms
                continue
            for operand, passed in self._passed(node, terms):
                if operand in activity.active:
                    _add(demanded.setdefault(operand, []), passed)
        self.results.update(demanded)  # variables that are outputs

    def _peels(self, node: Node) -> bool:
        """Whether `node` only moves or adds computed elements, each to one place."""
        if node not in self._moving:
            self._moving[node] = node not in self._selected and (self._moves(node) or self._adds(node))
        return self._moving[node]

    def _moves(self, node: Node) -> bool:
        op = node.op
        if op.sums:
            return prod(node.inputs[0].shape) > LIMIT * prod(node.shape)
        if op is SCATTER_ADD:
            return self._known.has(node.inputs[1])
        if node.results is not None or not moves(node, self._known):
            return False
        numbers = self._origin(node).reshape(-1)
        return bool((np.bincount(numbers, minlength=2)[1:] <= 1).all())

    def _adds(self, node: Node) -> bool:
        """Whether `node` is a large sum with known factors of operands of which one is moved."""
        if node.results is not None or prod(node.shape) <= SMALL:
            return False
        active = [x for x in node.inputs if x in self._activity.active]
        if not node.op.pointwise or node in self._activity.expansion or any(x.shape != node.shape for x in active):
            return False
        if not any(x not in self._selected and self._peels(x) for x in active if x in self._activity.active):
            return False
        return all(self._factor(node, i) is not None for i, x in enumerate(node.inputs) if x in self._activity.active)

    def _factor(self, node: Node, i: int) -> Index | None:
        """The partial of a pointwise node by its operand `i`, where it is known."""
        op = node.op
        if op.casts:
            return np.ones(()) if is_float(node.dtype) else None
        if not op.partials:
            return None
        partial = op.partials[i]
        value = partial(node, *node.inputs) if partial is not None else None
        if value is None or isinstance(value, Choice):
            return None
        if isinstance(value, (int, float)):
            return np.asarray(float(value))
        value = as_node(value)
        return np.asarray(self._known.value(value)) if self._known.has(value) else None

    def _origin(self, node: Node) -> Index:
        """For each element of a moved result the number of the operand's element that it is, from 1; 0 for none."""
        numbers, start = [np.zeros((), np.int64)] * len(node.inputs), 1
        for i in carriers_of(node):
            size = prod(node.inputs[i].shape)
            numbers[i] = np.arange(start, start + size).reshape(node.inputs[i].shape)
            start += size
        return np.asarray(moved(node, numbers, self._known))

    def _passed(self, node: Node, terms: Sequence[Term]) -> list[tuple[Node, Term]]:
        """What the operands' elements are added to."""
        op = node.op
        if op.sums:
            x = node.inputs[0]
            shape = tuple(1 if axis in node.attrs["axes"] else size for axis, size in enumerate(x.shape))
            return [(x, _each(term, lambda a: np.broadcast_to(a.reshape(shape), x.shape))) for term in terms]
        if op is SCATTER_ADD:
            x, index, values = node.inputs
            places, axis = self._known.value(index), node.attrs["axis"]
            here = [(x, term) for term in terms]
            return [*here, *((values, _each(term, lambda a: np.take(a, places, axis=axis))) for term in terms)]
        if op.pointwise and not moves(node, self._known):
            return [
                (x, _scaled(term, self._factor(node, i)))
                for i, x in enumerate(node.inputs)
                if x in self._activity.active
                for term in terms
            ]
        origin = self._origin(node).reshape(-1)
        to = np.flatnonzero(origin)
        passed, start = [], 1
        for i in carriers_of(node):
            x = node.inputs[i]
            size = prod(x.shape)
            mine = to[(origin[to] >= start) & (origin[to] < start + size)]
            for term in terms:
                rows = np.full(size, -1, np.int64)
                rows[origin[mine] - start] = term.rows.reshape(-1)[mine]
                factor = None
                if term.factor is not None:
                    factor = np.zeros(size)
                    factor[origin[mine] - start] = np.broadcast_to(term.factor, term.rows.shape).reshape(-1)[mine]
                    factor = factor.reshape(x.shape)
                passed.append((x, Term(rows.reshape(x.shape), factor)))
            start += size
        return passed


def _each(term: Term, change: Callable[[Index], Index]) -> Term:
    factor = None if term.factor is None else change(np.broadcast_to(term.factor, term.rows.shape))
    return Term(change(term.rows), factor)


def _scaled(term: Term, factor: Index | None) -> Term:
    if factor is None or (factor == 1).all():
        return term
    whole = np.ones(()) if term.factor is None else term.factor
    return Term(term.rows, np.broadcast_to(whole * factor, term.rows.shape))


def _add(terms: list[Term], term: Term) -> None:
    """Add a term; where no element has rows in it and in one that is there, the two become one."""
    for i, other in enumerate(terms):
        mine = term.rows >= 0
        if (mine & (other.rows >= 0)).any():
            continue
        factor = None
        if term.factor is not None or other.factor is not None:
            ones = np.ones(())
            factor = np.where(
                mine,
                ones if term.factor is None else term.factor,
                ones if other.factor is None else other.factor,
            )
        terms[i] = Term(np.where(mine, term.rows, other.rows), factor)
        return
    terms.append(term)
