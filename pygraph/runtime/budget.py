"""Compiling within a budget of memory: what is computed again is chosen by the planned bytes of whole Programs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeVar

from ..autodiff.recompute import Plan, planned
from ..errors import BudgetError, SignatureError
from ..graph.where import describe
from .stats import bytes_text

#: From what repeats nothing to what repeats most. The first that keeps to the budget is taken.
PLANS = (
    *(Plan(parts=parts) for parts in (1, 2, 4, 8, 16)),
    *(Plan(True, parts=parts) for parts in (1, 8)),
    *(Plan(steps, depth, parts) for depth in (2, 3, 4) for steps in (False, True) for parts in (1, 8)),
)
T = TypeVar("T")


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
        raise SignatureError(describe("compiling", "memory_budget", problem, "give an int, such as 64 * 2**20"))
    return size


def within(budget: int, name: str, attempt: Callable[[], T], arena_bytes: Callable[[T], int]) -> T:
    """What `attempt` compiles under the first plan whose arena is at most `budget` bytes.

    Raises:
        BudgetError: no plan keeps to it; says how many bytes the best one takes too many.
    """
    least = -1
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
        if size <= budget:
            return made
        least = size if least < 0 else min(least, size)
    problem = (
        f"a call needs {bytes_text(least)} for its intermediates with as much computed again as helps, "
        f"{bytes_text(least - budget)} more than memory_budget={budget}"
    )
    advice = f"give {least} or more, or put pg.checkpoint around parts of the function"
    raise BudgetError(describe("compiling", name, problem, advice))
