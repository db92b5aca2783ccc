"""`associative_scan`: all prefixes of an associative operation by whole-array operations, in logarithmic depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import GraphError, ShapeError
from ..ops.common import normal_axis
from ..ops.shaping import concatenate, flip, stack
from .construction import as_node
from .node import Node
from .trace import result_node
from .tree import flatten, flatten_named, unflatten

__all__ = ["associative_scan"]


def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """`pg.associative_scan` recorded, in 2 log2(n) levels of array operations of about two combinations an element.

    The method: G. E. Blelloch, Prefix Sums and Their Applications, 1990.

    Example:
        >>> associative_scan(np.multiply, pg.var("x", (5,)))
        <concatenate : float64[5]>
    """
    named, form = flatten_named(elems, "elems")
    nodes = [as_node(leaf) for _, leaf in named]
    if not nodes:
        raise GraphError("elems has no array", "give at least one")
    axes = []
    for (name, _), node in zip(named, nodes, strict=True):
        axes.append(normal_axis(axis, len(node.shape)))
        if node.shape[axes[-1]] != nodes[0].shape[axes[0]]:
            problem = f"{named[0][0]} has length {nodes[0].shape[axes[0]]}, {name} has {node.shape[axes[-1]]}"
            raise ShapeError(problem, "give arrays of one length along axis")
    elements = _Elements(fn, form, axes)
    if reverse:
        nodes = [flip(node, a) for node, a in zip(nodes, axes, strict=True)]
    found = elements.scanned(nodes)
    if reverse:
        found = [flip(node, a) for node, a in zip(found, axes, strict=True)]
    return unflatten(form, found)


class _Elements:
    """The operation on flat lists of arrays."""

    def __init__(self, fn: Callable[[Any, Any], Any], form: Any, axes: Sequence[int]) -> None:
        self.fn = fn
        self.form = form
        self.axes = axes

    def combined(self, a: Sequence[Node], b: Sequence[Node]) -> list[Node]:
        """`fn` of two lists, checked."""
        leaves, form = flatten(self.fn(unflatten(self.form, a), unflatten(self.form, b)))
        if form != self.form:
            problem = f"fn takes {self.form!r} and returns {form!r}"
            raise GraphError(problem, "return a container like elems")
        nodes = [result_node(leaf, "associative_scan") for leaf in leaves]
        for x, y in zip(a, nodes, strict=True):
            if (x.shape, x.dtype) != (y.shape, y.dtype):
                problem = f"fn takes {x.type_text} and returns {y.type_text}"
                advice = "work element by element along the axis, and keep the dtype"
                raise ShapeError(problem, advice, line=y.line)
        return nodes

    def cut(self, nodes: Sequence[Node], start: int, stop: int | None, step: int = 1) -> list[Node]:
        """A slice of each array along its axis."""
        return [_cut(node, axis, start, stop, step) for node, axis in zip(nodes, self.axes, strict=True)]

    def scanned(self, nodes: Sequence[Node]) -> list[Node]:
        """All prefixes: those of odd length from combined pairs, the others from these and one more element."""
        length = nodes[0].shape[self.axes[0]]
        if length < 2:
            return list(nodes)
        pairs = self.combined(self.cut(nodes, 0, length - 1, 2), self.cut(nodes, 1, None, 2))
        odd = self.scanned(pairs)
        before = odd if length % 2 else self.cut(odd, 0, (length - 1) // 2)
        even = self.cut(nodes, 0, 1)
        if length > 2:
            rest = self.combined(before, self.cut(nodes, 2, None, 2))
            even = [concatenate([x, y], axis) for x, y, axis in zip(even, rest, self.axes, strict=True)]
        return [_woven(x, y, axis) for x, y, axis in zip(even, odd, self.axes, strict=True)]


def _cut(node: Node, axis: int, start: int, stop: int | None, step: int = 1) -> Node:
    found: Node = node[(*([slice(None)] * axis), slice(start, stop, step))]
    return found


def _woven(even: Node, odd: Node, axis: int) -> Node:
    """Elements of both in turn; `even` may have one more."""
    count = odd.shape[axis]
    shape = (*odd.shape[:axis], 2 * count, *odd.shape[axis + 1 :])
    woven: Node = stack([_cut(even, axis, 0, count), odd], axis + 1).reshape(shape)
    if even.shape[axis] > count:
        woven = concatenate([woven, _cut(even, axis, count, None)], axis)
    return woven
