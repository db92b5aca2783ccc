"""An explanation as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .chain import Explanation

_SHOWN = 4  # elements of an array that are written out


def number(value: npt.NDArray[Any] | None) -> str:
    """A value in few characters: a scalar in full, a short array written out, a long one by its shape and norm."""
    if value is None:
        return "(matrix)"
    if value.ndim == 0:
        return f"{value.item():.7g}"
    if value.size <= _SHOWN:
        return np.array2string(value, precision=5, separator=", ", max_line_width=10**6).replace("\n", "")
    shape = "×".join(map(str, value.shape))
    return f"{shape}, norm {np.linalg.norm(value.ravel().astype('float64')):.5g}"


def render(explanation: Explanation) -> str:
    """The whole table."""
    if explanation.mode == "reverse":
        forward = [(step.name, step.formula, number(step.value)) for step in explanation.steps]
        blocks = [columns(("node", "formula", "value"), forward)]
        header = ("derivative", "local", "× upstream", "= product")
        backward = [
            (
                f"d{explanation.output}/d{edge.operand} via {edge.node}",
                f"d{edge.node}/d{edge.operand} = {number(edge.local)}",
                f"d{explanation.output}/d{edge.node} = {number(edge.upstream)}",
                number(edge.product),
            )
            for edge in explanation.edges
        ]
        blocks.append(columns(header, backward))
        inputs = [step.name for step in explanation.steps if not step.formula and step.name in explanation.totals]
        totals = [(f"d{explanation.output}/d{name}", number(explanation.totals[name])) for name in inputs]
        blocks.append(columns(("gradient", "sum of products"), totals))
        return "\n\n".join(blocks)
    rows = [
        (step.name, step.formula, number(step.value), "0" if step.tangent is None else number(step.tangent))
        for step in explanation.steps
    ]
    edges = [
        (f"{edge.node} from {edge.operand}", number(edge.local), number(edge.upstream), number(edge.product))
        for edge in explanation.edges
    ]
    return "\n\n".join(
        (
            columns(("node", "formula", "value", "tangent"), rows),
            columns(("tangent", "local", "× operand's tangent", "= product"), edges),
        )
    )


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in aligned columns under a header."""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    head = "  ".join(text.ljust(width) for text, width in zip(header, widths, strict=True)).rstrip()
    return "\n".join([head, "  ".join("-" * width for width in widths), *lines])
