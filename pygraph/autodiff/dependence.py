"""Whether values depend on variables, seen through the bodies of loops and branches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..graph.graph import Graph
from ..graph.loop import Loop
from ..graph.node import Node, maker
from ..graph.traversal import walk
from ..ops.leaves import given_row as GIVEN, output_row as OUTPUT


def dependence(outputs: Sequence[Node], variables: Iterable[Node], beyond: Iterable[Node] = ()) -> list[bool]:
    """For each of `outputs` whether its value may change with one of `variables`; nodes `beyond` do not.

    A loop or branch may take an operand that a result of it does not depend on.

    Example:
        >>> x, y = pg.var("x"), pg.var("y")
        >>> from pygraph.autodiff.dependence import dependence
        >>> a, b = pg.scan(lambda c, _: ((c[0] * 2.0, c[1] + 1.0), None), (x, y), np.zeros(3))[0]
        >>> dependence([a, b], [x])
        [True, False]
    """
    known: dict[Node, bool] = dict.fromkeys(beyond, False)
    known.update(dict.fromkeys(variables, True))
    several: dict[Node, list[bool]] = {}
    for node in walk(outputs, stops=known, operands=lambda node: maker(node).inputs):
        made_by = maker(node)
        flags = [known[x] for x in made_by.inputs]
        if node.op is not OUTPUT:
            known[node] = any(flags)
            continue
        if made_by not in several:
            several[made_by] = _of_results(made_by, flags) if any(flags) else [False] * len(made_by.results or ())
        known[node] = several[made_by][node.attrs["index"]]
    return [known[x] for x in outputs]


def _of_results(node: Node, flags: Sequence[bool]) -> list[bool]:
    """The same for the results of a node that has several, from what holds for its operands."""
    assert node.results is not None
    count = len(node.results)
    if node.op.branch:
        if flags[0]:
            return [True] * count
        bodies: Sequence[Graph] = node.attrs["bodies"]
        found = [_of_body(body.outputs, body.inputs, flags[1:]) for body in bodies]
        return [any(column) for column in zip(*found, strict=True)]
    if node.op.loop:
        return _of_loop(Loop.of(node), flags)
    if node.op is GIVEN:
        return list(flags[node.attrs["n_primals"] :])
    return [any(flags)] * count


def _of_body(outputs: Sequence[Node], inputs: Sequence[Node], flags: Sequence[bool]) -> list[bool]:
    return dependence(
        outputs,
        [x for x, flag in zip(inputs, flags, strict=True) if flag],
        [x for x, flag in zip(inputs, flags, strict=True) if not flag],
    )


def _of_loop(loop: Loop, flags: Sequence[bool]) -> list[bool]:
    """Of the results of a loop: what a carry depends on spreads from step to step until nothing is added."""
    if loop.count is not None and flags[0]:
        return [True] * len(loop.outputs)
    entering = list(flags[-len(loop.operands) :])
    first, n_carry = len(loop.consts), len(loop.init)
    while True:
        found = _of_body(loop.expressions, loop.inputs, entering)
        if loop.condition is not None and found[-1]:
            return [True] * len(loop.outputs)
        grown = [k for k in range(n_carry) if found[k] and not entering[first + k]]
        if not grown:
            break
        for k in grown:
            entering[first + k] = True
    return [*entering[first : first + n_carry], *found[n_carry : len(loop.outputs)]]
