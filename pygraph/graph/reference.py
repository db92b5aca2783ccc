"""The slow and obvious NumPy interpreter of Graphs: it defines what every operation means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SignatureError
from ..ops.control import STEPS
from .construction import topological
from .graph import Graph
from .node import Node
from .tree import unflatten

Array = npt.NDArray[Any]


class Stack(list[Array]):
    """The values of one expression at each step of a loop."""


#: What a node evaluates to: an array or a stack, or a tuple of these for a node with several results.
Value = Array | Stack | tuple[Array | Stack, ...]


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
    assert isinstance(value, (np.ndarray, np.generic)), "a stack or several results where one array belongs"
    return value


def _apply(node: Node, operands: Sequence[Value]) -> Value:
    name = node.op.name
    if name == "input":
        problem = "it has no value: it is not among the graph's inputs"
        subject = f"input {node.attrs['name']!r}"
        raise SignatureError(problem, "add it to the inputs", stage="evaluating", subject=subject, line=node.line)
    if name == "constant":
        return _checked(node, node.attrs["value"].value)
    if name == "output":
        (several,) = operands
        assert isinstance(several, tuple)
        result = several[node.attrs["index"]]
        return result if isinstance(result, Stack) else _checked(node, result)
    if name in _CONTROL:
        return _CONTROL[name](*operands, **node.attrs)
    arrays = [_single(operand) for operand in operands]
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


def scan(*operands: Any, body: Graph, length: int, reverse: bool, n_consts: int, n_carry: int) -> tuple[Array, ...]:
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


def while_loop(
    *operands: Any, condition: Graph, body: Graph, n_consts: int, n_carry: int, limit: int | None
) -> tuple[Array | Stack, ...]:
    """The definition of the `while_loop` row: evaluations of `body` as long as `condition` gives True.

    Operands are the constants and the initial carry; results are the final carry and a stack per further output.

    Raises:
        LimitError: the condition still holds after `limit` steps.
    """
    consts, carry = operands[:n_consts], list(operands[n_consts:])
    stacks = [Stack() for _ in body.outputs[n_carry:]]
    steps = 0
    while evaluate_flat(condition, [*consts, *carry])[0]:
        if steps == limit:
            raise STEPS.raised((limit,), "while_loop", None)
        results = evaluate_flat(body, [*consts, *carry])
        carry = results[:n_carry]
        for stack, value in zip(stacks, results[n_carry:], strict=True):
            stack.append(value)
        steps += 1
    return (*carry, *stacks)


def replay(count: Any, *operands: Any, body: Graph, reverse: bool, n_consts: int, n_carry: int) -> tuple[Any, ...]:
    """The definition of the `replay` row: as `scan`, over stacks of `count` values each."""
    consts, carry = operands[:n_consts], list(operands[n_consts : n_consts + n_carry])
    xs = operands[n_consts + n_carry :]
    steps = range(int(count))
    assert all(isinstance(x, Stack) and len(x) == len(steps) for x in xs), "stacks of other lengths"
    found: list[list[Array]] = []
    for i in reversed(steps) if reverse else steps:
        results = evaluate_flat(body, [*consts, *carry, *(x[i] for x in xs)])
        carry = results[:n_carry]
        found.append(results[n_carry:])
    if reverse:
        found.reverse()
    return (*carry, *(Stack(step[j] for step in found) for j in range(len(body.outputs) - n_carry)))


def branch(index: Any, *operands: Any, bodies: Sequence[Graph], recompute: bool = False) -> tuple[Array, ...]:
    """The definition of the `branch` row: one of `bodies`, the index being clamped to the numbers there are."""
    return tuple(evaluate_flat(bodies[min(max(int(index), 0), len(bodies) - 1)], operands))


_CONTROL: dict[str, Callable[..., tuple[Any, ...]]] = {
    "scan": scan,
    "while_loop": while_loop,
    "replay": replay,
    "branch": branch,
}
