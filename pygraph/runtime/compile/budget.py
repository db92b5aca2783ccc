"""Compiling within a budget of memory: what is recomputed is chosen by the planned bytes of whole Programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autodiff.checkpoint_plan import Applied, Plan
from ...collector import paused
from ...errors import BudgetError
from ...graph.graph import Graph
from ...graph.trace_context import Notes, collected
from .notes import MemoryNote
from .pipeline import BuildOptions, Built, differentiated, loaded, lowered
from .stats import bytes_text

#: From what repeats nothing to what repeats most. The first that keeps to the budget is taken.
PLANS = (
    *(Plan(parts=parts) for parts in (1, 2, 4, 8, 16)),
    *(Plan(True, parts=parts) for parts in (1, 8)),
    *(Plan(steps, depth, parts) for depth in (2, 3, 4) for steps in (False, True) for parts in (1, 8)),
)


def within(
    budget: int, graph: Graph, wrt: Iterable[Any] | None, options: BuildOptions, notes: Notes
) -> tuple[Built, MemoryNote]:
    """`graph` compiled by the first plan whose arena keeps to the budget.

    Args:
        budget: the most bytes.
        graph: its derivatives are written out by each plan that is tried.
        wrt, options: see `pipeline.build`.
        notes: of the graph; what its transformations say under the plan that is taken is added.

    Raises:
        BudgetError: no plan keeps to it; says how many bytes the best one takes too many.
    """
    tried: dict[str, int] = {}
    sizes: dict[Graph, int] = {}
    useless: set[str] = set()  # what has nothing to change in this function
    for plan in PLANS:
        asked = {"loops"} if plan.steps or plan.depth > 1 else set()
        if plan.parts > 1:
            asked.add("parts")
        if asked & useless:
            continue
        applied = Applied(plan)
        with paused():
            with collected() as said:
                source = differentiated(graph, wrt, applied)
            if len(asked) == 1:
                useless |= asked - applied.changed
            size = sizes.get(source.whole)
            if size is None:
                found = lowered(source, options)
                size = sizes[source.whole] = found.bodies[0].arena_bytes
            tried[str(plan)] = size
            if size <= budget:
                notes.add_all(said)
                return loaded(found), MemoryNote(budget, tuple(applied.rematerialised), tried)
    least = min(tried.values())
    problem = (
        f"a call needs {bytes_text(least)} for its intermediates with as much recomputed as helps, "
        f"{bytes_text(least - budget)} more than memory_budget={budget}"
    )
    advice = f"give {least} or more, or put pg.checkpoint around parts of the function"
    raise BudgetError(problem, advice, stage="compiling", subject=graph.name)
