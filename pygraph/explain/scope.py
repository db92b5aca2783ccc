"""One graph at one point: its steps, and the sweep that multiplies along its edges, forward or in reverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autodiff.sink_stacks import absorbed, reads_stacks
from ..graph.graph import Graph, bodies_of
from ..graph.node import Node, maker, self_contained
from ..graph.reference import evaluate_nodes
from ..ops.dtypes import is_float
from ..ops.leaves import given_row as GIVEN, output_row as OUTPUT
from .evaluation_order import in_order, operands_of
from .explanation import Edge, EdgeSource, Explanation, Inside, Sources, Step
from .formulas import ATOM, Formula, named
from .inner_steps import Arrival, Moment, moment
from .labels import Labels, derivative_name
from .local_derivatives import Derivative, LocalDerivatives
from .stacks import as_array, like
from .watching import CalledLine, Watch

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settings:
    """What holds for a graph and the bodies in it: what was seen, the function's name, the mode, the loops' step."""

    watch: Watch
    title: str
    mode: str
    step: int
    derivatives: LocalDerivatives = field(default_factory=LocalDerivatives)


class Scope:
    """A graph, the values of its inputs, and of all else in it.

    Args:
        graph: the graph.
        leaves: a value for each input.
        settings: what holds for bodies as well.
        given: names of inputs, where those of the graph's own are not to be used.
        symbol: in a body, what is differentiated outside of it.
    """

    def __init__(
        self,
        graph: Graph,
        leaves: Sequence[Array],
        settings: Settings,
        given: Mapping[Node, str],
        symbol: Formula | None = None,
    ) -> None:
        self.body = graph
        if any(map(reads_stacks, graph.nodes)):
            graph = Graph.from_parts(graph.inputs, absorbed(graph.outputs, graph.inputs), name=graph.name)
        self.graph, self.settings = graph, settings
        self.order = in_order(graph.inputs, graph.outputs)
        self.env = evaluate_nodes(graph.outputs, dict(zip(graph.inputs, leaves, strict=True)))
        several = len(graph.outputs) > 1
        titles = (
            {x: f"out{i}" if several else settings.title for i, x in enumerate(graph.outputs)} if not symbol else {}
        )
        self.names = Labels(self.order, settings.watch, given, titles)
        self.symbol = symbol
        self._results: dict[Node, list[Node]] = {}
        for node in self.order:
            if node.op is OUTPUT:
                self._results.setdefault(node.inputs[0], []).append(node)

    # --- the two sweeps --------------------------------------------------------------------------------------------

    def reverse(self, seeds: Sequence[Arrival | None], weighted: str | None = None) -> Explanation:
        """The chain rule from the outputs back; `weighted` is what the sum of seed · output is called."""
        if self.symbol is None:
            free = None if weighted is None else named(self.names.free(weighted))
            self.symbol = free or self.names.formula(self.graph.outputs[0])
        totals: dict[Node, Array] = {}
        masks: dict[Node, Mask] = {}
        for x, seed in zip(self.graph.outputs, seeds, strict=True):
            if seed is not None:
                _added(x, seed.value, seed.mask, totals, masks)
        seeded = {self.names[x]: total for x, total in totals.items() if not self_contained(x)}
        edges: list[Edge] = []
        sources: list[EdgeSource] = []
        inside: dict[Node, Inside] = {}
        for node in reversed(self.order):
            if node.op is OUTPUT:
                continue
            results = self._results.get(node, [node])
            arrived = {
                x.attrs["index"] if x is not node else 0: Arrival(totals[x], masks.get(x))
                for x in results
                if x in totals
            }
            if arrived:
                self._pull(node, arrived, totals, masks, edges, sources)
            if bodies_of(node):
                found = self._inside(node, arrived)
                if found is not None:
                    inside[node] = found
        for x in self.graph.inputs:
            if is_float(x.dtype):
                totals.setdefault(x, np.zeros(x.shape, x.dtype))
        shown = {x: total for x, total in totals.items() if not self_contained(x)}
        return self._explanation(edges, sources, shown, {}, inside, seeded)

    def _pull(
        self,
        node: Node,
        arrived: dict[int, Arrival],
        totals: dict[Node, Array],
        masks: dict[Node, Mask],
        edges: list[Edge],
        sources: list[EdgeSource],
    ) -> None:
        """The products of one node, for each of its operands."""
        count = 1 if node.results is None else len(node.results)
        reached = [i in arrived for i in range(count)]
        upstream = [arrived[i].value for i in sorted(arrived)]
        results = {0: node} if node.results is None else {x.attrs["index"]: x for x in self._results[node]}
        carriers = [results[i] for i in sorted(arrived)]
        handed = [like(x, self.env[carrier]) for x, carrier in zip(upstream, carriers, strict=True)]
        masked = [i in arrived and arrived[i].mask is not None for i in range(count)]
        values = [self.env[x] for x in node.inputs]
        for at, operand in enumerate(operands_of(node)):
            if not is_float(operand.dtype) or self_contained(operand):
                continue
            share = self.settings.derivatives.share(node, at, reached, masked)
            if share.expression is None:
                continue
            product, mask = share.value(values, self.env.get(node), handed, [masks.get(x) for x in carriers])
            accumulated = _added(operand, product, mask, totals, masks)
            partial, local, derivative = self._local(node, at)
            plain = self.settings.derivatives.share(node, at, reached, [False] * count)
            rule = self._rule(node, plain, [self._derivative(x) for x in carriers])
            first, *others = carriers
            sources.append(EdgeSource(first, operand, node, node.inputs, tuple(carriers), partial, share))
            edges.append(
                Edge(
                    self.names[first],
                    self.names[operand],
                    local,
                    upstream[0],
                    product,
                    accumulated,
                    derivative.text,
                    rule.text,
                    tuple((self.names[x], y) for x, y in zip(others, upstream[1:], strict=True)),
                    (derivative.latex, rule.latex),
                )
            )

    def forward(self, tangents: Mapping[Node, Arrival]) -> Explanation:
        """The tangents of the inputs, pushed to the outputs."""
        found = {x: tangent.value for x, tangent in tangents.items()}
        masks = {x: tangent.mask for x, tangent in tangents.items() if tangent.mask is not None}
        seeded = {self.names[x]: tangent for x, tangent in found.items()}
        edges: list[Edge] = []
        sources: list[EdgeSource] = []
        inside: dict[Node, Inside] = {}
        for node in self.order:
            if node.results is not None:
                if bodies_of(node):
                    given = enumerate(operands_of(node))
                    within = self._inside(node, {i: Arrival(found[x], masks.get(x)) for i, x in given if x in found})
                    if within is not None:
                        inside[node] = within
                continue
            if not is_float(node.dtype):
                continue
            made = maker(node)
            number = node.attrs["index"] if node.op is OUTPUT else 0
            for at, operand in enumerate(operands_of(made)):
                if operand not in found:
                    continue
                push = self.settings.derivatives.push(made, at, number, operand in masks)
                if push.expression is None:
                    continue
                values = [self.env[x] for x in made.inputs]
                handed = [like(found[operand], self.env[operand])]
                product, mask = push.value(values, self.env.get(made), handed, [masks.get(operand)])
                _added(node, product, mask, found, masks)
                partial, local, derivative = self._local(made, at)
                plain = self.settings.derivatives.push(made, at, number, False)
                rule = self._rule(made, plain, [self._derivative(operand)])
                sources.append(EdgeSource(node, operand, made, made.inputs, (operand,), partial, push))
                edges.append(
                    Edge(
                        self.names[node],
                        self.names[operand],
                        local,
                        found[operand],
                        product,
                        found[node],
                        derivative.text,
                        rule.text,
                        (),
                        (derivative.latex, rule.latex),
                    )
                )
        return self._explanation(edges, sources, found, found, inside, seeded)

    # --- what is said of them --------------------------------------------------------------------------------------

    def _derivative(self, node: Node) -> Formula:
        """How the derivative of the symbol by a node is written; in forward mode its tangent."""
        formula = self.names.formula(node)
        if self.settings.mode == "forward":
            text = formula.text if formula.level == ATOM and " " not in formula.text else f"({formula.text})"
            return Formula(f"d{text}", rf"\mathrm{{d}}{formula.within(ATOM).latex}")
        assert self.symbol is not None
        return derivative_name(self.symbol, formula)

    def _local(self, node: Node, at: int) -> tuple[Derivative | None, Array | None, Formula]:
        """The derivative of an operation on single elements by one of its operands: itself, its value, its formula."""
        operand = node.inputs[at]
        if not node.op.pointwise or node.shape != operand.shape:
            return None, None, Formula("", "")
        partial = self.settings.derivatives.partial(node, at)
        if partial.expression is None:
            return partial, np.zeros(node.shape, node.dtype), Formula("0", "0")
        value, _ = partial.value([self.env[x] for x in node.inputs], self.env[node])
        written = self.settings.derivatives.written_partial(node, at)
        formula = written.formula([self.names.formula(x) for x in node.inputs], self.names.formula(node), [])
        return partial, value, formula or Formula("", "")

    def _rule(self, node: Node, share: Derivative, seeds: Sequence[Formula]) -> Formula:
        """The product as a formula, or in words where the operation has no short one."""
        words = ""
        if node.op is GIVEN:
            words = "by the function's own rule"
        elif node.op.loop:
            words = "through all steps of the loop"
        elif node.op.branch:
            words = "through the branch taken"
        if not words:
            formula = share.formula([self.names.formula(x) for x in node.inputs], self.names.formula(node), seeds)
            if formula is not None:
                return formula
            words = f"by the rule of {node.op.title if node.op.title.isidentifier() else node.op.name}"
        return Formula(words, rf"\text{{{words}}}")

    def _inside(self, node: Node, derivatives: dict[int, Arrival]) -> Inside | None:
        """The body of a loop at the chosen step, or the branch that was taken."""
        values = [self.env[x] for x in node.inputs]
        found = moment(node, values, derivatives, self.settings.step, self.settings.mode)
        if found is None:
            return None
        scope = Scope(
            found.body, found.values, self.settings, self._given(node, found), self.symbol or named(self.settings.title)
        )
        if self.settings.mode == "forward":
            known = zip(found.body.inputs, found.derivatives, strict=True)
            explanation = scope.forward({x: tangent for x, tangent in known if tangent is not None})
        else:
            explanation = scope.reverse(found.derivatives)
        leaving = {
            self.names[x]: scope.names[scope.graph.outputs[x.attrs["index"]]]
            for x in self._results.get(node, ())
            if x.attrs["index"] < len(scope.graph.outputs)
        }
        outside = ((x, node.inputs[at]) for x, at in zip(found.body.inputs, found.operands, strict=True))
        entering = {scope.names[x]: self.names[outer] for x, outer in outside if not self_contained(outer)}
        return Inside(found.kind, found.title, explanation, entering, leaving)

    def _given(self, node: Node, found: Moment) -> dict[Node, str]:
        """What the inputs of a body are called: what enters every step as it is has its name from outside."""
        given: dict[Node, str] = {}
        for i, (x, at) in enumerate(zip(found.body.inputs, found.operands, strict=True)):
            outer = node.inputs[at]
            formula = self.names.formula(outer)
            constant = i < found.constants and not self_contained(outer) and formula.level == ATOM
            given[x] = formula.text if constant else str(x.attrs["name"])
        return given

    def _explanation(
        self,
        edges: Sequence[Edge],
        sources: Sequence[EdgeSource],
        totals: Mapping[Node, Array],
        tangents: Mapping[Node, Array],
        inside: Mapping[Node, Inside],
        seeds: dict[str, Array],
    ) -> Explanation:
        steps = []
        shown = [x for x in self.order if x.results is None and not self_contained(x)]
        for node in shown:
            made = maker(node)
            definition = self.names.definition(node) if node.inputs else Formula("", "")
            within = inside.get(made) if node.op is OUTPUT and self._results[made][0] is node else None
            value = as_array(self.env[node], node)
            steps.append(
                Step(
                    self.names[node],
                    definition.text,
                    value,
                    tangents.get(node),
                    tuple(dict.fromkeys(self.names[x] for x in operands_of(made) if not self_contained(x))),
                    "" if node.line is None or not node.inputs else str(node.line),
                    made.line.call.path if isinstance(made.line, CalledLine) and node.inputs else (),
                    (self.names.formula(node).latex, definition.latex),
                    within,
                )
            )
        symbol = self.symbol.text if self.symbol is not None else self.names[self.graph.outputs[0]]
        outputs = tuple(self.names[x] for x in self.graph.outputs)
        written = {self.names[x]: self._derivative(x) for x in totals}
        return Explanation(
            self.settings.mode,
            self.settings.title,
            outputs[0],
            outputs,
            symbol,
            seeds,
            tuple(steps),
            tuple(edges),
            {self.names[x]: total for x, total in totals.items()},
            {name: (formula.text, formula.latex) for name, formula in written.items()},
            Sources(
                tuple(shown),
                tuple(sources),
                self.body,
                tuple(self.graph.outputs),
                self._results,
                self.settings.step,
            ),
        )


def _added(node: Node, product: Array, mask: Mask | None, totals: dict[Node, Array], masks: dict[Node, Mask]) -> Array:
    """The derivative of a node with one more contribution, which may be zero by structure in places."""
    if node not in totals:
        totals[node] = product
        if mask is not None:
            masks[node] = mask
    else:
        with np.errstate(all="ignore"):  # as in all evaluations: inf - inf is nan
            totals[node] = np.asarray(totals[node] + product)
        if mask is None:
            masks.pop(node, None)
        elif node in masks:
            masks[node] = masks[node] | mask
    return totals[node]
