"""The chain rule of one evaluation, edge by edge: local derivative, upstream derivative, and their product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff import jvp, vjp
from ..errors import ShapeError, SignatureError, UnsupportedError, shown
from ..graph import Graph, trace
from ..graph.construction import make, var
from ..graph.node import Node, self_contained
from ..graph.reference import evaluate_nodes
from ..graph.trace import function_name
from ..graph.traversal import walk
from ..graph.tree import flatten
from ..ops.dtypes import is_float
from ..ops.leaves import given_row as GIVEN
from .explanation import Edge, Explanation, Step
from .labels import formula, labels

Array = npt.NDArray[Any]


def explained(f: Callable[..., Any], args: Sequence[Any], mode: str, argnum: int) -> Explanation:
    """What `explain` returns."""
    if mode not in ("reverse", "forward"):
        problem = f"mode is {shown(mode)}"
        raise SignatureError(problem, "give 'reverse' or 'forward'", stage="explaining", subject=function_name(f))
    graph = trace(f, *args)
    loop = next((node for node in walk(graph.outputs) if node.results is not None), None)
    if loop is not None:
        problem, advice = "a loop has no single chain to show", "explain its body"
        if loop.op is GIVEN:
            problem, advice = (
                "its derivative is given as a whole, and is not a chain",
                "explain the function without it",
            )
        raise UnsupportedError(problem, advice, stage="explaining", subject=loop.op.name, line=loop.line)
    leaves = [np.asarray(leaf) for leaf in flatten(args)[0]]
    env = evaluate_nodes(graph.outputs, dict(zip(graph.inputs, leaves, strict=True)))
    values = {node: value for node, value in env.items() if isinstance(value, np.ndarray)}
    if mode == "reverse":
        return _reverse(graph, values)
    argument_leaves = [len(flatten(arg)[0]) for arg in args]
    first = sum(argument_leaves[:argnum])
    return _forward(graph, values, graph.inputs[first : first + argument_leaves[argnum]])


def _reverse(graph: Graph, values: dict[Node, Array]) -> Explanation:
    if len(graph.outputs) != 1 or graph.outputs[0].shape != () or not is_float(graph.outputs[0].dtype):
        problem = "in reverse mode it must return one floating scalar"
        raise ShapeError(problem, "use mode='forward'", stage="explaining", subject=graph.name)
    (output,) = graph.outputs
    order = walk(graph.outputs)
    names = labels(order)
    totals: dict[Node, Array] = {output: np.ones((), output.dtype)}
    edges = []
    for node in reversed(order):
        if node not in totals:
            continue
        for at, operand in enumerate(node.inputs):
            if not is_float(operand.dtype) or self_contained(operand):
                continue
            product = _pull(node, at, totals[node], values)
            if product is None:
                continue
            local = _pull(node, at, np.ones(node.shape, node.dtype), values) if _is_elementwise(node, operand) else None
            edges.append(Edge(names[node], names[operand], local, totals[node], product))
            totals[operand] = np.asarray(totals[operand] + product) if operand in totals else product
    return _explanation("reverse", graph, names, order, values, edges, totals, {})


def _forward(graph: Graph, values: dict[Node, Array], seeded: Sequence[Node]) -> Explanation:
    order = walk(graph.outputs)
    names = labels(order)
    tangents: dict[Node, Array] = {node: np.ones(node.shape, node.dtype) for node in seeded if is_float(node.dtype)}
    edges = []
    for node in order:
        for at, operand in enumerate(node.inputs):
            if operand not in tangents or not is_float(node.dtype):
                continue
            product = _push(node, at, tangents[operand], values)
            if product is None:
                continue
            local = _pull(node, at, np.ones(node.shape, node.dtype), values) if _is_elementwise(node, operand) else None
            edges.append(Edge(names[node], names[operand], local, tangents[operand], product))
            tangents[node] = np.asarray(tangents[node] + product) if node in tangents else product
    return _explanation("forward", graph, names, order, values, edges, tangents, tangents)


def _is_elementwise(node: Node, operand: Node) -> bool:
    return node.op.pointwise and node.shape == operand.shape


def _apart(node: Node, at: int, values: dict[Node, Array]) -> tuple[Node, Node, dict[Node, Any]]:
    """The node on variables of its own, so that only its operand number `at` varies: node, that variable, values."""
    operands = [var(f"operand{i}", x.shape, x.dtype) for i, x in enumerate(node.inputs)]
    env: dict[Node, Any] = {v: values[x] for v, x in zip(operands, node.inputs, strict=True)}
    return make(node.op, operands, node.attrs), operands[at], env


def _pull(node: Node, at: int, upstream: Array, values: dict[Node, Array]) -> Array | None:
    alone, operand, env = _apart(node, at, values)
    seed = var("upstream", node.shape, node.dtype)
    (share,) = vjp([alone], [operand], [seed])
    return None if share is None else _value(share, {**env, seed: upstream})


def _push(node: Node, at: int, tangent: Array, values: dict[Node, Array]) -> Array | None:
    alone, operand, env = _apart(node, at, values)
    seed = var("tangent", operand.shape, operand.dtype)
    (share,) = jvp([alone], [operand], [seed])
    return None if share is None else _value(share, {**env, seed: tangent})


def _value(node: Node, env: dict[Node, Any]) -> Array:
    value = evaluate_nodes([node], env)[node]
    assert isinstance(value, np.ndarray)
    return value


def _explanation(
    mode: str,
    graph: Graph,
    names: dict[Node, str],
    order: Sequence[Node],
    values: dict[Node, Array],
    edges: Sequence[Edge],
    totals: dict[Node, Array],
    tangents: dict[Node, Array],
) -> Explanation:
    steps = tuple(
        Step(names[node], "" if not node.inputs else formula(node, names), values[node], tangents.get(node))
        for node in order
        if node in values and not self_contained(node)
    )
    return Explanation(
        mode,
        names[graph.outputs[0]],
        steps,
        tuple(edges),
        {names[node]: total for node, total in totals.items()},
    )
