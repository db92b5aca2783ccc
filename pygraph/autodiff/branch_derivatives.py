"""The derivatives of `branch`: a branch of the same index, whose bodies are the derivatives of its bodies.

The reverse branch is handed what it needs of the primal one, as the reverse loop of a scan is: cheap arithmetic is
recomputed, other values are further results of the primal branch, zeros where another body was chosen. (The narrower
original is replaced by the wider branch when the graph is optimised.)

`pg.checkpoint` is a branch of one body, which is marked to stay one: its reverse branch recomputes what it needs,
so that nothing is kept for it but the operands. Its tangents and its values are made together, as those of a scan are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph.construction import as_node, constant, make
from ..graph.graph import Graph
from ..graph.loop import Names
from ..graph.loop_split import sources
from ..graph.node import Node
from ..graph.rewriting import substitute
from ..graph.uniform import full
from ..ops import mask_rules as rules
from ..ops.comparison import equal as EQUAL, greater_equal as GREATER_EQUAL, less_equal as LESS_EQUAL
from ..ops.control import bind_rules, branch as BRANCH
from ..ops.dtypes import is_float
from ..ops.expr import Mask
from ..ops.leaves import output_row as OUTPUT
from .forward import LINEAR_RULES, pushed
from .masks import Derivative, Masked, opposite, under
from .masks_in_bodies import entry, extent, filled, mask_of
from .reverse import pulled


@dataclass
class _Derived:
    """What the derivative of one body gives, in terms of the body's inputs and of its own."""

    body: Graph
    names: Names
    own: list[Node]
    outputs: list[Derivative | None]

    def filled(self, places: Sequence[int], like: Sequence[Node]) -> list[Node]:
        """The outputs at `places`, zeros where they are None."""
        return [filled(self.outputs[k], like[k]) for k in places]


