"""The chain rule of one evaluation, edge by edge: local derivative, upstream derivative, and their product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DTypeError, ShapeError, SignatureError, shown
from ..graph import Graph, trace
from ..graph.arguments import as_argument
from ..graph.node import Node
from ..graph.trace import function_name
from ..graph.tree import flatten
from ..ops.dtypes import is_float
from .explanation import Explanation
from .inner_steps import Arrival
from .scope import Scope, Settings
from .watching import watched

Array = npt.NDArray[Any]
Seed = Any
Argnum = int | Sequence[int]


def explained(
    f: Callable[..., Any], args: Sequence[Any], mode: str, argnum: Argnum, seed: Seed, step: int
) -> Explanation:
    """What `explain` returns."""
    name = function_name(f)
    if mode not in ("reverse", "forward"):
        problem = f"mode is {shown(mode)}"
        raise SignatureError(problem, "give 'reverse' or 'forward'", stage="explaining", subject=name)
    if isinstance(step, bool) or not isinstance(step, (int, np.integer)):
        problem = f"step is {shown(step)}"
        raise SignatureError(problem, "give the number of a step, an int", stage="explaining", subject=name)
    with watched() as watch:
        graph = trace(f, *args)
    leaves = [
        np.asarray(as_argument(leaf), dtype=node.dtype)
        for leaf, node in zip(flatten(args)[0], graph.inputs, strict=True)
    ]
    title = "f" if name == "lambda_" else name
    scope = Scope(graph, leaves, Settings(watch, title, mode, int(step)), {})
    if mode == "forward":
        return scope.forward(_tangents(graph, args, argnum, seed, name))
    return scope.reverse(_cotangents(graph, seed, name), None if seed is None else "S")


def _cotangents(graph: Graph, seed: Seed, name: str) -> list[Arrival | None]:
    """The derivative of what is differentiated by each output; None for outputs that carry no derivative."""
    outputs = graph.outputs
    floating = [is_float(x.dtype) for x in outputs]
    if not any(floating):
        problem = "it returns nothing floating, which alone has a derivative"
        raise DTypeError(problem, "return x.astype('float64')", stage="explaining", subject=name, operands=outputs)
    if seed is None:
        if len(outputs) != 1 or outputs[0].shape != ():
            problem = "its result is not one floating scalar, and a derivative is one of a scalar"
            advice = (
                "give seed=, an array for each output that weights its elements (their weighted sum is explained), or "
                "mode='forward'"
            )
            raise ShapeError(problem, advice, stage="explaining", subject=name, operands=outputs)
        return [Arrival(np.ones((), outputs[0].dtype))]
    given, form = flatten(seed)
    if form != graph.output_tree:
        problem = f"seed is {form!r} for a result of the form {graph.output_tree!r}"
        advice = "give one array for each output, in the same containers"
        raise SignatureError(problem, advice, stage="explaining", subject=name)
    return [
        _seed(leaf, node, f"the seed of output {i}", name) if carries else None
        for i, (leaf, node, carries) in enumerate(zip(given, outputs, floating, strict=True))
    ]


def _tangents(graph: Graph, args: Sequence[Any], argnum: Argnum, seed: Seed, name: str) -> dict[Node, Arrival]:
    """The tangent of each input in the arguments `argnum`."""
    numbers = [argnum] if isinstance(argnum, (int, np.integer)) else list(argnum)
    for number in numbers:
        if isinstance(number, bool) or not -len(args) <= number < len(args):
            problem = f"argnum is {shown(argnum)} for {len(args)} arguments"
            raise SignatureError(problem, "count arguments from 0", stage="explaining", subject=name)
    counts = [len(flatten(arg)[0]) for arg in args]
    seeds = [None] * len(numbers) if seed is None else [seed] if isinstance(argnum, (int, np.integer)) else list(seed)
    if len(seeds) != len(numbers):
        problem = f"{len(seeds)} tangents for {len(numbers)} arguments"
        raise SignatureError(problem, "give seed=, a tangent for each of argnum", stage="explaining", subject=name)
    found: dict[Node, Arrival] = {}
    for number, given in zip((n % len(args) for n in numbers), seeds, strict=True):
        first = sum(counts[:number])
        inputs = graph.inputs[first : first + counts[number]]
        if given is not None and flatten(given)[1] != flatten(args[number])[1]:
            problem, advice = f"the tangent of argument {number} has another form than the argument", "give its form"
            raise SignatureError(problem, advice, stage="explaining", subject=name)
        leaves = [np.ones(x.shape, x.dtype) for x in inputs] if given is None else flatten(given)[0]
        for x, leaf in zip(inputs, leaves, strict=True):
            if is_float(x.dtype):
                found[x] = _seed(leaf, x, f"the tangent of {x.attrs['name']}", name)
    if not found:
        problem = f"argument {shown(argnum)} is not floating, and has no tangent"
        raise DTypeError(problem, "give argnum= of one that is, or a float", stage="explaining", subject=name)
    return found


def _seed(given: Any, node: Node, title: str, name: str) -> Arrival:
    value = np.asarray(as_argument(given))
    if value.shape != node.shape:
        problem = f"{title} has shape {value.shape}, not {node.shape}"
        raise ShapeError(problem, "give that shape", stage="explaining", subject=name, operands=[value])
    return Arrival(value.astype(node.dtype))
