"""Passes over the loops of a graph: loops that repeat one another merged, unused parts dropped, bodies optimised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..graph.construction import make
from ..graph.graph import Graph
from ..graph.loop import Loop
from ..graph.node import Node
from ..graph.rewriting import rewrite, substitute
from ..graph.traversal import walk
from ..ops.control import branch as BRANCH
from ..ops.leaves import output_row as OUTPUT
from . import rules_branch
from .rule_helpers import same
from .rules_scan import needed, smaller

#: Where a merged scan's results are found: the scan that takes its place, and its results' positions there.
Alias = dict[Node, tuple[Node, list[int]]]


# --- dead parts ------------------------------------------------------------------------------------------------------


def dropped(order: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """`outputs` with each loop and branch made smaller: see `rules_scan.smaller` and `rules_branch.smaller`."""
    live, used = _live(outputs, order)

    def visit(node: Node, inputs: tuple[Node, ...]) -> dict[int, Node] | None:
        # operands that only unused results ask for are not rewritten, and go with them
        if node.op.loop:
            return smaller(Loop.of(node).with_operands(inputs), used[node])
        return rules_branch.smaller(inputs, node.attrs, used[node]) if node.op.branch else None

    return rewrite(outputs, visit, order=[node for node in order if node in live])


def _live(outputs: Sequence[Node], order: Sequence[Node]) -> tuple[set[Node], dict[Node, set[int]]]:
    """What `outputs` depend on, dead parts of loops and branches left out, and of these the positions of the results
    that are asked for."""
    live = set(outputs)
    used: dict[Node, set[int]] = {}
    for node in reversed(order):
        if node not in live:
            continue
        if node.op is OUTPUT:
            live.add(node.inputs[0])
            used.setdefault(node.inputs[0], set()).add(node.attrs["index"])
        elif node.op.loop:
            loop = Loop.of(node)
            if loop.count is not None:
                live.add(loop.count)
            _, _, alive = needed(loop, used[node])
            live.update(operand for operand, inside in zip(loop.operands, loop.inputs, strict=True) if inside in alive)
        elif node.op.branch:
            live.update(rules_branch.needed(node, used[node]))
        else:
            live.update(node.inputs)
    return live, used


# --- merging ---------------------------------------------------------------------------------------------------------


def merged(order: Sequence[Node], outputs: Sequence[Node], levels: Mapping[Node, int]) -> Sequence[Node]:
    """`outputs` with each loop whose work another one does as well replaced by that one.

    A derivative builds its own, wider copy of the primal loop (one that stacks more, or that carries tangents too);
    here the primal loop's results are taken from the copy. No loop is replaced by one of another level, so that what
    is known early does not come to depend on inputs that are known late.

    Args:
        order: what `outputs` are made of, operands first.
        outputs: expressions.
        levels: the level of each input; those not given have level 0.
    """
    while True:
        before = outputs
        for merge in (_merge_equal, _merge_included):
            loops = [(node, Loop.of(node)) for node in order if node.op.loop]
            if len(loops) < 2:
                return outputs
            after = merge(loops, order, outputs, levels)
            if not same(after, outputs):
                outputs, order = after, walk(after)
        if same(outputs, before):
            return outputs


def _merge_equal(
    loops: Sequence[tuple[Node, Loop]], order: Sequence[Node], outputs: Sequence[Node], levels: Mapping[Node, int]
) -> Sequence[Node]:
    """Loops of equal operands and carries merged: one that stacks what each of them stacks."""
    groups: dict[object, list[tuple[Node, Loop]]] = {}
    alias: Alias = {}
    for node, loop in loops:
        key = (loop.operands, len(loop.consts), len(loop.init))
        found = groups.setdefault(key, [])
        for position, (target, wide) in enumerate(found):
            if not loop.like(wide):
                continue
            moved = loop.with_expressions(
                substitute(loop.expressions, dict(zip(loop.inputs, wide.inputs, strict=True)))
            )
            if same(moved.carry_outputs, wide.carry_outputs) and moved.condition is wide.condition:
                wide, places = _widened(wide, moved.outputs, range(len(loop.init)))
                found[position] = (target, wide)
                alias[node] = (target, places)
                break
        else:
            found.append((node, loop))
    if not alias:
        return outputs
    after = _order(outputs, alias)
    assert after is not None, "loops of equal operands do not depend on one another"
    return _replaced(outputs, after, alias, {target: wide for found in groups.values() for target, wide in found})


def _widened(wide: Loop, results: Sequence[Node], carries: Sequence[int]) -> tuple[Loop, list[int]]:
    """`wide` with the ys among `results` that it lacks, and where each of `results` is found; carries are given."""
    n_carry = len(wide.init)
    ys = list(wide.y_outputs)
    place = {node: n_carry + j for j, node in reversed(list(enumerate(ys)))}
    for node in results[len(carries) :]:
        if node not in place:
            place[node] = n_carry + len(ys)
            ys.append(node)
    return replace(wide, y_outputs=tuple(ys)), [*carries, *(place[node] for node in results[len(carries) :])]


def _merge_included(
    loops: Sequence[tuple[Node, Loop]], order: Sequence[Node], outputs: Sequence[Node], levels: Mapping[Node, int]
) -> Sequence[Node]:
    """Loops whose operands and carries are among those of a larger loop replaced by that one."""
    by_operand: dict[Node, list[int]] = {}
    for index, (node, _) in enumerate(loops):
        for operand in dict.fromkeys(node.inputs):
            by_operand.setdefault(operand, []).append(index)
    level = levels_of(order, levels)
    alias: Alias = {}
    wide_loops: dict[Node, Loop] = {}
    for node, loop in loops:
        if not node.inputs or node in wide_loops:
            continue
        for index in by_operand[min(node.inputs, key=lambda operand: len(by_operand[operand]))]:
            target, wide = loops[index]
            if target is node or target in alias or level[target] != level[node]:
                continue
            included = _included(loop, wide_loops.get(target, wide))
            if included is None:
                continue
            after = _order(outputs, {**alias, node: (target, included[1])})
            if after is not None:
                order = after
                alias[node] = (target, included[1])
                wide_loops[target] = included[0]
                break
    return _replaced(outputs, order, alias, wide_loops) if alias else outputs


def _included(loop: Loop, wide: Loop) -> tuple[Loop, list[int]] | None:
    """`wide`, with further ys if need be, as a replacement for `loop`; None where it does not do the same work."""
    if not loop.like(wide) or len(loop.operands) >= len(wide.operands):
        return None
    given: dict[Node, Node] = {}
    carries: list[int] = []
    for small, small_inputs, large, large_inputs in (
        (loop.consts, loop.const_inputs, wide.consts, wide.const_inputs),
        (loop.init, loop.carry_inputs, wide.init, wide.carry_inputs),
        (loop.xs, loop.x_inputs, wide.xs, wide.x_inputs),
    ):
        free = list(range(len(large)))
        for operand, inside in zip(small, small_inputs, strict=True):
            place = next((i for i in free if large[i] is operand), None)
            if place is None:
                return None
            free.remove(place)
            given[inside] = large_inputs[place]
            if small is loop.init:
                carries.append(place)
    moved = loop.with_expressions(substitute(loop.expressions, given))
    if moved.condition is not wide.condition:
        return None
    if any(moved.carry_outputs[k] is not wide.carry_outputs[place] for k, place in enumerate(carries)):
        return None
    return _widened(wide, moved.outputs, carries)


def levels_of(order: Iterable[Node], levels: Mapping[Node, int]) -> dict[Node, int]:
    """The level of each node of `order`, which comes after its operands: the highest of the inputs it depends on."""
    level: dict[Node, int] = {}
    for node in order:
        level[node] = max((level[operand] for operand in node.inputs), default=levels.get(node, 0))
    return level


def _order(outputs: Sequence[Node], alias: Alias) -> list[Node] | None:
    """All nodes with the scans of `alias` replaced, operands first; None if that makes a cycle."""

    def operands(node: Node) -> tuple[Node, ...]:
        return (alias[node.inputs[0]][0],) if node.op is OUTPUT and node.inputs[0] in alias else node.inputs

    order = walk(outputs, operands=operands)
    place = {node: at for at, node in enumerate(order)}
    return None if any(place[x] > at for at, node in enumerate(order) for x in operands(node)) else order


def _replaced(
    outputs: Sequence[Node], order: Sequence[Node], alias: Alias, wide_loops: Mapping[Node, Loop]
) -> list[Node]:
    """`outputs` with the scans of `alias` replaced by those of `wide_loops`."""
    built: dict[Node, list[Node]] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | list[Node] | None:
        if node in wide_loops:
            built[node] = wide_loops[node].with_operands(inputs).build()
            return built[node]
        if node.op is OUTPUT and node.inputs[0] in alias:
            (target, places), index = alias[node.inputs[0]], int(node.attrs["index"])
            return built[target][places[index]]
        return None

    return rewrite(outputs, visit, order=order)


# --- bodies ----------------------------------------------------------------------------------------------------------


def with_bodies(
    order: Sequence[Node], outputs: Sequence[Node], optimised: Callable[[Graph], Sequence[Node]]
) -> list[Node]:
    """`outputs` with the bodies of each loop and branch replaced by what `optimised` makes of them."""

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | list[Node] | None:
        if node.op.loop:
            loop = Loop.of(node).with_operands(inputs)
            better = optimised(Graph.from_parts(loop.inputs, loop.expressions, name=loop.name))
            return None if same(better, loop.expressions) else loop.with_expressions(better).build()
        if node.op.branch:
            bodies = []
            for body in node.attrs["bodies"]:
                better = optimised(body)
                bodies.append(
                    body if same(better, body.outputs) else Graph.from_parts(body.inputs, better, name=body.name)
                )
            return make(BRANCH, inputs, {**node.attrs, "bodies": tuple(bodies)})
        return None

    return rewrite(outputs, visit, order=order)
