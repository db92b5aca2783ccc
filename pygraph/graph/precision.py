"""A graph in single precision: the same operations on float32, from its inputs to its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT
from .construction import constant, make, var
from .graph import Graph
from .node import Node
from .rewriting import rewrite

__all__ = ["in_single_precision"]

_DOUBLE, _SINGLE = np.dtype("float64"), np.dtype("float32")


def in_single_precision(graph: Graph) -> Graph:
    """`graph` with float32 in the place of float64: in variables, constants, conversions, and the bodies of loops.

    Constants are rounded: those beyond the largest float32 become infinite, the smallest become 0.

    Raises:
        UnsupportedError: an operation gives float64 on float32 operands.

    Example:
        >>> x = pg.var("x", (3,))
        >>> print(in_single_precision(pg.Graph([x], x * 0.1, name="f")))  # doctest: +ELLIPSIS
        graph f(x: float32[3]):
          %0 = multiply(x, 0.1...) : float32[3]...
    """
    if not any(_is_double(node) for node in graph.nodes):
        return graph
    inputs = {x: _variable(x) for x in graph.inputs}
    outputs = rewrite(graph.outputs, _single, dict(inputs))
    return Graph.from_parts(list(inputs.values()), outputs, graph.output_tree, graph.input_tree, graph.name)


def _is_double(node: Node) -> bool:
    return any(dtype == _DOUBLE for _, dtype in node.types) or any(_differs(x) for x in node.attrs.values())


def _differs(value: Any) -> bool:
    """Whether an attribute has float64 in it."""
    if isinstance(value, tuple):
        return any(map(_differs, value))
    if isinstance(value, Graph):
        return any(map(_is_double, value.nodes))
    return isinstance(value, np.dtype) and value == _DOUBLE


def _variable(node: Node) -> Node:
    return var(node.attrs["name"], node.shape, _SINGLE) if node.dtype == _DOUBLE else node


def _single(node: Node, inputs: tuple[Node, ...]) -> Node | None:
    """What takes the place of a node."""
    if node.op is INPUT:  # of an enclosing graph: it is replaced there
        return None
    if node.op is CONSTANT:
        if node.dtype != _DOUBLE:
            return None
        with np.errstate(over="ignore", under="ignore"):
            return constant(node.attrs["value"].value.astype(_SINGLE))
    attrs = {key: _attribute(value) for key, value in node.attrs.items()}
    made = make(node.op, inputs, attrs, node.line)
    if any(dtype == _DOUBLE for _, dtype in made.types):
        problem = f"it gives {made.type_text} on operands of float32"
        advice = "leave it out of what is exported, or export in float64"
        raise UnsupportedError(
            problem, advice, stage="exporting", subject=node.op.title or node.op.name, line=node.line
        )
    return made


def _attribute(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_attribute, value))
    if isinstance(value, Graph):
        return in_single_precision(value)
    return _SINGLE if isinstance(value, np.dtype) and value == _DOUBLE else value
