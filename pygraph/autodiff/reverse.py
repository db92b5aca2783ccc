"""Reverse mode: cotangents pulled from the outputs to the variables, graph to graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..graph.build import make
from ..graph.node import Node
from ..graph.where import attributed
from ..ops.dtypes import is_float
from ..ops.row import Family, lookup
from .absorb import absorbed, reads_stacks
from .forward import ADD, OUTPUT, check_like, times
from .pieces import assemble
from .unbroadcast import as_primal
from .walk import Walk

UNSLICE = lookup("unslice")


def vjp(outputs: Sequence[Node], wrt: Sequence[Node], cotangents: Sequence[Node | None]) -> list[Node | None]:
    """Cotangents of `wrt` for given cotangents of `outputs`: the Jacobian transposed times a vector, as ordinary nodes.

    Args:
        outputs: expressions.
        wrt: independent variables, any nodes.
        cotangents: one per output, of its shape and dtype, or None for zero. Those of outputs that are not floating
            are left out of account.

    Returns:
        One cotangent per variable, of its shape and dtype, or None where it is zero whatever the cotangents' values
        (and for variables that are not floating). Contributions are added in the order in which the reverse sweep
        meets them, which the graph alone decides.

    Example:
        >>> x, seed = pg.var("x", (3,)), pg.var("seed")
        >>> vjp([np.sum(x * x)], [x], [seed])[0].shape
        (3,)
    """
    walk = Walk(outputs, wrt)
    if any(map(reads_stacks, walk.order)):
        outputs = absorbed(outputs, wrt)
        walk = Walk(outputs, wrt)
    sums = Sums()
    several: dict[Node, list[Node | None]] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        if cotangent is not None and is_float(output.dtype):
            check_like(cotangent, output, "cotangent")
            if output in walk.active:
                sums.add(output, cotangent)
    for node in reversed(walk.order):
        with attributed(node.where):
            if node.results is not None:
                shares = _pull_several(node, several.pop(node, None), walk)
            else:
                ct = sums.pop(node)
                if ct is None:
                    continue
                if node.op is OUTPUT:
                    parent = node.inputs[0]
                    assert parent.results is not None
                    several.setdefault(parent, [None] * len(parent.results))[node.attrs["index"]] = ct
                    continue
                shares = pull(node, ct, walk)
            for operand, share in shares:
                sums.add(operand, as_primal(share, operand))
    found = {variable: sums.pop(variable) for variable in dict.fromkeys(wrt)}
    return [found[variable] for variable in wrt]


def pull(node: Node, ct: Node, walk: Walk) -> Iterator[tuple[Node, Node]]:
    """The operands of `node` that are active, each with its share of the cotangent, by the rule of the family."""
    op = node.op
    if node in walk.expansion:
        yield walk.expansion[node], ct
    elif op.family is Family.CUSTOM:
        assert op.vjp is not None, f"op {op.name} has no vjp rule"
        for operand, share in zip(node.inputs, op.vjp(node, ct), strict=True):
            if share is not None and operand in walk.active:
                yield operand, share
    elif op.family is Family.ELEMENTWISE:
        for operand, partial in zip(node.inputs, op.partials, strict=True):
            if partial is not None and operand in walk.active:
                product = times(ct, partial(node, *node.inputs))
                if product is not None:
                    yield operand, product
    else:
        assert op.transpose is not None, f"op {op.name} has no transpose"
        linear = range(len(node.inputs)) if op.linear_in is None else op.linear_in
        for i in linear:
            operand = node.inputs[i]
            if operand in walk.active:
                share = op.transpose(ct, node, i)
                if share is not None:
                    yield operand, share


def _pull_several(node: Node, cts: Sequence[Node | None] | None, walk: Walk) -> Iterator[tuple[Node, Node]]:
    """The same for a node with several results, from a cotangent for each of them."""
    if cts is not None:
        assert node.op.vjp is not None, f"op {node.op.name} has no vjp rule"
        for operand, share in zip(node.inputs, node.op.vjp(node, cts), strict=True):
            if share is not None and operand in walk.active:
                yield operand, share


class Sums:
    """Cotangents under way: a running sum per node, and apart from it the pieces that cover only a part of it."""

    def __init__(self) -> None:
        self._whole: dict[Node, Node] = {}
        self._pieces: dict[Node, list[Node]] = {}

    def add(self, node: Node, ct: Node) -> None:
        """Add a contribution to the cotangent of `node`."""
        if ct.op is UNSLICE:
            self._pieces.setdefault(node, []).append(ct)
        else:
            whole = self._whole.get(node)
            self._whole[node] = ct if whole is None else make(ADD, (whole, ct), {})

    def pop(self, node: Node) -> Node | None:
        """The whole cotangent of `node`, or None where nothing was added."""
        for piece in assemble(self._pieces.pop(node, ())):
            whole = self._whole.get(node)
            self._whole[node] = piece if whole is None else make(ADD, (whole, piece), {})
        return self._whole.pop(node, None)
