"""The report of the first inf or nan: the values that its operation was given, the usual cause, and the cure.

The memory of the operands may hold other values by now, so they are computed once more, with NumPy, up to the operation
that failed.
What an operation needs of its operands is said by its row (`defined`, `smooth`, `cure`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import GraphError, NonFiniteError
from ...graph.graph import Graph
from ...graph.node import Node
from ...graph.reference import Value, evaluate_nodes
from ...graph.traversal import walk
from ...ops.dtypes import is_float
from ...ops.row import Op, lookup
from ..compile.pipeline import BuildOptions, Built, lowered_again

Array = npt.NDArray[Any]

#: Up to so many steps are between an operation and the np.where that does not take what it made.
_STEPS = 8


@dataclass
class _Found(Exception):
    """The application that failed, with its operands and its result."""

    node: Node
    operands: Sequence[Array]
    value: Array
    env: dict[Node, Value]


def non_finite_report(
    built: Built, options: BuildOptions, error: NonFiniteError, number: int, given: Mapping[int, Array]
) -> NonFiniteError:
    """`error` with what is known of the operation `number`, run on `given` inputs; as it is where that is nothing."""
    made = lowered_again(built, options)
    nodes = made.bodies[0].unit.nodes
    if not 0 <= number < len(nodes):
        return error
    found = _find(made.graph, nodes[number], given)
    if found is None:
        return error
    at = _place(found)
    causes, cures = _causes(found, at, made.source.whole, made.graph, given)
    report = error.again_as(NonFiniteError)
    report.problem = "; ".join([f"{error.problem}: {_said(found, at)}", *causes])
    report.advice = "; ".join(cures) or error.advice
    return report


def _find(graph: Graph, target: Node, given: Mapping[int, Array]) -> _Found | None:
    """The first application of `target` whose result is not finite: it may stand in a loop that runs many times."""
    env = _inputs(graph, given)

    def watch(node: Node, operands: Sequence[Value], value: Value) -> None:
        same = node.op is target.op and node.line is target.line and node.types == target.types
        if not same or not all(isinstance(x, (np.ndarray, np.generic)) for x in (value, *operands)):
            return
        result = np.asarray(value)
        if is_float(result.dtype) and not np.isfinite(result).all():
            raise _Found(node, [np.asarray(x) for x in operands], result, env)

    try:
        try:
            evaluate_nodes([target], env, watch)
        except GraphError:  # it is within a loop or a branch, whose inputs have no value here
            evaluate_nodes(graph.outputs, env, watch)
    except _Found as found:
        return found
    return None


def _inputs(graph: Graph, given: Mapping[int, Array]) -> dict[Node, Value]:
    """The inputs' values; zeros for those of sweeps that did not run."""
    return {
        node: np.asarray(given[i], node.dtype).reshape(node.shape) if i in given else np.zeros(node.shape, node.dtype)
        for i, node in enumerate(graph.inputs)
    }


def _place(found: _Found) -> tuple[int, ...]:
    """The index of the first element that is not finite."""
    at = np.unravel_index(np.argmin(np.isfinite(found.value)), found.value.shape)
    return tuple(int(i) for i in at)


def _names(op: Op, count: int) -> list[str]:
    return list(op.parameters) if len(op.parameters) == count else [f"operand {i + 1}" for i in range(count)]


def _formula(node: Node) -> str:
    """The operation on the names of its operands: `x / y`, `log(x)`."""
    names = _names(node.op, len(node.inputs))
    notation = node.op.notation_for([x.shape for x in node.inputs], node.attrs)
    if notation:
        return notation.format(*names, **node.attrs)
    return f"{_title(node.op)}({', '.join(names)})"


def _title(op: Op) -> str:
    return op.title or op.name


def _element(operand: Array, at: tuple[int, ...]) -> Any:
    """The element of a broadcast operand that a pointwise operation takes for the element `at` of its result."""
    trimmed = at[len(at) - operand.ndim :]
    return operand[tuple(0 if size == 1 else i for i, size in zip(trimmed, operand.shape, strict=True))]


def _said(found: _Found, at: tuple[int, ...]) -> str:
    """What was computed, of what."""
    node = found.node
    where = f" at [{', '.join(map(str, at))}]" if at else ""
    given = []
    for name, operand in zip(_names(node.op, len(found.operands)), found.operands, strict=True):
        if node.op.pointwise or not operand.ndim:
            given.append(f"{name} = {_element(operand, at) if node.op.pointwise else operand}")
        elif operand.size:
            given.append(f"{name} of shape {operand.shape} has values from {operand.min():.6g} to {operand.max():.6g}")
    return f"{_formula(node)} is {found.value[at]}{where}, where {', '.join(given)}"


def _holds(condition: str, node: Node, elements: Sequence[Any]) -> bool:
    """Whether a row's condition holds for these operands."""
    names: dict[str, Any] = {"floor": np.floor, "abs": np.abs, **node.attrs}
    names |= dict(zip(node.op.parameters, elements, strict=True))
    return bool(eval(condition, {"__builtins__": {}}, names))  # the text of a row, not of a user


