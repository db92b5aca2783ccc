"""Masked tangents and cotangents as operands and results of loops and branches: the masks go in and come out beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..graph.construction import as_node, constant, make
from ..graph.loop import Names
from ..graph.node import Node
from ..graph.uniform import full, spread
from ..ops import mask_rules as rules
from ..ops.dtypes import bool_
from ..ops.row import Shape
from ..ops.shaping import reshape_row as RESHAPE
from .masks import Derivative, Masked, conjunction, settled


@dataclass
class Entry:
    """A derivative that a body takes.

    Attributes:
        seed: what it is in the body, in terms of `slots`; None for zero.
        operands, slots: those that do not change from step to step, and the body's inputs for them.
        xs, x_slots: those with a slice for each step.
    """

    seed: Derivative | None = None
    operands: list[Node] = field(default_factory=list)
    slots: list[Node] = field(default_factory=list)
    xs: list[Node] = field(default_factory=list)
    x_slots: list[Node] = field(default_factory=list)


def entry(derivative: Derivative | None, like: Node, name: str, names: Names, stacked: str = "") -> Entry:
    """How `derivative` is handed to a body, in which it stands for a derivative of `like`.

    Args:
        stacked: "" where the body takes it whole; "array" where it has a leading axis with a slice for each step;
            "stack" where it is a stack, or an expression of stacks.
    """
    made = Entry()
    if derivative is None:
        return made
    slot = names.like(like, name)
    if stacked == "stack" or not isinstance(derivative, Masked):
        made.seed = slot
        (made.xs if stacked else made.operands).append(settled(derivative))
        (made.x_slots if stacked else made.slots).append(slot)
        return made
    (made.xs if stacked else made.operands).append(derivative.value)
    (made.x_slots if stacked else made.slots).append(slot)
    groups: list[tuple[Node, ...]] = []
    for group in (derivative.pending, derivative.applied):
        mask = conjunction(group)
        groups.append((_taken(mask, derivative, name, names, stacked, made),) if isinstance(mask, Node) else ())
    made.seed = Masked(slot, *groups)
    return made


def _taken(mask: Node, derivative: Masked, name: str, names: Names, stacked: str, made: Entry) -> Node:
    """The body's input for a mask, which is put into `made`."""
    if stacked:
        mask = as_node(rules.padded(mask, len(derivative.shape)))
        slot = names.new(f"{name}_mask", mask.shape[1:], bool_)
        if mask.shape[0] != 1:
            made.xs.append(mask)
            made.x_slots.append(slot)
            return slot
        mask = make(RESHAPE, (mask,), {"shape": mask.shape[1:]})
    else:
        slot = names.new(f"{name}_mask", mask.shape, bool_)
    made.operands.append(mask)
    made.slots.append(slot)
    return slot


def extent(derivatives: Sequence[Derivative | None], whole: Shape) -> Shape:
    """The shape in which the masks of some derivatives of one thing can be handed on: () where none changes."""
    masks = [mask for x in derivatives if isinstance(x, Masked) for mask in x.masks]
    return () if all(not mask.shape for mask in masks) else whole


def mask_of(derivative: Derivative | None, shape: Shape) -> Node:
    """Where a derivative may differ from zero, as an array of `shape`."""
    if derivative is None:
        return full(False, shape, bool_)
    mask = conjunction(derivative.masks) if isinstance(derivative, Masked) else True
    return spread(mask if isinstance(mask, Node) else constant(True), shape)


def is_whole(derivative: Derivative | None) -> bool:
    """Whether a derivative may differ from zero everywhere."""
    return derivative is not None and not isinstance(derivative, Masked)


def filled(derivative: Derivative | None, primal: Node) -> Node:
    """A derivative of `primal` as an array, zeros where it is None."""
    return full(0, primal.shape, primal.dtype) if derivative is None else settled(derivative)
