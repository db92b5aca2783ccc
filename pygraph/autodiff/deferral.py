"""Transformations of functions that are recorded as nodes, and written out once it is known by which plan.

A function that is to keep to a budget of memory is traced before a plan of what its derivatives recompute is chosen.
Meanwhile `transformed` records a derivative or a batch as one node, and `written_out` puts in the place of such nodes
what the transformations make under a plan: from one trace, for as many plans as are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..graph.construction import make, outputs_of
from ..graph.graph import Graph, bodies_of
from ..graph.loop import Loop
from ..graph.node import Node, Result
from ..graph.record_branch import capture
from ..graph.record_scan import close_over
from ..graph.record_while import close_step
from ..graph.rewriting import rewrite, substitute
from ..graph.trace_context import UNDECIDED, current, entered
from ..graph.traversal import walk
from ..ops.leaves import deferred_row as DEFERRED, input_row as INPUT, output_row as OUTPUT
from ..ops.row import Family
from .checkpoint_plan import Applied, rewritten

#: rule(outputs, operands) -> results: `outputs` of a recorded function, in terms of variables that the rule knows.
Rule = Callable[[Sequence[Node], Sequence[Node]], Sequence[Node]]


class Recorded:
    """A function recorded on variables, of which several transformations may be taken.

    Attributes:
        outputs: in terms of the variables, and of what the function closes over.
        variables: what it is differentiated by.
        planned: whether it is differentiated, so that a plan of what is recomputed changes it.
    """

    __slots__ = ("outputs", "planned", "variables")

    def __init__(self, outputs: Sequence[Node], variables: Sequence[Node], planned: bool) -> None:
        self.outputs, self.variables, self.planned = tuple(outputs), tuple(variables), planned

    def closure(self) -> list[Node]:
        """What it closes over: variables, and expressions that were there before the body that is being recorded."""
        own, watching = set(self.variables), current().watching
        if watching:
            return list(capture(self.outputs, watching[-1], own, "transformation"))
        return [node for node in walk(self.outputs) if node.op is INPUT and node not in own]

    def under(self, applied: Applied, places: Mapping[Node, Node]) -> Sequence[Node]:
        """The outputs by a plan, with `places` for what the function closes over."""
        key = (self, *places.values())
        found = applied.made.get(key)
        if found is None:
            found = written_out(substitute(self.outputs, places), applied)
            found = rewritten(found, self.variables, applied) if self.planned else found
            applied.made[key] = found
        return found


class Deferred:
    """A transformation of a recorded function: what a node of row `deferred` stands for.

    Attributes:
        recorded: the function.
        rule: what is made of it.
        operands: of the rule, as they were recorded; in a node, those that stand for the closure follow them.
        closure: what the function closes over, as it was recorded.
        kept: the numbers of the results that the node has: those that are not constants or operands.
        plain: these results where nothing is recomputed, in terms of the operands and the closure.
        types: of the same.
    """

    __slots__ = ("closure", "kept", "operands", "plain", "recorded", "rule", "types")

    def __init__(self, recorded: Recorded, rule: Rule, operands: Sequence[Node], plain: Sequence[Node]) -> None:
        self.recorded, self.rule, self.operands = recorded, rule, tuple(operands)
        self.closure = tuple(recorded.closure())
        own = set(operands)
        self.kept = [i for i, x in enumerate(plain) if not (x in own or _is_leaf(x))]
        self.plain = tuple(plain[i] for i in self.kept)
        self.types: tuple[Result, ...] = tuple((x.shape, x.dtype) for x in self.plain)

    def results(self, given: Sequence[Node], applied: Applied | None) -> list[Node]:
        """The results for the operands of a node."""
        count = len(self.operands)
        places = dict(zip(self.closure, given[count:], strict=True))
        if applied is None or applied.plan.empty:
            return substitute(self.plain, places | dict(zip(self.operands, given[:count], strict=True)))
        outputs = self.recorded.under(applied, places)
        with entered(plan=applied):  # for what the rule records, where a derivative is given for a value
            found = self.rule(outputs, given[:count])
        return [found[i] for i in self.kept]


def _is_leaf(node: Node) -> bool:
    return node.op.family is Family.LEAF and node.op is not OUTPUT


def transformed(
    rule: Rule, outputs: Sequence[Node], variables: Sequence[Node], operands: Sequence[Node], *, planned: bool = True
) -> list[Node]:
    """`rule(outputs, operands)`, or results of a node that stands for that until a plan is known.

    Args:
        rule: makes expressions of the outputs of a function and of operands, in terms of the operands.
        outputs: of the function, in terms of `variables` and of what it closes over.
        variables: of the function.
        operands: what the results are to depend on, expressions.
        planned: whether a plan of what is recomputed changes the function.
    """
    if current().plan is not UNDECIDED or not (planned or holds_deferred(outputs)):
        return list(rule(outputs, operands))
    with entered(plan=None):
        results = list(rule(written_out(outputs), operands))
    deferred = Deferred(Recorded(outputs, variables, planned), rule, operands, results)
    if deferred.kept:
        made = outputs_of(make(DEFERRED, (*operands, *deferred.closure), {"rule": deferred}))
        for i, node in zip(deferred.kept, made, strict=True):
            results[i] = node
    return results


def holds_deferred(outputs: Sequence[Node]) -> bool:
    """Whether there is anything to write out."""
    return any(map(_is_deferred, walk(outputs)))


def _is_deferred(node: Node) -> bool:
    if node.results is None:  # only what has several results has bodies
        return False
    return node.op is DEFERRED or any(map(_is_deferred, (x for body in bodies_of(node) for x in body.nodes)))


def written_graph(graph: Graph, applied: Applied | None = None) -> Graph:
    """`graph` with all written out; itself where there is nothing."""
    if all(op.results is None for op in graph.ops) or not any(map(_is_deferred, graph.nodes)):
        return graph
    outputs = written_out(graph.outputs, applied)
    return Graph.from_parts(graph.inputs, outputs, graph.output_tree, graph.input_tree, graph.name)


def written_out(outputs: Sequence[Node], applied: Applied | None = None) -> list[Node]:
    """`outputs` with what deferred transformations make under a plan in their place, also inside of loops and branches.

    What a body closes over afterwards is computed outside of it, as if it had been recorded so.
    """
    return rewrite(outputs, lambda node, inputs: _written(node, inputs, applied) if _is_deferred(node) else None)


def _written(node: Node, inputs: Sequence[Node], applied: Applied | None) -> Sequence[Node]:
    """The results of a node that is, or holds, a transformation."""
    if node.op is DEFERRED:
        rule: Deferred = node.attrs["rule"]
        return rule.results(inputs, applied)
    if not node.op.loop:
        attrs = {key: _with_bodies(value, applied) for key, value in node.attrs.items()}
        return outputs_of(make(node.op, inputs, attrs))
    loop = Loop.of(node).with_operands(inputs)
    inside = substitute(loop.expressions, dict(zip(loop.const_inputs, loop.consts, strict=True)))
    inside = written_out(inside, applied)
    variables = (*loop.carry_inputs, *loop.x_inputs)
    if loop.condition is None:
        inside, const_inputs, consts = close_over(inside, variables)
    else:
        before = set(walk(loop.operands))
        asked = {x for x in walk(inside) if x not in before}
        inside, const_inputs, consts = close_step(inside, variables, loop.init, asked, loop.name)
    return replace(loop.with_expressions(inside), consts=tuple(consts), const_inputs=tuple(const_inputs)).build()


def _with_bodies(value: object, applied: Applied | None) -> object:
    """An attribute, with what bodies hold written out."""
    if isinstance(value, tuple):
        return tuple(_with_bodies(x, applied) for x in value)
    if isinstance(value, Graph):
        return Graph.from_parts(value.inputs, written_out(value.outputs, applied), name=value.name)
    return value
