"""Graphs as straight-line JavaScript on single numbers, made from the rows of their operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import GraphError
from ...graph.construction import as_node, convert, definition_of, var
from ...graph.node import DType, Node, self_contained
from ...graph.reference import evaluate_nodes
from ...graph.traversal import walk
from ...ops.dtypes import KINDS
from ...ops.leaves import given_row as GIVEN, input_row as INPUT, output_row as OUTPUT
from ...ops.row import Family, Op
from .c_translation import javascript, with_operands

__all__ = ["ScalarCode", "Untranslatable"]

#: Numbers of the elements of a value, as the code counts them.
Places = npt.NDArray[np.int64]

#: Elements of an operand whose operation is taken apart by trying each, and statements of a program.
_ELEMENTS, _STATEMENTS = 64, 6000


class Untranslatable(GraphError):
    """There is no JavaScript for an operation, or too much of it."""


def _refused(op: Op | str) -> Untranslatable:
    name = op if isinstance(op, str) else op.title or op.name
    return Untranslatable(f"the page has no code for {name}", "move no sliders", stage="showing", subject=name)


class ScalarCode:
    """Statements `v[7] = v[3] * v[4];`, each made once; the elements of values are numbers of `v`.

    Attributes:
        statements: the program.
        count: how many numbers `v` has.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.count = 0
        self._made: dict[str, int] = {}
        self._definitions: dict[tuple[Any, ...], tuple[Node, tuple[Node, ...]] | None] = {}

    def variables(self, count: int) -> list[int]:
        """Numbers that are given from outside."""
        self.count += count
        return list(range(self.count - count, self.count))

    def constant(self, value: Any) -> int:
        """A number that is always the same."""
        number = float(value)
        text = repr(number) if math.isfinite(number) else "NaN" if number != number else f"{'-' * (number < 0)}Infinity"
        return self._statement(text)

    def constants(self, value: Any) -> Places:
        """An array that is always the same."""
        array = np.asarray(value)
        return np.array([self.constant(x) for x in array.flat], np.int64).reshape(array.shape)

    def _statement(self, expression: str) -> int:
        number = self._made.get(expression)
        if number is None:
            if len(self.statements) >= _STATEMENTS:
                raise _refused("so many operations")
            (number,) = self.variables(1)
            self._made[expression] = number
            self.statements.append(f"v[{number}]={expression};")
        return number

    def computed(self, template: str, operands: Sequence[int], dtype: DType) -> int:
        """One operation on numbers."""
        expression = with_operands(template, [f"v[{x}]" for x in operands])
        return self._statement(f"Math.fround({expression})" if dtype == np.float32 else expression)

    def both(self, template: str, x: Places, y: Places, dtype: DType) -> Places:
        """An operation on the elements of two values of one shape."""
        found = [self.computed(template, [int(i), int(j)], dtype) for i, j in zip(x.flat, y.flat, strict=True)]
        return np.array(found, np.int64).reshape(x.shape)

    def graph(self, outputs: Sequence[Node], known: Mapping[Node, Places]) -> dict[Node, Places]:
        """The places of all values that the outputs consist of, from those that are known.

        Raises:
            Untranslatable: an operation has no code.
        """
        places = dict(known)
        several: dict[Node, Sequence[Places]] = {}
        for node in walk(outputs, stops=places):
            if node in places:
                continue
            if node.results is not None:
                several[node] = self._several(node, [places[x] for x in node.inputs])
            elif node.op is OUTPUT:
                places[node] = several[node.inputs[0]][node.attrs["index"]]
            else:
                places[node] = self._node(node, places)
        return places

    # --- what has several results ----------------------------------------------------------------------------------

    def _several(self, node: Node, operands: Sequence[Places]) -> Sequence[Places]:
        if node.op is GIVEN:
            return operands[node.attrs["n_primals"] :]
        if node.op.branch:
            return self._branch(node, operands)
        if node.op.loop and not node.op.unbounded:
            return self._loop(node, operands)
        raise _refused(node.op)

    def _loop(self, node: Node, operands: Sequence[Places]) -> list[Places]:
        """All steps of a loop, one after another."""
        body, length, consts = node.attrs["body"], node.attrs["length"], node.attrs["n_consts"]
        after = consts + node.attrs["n_carry"]
        carry = list(operands[consts:after])
        stacked: list[list[Places]] = [[]] * length
        for at in reversed(range(length)) if node.attrs["reverse"] else range(length):
            entering = [*operands[:consts], *carry, *(x[at] for x in operands[after:])]
            found = self.graph(body.outputs, dict(zip(body.inputs, map(np.asarray, entering), strict=True)))
            leaving = [found[x] for x in body.outputs]
            carry, stacked[at] = leaving[: len(carry)], leaving[len(carry) :]
        assert node.results is not None
        types = node.results[len(carry) :]
        stacks = [np.array([step[j] for step in stacked], np.int64).reshape(types[j][0]) for j in range(len(types))]
        return [*carry, *stacks]

    def _branch(self, node: Node, operands: Sequence[Places]) -> list[Places]:
        """The results of all branches, and the choice between them."""
        index, *rest = operands
        bodies = node.attrs["bodies"]
        found: list[Places] = []
        for number in reversed(range(len(bodies))):
            places = self.graph(bodies[number].outputs, dict(zip(bodies[number].inputs, rest, strict=True)))
            results = [places[x] for x in bodies[number].outputs]
            if not found:
                found = results
                continue
            taken = self.computed("a <= b", [int(index), self.constant(number)], node.inputs[0].dtype)
            for i, (result, x) in enumerate(zip(results, bodies[number].outputs, strict=True)):
                pairs = zip(result.flat, found[i].flat, strict=True)
                chosen = [self.computed("a ? b : c", [taken, int(y), int(z)], x.dtype) for y, z in pairs]
                found[i] = np.array(chosen, np.int64).reshape(result.shape)
        return found

    # --- the families of rows --------------------------------------------------------------------------------------

    def _node(self, node: Node, places: Mapping[Node, Places]) -> Places:
        op = node.op
        if op is INPUT:
            raise _refused(op)
        if self_contained(node):
            return self.constants(evaluate_nodes([node], {})[node])
        operands = [places[x] for x in node.inputs]
        if op.pointwise:
            return self._pointwise(node, operands)
        if op.combiner and not op.sums:
            return self._reduction(node, operands[0])
        if op.family is Family.LINEAR:
            return self._linear(node, operands)
        if op.family is Family.BILINEAR:
            return self._bilinear(node, operands)
        raise _refused(op)

    def _pointwise(self, node: Node, operands: Sequence[Places]) -> Places:
        kept = [x.dtype for i, x in enumerate(node.inputs) if i not in node.op.differs]
        template = javascript(node.op, kept[0], node.dtype)
        if template is None:
            return self._defined(node, operands)
        spread = np.broadcast_arrays(*operands)
        found = [
            self.computed(template, [int(x) for x in each], node.dtype)
            for each in zip(*(x.flat for x in spread), strict=True)
        ]
        return np.array(found, np.int64).reshape(node.shape)

    def _defined(self, node: Node, operands: Sequence[Places]) -> Places:
        """By the row's definition, or what its reference, which is written with NumPy, does to expressions."""
        made = self._definition(node)
        if made is None:
            raise _refused(node.op)
        expression, variables = made
        spread = np.broadcast_arrays(*operands)
        found = []
        for each in zip(*(x.flat for x in spread), strict=True):
            known = {x: np.array(int(at), np.int64) for x, at in zip(variables, each, strict=True)}
            found.append(int(self.graph([expression], known)[expression]))
        return np.array(found, np.int64).reshape(node.shape)

    def _definition(self, node: Node) -> tuple[Node, tuple[Node, ...]] | None:
        key = node.op, node.items, tuple(x.dtype for x in node.inputs)
        if key not in self._definitions:
            variables = tuple(var(f"x{i}", (), x.dtype) for i, x in enumerate(node.inputs))
            self._definitions[key] = None  # so that an operation which is defined by itself has none
            alone = node.op(*variables, **node.attrs)
            assert isinstance(alone, Node)
            if node.op.define is not None:
                found = definition_of(alone, variables)
            elif node.op.reference is not None:
                try:
                    found = convert(as_node(node.op.reference(*variables, **node.attrs)), node.dtype)
                except Exception:  # a reference for arrays alone, which says so in any way that NumPy has
                    return None
            else:
                return None
            if all(x.op is not node.op for x in walk([found])):
                self._definitions[key] = found, variables
        return self._definitions[key]

    def _reduction(self, node: Node, operand: Places) -> Places:
        template = javascript(node.op, node.dtype, node.dtype)
        if template is None or not operand.size:
            raise _refused(node.op)
        axes = node.attrs["axes"]
        kept = [axis for axis in range(operand.ndim) if axis not in axes]
        rows = operand.transpose([*kept, *axes]).reshape(math.prod(node.shape), -1)
        found = []
        for row in rows:
            total = int(row[0])
            for x in row[1:]:
                total = self.computed(template, [total, int(x)], node.dtype)
            found.append(total)
        return np.array(found, np.int64).reshape(node.shape)

    def _linear(self, node: Node, operands: Sequence[Places]) -> Places:
        """An operation that moves or adds elements: found by what it makes of each of them alone."""
        op = node.op
        linear = range(len(operands)) if op.linear_in is None else op.linear_in
        values = self._fixed(node, [i for i in range(len(operands)) if i not in linear])
        terms: list[list[tuple[int, float]]] = [[] for _ in range(math.prod(node.shape))]
        if sum(operands[i].size for i in linear) > _ELEMENTS * 4:
            raise _refused("arrays of so many elements")
        for i in linear:
            for at, place in enumerate(operands[i].flat):
                arrays = [values[j] if j in values else np.zeros(x.shape, x.dtype) for j, x in enumerate(node.inputs)]
                arrays[i].flat[at] = 1
                for k, factor in enumerate(np.asarray(op.computed(*arrays, **node.attrs)).flat):
                    if factor:
                        terms[k].append((int(place), float(factor)))
        return self._sums(terms, node)

    def _bilinear(self, node: Node, operands: Sequence[Places]) -> Places:
        x, y = operands
        if x.size * y.size > _ELEMENTS * 16:
            raise _refused("products of so many elements")
        left, right = (np.zeros(each.shape, each.dtype) for each in node.inputs)
        products: list[list[tuple[int, float]]] = [[] for _ in range(math.prod(node.shape))]
        for i, first in enumerate(x.flat):
            left.flat[i] = 1
            for j, second in enumerate(y.flat):
                right.flat[j] = 1
                for k, factor in enumerate(np.asarray(node.op.computed(left, right, **node.attrs)).flat):
                    if factor:
                        product = self.computed("a * b", [int(first), int(second)], node.dtype)
                        products[k].append((product, float(factor)))
                right.flat[j] = 0
            left.flat[i] = 0
        return self._sums(products, node)

    def _sums(self, terms: Sequence[Sequence[tuple[int, float]]], node: Node) -> Places:
        found = []
        for each in terms:
            total: int | None = None
            for place, factor in each:
                term = place if factor == 1.0 else self.computed("a * b", [place, self.constant(factor)], node.dtype)
                total = term if total is None else self.computed("a + b", [total, term], node.dtype)
            found.append(self.constant(0.0) if total is None else total)
        return np.array(found, np.int64).reshape(node.shape)

    def _fixed(self, node: Node, numbers: Sequence[int]) -> dict[int, npt.NDArray[Any]]:
        """The values of operands that have to be known: an index, a condition."""
        found = {}
        for i in numbers:
            x = node.inputs[i]
            if any(part.op is INPUT for part in walk([x])):
                raise _refused(node.op)
            found[i] = np.array(evaluate_nodes([x], {})[x])
        return found


def is_live(dtype: DType) -> bool:
    """Whether values of a dtype are numbers that JavaScript computes as NumPy does."""
    return KINDS[dtype] in "fb"
