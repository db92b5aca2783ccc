"""The derivatives of `branch`: a branch of the same index, whose bodies are the derivatives of its bodies.

The reverse branch is handed what it needs of the primal one, as the reverse loop of a scan is: cheap arithmetic is
done again, other values are further results of the primal branch, zeros where another body was chosen. (The narrower
original is replaced by the wider branch when the graph is optimised.)

`pg.checkpoint` is a branch of one body, which is marked to stay one: its reverse branch computes again what it needs,
so that nothing is kept for it but the operands. Its tangents and its values are made together, as those of a scan are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph.build import make, substitute
from ..graph.graph import Graph
from ..graph.node import Node
from ..ops.control import bind_rules
from ..ops.dtypes import is_float
from .forward import LINEAR_RULES, jvp
from .loops import BRANCH, OUTPUT, Names, sources
from .reverse import vjp
from .unbroadcast import full


@dataclass
class _Derived:
    """What the derivative of one body gives, in terms of the body's inputs and of its own."""

    body: Graph
    names: Names
    own: list[Node]
    outputs: list[Node | None]

    def filled(self, places: Sequence[int], like: Sequence[Node]) -> list[Node]:
        """The outputs at `places`, zeros where they are None."""
        found = ((self.outputs[k], like[k]) for k in places)
        return [full(0, primal.shape, primal.dtype) if x is None else x for x, primal in found]


def branch_jvp(node: Node, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The tangents of a branch's results."""
    beside = len(node.results or ()) if node.attrs.get("recompute", False) else 0
    return _tangents(node, tangents, linear=False, beside=beside)


def branch_linear_jvp(node: Node, tangents: Sequence[Node | None]) -> list[Node | None]:
    """The same, by a branch that is handed what it needs of the primal one."""
    return _tangents(node, tangents, linear=True, beside=0)


def _tangents(node: Node, tangents: Sequence[Node | None], linear: bool, beside: int) -> list[Node | None]:
    given = [t if is_float(x.dtype) else None for x, t in zip(node.inputs[1:], tangents[1:], strict=True)]
    derived = []
    for body in node.attrs["bodies"]:
        names = Names(body.inputs)
        slots = [
            None if t is None else names.like(x, f"d_{x.attrs['name']}")
            for x, t in zip(body.inputs, given, strict=True)
        ]
        outputs = jvp(body.outputs, body.inputs, slots, linear=linear)
        derived.append(_Derived(body, names, [slot for slot in slots if slot is not None], outputs))
    operands = [t for t in given if t is not None]
    return _chosen(node, operands, derived, [body.outputs for body in node.attrs["bodies"]], "jvp", linear, beside)


def branch_vjp(node: Node, cotangents: Sequence[Node | None]) -> list[Node | None]:
    """The cotangents of a branch's operands."""
    derived = []
    for body in node.attrs["bodies"]:
        names = Names(body.inputs)
        slots = [
            None if ct is None else names.like(y, f"c_{k}")
            for k, (y, ct) in enumerate(zip(body.outputs, cotangents, strict=True))
        ]
        outputs = vjp(body.outputs, body.inputs, slots)
        derived.append(_Derived(body, names, [slot for slot in slots if slot is not None], outputs))
    operands = [ct for ct in cotangents if ct is not None]
    return [None, *_chosen(node, operands, derived, [body.inputs for body in node.attrs["bodies"]], "vjp", True, 0)]


def _chosen(
    node: Node,
    operands: Sequence[Node],
    derived: Sequence[_Derived],
    primals: Sequence[Sequence[Node]],
    suffix: str,
    apart: bool,
    beside: int,
) -> list[Node | None]:
    """The results of a branch with the index of `node` over bodies that give `derived`; None where none of them does.

    Args:
        operands: for the inputs of their own.
        primals: for each body what the results are derivatives of.
        apart: whether the bodies are handed values of the primal branch, rather than compute these again.
        beside: how many primal results they give as well. The optimiser may take these instead of those of `node`.
    """
    places = [k for k in range(len(primals[0])) if any(one.outputs[k] is not None for one in derived)]
    results: list[Node | None] = [None] * len(primals[0])
    if not places:
        return results
    outputs = [one.filled(places, primal) for one, primal in zip(derived, primals, strict=True)]
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
        results[k] = make(OUTPUT, (made,), {"index": index})
    return results


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


bind_rules("branch", branch_jvp, branch_vjp)
LINEAR_RULES[BRANCH] = branch_linear_jvp
