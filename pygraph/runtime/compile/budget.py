"""Compiling within a budget of memory: what is recomputed is chosen by the planned bytes of whole Programs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from ...autodiff.checkpoint_plan import Plan, computed_again, current_plan, planned
from ...errors import BudgetError, SignatureError
from .notes import MemoryNote
from .stats import bytes_text

#: From what repeats nothing to what repeats most. The first that keeps to the budget is taken.
PLANS = (
    *(Plan(parts=parts) for parts in (1, 2, 4, 8, 16)),
    *(Plan(True, parts=parts) for parts in (1, 8)),
    *(Plan(steps, depth, parts) for depth in (2, 3, 4) for steps in (False, True) for parts in (1, 8)),
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit for the bytes of an arena, and those that the plans tried so far have led to."""

    nbytes: int
    tried: dict[str, int] = field(default_factory=dict)

    def note(self, arena_bytes: int) -> MemoryNote:
        """For an Executable that has been built under the plan in force."""
        return MemoryNote(self.nbytes, computed_again(), {**self.tried, str(current_plan()): arena_bytes})


def checked_budget(budget: object) -> int | None:
    """`memory_budget` as a number of bytes, or None for no limit."""
    if budget is None:
        return None
    try:
        size = operator.index(budget)  # type: ignore[arg-type]
    except TypeError:
        size = -1
    if size < 0 or isinstance(budget, bool):
        problem = f"memory_budget is {budget!r}, not a number of bytes"
        raise SignatureError(problem, "give an int, such as 64 * 2**20", stage="compiling", subject="memory_budget")
    return size


def within(budget: Budget, name: str, attempt: Callable[[], T], arena_bytes: Callable[[T], int]) -> T:
    """What `attempt` compiles under the first plan whose arena keeps to the budget.

    Raises:
        BudgetError: no plan keeps to it; says how many bytes the best one takes too many.
    """
    useless: set[str] = set()  # what has nothing to change in this function
    for plan in PLANS:
        asked = {"loops"} if plan.steps or plan.depth > 1 else set()
        if plan.parts > 1:
            asked.add("parts")
        if asked & useless:
            continue
        with planned(plan) as applied:
            made = attempt()
        if len(asked) == 1:
            useless |= asked - applied.changed
        size = arena_bytes(made)
        if size <= budget.nbytes:
            return made
        budget.tried[str(plan)] = size
    least = min(budget.tried.values())
    problem = (
        f"a call needs {bytes_text(least)} for its intermediates with as much computed again as helps, "
        f"{bytes_text(least - budget.nbytes)} more than memory_budget={budget.nbytes}"
    )
    advice = f"give {least} or more, or put pg.checkpoint around parts of the function"
    raise BudgetError(problem, advice, stage="compiling", subject=name)
