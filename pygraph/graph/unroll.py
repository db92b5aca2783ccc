"""A scan with several steps in its body: `pg.scan(..., unroll=k)`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import GraphError, SignatureError, shown
from ..ops.keys import index
from ..ops.shaping import concatenate, reshape, stack
from .construction import as_node
from .record_scan import scan, step_count
from .tree import flatten, map_leaves, unflatten

Body = Callable[[Any, Any], tuple[Any, Any]]


def scan_unrolled(
    f: Body, init: Any, xs: Any, length: int | None, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    """`scan` with `unroll` steps written one after another in each step of the loop; True: all of them, and no loop.

    Steps that are left over follow the loop.

    Raises:
        SignatureError: `unroll` is neither a bool nor a positive int; and as `scan`.
    """
    steps = step_count(f, xs, length)
    count = _checked(unroll, steps)
    if count <= 1 or steps == 0:
        return scan(f, init, xs, length, reverse)
    blocks, rest = divmod(steps, count)
    xs = map_leaves(as_node, xs)
    if blocks == 1:  # no loop
        blocks, rest = 0, steps
    cut = rest if reverse else blocks * count
    first, last = (_part(xs, 0, cut), _part(xs, cut, steps))
    looped, left = (last, first) if reverse else (first, last)
    carry, parts = init, []
    if blocks:
        folded = map_leaves(lambda x: reshape(x, (blocks, count, *x.shape[1:])), looped)
        carry, ys = scan(lambda carry, x: _steps(f, carry, x, count, reverse), carry, folded, blocks, reverse)
        parts.append(map_leaves(lambda y: reshape(y, (blocks * count, *y.shape[2:])), ys))
    if rest:
        carry, ys = _steps(f, carry, left, rest, reverse)
        parts.append(ys)
    return carry, _joined(parts[::-1] if reverse else parts)


def _checked(unroll: int | bool, steps: int) -> int:
    if isinstance(unroll, bool):
        return steps if unroll else 1
    try:
        count = operator.index(unroll)
    except TypeError:
        count = 0
    if count < 1:
        raise SignatureError(f"unroll is {shown(unroll)}", "give how many steps, or True for all")
    return min(count, steps)


def _part(xs: Any, start: int, stop: int) -> Any:
    return map_leaves(lambda x: index(x, slice(start, stop)), xs)


def _steps(f: Body, carry: Any, xs: Any, count: int, reverse: bool) -> tuple[Any, Any]:
    """So many steps one after another, and their ys stacked in the order of xs."""
    wanted = flatten(carry)[1]
    rows: list[list[Any]] = []
    form: Any = None
    for i in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, map_leaves(lambda x, i=i: index(x, i), xs))
        leaves, form = flatten(y)
        rows.append([as_node(leaf) for leaf in leaves])
        if flatten(carry)[1] != wanted:
            problem = f"the carry goes in as {wanted!r} and comes out of the body as {flatten(carry)[1]!r}"
            raise GraphError(problem, "return a carry of the form of init")
    ordered: Iterable[list[Any]] = reversed(rows) if reverse else rows
    return carry, unflatten(form, [stack(column) for column in zip(*ordered, strict=True)])


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(flatten(part)[0] for part in parts), strict=True)
    return unflatten(flatten(parts[0])[1], [concatenate(column) for column in columns])
