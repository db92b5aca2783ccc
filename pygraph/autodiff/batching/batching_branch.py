"""The rule of branches for a batch: what an example does not take is not computed for it."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.construction import as_node, constant, make, var
from ...graph.graph import Graph
from ...graph.guard import guarded
from ...graph.loop import is_stack
from ...graph.node import Node
from ...graph.rewriting import substitute
from ...graph.traversal import walk
from ...graph.uniform import full, shown_by
from ...ops.comparison import (
    equal as EQUAL,
    less_equal as LESS_EQUAL,
    logical_not_row as LOGICAL_NOT,
    logical_or_row as LOGICAL_OR,
)
from ...ops.control import bind_batch, branch as BRANCH
from ...ops.dtypes import bool_
from ...ops.leaves import output_row as OUTPUT
from ...ops.shaping import in_batch
from .batch import batch
from .batching_masks import any_of, chosen, first_of, lent


def branch_batch(
    node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> tuple[list[Node], list[bool]]:
    """A branch whose bodies are batches, or one branch for each body where examples choose for themselves."""
    if len(node.attrs["bodies"]) == 1:  # any index is clamped to it
        operands, flags = [constant(0), *operands[1:]], [False, *flags[1:]]
    return (_one_by_one if flags[0] else _together)(node, operands, flags, size)


def _wide(body: Graph, flags: Sequence[bool], size: int) -> list[Node | None]:
    """For each input of `body` that has the batch axis, a variable for the whole batch."""
    return [
        var(x.attrs["name"], (size, *x.shape), x.dtype) if flag else None
        for x, flag in zip(body.inputs, flags, strict=True)
    ]


def _inputs(body: Graph, slots: Sequence[Node | None]) -> list[Node]:
    return [x if slot is None else slot for x, slot in zip(body.inputs, slots, strict=True)]


def _together(node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int) -> tuple[list[Node], list[bool]]:
    """All examples take the same body."""
    bodies: Sequence[Graph] = node.attrs["bodies"]
    wide = []
    for body in bodies:
        slots = _wide(body, flags[1:], size)
        outputs, axes = batch(body.outputs, body.inputs, slots, size)
        wide.append((_inputs(body, slots), outputs, axes))
    has_axis = [any(axes[k] for _, _, axes in wide) for k in range(len(bodies[0].outputs))]
    made = []
    for body, (inputs, outputs, axes) in zip(bodies, wide, strict=True):
        whole = [
            as_node(in_batch(x, axis, size)) if wanted else x
            for x, axis, wanted in zip(outputs, axes, has_axis, strict=True)
        ]
        made.append(Graph.from_parts(inputs, whole, name=f"{body.name}_batch"))
    result = make(BRANCH, tuple(operands), {**node.attrs, "bodies": tuple(made)})
    return [make(OUTPUT, (result,), {"index": k}) for k in range(len(has_axis))], has_axis


def _one_by_one(
    node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> tuple[list[Node], list[bool]]:
    """For each body a branch that runs it if an example takes it; each example gets the results of the one it takes.

    A body that runs is given a whole batch. In it, an example that takes another body has the operands of the first
    one that takes this body, so that index errors, loops, values and derivatives are those of examples that take it.
    """
    bodies: Sequence[Graph] = node.attrs["bodies"]
    assert node.results is not None
    flagged = [True] * len(node.results)
    if size == 0:
        return [full(0, (0, *shape), dtype) for shape, dtype in node.results], flagged
    masks = _masks(operands[0], len(bodies))
    *found, results = (
        _taken(node, body, mask, operands[1:], flags[1:], size) for mask, body in zip(masks, bodies, strict=True)
    )
    for mask, taken in reversed(list(zip(masks, found, strict=False))):
        results = [chosen(mask, x, y) for x, y in zip(taken, results, strict=True)]
    return results, flagged


def _masks(index: Node, count: int) -> list[Node]:
    """For each body which examples take it. The index is clamped."""
    if index.op.casts and index.inputs[0].dtype == bool_ and count == 2:
        taken = index.inputs[0]
        return [make(LOGICAL_NOT, (taken,), {}), taken]
    masks = [make(LESS_EQUAL, (index, constant(0)), {})]
    masks += [make(EQUAL, (index, constant(number)), {}) for number in range(1, count - 1)]
    before = masks[0]
    for mask in masks[1:]:
        before = make(LOGICAL_OR, (before, mask), {})
    return [*masks, make(LOGICAL_NOT, (before,), {})]


def _taken(
    node: Node, body: Graph, mask: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
) -> list[Node]:
    """The results of `body`, as whole batches, where some example takes it; else zeros."""
    slots = _wide(body, flags, size)
    outputs, axes = batch(body.outputs, body.inputs, slots, size)
    inputs = _inputs(body, slots)
    given = dict(zip(inputs, operands, strict=True))
    run = [k for k, x in enumerate(outputs) if not _is_given(x)]
    found = dict(zip(run, _guarded(node, body.name, [outputs[k] for k in run], mask, given, slots), strict=True))
    ready = {k: x for k, x in enumerate(outputs) if k not in found}
    found.update(zip(ready, substitute(list(ready.values()), given), strict=True))
    return [as_node(in_batch(found[k], axis, size)) for k, axis in enumerate(axes)]


def _is_given(x: Node) -> bool:
    """Whether `x` is an operand or a constant, or a view of one: there is nothing to compute."""
    return not shown_by(x).inputs


def _guarded(
    node: Node, name: str, outputs: Sequence[Node], mask: Node, given: dict[Node, Node], slots: Sequence[Node | None]
) -> Sequence[Node]:
    """`outputs`, which are written in terms of the variables `given`, by a branch on whether any example takes them."""
    if not outputs:
        return []
    needed, first = set(walk(outputs)), first_of(mask)
    wide = {x for x in slots if x is not None}
    operands = [
        lent(mask, operand, first) if x in wide and x in needed and not is_stack(operand) else operand
        for x, operand in given.items()
    ]
    recompute = bool(node.attrs.get("recompute", False))
    return guarded(any_of(mask), outputs, list(given), operands, f"{name}_batch", recompute)


bind_batch(BRANCH, branch_batch)
