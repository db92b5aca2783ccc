"""An explanation as a table for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import SignatureError, shown
from .call_folds import Fold, folded, shown_parts
from .number_text import below_text, is_uniform, number_text, short_text
from .text_columns import INDENT, columns

if TYPE_CHECKING:
    from .explanation import Edge, Explanation, Inside, Step

Array = npt.NDArray[Any]

#: The upstream derivative of the line above, which is not computed once more.
_SAME = '"'
_NARROWEST = 40


def chain_table(explanation: Explanation, opened: str | Sequence[str] = (), width: int = 100) -> str:
    """The whole table; see `Explanation.table`."""
    if width < _NARROWEST:
        problem = f"width is {shown(width)}"
        raise SignatureError(problem, f"give {_NARROWEST} or more", stage="showing", subject="an explanation")
    fold = folded(explanation.steps)
    labels = (opened,) if isinstance(opened, str) else tuple(opened)
    known = {x.label for x in fold.folds()}
    for label in labels:
        if label != "all" and label not in known:
            problem = f"there is no fold {shown(label)}"
            advice = f"give one of {', '.join(sorted(known)[:12])}" if known else "nothing is folded: leave it out"
            raise SignatureError(problem, advice, stage="showing", subject="an explanation")
    return "\n".join(_lines(explanation, fold, None if "all" in labels else labels, width))


def _lines(
    explanation: Explanation, fold: Fold, opened: Sequence[str] | None, width: int, within: bool = False
) -> list[str]:
    reverse = explanation.mode == "reverse"
    parts = list(shown_parts(fold, opened))
    lines = _seeds(explanation, width, within)
    lines += _forward(explanation, parts, width)
    lines += ["", *(_reverse(explanation, parts, width) if reverse else _tangents(explanation, parts, width))]
    if reverse:
        lines += ["", *_gradient(explanation, width)]
    if any(isinstance(part, Fold) for part in parts):
        label = next(part.label for part in parts if isinstance(part, Fold))
        lines += ["", f"▸ is a fold: .table(open={label!r}) shows it, .table(open='all') everything"]
    for part in parts:
        inside = None if isinstance(part, Fold) else explanation.steps[part].inside
        if inside is not None and isinstance(part, int):
            lines += ["", *_inside(explanation.steps[part], inside, width)]
    return lines


def _seeds(explanation: Explanation, width: int, within: bool) -> list[str]:
    if explanation.mode == "forward":
        rows = [(name, short_text(seed)) for name, seed in explanation.seeds.items()]
        return [*columns(("tangent of", "that arrives" if within else "seed"), rows, width), ""]
    if within:
        rows = [(explanation.derivatives[x][0], short_text(seed)) for x, seed in explanation.seeds.items()]
        return [*columns(("derivative", "that arrives"), rows, width), ""]
    if explanation.symbol in explanation.outputs or not explanation.seeds:
        return []
    terms = " + ".join(f"sum(seed of {name} * {name})" for name in explanation.seeds)
    rows = [(name, short_text(seed)) for name, seed in explanation.seeds.items()]
    return [f"{explanation.symbol} = {terms}"[:width], "", *columns(("output", "seed"), rows, width), ""]


def _summary(explanation: Explanation, fold: Fold) -> tuple[str, str]:
    """What is said of a closed fold: its label, and how many steps it has."""
    numbers = list(fold.steps())
    return f"▸ {fold.label}", f"{len(numbers)} steps, the last is {explanation.steps[numbers[-1]].name}"


def _forward(explanation: Explanation, parts: Sequence[int | Fold], width: int) -> list[str]:
    rows: list[tuple[str, ...]] = []
    below: list[str] = []
    for part in parts:
        if isinstance(part, Fold):
            below.append("")
            label, text = _summary(explanation, part)
            last = explanation.steps[list(part.steps())[-1]]
            value, tangent = short_text(last.value), last.tangent
            rows.append((label, text, value, "0" if tangent is None else short_text(tangent)))
            continue
        step = explanation.steps[part]
        formula = step.formula if step.formula != step.name else ""
        tangent_text = "0" if step.tangent is None else short_text(step.tangent)
        rows.append((step.name, formula, short_text(step.value), tangent_text))
        below.append(below_text(step.value, width - len(INDENT)))
    if explanation.mode == "forward":
        return columns(("node", "formula", "value", "tangent"), rows, width, below)
    return columns(("node", "formula", "value"), [row[:3] for row in rows], width, below)


def local_name(edge: Edge) -> str:
    """How the local derivative of an edge is written: `dz/dw`."""
    node, operand = (f"({name})" if " " in name else name for name in (edge.node, edge.operand))
    return f"d{node}/d{operand}"


def local_text(edge: Edge) -> str:
    """The local derivative: its formula, and its value."""
    if edge.local is None:
        return ""
    text = f"{local_name(edge)} = "
    if edge.local.size > 1 and edge.derivative and not is_uniform(edge.local):
        return text + edge.derivative
    number = number_text(edge.local.flat[0]) if is_uniform(edge.local) else short_text(edge.local)
    return text + (f"{edge.derivative} = {number}" if edge.derivative not in ("", number) else number)


def product_text(edge: Edge) -> str:
    """The product: a number, or the rule, with its value where that is not all there is to add up."""
    if edge.product.ndim == 0 and edge.local is not None:
        return short_text(edge.product)
    once = edge.product.ndim > 0 and np.array_equal(edge.product, edge.accumulated, equal_nan=True)
    return edge.rule if once else f"{edge.rule} = {short_text(edge.product)}"


def _arrived(name: str, value: Array) -> str:
    """A derivative that was added up before: an array is not shown a second time."""
    return f"{name} = {short_text(value)}" if value.size == 1 else name


def _reverse(explanation: Explanation, parts: Sequence[int | Fold], width: int) -> list[str]:
    def ends(edge: Edge, is_first: bool) -> tuple[str, str]:
        total = explanation.derivatives[edge.operand][0]
        if not is_first:
            return _SAME, total
        arrived = [(edge.node, edge.upstream), *edge.others]
        return "\n".join(_arrived(explanation.derivatives[name][0], x) for name, x in arrived), total

    return _products(explanation, parts, width, "upstream", ends)


def _tangents(explanation: Explanation, parts: Sequence[int | Fold], width: int) -> list[str]:
    def ends(edge: Edge, is_first: bool) -> tuple[str, str]:
        tangent = _arrived(explanation.derivatives[edge.operand][0], edge.upstream)
        return tangent, explanation.derivatives[edge.node][0]

    return _products(explanation, parts, width, "operand's tangent", ends)


def _products(
    explanation: Explanation,
    parts: Sequence[int | Fold],
    width: int,
    title: str,
    ends: Callable[[Edge, bool], tuple[str, str]],
) -> list[str]:
    """A row for each use of a value, and one for all that a fold has.

    Args:
        title: of the first column.
        ends: of a use, and of whether it is the first one of its node: the first column, and what is added up.
    """
    place = {name: part for part in parts for name in _names(explanation, part)}
    rows: list[tuple[str, ...]] = []
    below: list[str] = []
    before: object = None
    for edge in explanation.edges:
        part = place[edge.node]
        if isinstance(part, Fold):
            if part is not before:
                count = sum(place[x.node] is part for x in explanation.edges)
                rows.append((f"▸ {part.label}", "", f"{count} products" if explanation.mode == "reverse" else "", ""))
                below.append("")
            before = part
            continue
        first, total = ends(edge, before != edge.node)
        before = edge.node
        rows.append((first, local_text(edge), product_text(edge), f"{total} = {short_text(edge.accumulated)}"))
        below.append(below_text(edge.accumulated, width - len(INDENT)))
    return columns((title, "× local", "= product", "added up"), rows, width, below)


def _names(explanation: Explanation, part: int | Fold) -> list[str]:
    numbers = part.steps() if isinstance(part, Fold) else [part]
    return [explanation.steps[number].name for number in numbers]


def _gradient(explanation: Explanation, width: int) -> list[str]:
    inputs = [step for step in explanation.steps if not step.formula and step.name in explanation.totals]
    found = [explanation.totals[step.name] for step in inputs]
    rows = [(explanation.derivatives[step.name][0], short_text(x)) for step, x in zip(inputs, found, strict=True)]
    below = [below_text(x, width - len(INDENT)) for x in found]
    return columns(("gradient", "sum of products"), rows, width, below)


def _inside(step: Step, inside: Inside, width: int) -> list[str]:
    """A body, indented."""
    entering = [f"{name} from {outer}" for name, outer in inside.entering.items() if name != outer]
    leaving = [f"{outer} from {name}" for outer, name in inside.leaving.items()]
    said = "; ".join(filter(None, (", ".join(entering), ", ".join(leaving))))
    explanation = inside.explanation
    inner = _lines(explanation, folded(explanation.steps), (), width - 2, within=True)
    title = columns((f"inside of {step.name}: {inside.title}",), [(said,)] if said else [], width)
    return [*(title[:1] + title[2:]), "", *(f"  {line}".rstrip() for line in inner)]
