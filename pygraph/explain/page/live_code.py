"""The program of a page's sliders: all numbers of an explanation, and of bodies in it, as functions of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import GraphError
from ...graph.node import Node, maker
from ...ops.dtypes import KINDS
from ..evaluation_order import operands_of
from .loop_code import Arrived, LoopCode, Read, branch_read, step_read
from .scalar_code import STATEMENTS, Places, Value

if TYPE_CHECKING:
    from ..explanation import EdgeSource, Explanation, Inside, Sources
    from ..local_derivatives import Derivative

#: Numbers of the inputs that have a slider each, and steps of a graph that has any.
SLIDERS, STEPS = 512, 1200

#: A number's name, its place in `v`, its value, and the kind of its dtype.
Slider = tuple[str, int, float, str]
#: Numbers of `v`, or the one stack that a value is.
Shown = list[int] | dict[str, int]


@dataclass(frozen=True)
class LivePlaces:
    """Where a program has the numbers of one explanation.

    Attributes:
        steps: for each step the places of its value, and of its tangent.
        edges: for each edge the places of its local derivative, upstream derivative, product and sum.
        seeds: the places of what arrives, by name.
        read: of a body the places of the number of its step, or of its branch, and of the count of steps.
    """

    steps: list[dict[str, Shown]]
    edges: list[dict[str, Shown]]
    seeds: dict[str, Shown]
    read: Read | None


@dataclass(frozen=True)
class LiveCode:
    """A program on numbers `v` and stacks `s`.

    Attributes:
        statements: JavaScript.
        count: how many numbers there are.
        sliders: for each number of the inputs its name, its place in `v`, its value, and the kind of its dtype.
        views: the places of the explanation's numbers and of those of the bodies in it, by their identity.
    """

    statements: list[str]
    count: int
    sliders: list[Slider]
    views: dict[int, LivePlaces] = field(default_factory=dict)


def live_code(explanation: Explanation) -> LiveCode | str:
    """The program, or why there is none."""
    sources = explanation.sources
    if sources is None:
        return "the expressions are not there any more"
    if len(explanation.steps) > STEPS:
        return f"a graph of more than {STEPS} steps has no sliders"
    if sum(step.value.size for step in explanation.steps if not step.formula) > SLIDERS:
        return f"more than {SLIDERS} numbers have no sliders"
    if sum(step.value.size for step in explanation.steps if step.formula) > STATEMENTS:
        return f"the program of its sliders would have more than {STATEMENTS} statements"
    try:
        return _made(explanation, sources)
    except GraphError as error:
        return error.problem


def _made(explanation: Explanation, sources: Sources) -> LiveCode:
    code = LoopCode()
    known: dict[Node, Value] = {}
    sliders: list[Slider] = []
    for node, step in zip(sources.steps, explanation.steps, strict=True):
        if step.formula:
            continue
        places = known[node] = code.fresh(step.value.shape)
        for at, (place, value) in enumerate(zip(places.flat, step.value.flat, strict=True)):
            name = f"{step.name}[{','.join(map(str, np.unravel_index(at, step.value.shape)))}]"
            sliders.append((name if step.value.ndim else step.name, int(place), float(value), KINDS[node.dtype]))
    by_name = {step.name: node for node, step in zip(sources.steps, explanation.steps, strict=True)}
    seeded: list[tuple[Node, Arrived]] = [
        (by_name[name], (code.constants(seed), None)) for name, seed in explanation.seeds.items() if name in by_name
    ]
    made = LiveCode(code.statements, 0, sliders)
    _View(code, explanation, sources, known, seeded).add(made, None)
    return LiveCode(code.statements, code.count, sliders, made.views)


class _View:
    """The numbers of one explanation: values, then derivatives edge by edge, then the bodies."""

    def __init__(
        self,
        code: LoopCode,
        explanation: Explanation,
        sources: Sources,
        known: Mapping[Node, Value],
        seeded: Sequence[tuple[Node, Arrived]],
    ) -> None:
        self.code, self.explanation, self.sources = code, explanation, sources
        self.forward = explanation.mode == "forward"
        self.arrived: dict[Node, Value] = {}
        self.masks: dict[Node, Places] = {}
        self.places = code.graph([*sources.steps, *sources.outputs], known)
        for node, (value, mask) in seeded:
            self._arrive(node, value, mask)
        names = dict(zip(sources.steps, (step.name for step in explanation.steps), strict=True))
        self.seeds = {names[x]: _listed(value) for x, value in self.arrived.items() if x in names}

    def add(self, to: LiveCode, read: Read | None) -> None:
        """Write the code, and put the places of this view and of the bodies in it into `to`."""
        edges = [self._edge(source) for source in self.sources.edges]
        steps = []
        for node in self.sources.steps:
            found = {"value": _listed(self.places[node])}
            if self.forward and node in self.arrived:
                found["tangent"] = _listed(self.arrived[node])
            steps.append(found)
        to.views[id(self.explanation)] = LivePlaces(steps, edges, self.seeds, read)
        for node, step in zip(self.sources.steps, self.explanation.steps, strict=True):
            if step.inside is not None:
                self._body(maker(node), step.inside, to)

    def _body(self, node: Node, inside: Inside, to: LiveCode) -> None:
        """The body of a loop at the step that is shown, or the branch that was taken."""
        inner = inside.explanation.sources
        if inner is None:
            return
        operands = [self._operand(x) for x in node.inputs]
        if self.forward:
            numbered = list(enumerate(operands_of(node)))
        else:
            numbered = [(x.attrs["index"], x) for x in self.sources.results[node]]
        arrived = {at: (self.arrived[x], self.masks.get(x)) for at, x in numbered if x in self.arrived}
        if node.op.branch:
            read = branch_read(node, inner.body, operands, arrived, self.forward)
        else:
            read = step_read(self.code, node, operands, arrived, self.sources.step, self.forward)
        ends = inner.body.inputs if self.forward else inner.outputs
        names = dict(zip(inner.steps, (step.name for step in inside.explanation.steps), strict=True))
        seeded = [
            (x, found)
            for x, found in zip(ends, read.derivatives, strict=True)
            if found is not None and names.get(x) in inside.explanation.seeds
        ]
        _View(self.code, inside.explanation, inner, read.values, seeded).add(to, read)

    def _operand(self, node: Node) -> Value:
        found: Value = self.places[node] if node in self.places else self.code.graph([node], {})[node]  # a constant
        return found

    def _edge(self, source: EdgeSource) -> dict[str, Shown]:
        """The numbers of one edge."""
        node, operand = source.node, source.operand
        to = node if self.forward else operand
        upstream = [self.arrived[x] for x in source.upstream]
        masks = [self.masks.get(x) for x in source.upstream]
        product, mask = self._derivative(source, source.share, upstream, masks)
        self._arrive(to, product, mask)
        found = {
            "upstream": _listed(upstream[0]),
            "product": _listed(product),
            "total": _listed(self.arrived[to]),
        }
        if source.local is not None:
            if source.local.expression is None:
                found["local"] = _listed(self.code.constants(np.zeros(node.shape)))
            else:
                found["local"] = _listed(self._derivative(source, source.local, [], [])[0])
        return found

    def _arrive(self, node: Node, value: Value, mask: Places | None) -> None:
        """Add to the derivative of a node, which may be zero by structure in places."""
        if node not in self.arrived:
            self.arrived[node] = value
            if mask is not None:
                self.masks[node] = mask
            return
        self.arrived[node] = self.code.both("a + b", self.arrived[node], value, node.dtype)
        if mask is None:
            self.masks.pop(node, None)
        elif node in self.masks:
            either = self.code.both("a || b", self.masks[node], mask, np.dtype("bool"))
            assert not isinstance(either, int)
            self.masks[node] = either

    def _derivative(
        self, source: EdgeSource, share: Derivative, upstream: Sequence[Value], masks: Sequence[Places | None]
    ) -> tuple[Value, Places | None]:
        """The places of a derivative and of its mask."""
        assert share.expression is not None
        known: dict[Node, Any] = {x: self._operand(y) for x, y in zip(share.operands, source.operands, strict=True)}
        if share.out is not None:
            known[share.out] = self.places[source.made]
        known |= dict(zip(share.seeds, upstream, strict=True))
        known |= {x: mask for x, mask in zip(share.masks, masks, strict=True) if x is not None and mask is not None}
        found = self.code.graph([share.expression, *([] if share.mask is None else [share.mask])], known)
        value = found[share.expression]
        return value, None if share.mask is None else np.broadcast_to(found[share.mask], value.shape)


def _listed(value: Value) -> Shown:
    return {"s": value} if isinstance(value, int) else [int(x) for x in value.flat]
