"""Under PYGRAPH_DEBUG=1: lines of a Python loop that recorded the same operation many times."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from ...graph.graph import Graph

#: How often a line records one operation before a loop is advised.
MANY = 64


def report_unrolled(graph: Graph) -> None:
    """Print the lines that `unrolled_lines` finds, on standard error."""
    for place, count in unrolled_lines(graph):
        advice = "pg.scan or pg.fori_loop runs one body many times, pg.vmap one for a batch"
        print(f"trace {graph.name}: {place} was recorded {count} times: {advice}", file=sys.stderr)


def unrolled_lines(graph: Graph) -> Iterator[tuple[str, int]]:
    """The lines that recorded an operation on the same types `MANY` times or more, with the largest such number."""
    counts = Counter((str(node.line), node.op, node.types) for node in graph.nodes if node.inputs and node.line)
    most: dict[str, int] = {}
    for (place, _, _), count in counts.items():
        most[place] = max(count, most.get(place, 0))
    yield from ((place, count) for place, count in most.items() if count >= MANY)
