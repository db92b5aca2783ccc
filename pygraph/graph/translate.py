"""Errors that Python and NumPy raise inside a traced function because of an expression, in pygraph's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import GraphError, SignatureError, TracedValueError, UnsupportedError
from .concretisation import STATIC, STORE
from .source import describe, line_of

__all__ = ["in_our_words"]


def in_our_words(error: Exception, function: str, args: Sequence[Any]) -> GraphError | None:
    """What is to be raised in place of `error`, which left the traced `function`; None to leave it as it is.

    Only what an expression or a list of numbers among `args` brings about is replaced. The text names the user's line.
    """
    if isinstance(error, GraphError):
        return None
    where = line_of(error)
    if isinstance(error, ValueError) and isinstance(error.__cause__, TracedValueError):
        problem = "an expression can't be stored in a NumPy array, which holds numbers"
        return UnsupportedError(describe("tracing", "x[i] = v", problem, STORE, (), where))
    if isinstance(error, AttributeError):
        owner = getattr(error, "obj", None)
        if not isinstance(owner, np.ndarray) or getattr(error, "name", "") != "at":
            return None
        problem = "a NumPy array has no .at, which belongs to expressions"
        advice = "begin with an expression: pg.zeros(shape).at[i].set(v), or pg.asarray(x).at[i].set(v)"
        return UnsupportedError(describe("tracing", "x.at", problem, advice, (owner,), where))
    if isinstance(error, TypeError) and "integer" in str(error) and "got '<" in str(error):
        problem = f"a shape is made of ints that are known when recording: {error}"
        return TracedValueError(describe("tracing", function, problem, f"give ints; {STATIC}", (), where))
    given = next((i for i, arg in enumerate(args) if _is_numbers(arg)), None)
    if isinstance(error, TypeError) and given is not None and "'list'" in str(error):
        problem = (
            f"argument {given} is a list of {len(args[given])} numbers, which is a container and no array: {error}"
        )
        advice = "give np.array([...]), or convert it in the function: x = pg.asarray(x)"
        return SignatureError(describe("tracing", function, problem, advice, (), where))
    return None


def _is_numbers(arg: Any) -> bool:
    return isinstance(arg, list) and bool(arg) and all(isinstance(x, (int, float, list, np.generic)) for x in arg)
