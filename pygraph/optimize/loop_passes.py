"""Passes over the loops of a graph: loops that repeat one another merged, unused parts dropped, bodies optimised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..graph.construction import make, substitute, topological
from ..graph.graph import Graph
from ..graph.loop import BRANCH, LOOPS, OUTPUT, Loop
from ..graph.node import Node
from ..graph.source import attributed
from . import rules_branch
from .rule_helpers import rebuilt, same
from .rules_scan import needed, smaller

#: Where a merged scan's results are found: the scan that takes its place, and its results' positions there.
Alias = dict[Node, tuple[Node, list[int]]]


def all_loops(outputs: Iterable[Node]) -> list[Node]:
    """The loops that `outputs` depend on, each after those it depends on."""
    return [node for node in topological(outputs) if node.op in LOOPS]


# --- dead parts ------------------------------------------------------------------------------------------------------


def dropped(outputs: Sequence[Node]) -> list[Node]:
    """`outputs` with each loop and branch made smaller: see `rules_scan.smaller` and `rules_branch.smaller`."""
    order = topological(outputs)
    used = _used(outputs, order)
    done: dict[Node, Node] = {}
    results: dict[Node, dict[int, Node]] = {}
    for node in order:
        if node.op is OUTPUT:
            indices = results.get(node.inputs[0])
            if indices is not None and node.attrs["index"] in indices:
                done[node] = indices[node.attrs["index"]]
        elif node.op in LOOPS:
            if node in used:
                # operands that only unused results ask for have not been rebuilt, and go with them
                loop = Loop.of(node).with_operands([done.get(operand, operand) for operand in node.inputs])
                with attributed(node.line):
                    results[node] = smaller(loop, used[node])
        elif node.op is BRANCH:
            if node in used:
                operands = [done.get(operand, operand) for operand in node.inputs]
                with attributed(node.line):
                    results[node] = rules_branch.smaller(operands, node.attrs, used[node])
        elif all(operand in done for operand in node.inputs):
            done[node] = rebuilt(node, done)
    return [done[node] for node in outputs]


def _used(outputs: Sequence[Node], order: Sequence[Node]) -> dict[Node, set[int]]:
    """For each loop and branch the positions of the results that `outputs` depend on, dead parts of others left out."""
    live = set(outputs)
    used: dict[Node, set[int]] = {}
    for node in reversed(order):
        if node.op in LOOPS:
            if node in used:
                loop = Loop.of(node)
                if loop.count is not None:
                    live.add(loop.count)
                _, _, alive = needed(loop, used[node])
                live.update(
                    operand for operand, inside in zip(loop.operands, loop.inputs, strict=True) if inside in alive
                )
        elif node.op is BRANCH:
            if node in used:
                live.update(rules_branch.needed(node, used[node]))
        elif node in live:
            if node.op is OUTPUT:
                used.setdefault(node.inputs[0], set()).add(node.attrs["index"])
            else:
                live.update(node.inputs)
    return used


# --- merging ---------------------------------------------------------------------------------------------------------


def merged(outputs: Sequence[Node], levels: Mapping[Node, int]) -> list[Node]:
    """`outputs` with each loop whose work another one does as well replaced by that one.

    A derivative builds its own, wider copy of the primal loop (one that stacks more, or that carries tangents too);
    here the primal loop's results are taken from the copy. No loop is replaced by one of another level, so that what
    is known early does not come to depend on inputs that are known late.

    Args:
        outputs: expressions.
        levels: the level of each input; those not given have level 0.
    """
    current = list(outputs)
    while len(all_loops(current)) > 1:
        after = _merge_equal(current)
        after = _merge_included(after, levels)
        if same(after, current):
            break
        current = after
    return current


def _merge_equal(outputs: Sequence[Node]) -> list[Node]:
    """Loops of equal operands and carries merged: one that stacks what each of them stacks."""
    groups: dict[object, list[tuple[Node, Loop]]] = {}
    alias: Alias = {}
    for node in all_loops(outputs):
        loop = Loop.of(node)
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
        return list(outputs)
    wide_loops = {target: wide for found in groups.values() for target, wide in found}
    after = _replaced(outputs, alias, wide_loops)
    assert after is not None, "loops of equal operands do not depend on one another"
    return after


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


def _merge_included(outputs: Sequence[Node], levels: Mapping[Node, int]) -> list[Node]:
    """Loops whose operands and carries are among those of a larger loop replaced by that one."""
    found = [(node, Loop.of(node)) for node in all_loops(outputs)]
    by_operand: dict[Node, list[int]] = {}
    for index, (node, _) in enumerate(found):
        for operand in dict.fromkeys(node.inputs):
            by_operand.setdefault(operand, []).append(index)
    level = levels_of(topological(outputs), levels)
    alias: Alias = {}
    wide_loops: dict[Node, Loop] = {}
    current = list(outputs)
    for node, loop in found:
        if not node.inputs or node in wide_loops:
            continue
        for index in by_operand[min(node.inputs, key=lambda operand: len(by_operand[operand]))]:
            target, wide = found[index]
            if target is node or target in alias or level[target] != level[node]:
                continue
            included = _included(loop, wide_loops.get(target, wide))
            if included is None:
                continue
            tried = _replaced(outputs, {**alias, node: (target, included[1])}, {**wide_loops, target: included[0]})
            if tried is not None:
                alias[node] = (target, included[1])
                wide_loops[target] = included[0]
                current = tried
                break
    return current


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


def _replaced(outputs: Sequence[Node], alias: Alias, wide_loops: Mapping[Node, Loop]) -> list[Node] | None:
    """`outputs` with the scans of `alias` replaced by those of `wide_loops`; None if that makes a cycle."""
    done: dict[Node, Node] = {}
    built: dict[Node, list[Node]] = {}
    opened: set[Node] = set()
    stack = list(reversed(outputs))

    def operands(node: Node) -> tuple[Node, ...]:
        if node.op is OUTPUT and node.inputs[0] in alias:
            return (alias[node.inputs[0]][0],)
        return node.inputs

    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        pending = [operand for operand in operands(node) if operand not in done]
        if pending:
            if not opened.isdisjoint(pending):
                return None
            opened.add(node)
            stack.extend(reversed(pending))
            continue
        stack.pop()
        opened.discard(node)
        if node.op is OUTPUT and operands(node)[0] in built:
            index = node.attrs["index"]
            places = alias[node.inputs[0]][1] if node.inputs[0] in alias else None
            done[node] = built[operands(node)[0]][index if places is None else places[index]]
        elif node in wide_loops:
            done[node] = node
            with attributed(node.line):
                built[node] = wide_loops[node].with_operands([done[operand] for operand in node.inputs]).build()
        else:
            done[node] = rebuilt(node, done)
    return [done[node] for node in outputs]


# --- bodies ----------------------------------------------------------------------------------------------------------


def with_bodies(outputs: Sequence[Node], optimised: Callable[[Graph], Sequence[Node]]) -> list[Node]:
    """`outputs` with the bodies of each loop and branch replaced by what `optimised` makes of them."""
    done: dict[Node, Node] = {}
    for node in topological(outputs):
        node_now = rebuilt(node, done)
        if node.op in LOOPS:
            loop = Loop.of(node_now)
            better = optimised(Graph.from_parts(loop.inputs, loop.expressions, name=loop.name))
            if not same(better, loop.expressions):
                with attributed(node.line):
                    node_now = loop.with_expressions(better).build()[0].inputs[0]
        elif node.op is BRANCH:
            bodies = []
            for body in node_now.attrs["bodies"]:
                better = optimised(body)
                bodies.append(
                    body if same(better, body.outputs) else Graph.from_parts(body.inputs, better, name=body.name)
                )
            with attributed(node.line):
                node_now = make(BRANCH, node_now.inputs, {**node_now.attrs, "bodies": tuple(bodies)})
        done[node] = node_now
    return [done[node] for node in outputs]
