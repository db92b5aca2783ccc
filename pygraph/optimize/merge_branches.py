"""Branches of one choice merged: where a derivative's branch computes what the primal one does, one of them runs.

A branch goes to another one of the same index, whose operands include its own: the bodies of that one give the results
of both, and what these have in common is one node there. Results of the first that are operands of the second are not
handed over any more. Branches marked with `recompute` only go where all their results are given already, so that what
is to be recomputed stays apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..graph.construction import make
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.rewriting import rewrite, substitute
from ..graph.traversal import walk
from ..ops.control import branch as BRANCH
from ..ops.leaves import output_row as OUTPUT
from .loop_passes import levels_of

#: How many nodes are looked at to find that one branch does not depend on another; what takes more stays as it is.
SEARCH = 1000


class _Wide:
    """A branch that takes others in: its operands, each body's inputs for them, and its results in each body."""

    def __init__(self, node: Node) -> None:
        bodies: Sequence[Graph] = node.attrs["bodies"]
        self.node = node
        self.operands = node.inputs[1:]
        self.slots = [body.inputs for body in bodies]
        self.outputs = [list(body.outputs) for body in bodies]

    def take(self, node: Node) -> list[int] | None:
        """Where the results of `node` are found, after adding those that are not there; None where that may not be."""
        moved = []
        for body, slots in zip(node.attrs["bodies"], self.slots, strict=True):
            slot = dict(zip(reversed(self.operands), reversed(slots), strict=True))
            given = {inside: slot[x] for inside, x in zip(body.inputs, node.inputs[1:], strict=True)}
            moved.append(substitute(body.outputs, given))
        if not node.attrs.get("recompute", False):
            self._inline(node, moved)
        columns = list(zip(*self.outputs, strict=True))
        known = {column: place for place, column in reversed(list(enumerate(columns)))}
        wanted = list(zip(*moved, strict=True))
        for column in wanted:
            if column not in known:
                if node.attrs.get("recompute", False):
                    return None
                known[column] = len(self.outputs[0])
                for found, x in zip(self.outputs, column, strict=True):
                    found.append(x)
        return [known[column] for column in wanted]

    def _inline(self, node: Node, moved: Sequence[Sequence[Node]]) -> None:
        """Have no operands that are results of `node`, which are `moved` in the bodies."""
        inner = {at: x.attrs["index"] for at, x in enumerate(self.operands) if x.op is OUTPUT and x.inputs[0] is node}
        if not inner:
            return
        for body, (slots, found) in enumerate(zip(self.slots, moved, strict=True)):
            self.outputs[body] = substitute(self.outputs[body], {slots[at]: found[k] for at, k in inner.items()})
        rest = [at for at in range(len(self.operands)) if at not in inner]
        self.operands = tuple(self.operands[at] for at in rest)
        self.slots = [tuple(slots[at] for at in rest) for slots in self.slots]

    def build(self, done: Mapping[Node, Node]) -> Node:
        """The branch, on what its operands are now."""
        bodies = tuple(
            Graph.from_parts(slots, outputs, name=body.name)
            for slots, outputs, body in zip(self.slots, self.outputs, self.node.attrs["bodies"], strict=True)
        )
        operands = [done[x] for x in (self.node.inputs[0], *self.operands)]
        return make(BRANCH, operands, {**self.node.attrs, "bodies": bodies})


#: For a branch that is replaced: the one that takes its place, and where its results are found there.
_Alias = dict[Node, tuple[_Wide, list[int]]]


def merged(order: Sequence[Node], outputs: Sequence[Node], levels: Mapping[Node, int]) -> Sequence[Node]:
    """`outputs` with branches merged, unless one of them depends on the other, or is known at another level.

    Args:
        order: what `outputs` are made of, operands first.
        outputs: expressions.
        levels: the level of each input; those not given have level 0.
    """
    for equal in (True, False):
        branches = [node for node in order if node.op.branch]
        if len(branches) < 2:
            break
        level = levels_of(order, levels)
        number = {node: at for at, node in enumerate(order)}
        alias: _Alias = {}
        for group in _groups(branches, level, equal):
            alias.update(_aliases(group, number))
        if alias:
            outputs = _replaced(outputs, alias)
            order = walk(outputs)
    return outputs


