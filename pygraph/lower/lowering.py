"""Graph → Program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import VerificationError
from ..graph.graph import Graph
from ..graph.verify import check_enabled
from . import specification
from .body import Body, Unit
from .encode import encode
from .expand import expand
from .in_place_concatenation import concatenate_in_place, nest_concatenations
from .in_place_update import update_in_place
from .loop_joining import join_loops
from .materialise import materialise
from .plan import plan
from .program import NodeTable, Port, Program, Segment
from .region_steps import emit_steps
from .regions import forward_regions, later_regions
from .rematerialise import rematerialise
from .stage_log import StageLog, log_plan
from .steps import Value
from .table_hash import table_hash

if TYPE_CHECKING:
    from ..graph.node import Node


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of lowering.

    Attributes:
        run: works on the bodies that one instruction runs: the one of a loop, all of a branch, or the function itself.
        check: what must hold of each body after it.
    """

    run: Callable[[Sequence[Body]], None]
    check: specification.Check

    @property
    def name(self) -> str:
        """What the log calls it."""
        return self.run.__name__


def each(stage: Callable[[Body], None]) -> Callable[[Sequence[Body]], None]:
    """A stage for bodies of which each is worked on by itself."""

    @functools.wraps(stage)
    def run(bodies: Sequence[Body]) -> None:
        for body in bodies:
            stage(body)

    return run


#: From a graph to steps with a memory plan, in this order. `emit_steps` takes the bodies of loops and branches through
#: all of them; what is encoded are the steps of all bodies together.
STAGES: tuple[Stage, ...] = (
    Stage(each(expand), specification.expanded),
    Stage(each(forward_regions), specification.forward_regions),
    Stage(each(rematerialise), specification.rematerialised),
    Stage(each(later_regions), specification.later_regions),
    Stage(each(join_loops), specification.joined),
    Stage(each(concatenate_in_place), specification.concatenated),
    Stage(each(materialise), specification.materialised),
    Stage(each(nest_concatenations), specification.nested),
    Stage(each(emit_steps), specification.emitted),
    Stage(update_in_place, specification.updated),
    Stage(each(plan), specification.planned),
)


def run(bodies: Sequence[Body]) -> None:
    """Take the bodies that one instruction runs through all stages: timed, logged, and verified under PYGRAPH_CHECK=1.

    Raises:
        VerificationError: what a stage made is not what its specification asks for.
    """
    unit, checks, log = bodies[0].unit, check_enabled(), StageLog(bodies)
    unit.depth += 1
    for stage in STAGES:
        stage.run(bodies)
        log.passed(stage.name)
        if checks:
            verify(stage, bodies)
    unit.depth -= 1


def verify(stage: Stage, bodies: Sequence[Body]) -> None:
    """Check bodies against the specification of the stage that is done.

    Raises:
        VerificationError: names the stage, the graph, and what is wrong.
    """
    for body in bodies:
        for problem in stage.check(body):
            subject = f"lowered graph {body.graph.name!r} after {stage.name}"
            raise VerificationError(problem, "report this error", stage="verifying", subject=subject)


def lower_bodies(
    graph: Graph, segments: Sequence[int] | None = None, groups: Sequence[int] | None = None, fuse: bool = True
) -> Sequence[Body]:
    """The bodies of a Program, the function itself first, after all stages; the arguments are those of `lower`."""
    unit = Unit(fuse, run)
    run([Body(unit, graph, groups or (), segments or ())])
    log_plan(unit)
    bodies, unit.bodies = unit.bodies, []  # which refer to the unit: all of it goes with its last use
    return bodies


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
    return encoded(graph, lower_bodies(graph, segments, groups, fuse), segments, groups)


def encoded(
    graph: Graph, bodies: Sequence[Body], segments: Sequence[int] | None = None, groups: Sequence[int] | None = None
) -> Program:
    """The Program of a graph's bodies, as `lower_bodies` gives them; the other arguments are those of `lower`."""
    segments = segments or (len(graph.outputs),)
    groups = groups or (len(graph.inputs),)
    main, unit, log = bodies[0], bodies[0].unit, StageLog(bodies)
    words, counts = encode(bodies, table_hash())
    log.passed("encode", f"{len(words):,} words")
    names = [str(node.attrs["name"]) for node in graph.inputs]
    return Program(
        words=words,
        constants=unit.constants.memory(),
        inputs=_ports(graph.inputs, names, main.inputs, groups, 0),
        outputs=_ports(
            graph.outputs, [f"out{i}" for i in range(len(main.outputs))], main.outputs, segments, len(main.inputs)
        ),
        nodes=NodeTable(unit.nodes),
        micro_nodes=counts.micro_nodes,
        instructions=counts.instructions,
        micro_operations=counts.micro_operations,
        arena_bytes=main.arena_bytes,
        cached_bytes=main.cached_bytes,
        flops=main.flops,
        fused_regions=counts.fused_regions,
    )


def _ports(
    nodes: Sequence[Node], names: Sequence[str], values: Sequence[Value], counts: Sequence[int], first_slot: int
) -> tuple[Port, ...]:
    segments = [segment for at, count in enumerate(counts) for segment in [Segment(at)] * count]
    return tuple(
        Port(name, node.shape, node.dtype, segment, slot, value.nbytes)
        for slot, (name, node, value, segment) in enumerate(
            zip(names, nodes, values, segments, strict=True), first_slot
        )
    )
