"""Graphs rewritten: one sweep that puts other nodes in the places of some, and makes what depends on them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_

from ..ops.leaves import output_row as OUTPUT
from .construction import remake
from .node import Node
from .source import attributing
from .traversal import walk

__all__ = ["Visit", "rebuilt", "rewrite", "substitute"]

#: Given a node and what takes the places of its operands, gives what takes its own: a node; for a node with several
#: results what takes the place of each, by its index; or None for the node itself on these operands.
Visit = Callable[[Node, tuple[Node, ...]], "Node | Sequence[Node] | Mapping[int, Node] | None"]


def rewrite(
    outputs: Iterable[Node],
    visit: Visit | None = None,
    done: dict[Node, Node] | None = None,
    *,
    order: Iterable[Node] | None = None,
) -> list[Node]:
    """`outputs`, made of other nodes: each node in turn, after its operands, is replaced by what `visit` says.

    Args:
        visit: makes the replacements; without it nodes only follow their operands. What it makes belongs to the source
            line of the node that it is called for. The results of a node for which it gives several are not visited.
        done: what takes the places of some nodes, which are not visited. What it is for the others is added.
        order: the nodes to visit, but for those in `done`, each after its operands; by default all that `outputs`
            depend on. An operand that is neither there nor in `done` stays what it is.

    Example:
        >>> x, y = pg.var("x"), pg.var("y")
        >>> rewrite([np.sin(x) * x], lambda node, inputs: np.cos(*inputs) if node.op is np.sin(x).op else None, {x: y})
        [<multiply : float64>]
    """
    outputs = list(outputs)
    done = {} if done is None else done
    if order is None:
        order = walk(outputs, stops=done)
    if visit is None:
        _follow(order, done)
        return [done.get(x, x) for x in outputs]
    several: dict[Node, Sequence[Node] | Mapping[int, Node]] = {}
    get = done.get
    with attributing() as context:
        for node in order:
            if node in done:
                continue
            if several and node.op is OUTPUT and node.inputs[0] in several:
                done[node] = several[node.inputs[0]][node.attrs["index"]]
                continue
            context.line = node.line
            inputs = node.inputs
            if len(inputs) == 2:  # most often: no comprehension
                x, y = inputs
                first, second = get(x, x), get(y, y)
                if first is not x or second is not y:
                    inputs = (first, second)
            else:
                for x in inputs:
                    if get(x, x) is not x:
                        inputs = tuple([get(x, x) for x in inputs])
                        break
            found = visit(node, inputs)
            if found is None:
                done[node] = node if inputs is node.inputs else remake(node, inputs)
            elif isinstance(found, Node):
                done[node] = found
            else:
                assert node.results is not None, f"several nodes in place of {node!r}"
                several[node] = found
    return [done.get(x, x) for x in outputs]


def _follow(order: Iterable[Node], done: dict[Node, Node]) -> None:
    """Rebuild the nodes of `order` whose operands have been replaced."""
    for node in order:
        if node in done:
            continue
        for x in node.inputs:
            if done.get(x, x) is not x:
                done[node] = remake(node, tuple([done.get(x, x) for x in node.inputs]))
                break
        else:
            done[node] = node


def rebuilt(node: Node, inputs: Sequence[Node]) -> Node:
    """`node` on these operands, with its source line; itself where they are its own."""
    return node if all(map(is_, inputs, node.inputs)) else remake(node, tuple(inputs))


def substitute(outputs: Iterable[Node], mapping: Mapping[Node, Node]) -> list[Node]:
    """`outputs` with each key of `mapping` replaced by its value; nodes keep their source lines.

    Linear in the number of nodes; what does not depend on a key is shared with the originals.
    """
    return rewrite(outputs, done=dict(mapping))
