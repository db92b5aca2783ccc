"""What the passes do, printed on standard error as `debug` says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..debug import asked

if TYPE_CHECKING:
    from ..graph.graph import Graph
    from ..graph.node import Node


class _State:
    level = 0
    depth = 0


def start(depth: int) -> int:
    """Read the level from the environment, for a graph at loop depth `depth`, and return it."""
    level = asked()
    resume(level, depth)
    return level


def resume(level: int, depth: int) -> None:
    """Go on at a level and a depth: a pass may have run all passes on the body of a loop."""
    _State.level = level if depth == 0 or level >= 5 else 0
    _State.depth = depth


def line(level: int, text: str) -> None:
    """Print `text` if the level asked for is at least `level`."""
    if _State.level >= level:
        print(f"{'  ' * _State.depth}optimize {text}", file=sys.stderr)


def passed(name: str, seconds: float, before: Graph, after: Graph) -> None:
    """Report a pass: its time, what it did to the number of nodes, and at level 3 the graph it made."""
    if _State.level >= 2:
        changed = after is not before
        note = f"{len(before.nodes)} -> {len(after.nodes)} nodes" if changed else "(unchanged)"
        line(2, f"  {name:<12} {seconds * 1e3:9.3f} ms  {note}")
        if changed and _State.level >= 3:
            print(after, file=sys.stderr)


def finished(before: Graph, after: Graph, seconds: float) -> None:
    """Report the whole of the passes."""
    if _State.level >= 1:
        counts = f"{len(before.nodes)} -> {len(after.nodes)} nodes"
        line(1, f"{before.name}: {counts} in {seconds * 1e3:.3f} ms")


def rule(name: str, before: Node, after: Node) -> None:
    """Report that a rule has rewritten a node."""
    if _State.level >= 4:
        line(4, f"    {name}: {_text(before)} -> {_text(after)}")


def _text(node: Node) -> str:
    return f"{node.op.name}({', '.join(_operands(node.inputs))}) : {node.type_text}" if node.inputs else repr(node)


def _operands(nodes: Sequence[Node]) -> list[str]:
    return [repr(node) if not node.inputs else node.op.name for node in nodes]