def branch_jvp(node: Node, tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The tangents of a branch's results."""
    beside = len(node.results or ()) if node.attrs.get("recompute", False) else 0
    return _tangents(node, tangents, linear=False, beside=beside)


def branch_linear_jvp(node: Node, tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The same, by a branch that is handed what it needs of the primal one."""
    return _tangents(node, tangents, linear=True, beside=0)


def _tangents(node: Node, tangents: Sequence[Derivative | None], linear: bool, beside: int) -> list[Derivative | None]:
    given = [t if is_float(x.dtype) else None for x, t in zip(node.inputs[1:], tangents[1:], strict=True)]
    derived = []
    operands: list[Node] = []
    for body in node.attrs["bodies"]:
        names = Names(body.inputs)
        entries = [entry(t, x, f"d_{x.attrs['name']}", names) for x, t in zip(body.inputs, given, strict=True)]
        outputs = pushed(body.outputs, body.inputs, [one.seed for one in entries], linear=linear)
        derived.append(_Derived(body, names, [slot for one in entries for slot in one.slots], outputs))
        operands = [x for one in entries for x in one.operands]
    return _chosen(node, operands, derived, [body.outputs for body in node.attrs["bodies"]], "jvp", linear, beside)


def branch_vjp(node: Node, cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
    """The cotangents of a branch's operands."""
    derived = []
    operands: list[Node] = []
    for body in node.attrs["bodies"]:
        names = Names(body.inputs)
        entries = [
            entry(ct, y, f"c_{k}", names) for k, (y, ct) in enumerate(zip(body.outputs, cotangents, strict=True))
        ]
        outputs = pulled(body.outputs, body.inputs, [one.seed for one in entries])
        derived.append(_Derived(body, names, [slot for one in entries for slot in one.slots], outputs))
        operands = [x for one in entries for x in one.operands]
    return [None, *_chosen(node, operands, derived, [body.inputs for body in node.attrs["bodies"]], "vjp", True, 0)]


def _chosen(
    node: Node,
    operands: Sequence[Node],
    derived: Sequence[_Derived],
    primals: Sequence[Sequence[Node]],
    suffix: str,
    apart: bool,
    beside: int,
) -> list[Derivative | None]:
    """The results of a branch with the index of `node` over bodies that give `derived`; None where none of them does.

    What some bodies give and others don't is masked by the choice; where a body gives something with masks of its own,
    these are results beside it.

    Args:
        operands: for the inputs of their own.
        primals: for each body what the results are derivatives of.
        apart: whether the bodies are handed values of the primal branch, rather than compute these again.
        beside: how many primal results they give as well. The optimiser may take these instead of those of `node`.
    """
    places = [k for k in range(len(primals[0])) if any(one.outputs[k] is not None for one in derived)]
    results: list[Derivative | None] = [None] * len(primals[0])
    if not places:
        return results
    outputs = [one.filled(places, primal) for one, primal in zip(derived, primals, strict=True)]
    partly = [k for k in places if any(isinstance(one.outputs[k], Masked) for one in derived)]
    for k in partly:
        shape = extent([one.outputs[k] for one in derived], primals[0][k].shape)
        for one, found in zip(derived, outputs, strict=True):
            found.append(mask_of(one.outputs[k], shape))
    handed: list[Node] = []
    slots: list[list[Node]] = [[] for _ in derived]
    if apart and not node.attrs.get("recompute", False):
        handed, slots, outputs = _handed(node, derived, outputs)
    bodies = tuple(
        Graph.from_parts(
            (*one.body.inputs, *between, *one.own),
            (*found, *one.body.outputs[:beside]),
            name=f"{one.body.name}_{suffix}",
        )
        for one, between, found in zip(derived, slots, outputs, strict=True)
    )
    made = make(BRANCH, (*node.inputs, *handed, *operands), {**node.attrs, "bodies": bodies})
    for index, k in enumerate(places):
        value = make(OUTPUT, (made,), {"index": index})
        if k in partly:
            masks = [make(OUTPUT, (made,), {"index": len(places) + partly.index(k)})]
        else:
            masks = _taken(node.inputs[0], [one.outputs[k] is not None for one in derived])
        results[k] = under(value, masks)
    return results


def _taken(index: Node, live: Sequence[bool]) -> list[Node]:
    """Where the index of a branch, clamped to the bodies there are, is one of those that are `live`."""
    last = len(live) - 1
    if all(live):
        return []
    if last == 1:
        first = make(LESS_EQUAL, (index, constant(0)), {})
        return [first if live[0] else opposite(first)]
    mask: Mask = False
    for number, flag in enumerate(live):
        if flag:
            operands = index, constant(number)
            mask = rules.either(
                mask,
                make(LESS_EQUAL if number == 0 else GREATER_EQUAL if number == last else EQUAL, operands, {}),
            )
    return [as_node(mask)]


def _handed(
    node: Node, derived: Sequence[_Derived], outputs: Sequence[list[Node]]
) -> tuple[list[Node], list[list[Node]], list[list[Node]]]:
    """Results of a primal branch with more of them, the bodies' inputs for these, and `outputs` in terms of them."""
    columns: list[list[Node | None]] = [
        list(column) for column in zip(*(one.body.outputs for one in derived), strict=True)
    ]
    types = [(x.shape, x.dtype) for x in derived[0].body.outputs]
    needs: list[dict[Node, int]] = []  # for each body where its values are found
    for at, (one, found) in enumerate(zip(derived, outputs, strict=True)):
        _, values = sources(one.body.inputs, one.body.inputs, one.body.inputs, found, one.own)
        needs.append({})
        for value in values:
            place = next((k for k, column in enumerate(columns) if column[at] is value), None)
            if place is None:
                kind = (value.shape, value.dtype)
                place = next((k for k, c in enumerate(columns) if c[at] is None and types[k] == kind), len(columns))
                if place == len(columns):
                    columns.append([None] * len(derived))
                    types.append(kind)
                columns[place][at] = value
            needs[at][value] = place
    used = sorted({place for need in needs for place in need.values()})
    if not used:
        return [], [[] for _ in derived], list(outputs)
    bodies = tuple(
        Graph.from_parts(
            one.body.inputs,
            [full(0, *types[k]) if column[at] is None else column[at] for k, column in enumerate(columns)],  # type: ignore[misc]
            name=one.body.name,
        )
        for at, one in enumerate(derived)
    )
    wide = make(BRANCH, node.inputs, {**node.attrs, "bodies": bodies})
    handed = [make(OUTPUT, (wide,), {"index": place}) for place in used]
    slots = [[one.names.like(x, "r") for x in handed] for one in derived]
    cut = [
        substitute(found, {value: between[used.index(place)] for value, place in need.items()})
        for found, between, need in zip(outputs, slots, needs, strict=True)
    ]
    return handed, slots, cut


bind_rules(BRANCH, branch_jvp, branch_vjp)
LINEAR_RULES[BRANCH] = branch_linear_jvp
