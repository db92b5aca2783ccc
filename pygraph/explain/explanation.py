"""An explanation: the steps and edges of one evaluation, and their table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..graph.source import type_text

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Step:
    """A node of the forward sweep: its name, its formula and its value (and in forward mode its tangent)."""

    name: str
    formula: str
    value: Array
    tangent: Array | None = None


@dataclass(frozen=True)
class Edge:
    """One use of `operand` by `node`.

    Attributes:
        node, operand: their names.
        local: the derivative of `node` with respect to `operand`, elementwise; None where that is a matrix.
        upstream: the derivative of the output with respect to `node` (reverse), or the tangent of `operand` (forward).
        product: what this use contributes: to the derivative of the output with respect to `operand` (reverse), or to
            the tangent of `node` (forward).
    """

    node: str
    operand: str
    local: Array | None
    upstream: Array
    product: Array


@dataclass(frozen=True)
class Explanation:
    """Why a derivative is what it is; `str()` is a table for a terminal.

    Attributes:
        mode: "reverse" or "forward".
        output: the name of the output.
        steps: the forward sweep, in order of evaluation.
        edges: every use of a node that carries a derivative, in the order of the sweep.
        totals: by name, the derivative of the output by each node, the sum over its uses (reverse mode), or
            the tangent of each node (forward mode).
    """

    mode: str
    output: str
    steps: tuple[Step, ...]
    edges: tuple[Edge, ...]
    totals: dict[str, Array]

    def __str__(self) -> str:
        return _render(self)


_SHOWN = 4  # elements of an array that are written out


def _number(value: npt.NDArray[Any] | None) -> str:
    """A value in few characters: a scalar in full, a short array written out, a long one by its type and norm."""
    if value is None:
        return "(matrix)"
    if value.ndim == 0:
        return f"{value.item():.7g}"
    if value.size <= _SHOWN:
        return np.array2string(value, precision=5, separator=", ", max_line_width=10**6).replace("\n", "")
    return f"{type_text(value.shape, value.dtype)}, norm {np.linalg.norm(value.ravel().astype('float64')):.5g}"


def _render(explanation: Explanation) -> str:
    """The whole table."""
    if explanation.mode == "reverse":
        forward = [(step.name, step.formula, _number(step.value)) for step in explanation.steps]
        blocks = [_columns(("node", "formula", "value"), forward)]
        header = ("derivative", "local", "× upstream", "= product")
        backward = [
            (
                f"d{explanation.output}/d{edge.operand} via {edge.node}",
                f"d{edge.node}/d{edge.operand} = {_number(edge.local)}",
                f"d{explanation.output}/d{edge.node} = {_number(edge.upstream)}",
                _number(edge.product),
            )
            for edge in explanation.edges
        ]
        blocks.append(_columns(header, backward))
        inputs = [step.name for step in explanation.steps if not step.formula and step.name in explanation.totals]
        totals = [(f"d{explanation.output}/d{name}", _number(explanation.totals[name])) for name in inputs]
        blocks.append(_columns(("gradient", "sum of products"), totals))
        return "\n\n".join(blocks)
    rows = [
        (step.name, step.formula, _number(step.value), "0" if step.tangent is None else _number(step.tangent))
        for step in explanation.steps
    ]
    edges = [
        (f"{edge.node} from {edge.operand}", _number(edge.local), _number(edge.upstream), _number(edge.product))
        for edge in explanation.edges
    ]
    return "\n\n".join(
        (
            _columns(("node", "formula", "value", "tangent"), rows),
            _columns(("tangent", "local", "× operand's tangent", "= product"), edges),
        )
    )


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in aligned columns under a header."""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    head = "  ".join(text.ljust(width) for text, width in zip(header, widths, strict=True)).rstrip()
    return "\n".join([head, "  ".join("-" * width for width in widths), *lines])