def _groups(branches: Sequence[Node], level: Mapping[Node, int], equal: bool) -> list[list[Node]]:
    """Branches of the same choice and level; of the same operands, too, if they are to be `equal`."""
    groups: dict[object, list[Node]] = {}
    for node in branches:
        attrs = node.attrs
        key = node.inputs[0], level[node], len(attrs["bodies"]), attrs.get("recompute", False)
        groups.setdefault((*key, frozenset(node.inputs[1:]) if equal else None), []).append(node)
    return [group for group in groups.values() if len(group) > 1]


def _aliases(group: Sequence[Node], number: Mapping[Node, int]) -> _Alias:
    """Which branches of a group others may take the place of: those with the most operands and results stay."""
    alias: _Alias = {}
    by_operand: dict[Node, list[_Wide]] = {}
    for node in sorted(group, key=lambda node: (-len(set(node.inputs)), -len(node.attrs["bodies"][0].outputs))):
        operands = dict.fromkeys(node.inputs[1:])
        known = [by_operand.get(x, []) for x in operands]
        for wide in min(known, key=len, default=[]):
            if set(wide.operands).issuperset(operands) and _apart(wide, node, number):
                places = wide.take(node)
                if places is not None:
                    alias[node] = wide, places
                    break
        else:
            wide = _Wide(node)
            for x in operands:
                by_operand.setdefault(x, []).append(wide)
    return alias


def _apart(wide: _Wide, node: Node, number: Mapping[Node, int]) -> bool:
    """Whether no operand of `wide` depends on `node`, results of `node` itself left out; False also in doubt."""
    looked_at: list[Node] = []

    def later(x: Node) -> Sequence[Node]:
        if number[x] <= number[node] or len(looked_at) == SEARCH:
            return ()
        looked_at.append(x)
        return x.inputs

    others = [x for x in wide.operands if not (x.op is OUTPUT and x.inputs[0] is node)]
    return node not in set(walk(others, operands=later)) and len(looked_at) < SEARCH


def _replaced(outputs: Sequence[Node], alias: _Alias) -> list[Node]:
    """`outputs` with results taken as `alias` says, which is given up where it would make a cycle."""
    targets = {wide.node: wide for wide, _ in alias.values()}

    def operands(node: Node) -> Sequence[Node]:
        if node.op is OUTPUT and node.inputs[0] in alias:
            return (alias[node.inputs[0]][0].node,)
        return (node.inputs[0], *targets[node].operands) if node in targets else node.inputs

    order = walk(outputs, operands=operands)
    while _without_cycles(order, operands, alias):
        order = walk(outputs, operands=operands)
    done: dict[Node, Node] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        if node.op is OUTPUT and node.inputs[0] in alias:
            wide, places = alias[node.inputs[0]]
            return make(OUTPUT, (done[wide.node],), {"index": places[node.attrs["index"]]})
        return targets[node].build(done) if node in targets else None

    return rewrite(outputs, visit, done, order=order)


def _without_cycles(order: Sequence[Node], operands: Callable[[Node], Sequence[Node]], alias: _Alias) -> bool:
    """Give up what makes cycles in a graph; whether there was one.

    Where a node comes before one of its operands in the `order` of a search, that operand was under way when the search
    came to it: it leads to all that comes between the two. So what leads to the node there lies on a cycle.
    """
    place = {node: at for at, node in enumerate(order)}
    found = False
    for at, node in enumerate(order):
        end = max((place.get(x, at) for x in operands(node)), default=at)
        circle: set[Node] = set()
        for x in order[at : end + 1]:
            if x is node or not circle.isdisjoint(operands(x)):
                circle.add(x)
                if x.op is OUTPUT and x.inputs[0] in alias:  # without it there would be no cycle
                    del alias[x.inputs[0]]
                    found = True
                    break
    return found
