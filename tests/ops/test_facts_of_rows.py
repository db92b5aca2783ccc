"""What rows say of their values holds for their references: views, broadcasts, choices, sums, opposites."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from helpers import assert_close
from samples import Case, accepted, cases, edge_case, pointwise_dtypes

from pygraph.ops.row import TABLE, Family, Op, lookup

Array = npt.NDArray[Any]


def _shows_all(case: Case, found: Array) -> bool:
    (x,) = case.operands
    numbers = np.arange(x.size).reshape(x.shape)
    return found.size == 0 or set(case.op.computed(numbers, **case.attrs).flat) == set(range(x.size))


def _is_sum(case: Case, found: Array) -> bool:
    (x,) = case.operands
    assert_close(found, np.sum(x, axis=case.attrs["axes"], dtype=x.dtype), 4, str(case), 1.0, signs=False)
    return True


def _vanishes(case: Case) -> bool:
    """Whether zeros in place of all operands, or of each in turn, give zeros."""
    zeros = [np.zeros_like(x) for x in case.operands]
    finite = [np.where(np.isfinite(x), x, 1).astype(x.dtype) for x in case.operands]
    places = range(len(zeros))
    sets = [set(places)] if case.op.vanishes == "all" else [{i} for i in places]
    given = ([zeros[i] if i in chosen else finite[i] for i in places] for chosen in sets)
    return not any(np.any(case.op.computed(*operands, **case.attrs)) for operands in given)


#: Of each fact whether it holds for an application and its value.
FACTS: dict[str, Callable[[Case, Array], bool]] = {
    "whole_view": _shows_all,
    "repeats": lambda case, found: _same(found, np.broadcast_to(case.operands[0], found.shape)),
    "chooses": lambda case, found: _same(found, np.where(*case.operands)),
    "transparent": lambda case, found: _same(found, case.operands[0]),
    "sums": _is_sum,
    "vanishes": lambda case, found: _vanishes(case),
    "opposite": lambda case, found: _same(found, ~lookup(case.op.opposite).computed(*case.operands)),
}


def _same(x: Array, y: Array) -> bool:
    return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


def _applications(op: Op) -> list[Case]:
    found = [case for dtype in accepted(op) for case in cases(op, dtype)]
    return found + [edge_case(op, dtype) for dtype in pointwise_dtypes(op) if op.pointwise and op.edges]


@pytest.mark.parametrize(
    ("fact", "name"),
    [
        (fact, name)
        for fact in FACTS
        for name, op in TABLE.items()
        if getattr(op, fact) and op.family is not Family.LEAF
    ],
)
def test_what_a_row_says_holds(fact: str, name: str) -> None:
    with np.errstate(all="ignore"):
        for case in _applications(TABLE[name]):
            assert FACTS[fact](case, np.asarray(case.op.computed(*case.operands, **case.attrs))), str(case)


def test_each_fact_is_said_by_some_row() -> None:
    for fact in FACTS:
        assert any(getattr(op, fact) for op in TABLE.values()), fact


def test_opposites_are_each_others() -> None:
    for name, op in TABLE.items():
        assert not op.opposite or lookup(op.opposite).opposite == name
