"""Parts of an array along one axis: a slice, and entries at places that are known when recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..keys import index
from ..shaping import concatenate

#: Entries in more runs than this are gathered.
MAX_RUNS = 16


def part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """A slice of `x` along one axis."""
    return index(x, (*[slice(None)] * axis, slice(start, stop)))


def entries(x: Any, axis: int, places: Sequence[int] | np.ndarray[Any, Any]) -> Any:
    """The entries of `x` at `places` of an axis: slices where they follow one another up or down."""
    at = np.asarray(places, np.int64)
    lead = (slice(None),) * axis
    if not at.size:
        return index(x, (*lead, slice(0, 0)))
    cuts = _cuts(np.diff(at))
    if len(cuts) >= MAX_RUNS:
        return index(x, (*lead, at))
    return concatenate([index(x, (*lead, _key(int(run[0]), int(run[-1])))) for run in np.split(at, cuts)], axis)


def _cuts(steps: np.ndarray[Any, Any]) -> list[int]:
    """Where runs begin, but the first one; the search ends at `MAX_RUNS`."""
    changed = np.ones(steps.shape, np.bool_)
    changed[1:] = steps[1:] != steps[:-1]
    if steps.size:
        changed[0] = False
    cuts: list[int] = []
    for k in np.flatnonzero(changed | (np.abs(steps) != 1)):
        if abs(steps[k]) != 1 or not cuts or cuts[-1] != k:  # a step across a cut has no direction
            cuts.append(int(k) + 1)
            if len(cuts) >= MAX_RUNS:
                break
    return cuts


def _key(first: int, last: int) -> slice:
    return slice(first, last + 1) if last >= first else slice(first, last - 1 if last else None, -1)
