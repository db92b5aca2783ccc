"""What combines the elements of a reduction in C: its expression, the type it works in, and its neutral values."""

from __future__ import annotations

from ...lower.fields import Reduced
from ...ops.dtypes import DTYPES, KINDS
from ...ops.table import reduction_at
from .expressions import TYPES, expression, filled


def accumulator(reduce: Reduced) -> str:
    """The C type in which elements combine: their own, or a wider one."""
    wider = reduction_at(reduce.combiner).accumulator or {}
    return wider.get(KINDS[DTYPES[reduce.dtype]], TYPES[reduce.dtype])


def is_wide(reduce: Reduced) -> bool:
    """Whether elements combine in another type than theirs."""
    return accumulator(reduce) != TYPES[reduce.dtype]


def combined(reduce: Reduced, a: str, b: str) -> str:
    """The value of combining `a`, which came first, with `b`."""
    text = expression(reduction_at(reduce.combiner), KINDS[DTYPES[reduce.dtype]])
    assert text is not None
    value = filled(text, reduce.dtype).format(a, b)
    return f"(uint8_t)({value})" if TYPES[reduce.dtype] == "uint8_t" else value


def guarded(reduce: Reduced, a: str, b: str) -> tuple[str, str] | None:
    """The guard for an element `a`, and what combines `a` with `b` where it holds for all; None without such a form."""
    fast = reduction_at(reduce.combiner).fast
    if fast is None or KINDS[DTYPES[reduce.dtype]] != "f":
        return None
    guard, quick = (filled(text, reduce.dtype).format(a, b) for text in fast)
    return guard, quick


def empty(reduce: Reduced) -> str:
    """The value of an empty reduction."""
    identity = reduction_at(reduce.combiner).identity
    assert identity is not None
    return filled(identity[KINDS[DTYPES[reduce.dtype]]], reduce.dtype)


def neutral(reduce: Reduced) -> str:
    """What combines with any value to exactly that value."""
    text = (reduction_at(reduce.combiner).neutral or {}).get(KINDS[DTYPES[reduce.dtype]])
    return empty(reduce) if text is None else filled(text, reduce.dtype)
