"""Jacobians and Hessians of expressions and graphs, which are expressions and graphs again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from ..errors import SignatureError, named
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.tree import flatten, unflatten
from ..ops.dtypes import is_float
from ..ops.leaves import input_row as INPUT

#: For each output, and each variable, the derivatives: an array of shape output.shape + variable.shape.
Blocks: TypeAlias = Callable[[Sequence[Node], Sequence[Node]], Sequence[Sequence[Node]]]


def are_expressions(tree: Any) -> bool:
    """Whether a container holds expressions, and nothing else."""
    leaves = flatten(tree)[0]
    return bool(leaves) and all(isinstance(leaf, Node) for leaf in leaves)


def of_expressions(name: str, tree: Any, wrt: Any, blocks: Blocks) -> Any:
    """The derivatives of a container of expressions, in it for each variable of `wrt`, one or a sequence."""
    outputs, form = flatten(tree)
    variables = [wrt] if isinstance(wrt, Node) else list(wrt) if isinstance(wrt, Iterable) else [wrt]
    for x in variables:
        if not isinstance(x, Node) or x.op is not INPUT or not is_float(x.dtype):
            problem = f"{named(x)} is not a floating variable"
            raise SignatureError(problem, f"write pg.{name}(y, x), with x = pg.var('x')", stage="tracing", subject=name)
    rows = [list(row) for row in blocks(outputs, variables)]
    return unflatten(form, [row[0] if isinstance(wrt, Node) else tuple(row) for row in rows])


def of_graph(name: str, graph: Graph, wrt: Any, blocks: Blocks) -> Graph:
    """The graph of the derivatives, of the same inputs.

    `wrt` is a name or a variable among the inputs, or several; None: all floating ones.
    """
    by_name = dict(zip(graph.names, graph.inputs, strict=True))

    def found(x: Any) -> Node:
        variable = by_name.get(x) if isinstance(x, str) else x
        if variable is None or not any(variable is known for known in graph.inputs):
            problem = f"wrt has {x!r}, which is no input of the graph"
            raise SignatureError(problem, f"the inputs are {', '.join(graph.names)}", stage="tracing", subject=name)
        return variable

    chosen: Any
    if wrt is None:
        chosen = tuple(x for x in graph.inputs if is_float(x.dtype))
    else:
        chosen = found(wrt) if isinstance(wrt, str | Node) else tuple(map(found, wrt))
    result = of_expressions(name, graph.unflatten(graph.outputs), chosen, blocks)
    outputs, form = flatten(result)
    return Graph.from_parts(graph.inputs, outputs, form, graph.input_tree, f"{name}_{graph.name}")
