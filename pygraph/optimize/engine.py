"""The rewrite engine: rules keyed by op, applied bottom-up in one linear sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_not

from ..graph.construction import remake
from ..graph.interning import known
from ..graph.node import Node
from ..graph.rewriting import rebuilt
from ..graph.source import attributing
from ..graph.trace_context import TraceContext
from ..graph.traversal import walk
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
        self._done: dict[Node, Node] = {}  # what takes the place of a node: of what no rule changes any more, itself

    def run(self, outputs: Sequence[Node], order: Iterable[Node] | None = None) -> list[Node]:
        """The rewritten form of `outputs`; `order` has what they are made of, operands first."""
        done = self._done
        with attributing() as context:
            self._visit(walk(outputs, stops=done) if order is None else order, context)
        return [done.get(x, x) for x in outputs]

    def _visit(self, order: Iterable[Node], context: TraceContext) -> None:
        """Rewrite nodes, each of which comes after its operands; what rules build belongs to the line of the node.

        It is written out for nodes of one and two operands, as nearly all of a large graph are.
        """
        done, rules_of = self._done, self._rules.get
        find = done.get
        for node in order:
            if node in done:
                continue
            inputs, context.line = node.inputs, node.line
            count = len(inputs)
            if count == 2:
                first, second = inputs
                x, y = find(first, first), find(second, second)
                if x is not first or y is not second:
                    inputs = (x, y)
            elif count == 1:
                (first,) = inputs
                x = y = find(first, first)
                if x is not first:
                    inputs = (x,)
            else:
                others = tuple([find(x, x) for x in inputs])
                if any(map(is_not, others, inputs)):
                    inputs = others
            current = known(node) if inputs is node.inputs else remake(node, inputs)
            found = find(current)
            if found is None:
                rules = rules_of(node.op)
                if rules is None:
                    asked = False
                elif rules.sees is None:
                    asked = True
                elif count == 2:
                    asked = x.op in rules.sees or y.op in rules.sees or (x is y and rules.twice)
                elif count == 1:
                    asked = x.op in rules.sees
                else:
                    asked = rules.may_rewrite(current)
                found = self._rewrite(current) if asked else current
                done[found] = found
            done[node] = found

    def _rewrite(self, node: Node) -> Node:
        """`node`, whose operands are rewritten, after all rules that apply."""
        start, done = node, self._done
        for _ in range(LIMIT):
            better = self._apply(node)
            if better is None:
                break
            node = better
            if node in done:
                node = done[node]
                break
            for x in node.inputs:
                if x not in done:  # the rule has built it
                    node = rebuilt(node, self.run(node.inputs))
                    break
            if node in done:
                node = done[node]
                break
        done[start] = node
        return node

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
