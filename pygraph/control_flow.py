"""Control flow with JAX's names and arguments: recorded among expressions, compiled and run on arrays alone.

What is computed from Python numbers alone is a Python number, as with Python's own `if` and `while`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .concurrency import ensure_imported
from .graph import associative, record_branch, record_scan, record_while
from .graph.node import Node
from .graph.trace import function_name, require_functions
from .graph.tree import flatten, unflatten
from .graph.weak import WEAK_TYPES, Weak, is_weak
from .ops.common import explained, explained_as
from .ops.control import scan as SCAN, while_loop as WHILE
from .runtime.functions.compiled_function import traced_at_each_call

__all__ = ["associative_scan", "cond", "fori_loop", "map", "scan", "switch", "while_loop"]

Function = Callable[..., Any]


def _applied(name: str, recorded: Function, static: tuple[Any, ...], tree: Any, of: Function | None = None) -> Any:
    """`recorded(*static, tree)`: recorded if `tree` has an expression, else compiled and run.

    Python numbers in `tree` stay numbers in the trace, and what is computed from them alone is a number too.

    Args:
        name: of the public function.
        of: the function that is to be named beside it in listings.
    """
    recorded = explained_as(name)(recorded)
    leaves, form = flatten(tree)
    if any(isinstance(leaf, Node) for leaf in leaves):
        return recorded(*static, tree)

    numbers: list[bool] = []

    def whole(arrays: list[Any]) -> Any:
        remaining = iter(arrays)
        placed = [leaf if type(leaf) in WEAK_TYPES else next(remaining) for leaf in leaves]
        result = recorded(*static, unflatten(form, placed))
        numbers[:] = [is_weak(leaf) for leaf in flatten(result)[0]]
        return result

    whole.__name__ = name if of is None else f"{name}_{function_name(of)}"
    found, container = flatten(traced_at_each_call(whole)([leaf for leaf in leaves if type(leaf) not in WEAK_TYPES]))
    return unflatten(container, [_number(x) if number else x for x, number in zip(found, numbers, strict=True)])


def _number(x: Any) -> Any:
    """What was computed from Python numbers alone, as one."""
    return Weak(x) if isinstance(x, Node) else x.item()


@explained
def cond(pred: Any, true_fun: Function, false_fun: Function, *operands: Any) -> Any:
    """`true_fun(*operands) if pred else false_fun(*operands)`; as `jax.lax.cond`.

    Both functions are traced, but only the chosen one runs, also in derivatives of either mode and any order.

    Args:
        pred: a scalar bool.
        true_fun, false_fun: functions of the operands, whose results have one container, with one shape and dtype
            for each leaf; Python numbers in it take the dtype of the other function's.
        operands: containers of arrays; Python numbers among them are traced, too.

    Returns:
        What the chosen function returns.

    Raises:
        DTypeError: `pred` is not bool, or a leaf of the results has two dtypes; ShapeError: `pred` is not scalar, or a
        leaf has two shapes; GraphError: the results have two containers.

    Example:
        >>> float(pg.cond(True, np.sin, np.cos, np.zeros(())))
        0.0
    """
    return _applied("cond", _cond, (true_fun, false_fun), (_scalar(pred), operands))


def _cond(true_fun: Function, false_fun: Function, given: tuple[Any, tuple[Any, ...]]) -> Any:
    return record_branch.cond(given[0], true_fun, false_fun, *given[1])


@explained
def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """`branches[index](*operands)`; as `jax.lax.switch`.

    Args:
        index: a scalar integer; it is clamped to the valid range.
        branches: at least one function of the operands; as for `cond`.
        operands: containers of arrays; Python numbers among them are traced, too.

    Returns:
        What the chosen function returns.

    Raises:
        DTypeError: `index` is not an integer; SignatureError: `branches` is not a list of functions; else as `cond`.

    Example:
        >>> float(pg.switch(1, [np.sin, np.cos], np.zeros(())))
        1.0
    """
    return _applied("switch", _switch, tuple(record_branch.branches_of(branches)), (_scalar(index), operands))


def _switch(*parts: Any) -> Any:
    *branches, (index, operands) = parts
    return record_branch.switch(index, branches, *operands)


def _scalar(x: Any) -> Any:
    """A Python number as an array, so that it is an argument and no part of the trace."""
    return np.asarray(x) if type(x) in WEAK_TYPES else x


@explained
def scan(
    f: Function,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """A loop that carries a state along the first axis of `xs`; as `jax.lax.scan`.

    Equal to `for x in xs: carry, y = f(carry, x)` with the y stacked, but the body is traced once and the loop runs in
    C. On arrays it is traced, compiled unless an equal graph already was, and run; among expressions it is recorded.

    Args:
        f: the body, (carry, x) -> (carry, y); containers as carry, x and y.
        init: the first carry. Python numbers in it stay numbers until the body returns an array
            in their place, whose dtype they take.
        xs: arrays with a leading axis of equal length, in a container; None for none.
        length: the number of steps; needed where `xs` has no array.
        reverse: whether the steps run from the last index to the first.
        unroll: how many steps stand one after another in the loop's body, True for all: fewer turns, a larger graph.

    Returns:
        The last carry, and the stacked ys, each of shape (length, ...).

    Raises:
        ShapeError: the lengths of xs differ, or the carry changes its shape; DTypeError: it changes its dtype;
        GraphError: it changes its container, or the body does not return a pair; SignatureError: `unroll` is neither a
        bool nor a positive int.

    Example:
        >>> pg.scan(lambda total, x: (total + x, total + x), 0.0, np.array([1.0, 2.0, 3.0]))
        (np.float64(6.0), array([1., 3., 6.]))
    """
    require_functions(SCAN.name, "write pg.scan(f, init, xs), where f(carry, x) returns (carry, y)", f=f)
    result: tuple[Any, Any] = _applied(SCAN.name, _scan, (f, length, reverse, unroll), (init, xs), of=f)
    return result


def _scan(f: Function, length: int | None, reverse: bool, unroll: int | bool, tree: tuple[Any, Any]) -> tuple[Any, Any]:
    if unroll == 1 and not isinstance(unroll, bool):
        return record_scan.scan(f, *tree, length, reverse)
    ensure_imported("pygraph.graph.unroll")
    from .graph.unroll import scan_unrolled

    return scan_unrolled(f, *tree, length, reverse, unroll)


@explained
def while_loop(cond_fun: Function, body_fun: Function, init_val: Any, *, limit: int | None = None) -> Any:
    """`while cond_fun(val): val = body_fun(val)`; as `jax.lax.while_loop`, with derivatives in both modes.

    The reverse mode records what it needs of each step on a tape that grows while the loop runs, up to the limit that
    `pg.set_tape_limit` sets. Ctrl-C ends a loop that the main thread runs; other threads can't be interrupted, so
    give a loop of theirs a `limit` where it might not end.

    Args:
        cond_fun: from the carry to a scalar bool.
        body_fun: from the carry to the next one, of the same container and types.
        init_val: the first carry. Python numbers in it stay numbers until the body returns an array
            in their place, whose dtype they take.
        limit: the most steps; None for no limit.

    Returns:
        The last carry.

    Raises:
        LimitError: the condition still holds after `limit` steps, or the tape is full. A carry that no step changes, or
            that nothing needs, needs no loop to compute: then the limit does not apply.
        DTypeError: the condition is not bool, or the carry changes a dtype; ShapeError: the condition is not scalar, or
        the carry changes a shape; GraphError: the carry changes its container.

    Example:
        >>> float(pg.while_loop(lambda v: v < 100.0, lambda v: v * v, 3.0))
        6561.0
    """
    advice = "write pg.while_loop(lambda v: v < 1.0, lambda v: 2.0 * v, start): two functions of the carry"
    require_functions(WHILE.name, advice, cond_fun=cond_fun, body_fun=body_fun)
    return _applied(WHILE.name, _while, (cond_fun, body_fun, limit), init_val)


def _while(cond_fun: Function, body_fun: Function, limit: int | None, init_val: Any) -> Any:
    return record_while.while_loop(cond_fun, body_fun, init_val, limit=limit)


@explained
def fori_loop(lower: Any, upper: Any, body_fun: Function, init_val: Any) -> Any:
    """`for i in range(lower, upper): val = body_fun(i, val)`; as `jax.lax.fori_loop`.

    With integers as bounds it is a `scan`, with expressions as bounds a `while_loop`.

    Args:
        lower, upper: scalar integers.
        body_fun: (i, carry) -> the next carry, of the same container and types; i is an int64.
        init_val: the first carry. Python numbers in it stay numbers until the body returns an array
            in their place, whose dtype they take.

    Returns:
        The last carry.

    Raises:
        DTypeError: a bound is not an integer; ShapeError: a bound is not scalar; else as `scan`.

    Example:
        >>> float(pg.fori_loop(0, 5, lambda i, v: v + i, 0.0))
        10.0
    """
    require_functions("fori_loop", "write pg.fori_loop(0, n, lambda i, v: v + i, start)", body_fun=body_fun)
    if isinstance(lower, Node) or isinstance(upper, Node):
        return record_while.fori_loop(lower, upper, body_fun, init_val)
    return _applied(
        "fori_loop", _fori, (record_while.bound(lower, "lower"), record_while.bound(upper, "upper"), body_fun), init_val
    )


def _fori(lower: int, upper: int, body_fun: Function, init_val: Any) -> Any:
    return record_while.fori_loop(lower, upper, body_fun, init_val)


@explained
def map(f: Function, xs: Any) -> Any:
    """`f` of each slice of `xs` along its first axis, the results stacked; as `jax.lax.map`.

    Args:
        f: a function of one container like `xs`.
        xs: arrays with a leading axis of equal length, in a container.

    Returns:
        A container like the result of `f`, each array with a leading axis more.

    Raises:
        ShapeError: the lengths differ, or there is no array.

    Example:
        >>> pg.map(lambda row: np.sum(row * row), np.eye(3))
        array([1., 1., 1.])
    """
    require_functions("map", "write pg.map(f, xs)", f=f)
    return _applied("map", record_while.map_, (f,), xs)


@explained
def associative_scan(fn: Function, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The results of combining the first 1, 2, … elements along an axis; as `jax.lax.associative_scan`.

    It is made of about 2 log2(n) levels of operations on whole arrays, with two combinations an element in all. The
    method: G. E. Blelloch, Prefix Sums and Their Applications, 1990.

    Args:
        fn: (a, b) -> c, associative, on containers of arrays like `elems` with any length along `axis`, element by
            element along it.
        elems: arrays, in a container, of equal length along `axis`.
        reverse: whether to combine from the end.
        axis: the axis; negative ones count from the end.

    Returns:
        A container like `elems`.

    Raises:
        ShapeError: the lengths differ, an array lacks the axis, or `fn` changes a shape; GraphError: `fn` changes the
        container, or there is no array.

    Example:
        >>> pg.associative_scan(np.multiply, np.array([1.0, 2.0, 3.0, 4.0]))
        array([ 1.,  2.,  6., 24.])
    """
    require_functions("associative_scan", "write pg.associative_scan(np.add, xs)", fn=fn)
    return _applied("associative_scan", _associative, (fn, bool(reverse), axis), elems)


def _associative(fn: Function, reverse: bool, axis: int, elems: Any) -> Any:
    return associative.associative_scan(fn, elems, reverse, axis)
