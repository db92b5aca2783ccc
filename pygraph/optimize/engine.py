"""The rewrite engine: rules keyed by op, applied bottom-up in one linear sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..graph.construction import remake
from ..graph.interning import known
from ..graph.node import Node
from ..graph.rewriting import rebuilt, rewrite
from ..ops.row import Op
from . import log

#: A rule looks at one node and gives an equal one that is simpler, or None.
Rule = Callable[[Node], Node | None]
#: Rewrites of one node in a row before the engine gives up; reached only by rules that undo each other.
LIMIT = 64


class Rules:
    """The rules of one op, in the order in which they are tried.

    Attributes:
        sees: the ops of operands that they look for; none of them rewrites a node that has no such operand. None where
            one of them looks at other things.
        twice: whether one of them looks for the same operand twice.
    """

    __slots__ = ("rules", "sees", "twice")

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.sees: set[Op] | None = set()
        self.twice = False

    def add(self, rules: Sequence[Rule], sees: Iterable[Op] | None, twice: bool) -> None:
        """Add further rules."""
        self.rules += rules
        self.twice = self.twice or twice
        if sees is None or self.sees is None:
            self.sees = None
        else:
            self.sees.update(sees)

    def may_rewrite(self, node: Node) -> bool:
        """Whether one of the rules may: they are asked only then, as most nodes have no operand that they look for."""
        if self.sees is None:
            return True
        for operand in node.inputs:
            if operand.op in self.sees:
                return True
        return self.twice and len(set(node.inputs)) < len(node.inputs)


class RuleSet:
    """Rules by op."""

    def __init__(self, *parts: RuleSet) -> None:
        self.by_op: dict[Op, Rules] = {}
        for part in parts:
            for op, found in part.by_op.items():
                self.by_op.setdefault(op, Rules()).add(found.rules, found.sees, found.twice)

    def on(self, *ops: Op, sees: Iterable[Op] | None = None, twice: bool = False) -> Callable[[Rule], Rule]:
        """A decorator that adds a rule for `ops`; see `Rules` for what it may say of the rule."""

        def add(rule: Rule) -> Rule:
            self.extend(ops, rule, sees, twice)
            return rule

        return add

    def extend(self, ops: Iterable[Op], rule: Rule, sees: Iterable[Op] | None = None, twice: bool = False) -> None:
        """Add a rule for each of `ops`."""
        for op in ops:
            self.by_op.setdefault(op, Rules()).add([rule], sees, twice)


class Sweep:
    """One bottom-up pass: each node is rebuilt on its rewritten operands, then rewritten until no rule applies.

    What a rule builds is rewritten as well, so that one sweep suffices for rules that look at a node and what it is
    made of.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules: Mapping[Op, Rules] = rules.by_op
        self._done: dict[Node, Node] = {}
        self._final: set[Node] = set()  # what no rule changes any more

    def run(self, outputs: Sequence[Node], order: Iterable[Node] | None = None) -> list[Node]:
        """The rewritten form of `outputs`; `order` has what they are made of, operands first."""
        return rewrite(outputs, self._visit, self._done, order=order)

    def _visit(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        current = known(node) if inputs is node.inputs else remake(node, inputs)
        if current in self._final:
            return current
        found = self._done.get(current)
        if found is None:
            rules = self._rules.get(node.op)
            found = current if rules is None or not rules.may_rewrite(current) else self._rewrite(current)
            self._final.add(found)
        return found

    def _rewrite(self, node: Node) -> Node:
        """`node`, whose operands are rewritten, after all rules that apply; depth is that of what one rule builds."""
        start = node
        for _ in range(LIMIT):
            better = self._apply(node)
            if better is None:
                break
            node = better
            if self._is_known(node):
                node = self._done.get(node, node)
                break
            if not all(map(self._is_known, node.inputs)):
                node = rebuilt(node, self.run(node.inputs))  # operands that the rule has built
                if self._is_known(node):
                    node = self._done.get(node, node)
                    break
        self._done[start] = node
        return node

    def _is_known(self, node: Node) -> bool:
        """Whether it is known what takes the place of `node`, or that nothing does."""
        return node in self._final or node in self._done

    def _apply(self, node: Node) -> Node | None:
        rules = self._rules.get(node.op)
        if rules is None or not rules.may_rewrite(node):
            return None
        for rule in rules.rules:
            better = rule(node)
            if better is not None and better is not node:
                log.rule(rule.__name__, node, better)
                return better
        return None


def sweep(nodes: Sequence[Node], outputs: Sequence[Node], rules: RuleSet) -> Sequence[Node]:
    """`outputs`, made of `nodes`, which come after their operands, rewritten by `rules`."""
    return Sweep(rules).run(outputs, nodes) if any(node.op in rules.by_op for node in nodes) else outputs
