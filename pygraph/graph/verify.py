"""The specification of a Graph at each stage, and the check that a graph keeps to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import GraphError, VerificationError, named
from ..ops.dtypes import CODES
from ..ops.leaves import output_row as OUTPUT
from ..ops.row import TABLE
from .construction import infer
from .graph import Graph, bodies_of
from .node import Node, maker

__all__ = ["STAGES", "check_enabled", "verify"]

#: A check gives what is wrong with a node, or None.
Check = Callable[[Node, Graph], "str | None"]


def check_enabled() -> bool:
    """Whether `PYGRAPH_CHECK` asks for graphs to be verified after every stage."""
    return os.environ.get("PYGRAPH_CHECK", "0") not in ("", "0")


def _registered(node: Node, graph: Graph) -> str | None:
    return None if TABLE.get(node.op.name) is node.op else "the op is not in the table"


def _attrs(node: Node, graph: Graph) -> str | None:
    """Attributes are hashable by name, and those of leaves complete."""
    attrs: Any = node.attrs
    if not isinstance(attrs, dict) or not all(isinstance(key, str) for key in attrs):
        return "attrs are not a dict with names as keys"
    try:
        hash(tuple(attrs.values()))
    except TypeError as error:
        return f"attrs cannot be hashed: {error}"
    wanted = node.op.attrs
    if wanted is not None:
        if set(attrs) != set(wanted):
            return f"attrs {sorted(attrs)}, expected {sorted(wanted)}"
        for key, kind in wanted.items():
            if not isinstance(attrs[key], kind):
                return f"attr {key} is {named(attrs[key])}, expected {kind.__name__}"
    return None


def _typed(node: Node, graph: Graph) -> str | None:
    """Shape and dtype are what the row infers from the operands."""
    if node.results is None and node.dtype not in CODES:
        return f"dtype {node.dtype}"
    if any(x.results is not None for x in node.inputs) and node.op is not OUTPUT:
        return "an operand has several results"
    try:
        types = infer(node.op, node.inputs, node.attrs)
    except GraphError as error:
        return error.problem
    if node.types != types:
        inferred = ", ".join(f"{dtype.name}{list(shape)}" for shape, dtype in types)
        return f"the node says {node.type_text}, its operands give {inferred}"
    return None


def _stacks(node: Node, graph: Graph) -> str | None:
    """A stack goes into the body of a loop or a branch, and nowhere else."""
    if bodies_of(node) or node.op is OUTPUT:
        return None
    for x in node.inputs:
        loop = maker(x)
        if loop.op.unbounded and x is not loop and x.attrs["index"] >= loop.attrs["n_carry"]:
            return "an operand is a stack, which has no single value"
    return None


def _closed(node: Node, graph: Graph) -> str | None:
    """Every variable is an input of the graph."""
    if any(node is free for free in graph.free):
        return f"variable {node.attrs['name']!r} is not an input of the graph"
    return None


#: What must hold of every node, by stage. While tracing, a graph may depend on variables of an enclosing trace.
STAGES: Mapping[str, tuple[Check, ...]] = {
    "traced": (_registered, _attrs, _typed),
    "differentiated": (_registered, _attrs, _typed, _stacks, _closed),
    "optimised": (_registered, _attrs, _typed, _stacks, _closed),
}


def verify(graph: Graph, stage: str) -> None:
    """Check `graph`, and the bodies of its loops, against the specification of `stage`.

    Raises:
        VerificationError: names the stage, the op and the node.
    """
    checks = STAGES[stage]
    seen: set[Node] = set()
    for number, node in enumerate(graph.nodes):
        problem = next((found for check in checks if (found := check(node, graph)) is not None), None)
        if problem is None and not seen.issuperset(node.inputs):
            problem = "an operand comes after it: the graph has a cycle"
        if problem is not None:
            subject = f"{node.op.name}, node {number} ({node.type_text})"
            raise _broken(stage, graph, f"{subject}: {problem}", node)
        seen.add(node)
        for body in bodies_of(node):
            _verify_body(body, node, stage)


def _broken(stage: str, graph: Graph, problem: str, node: Node) -> VerificationError:
    subject = f"{stage} graph {graph.name!r}"
    return VerificationError(problem, "report this error", stage="verifying", subject=subject, line=node.line)


def _verify_body(body: Graph, node: Node, stage: str) -> None:
    """The body of a loop or a branch is closed, and keeps to the specification of its stage."""
    if body.free:
        names = ", ".join(repr(free.attrs["name"]) for free in body.free)
        raise _broken(stage, body, f"body of {node!r}: free variables {names}", node)
    verify(body, stage)
