"""Which elements of a Jacobian can differ from zero, found from the graph alone.

Every element of every node has the set of input elements that it may depend on. Sets have numbers (`IndexSets`), so a
node has an integer array of its own shape, and a row that only moves elements acts on that array by its own NumPy
definition. The result holds for every value of the inputs: an entry that is not in the pattern is zero wherever the
derivative exists. Where an index or a condition is known when recording, the pattern is exact for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ...graph.graph import Graph
from ...graph.loop import Loop
from ...graph.node import Node
from ...graph.source import attributed
from ...ops.dtypes import is_float
from ...ops.indexing import scatter_add as SCATTER_ADD, scatter_set as SCATTER_SET, take_row as TAKE
from ...ops.leaves import output_row as OUTPUT
from ...ops.products import matmul_row as MATMUL
from ...ops.row import Choice, Family, Op
from ..activity import Activity
from ..known_values import Known
from .data_movement import moved, moves
from .index_sets import EMPTY, IndexSets
from .pattern import Index, Pattern, distinct, ranked, spans

#: How many steps of a loop are followed one by one; a longer one has its carry's sets widened until they stay.
STEPS = 2_000


def jacobian_sparsity(outputs: Sequence[Node], wrt: Sequence[Node]) -> Pattern:
    """The structure of the Jacobian of `outputs` with respect to `wrt`, both flattened in C order and put end to end.

    Args:
        outputs: expressions; those that are not floating have no derivative.
        wrt: independent variables, any floating nodes.

    Returns:
        A row per element of the outputs, a column per element of `wrt`.

    Example:
        >>> x = pg.var("x", (3,))
        >>> jacobian_sparsity([x[1:] * x[:-1]], [x]).dense().astype(int)
        array([[1, 1, 0],
               [0, 1, 1]])
    """
    pool = IndexSets(sum(prod(variable.shape) for variable in wrt))
    given: dict[Node, Index] = {}
    start = 1
    for variable in wrt:
        stop = start + prod(variable.shape)
        if is_float(variable.dtype):
            given[variable] = np.arange(start, stop).reshape(variable.shape)
        start = stop
    found = _Dependence(pool, outputs, wrt).flow(given, outputs)
    return pool.pattern(np.concatenate([EMPTY_ROW, *(sets.reshape(-1) for sets in found)]))


EMPTY_ROW: Index = np.zeros(0, np.int64)


class _Dependence:
    """One sweep over a graph with the sets of every node's elements."""

    def __init__(self, pool: IndexSets, outputs: Sequence[Node], wrt: Sequence[Node]) -> None:
        self.pool = pool
        self.activity = Activity(outputs, wrt)
        self.known = Known([*self.activity.order, *wrt])

    def flow(self, given: Mapping[Node, Index], outputs: Sequence[Node]) -> list[Index]:
        """The sets of the outputs' elements, from those of the variables; empty sets where nothing is carried."""
        known: dict[Node, Index] = dict(given)
        several: dict[Node, list[Index]] = {}
        for node in self.activity.order:
            if node.op is OUTPUT:
                found = several[node.inputs[0]][node.attrs["index"]]
                if is_float(node.dtype):
                    known[node] = found
            elif node in self.activity.expansion:
                expanded = known.get(self.activity.expansion[node])
                if expanded is not None:
                    known[node] = expanded
            else:
                sets = [known.get(operand) for operand in node.inputs]
                if all(operand is None for operand in sets):
                    continue
                with attributed(node.line):
                    if node.results is not None:
                        several[node] = self.of_several(node, sets)
                    else:
                        known[node] = np.broadcast_to(self.of_node(node, sets), node.shape)
        return [known[node] if node in known else _nothing(node.shape) for node in outputs]

    # --- single results ----------------------------------------------------------------------------------------------

    def of_node(self, node: Node, sets: Sequence[Index | None]) -> Index:
        """The sets of a node with one result, by the rule of its row or its family."""
        op = node.op
        if moves(node, self.known):
            return moved(node, [_whole(found, x) for found, x in zip(sets, node.inputs, strict=True)], self.known)
        if op is TAKE:
            return self.taken(node, sets)
        if op is SCATTER_SET or op is SCATTER_ADD:
            return self.scattered(node, sets)
        if op is MATMUL:
            return self.matmul(node, sets)
        if op.combiner:
            return self.along(_whole(sets[0], node.inputs[0]), node.attrs["axes"])
        if op.family is Family.ELEMENTWISE:
            return self.joined([self.through(node, i, sets[i]) for i in range(len(sets))])
        if op.pointwise and op.family is Family.LINEAR:
            return self.joined([sets[i] for i in _carriers(op, len(sets))])
        (result,) = self.of_unknown(node, sets)
        return result

    def through(self, node: Node, i: int, sets: Index | None) -> Index | None:
        """What reaches an elementwise result through operand `i`: nothing where the partial is a known 0.

        Elements of a known array that happen to be 0 are factors as others: the structure does not depend on data.
        """
        partial = node.op.partials[i]
        if sets is None or partial is None:
            return None
        derivative = partial(node, *node.inputs)
        derivative = derivative.where if isinstance(derivative, Choice) else derivative
        if not isinstance(derivative, Node):
            return None if derivative == 0 else sets
        return None if self.known.is_zero(derivative) else sets

    def taken(self, node: Node, sets: Sequence[Index | None]) -> Index:
        """Slices at an index known at run time alone: any along the axis."""
        x, index = node.inputs
        axis = node.attrs["axis"]
        whole = self.along(_whole(sets[0], x), (axis,))
        shape = (*x.shape[:axis], *[1] * len(index.shape), *x.shape[axis + 1 :])
        return whole.reshape(shape)

    def scattered(self, node: Node, sets: Sequence[Index | None]) -> Index:
        """`scatter_add`, and `scatter_set` at a run-time index: the values join what is at their places."""
        x, index, values = node.inputs
        axis = node.attrs["axis"]
        below = _whole(sets[0], x)
        if sets[2] is None:
            return below
        if not self.known.has(index):
            axes = tuple(range(axis, axis + len(index.shape)))
            return self.joined([below, np.expand_dims(self.along(_whole(sets[2], values), axes), axis)])
        places = np.asarray(self.known.value(index)).reshape(-1) % max(x.shape[axis], 1)
        numbers = np.moveaxis(np.arange(below.size).reshape(x.shape), axis, 0)[places]
        added = sets[2].reshape(*x.shape[:axis], len(places), *x.shape[axis + 1 :])
        owners = np.concatenate([np.arange(below.size), numbers.reshape(-1)])
        joined = np.concatenate([below.reshape(-1), np.moveaxis(added, axis, 0).reshape(-1)])
        return self.pool.union(owners, joined, below.size).reshape(x.shape)

    def matmul(self, node: Node, sets: Sequence[Index | None]) -> Index:
        """Row i of x and column j of y: all along the summed axis, or where a known other factor is not zero."""
        terms: list[Index | None] = []
        for i, name in enumerate(("transpose_a", "transpose_b")):
            mine, other = node.inputs[i], node.inputs[1 - i]
            if sets[i] is None:
                continue
            here = _whole(sets[i], mine)
            if node.attrs[name] != bool(i):  # the summed axis last
                here = np.swapaxes(here, -1, -2)
            factor = self.known.value(other) if self.known.has(other) else None
            if factor is None or (factor != 0).all():
                whole = self.along(here, (here.ndim - 1,))
                terms.append(whole[..., :, None] if i == 0 else whole[..., None, :])
                continue
            if node.attrs[("transpose_b", "transpose_a")[i]] != bool(i):
                factor = np.swapaxes(factor, -1, -2)  # the summed axis first
            product = self.selected(here, factor != 0)
            terms.append(product if i == 0 else np.swapaxes(product, -1, -2))
        return np.broadcast_to(self.joined(terms), node.shape)

    def selected(self, sets: Index, mask: Any) -> Index:
        """[..., n, m]: for each column of `mask` [..., k, m] the union of the sets [..., n, k] where it is true."""
        lead = np.broadcast_shapes(sets.shape[:-2], mask.shape[:-2])
        n, m = sets.shape[-2], mask.shape[-1]
        result = np.zeros((prod(lead), n, m), np.int64)
        sets = np.broadcast_to(sets, (*lead, *sets.shape[-2:])).reshape(prod(lead), *sets.shape[-2:])
        mask = np.broadcast_to(mask, (*lead, *mask.shape[-2:])).reshape(prod(lead), *mask.shape[-2:])
        for b in range(len(result)):
            columns, inverse = np.unique(mask[b], axis=1, return_inverse=True)
            k, j = np.nonzero(columns)
            width = columns.shape[1]
            owners = np.arange(n)[:, None] * width + j
            found = self.pool.union(owners.reshape(-1), sets[b][:, k].reshape(-1), n * width)
            result[b] = found.reshape(n, width)[:, inverse.reshape(-1)]
        return result.reshape(*lead, n, m)

    def of_unknown(self, node: Node, sets: Sequence[Index | None]) -> list[Index]:
        """A row of which nothing is known: every element of every result depends on all that the operands do."""
        carriers = _carriers(node.op, len(sets)) if node.op.family is Family.LINEAR else range(len(sets))
        carried = [_distinct(found) for i in carriers if (found := sets[i]) is not None]
        whole = self.along(np.concatenate([EMPTY_ROW, *carried]), (0,))
        results = [(node.shape, node.dtype)] if node.results is None else node.results
        return [np.broadcast_to(whole, shape) for shape, _ in results]

    # --- several results: loops, branches -----------------------------------------------------------------------------

    def of_several(self, node: Node, sets: Sequence[Index | None]) -> list[Index]:
        """The sets of the results of a node that has several."""
        if node.op.branch:
            return self.of_branch(node, sets)
        return self.of_loop(node, sets) if node.op.loop and not node.op.unbounded else self.of_unknown(node, sets)

    def of_loop(self, node: Node, sets: Sequence[Index | None]) -> list[Index]:
        """The sets of a loop's results: its body's own pattern applied to the sets of what goes into each step."""
        loop = Loop.of(node)
        length = int(node.attrs["length"])
        body = _body_pattern(loop)
        operands = [_whole(found, x).astype(np.int64) for found, x in zip(sets, loop.operands, strict=True)]
        n_consts, n_carry = len(loop.consts), len(loop.init)
        consts = _flat(operands[:n_consts])
        carry = _flat(operands[n_consts : n_consts + n_carry])
        sizes = [prod(x.shape) for x in loop.x_inputs]
        stacks = [x.reshape(length, n) for x, n in zip(operands[n_consts + n_carry :], sizes, strict=True)]
        xs = np.concatenate([np.zeros((length, 0), np.int64), *stacks], axis=1)
        ahead = body.first(len(carry))
        entering = np.zeros((length, len(carry)), np.int64)
        if length <= STEPS:
            for i in reversed(range(length)) if loop.reverse else range(length):
                entering[i] = carry
                carry = ahead.apply(self.pool, np.concatenate([consts, carry, xs[i]]))
        else:
            any_x = self.along(xs, (0,))
            for _ in range(length):  # after i rounds the sets hold those of the first i steps
                left = ahead.apply(self.pool, np.concatenate([consts, carry, any_x]))
                wider = self.joined([carry, left])
                if (wider == carry).all():
                    break
                carry = wider
            entering[:] = carry
        stacked = body.rest(len(carry)).apply_each(self.pool, consts, entering, xs)
        results, at = [], 0
        for x in loop.carry_outputs:
            results.append(carry[at : at + prod(x.shape)].reshape(x.shape))
            at += prod(x.shape)
        at = 0
        for y in loop.y_outputs:
            results.append(stacked[:, at : at + prod(y.shape)].reshape(length, *y.shape))
            at += prod(y.shape)
        return results

    def of_branch(self, node: Node, sets: Sequence[Index | None]) -> list[Index]:
        """The sets of a branch's results: those that any of its bodies gives."""
        given = _flat([_whole(found, x).astype(np.int64) for found, x in zip(sets[1:], node.inputs[1:], strict=True)])
        bodies: Sequence[Graph] = node.attrs["bodies"]
        found = self.joined(
            [_Body(jacobian_sparsity(body.outputs, body.inputs)).apply(self.pool, given) for body in bodies]
        )
        results, at = [], 0
        for y in bodies[0].outputs:
            results.append(found[at : at + prod(y.shape)].reshape(y.shape))
            at += prod(y.shape)
        return results

    # --- unions ------------------------------------------------------------------------------------------------------

    def joined(self, terms: Sequence[Index | None]) -> Index:
        """The union, element by element, of arrays of sets that broadcast."""
        present = [term for term in terms if term is not None]
        if len(present) < 2:
            return present[0] if present else np.zeros((), np.int64)
        arrays = np.broadcast_arrays(*present)
        first = arrays[0].reshape(-1)
        for other in (array.reshape(-1) for array in arrays[1:]):
            same = (first == other) | (other == EMPTY)
            if same.all():
                continue
            if (first == EMPTY).all():
                first = other
                continue
            both = np.concatenate([first, other])
            # equal pairs have equal unions
            pairs, _, inverse = ranked(first * (int(both.max()) + 1) + other)
            left, right = np.divmod(pairs, int(both.max()) + 1)
            owners = np.tile(np.arange(len(pairs)), 2)
            first = self.pool.union(owners, np.concatenate([left, right]), len(pairs))[inverse]
        return first.reshape(arrays[0].shape)

    def along(self, sets: Index, axes: Sequence[int]) -> Index:
        """The union along axes."""
        kept = tuple(axis for axis in range(sets.ndim) if axis not in axes)
        shape = tuple(sets.shape[axis] for axis in kept)
        count = prod(shape)
        moved = np.transpose(sets, (*kept, *axes)).reshape(count, -1 if count else 0)
        owners = np.repeat(np.arange(count), moved.shape[1])
        return self.pool.union(owners, moved.reshape(-1), count).reshape(shape)


