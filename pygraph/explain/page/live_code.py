"""The program of a page's sliders: all numbers of an explanation as functions of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import GraphError
from ...graph.node import Node
from .scalar_code import Places, ScalarCode, is_live

if TYPE_CHECKING:
    from ..explanation import EdgeSource, Explanation, Sources
    from ..local_derivatives import Derivative

#: Numbers of the inputs that have a slider each, and steps of a graph that has any.
_SLIDERS, _STEPS = 16, 80


@dataclass(frozen=True)
class LiveCode:
    """A program on numbers `v`.

    Attributes:
        statements: JavaScript.
        count: how many numbers there are.
        sliders: the input, the element, its place in `v`, and its value.
        steps: for each step the places of its value, and of its tangent.
        edges: for each edge the places of its local derivative, upstream derivative, product and sum.
    """

    statements: list[str]
    count: int
    sliders: list[tuple[str, int, float]]
    steps: list[dict[str, list[int]]]
    edges: list[dict[str, list[int]]]


def live_code(explanation: Explanation) -> LiveCode | str:
    """The program, or why there is none."""
    sources = explanation.sources
    if sources is None:
        return "the expressions are not there any more"
    if len(explanation.steps) > _STEPS:
        return f"a graph of more than {_STEPS} steps has no sliders"
    if sum(step.value.size for step in explanation.steps if not step.formula) > _SLIDERS:
        return f"more than {_SLIDERS} numbers have no sliders"
    if not all(is_live(node.dtype) for node in sources.steps if not node.inputs):
        return "integers have no sliders"
    try:
        return _made(explanation, sources)
    except GraphError as error:
        return error.problem


def _made(explanation: Explanation, sources: Sources) -> LiveCode:
    code = ScalarCode()
    known: dict[Node, Places] = {}
    sliders: list[tuple[str, int, float]] = []
    for node, step in zip(sources.steps, explanation.steps, strict=True):
        if step.formula:
            continue
        numbers = code.variables(step.value.size)
        known[node] = np.array(numbers, np.int64).reshape(step.value.shape)
        for at, (place, value) in enumerate(zip(numbers, step.value.flat, strict=True)):
            sliders.append((f"{step.name}[{at}]" if step.value.ndim else step.name, place, float(value)))
    places = code.graph(sources.steps, known)
    by_name = {step.name: node for node, step in zip(sources.steps, explanation.steps, strict=True)}
    arrived = {by_name[name]: code.constants(seed) for name, seed in explanation.seeds.items() if name in by_name}
    forward = explanation.mode == "forward"
    masks: dict[Node, Places] = {}
    edges = [_edge(code, source, places, arrived, masks, not forward) for source in sources.edges]
    steps = []
    for node in sources.steps:
        found = {"value": _listed(places[node])}
        if forward and node in arrived:
            found["tangent"] = _listed(arrived[node])
        steps.append(found)
    return LiveCode(code.statements, code.count, sliders, steps, edges)


def _edge(
    code: ScalarCode,
    source: EdgeSource,
    places: dict[Node, Places],
    arrived: dict[Node, Places],
    masks: dict[Node, Places],
    reverse: bool,
) -> dict[str, list[int]]:
    """The numbers of one edge; the sum that it adds to goes to `arrived`, and where that is zero to `masks`."""
    node, operand = source.node, source.operand
    to = operand if reverse else node
    upstream = [arrived[x] for x in source.upstream]
    product, mask = _derivative(code, source, places, source.share, upstream, [masks.get(x) for x in source.upstream])
    if to not in arrived:
        arrived[to] = product
        if mask is not None:
            masks[to] = mask
    else:
        arrived[to] = code.both("a + b", arrived[to], product, to.dtype)
        if mask is None:
            masks.pop(to, None)
        elif to in masks:
            masks[to] = code.both("a || b", masks[to], mask, to.dtype)
    found = {"upstream": _listed(upstream[0]), "product": _listed(product), "total": _listed(arrived[to])}
    if source.local is not None:
        if source.local.expression is None:
            found["local"] = _listed(code.constants(np.zeros(node.shape)))
        else:
            found["local"] = _listed(_derivative(code, source, places, source.local, [], [])[0])
    return found


def _derivative(
    code: ScalarCode,
    source: EdgeSource,
    places: dict[Node, Places],
    share: Derivative,
    upstream: Sequence[Places],
    masks: Sequence[Places | None],
) -> tuple[Places, Places | None]:
    """The places of a derivative and of its mask."""
    assert share.expression is not None
    known: dict[Node, Places] = {}
    for x, node in zip(share.operands, source.operands, strict=True):
        known[x] = places[node] if node in places else code.graph([node], {})[node]  # else a constant
    if share.out is not None:
        known[share.out] = places[source.made]
    known |= dict(zip(share.seeds, upstream, strict=True))
    known |= {x: mask for x, mask in zip(share.masks, masks, strict=True) if x is not None and mask is not None}
    found = code.graph([share.expression, *([] if share.mask is None else [share.mask])], known)
    value = found[share.expression]
    return value, None if share.mask is None else np.broadcast_to(found[share.mask], value.shape)


def _listed(places: Places) -> list[int]:
    return [int(x) for x in places.flat]
