"""What the stages of lowering do, printed on standard error as `debug` says."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from .body import Body, Unit
from .memory_plan import memory_plan
from .steps import one_by_one


class StageLog:
    """The log of the stages that some bodies go through; those of loops and branches have one from level 5 on."""

    def __init__(self, bodies: Sequence[Body]) -> None:
        unit = bodies[0].unit
        self.bodies = bodies
        self.indent = "  " * unit.depth
        self.shown = unit.debug >= (5 if unit.depth else 2)
        self.before: dict[str, int] = {}
        self.start = time.perf_counter()

    def passed(self, stage: str, made: str = "") -> None:
        """Report a stage: its time, and what it has made, which is counted unless it is given."""
        if not self.shown:
            return
        seconds = time.perf_counter() - self.start
        after = _counts(self.bodies)
        changed = [f"{count:,} {what}" for what, count in after.items() if count != self.before.get(what, 0)]
        note = made or ", ".join(changed) or "(unchanged)"
        print(f"{self.indent}lower   {stage:<20} {seconds * 1e3:9.3f} ms  {note}", file=sys.stderr)
        self.before = after
        self.start = time.perf_counter()


def log_plan(unit: Unit) -> None:
    """Report where the values of all bodies lie."""
    if unit.debug >= 3:
        print(memory_plan(unit.bodies), file=sys.stderr)


def _counts(bodies: Sequence[Body]) -> dict[str, int]:
    segments = [segment for body in bodies for segment in body.segments]
    return {
        "nodes": sum(len(segment.order) for segment in segments),
        "regions": sum(len(segment.regions) for segment in segments),
        "rematerialised": sum(len(body.rematerialised) for body in bodies),
        "parts in place": sum(len(parts) for segment in segments for parts in segment.parts.values()),
        "results in memory": sum(len(segment.needed) for segment in segments),
        "kept": sum(len(body.kept) for body in bodies),
        "nested concatenations": sum(
            done[at] for segment in segments for whole, done in segment.in_place.items() for at in segment.nested[whole]
        ),
        "steps": sum(1 for segment in segments for _ in one_by_one(segment.steps)),
        "outputs in place of inputs": sum(len(body.shares) for body in bodies),
        "bytes of arena": sum(body.arena_bytes for body in bodies),
    }
