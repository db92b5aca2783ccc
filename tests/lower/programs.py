"""What the tests of lowering share: small graphs, decoded Programs, and the steps that a Program was made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pygraph.autodiff.joint_graph import joint
from pygraph.graph import Graph
from pygraph.lower import Program, lower
from pygraph.lower.body import Body
from pygraph.lower.decode import decode
from pygraph.lower.instructions import Instruction, name_of
from pygraph.lower.lowering import lower_bodies
from pygraph.optimize import optimize


def bodies_of(
    graph: Graph, segments: Sequence[int] | None = None, groups: Sequence[int] | None = None, fuse: bool = True
) -> Sequence[Body]:
    """The planned bodies of a graph, the main one first."""
    return lower_bodies(graph, segments, groups, fuse)


def derived(graph: Graph) -> tuple[Graph, tuple[int, ...], tuple[int, ...]]:
    """The optimised joint graph with respect to all floating inputs, with its segments and groups."""
    whole = joint(graph, [i for i, node in enumerate(graph.inputs) if node.dtype.kind == "f"])
    return optimize(whole.graph), whole.segments, whole.groups


def instructions(program: Program) -> list[Instruction]:
    """All instructions of all bodies."""
    return [one for body in decode(program) for segment in body.segments for one in segment]


def opcodes(program: Program) -> Counter[str]:
    """How many instructions of each kind a Program has."""
    return Counter(name_of(type(one)) for one in instructions(program))


def word_of(program: Program, field: str, at: int = 0) -> int:
    """Where the words of a field of the last instruction start, plus `at`."""
    last = instructions(program)[-1]
    words = {name: kind.write(getattr(last, name)) for name, kind in last.layout.items()}
    before = list(words)[: list(words).index(field)]
    return len(program.words) - sum(map(len, words.values())) + sum(len(words[name]) for name in before) + at


def optimised(graph: Graph, **options: Any) -> Program:
    """The Program of a graph that was optimised first."""
    return lower(optimize(graph), **options)