def _causes(
    found: _Found, at: tuple[int, ...], traced: Graph, graph: Graph, given: Mapping[int, Array]
) -> tuple[list[str], list[str]]:
    """Why it is not finite, and what to do about it."""
    node, op = found.node, found.node.op
    causes, cures = list[str](), list[str]()
    line = node.line
    if line is not None and line.sweep:
        sweep = "reverse sweep" if line.sweep == "reverse" else "tangents"
        primal = _primal(traced, node, at, given)
        if primal is not None:
            forward, values, condition = primal
            named = ", ".join(f"{name} = {v}" for name, v in zip(forward.op.parameters, values, strict=True))
            causes.append(f"it is in the {sweep}, for the derivative of {_formula(forward)} at {named}")
            causes.append(f"that derivative is finite where {condition}")
            cures += _cure(forward.op, condition)
        else:  # the value of the operation was not asked for
            rows = [lookup(name) for name in line.differentiated]
            rows = [row for row in rows if _condition(row)] or rows
            causes.append(f"it is in the {sweep}, for the derivative of {' or '.join(map(_title, rows))} in this line")
            for row in filter(_condition, rows):
                causes.append(f"that of {_title(row)}({', '.join(row.parameters)}) is finite where {_condition(row)}")
                cures += _cure(row, _condition(row))
    taker = _not_taken(found, at, graph)
    if taker is not None:
        place = "" if taker.line is None or (line is not None and line.sweep) else f" at {taker.line.place}"
        causes.append(f"the np.where{place} does not take it")
    elements = [_element(x, at) for x in found.operands] if op.pointwise else []
    if any(not np.isfinite(x).all() for x in found.operands if is_float(x.dtype)):
        causes.append("an operand is a constant that is not finite")
        cures.append("use a large finite number in its place")
    elif op.defined and elements and not _holds(op.defined, node, elements):
        if not cures:
            causes.append(f"it is finite where {op.defined}")
            cures += _cure(op, op.defined)
    elif np.isinf(found.value[at]):
        largest = np.finfo(found.value.dtype).max
        causes.append(f"it overflows: the largest {found.value.dtype} is {largest:.3g}")
        cures.append(op.cure or "scale the numbers down, or compute with their logarithms")
    if taker is not None:
        cures.append("np.where computes both of its sides: make the choice before, on the operand")
    return causes, cures


def _condition(op: Op) -> str:
    """Where an operation has a finite derivative; empty where it always has."""
    return op.smooth or op.defined


def _cure(op: Op, condition: str) -> list[str]:
    """How to keep a row's condition: by a harmless operand where it does not hold."""
    names = [name for name in op.parameters if re.search(rf"\b{name}\b", condition)]
    found = [f"give operands with {condition}"]
    if len(names) == 1:
        low, high = op.domain[op.parameters.index(names[0])]
        harmless = 1.0 if low <= 1.0 <= high and _plain(condition, names[0], 1.0) else (low + high) / 2.0
        found[0] += f", as by {names[0]} = np.where({condition}, {names[0]}, {harmless}) before"
    return [*found, op.cure] if op.cure else found


def _plain(condition: str, name: str, value: float) -> bool:
    names = {"floor": np.floor, "abs": np.abs, name: np.float64(value)}
    try:
        return bool(eval(condition, {"__builtins__": {}}, names))
    except NameError:  # it also speaks of attributes
        return False


def _primal(
    traced: Graph, node: Node, at: tuple[int, ...], given: Mapping[int, Array]
) -> tuple[Node, list[Any], str] | None:
    """The operation of the node's line that has no finite derivative at its operands: it, these, and where it has."""
    line = node.line
    assert line is not None
    for forward in walk(traced.outputs):
        here = forward.line
        condition = _condition(forward.op)
        if not condition or here is None or here.sweep or here.swept(line.sweep) is not line:
            continue
        try:
            env = evaluate_nodes(forward.inputs, _inputs(traced, given))
        except GraphError:  # within a loop, whose inputs have no value here
            continue
        operands = [np.asarray(env[x]) for x in forward.inputs]
        places = [at] if forward.shape == node.shape else list(np.ndindex(forward.shape))
        for place in places:
            elements = [_element(x, place) for x in operands]
            if not _holds(condition, forward, elements):
                return forward, elements, condition
    return None


def _not_taken(found: _Found, at: tuple[int, ...], graph: Graph) -> Node | None:
    """The np.where that throws the element away, if all that use it lead to one that does."""
    users: dict[Node, list[Node]] = {}
    for node in walk(graph.outputs):
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    outputs, taker, front = set(graph.outputs), None, [found.node]
    for _ in range(_STEPS):
        following = []
        for node in front:
            if node in outputs or node not in users:
                return None
            for user in users[node]:
                if user.op.chooses:
                    condition = found.env.get(user.inputs[0])
                    if condition is None:
                        try:
                            condition = evaluate_nodes([user.inputs[0]], found.env)[user.inputs[0]]
                        except GraphError:
                            return None
                    taken = user.inputs[1 if _element(np.asarray(condition), at) else 2]
                    if taken is node or user.inputs[0] is node:
                        return None
                    taker = user
                elif user.op.pointwise and user.results is None and user.shape == node.shape:
                    following.append(user)
                else:
                    return None
        if not following:
            return taker
        front = following
    return None
