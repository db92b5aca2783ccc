"""Errors that Python and NumPy raise inside a traced function because of an expression, as errors of pygraph."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import GraphError, SignatureError, TracedValueError, UnsupportedError, named
from .concretisation import STORE, running, swallowed
from .node import Node
from .source import is_user_code, line_of

__all__ = ["TRANSLATED", "in_our_words"]

#: The classes of errors that may be replaced.
TRANSLATED = (TypeError, ValueError, AttributeError, LookupError)


def in_our_words(error: Exception, function: str, args: Sequence[Any]) -> GraphError | None:
    """What is to be raised in place of `error`, which left the traced `function`; None to leave it as it is.

    Only what an expression or a list of numbers among `args` brings about is replaced. The text names the user's line.
    """
    line = line_of(error)
    refusal = swallowed(line)
    if isinstance(error, GraphError):
        return None
    if isinstance(error, ValueError) and isinstance(error.__cause__, TracedValueError):
        problem = "an expression can't be stored in a NumPy array, which holds numbers"
        return UnsupportedError(problem, STORE, stage="tracing", subject="x[i] = v", line=line)
    if isinstance(error, AttributeError):
        owner = getattr(error, "obj", None)
        if not isinstance(owner, np.ndarray) or getattr(error, "name", "") != "at":
            return None
        problem = "a NumPy array has no .at, which belongs to expressions"
        advice = "begin with an expression: pg.zeros(shape).at[i].set(v), or pg.asarray(x).at[i].set(v)"
        return UnsupportedError(problem, advice, stage="tracing", subject="x.at", operands=(owner,), line=line)
    if isinstance(error, KeyError):
        key = error.args[0] if error.args else None
        if not isinstance(key, Node):
            return None
        problem = f"{key!r} is not a key of a dict: it has no value before the graph runs"
        advice = "pg.switch(i, functions, x) calls one of several; keep what is known out of the trace"
        return TracedValueError(problem, advice, stage="tracing", subject=function, operands=(key,), line=line)
    if refusal is not None:
        return refusal
    given = next((i for i, arg in enumerate(args) if _is_numbers(arg)), None)
    if isinstance(error, TypeError) and given is not None and _by_operation(error.__traceback__):
        counted = f"{named(args[given])} of {len(args[given])} numbers"
        problem = f"argument {given} is {counted}, which is a container and no array: {error}"
        advice = "give np.array([...]), or convert it in the function: x = pg.asarray(x)"
        return SignatureError(problem, advice, stage="tracing", subject=function, line=line)
    return None


def _is_numbers(arg: Any) -> bool:
    return type(arg) in (list, tuple) and bool(arg) and all(isinstance(x, (int, float, list, np.generic)) for x in arg)


def _by_operation(traceback: TracebackType | None) -> bool:
    """Whether an operation of the user's own code failed, rather than a function that it called or a `raise`."""
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    return is_user_code(code) and running(code, traceback.tb_lasti).startswith(
        ("BINARY", "COMPARE", "UNARY", "INPLACE")
    )
