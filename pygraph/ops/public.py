"""The public function of a row: a Python function with the row's parameters, its documentation and an example."""

from __future__ import annotations

import sys
from collections.abc import Callable
from textwrap import fill
from types import FunctionType
from typing import Any

import numpy as np

from .row import Op

__all__ = ["function_of"]

#: What a row says it takes, by its kinds and by those that become float64.
_KINDS = {
    ("f", "i"): "Floating operands; integers become float64, and bools are refused.",
    ("f", "ib"): "Floating operands; integers and bools become float64.",
    ("fi", "i"): "Floating and integer operands; bools are refused.",
    ("fib", "i"): "Floating, integer and bool operands.",
    ("b", "i"): "Bool operands.",
}


def _unary(op: Op) -> Callable[..., Any]:
    def function(x):  # type: ignore[no-untyped-def]
        return op(x)

    return function


def _binary(op: Op) -> Callable[..., Any]:
    def function(x, y):  # type: ignore[no-untyped-def]
        return op(x, y)

    return function


def _ternary(op: Op) -> Callable[..., Any]:
    def function(x, y, z):  # type: ignore[no-untyped-def]
        return op(x, y, z)

    return function


_BY_ARITY = {1: _unary, 2: _binary, 3: _ternary}


def function_of(op: Op, name: str) -> FunctionType:
    """A function that applies a pointwise row: `name(*op.parameters)`, of the module `pygraph`, by which it pickles.

    Its attribute `row` is the row.

    Example:
        >>> pg.arctan2(y=1.0, x=1.0)
        np.float64(0.7853981633974483)
        >>> pg.arctan2.row
        <op arctan2>
    """
    assert op.arity is not None
    template = _BY_ARITY[op.arity](op)
    assert isinstance(template, FunctionType)
    named: dict[str, Any] = {"co_name": name, "co_varnames": op.parameters}
    if sys.version_info >= (3, 11):
        named["co_qualname"] = name
    code = template.__code__.replace(**named)
    function = FunctionType(code, template.__globals__, name, None, template.__closure__)
    function.__qualname__ = name
    function.__module__ = "pygraph"
    function.__doc__ = _documentation(op, name)
    function.row = op  # type: ignore[attr-defined]
    return function


def _documentation(op: Op, name: str) -> str:
    """The row's description, what it takes and raises, and an example that is evaluated here."""
    first, _, rest = op.doc.partition(". ")
    paragraphs = [first.rstrip(".") + "."]
    taken = (
        f"Elementwise{', broadcast and promoted as in NumPy' if op.arity != 1 else ''}. {_KINDS[op.kinds, op.to_float]}"
    )
    if op.nondiff:
        taken += " It carries no derivative."
    paragraphs += [rest, taken] if rest else [taken]
    text = "\n\n".join(fill(paragraph, 100) for paragraph in paragraphs)
    raised = ["    DTypeError: a bool operand."] if "b" not in op.kinds + op.to_float else []
    if op.arity != 1:
        raised.insert(0, "    ShapeError: shapes that do not broadcast.")
    if raised:
        text += "\n\nRaises:\n" + "\n".join(raised)
    call, value = _example(op, name)
    shown = "\n".join(f"    {line}" for line in repr(value).splitlines())
    return f"{text}\n\nExample:\n    >>> {call}\n{shown}\n"


def _example(op: Op, name: str) -> tuple[str, Any]:
    """A call on two points of the operands' domains, and its value."""
    places = ((0.25, 0.75), (0.6, 0.4), (0.1, 0.9))
    operands = [
        np.array([round(low + (high - low) * at, 2) for at in ats])
        for (low, high), ats in zip(op.domain, places, strict=False)
    ]
    value = op(*operands)
    call = f"pg.{name}({', '.join(f'np.{operand!r}' for operand in operands)})"
    return (f"{call}.round(6)", value.round(6)) if value.dtype.kind == "f" else (call, value)
