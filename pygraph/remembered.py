"""Compiled functions that are made once for each of the latest uses of a transformation or a loop on arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .runtime.compile import CompiledFunction


@functools.lru_cache(maxsize=256)
def _remembered(make: Callable[..., CompiledFunction], *key: Any) -> CompiledFunction:
    return make(*key)


def remembered(make: Callable[..., CompiledFunction], *key: Any) -> CompiledFunction:
    """`make(*key)`, remembered for the latest keys; made anew for a key that does not hash."""
    try:
        hash(key)
    except TypeError:
        return make(*key)
    made: CompiledFunction = _remembered(make, *key)
    return made
