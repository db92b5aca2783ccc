"""Loops: on arrays they are compiled and run; among expressions they are recorded."""

from __future__ import annotations

from typing import Any

from ..graph import control
from ..graph.node import Node
from ..graph.trace import function_name
from ..graph.tree import TreeDef, flatten, unflatten
from ..runtime.compile import CompiledFunction, traced_anew
from .point import Function

__all__ = ["scan"]


def scan(f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """A loop that carries a state along the first axis of `xs`; as `jax.lax.scan`.

    Equal to `for x in xs: carry, y = f(carry, x)` with the y stacked, but the body is traced once and the loop runs in
    C. On arrays it is traced, compiled unless an equal graph was before, and run; among expressions it is recorded.

    Args:
        f: the body, (carry, x) -> (carry, y); containers as carry, x and y.
        init: the first carry. Python numbers in it take the dtype that the body returns.
        xs: arrays with a leading axis of equal length, in a container; None for none.
        length: the number of steps; needed where `xs` has no array.
        reverse: whether the steps run from the last index to the first.

    Returns:
        The last carry, and the stacked ys, each of shape (length, ...).

    Raises:
        ShapeError: the lengths of xs differ, or the carry changes its shape; DTypeError: it changes its dtype;
        GraphError: it changes its container, or the body does not return a pair.

    Example:
        >>> pg.scan(lambda total, x: (total + x, total + x), 0.0, np.array([1.0, 2.0, 3.0]))
        (np.float64(6.0), array([1., 3., 6.]))
    """
    leaves, init_tree = flatten(init)
    x_leaves, x_tree = flatten(xs)
    if any(isinstance(leaf, Node) for leaf in (*leaves, *x_leaves)):
        return control.scan(f, init, xs, length, reverse)
    weak = tuple((i, type(leaf), leaf) for i, leaf in enumerate(leaves) if type(leaf) in (bool, int, float))
    strong = [leaf for leaf in leaves if type(leaf) not in (bool, int, float)]
    result: tuple[Any, Any] = _make_scan(f, weak, init_tree, x_tree, length, reverse)(strong, x_leaves)
    return result


def _make_scan(
    f: Function,
    weak: tuple[tuple[int, type, Any], ...],
    init_tree: TreeDef,
    x_tree: TreeDef,
    length: int | None,
    reverse: bool,
) -> CompiledFunction:
    def recorded(strong: list[Any], x_leaves: list[Any]) -> tuple[Any, Any]:
        leaves = list(strong)
        for i, _, number in weak:
            leaves.insert(i, number)
        return control.scan(f, unflatten(init_tree, leaves), unflatten(x_tree, x_leaves), length, reverse)

    recorded.__name__ = f"scan_{function_name(f)}"
    return traced_anew(recorded)
