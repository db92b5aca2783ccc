"""The public function of a row: a Python function with the row's parameters, its documentation and an example."""

from __future__ import annotations

import re
import sys
from itertools import cycle
from textwrap import fill
from types import FunctionType
from typing import Any

import numpy as np

from .dtypes import float64
from .row import Op

__all__ = ["example", "function_of"]

#: What a row says it takes, by its kinds and by those that become float64.
_KINDS = {
    ("f", "i"): "Floating operands; integers become float64, and bools are refused.",
    ("f", "ib"): "Floating operands; integers and bools become float64.",
    ("fi", "i"): "Floating and integer operands; bools are refused.",
    ("fib", "i"): "Floating, integer and bool operands.",
    ("i", "i"): "Integer operands.",
    ("b", "i"): "Bool operands.",
}


def function_of(op: Op, name: str) -> FunctionType:
    """A function that applies a row: `name(*op.parameters)`, of the module `pygraph`, by which it pickles.

    Its attribute `row` is the row.

    Example:
        >>> pg.arctan2(y=1.0, x=1.0)
        np.float64(0.7853981633974483)
        >>> pg.arctan2.row
        <op arctan2>
    """
    operands = ", ".join(op.parameters)
    made: dict[str, Any] = {"op": op}
    above = "\n" * sys._getframe().f_lineno  # so that tracebacks show the next line
    exec(compile(f"{above}def {name}({operands}): return op({operands})", __file__, "exec"), made)
    function = made[name]
    assert isinstance(function, FunctionType)
    function.__module__ = "pygraph"
    function.__doc__ = _documentation(op, name)
    function.row = op  # type: ignore[attr-defined]
    return function


def _documentation(op: Op, name: str) -> str:
    """The row's description, what it takes and raises, and an example that is evaluated here."""
    first, _, rest = op.doc.partition(". ")
    paragraphs = [first.rstrip(".") + "."]
    if op.kernel is None:
        taken = f"Elementwise{', broadcast and promoted as in NumPy' if op.arity != 1 else ''}. "
    else:
        taken = f"Operands and results have the shapes {op.kernel.signature} behind leading axes that broadcast. "
    taken += _KINDS[op.kinds, op.to_float]
    if op.nondiff:
        taken += " It carries no derivative."
    paragraphs += [rest, taken] if rest else [taken]
    text = "\n\n".join(fill(paragraph, 100) for paragraph in paragraphs)
    raised = [fill(line, 100, initial_indent="    ", subsequent_indent=" " * 8) for line in _raised(op)]
    if raised:
        text += "\n".join(["\n\nRaises:", *raised])
    lines, value = _example(op, name)
    call = "\n    ... ".join(lines)
    shown = "\n".join(f"    {line or '<BLANKLINE>'}" for line in repr(value).splitlines())
    return f"{text}\n\nExample:\n    >>> {call}\n{shown}\n"


def _raised(op: Op) -> list[str]:
    found = []
    if op.kernel is not None:
        found.append("ShapeError: operands of shapes that do not fit.")
    elif op.arity != 1:
        found.append("ShapeError: shapes that do not broadcast.")
    if op.kinds == "i":
        found.append("DTypeError: a floating operand, or bools alone.")
    elif "b" not in op.kinds + op.to_float:
        found.append("DTypeError: a bool operand.")
    failures = op.kernel.failures if op.kernel is not None else ()
    found += [f"{x.error.__name__}: {re.sub('{.}', 'n', x.problem)}; {x.advice}." for x in failures]
    return found


def _example(op: Op, name: str) -> tuple[list[str], Any]:
    """The lines of a call on operands of an example, and its value."""
    operands = example(op)
    value: Any = op(*operands)
    several = isinstance(value, tuple)
    rounded = [y.round(6) if y.dtype.kind == "f" else y for y in (value if several else [value])]
    start, end = f"{'[y.round(6) for y in ' if several else ''}pg.{name}(", ")"
    if several:
        end += "]"
    elif value.dtype.kind == "f":
        end += ".round(6)"
    arrays = [f"np.array({operand.tolist()})" for operand in operands]
    line = f"{start}{', '.join(arrays)}{end}"
    lines = [line] if len(line) <= 92 else [start, *(f"    {array}," for array in arrays), end]
    return lines, rounded if several else rounded[0]


def example(op: Op) -> list[np.ndarray[Any, Any]]:
    """Operands of a few digits: the smallest sample that a row gives, else two points of the operands' domains."""
    if op.samples is not None:
        samples = [operands for operands, attrs in op.samples(np.random.default_rng(0), float64) if not attrs]
        whole = [x for x in samples if all(y.size for y in x)]
        chosen = min(whole, key=lambda x: (max(y.ndim for y in x), sum(y.size for y in x)))
        return [np.round(x, 2) for x in chosen]
    places = ((0.25, 0.75), (0.6, 0.4), (0.1, 0.9))
    if op.kernel is None:
        digits = None if op.kinds == "i" else 2
        return [
            np.array([round(low + (high - low) * at, digits) for at in ats])
            for (low, high), ats in zip(op.domain, places, strict=False)
        ]
    signature = op.kernel.parsed
    cores = [signature.core(core, (2,) * len(signature.names)) or (2,) for core in signature.inputs]
    return [np.resize(np.array(ats), core) for ats, core in zip(cycle(places), cores)]
