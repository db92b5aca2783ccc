"""Graph → Program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.graph import Graph
from .body_builder import BodyBuilder, Shared
from .encode import encode
from .expand import expand
from .format import table_hash
from .program import NodeInfo, Port, Program, Segment
from .steps import Value

if TYPE_CHECKING:
    from ..graph.node import Node


def lower(
    graph: Graph, segments: Sequence[int] | None = None, groups: Sequence[int] | None = None, fuse: bool = True
) -> Program:
    """Lower a graph to a Program.

    Args:
        graph: the graph; a joint graph of values, gradients and tangents where counts are given.
        segments: how many consecutive outputs belong to the forward, reverse and tangent segment.
        groups: the same for the inputs. What a later segment reads of the primal inputs and of the forward segment is
            kept in the arena for it.
        fuse: False gives every operation an instruction of its own, and every result memory of its own.

    Raises:
        UnsupportedError: an operation cannot be expressed (more than 8 axes that no reshape merges).
    """
    segments = tuple(segments or (len(graph.outputs),))
    groups = tuple(groups or (len(graph.inputs),))
    shared = Shared(fuse)
    expanded = Graph.from_parts(graph.inputs, expand(graph.outputs), name=graph.name)
    builder = BodyBuilder(shared, expanded, groups, segments)
    main = builder.build()
    words, counts = encode(shared, table_hash())
    names = [str(node.attrs["name"]) for node in graph.inputs]
    return Program(
        words=words,
        constants=shared.constants.memory(),
        inputs=_ports(graph.inputs, names, main.inputs, groups, 0),
        outputs=_ports(
            graph.outputs, [f"out{i}" for i in range(len(main.outputs))], main.outputs, segments, len(main.inputs)
        ),
        nodes=tuple(NodeInfo(n.op.name, n.types, n.line) for n in shared.nodes),
        micro_nodes=tuple(counts.micro_nodes),
        instructions=counts.instructions,
        micro_operations=counts.micro_operations,
        arena_bytes=main.arena_bytes,
        cached_bytes=builder.cached_bytes(),
        flops=main.flops,
        fused_regions=counts.fused_regions,
    )


def _ports(
    nodes: Sequence[Node], names: Sequence[str], values: Sequence[Value], counts: Sequence[int], first_slot: int
) -> tuple[Port, ...]:
    segments = [Segment(at) for at, count in enumerate(counts) for _ in range(count)]
    return tuple(
        Port(name, node.shape, node.dtype, segment, slot, value.nbytes)
        for slot, (name, node, value, segment) in enumerate(
            zip(names, nodes, values, segments, strict=True), first_slot
        )
    )
