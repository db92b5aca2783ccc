"""An Executable's own parts for what shows it: timed runs, and the graph that was lowered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import SignatureError, shown
from ...graph.graph import Drawing
from ...graph.node import Node
from ...graph.traversal import walk
from ...lower.program import Segment
from ..clib.library import pool_threads
from ..compile.pipeline import lowered_again
from .runner import Runner
from .seeing import Page, views
from .timing import timings


def measured(runner: Runner, args: Sequence[Any], named: Mapping[str, Any], tier: str | None, seconds: float) -> Page:
    """What `Executable.profile` returns."""
    built, options = runner.built, runner.options
    title = f"{built.graph.name}.profile"
    if tier not in (None, "vm", "native"):
        problem = f"tier is {shown(tier)}"
        raise SignatureError(problem, "give 'vm', 'native', or nothing", stage="profiling", subject=title)
    given: object = seconds
    if not isinstance(given, (int, float)) or not 0 < given < float("inf"):
        problem = f"seconds is {shown(given)}"
        raise SignatureError(problem, "give a positive number", stage="profiling", subject=title)
    arrays = runner.arguments(args, named)
    native = built.library.is_native if tier is None else tier == "native"
    inputs: dict[Segment, Sequence[Any]] = {Segment.FORWARD: arrays}
    if built.variables is not None:
        for segment in (Segment.REVERSE, Segment.TANGENT):
            ports = [port for port in built.program.inputs if port.segment == segment]
            inputs[segment] = [np.ones(port.shape, port.dtype) for port in ports]
    threads = options.threads or pool_threads()
    found = timings(built.program, built.graph.name, inputs, threads, native, seconds)
    return views.profile(built.program, built.graph.name, found, threads, native)  # type: ignore[no-any-return]


def drawn(runner: Runner, room: int, unfolded: str | Iterable[str]) -> Drawing:
    """What `Executable.draw` returns."""
    made = lowered_again(runner.built, runner.options.stages)
    body, counts = made.bodies[0], made.source.counts[0] or (len(made.graph.outputs),)
    sweeps: dict[Node, str] = {}
    returns: list[str] = []
    for name, count in zip(("", "reverse", "tangent"), counts, strict=False):
        outputs = made.graph.outputs[len(returns) : len(returns) + count]
        for node in walk(outputs):
            sweeps.setdefault(node, name)
        returns += [name or "forward"] * count
    kept = body.kept | set(body.inputs_kept)
    if len(set(returns)) == 1:
        returns = ["return"] * len(returns)
    return views.drawing(made.graph, room, unfolded, sweeps, returns, kept)  # type: ignore[no-any-return]
