"""The slow and obvious NumPy interpreter of Graphs: the living definition of every operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SignatureError
from ..graph.build import topological
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.tree import unflatten

Array = npt.NDArray[Any]
#: What a node evaluates to: an array, or a tuple of arrays for a node with several results.
Value = Array | tuple[Array, ...]


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


def evaluate_flat(graph: Graph, arrays: Sequence[Any]) -> list[Array]:
    """Like `evaluate`, with the outputs as a flat list."""
    if len(arrays) != len(graph.inputs):
        raise SignatureError(f"{graph.name}: {len(graph.inputs)} inputs expected, {len(arrays)} given")
    env: dict[Node, Value] = {}
    for node, array in zip(graph.inputs, arrays, strict=True):
        value = np.asarray(array, dtype=node.dtype)
        if value.shape != node.shape:
            problem = f"input {node.attrs['name']!r} has shape {node.shape}, an array of shape {value.shape} was given"
            raise SignatureError(f"{graph.name}: {problem}")
        env[node] = value
    evaluate_nodes(graph.outputs, env)
    return [_single(env[node]) for node in graph.outputs]


def evaluate_nodes(nodes: Iterable[Node], env: dict[Node, Value]) -> dict[Node, Value]:
    """Evaluate `nodes` and all they depend on into `env`, which holds the values of input nodes, and return it."""
    with np.errstate(all="ignore"):
        for node in topological(nodes):
            if node not in env:
                env[node] = _apply(node, [env[operand] for operand in node.inputs])
    return env


def _single(value: Value) -> Array:
    assert not isinstance(value, tuple)
    return value


def _apply(node: Node, operands: Sequence[Value]) -> Value:
    name = node.op.name
    if name == "input":
        raise SignatureError(f"input {node.attrs['name']!r} has no value: it is not among the graph's inputs")
    if name == "constant":
        return _checked(node, node.attrs["value"].value)
    if name == "output":
        (several,) = operands
        assert isinstance(several, tuple)
        return _checked(node, several[node.attrs["index"]])
    arrays = [_single(operand) for operand in operands]
    if name == "scan":
        return scan(*arrays, **node.attrs)
    compute = node.op.reference if node.op.reference is not None else node.op.define
    assert compute is not None, f"op {name} has neither a reference nor a definition"
    if node.results is not None:
        return tuple(compute(*arrays, **node.attrs))
    return _checked(node, compute(*arrays, **node.attrs))


def _checked(node: Node, result: Any) -> Array:
    value = np.asarray(result)
    assert value.dtype == node.dtype, f"op {node.op.name}: reference gave {value.dtype}, the node says {node.dtype}"
    assert value.shape == node.shape, f"op {node.op.name}: reference gave {value.shape}, the node says {node.shape}"
    return value


def scan(
    *operands: Array, body: Graph, length: int, reverse: bool, n_consts: int, n_carry: int, **_unused: Any
) -> tuple[Array, ...]:
    """The definition of the `scan` row: `length` evaluations of `body`, one after another.

    Operands are the constants, the initial carry and the stacked inputs, of shape (length, ...); results are the
    final carry and the stacked outputs. With `reverse` the steps run from the last index to the first.
    """
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    xs = operands[n_consts + n_carry :]
    ys = [np.zeros((length, *node.shape), node.dtype) for node in body.outputs[n_carry:]]
    for i in reversed(range(length)) if reverse else range(length):
        results = evaluate_flat(body, [*consts, *carry, *(x[i] for x in xs)])
        carry = results[:n_carry]
        for y, value in zip(ys, results[n_carry:], strict=True):
            y[i] = value
    return (*carry, *ys)
