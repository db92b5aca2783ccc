"""Names for the nodes of a graph: the variables of the user's code, else what they compute, else a number."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ..graph.node import Node, self_contained
from ..graph.source import SourceLine
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from .evaluation_order import operands_of
from .formulas import ATOM, Formula, applied, leaf_formula, named
from .watching import CalledLine, Watch

#: Characters of an expression that may stand for its own name.
_SHORT = 26
_SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Labels:
    """Short unique names for nodes, given in an order in which operands come before their users.

    An input keeps its name. What a variable of the user's code held has the variable's name, with a subscript where
    another node has it already: `z1`, `h`, `h₂`. A constant that the code took from outside has the name that it has
    there; other constants show their value. What no variable held is called by what it computes where that is short, as
    `x @ W1`, else by a number, as `v0`.

    Args:
        nodes: all nodes of one graph.
        watch: what was seen while it was traced.
        given: names that some nodes have already.
        outputs: what outputs are called that have no name.
    """

    def __init__(
        self, nodes: Sequence[Node], watch: Watch, given: Mapping[Node, str], outputs: Mapping[Node, str]
    ) -> None:
        self._watch = watch
        self._taken: set[str] = set()
        self._formulas: dict[Node, Formula] = {}
        for node in nodes:
            if node.op is INPUT or node in given:
                self._name(node, given.get(node) or str(node.attrs["name"]))
        at_line = Counter(node.line for node in nodes if isinstance(node.line, CalledLine))  # more: parts of a rewrite
        assigned = _assigned_in_source(nodes)
        for node in nodes:
            if node in self._formulas or not node.inputs or self_contained(node):
                continue
            wanted = watch.names.get(node)
            if wanted is None and isinstance(node.line, CalledLine) and at_line[node.line] == 1:
                wanted = watch.lines.get(node.line)
            name = wanted[1] if wanted is not None else assigned.get(node)
            if name is not None:
                self._name(node, name)
        self._results = Counter(node.inputs[0] for node in nodes if node.op is OUTPUT)
        numbered = 0
        for node in nodes:
            if node in self._formulas:
                continue
            if not node.inputs or self_contained(node):
                self._formulas[node] = self.leaf(node)
                continue
            if node in outputs:
                self._name(node, outputs[node])
                continue
            formula = self.definition(node)
            if node.results is not None:  # no value of its own: only its results have one
                self._formulas[node] = formula
                continue
            if len(formula.text) <= _SHORT and formula.text not in self._taken:
                self._formulas[node] = formula
                self._taken.add(formula.text)
                continue
            while f"v{numbered}" in self._taken:
                numbered += 1
            self._name(node, f"v{numbered}")

    def _name(self, node: Node, name: str) -> None:
        unique, number = name, 1
        while unique in self._taken:
            number += 1
            unique = name + str(number).translate(_SUBSCRIPT)
        self._taken.add(unique)
        self._formulas[node] = named(unique)

    def __getitem__(self, node: Node) -> str:
        return self._formulas[node].text

    def formula(self, node: Node) -> Formula:
        """How formulas refer to the node."""
        return self._formulas[node]

    def definition(self, node: Node) -> Formula:
        """The node's operation on the names of its operands: `w * x`, `sigmoid(z)`."""
        if node.op is OUTPUT and self._results[node.inputs[0]] == 1:
            return self._formulas[node.inputs[0]]
        return applied(node, [self._formulas[x] for x in operands_of(node)])

    def leaf(self, node: Node) -> Formula:
        """A constant, by the name that the user's code has for it, or as it is."""
        if node.op is CONSTANT:
            value = node.attrs["value"].value
            if value.shape:
                for name, array in self._watch.arrays.values():
                    if array.shape == value.shape and np.array_equal(array, value, equal_nan=value.dtype.kind == "f"):
                        return named(name)
        return leaf_formula(node)

    def free(self, name: str) -> str:
        """The name, or one like it that no node has."""
        unique, number = name, 1
        while unique in self._taken:
            number += 1
            unique = name + str(number).translate(_SUBSCRIPT)
        return unique


def derivative_name(of: Formula, by: Formula) -> Formula:
    """The derivative of one expression by another: `dJ/dz`, `dJ/d(x @ W1)`."""
    return Formula(
        f"d{_in_fraction(of)}/d{_in_fraction(by)}",
        rf"\frac{{\partial {of.within(ATOM).latex}}}{{\partial {by.within(ATOM).latex}}}",
    )


def _in_fraction(formula: Formula) -> str:
    plain = formula.level == ATOM and " " not in formula.text
    return formula.text if plain else f"({formula.text})"


# --- lines that nobody watched: of functions that were traced before --------------------------------------------------


def _assigned_in_source(nodes: Sequence[Node]) -> dict[Node, str]:
    """The variable that a line assigns, for the last node of each line that was recorded while nobody watched."""
    inner = {x for node in nodes for x in node.inputs if _place(x) is not None and _place(x) == _place(node)}
    found = {}
    for node in nodes:
        if node in inner or node.line is None or isinstance(node.line, CalledLine) or node.op is OUTPUT:
            continue
        name = assigned_variable(node.line)
        if name is not None:
            found[node] = name
    return found


def _place(node: Node) -> tuple[str, int] | None:
    return None if node.line is None else (node.line.file, node.line.number)


_SIMPLE = re.compile(r"[A-Za-z_]\w*\s*(?::[^=]+)?=(?!=)")


def assigned_variable(line: SourceLine) -> str | None:
    """The variable that a line of source assigns, None where it is not one assignment to one variable."""
    return _assigned(line.code) if _SIMPLE.match(line.code) else None


@functools.lru_cache(maxsize=10_000)
def _assigned(code: str) -> str | None:
    try:
        (statement,) = ast.parse(code).body
    except (SyntaxError, ValueError):  # the first line of a longer statement
        return code.partition("=")[0].partition(":")[0].strip()
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None
