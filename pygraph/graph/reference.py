"""The slow and obvious NumPy interpreter of Graphs: it defines what every operation means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SignatureError
from ..ops.control import Stack
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from .graph import Graph
from .node import Node
from .traversal import walk
from .tree import unflatten

Array = npt.NDArray[Any]


#: What a node evaluates to: an array or a stack, or a tuple of these for a node with several results.
Value = Array | Stack | tuple[Array | Stack, ...]
#: watch(node, operands, value): called for each node that was evaluated, those of loops and branches at every step.
Watch = Callable[[Node, Sequence[Value], Value], None]


def evaluate(graph: Graph, *arrays: Any) -> Any:
    """Evaluate `graph` on one array per graph input; the outputs come back in the graph's output tree.

    Arguments are cast to the dtype of their input; their shapes must match exactly.

    Raises:
        SignatureError: the wrong number of arguments, or an argument of the wrong shape.

    Example:
        >>> x = pg.var("x", (3,))
        >>> evaluate(pg.Graph([x], 2.0 * x), np.arange(3.0))
        array([0., 2., 4.])
    """
    return unflatten(graph.output_tree, evaluate_flat(graph, arrays))


def evaluate_flat(graph: Graph, arrays: Sequence[Any], watch: Watch | None = None) -> list[Array]:
    """Like `evaluate`, with the outputs as a flat list."""
    if len(arrays) != len(graph.inputs):
        problem = f"{len(graph.inputs)} inputs expected, {len(arrays)} given"
        raise SignatureError(problem, "give an array for each input", stage="evaluating", subject=graph.name)
    env: dict[Node, Value] = {}
    for node, array in zip(graph.inputs, arrays, strict=True):
        if isinstance(array, Stack):
            env[node] = array
            continue
        value = np.asarray(array, dtype=node.dtype)
        if value.shape != node.shape:
            problem = f"input {node.attrs['name']!r} has shape {node.shape}, an array of shape {value.shape} was given"
            raise SignatureError(problem, "give that shape", stage="evaluating", subject=graph.name)
        env[node] = value
    evaluate_nodes(graph.outputs, env, watch)
    return [_single(env[node]) for node in graph.outputs]


def evaluate_nodes(nodes: Iterable[Node], env: dict[Node, Value], watch: Watch | None = None) -> dict[Node, Value]:
    """Evaluate `nodes` and all they depend on into `env`, which holds the values of input nodes, and return it."""
    with np.errstate(all="ignore"):
        for node in walk(nodes):
            if node not in env:
                operands = [env[operand] for operand in node.inputs]
                env[node] = value = _apply(node, operands, watch)
                if watch is not None:
                    watch(node, operands, value)
    return env


def _single(value: Value) -> Array:
    assert isinstance(value, (np.ndarray, np.generic)), "a stack or several results where one array belongs"
    return value


def _apply(node: Node, operands: Sequence[Value], watch: Watch | None) -> Value:
    op = node.op
    if op is INPUT:
        problem = "it has no value: it is not among the graph's inputs"
        subject = f"input {node.attrs['name']!r}"
        raise SignatureError(problem, "add it to the inputs", stage="evaluating", subject=subject, line=node.line)
    if op is CONSTANT:
        return _checked(node, node.attrs["value"].value)
    if op is OUTPUT:
        (several,) = operands
        assert isinstance(several, tuple)
        result = several[node.attrs["index"]]
        return result if isinstance(result, Stack) else _checked(node, result)
    if op.interpret is not None:
        return tuple(op.interpret(partial(evaluate_flat, watch=watch), *operands, **node.attrs))
    arrays = [_single(operand) for operand in operands]
    if node.results is not None:
        return tuple(op.computed(*arrays, **node.attrs))
    return _checked(node, op.computed(*arrays, **node.attrs))


def _checked(node: Node, result: Any) -> Array:
    value = np.asarray(result)
    assert value.dtype == node.dtype, f"op {node.op.name}: reference gave {value.dtype}, the node says {node.dtype}"
    assert value.shape == node.shape, f"op {node.op.name}: reference gave {value.shape}, the node says {node.shape}"
    return value
