"""The rewrite engine: rules keyed by op, applied bottom-up in one linear sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..graph.construction import make
from ..graph.node import Node
from ..graph.source import attributed
from ..ops.row import Op, lookup
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

    def on(self, *names: str) -> Callable[[Rule], Rule]:
        """A decorator that adds a rule for the ops called `names`."""

        def add(rule: Rule) -> Rule:
            self.extend(map(lookup, names), rule)
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

    def run(self, nodes: Iterable[Node]) -> dict[Node, Node]:
        """The rewritten form of each of `nodes`, which come after their operands."""
        done, rules = self._done, self._rules
        for node in nodes:
            current = node
            for operand in node.inputs:
                if done[operand] is not operand:
                    current = make(node.op, tuple([done[x] for x in node.inputs]), node.attrs, node.line)
                    break
            if node.op in rules and current not in done:
                with attributed(node.line):
                    done[node] = self._rewrite(current)
            else:
                done[node] = done.get(current, current)
            done.setdefault(done[node], done[node])
        return done

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
                node = make(node.op, tuple([self._clean(operand) for operand in node.inputs]), node.attrs, node.line)
                if node in self._done:
                    node = self._done[node]
                    break
        self._done[start] = node
        return self._done.setdefault(node, node)

    def _clean(self, node: Node) -> Node:
        """The rewritten form of an operand that a rule has built."""
        if node in self._done:
            return self._done[node]
        inputs = tuple([self._clean(operand) for operand in node.inputs])
        changed = any(new is not old for new, old in zip(inputs, node.inputs, strict=True))
        rebuilt = make(node.op, inputs, node.attrs, node.line) if changed else node
        self._done[node] = self._rewrite(rebuilt)
        return self._done[node]

    def _apply(self, node: Node) -> Node | None:
        for rule in self._rules.get(node.op, ()):
            better = rule(node)
            if better is not None and better is not node:
                log.rule(rule.__name__, node, better)
                return better
        return None


def sweep(nodes: Sequence[Node], outputs: Sequence[Node], rules: RuleSet) -> Sequence[Node]:
    """`outputs`, made of `nodes` in topological order, rewritten by `rules`."""
    if not any(node.op in rules.by_op for node in nodes):
        return outputs
    done = Sweep(rules).run(nodes)
    return [done[node] for node in outputs]
