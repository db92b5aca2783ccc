"""The passes of the optimiser, in the order in which they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from ..graph.graph import Graph, unified
from ..graph.interning import interning
from ..graph.node import Node
from ..graph.traversal import walk
from ..graph.verify import check_enabled, verify
from . import (
    log,
    loop_passes,
    merge_branches,
    rules_arith,
    rules_count,
    rules_finite,
    rules_matmul,
    rules_shape,
    speculate,
)
from .engine import RuleSet, sweep
from .rule_helpers import same

#: A graph to equal outputs; given the level of each input (see `optimize`) and the depth of the loop it is in.
Pass = Callable[[Graph, Mapping[Node, int], int], Sequence[Node]]

SIMPLIFY = RuleSet(rules_arith.FIRST, rules_arith.RULES, rules_shape.RULES, rules_count.RULES)
#: The same for numbers that are finite.
SIMPLIFY_FINITE = RuleSet(
    rules_arith.FIRST, rules_finite.RULES, rules_arith.RULES, rules_shape.RULES, rules_count.RULES
)
PRODUCTS = RuleSet(rules_matmul.RULES)


def simplify(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """Constants are folded, and all exact rules of algebra and structure applied."""
    return sweep(graph.nodes, graph.outputs, SIMPLIFY)


def simplify_finite(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """The same, and what holds of finite numbers."""
    return sweep(graph.nodes, graph.outputs, SIMPLIFY_FINITE)


def products(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """Transposes become flags of matrix products, and batches of products that share an operand one product."""
    if PRODUCTS.by_op.keys().isdisjoint(graph.ops):
        return graph.outputs
    outputs = sweep(graph.nodes, graph.outputs, PRODUCTS)
    nodes = _nodes(graph, outputs)
    after = rules_matmul.summed(nodes, outputs)
    return rules_matmul.turned(nodes if same(after, outputs) else walk(after), after)


def merge_loops(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """Loops and branches that another one repeats are replaced by it."""
    if not _has_loops(graph):
        return graph.outputs
    outputs = loop_passes.merged(graph.nodes, graph.outputs, levels)
    return merge_branches.merged(_nodes(graph, outputs), outputs, levels)


def shrink_loops(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """Unused results, carries and operands of loops and branches are dropped; loop-invariant work is moved out."""
    return loop_passes.dropped(graph.nodes, graph.outputs) if _has_loops(graph) else graph.outputs


def loop_bodies(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """All passes run on the bodies of each loop and branch."""
    if not _has_loops(graph):
        return graph.outputs
    return _bodies(graph, depth, PASSES)


def loop_bodies_finite(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """The same with the passes for finite numbers."""
    return _bodies(graph, depth, FINITE) if _has_loops(graph) else graph.outputs


def loop_bodies_checked(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """The same with the passes for `check_finite`."""
    return _bodies(graph, depth, CHECKED) if _has_loops(graph) else graph.outputs


def _bodies(graph: Graph, depth: int, passes: Sequence[Pass]) -> Sequence[Node]:
    known: dict[tuple[Node, ...], Sequence[Node]] = {}

    def optimised(body: Graph) -> Sequence[Node]:
        if body.outputs not in known:
            known[body.outputs] = run(body, {}, depth + 1, passes).outputs
        return known[body.outputs]

    return loop_passes.with_bodies(graph.nodes, graph.outputs, optimised)


def flatten_branches(graph: Graph, levels: Mapping[Node, int], depth: int) -> Sequence[Node]:
    """Small branches become selects, and selects that another one decides are left out."""
    if not speculate.applies(graph.ops):
        return graph.outputs
    outputs = speculate.flattened(graph.nodes, graph.outputs)
    return speculate.settled(_nodes(graph, outputs), outputs)


def _nodes(graph: Graph, outputs: Sequence[Node]) -> Sequence[Node]:
    """What `outputs` are made of, operands first; those of the graph where they are its own."""
    return graph.nodes if same(outputs, graph.outputs) else walk(outputs)


def _has_loops(graph: Graph) -> bool:
    return graph.height > 0


#: Equal expressions are one node since they were made, and nodes that no output needs are never visited: what other
#: compilers call common subexpression and dead code elimination needs no pass, except inside and between loops.
PASSES: tuple[Pass, ...] = (
    simplify,
    products,
    merge_loops,
    shrink_loops,
    loop_bodies,
    flatten_branches,
    simplify,
    shrink_loops,
    products,
)
#: The passes for programs that look for inf and nan: nothing is computed that is not asked for.
CHECKED: tuple[Pass, ...] = tuple(
    loop_bodies_checked if step is loop_bodies else step for step in PASSES if step is not flatten_branches
)
#: The passes for numbers that are finite.
_FOR_FINITE: Mapping[Pass, Pass] = {simplify: simplify_finite, loop_bodies: loop_bodies_finite}
FINITE: tuple[Pass, ...] = tuple(_FOR_FINITE.get(step, step) for step in PASSES)


def optimize(
    graph: Graph, levels: Sequence[int] | None = None, *, check_finite: bool = False, assume_finite: bool = False
) -> Graph:
    """A graph that computes the same values, bit for bit, with less work.

    Args:
        graph: any closed graph.
        levels: for each input the segment of a program in which it becomes known (`JointGraph.levels`); loops of
            different levels are not merged. By default all are known from the start.
        check_finite: compute nothing that is not asked for, since all that is computed will be looked at.
        assume_finite: no value is inf or nan, and the sign of a zero does not count: x * 0 is 0, and x + 0 is x.

    Example:
        >>> x = pg.var("x", (3,))
        >>> len(optimize(pg.Graph([x], -(-x) * 1.0)).nodes)
        1
    """
    known = {} if levels is None else dict(zip(graph.inputs, levels, strict=True))
    with interning():
        graph = unified(graph) if _has_loops(graph) else graph  # without bodies the first pass does so
        return run(graph, known, 0, CHECKED if check_finite else FINITE if assume_finite else PASSES)


def run(graph: Graph, levels: Mapping[Node, int], depth: int, passes: Sequence[Pass]) -> Graph:
    """All passes over one graph, each timed and logged, and verified under PYGRAPH_CHECK=1."""
    begin = time.perf_counter()
    first, level, checks = graph, log.start(depth), check_enabled()
    settled: dict[Pass, tuple[Node, ...]] = {}  # what a pass made last: it would not change that again
    for step in passes:
        if step in settled and same(settled[step], graph.outputs):
            continue
        start = time.perf_counter()
        outputs = tuple(step(graph, levels, depth))
        log.resume(level, depth)
        settled[step] = outputs
        after = graph
        if not same(outputs, graph.outputs):
            after = Graph.from_parts(graph.inputs, outputs, graph.output_tree, graph.input_tree, graph.name)
        log.passed(step.__name__, time.perf_counter() - start, graph, after)
        if checks and (after is not graph or step is passes[0]):
            verify(after, "optimised")
        graph = after
    log.finished(first, graph, time.perf_counter() - begin)
    return graph
