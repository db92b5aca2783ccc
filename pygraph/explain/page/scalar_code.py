"""Graphs as straight-line JavaScript on single numbers, made from the rows of their operations."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from .linear_terms import Term, computed, known, sums, sums_by_index

__all__ = ["STATEMENTS", "Places", "ScalarCode", "Untranslatable", "Value"]

#: Numbers of the elements of a value, as the code counts them.
Places = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

#: The places of a value, or the number of a stack.
Value = Places | int

#: Elements of an operand whose operation is taken apart by trying each, pairs of them, and trials with indices;
#: statements of a program.
_ELEMENTS, _PAIRS, _TRIALS, STATEMENTS = 1024, 4096, 8192, 20_000
#: Kernels that are functions of JavaScript's own in `arithmetic.js`, and the axis that their lines are along.
KERNELS = {
    name: (f"native.{name}", axis) for name, axis in (("sort", -1), ("argsort", -1), ("argmax", -2), ("argmin", -2))
}
#: What the result of an operation is brought to, since all numbers of JavaScript have 64 bits.
_ROUNDED = {np.dtype("float32"): "Math.fround({})", np.dtype("int32"): "({})|0"}


class Untranslatable(GraphError):
    """There is no JavaScript for an operation, or too much of it."""


def _refused(op: Op | str) -> Untranslatable:
    name = op if isinstance(op, str) else op.title or op.name
    return Untranslatable(f"the page has no code for {name}", "move no sliders", stage="showing", subject=name)


class ScalarCode:
    """Statements `v[7]=v[3]*v[4];`, each made once in a block; the elements of values are numbers of `v`.

    Attributes:
        statements: the program.
        count, stacks: how many numbers `v` has, and how many stacks `s`.
    """

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.count = self.stacks = 0
        self._written = self._names = 0
        self._made: ChainMap[str, int] = ChainMap()
        self._tables: ChainMap[str, str] = ChainMap()
        self._definitions: dict[tuple[Any, ...], tuple[Node, tuple[Node, ...]] | None] = {}

    # --- statements ------------------------------------------------------------------------------------------------

    def variables(self, count: int) -> list[int]:
        """Numbers that are given from outside."""
        self.count += count
        return list(range(self.count - count, self.count))

    def fresh(self, shape: Sequence[int]) -> Places:
        """Places of a value that is assigned later on."""
        return np.array(self.variables(math.prod(shape)), np.int64).reshape(shape)

    def stack(self) -> int:
        """A further stack, which is empty."""
        self.stacks += 1
        self.raw(f"s[{self.stacks - 1}]=[];")
        return self.stacks - 1

    def counter(self) -> str:
        """A name for the counter of a loop."""
        self._names += 1
        return f"i{self._names}"

    def raw(self, statement: str) -> None:
        """A statement as it is."""
        self._written += 1
        if self._written > STATEMENTS:
            problem = f"the program of its sliders would have more than {STATEMENTS} statements"
            raise Untranslatable(problem, "move no sliders", stage="showing", subject="page")
        self.statements.append(statement)

    def number(self, expression: str) -> int:
        """A number that is computed by an expression of JavaScript."""
        (place,) = self.variables(1)
        self.raw(f"v[{place}]={expression};")
        return place

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written within belongs to the block that `head` opens; what it computes is known only there."""
        outside = self.statements, self._made, self._tables
        self.statements, self._made, self._tables = [], self._made.new_child(), self._tables.new_child()
        yield  # an error ends the whole program
        inner = "".join(self.statements)
        self.statements, self._made, self._tables = outside
        self.raw(f"{head}{inner}}}")

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
            number = self._made[expression] = self.number(expression)
        return number

    def computed(self, template: str, operands: Sequence[int], dtype: DType) -> int:
        """One operation on numbers."""
        expression = with_operands(template, [f"v[{x}]" for x in operands])
        return self._statement(_ROUNDED[dtype].format(expression) if dtype in _ROUNDED else expression)

    def both(self, template: str, x: Value, y: Value, dtype: DType) -> Value:
        """An operation on the elements of two values of one shape."""
        if isinstance(x, int) or isinstance(y, int):
            number = self.stack()
            expression = with_operands(template, ["a", f"s[{y}][i][k]"])
            self.raw(f"s[{number}]=s[{x}].map((p,i)=>p.map((a,k)=>{expression}));")
            return number
        found = [self.computed(template, [int(i), int(j)], dtype) for i, j in zip(x.flat, y.flat, strict=True)]
        return np.array(found, np.int64).reshape(x.shape)

    def copies(self, value: Value) -> Places:
        """Places of their own for a value, to be assigned again."""
        assert not isinstance(value, int)
        found = self.fresh(value.shape)
        self.assign([found], [value])
        return found

    def assign(self, targets: Sequence[Places], sources: Sequence[Places]) -> None:
        """All sources at once to the targets, which may be among them."""
        pairs = [
            (int(a), int(b)) for x, y in zip(targets, sources, strict=True) for a, b in zip(x.flat, y.flat, strict=True)
        ]
        pairs = [(a, b) for a, b in pairs if a != b]
        assigned = {a for a, _ in pairs}
        kept = {}
        for _, b in pairs:
            if b in assigned and b not in kept:
                kept[b] = self.number(f"v[{b}]")
        for a, b in pairs:
            self.raw(f"v[{a}]=v[{kept.get(b, b)}];")

    def table(self, places: Places) -> str:
        """The name of an array with the places of each slice along the first axis."""
        text = "[" + ",".join(f"[{','.join(map(str, row.ravel().tolist()))}]" for row in places) + "]"
        if text not in self._tables:
            self._names += 1
            self._tables[text] = f"t{self._names}"
            self.raw(f"const {self._tables[text]}={text};")
        return self._tables[text]

    def read(self, table: str, which: str, shape: Sequence[int], stack: bool) -> Places:
        """One slice, of a stack or of an array whose places are in a table."""
        found = self.fresh(shape)
        for k, place in enumerate(found.flat):
            element = f"{table}[{which}]?.[{k}]"
            self.raw(f"v[{int(place)}]={element if stack else f'v[{element}]'};")
        return found

    # --- graphs ----------------------------------------------------------------------------------------------------

    def graph(self, outputs: Sequence[Node], known: Mapping[Node, Value]) -> dict[Node, Any]:
        """The places of all values that the outputs consist of, from those that are known.

        Raises:
            Untranslatable: an operation has no code.
        """
        places: dict[Node, Any] = dict(known)
        several: dict[Node, Sequence[Value]] = {}
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

    def _several(self, node: Node, operands: Sequence[Value]) -> Sequence[Value]:
        """The results of what has several: of loops and branches by the class that writes them."""
        if node.op is GIVEN:
            return operands[node.attrs["n_primals"] :]
        raise _refused(node.op)

    # --- the families of rows --------------------------------------------------------------------------------------

    def _node(self, node: Node, places: Mapping[Node, Places]) -> Places:
        op = node.op
        if op is INPUT:
            raise _refused(op)
        if self_contained(node):
            return self.constants(evaluate_nodes([node], {})[node])
        operands = [places[x] for x in node.inputs]
        if op.name in KERNELS:
            return self._lines(node, operands[0])
        if op.pointwise:
            return self._pointwise(node, operands)
        if op.family is Family.ELEMENTWISE and [KINDS[x.dtype] for x in (*node.inputs, node)] == ["i", "i"]:
            return self._tabled(node, operands[0])
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

    def _lines(self, node: Node, operand: Places) -> Places:
        """A kernel that JavaScript has: it takes lines of elements, and gives as many, or one."""
        function, axis = KERNELS[node.op.name]
        lines = np.moveaxis(operand, axis, -1)
        count = lines.shape[-1] if node.shape == operand.shape else 1
        found = np.zeros((*lines.shape[:-1], count), np.int64)
        for at in np.ndindex(*lines.shape[:-1]):
            self._names += 1
            self.raw(f"const l{self._names}={function}([{','.join(f'v[{x}]' for x in lines[at])}]);")
            found[at] = [self.number(f"l{self._names}[{k}]") for k in range(count)]
        return (np.moveaxis(found, -1, axis) if node.shape == operand.shape else found).reshape(node.shape)

    def _tabled(self, node: Node, operand: Places) -> Places:
        """A function of an integer that is of use for few: an index that counts from the end."""
        most = max((abs(x) for _, x in node.items if isinstance(x, int)), default=0)
        if not 0 < most <= _ELEMENTS:
            raise _refused(node.op)
        like = node.inputs[0]
        results = [computed(node, [np.full(like.shape, number, like.dtype)]) for number in range(-most, most)]
        texts = ["NaN" if np.isnan(x).any() else str(int(x.flat[0])) for x in results if x.size]
        numbers = [self._statement(f"[{','.join(texts)}][v[{int(x)}]+{most}]") for x in operand.flat]
        return np.array(numbers, np.int64).reshape(node.shape)

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
        if sum(operands[i].size for i in linear) > _ELEMENTS:
            raise _refused("arrays of so many elements")
        others = [i for i in range(len(operands)) if i not in linear]
        values = {i: value for i in others if (value := known(node.inputs[i])) is not None}
        moving = [i for i in others if i not in values]
        if not moving:
            return self._sums([[self._term(operands, x) for x in each] for each in sums(node, values)], node)
        if len(moving) > 1 or KINDS[node.inputs[moving[0]].dtype] != "i":
            raise _refused(op)
        return self._indexed(node, operands, values, moving[0])

    def _indexed(self, node: Node, operands: Sequence[Places], values: Mapping[int, Array], moving: int) -> Places:
        """The same by indices that are numbers of their own."""
        most = max((n for x in node.inputs for n in x.shape), default=0)
        if sum(x.size for x in operands) * operands[moving].size * most > _TRIALS:
            raise _refused("so many indices")
        terms = sums_by_index(node, values, moving)
        if terms is None:
            raise _refused(node.op)
        fixed, chosen = terms
        found: list[list[tuple[int, float]]] = []
        for alone, by_index in zip(fixed, chosen, strict=True):
            added = [self._term(operands, x) for x in alone]
            for j, choices in by_index.items():
                each = [self._total([self._term(operands, x) for x in choice], node.dtype) for choice in choices]
                index = int(operands[moving].flat[j])
                added.append((self._statement(f"[{','.join(f'v[{x}]' for x in each)}][v[{index}]]"), 1.0))
            found.append(added)
        return self._sums(found, node)

    @staticmethod
    def _term(operands: Sequence[Places], term: Term) -> tuple[int, float]:
        return int(operands[term.operand].flat[term.element]), term.factor

    def _bilinear(self, node: Node, operands: Sequence[Places]) -> Places:
        x, y = operands
        if x.size * y.size > _PAIRS:
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
        return np.array([self._total(each, node.dtype) for each in terms], np.int64).reshape(node.shape)

    def _total(self, terms: Sequence[tuple[int, float]], dtype: DType) -> int:
        total: int | None = None
        for place, factor in terms:
            term = place if factor == 1.0 else self.computed("a * b", [place, self.constant(factor)], dtype)
            total = term if total is None else self.computed("a + b", [total, term], dtype)
        return self.constant(0.0) if total is None else total