class _Body:
    """The pattern of a sub-graph: which of its inputs' elements each element of its outputs depends on."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern

    def first(self, count: int) -> _Body:
        """Its first rows: the next carry."""
        end = self.pattern.indptr[count]
        return _Body(
            Pattern((count, self.pattern.shape[1]), self.pattern.indptr[: count + 1], self.pattern.indices[:end])
        )

    def rest(self, count: int) -> _Body:
        """Its other rows: the stacked results."""
        start = self.pattern.indptr[count]
        shape = (self.pattern.shape[0] - count, self.pattern.shape[1])
        return _Body(Pattern(shape, self.pattern.indptr[count:] - start, self.pattern.indices[start:]))

    def apply(self, pool: IndexSets, inputs: Index) -> Index:
        """The sets of these rows, from the sets of the body's inputs."""
        return pool.union(self.pattern.rows, inputs[self.pattern.indices], self.pattern.shape[0])

    def apply_each(self, pool: IndexSets, consts: Index, carries: Index, xs: Index) -> Index:
        """The same for every step at once; [steps, rows]."""
        steps, count = len(xs), self.pattern.shape[0]
        result = np.zeros((steps, count), np.int64)
        rows, nnz = self.pattern.rows, max(self.pattern.nnz, 1)
        for first, stop in spans(np.full(steps, nnz), 4_000_000):
            here = np.concatenate(
                [np.broadcast_to(consts, (stop - first, len(consts))), carries[first:stop], xs[first:stop]], axis=1
            )
            owners = np.arange(stop - first)[:, None] * count + rows
            sets = here[:, self.pattern.indices]
            found = pool.union(owners.reshape(-1), sets.reshape(-1), (stop - first) * count)
            result[first:stop] = found.reshape(stop - first, count)
        return result


def _body_pattern(loop: Loop) -> _Body:
    return _Body(jacobian_sparsity(loop.outputs, loop.inputs))


def _carriers(op: Op, arity: int) -> Sequence[int]:
    """The operands of a linear row that carry a derivative."""
    return range(arity) if op.linear_in is None else op.linear_in


def _nothing(shape: tuple[int, ...]) -> Index:
    return np.broadcast_to(np.zeros((), np.int64), shape)


def _whole(sets: Index | None, node: Node) -> Index:
    """The sets of an operand, empty ones where it carries nothing."""
    return _nothing(node.shape) if sets is None else sets


def _flat(arrays: Sequence[Index]) -> Index:
    return np.concatenate([EMPTY_ROW, *(array.reshape(-1) for array in arrays)])


def _distinct(sets: Index) -> Index:
    """The different sets of an array."""
    return distinct(sets.reshape(-1))
