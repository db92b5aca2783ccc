"""Signatures of generalised ufuncs, such as "(m,m),(m,n)->(m,n)": the shapes, types and batches of rows with a kernel.

The notation is that of NumPy's generalised universal functions (NEP 5, NEP 20). Each operand and result has the core
axes in its parentheses; all further axes lead, are broadcast together, and count the applications.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import ShapeError

Shape = tuple[int, ...]
_ARGUMENT = re.compile(r"\(\s*(?:[A-Za-z]\w*|\d+)?(?:\s*,\s*(?:[A-Za-z]\w*|\d+))*\s*\)")


class Bound(NamedTuple):
    """A signature with its sizes known: the broadcast leading axes, and the size of each name in `Signature.names`."""

    batch: Shape
    sizes: Shape


@dataclass(frozen=True)
class Signature:
    """A parsed signature.

    Attributes:
        inputs, outputs: the core axes of each operand and result: names, or numbers for fixed sizes.
        names: every name once, in the order of first mention.
    """

    inputs: tuple[tuple[str | int, ...], ...]
    outputs: tuple[tuple[str | int, ...], ...]
    names: tuple[str, ...]

    def bind(self, shapes: Sequence[Shape], given: Mapping[str, Any]) -> Bound:
        """The sizes that operands of these shapes fix; a name that no operand has is taken from `given`.

        Raises:
            ShapeError: too few axes, sizes that differ, or leading axes that do not broadcast.
        """
        sizes: dict[str, int] = {name: int(given[name]) for name in self.names if name in given}
        batch: Shape = ()
        for at, (shape, core) in enumerate(zip(shapes, self.inputs, strict=True)):
            if len(shape) < len(core):
                raise ShapeError(f"operand {at} of shape {shape} needs {len(core)} axes ({_text(core)})")
            lead = len(shape) - len(core)
            for size, name in zip(shape[lead:], core, strict=True):
                wanted = name if isinstance(name, int) else sizes.setdefault(name, size)
                if size != wanted:
                    place = f"{name} is {wanted}" if isinstance(name, str) else f"{name} belongs"
                    raise ShapeError(
                        f"operand {at} of shape {shape}, which is ({_text(core)}), has {size} where {place}"
                    )
            batch = _broadcast(batch, shape[:lead])
        return Bound(batch, tuple(sizes[name] for name in self.names))

    def core(self, axes: Sequence[str | int], sizes: Shape) -> Shape:
        """Core axes with their sizes."""
        known = dict(zip(self.names, sizes, strict=True))
        return tuple(axis if isinstance(axis, int) else known[axis] for axis in axes)

    def results(self, bound: Bound) -> list[Shape]:
        """The shapes of the results."""
        return [(*bound.batch, *self.core(axes, bound.sizes)) for axes in self.outputs]


def _text(core: Sequence[str | int]) -> str:
    return ",".join(map(str, core))


def _broadcast(first: Shape, second: Shape) -> Shape:
    lead = max(len(first), len(second))
    pairs = zip((1,) * (lead - len(first)) + first, (1,) * (lead - len(second)) + second, strict=True)
    result = []
    for a, b in pairs:
        if a != b and 1 not in (a, b):
            raise ShapeError(f"leading axes {first} and {second} do not broadcast")
        result.append(b if a == 1 else a)
    return tuple(result)


@lru_cache(maxsize=256)
def parse(text: str) -> Signature:
    """A signature as written.

    Raises:
        ValueError: it is not a signature.

    Example:
        >>> parse("(m,m),(m,n)->(m,n)").names
        ('m', 'n')
    """
    sides = text.split("->")
    if len(sides) != 2:
        raise ValueError(f"{text!r} is not a signature: it needs one ->")
    parts = []
    for side in sides:
        found = _ARGUMENT.findall(side)
        if not found or re.sub(r"\s", "", ",".join(found)) != re.sub(r"\s", "", side):
            raise ValueError(f"{text!r} is not a signature, such as '(m,m),(m,n)->(m,n)'")
        words = [[word.strip() for word in one.strip("() ").split(",") if word.strip()] for one in found]
        parts.append(tuple(tuple(int(w) if w.isdigit() else w for w in one) for one in words))
    inputs, outputs = parts
    names = dict.fromkeys(axis for core in (*inputs, *outputs) for axis in core if isinstance(axis, str))
    return Signature(inputs, outputs, tuple(names))


# --- expressions in the sizes ----------------------------------------------------------------------------------------

_OPERATORS: dict[type[ast.operator], tuple[str, Callable[[int, int], int]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
}


def evaluated(text: str, values: Mapping[str, int]) -> int:
    """A sum of products of sizes and whole numbers, such as "(m * m + m) * 8".

    Raises:
        ValueError: it contains anything else.
    """
    return _evaluate(ast.parse(text, mode="eval").body, text, values)


def _evaluate(node: ast.expr, text: str, values: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        apply = _OPERATORS[type(node.op)][1]
        return apply(_evaluate(node.left, text, values), _evaluate(node.right, text, values))
    raise ValueError(f"{text!r}: only +, -, *, whole numbers and {', '.join(values) or 'no names'} can stand here")


def as_c(text: str, names: Sequence[str]) -> str:
    """The same in C, in double, where no product overflows; `s` holds the sizes in the order of `names`."""
    places = {name: f"(double)s[{at}]" for at, name in enumerate(names)}
    return _write(ast.parse(text, mode="eval").body, text, places)


def _write(node: ast.expr, text: str, places: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return f"{node.value}.0"
    if isinstance(node, ast.Name) and node.id in places:
        return places[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return f"({_write(node.left, text, places)} {_OPERATORS[type(node.op)][0]} {_write(node.right, text, places)})"
    raise ValueError(f"{text!r}: only +, -, *, whole numbers and {', '.join(places) or 'no names'} can stand here")


def batch_shape(shape: Shape, core: int, rank: int, size: int | None) -> Shape:
    """The shape of an operand of `core` core axes seen with a new axis of `size` (None: there is none) in front of
    leading axes that are to be `rank` many."""
    at = len(shape) - core
    lead = shape[:at] if size is None else shape[1:at]
    fill = (1,) * (rank - len(lead))
    return (*(() if size is None else (size,)), *fill, *lead, *shape[at:])
