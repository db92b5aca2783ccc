"""What the tests of lowering share: small graphs, decoded Programs, and the steps that a Program was made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pygraph.autodiff.joint_graph import joint
from pygraph.graph import Graph
from pygraph.lower import Program, lower
from pygraph.lower.body import Body
from pygraph.lower.format import HEADER_WORDS, Opcode
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


def instructions(program: Program) -> list[tuple[Opcode, list[int]]]:
    """All instructions of all bodies, decoded from the words: the opcode, and the words after the head."""
    words = program.words.tolist()
    found = []
    at = HEADER_WORDS
    while at < len(words):
        n_words, _, n_slots, n_inits, n_segments, _, _, n_code, n_shares = words[at : at + 9]
        code = at + 9 + 4 * n_slots + 3 * n_inits + 2 * n_shares + 2 * n_segments
        end = code + n_code
        assert end == at + n_words
        while code < end:
            found.append((Opcode(words[code]), words[code + 3 : code + words[code + 1]]))
            code += words[code + 1]
        at = end
    return found


def opcodes(program: Program) -> Counter[str]:
    """How many instructions of each kind a Program has."""
    return Counter(opcode.name for opcode, _ in instructions(program))


def optimised(graph: Graph, **options: Any) -> Program:
    """The Program of a graph that was optimised first."""
    return lower(optimize(graph), **options)
