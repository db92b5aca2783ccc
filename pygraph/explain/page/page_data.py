"""What a page shows of an explanation and of the bodies in it: texts, folds, drawings and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...graph.source import type_text
from ..call_folds import Fold, folded
from ..chain_table import local_name
from ..number_text import below_text, is_uniform, number_text, short_text
from .box_drawing import all_folds, drawing
from .live_code import LiveCode, live_code

if TYPE_CHECKING:
    from ..explanation import Edge, Explanation, Inside, Step

#: Columns that elements of an array are written in.
_WIDTH = 64
#: Steps from which on fewer elements of each array are shown.
_MANY = 200


class _Moved(NamedTuple):
    """The program that an explanation's numbers are computed by, and the view that has its sliders."""

    code: LiveCode
    view: int


def page_data(explanation: Explanation) -> tuple[list[dict[str, Any]], list[str]]:
    """The views, the first of which is the explanation, and the programs of their sliders."""
    views: list[dict[str, Any]] = []
    programs: list[str] = []
    _add(explanation, explanation.function, None, None, None, views, programs)
    return views, programs


def _add(
    explanation: Explanation,
    title: str,
    above: int | None,
    inside: Inside | None,
    outer: _Moved | None,
    views: list[dict[str, Any]],
    programs: list[str],
) -> int:
    at = len(views)
    view: dict[str, Any] = {}
    views.append(view)
    whole = folded(explanation.steps)
    numbers = {step.name: number for number, step in enumerate(explanation.steps)}
    lines: dict[str, int] = {}
    steps = [_step(explanation, step, numbers, lines) for step in explanation.steps]
    places = None if outer is None else outer.code.views.get(id(explanation))
    moved = None if places is None else outer
    if places is None:
        live = live_code(explanation)
        if isinstance(live, str):
            view["no_sliders"] = live
        else:
            moved, places = _Moved(live, at), live.views[id(explanation)]
            programs.append("".join(live.statements))
            view["program"] = len(programs) - 1
            view["count"] = live.count
            view["sliders"] = [list(slider) for slider in live.sliders]
    for step, data in zip(explanation.steps, steps, strict=True):
        if step.inside is not None:
            title_inside = f"{step.name}: {step.inside.title}"
            data["in"] = _add(step.inside.explanation, title_inside, at, step.inside, moved, views, programs)
    view |= {
        "title": title,
        "above": above,
        "mode": explanation.mode,
        "symbol": explanation.symbol,
        "said": _said(explanation, inside),
        "outputs": [numbers[name] for name in dict.fromkeys(explanation.outputs) if name in numbers],
        "lines": list(lines),
        "steps": steps,
        "edges": [_edge(edge, numbers, steps, explanation.mode == "reverse") for edge in explanation.edges],
        "folds": {fold.label: _parts(fold) for fold in all_folds(whole)},
        "drawings": {fold.label: drawing(explanation, fold) for fold in all_folds(whole)},
    }
    if places is not None and moved is not None:
        view["live"] = moved.view
        for data, found in zip(view["steps"], places.steps, strict=True):
            data["at"] = found
        for data, found in zip(view["edges"], places.edges, strict=True):
            data["at"] = found
        if places.read is not None:
            view["read"] = [places.read.number, places.read.count, *places.read.taken]
            view["inside"] = () if inside is None else _titles(inside)
            view["arrives"] = [
                [name if explanation.mode == "forward" else explanation.derivatives[name][0], numbers[name], found]
                for name, found in places.seeds.items()
            ]
    return at


def _parts(fold: Fold) -> list[int | str]:
    return [part.label if isinstance(part, Fold) else part for part in fold.parts]


def _said(explanation: Explanation, inside: Inside | None) -> str:
    """What is said above the drawing: what is differentiated, and where the seeds come from."""
    seeds = ", ".join(f"{name}: {short_text(seed)}" for name, seed in explanation.seeds.items())
    if explanation.mode == "forward":
        return f"Tangents pushed forward. They enter as {seeds}."
    if inside is not None:
        arriving = ", ".join(f"{explanation.derivatives[x][0]} = {short_text(y)}" for x, y in explanation.seeds.items())
        title, entering = _titles(inside)
        return f"{title}. What arrives: {arriving or 'no derivative'}.{entering}"
    if explanation.symbol not in explanation.outputs:
        terms = " + ".join(f"sum(seed of {name} * {name})" for name in explanation.seeds)
        return f"{explanation.symbol} = {terms}, with the seeds {seeds}."
    return f"The derivative of {explanation.symbol} by everything that it is made of."


def _titles(inside: Inside) -> tuple[str, str]:
    """What a body is, and where its inputs come from."""
    from_outside = [f"{name} comes from {outer}" for name, outer in inside.entering.items() if name != outer]
    entering = f" From outside: {', '.join(from_outside)}." if from_outside else ""
    return f"{inside.title[:1].upper()}{inside.title[1:]}", entering


def _step(explanation: Explanation, step: Step, numbers: dict[str, int], lines: dict[str, int]) -> dict[str, Any]:
    few = len(explanation.steps) > _MANY
    found: dict[str, Any] = {"n": step.name, "v": short_text(step.value), "o": [numbers[x] for x in step.operands]}
    if step.formula and step.formula != step.name:
        found["f"] = step.formula
    if not step.formula:
        found["input"] = 1
    if below := below_text(step.value, _WIDTH, few):
        found["b"] = below
    if step.value.dtype.kind != "f":
        found["k"] = step.value.dtype.kind
    if step.value.ndim:
        found["t"] = type_text(step.value.shape, step.value.dtype)
        sizes = "×".join(map(str, step.value.shape))
        found["z"] = f"{sizes} elements" if step.value.ndim == 1 else sizes
    if step.line:
        found["l"] = lines.setdefault(step.line, len(lines))
    if step.name in explanation.totals:
        total = explanation.totals[step.name]
        found |= {"d": explanation.derivatives[step.name][0], "g": short_text(total)}
        if below := below_text(total, _WIDTH, few):
            found["gb"] = below
    return found


def _edge(edge: Edge, numbers: dict[str, int], steps: list[dict[str, Any]], reverse: bool) -> dict[str, Any]:
    """The texts of an edge; `state.js` puts back those that are left out since a step has the same."""
    node, operand = steps[numbers[edge.node]], steps[numbers[edge.operand]]
    source, target = (node, operand) if reverse else (operand, node)
    upstream, product, total = (short_text(x) for x in (edge.upstream, edge.product, edge.accumulated))
    found: dict[str, Any] = {"n": numbers[edge.node], "x": numbers[edge.operand]}
    if upstream != source["g"]:
        found["u"] = upstream
    if total != target["g"]:
        found["a"] = total
    if product != total:
        found["p"] = product
    if edge.local is not None:
        number = number_text(edge.local.flat[0]) if is_uniform(edge.local) else short_text(edge.local)
        found["l"] = number
        found["lp"] = local_name(edge)
        if edge.derivative not in ("", number):
            found["lf"] = edge.derivative
    if edge.product.ndim or edge.local is None:
        found["r"] = edge.rule
    if edge.others:
        found["also"] = [[numbers[name], short_text(x)] for name, x in edge.others]
    return found
