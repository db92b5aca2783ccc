"""The rewrite engine: rules keyed by op, applied bottom-up in one linear sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..graph.node import Node
from ..graph.rewriting import rebuilt, rewrite
from ..ops.row import Op
from . import log

#: A rule looks at one node and gives an equal one that is simpler, or None.
Rule = Callable[[Node], Node | None]
#: Rewrites of one node in a row before the engine gives up; reached only by rules that undo each other.
LIMIT = 64


class RuleSet:
    """Rules by op, in the order in which they are tried."""

    def __init__(self, *parts: RuleSet) -> None:
        self.by_op: dict[Op, list[Rule]] = {}
        for part in parts:
            for op, rules in part.by_op.items():
                self.by_op.setdefault(op, []).extend(rules)

    def on(self, *ops: Op) -> Callable[[Rule], Rule]:
        """A decorator that adds a rule for `ops`."""

        def add(rule: Rule) -> Rule:
            self.extend(ops, rule)
            return rule

        return add

    def extend(self, ops: Iterable[Op], rule: Rule) -> None:
        """Add a rule for each of `ops`."""
        for op in ops:
            self.by_op.setdefault(op, []).append(rule)


class Sweep:
    """One bottom-up pass: each node is rebuilt on its rewritten operands, then rewritten until no rule applies.

    What a rule builds is rewritten as well, so that one sweep suffices for rules that look at a node and what it is
    made of.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules: Mapping[Op, Sequence[Rule]] = rules.by_op
        self._done: dict[Node, Node] = {}

    def run(self, outputs: Sequence[Node], order: Iterable[Node] | None = None) -> list[Node]:
        """The rewritten form of `outputs`; `order` has what they are made of, operands first."""
        return rewrite(outputs, self._visit, self._done, order=order)

    def _visit(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        current = rebuilt(node, inputs)
        found = self._done.get(current)
        if found is None:
            found = self._rewrite(current) if node.op in self._rules else current
        self._done.setdefault(found, found)
        return found

    def _rewrite(self, node: Node) -> Node:
        """`node`, whose operands are rewritten, after all rules that apply; depth is that of what one rule builds."""
        start = node
        for _ in range(LIMIT):
            better = self._apply(node)
            if better is None:
                break
            node = better
            if node in self._done:
                node = self._done[node]
                break
            if any(operand not in self._done for operand in node.inputs):
                node = rebuilt(node, self.run(node.inputs))  # operands that the rule has built
                if node in self._done:
                    node = self._done[node]
                    break
        self._done[start] = node
        return self._done.setdefault(node, node)

    def _apply(self, node: Node) -> Node | None:
        for rule in self._rules.get(node.op, ()):
            better = rule(node)
            if better is not None and better is not node:
                log.rule(rule.__name__, node, better)
                return better
        return None


def sweep(nodes: Sequence[Node], outputs: Sequence[Node], rules: RuleSet) -> Sequence[Node]:
    """`outputs`, made of `nodes`, which come after their operands, rewritten by `rules`."""
    return Sweep(rules).run(outputs, nodes) if any(node.op in rules.by_op for node in nodes) else outputs
